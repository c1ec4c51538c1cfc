"""A limit on how long the server of workers may keep a start waiting.

Where memory is short, OpenBLAS asks for it in an endless loop while the server imports it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver

START_SECONDS = 120.0


@contextmanager
def limited_start(seconds: float = START_SECONDS) -> Iterator[None]:
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
            told = f"worker processes did not start in {seconds:g} seconds"
            raise MemoryError(told) from None
        raise
    finally:
        timer.cancel()
