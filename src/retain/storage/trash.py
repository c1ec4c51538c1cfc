"""Removal in two steps: a thing is renamed into a trash folder, and deleted there.

Renaming is one step. So whoever reads meanwhile, or after a kill, finds a thing whole or not at
all; a trash folder that a killed process left is emptied by the next one. Things lie two levels
deep in it, where nobody looks for a study.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path, PurePath

TRASH = ".retain-trash"
_OWN = re.compile("[0-9a-f]{12}")
_TAKEN = re.compile("[0-9]+")


def find_left(folder: Path) -> list[Path]:
    """Return what processes that were killed left in the trash of a folder; nobody else's things.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    trash = folder / TRASH
    if trash.is_symlink() or not trash.is_dir():
        return []
    named = (path for path in sorted(trash.iterdir()) if _OWN.fullmatch(path.name))
    return [path for path in named if _is_own(path)]


def _is_own(path: Path) -> bool:
    if path.is_symlink() or not path.is_dir():
        return False
    return all(_TAKEN.fullmatch(one.name) for one in path.iterdir())


class Trash:
    """The trash folder of a folder, on the same disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own = folder / TRASH / secrets.token_hex(6)
        self._n_taken = 0

    def make(self) -> None:
        """Make the trash folder.

        Raises
        ------
        OSError
            If it cannot be made, or is no folder.
        """
        trash = self._own.parent
        if trash.is_symlink() or (trash.exists() and not trash.is_dir()):
            raise NotADirectoryError(errno.ENOTDIR, "it is no folder", str(trash))
        trash.mkdir(exist_ok=True)
        self._own.mkdir()

    def take(self, path: PurePath) -> None:
        """Rename what is at a path within the folder into the trash; no folder on it may be a link.

        Raises
        ------
        OSError
            If it is gone, on another disk, reached through a link, or must not be moved.
        """
        _rename(self._folder, path, self._own / str(self._n_taken))
        self._n_taken += 1

    def empty(self) -> None:
        """Delete what was taken and what earlier processes left, and the folder if it is empty.

        Raises
        ------
        OSError
            If something must not be deleted.
        """
        for path in find_left(self._folder):
            try:
                shutil.rmtree(path)
            except RecursionError:  # folders in folders in folders, which retain did not write
                why = os.strerror(errno.ENAMETOOLONG)
                raise OSError(errno.ENAMETOOLONG, why, str(path)) from None
        with suppress(OSError):
            self._own.parent.rmdir()


def _rename(folder: Path, path: PurePath, target: Path) -> None:
    """Rename ``folder / path``; each folder is opened from the one above, so none can be swapped.

    Where a system cannot do so, links are looked for first.
    """
    *above, name = path.parts
    if not hasattr(os, "O_NOFOLLOW"):
        steps = [folder.joinpath(*above[: n + 1]) for n in range(len(above))]
        for step in steps:
            if step.is_symlink():
                raise NotADirectoryError(errno.ENOTDIR, "it is a link", str(step))
        (folder / path).rename(target)
        return
    with ExitStack() as stack:
        flags = os.O_RDONLY | os.O_DIRECTORY
        handle = os.open(folder, flags)
        stack.callback(os.close, handle)
        for part in above:
            handle = os.open(part, flags | os.O_NOFOLLOW, dir_fd=handle)
            stack.callback(os.close, handle)
        os.rename(name, target, src_dir_fd=handle)
