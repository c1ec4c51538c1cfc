"""One job in a process of its own, for a process that keeps light. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from retain.app.hands import Hands
from retain.app.workers import Job


@contextmanager
def apart(job: Job, *arguments: Any, does: str) -> Iterator[Callable[[], Any]]:
    """A call that waits for what a job comes to, done meanwhile by a process that ends with it.

    Raises
    ------
    RetainError
        When the job refuses its arguments, or costs the process its life; ``does`` tells what it
        was at.
    """
    with Hands(1) as hands:
        yield hands.give(job, *arguments, does=does).outcome
