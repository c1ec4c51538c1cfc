"""How worker processes start: their environment, and how long a start may take."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver

START_TIMEOUT_SECONDS = 120.0


@contextmanager
def start_timeout(seconds: float = START_TIMEOUT_SECONDS) -> Iterator[None]:
    """Kill the server when what is done meanwhile takes too long.

    Raises
    ------
    MemoryError
        When that was done.
    """
    late = threading.Event()

    def end() -> None:
        late.set()
        server: int | None = vars(vars(forkserver)["_forkserver"])["_forkserver_pid"]
        if server is not None:
            with suppress(ProcessLookupError):
                os.kill(server, signal.SIGKILL)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (EOFError, OSError):
        if late.is_set():
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
"""Large arrays go back to the system when they are freed. glibc would raise the first of these
thresholds by itself, and keep what a heavy run took for as long as its worker lives."""
SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""Python started with ``-c`` or ``-m`` would import files of the current folder before its own."""


@contextmanager
def single_threaded_env() -> Iterator[None]:
    """An environment in which libraries start with one compute thread and give memory back.

    The current folder is on no module search path in it, unless the user's PYTHONPATH says so.
    Set before they are imported, since each thread pool of the server would be lost in a fork;
    a run then asks for as many threads as its config says.
    """
    wanted = dict.fromkeys(THREAD_VARIABLES, "1") | MALLOC_SETTINGS | SAFE_PATH
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
