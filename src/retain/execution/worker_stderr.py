"""What worker processes write to standard error: held back, and the last of it kept for a log.

A worker tells its errors through its pipe. Beside them libraries, and an interpreter that finds
no memory to start, would write straight to the terminal. ``RETAIN_DEBUG=1`` lets them.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK_BYTES = 4096
MAX_CHUNKS = 8
STDERR_FD = 2
"""The descriptor of standard error."""


class StderrTail:
    """The last that was written to a pipe."""

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque(maxlen=MAX_CHUNKS)
        self._read, self.write_end = os.pipe()
        threading.Thread(target=self._listen, name="worker-errors", daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while chunk := os.read(self._read, CHUNK_BYTES):
                self._chunks.append(chunk)

    def read(self) -> str:
        """Return it."""
        return b"".join(self._chunks).decode(errors="replace")


_tail: list[StderrTail] = []


def read_worker_stderr() -> str:
    """Return the last that workers of this process wrote to standard error."""
    return _tail[0].read() if _tail else ""


@contextmanager
def capture_stderr() -> Iterator[None]:
    """Have processes that are started meanwhile, and those they fork, write their errors here."""
    if os.environ.get("RETAIN_DEBUG") == "1":
        yield
        return
    if not _tail:
        _tail.append(StderrTail())
    before = os.dup(STDERR_FD)
    try:
        os.dup2(_tail[0].write_end, STDERR_FD)
        yield
    finally:
        os.dup2(before, STDERR_FD)
        os.close(before)
