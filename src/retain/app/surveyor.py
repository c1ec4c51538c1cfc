"""A survey in a process of its own, for processes that keep light. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from retain.app.seen import Surveyed
from retain.app.workers import Died, Worker
from retain.errors import RetainError
from retain.schema import Run


def surveyed(runs: Sequence[Run], file: Path) -> Surveyed:
    """What was seen for the runs, the customers handed over by ``file``.

    The process gives the memory back that reading took, and this one need not import what it does.

    Raises
    ------
    RetainError
        When a config or data are refused, or reading them costs the process its life.
    """
    surveyor = Worker()
    try:
        surveyor.begin("survey", runs, file)
        seen: Surveyed = surveyor.end()
    except Died as death:
        raise RetainError(f"the process that reads the data died: {death}.") from None
    finally:
        surveyor.stop(at_once=True)
    return seen
