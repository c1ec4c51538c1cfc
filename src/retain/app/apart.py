"""One job in a process of its own, for a process that keeps light. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from retain.app.workers import Died, Job, Worker
from retain.errors import RetainError


@contextmanager
def apart(job: Job, *arguments: Any, does: str) -> Iterator[Callable[[], Any]]:
    """A call that waits for what a job comes to, done meanwhile by a process that ends with it.

    The process gives the memory back that the job took, and this one need not import what it
    needs, which the server that workers are forked from did in its time.

    Raises
    ------
    RetainError
        When the job refuses its arguments, or costs the process its life; ``does`` tells what it
        was at.
    """
    worker = Worker()

    def ended() -> Any:
        try:
            return worker.end()
        except Died as death:
            raise RetainError(f"the process that {does} died: {death}.") from None

    try:
        worker.begin(job, *arguments)
        yield ended
    finally:
        worker.stop(at_once=True)
