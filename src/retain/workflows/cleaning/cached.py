"""Files that may go since they can be made again without a fit, or were never finished."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePath

from retain.record.directory import RunDirectory
from retain.storage.snapshot import Snapshot
from retain.storage.transaction import STAGING_PREFIX
from retain.storage.trash import TRASH
from retain.storage.writing import TMP_PREFIX
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


def find_tables(outputs: OutputsFolder, references: References, findings: Findings) -> None:
    """Add cached tables, unfinished files beside them and studies, and what a cleaning left."""
    folder = outputs.tables
    if folder.is_dir() and not folder.is_symlink():
        for path in sorted(folder.iterdir()):
            if path.name in references.tables:
                findings.keep(TABLE, "a run reads one as its data")
            elif CACHED_TABLE.fullmatch(path.name):
                findings.add(TABLE, path)
        _add_unfinished(folder, findings)
    _add_unfinished(outputs.path, findings)
    trash = outputs.path / TRASH
    if trash.is_dir() and not trash.is_symlink():
        try:
            findings.going.append(Finding(LEFTOVER, PurePath(TRASH), Snapshot.of(trash)))
        except OSError:
            findings.keep(LEFTOVER, "they cannot be read")


def _add_unfinished(folder: Path, findings: Findings, run: RunDirectory | None = None) -> None:
    """Add files and folders in a folder whose writer was killed."""
    with suppress(OSError), os.scandir(folder) as entries:
        begun = [one for one in entries if one.name.startswith((TMP_PREFIX, STAGING_PREFIX))]
        for entry in sorted(begun, key=lambda one: one.name):
            if run is not None and run.busy:
                findings.keep(UNFINISHED, "a process is at them")
            elif time.time() - entry.stat(follow_symlinks=False).st_mtime < MIN_IDLE_SECONDS:
                findings.keep(UNFINISHED, "they changed in the last hour")
            else:
                findings.add(UNFINISHED, Path(entry.path), run=run)
