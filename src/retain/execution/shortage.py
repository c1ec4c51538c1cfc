"""Errors that mean that memory or a disk is full, whichever library raises them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from retain.errors import DISK_FULL_ERRORS, NO_MEMORY, RetainError

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
"""Lower-case parts of libraries' own messages about memory."""
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
    "simulate": "Allow this command more memory",
    "verify": "Allow this command more memory",
    "clean": "Allow this command more memory",
    "dashboard": "Name a folder with fewer runs. Else allow this command more memory",
}
"""Advice for each command when memory runs out."""
MAX_MESSAGE_CHARS = 200
"""Longest part of a library's message that is quoted."""


def describe_shortage(error: BaseException, primary: str) -> RetainError | None:
    """Return an error with advice if memory or a disk ran out, else None.

    ``primary`` is the name of the command's config.
    """
    if (cause := find_memory_shortage(error)) is not None:
        return RetainError(f"memory ran out ({_quote_message(cause)}). {LESS_MEMORY[primary]}.")
    for cause in _iter_causes(error):
        if (number := _disk_errno(cause)) is not None:
            return _describe_full(cause, number)
    return None


def find_memory_shortage(error: BaseException) -> BaseException | None:
    """Return the first of an error and its causes that says that memory ran out."""
    return next(filter(_is_memory_error, _iter_causes(error)), None)


def _iter_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, from the last to the first."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        yield cause
        seen.append(cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _is_memory_error(error: BaseException) -> bool:
    if isinstance(error, RetainError):
        return False
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in NO_MEMORY
    message = _last_message(error).casefold()
    return any(words in message for words in MEMORY_WORDS)


def _disk_errno(error: BaseException) -> int | None:
    """Return the ``errno`` of an error that says that a disk is full, else None."""
    if isinstance(error, RetainError):
        return None
    if isinstance(error, OSError) and error.errno in DISK_FULL_ERRORS:
        return error.errno
    message = _last_message(error).casefold()
    return next((number for words, number in DISK_WORDS.items() if words in message), None)


def _describe_full(error: BaseException, number: int) -> RetainError:
    filename = error.filename if isinstance(error, OSError) else None
    if filename is None:
        filename = "a file, of the outputs or in the temporary folder,"
    if number == errno.EFBIG:
        advice = "Allow larger files (ulimit -f)"
    else:
        advice = "Free some space there, or have temporary files elsewhere: export TMPDIR=FOLDER"
    return RetainError(f"{filename} cannot be written: {os.strerror(number)}. {advice}.")


def _last_message(error: BaseException) -> str:
    """Return the message of an error, or the last line of a worker's traceback."""
    text = str(error).strip()
    return text.splitlines()[-1] if text.startswith("Traceback ") else text


def _quote_message(error: BaseException) -> str:
    text = " ".join(_last_message(error).split()) or type(error).__name__
    return text if len(text) <= MAX_MESSAGE_CHARS else f"{text[:MAX_MESSAGE_CHARS]}…"
