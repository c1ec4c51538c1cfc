"""Transactions that replace several folders together: readers find all old ones or all new ones.

New folders are made in ``.staging-<hex>/`` beside their places. Renaming it to ``.commit/`` commits
the transaction; then each folder takes its place, by one exchange of names where the system
supports it. A process killed before the commit has changed nothing; a transaction killed after it
is finished by ``recover`` at the next start. The caller holds the lock of the folder, so there is
one transaction at a time.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from retain.errors import RetainError
from retain.storage.reading import read_json

STAGING_PREFIX = ".staging-"
STAGING_PATTERN = STAGING_PREFIX + "[0-9a-f]" * 12
"""Names of folders of unfinished transactions, as ``glob`` and ``fnmatch`` read it."""
COMMIT = ".commit"
JOURNAL = "journal.json"
MAX_JOURNAL_BYTES = 2**16
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_CANNOT_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


@dataclass
class Staging:
    """New folders that will take their places together.

    Attributes
    ----------
    path
        Mirror of the target folder: ``path / "verdict"`` becomes its ``verdict``.
    places
        Folders to put in place, relative to it.
    immutable
        Those of them that never replace an existing folder.
    """

    path: Path
    places: list[str] = field(default_factory=list)
    immutable: set[str] = field(default_factory=set)

    def add(self, place: str) -> Path:
        """Return a new empty folder that will take its place at ``place``."""
        new = self.path / place
        new.mkdir(parents=True)
        self._register(place)
        return new

    def place(self, new: Path, place: str, *, immutable: bool = False) -> None:
        """Put a folder made anywhere in ``path`` at ``place``.

        Parameters
        ----------
        immutable
            Keep an existing folder instead of replacing it.
        """
        (self.path / place).parent.mkdir(parents=True, exist_ok=True)
        new.rename(self.path / place)
        self._register(place)
        if immutable:
            self.immutable.add(place)

    def _register(self, place: str) -> None:
        folder, target = self.path.parent, self.path.parent / place
        for step in (target, *target.parents):
            if step != folder and step.is_relative_to(folder) and step.is_symlink():
                raise RetainError(
                    f"{step} is a link, which may lead anywhere; expected a folder of the study "
                    "itself. Remove the link, or copy what it leads to in its place."
                )
        if target.exists() and not target.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target))
        self.places.append(place)

    def drop(self, place: str) -> None:
        """Discard the new folder for ``place`` and keep the existing one."""
        self.places.remove(place)


@contextmanager
def transaction(folder: Path) -> Iterator[Staging]:
    """Put the new folders in place in ``folder`` on success, none of them on failure.

    The caller holds the lock of ``folder`` and has called ``recover``.

    Raises
    ------
    OSError
        If a folder cannot be made or put in place.
    """
    staging = Staging(folder / f"{STAGING_PREFIX}{secrets.token_hex(6)}")
    staging.path.mkdir()
    try:
        yield staging
        _write_journal(staging)
        staging.path.rename(folder / COMMIT)
        _apply(folder)
    finally:
        shutil.rmtree(staging.path, ignore_errors=True)


def recover(folder: Path) -> None:
    """Finish a transaction that was killed after its commit; remove those killed before.

    The caller holds the lock of ``folder``.

    Raises
    ------
    OSError
        If the folder cannot be written.
    RetainError
        If ``.commit/`` was not written by a transaction.
    """
    if (folder / COMMIT).is_dir():
        _apply(folder)
    for left in folder.glob(STAGING_PATTERN):
        if left.is_symlink():
            left.unlink()
        else:
            shutil.rmtree(left)


def _write_journal(staging: Staging) -> None:
    """Write the place of each folder and its inode, which a rename keeps."""
    places = {place: (staging.path / place).stat().st_ino for place in staging.places}
    entries = [
        {"place": place, "inode": inode, "immutable": place in staging.immutable}
        for place, inode in places.items()
    ]
    with (staging.path / JOURNAL).open("w", encoding="utf-8") as file:
        json.dump(entries, file)
        file.flush()
        os.fsync(file.fileno())


def _apply(folder: Path) -> None:
    """Put the remaining folders of a commit in place; safe to repeat."""
    commit = folder / COMMIT
    for place, inode, immutable in _read_journal(folder):
        new, target = commit / place, folder / place
        if not new.is_dir() or (target.is_dir() and target.stat().st_ino == inode):
            continue
        if new.stat().st_ino != inode:  # nobody knows any more which of the two is the new one
            raise RetainError(
                f"{commit} was copied with its folder while a command was writing. Remove it, and "
                "give the command again."
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            new.rename(target)
        elif not immutable:
            exchange(new, target)
    shutil.rmtree(commit)


def _read_journal(folder: Path) -> list[tuple[str, int, bool]]:
    """Return the entries of a commit's journal, each checked since anybody may have written it."""
    path = folder / COMMIT / JOURNAL
    if not path.exists():  # killed while the commit was removed: all folders are in place
        return []
    try:
        entries = [
            (str(entry["place"]), int(entry["inode"]), bool(entry["immutable"]))
            for entry in read_json(path, max_bytes=MAX_JOURNAL_BYTES)
        ]
    except (RetainError, ValueError, TypeError, KeyError):
        entries = [("..", 0, False)]
    if not all(_is_plain(folder, place) for place, _, _ in entries):
        raise RetainError(
            f"{folder / COMMIT} was not left by a command that was killed: its {JOURNAL} is not "
            "what retain writes. Move it away."
        )
    return entries


def _is_plain(folder: Path, place: str) -> bool:
    """Return whether ``place`` is inside the folder and contains no link."""
    parts = Path(place).parts
    if not parts or Path(place).is_absolute() or ".." in parts:
        return False
    steps = [Path(*parts[: i + 1]) for i in range(len(parts))]
    roots = (folder, folder / COMMIT)
    return not any((root / step).is_symlink() for root in roots for step in steps)


def exchange(first: Path, second: Path) -> None:
    """Exchange the names of two folders, in one step where the system supports it.

    Elsewhere ``second`` is missing for a moment.

    Raises
    ------
    OSError
        If the system refuses.
    """
    if not _try_exchange(first, second):
        aside = first.with_name(f"{first.name}.old")
        with suppress(FileNotFoundError):
            shutil.rmtree(aside)
        second.rename(aside)
        first.rename(second)
        shutil.rmtree(aside)


def _try_exchange(first: Path, second: Path) -> bool:
    """Exchange by ``renameat2``; return False where it is not supported."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    names = os.fsencode(first), os.fsencode(second)
    if renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), str(second))
