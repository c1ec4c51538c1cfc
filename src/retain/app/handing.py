"""Values handed from one process of ours to another, their arrays in a file both map.

A frame of 200,000 customers is read once and lies in memory once, whatever the number of workers.
The head travels through the pipe between the two processes; the file holds arrays alone.
"""

from __future__ import annotations

import mmap
import pickle
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from retain.app.scratch import ELSEWHERE
from retain.errors import RetainError

ALIGNMENT = 64
"""Bytes; arrays begin where freshly allocated ones might."""


@dataclass(frozen=True)
class Handed:
    """A value on its way: what is small as ``head``, arrays as spans of the file at ``path``."""

    path: Path
    head: bytes
    spans: tuple[tuple[int, int], ...]

    def taken(self) -> Any:
        """The value; its arrays are read-only and shared. The same object each time."""
        return _taken(self)


def hand(value: Any, path: Path) -> Handed:
    """``value`` with its arrays written to ``path``.

    Raises
    ------
    RetainError
        When the file cannot be written.
    """
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    try:
        spans = _written(buffers, path)
    except OSError as error:
        raise RetainError.unwritable(path.parent, error, ELSEWHERE) from None
    return Handed(path, head, tuple(spans))


def _written(buffers: list[pickle.PickleBuffer], path: Path) -> list[tuple[int, int]]:
    """The spans that arrays take in the file they are written to."""
    spans = []
    with path.open("wb") as file:
        for buffer in buffers:
            file.write(b"\0" * (-file.tell() % ALIGNMENT))
            with buffer.raw() as raw:
                spans.append((file.tell(), raw.nbytes))
                file.write(raw)
    return spans


@lru_cache(maxsize=8)
def _taken(handed: Handed) -> Any:
    if not handed.spans or not handed.path.stat().st_size:
        return pickle.loads(handed.head, buffers=[b"" for _ in handed.spans])  # noqa: S301 - our own
    with handed.path.open("rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    buffers = [mapped[start : start + size] for start, size in handed.spans]
    return pickle.loads(handed.head, buffers=buffers)  # noqa: S301 - came through our own pipe
