"""The start of worker processes: their environment, a time limit, sockets and standard error."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.util import get_temp_dir
from types import ModuleType

from retain.execution.process_group import START_METHOD

START_TIMEOUT_SECONDS = 120.0
MAX_TEMP_PATH_BYTES = 70
"""Longest path of a temporary folder; sockets in it add 36 bytes, and the system allows 107."""


@contextmanager
def start_timeout(seconds: float = START_TIMEOUT_SECONDS) -> Iterator[None]:
    """Kill the fork server, if there is one, when the body of the context takes too long.

    Raises
    ------
    MemoryError
        If the server was killed.
    """
    timed_out = threading.Event()

    def kill_server() -> None:
        timed_out.set()
        from multiprocessing import forkserver

        server: int | None = vars(vars(forkserver)["_forkserver"])["_forkserver_pid"]
        if server is not None:
            with suppress(ProcessLookupError):
                os.kill(server, signal.SIGKILL)

    if START_METHOD != "forkserver":
        yield
        return
    timer = threading.Timer(seconds, kill_server)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (EOFError, OSError):
        if timed_out.is_set():
            message = f"worker processes did not start in {seconds:g} seconds"
            raise MemoryError(message) from None
        raise
    finally:
        timer.cancel()


THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
MALLOC_SETTINGS = {
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
"""Settings that return large arrays to the system when they are freed. By default glibc raises the
first threshold itself, and a worker keeps the memory of its heaviest run until it ends."""
SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""Python started with ``-c`` or ``-m`` would import files of the current folder before its own."""


@contextmanager
def single_threaded_env() -> Iterator[None]:
    """Set an environment in which libraries start with one compute thread and release memory.

    It also keeps the current folder off the module search path, unless the user's PYTHONPATH names
    it. Set before the libraries are imported, since the thread pools of the server would be lost
    in a fork; each run then sets the number of threads that its config says.
    """
    settings = dict.fromkeys(THREAD_VARIABLES, "1") | MALLOC_SETTINGS | SAFE_PATH
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


CHUNK_BYTES = 4096
MAX_CHUNKS = 8
STDERR_FD = 2


class StderrTail:
    """The last bytes written to a pipe.

    Workers report errors through their own pipes. Libraries, and an interpreter that finds no
    memory to start, would still write to the terminal.
    """

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque(maxlen=MAX_CHUNKS)
        self._read_end, self.write_end = os.pipe()
        threading.Thread(target=self._listen, name="worker-errors", daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while chunk := os.read(self._read_end, CHUNK_BYTES):
                self._chunks.append(chunk)

    def read(self) -> str:
        """Return the last bytes as text."""
        return b"".join(self._chunks).decode(errors="replace")


_tail: list[StderrTail] = []


def read_worker_stderr() -> str:
    """Return the last text that workers of this process wrote to standard error."""
    return _tail[0].read() if _tail else ""


@contextmanager
def capture_stderr() -> Iterator[None]:
    """Capture standard error of processes started in the context; ``RETAIN_DEBUG=1`` does not."""
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


@contextmanager
def hidden_main() -> Iterator[None]:
    """Hide the launching script from processes started in the context, which would run it again.

    Workers need nothing of it, and a script without ``if __name__ == "__main__"`` would sweep anew
    in each of them.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def shorten_socket_paths() -> None:
    """Make multiprocessing put its sockets where their path is short enough for the system."""
    if len(os.fsencode(tempfile.gettempdir())) > MAX_TEMP_PATH_BYTES:
        before, tempfile.tempdir = tempfile.tempdir, "/tmp"  # noqa: S108 - a private folder in it
        try:
            get_temp_dir()  # multiprocessing keeps the folder from now on
        finally:
            tempfile.tempdir = before
