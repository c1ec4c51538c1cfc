"""The runs that results in a folder of outputs name: verdicts, campaigns, scores, ledgers.

No document is believed and none has to be understood: whatever looks like the id of a run in any
of them names that run, wherever it lies. What cannot be read may name anything.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from retain.errors import RetainError
from retain.record.manifest import MANIFEST
from retain.storage.reading import MissingFileError, parse_json, read_bytes
from retain.storage.snapshot import MAX_ENTRIES
from retain.storage.transaction import COMMIT, STAGING_PATTERN
from retain.workflows.cleaning.outputs import OutputsFolder, StudyContents

ID = re.compile(rb"(?<![0-9A-Za-z])[0-9a-f]{8}(?![0-9A-Za-z])")
CACHED_TABLE = re.compile(r"[0-9a-f]{64}\.parquet")
"""Name of a table that was built from a purchase log.

The names of frames that were passed to retain have 16 digits. Such a frame may be the only copy of
outcomes, so none of them goes, whether a record names it or not.
"""
TABLE_NAME = re.compile(CACHED_TABLE.pattern.encode())
DOCUMENTS = (".json", ".jsonl", ".yaml")
"""Suffixes of files that name runs; tables repeat what these say."""


@dataclass
class References:
    """The runs that results name, and the studies of which not all is known.

    Attributes
    ----------
    ids
        Ids of runs that any result names.
    unclear
        Why nothing of a study may go, by its name.
    counted
        Studies with a verdict that counts interrupted runs, which have no id in it.
    tables
        Names of cached tables that were typed as data.
    has_unread_runs
        Whether there are runs whose data are not known.
    """

    ids: set[str] = field(default_factory=set)
    unclear: dict[str, str] = field(default_factory=dict)
    counted: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)
    has_unread_runs: bool = False

    @property
    def is_partial(self) -> bool:
        """True if a run or a result that is not known may name a table."""
        return self.has_unread_runs or bool(self.unclear)

    def add_text(self, path: Path, folder: Path) -> None:
        """Add the cached tables that a file of an interrupted run names."""
        try:
            content = read_bytes(path, within=folder)
        except MissingFileError:
            return
        except RetainError:
            self.has_unread_runs = True
            return
        self.tables.update(one[0].decode() for one in TABLE_NAME.finditer(content))

    def add_data(self, config: Mapping[str, Any]) -> None:
        """Add the cached tables that the config of a run names as its data."""
        self.tables.update(CACHED_TABLE.findall(str(config.get("data"))))


def find_references(outputs: OutputsFolder) -> References:
    """Return what the results of all studies name."""
    found = References()
    for link in outputs.links:
        _doubt(
            found,
            (link.name, *link.name.split("+")),
            f"{link.name} is a link, which is not followed",
        )
    names = {study.name for study in outputs.studies}
    for path in outputs.unreadable:
        _doubt(found, names, f"{path.name} cannot be read, and may name any run")
    for study in outputs.studies:
        try:
            _read_study(found, study)
        except (OSError, RetainError) as error:
            members = {study.name, *study.name.split("+")}
            is_known = study.runs or (len(members) > 1 and members <= names)
            _doubt(found, members if is_known else names, _one_line(error))
    return found


def _doubt(found: References, studies: Iterable[str], reason: str) -> None:
    """Let nothing go of some studies."""
    for one in studies:
        found.unclear.setdefault(one, reason)


def _one_line(error: Exception) -> str:
    return " ".join((str(error) or type(error).__name__).split()).removesuffix(".")


def _read_study(found: References, study: StudyContents) -> None:
    """Add what the results of a study name.

    Raises
    ------
    RetainError
        If it cannot be said.
    OSError
        If something cannot be read.
    """
    directory = study.directory
    for path in _iter_documents(study):
        content = read_bytes(path, within=directory.path)
        found.ids.update(one[0].decode() for one in ID.finditer(content))
        found.tables.update(one[0].decode() for one in TABLE_NAME.finditer(content))
        if path.name == directory.verdict_json.name:
            found.counted.update(_count_interrupted(path, content, study.name))
    if directory.verdict_json.exists() and not (directory.verdict / MANIFEST).exists():
        raise RetainError(f"{study.name} has a verdict of an earlier version, which names no runs")


def _count_interrupted(path: Path, content: bytes, study: str) -> tuple[str, ...]:
    """Return the studies of a verdict that counts interrupted runs, none of another verdict."""
    tree = parse_json(content, str(path))
    if not isinstance(tree, dict):
        raise RetainError(f"{path} is no verdict")
    if not tree.get("n_interrupted") and not tree.get("n_running"):
        return ()
    studies = tree.get("studies")
    named = studies if isinstance(studies, list) else []
    return (study, *study.split("+"), *(one for one in named if isinstance(one, str)))


def _iter_documents(study: StudyContents) -> Iterator[Path]:
    """Yield the documents in a study's folder, but for those of runs.

    Raises
    ------
    RetainError
        If there are links, a transaction that was killed, or too many files.
    """
    left, n_seen = list(study.others), 0
    while left:
        path = left.pop()
        n_seen += 1
        if n_seen > MAX_ENTRIES * 10:
            raise RetainError(f"{study.name} holds more than {MAX_ENTRIES * 10:,} files")
        if path.name == COMMIT:
            raise RetainError(
                f"a command was killed in {study.name} while it wrote; its next one completes it"
            )
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise RetainError(f"{study.name} holds the link {path.name}, which is not followed")
        if stat.S_ISDIR(mode) and not fnmatchcase(path.name, STAGING_PATTERN):
            left += path.iterdir()
        elif path.suffix in DOCUMENTS:
            yield path
