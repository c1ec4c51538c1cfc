"""The contents of a folder of outputs by name: studies, their runs, and what is not retain's."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from retain.errors import RetainError, type_value
from retain.execution.status import read_status
from retain.record.directory import RunDirectory
from retain.record.study import StudyDirectory
from retain.storage.locks import is_locked
from retain.storage.paths import is_plain_name
from retain.storage.transaction import COMMIT, STAGING_PATTERN
from retain.storage.trash import TRASH
from retain.storage.writing import TMP_PATTERN

RUN_NAME = re.compile(r".+-[0-9a-f]{8}")
STUDY_FILES = (
    *("status.json", "ledger.jsonl", "dropped_rows.csv", "retain-bug-*.log", ".lock"),
    *("verdict", "campaigns", "scores", "simulated", "trial", "jobs"),
    *(COMMIT, STAGING_PATTERN, TMP_PATTERN),
)
"""Names that retain gives in the folder of a study beside its runs."""
RESULTS = (
    *("ledger.jsonl", "verdict/verdict.json", "campaigns/*/campaign.json"),
    *("scores/*/score.json", "simulated/*/truth.json", "trial/trial.json"),
)
"""Files of which one makes a folder without runs certainly that of a study."""
TABLES = "tables"
OUTPUTS_FILES = (TABLES, TRASH, "mlflow.db", TMP_PATTERN)
"""Names that retain gives in a folder of outputs beside its studies."""
MAX_SILENCE_SECONDS = 600.0
"""A sweep writes its status every ten seconds; one that has been silent for so long has died."""


@dataclass(frozen=True)
class StudyContents:
    """A study, and what lies in its folder; a link is neither a run nor a folder."""

    directory: StudyDirectory

    @property
    def name(self) -> str:
        """The name of the study's folder."""
        return self.directory.path.name

    @cached_property
    def runs(self) -> tuple[RunDirectory, ...]:
        """Folders that are named and filled as retain does runs."""
        return tuple(RunDirectory(path) for path in self._entries if is_run(path))

    @cached_property
    def others(self) -> tuple[Path, ...]:
        """All else, by name."""
        runs = {run.path for run in self.runs}
        return tuple(path for path in self._entries if path not in runs)

    @cached_property
    def _entries(self) -> list[Path]:
        return sorted(self.directory.path.iterdir())

    @property
    def n_foreign(self) -> int:
        """The number of entries that retain did not write."""
        return sum(not _is_named(path.name, STUDY_FILES) for path in self.others)

    @property
    def is_busy(self) -> bool:
        """True if a sweep runs in the study, on this machine or on another one."""
        return self._is_sweeping() or any(run.busy for run in self.runs if not run.record.exists())

    def _is_sweeping(self) -> bool:
        """Return whether a sweep says that it runs, or says what this version cannot read."""
        path = self.directory.status
        if not path.is_file() or time.time() - path.lstat().st_mtime > MAX_SILENCE_SECONDS:
            return False
        status = read_status(self.directory)
        return status is None or status.state == "running"


@dataclass(frozen=True)
class OutputsFolder:
    """A folder of outputs.

    Attributes
    ----------
    names
        All names in it.
    studies
        Those that are folders with runs, or with anything else of a study: what may name runs, or
        the lock of a command that is about to write it.
    unreadable
        Folders of which nobody can say whether they are studies.
    """

    path: Path
    names: frozenset[str]
    studies: tuple[StudyContents, ...]
    unreadable: tuple[Path, ...]
    n_foreign: int

    @property
    def links(self) -> list[Path]:
        """Links, behind which nothing is looked for."""
        paths = (self.path / name for name in sorted(self.names))
        return [path for path in paths if path.is_symlink()]

    @property
    def tables(self) -> Path:
        """The folder of cached tables, and of frames that were passed to retain."""
        return self.path / TABLES

    def find_activity(self) -> str | None:
        """Return what is being done in one of the studies now, None if nothing is."""
        for study in self.studies:
            if study.is_busy:
                return f"a sweep runs in {study.name}"
            if is_locked(study.directory.lock):
                return f"another command is at {study.name}"
        return None

    def has_grown(self) -> bool:
        """Return whether something was added to the folder itself since, such as a study."""
        return bool({path.name for path in self.path.iterdir()} - self.names - {TRASH})


