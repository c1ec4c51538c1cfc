"""Limits on the time and memory of a run, and measuring its memory."""

from __future__ import annotations

import re
import sys
import time
from contextlib import suppress
from pathlib import Path

from retain.execution.worker import Worker
from retain.schema.run import Limits


def exceeded_limit(worker: Worker, limits: Limits, seconds_spent: float) -> str | None:
    """Return the reason to stop a worker's run, None while it is within the limits.

    ``seconds_spent`` is the time of the run's earlier rungs.
    """
    seconds = seconds_spent + time.monotonic() - worker.monotonic_start
    if limits.seconds is not None and seconds > limits.seconds:
        return f"stopped after {seconds:.1f} s: limits.seconds is {limits.seconds:g}"
    if limits.memory_mb is None or worker.process is None:
        return None
    held = measure_resident_mb(worker.process.pid)
    if held <= limits.memory_mb:
        return None
    return f"stopped at {held:,.0f} MiB of memory: limits.memory_mb is {limits.memory_mb:g}"


def measure_resident_mb(pid: int | None) -> float:
    """Return the resident memory of a process and its children; shared pages count in each."""
    import psutil

    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return float(sum(member.memory_info().rss for member in family)) / 2**20
    except psutil.NoSuchProcess:
        return 0.0


PROC_STATUS = Path("/proc/self/status")
PROC_CLEAR_REFS = Path("/proc/self/clear_refs")


def reset_peak_memory() -> None:
    """Reset the peak where the system can, so that a run does not count the one before it."""
    with suppress(OSError):
        PROC_CLEAR_REFS.write_text("5")  # resets the peak of the resident set: proc(5)


def measure_peak_memory_mb() -> float:
    """Return the peak memory (MiB) of this process since ``reset_peak_memory``."""
    with suppress(OSError, AttributeError):
        match = re.search(r"VmHWM:\s+(\d+) kB", PROC_STATUS.read_text(encoding="ascii"))
        return round(int(match[1]) / 2**10, 1) if match else _measure_lifetime_peak_mb()
    return _measure_lifetime_peak_mb()


def _measure_lifetime_peak_mb() -> float:
    """Return the peak memory (MiB) of this process; Linux counts in KiB, others in bytes."""
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        memory = psutil.Process().memory_info()
        return round(getattr(memory, "peak_wset", memory.rss) / 2**20, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)
