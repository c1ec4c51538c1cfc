"""A file, or a folder with all in it, as it is at one moment; no link is followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

MAX_ENTRIES = 10_000
"""Maximum number of entries that are looked at; what has more is not plain."""
MAX_DEPTH = 50
"""Most folders in each other; what is deeper is not plain."""
LOCK_NAME = ".lock"
"""Lock files, whose times change when somebody looks whether they are held."""


@dataclass(frozen=True)
class EntryFacts:
    """A file or a folder: its path from the snapshot's own, and what a change of it changes."""

    name: str
    mode: int
    inode: int
    n_bytes: int
    changed_ns: int

    @property
    def is_plain(self) -> bool:
        """True of a regular file and of a folder, not of a link, a pipe or a device."""
        return stat.S_ISREG(self.mode) or stat.S_ISDIR(self.mode)


@dataclass(frozen=True)
class Snapshot:
    """The entries of a file or a folder, itself first; equal to a later one if nothing changed."""

    entries: tuple[EntryFacts, ...]

    @classmethod
    def of(cls, path: Path) -> Snapshot:
        """Return the snapshot of what is at a path.

        Raises
        ------
        OSError
            If it is gone, or must not be read.
        """
        entries = []
        for entry in _iter_entries(path):
            entries.append(entry)
            if len(entries) > MAX_ENTRIES:
                break
        return cls(tuple(entries))

    @property
    def is_plain(self) -> bool:
        """True if it is a file or a folder with nothing but files and folders in it."""
        depth = max(one.name.count("/") for one in self.entries)
        is_bounded = len(self.entries) <= MAX_ENTRIES and depth < MAX_DEPTH
        return is_bounded and all(one.is_plain for one in self.entries)

    @property
    def names(self) -> frozenset[str]:
        """Paths of all within it, with slashes."""
        return frozenset(one.name for one in self.entries[1:])

    @property
    def n_bytes(self) -> int:
        """The size of its files."""
        return sum(one.n_bytes for one in self.entries if stat.S_ISREG(one.mode))

    @property
    def changed_at(self) -> float:
        """The last time that any of it changed, in seconds since 1970."""
        return max(one.changed_ns for one in self.entries) / 1e9


def _iter_entries(path: Path) -> Iterator[EntryFacts]:
    """Yield what is at a path and all within it, without recursion: folders may be deep."""
    names = [""]
    while names:
        name = names.pop()
        found = (path / name).lstat()
        is_lock = Path(name).name == LOCK_NAME
        changed = 0 if is_lock else found.st_mtime_ns
        yield EntryFacts(name, found.st_mode, found.st_ino, found.st_size, changed)
        if stat.S_ISDIR(found.st_mode):
            with os.scandir(path / name) as children:
                some = [child.name for child in islice(children, MAX_ENTRIES)]
            names += [f"{name}/{child}".lstrip("/") for child in sorted(some, reverse=True)]
