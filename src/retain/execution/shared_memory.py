"""Values shared by processes of ours: their arrays lie in a file that each of them maps.

A frame of 200,000 customers is read once and lies in memory once, whatever the number of workers.
The pickle travels through the pipe between two processes; the file holds arrays alone.
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
"""What to type for temporary files to lie elsewhere."""


@contextmanager
def launch_dir() -> Iterator[Path]:
    """A private folder for what the processes of a launch share; gone afterwards.

    A launch that was killed leaves its folder to the next one: who can lock a folder that is not
    its own knows that nobody uses it.

    Raises
    ------
    RetainError
        When no folder can be made.
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
            with suppress(FileNotFoundError, FileExistsError):  # who tidied up was quicker
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
    """Return whether a folder is one of ours whose launch may be over.

    One that has no lock file yet has just been made, unless its launch died at that moment.
    """
    seen = path.lstat()
    young = time.time() - seen.st_mtime < YOUNG_SECONDS and not (path / LOCK).exists()
    return seen.st_uid == os.getuid() and stat.S_ISDIR(seen.st_mode) and not young


ALIGNMENT_BYTES = 64
"""Arrays begin where freshly allocated ones might."""


@dataclass(frozen=True)
class SharedValue:
    """A read-only value for other processes.

    Attributes
    ----------
    path
        The file of its arrays.
    pickle_bytes
        All but the arrays.
    buffers
        Offset and size of each array in the file, in bytes.
    """

    path: Path
    pickle_bytes: bytes
    buffers: tuple[tuple[int, int], ...]

    def load(self) -> Any:
        """Return the value, the same object each time; its arrays are mapped and read-only."""
        return _load(self)


def share(value: Any, path: Path) -> SharedValue:
    """Write the arrays of ``value`` to ``path`` and return what other processes load it from.

    Raises
    ------
    RetainError
        When the file cannot be written.
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
        return pickle.loads(data, buffers=[b"" for _ in spans])  # noqa: S301 - our own
    with shared.path.open("rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    buffers = [mapped[start : start + size] for start, size in spans]
    return pickle.loads(data, buffers=buffers)  # noqa: S301 - came through our own pipe
