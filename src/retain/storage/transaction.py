"""Several folders put in place together: a reader finds the old ones whole or the new ones whole.

New folders are made in ``.staging-<hex>/`` beside their places. Renaming that to ``.commit/`` is
the moment they count; then each takes its place, by one exchange of names where the system knows
it. Who is killed before that moment has written nothing; what was killed after it is finished by
``recover`` at the next start. All of it happens under the lock of the folder, so there is one
transaction at a time.
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
COMMIT = ".commit"
JOURNAL = "journal.json"
JOURNAL_BYTES = 2**16
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_CANNOT_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


@dataclass
class Staging:
    """Folders being made that will take their places together.

    Attributes
    ----------
    path
        Mirrors the folder the transaction is about: ``path / "verdict"`` becomes its ``verdict``.
    places
        Folders to be put in place, relative to it.
    immutable
        Those of them that stay as they are where they are there already.
    """

    path: Path
    places: list[str] = field(default_factory=list)
    immutable: set[str] = field(default_factory=set)

    def add(self, place: str) -> Path:
        """Return a new empty folder that will take its place at ``place``."""
        made = self.path / place
        made.mkdir(parents=True)
        self._register(place)
        return made

    def place(self, made: Path, place: str, *, immutable: bool = False) -> None:
        """Have a folder made anywhere in ``path`` take its place at ``place``.

        Parameters
        ----------
        immutable
            Keep a folder that is there already instead of replacing it.
        """
        (self.path / place).parent.mkdir(parents=True, exist_ok=True)
        made.rename(self.path / place)
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
        """Leave what lies at ``place`` as it is, whatever was made for it."""
        self.places.remove(place)


@contextmanager
def transaction(folder: Path) -> Iterator[Staging]:
    """Put new folders in place in ``folder`` together on success, none of them on failure.

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
    """Finish a transaction that was killed after it counted; remove what others left.

    The caller holds the lock of ``folder``.

    Raises
    ------
    OSError
        If the folder cannot be written.
    RetainError
        If what lies there was not left by a transaction.
    """
    if (folder / COMMIT).is_dir():
        _apply(folder)
    for left in folder.glob(f"{STAGING_PREFIX}*"):
        if left.is_symlink():
            left.unlink()
        else:
            shutil.rmtree(left)


def _write_journal(staging: Staging) -> None:
    """Record which folder, by its inode, belongs where: a rename keeps the inode."""
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
    """Put every folder of a commit that is not yet in place there; safe to repeat."""
    commit = folder / COMMIT
    for place, inode, immutable in _read_journal(folder):
        made, target = commit / place, folder / place
        if not made.is_dir() or (target.is_dir() and target.stat().st_ino == inode):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            made.rename(target)
        elif not immutable:
            exchange(made, target)
    shutil.rmtree(commit)


def _read_journal(folder: Path) -> list[tuple[str, int, bool]]:
    """Return the entries of a commit's journal; it may be somebody else's, so each is checked."""
    path = folder / COMMIT / JOURNAL
    if not path.exists():  # killed while it was being removed: all of it is in place
        return []
    try:
        entries = [
            (str(one["place"]), int(one["inode"]), bool(one["immutable"]))
            for one in read_json(path, max_bytes=JOURNAL_BYTES)
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
    """Return whether ``place`` stays in the folder, and no part of it is a link."""
    parts = Path(place).parts
    if not parts or Path(place).is_absolute() or ".." in parts:
        return False
    steps = [Path(*parts[: i + 1]) for i in range(len(parts))]
    roots = (folder, folder / COMMIT)
    return not any((root / step).is_symlink() for root in roots for step in steps)


def exchange(one: Path, other: Path) -> None:
    """Exchange the names of two folders, in one step where the system knows how.

    Elsewhere there is a moment at which ``other`` is not there.

    Raises
    ------
    OSError
        If the system refuses.
    """
    if not _try_exchange(one, other):
        aside = one.with_name(f"{one.name}.old")
        with suppress(FileNotFoundError):
            shutil.rmtree(aside)
        other.rename(aside)
        one.rename(other)
        shutil.rmtree(aside)


def _try_exchange(one: Path, other: Path) -> bool:
    """Exchange by ``renameat2``; False where the system or the file system does not know it."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    names = os.fsencode(one), os.fsencode(other)
    if renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), str(other))
