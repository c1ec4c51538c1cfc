"""One job in a process of its own, for a process that keeps light. Imports nothing heavy."""

from __future__ import annotations

from typing import Any

from retain.app.workers import Died, Job, Worker
from retain.errors import RetainError


def apart(job: Job, *arguments: Any, does: str) -> Any:
    """What a job comes to, done by a process that ends with it.

    It gives the memory back that the job took, and this one need not import what it needs, which
    the server that workers are forked from did meanwhile.

    Raises
    ------
    RetainError
        When the job refuses its arguments, or costs the process its life; ``does`` tells what it
        was at.
    """
    worker = Worker()
    try:
        worker.begin(job, *arguments)
        return worker.end()
    except Died as death:
        raise RetainError(f"the process that {does} died: {death}.") from None
    finally:
        worker.stop(at_once=True)
