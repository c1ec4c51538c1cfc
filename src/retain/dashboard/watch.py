"""Folders kept up to date by threads, so that no page waits for a disk."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Self

from retain.dashboard.index import OutputsIndex, OutputsReader

LEAST_SECONDS = 1.0
"""Between two looks at a folder."""
REST = 10
"""Rest of a thread after a look, in times of the look: it takes less than a tenth of a core."""


class FolderWatch(ABC):
    """A thread that looks at folders again and again while the context is open."""

    def __init__(self, name: str) -> None:
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=name, daemon=True)

    @abstractmethod
    def look(self) -> None:
        """Take in what the folders hold now."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the thread after its look, and the answers that tell what it finds."""
        self._is_closed.set()

    @property
    def is_closed(self) -> bool:
        """True if it has ended."""
        return self._is_closed.is_set()

    def _watch(self) -> None:
        rest = 0.0
        while not self._is_closed.wait(rest):
            begun = time.monotonic()
            self.look()
            rest = max(LEAST_SECONDS, REST * (time.monotonic() - begun))


class OutputsWatch(FolderWatch):
    """The index of a folder of outputs, as it was read last."""

    def __init__(self, outputs: Path) -> None:
        super().__init__("outputs")
        self._reader = OutputsReader(outputs)
        self.index = OutputsIndex(0, ())

    def read(self, on_run: Callable[[int], None] = lambda _: None) -> None:
        """Read the outputs now; ``on_run`` is called with the number of runs so far."""
        self.index = self._reader.read(on_run)

    def look(self) -> None:
        """Read the outputs now."""
        self.read()
