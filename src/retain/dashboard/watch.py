"""The index kept up to date by a thread, so that no page waits for a disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from retain.dashboard.index import OutputsIndex, OutputsReader

LEAST_SECONDS = 1.0
"""Between two looks at the folder."""
REST = 10
"""Rest of the thread after a look, in times of the look: it takes less than a tenth of a core."""


class OutputsWatch:
    """A thread that reads the outputs again and again while the context is open.

    Attributes
    ----------
    index
        What was read last.
    """

    def __init__(self, outputs: Path) -> None:
        self._reader = OutputsReader(outputs)
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="outputs", daemon=True)
        self.index = OutputsIndex(0, ())

    def read(self, on_run: Callable[[int], None] = lambda _: None) -> None:
        """Read the outputs now; ``on_run`` is called with the number of runs so far."""
        self.index = self._reader.read(on_run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the thread, and the answers that tell what it finds."""
        self._is_closed.set()

    @property
    def is_closed(self) -> bool:
        """True if it has ended."""
        return self._is_closed.is_set()

    def _watch(self) -> None:
        rest = LEAST_SECONDS
        while not self._is_closed.wait(rest):
            begun = time.monotonic()
            self.read()
            rest = max(LEAST_SECONDS, REST * (time.monotonic() - begun))
