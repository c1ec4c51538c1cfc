"""The temporary folder of one launch, and the removal of those whose launch was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retain.errors import RetainError

PREFIX = "retain-launch-"
ELSEWHERE = "export TMPDIR=FOLDER"
"""What to type for temporary files to lie elsewhere."""


@contextmanager
def scratch() -> Iterator[Path]:
    """A private folder for what the processes of a launch share; gone afterwards.

    A launch that was killed leaves its folder to the next one: who can lock a folder that is not
    its own knows that nobody uses it.

    Raises
    ------
    RetainError
        When no folder can be made.
    """
    _tidy()
    path, handle = _made()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(handle)


def _made() -> tuple[Path, int]:
    """A new folder and the open handle that holds its lock."""
    while True:
        try:
            path = Path(tempfile.mkdtemp(prefix=PREFIX))
        except OSError as error:
            folder = os.environ.get("TMPDIR", "the temporary folder")
            raise RetainError.unwritable(folder, error, ELSEWHERE) from None
        handle = _locked(path)
        if handle is not None:
            return path, handle


def _locked(path: Path) -> int | None:
    """A handle that holds the folder's lock, or None where it is gone or another's."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # gone, or another user's
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.stat()  # who tidied up may have been quicker
    except (BlockingIOError, FileNotFoundError):
        os.close(handle)
        return None
    return handle


def _tidy() -> None:
    """Remove the folders of launches that were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        handle = _locked(path)
        if handle is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(handle)
