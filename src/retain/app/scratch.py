"""The temporary folder of one launch, and the removal of those whose launch was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "retain-launch-"


@contextmanager
def scratch() -> Iterator[Path]:
    """A private folder for what the processes of a launch share; gone afterwards.

    A launch that was killed leaves its folder to the next one: who can lock a folder that is not
    its own knows that nobody uses it.
    """
    _tidy()
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name:
        handle = os.open(name, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            os.close(handle)


def _tidy() -> None:
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            handle = os.open(path, os.O_RDONLY)
        except OSError:  # gone, or another user's
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(handle)
