"""The index of everything under ``outputs``: read once, and again where a file has changed.

An index is kept in memory and never written. It holds what the tables show and no more, so that a
hundred thousand runs fit.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from retain.dashboard.rows import BROKEN, UNFINISHED, RunRow, summarise_run
from retain.dashboard.texts import name_of, shorten
from retain.dashboard.verdict_summary import VerdictSummary, read_verdict, tag_runs
from retain.errors import RetainError
from retain.execution.status import Status, read_status
from retain.record.consistency import RecordChecker
from retain.record.directory import RunDirectory
from retain.record.reading import Reader
from retain.record.study import StudyDirectory
from retain.storage.paths import is_inside
from retain.storage.reading import MIB

MAX_RUNS = 200_000
"""Runs of an outputs folder that are read; more are counted and left out."""
CONFIG_BYTES = 256 * MIB
"""Size of all distinct parts of configs of a study; runs beyond have no settings in the tables."""

Signature = tuple[int, int, int] | None
"""Time of change, size and inode of a file; None if there is none."""


@dataclass(frozen=True, eq=False)
class StudyIndex:
    """The contents of a study: runs, progress, verdict, and accesses to the sealed test.

    Attributes
    ----------
    rows
        One for each run, by the name of its folder.
    tags
        ``winner`` or ``tied`` by the id of a run, as the verdict says; see ``tag_runs``.
    n_unread
        Runs beyond the limit.
    """

    directory: StudyDirectory
    rows: tuple[RunRow, ...] = ()
    status: Status | None = None
    verdict: VerdictSummary | None = None
    n_unread: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the study's folder."""
        return name_of(self.directory.path)

    @cached_property
    def by_id(self) -> dict[str, RunRow]:
        """The runs by their ids."""
        return {row.id: row for row in self.rows}


@dataclass(frozen=True)
class OutputsIndex:
    """All studies at one moment.

    Attributes
    ----------
    version
        A count that goes up with every change.
    outside
        Names of links that lead out of the folder, which are no studies.
    is_gone
        True if the folder can no longer be read: it was renamed, removed, or closed to this user.
    """

    version: int
    studies: tuple[StudyIndex, ...]
    outside: tuple[str, ...] = ()
    is_gone: bool = False

    def study(self, name: str) -> StudyIndex | None:
        """Return a study by its name, None if there is none."""
        return next((one for one in self.studies if one.name == name), None)

    def run(self, study: str, id_: str) -> RunRow | None:
        """Return a run by its study and id, None if there is none."""
        found = self.study(study)
        return found.by_id.get(id_) if found else None


class OutputsReader:
    """A reader of an outputs folder that reads a file again only after it has changed."""

    def __init__(self, outputs: Path) -> None:
        self.outputs = outputs
        self._studies: dict[Path, _StudyReader] = {}
        self._last = OutputsIndex(0, ())

    def read(self, on_run: Callable[[int], None] = lambda _: None) -> OutputsIndex:
        """Return what the folder holds now; the same object if nothing has changed.

        ``on_run`` is called with the number of runs read so far.
        """
        left, found, outside = MAX_RUNS, [], []
        folders = self._folders()
        for path in folders or ():
            if not is_inside(path, self.outputs):
                outside.append(name_of(path))
                continue
            reader = self._studies.setdefault(path, _StudyReader(StudyDirectory(path)))
            with suppress(OSError):  # it was moved, or must not be read: what was there is kept
                reader.read(left, partial(_add, on_run, MAX_RUNS - left))
            study = reader.last
            left -= len(study.rows)
            if study.rows or study.status or study.verdict or _has_campaigns(study):
                found.append(study)
        last, about = self._last, (tuple(outside), folders is None)
        if not _are_same(found, last.studies) or about != (last.outside, last.is_gone):
            self._last = OutputsIndex(last.version + 1, tuple(found), *about)
        return self._last

    def _folders(self) -> list[Path] | None:
        """Return the folders that may be studies, and links to folders; None if it is gone."""
        with suppress(OSError):
            paths = sorted(self.outputs.iterdir())
            return [path for path in paths if not path.name.startswith(".") and path.is_dir()]
        return None


class _StudyReader:
    """A reader of one study, which keeps the rows of unchanged records."""

    def __init__(self, directory: StudyDirectory) -> None:
        self._directory, self._name = directory, name_of(directory.path)
        self._reader, self._checker = Reader(), RecordChecker()
        self._rows: dict[str, tuple[Signature, RunRow]] = {}
        self._status: tuple[Signature, Status | None] = None, None
        self._verdict: tuple[Signature, VerdictSummary | None] = None, None
        self._keeps_config = True
        self.last = StudyIndex(directory)

    def read(self, limit: int, on_run: Callable[[int], None]) -> None:
        """Read the study as it is now into ``last``, the same object if nothing has changed."""
        directory = self._directory
        runs = list(directory.runs())
        self._rows = dict(self._iter_rows(runs[:limit], on_run))
        status, verdict = sign_file(directory.status), sign_file(directory.verdict_json)
        if status != self._status[0]:
            self._status = status, read_status(directory)
        if verdict != self._verdict[0]:
            self._verdict = verdict, read_verdict(directory) if verdict else None
        rows = tuple(row for _, row in self._rows.values())
        parts = (self._status[1], self._verdict[1], len(runs) - len(rows))
        if not _are_same(rows, self.last.rows) or parts != _parts(self.last):
            self.last = StudyIndex(directory, rows, *parts, tag_runs(rows, self._verdict[1]))

    def _iter_rows(
        self, runs: list[RunDirectory], on_run: Callable[[int], None]
    ) -> Iterator[tuple[str, tuple[Signature, RunRow]]]:
        for number, run in enumerate(runs):
            signature = sign_file(run.record)
            before = self._rows.get(run.path.name)
            if before is None or before[0] != signature:
                before = signature, self._row(run)
                on_run(number + 1)
            yield run.path.name, before

    def _row(self, run: RunDirectory) -> RunRow:
        """Return the row of a run as its record is now."""
        id_ = name_of(run.path).rpartition("-")[2]
        try:
            record = self._reader.read(run.record, within=self._directory.path)
        except RetainError as error:
            return RunRow(run, self._name, id_, BROKEN, shorten(error))
        if record is None:
            return RunRow(run, self._name, id_, UNFINISHED)
        problem = self._checker.find_problem(record, run.path)
        if problem is not None:
            return RunRow(run, self._name, id_, BROKEN, shorten(problem))
        if self._reader.kept_bytes > CONFIG_BYTES:
            self._keeps_config = False
            self._reader, self._checker = Reader(), RecordChecker()
        return summarise_run(run, self._name, record, keeps_config=self._keeps_config)


def _has_campaigns(study: StudyIndex) -> bool:
    with suppress(OSError):
        return bool(study.directory.campaign_ids)
    return False


def _add(on_run: Callable[[int], None], before: int, number: int) -> None:
    on_run(before + number)


def _parts(study: StudyIndex) -> tuple[Status | None, VerdictSummary | None, int]:
    return study.status, study.verdict, study.n_unread


def _are_same(found: Sequence[object], before: Sequence[object]) -> bool:
    return len(found) == len(before) and all(map(operator.is_, found, before))


def sign_file(path: Path) -> Signature:
    """Return what changes when a file is written again."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