def open_outputs(typed: Path) -> OutputsFolder:
    """Return what lies in a folder of outputs.

    Raises
    ------
    RetainError
        If it is none, with the folder to type instead, or cannot be read.
    """
    try:
        return _open_outputs(typed)
    except OSError as error:
        found = f"{error.filename} cannot be read: {error.strerror}"
        raise RetainError.at("dir", found, "expected a folder of outputs") from None


def _open_outputs(typed: Path) -> OutputsFolder:
    if not typed.is_dir():
        expected = "expected the folder with the studies: retain-clean outputs"
        raise RetainError.at("dir", f"{str(typed)!r} is no folder", expected)
    path = typed.resolve()  # the one link that is followed is the one that was typed
    if is_run(path):
        raise _other_folder_error(typed, "is a run", path.parents[1])
    if is_study(path):
        raise _other_folder_error(typed, "is a study", path.parent)
    entries = sorted(path.iterdir())
    known = [one for one in entries if _is_named(one.name, OUTPUTS_FILES)]
    studies, unreadable = [], []
    for one in entries:
        if one in known or one.name.startswith("."):
            continue
        try:
            if _may_be_study(one):
                studies.append(one)
        except OSError:
            unreadable.append(one)
    if not any(map(is_study, studies)):
        within = next((one for one in entries if _is_real_folder(one) and _has_studies(one)), None)
        raise _other_folder_error(typed, "holds no study", within)
    return OutputsFolder(
        path=path,
        names=frozenset(one.name for one in entries),
        studies=tuple(StudyContents(StudyDirectory(one)) for one in studies),
        unreadable=tuple(unreadable),
        n_foreign=len(entries) - len(studies) - len(known),
    )


def _other_folder_error(typed: Path, found: str, instead: Path | None) -> RetainError:
    expected = "expected the folder with the studies, such as outputs"
    if instead is not None:
        expected = f"type the folder with the studies: retain-clean {type_folder(str(instead))}"
    return RetainError.at("dir", f"{str(typed)!r} {found}", expected)


def type_folder(folder: str) -> str:
    """Return a folder as it is typed after ``retain-clean``.

    >>> print(type_folder("my outputs"), type_folder("a=b"))
    'my outputs' "dir='a=b'"
    """
    if "=" in folder or folder.startswith("-"):
        return type_value("dir", folder)
    return shlex.quote(folder)


def _has_studies(path: Path) -> bool:
    return _any(is_study, path.iterdir())


def is_study(path: Path) -> bool:
    """Return whether a folder, and no link to one, holds runs or results of retain."""
    if not _is_real_folder(path):
        return False
    return _any(is_run, path.iterdir()) or any(
        next(path.glob(pattern), None) is not None for pattern in RESULTS
    )


def _may_be_study(path: Path) -> bool:
    """Return whether a folder, and no link to one, holds anything named as retain does in a study.

    Raises
    ------
    OSError
        If that cannot be said.
    """
    if not _is_real_folder(path):
        return False
    entries = list(path.iterdir())
    return any(_is_named(one.name, STUDY_FILES) for one in entries) or any(map(is_run, entries))


def is_run(path: Path) -> bool:
    """Return whether a folder, and no link to one, is named and filled as the one of a run."""
    is_named = RUN_NAME.fullmatch(path.name) and is_plain_name(path.name)
    if not is_named or not _is_real_folder(path):
        return False
    run = RunDirectory(path)
    return run.record.is_file() or (run.lock.is_file() and run.hydra.is_dir())


def _any(check: Callable[[Path], bool], paths: Iterable[Path]) -> bool:
    """Return whether a check holds of one of the paths that may be read."""
    try:
        return any(map(check, paths))
    except PermissionError:
        return False


def _is_real_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _is_named(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
