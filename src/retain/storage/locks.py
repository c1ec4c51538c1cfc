"""Locks between processes, which are released when a process ends, however it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

LOCK_FILE_MODE = 0o666
"""Permissions of a new lock file before the umask: every user of the folder may lock it."""


@contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Lock the file at ``path`` if it is free; yield whether it is locked by this process.

    Raises
    ------
    OSError
        If the file can neither be created nor opened, or is a link.
    """
    lock = FileLock(path, mode=LOCK_FILE_MODE)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def is_locked(path: Path) -> bool:
    """Return whether a process has locked the file at ``path``; False if there is no file."""
    if not path.is_file():
        return False
    try:
        with try_lock(path) as mine:
            return not mine
    except OSError:  # no process can work in a folder that cannot be written
        return False


@contextmanager
def wait_for_lock(path: Path, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Lock the file at ``path``, and wait as long as another process holds it.

    Parameters
    ----------
    on_wait
        Called once before waiting.

    Raises
    ------
    OSError
        If the file can neither be created nor opened, or is a link.
    """
    with try_lock(path) as is_free:
        if is_free:
            yield
            return
    on_wait()
    with FileLock(path, mode=LOCK_FILE_MODE):
        yield
