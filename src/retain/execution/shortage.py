"""Memory and disks that run out, in whatever words a library says so."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from retain.errors import FULL, NO_MEMORY, RetainError

MEMORY_WORDS = (
    "bad_alloc",
    "bad allocation",
    "cannot allocate memory",
    "can't allocate",
    "can't start new thread",
    "could not allocate",
    "failed to allocate",
    "failed to map segment",
    "malloc of size",
    "out of memory",
    "unable to allocate",
)
"""What libraries say, in small letters, where memory runs out and the error is their own."""
DISK_WORDS = {
    "no space left on device": errno.ENOSPC,
    "disk is full": errno.ENOSPC,
    "disk quota exceeded": errno.EDQUOT,
    "file too large": errno.EFBIG,
}
LESS_MEMORY = {
    "run": "Fit one run at a time: workers=1; of a purchase log let the engine take less: "
    "data.memory_limit=500MB. Else read fewer customers, or allow this command more memory",
    "compare": "Have one worker: workers=1; look for reasons without new fits: explain=fast. "
    "Else allow this command more memory",
    "score": "Score fewer customers at a time: rows=10000. Else allow this command more memory",
    "readout": "Draw fewer resamples: resamples=200. Else allow this command more memory",
}
"""What to type where memory ran out, for each command."""
LONGEST = 200
"""Characters of a library's words that are repeated."""


def describe_shortage(error: BaseException, primary: str) -> RetainError | None:
    """Return what to do about memory or a disk that ran out; None where neither did.

    Parameters
    ----------
    primary
        The command's config, which says what can be typed.
    """
    if (cause := find_memory_shortage(error)) is not None:
        return RetainError(f"memory ran out ({_words(cause)}). {LESS_MEMORY[primary]}.")
    for one in _chain(error):
        if (number := _disk_error(one)) is not None:
            return _describe_full(one, number)
    return None


def find_memory_shortage(error: BaseException) -> BaseException | None:
    """Return which of an error and its causes says that memory ran out, if one does."""
    return next((one for one in _chain(error) if _is_memory(one)), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what led to it, from the last to the first."""
    seen: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in seen:
        yield one
        seen.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _is_memory(error: BaseException) -> bool:
    if isinstance(error, RetainError):
        return False
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in NO_MEMORY
    said = _message(error).casefold()
    return any(words in said for words in MEMORY_WORDS)


def _disk_error(error: BaseException) -> int | None:
    """The system's number of an error that says there is no room."""
    if isinstance(error, RetainError):
        return None
    if isinstance(error, OSError) and error.errno in FULL:
        return error.errno
    said = _message(error).casefold()
    return next((number for words, number in DISK_WORDS.items() if words in said), None)


def _describe_full(error: BaseException, number: int) -> RetainError:
    where = error.filename if isinstance(error, OSError) else None
    what = "a file, of the outputs or in the temporary folder," if where is None else where
    if number == errno.EFBIG:
        mend = "Allow larger files (ulimit -f)"
    else:
        mend = "Free some space there, or have temporary files elsewhere: export TMPDIR=FOLDER"
    return RetainError(f"{what} cannot be written: {os.strerror(number)}. {mend}.")


def _message(error: BaseException) -> str:
    """What an error says; of a worker's traceback the last line."""
    said = str(error).strip()
    return said.splitlines()[-1] if said.startswith("Traceback ") else said


def _words(error: BaseException) -> str:
    said = " ".join(_message(error).split()) or type(error).__name__
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}…"
