"""Files that may go since they can be made again without a fit, or were never finished."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from retain.record.directory import RunDirectory
from retain.storage.snapshot import Snapshot
from retain.storage.transaction import STAGING_PATTERN
from retain.storage.trash import find_left
from retain.storage.writing import TMP_PATTERN
from retain.workflows.cleaning.findings import (
    FOLDS,
    LEFTOVER,
    TABLE,
    UNFINISHED,
    Finding,
    Findings,
)
from retain.workflows.cleaning.outputs import OutputsFolder, StudyContents
from retain.workflows.cleaning.references import CACHED_TABLE, References
from retain.workflows.cleaning.runs import RunFacts

MIN_IDLE_SECONDS = 3600.0
"""A file that is being written changes more often."""


def find_leftovers(study: StudyContents, ended: Sequence[RunFacts], findings: Findings) -> None:
    """Add folds of runs that are done, and unfinished files of the study and its runs.

    Runs that go whole take theirs along.
    """
    going = {one.run for one in findings.going}
    for run in (facts.directory for facts in ended if facts.is_done):
        if run not in going and run.folds.is_file() and not run.busy:
            findings.add(FOLDS, run.folds, run=run)
    for run in study.runs:
        if run not in going:
            _add_unfinished(run.path, findings, run)
    _add_unfinished(study.directory.path, findings)
    for path in sorted(study.directory.path.glob(STAGING_PATTERN)):
        if path.is_dir():
            _add_begun(path, findings)


def find_tables(outputs: OutputsFolder, references: References, findings: Findings) -> None:
    """Add cached tables, unfinished files beside them and studies, and what a cleaning left."""
    folder = outputs.tables
    if folder.is_dir() and not folder.is_symlink():
        for path in sorted(folder.iterdir()):
            if not CACHED_TABLE.fullmatch(path.name):
                continue
            if path.name in references.tables:
                findings.keep(TABLE, "a run reads one as its data")
            elif references.is_partial:
                findings.keep(TABLE, "what cannot be read may name one as its data")
            else:
                findings.add(TABLE, path)
        _add_unfinished(folder, findings)
    _add_unfinished(outputs.path, findings)
    try:
        for path in find_left(outputs.path):
            findings.going.append(
                Finding(LEFTOVER, path.relative_to(outputs.path), Snapshot.of(path))
            )
    except OSError:
        findings.keep(LEFTOVER, "they cannot be read")


def _add_unfinished(folder: Path, findings: Findings, run: RunDirectory | None = None) -> None:
    """Add files in a folder whose writer was killed."""
    for path in sorted(folder.glob(TMP_PATTERN)):
        if path.is_file():
            _add_begun(path, findings, run)


def _add_begun(path: Path, findings: Findings, run: RunDirectory | None = None) -> None:
    with suppress(FileNotFoundError):
        if run is not None and run.busy:
            findings.keep(UNFINISHED, "a process is at them")
        elif time.time() - path.lstat().st_mtime < MIN_IDLE_SECONDS:
            findings.keep(UNFINISHED, "they changed in the last hour")
        else:
            findings.add(UNFINISHED, path, run=run)
