"""Locks between processes: who holds one lets go of it when its process ends, however it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

LOCK_FILE_MODE = 0o666
"""Permissions of a new lock file before the umask: whoever may write the folder may lock it."""


@contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Hold the lock file at ``path`` if nobody else does; yield whether it is held.

    Raises
    ------
    OSError
        If the file can neither be made nor opened, or is a link.
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
    """Return whether some process holds the lock file at ``path``; False where there is none."""
    if not path.is_file():
        return False
    try:
        with try_lock(path) as mine:
            return not mine
    except OSError:  # a folder that cannot be written is no folder of a process at work
        return False


@contextmanager
def wait_for_lock(path: Path, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock file at ``path``, waiting as long as another process does.

    Parameters
    ----------
    on_wait
        Called once before waiting.

    Raises
    ------
    OSError
        If the file can neither be made nor opened, or is a link.
    """
    lock = FileLock(path, mode=LOCK_FILE_MODE)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        on_wait()
        lock.acquire(blocking=True)
    try:
        yield
    finally:
        lock.release()
