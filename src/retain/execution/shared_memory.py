"""Values shared by the processes of a launch: each maps their arrays from one file.

A frame of 200,000 customers is read once and is in memory once, whatever the number of workers.
The pickle goes through the pipe between two processes; the file holds only the arrays.
"""

from __future__ import annotations

import mmap
import os
import pickle
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from retain.errors import RetainError
from retain.storage.locks import try_lock

PREFIX = "retain-scratch-"
LOCK = ".lock"
YOUNG_SECONDS = 60.0
TMPDIR_HINT = "export TMPDIR=FOLDER"
"""The command that moves temporary files."""


@contextmanager
def launch_dir() -> Iterator[Path]:
    """Make a private temporary folder for a launch, and remove it afterwards.

    Folders of launches that were killed are removed too: their lock is free.

    Raises
    ------
    RetainError
        If no folder can be made.
    """
    _remove_dead_dirs()
    with ExitStack() as stack:
        path = _make_dir(stack)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def _make_dir(stack: ExitStack) -> Path:
    """Make a new folder and hold its lock as long as ``stack`` is open."""
    while True:
        try:
            path = Path(tempfile.mkdtemp(prefix=PREFIX))
            with suppress(FileNotFoundError, FileExistsError):  # another launch removed it
                if stack.enter_context(try_lock(path / LOCK)) and (path / LOCK).is_file():
                    return path
        except OSError as error:
            folder = os.environ.get("TMPDIR", "the temporary folder")
            raise RetainError.unwritable(folder, error, TMPDIR_HINT) from None


def _remove_dead_dirs() -> None:
    """Remove the folders of launches that were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # gone meanwhile, or another user's
            if _may_be_abandoned(path):
                with try_lock(path / LOCK) as mine:
                    if mine:
                        shutil.rmtree(path, ignore_errors=True)


def _may_be_abandoned(path: Path) -> bool:
    """Return whether a folder belongs to this user and its launch may be over.

    A new folder has no lock file yet.
    """
    found = path.lstat()
    is_new = time.time() - found.st_mtime < YOUNG_SECONDS and not (path / LOCK).exists()
    is_own = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return is_own and stat.S_ISDIR(found.st_mode) and not is_new


ALIGNMENT_BYTES = 64
"""Alignment of arrays in the file, as of newly allocated ones."""


@dataclass(frozen=True)
class SharedValue:
    """A read-only value for other processes.

    Attributes
    ----------
    path
        The file of its arrays.
    pickle_bytes
        The pickled value without its arrays.
    buffers
        Offset and size of each array in the file, in bytes.
    """

    path: Path
    pickle_bytes: bytes
    buffers: tuple[tuple[int, int], ...]

    def load(self) -> Any:
        """Return the value, the same object each time; its arrays are read-only."""
        return _load(self)


def share(value: Any, path: Path) -> SharedValue:
    """Write the arrays of ``value`` to ``path`` and return a handle for other processes.

    Raises
    ------
    RetainError
        If the file cannot be written.
    """
    buffers: list[pickle.PickleBuffer] = []
    pickle_bytes = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    try:
        spans = _write_buffers(buffers, path)
    except OSError as error:
        raise RetainError.unwritable(path.parent, error, TMPDIR_HINT) from None
    return SharedValue(path, pickle_bytes, tuple(spans))


def _write_buffers(buffers: list[pickle.PickleBuffer], path: Path) -> list[tuple[int, int]]:
    """Write buffers one after another and return the offset and size of each."""
    spans = []
    with path.open("wb") as file:
        for buffer in buffers:
            file.write(b"\0" * (-file.tell() % ALIGNMENT_BYTES))
            with buffer.raw() as raw:
                spans.append((file.tell(), raw.nbytes))
                file.write(raw)
    return spans


@lru_cache(maxsize=8)
def _load(shared: SharedValue) -> Any:
    data, spans = shared.pickle_bytes, shared.buffers
    if not spans or not shared.path.stat().st_size:
        return pickle.loads(data, buffers=[b"" for _ in spans])  # noqa: S301 - from our own pipe
    with shared.path.open("rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    buffers = [mapped[start : start + size] for start, size in spans]
    return pickle.loads(data, buffers=buffers)  # noqa: S301 - from our own pipe
