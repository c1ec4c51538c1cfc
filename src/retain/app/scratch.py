"""The temporary folder of one launch, and the removal of those whose launch was killed."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from retain.errors import RetainError
from retain.storage.locks import try_lock

PREFIX = "retain-scratch-"
LOCK = ".lock"
YOUNG_SECONDS = 60.0
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
    with ExitStack() as stack:
        path = _made(stack)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def _made(stack: ExitStack) -> Path:
    """Make a new folder and hold its lock as long as ``stack`` is open."""
    while True:
        try:
            path = Path(tempfile.mkdtemp(prefix=PREFIX))
            with suppress(FileNotFoundError, FileExistsError):  # who tidied up was quicker
                if stack.enter_context(try_lock(path / LOCK)) and (path / LOCK).is_file():
                    return path
        except OSError as error:
            folder = os.environ.get("TMPDIR", "the temporary folder")
            raise RetainError.unwritable(folder, error, ELSEWHERE) from None


def _tidy() -> None:
    """Remove the folders of launches that were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # gone meanwhile, or another user's
            if _may_be_left(path):
                with try_lock(path / LOCK) as mine:
                    if mine:
                        shutil.rmtree(path, ignore_errors=True)


def _may_be_left(path: Path) -> bool:
    """Return whether a folder is one of ours whose launch may be over.

    One that has no lock file yet has just been made, unless its launch died at that moment.
    """
    seen = path.lstat()
    young = time.time() - seen.st_mtime < YOUNG_SECONDS and not (path / LOCK).exists()
    return seen.st_uid == os.getuid() and stat.S_ISDIR(seen.st_mode) and not young
