"""How long a run may take and how much memory it may hold."""

from __future__ import annotations

import time

from retain.app.workers import Worker
from retain.schema import Limits


def beyond(worker: Worker, limits: Limits, spent: float) -> str | None:
    """Why the run a worker has must be stopped, or None while it keeps to the limits.

    ``spent`` are the seconds that the run took before, in other legs of a race.
    """
    seconds = spent + time.monotonic() - worker.since
    if limits.seconds is not None and seconds > limits.seconds:
        return f"stopped after {seconds:.1f} s: limits.seconds is {limits.seconds:g}"
    if limits.memory_mb is None or worker.process is None:
        return None
    held = resident_mb(worker.process.pid)
    if held <= limits.memory_mb:
        return None
    return f"stopped at {held:,.0f} MiB of memory: limits.memory_mb is {limits.memory_mb:g}"


def resident_mb(pid: int | None) -> float:
    """MiB that a process and its children hold, what they share counted in each."""
    import psutil

    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return float(sum(one.memory_info().rss for one in family)) / 2**20
    except psutil.NoSuchProcess:
        return 0.0
