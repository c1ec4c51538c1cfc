"""How long a run may take and how much memory it may hold."""

from __future__ import annotations

import re
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

from retain.execution.worker import Worker
from retain.schema import Limits


def exceeded_limit(worker: Worker, limits: Limits, seconds_spent: float) -> str | None:
    """Why the run a worker has must be stopped, or None while it keeps to the limits.

    ``seconds_spent`` are the seconds that the run took before, in other legs of a race.
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
    """MiB that a process and its children hold, what they share counted in each."""
    import psutil

    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return float(sum(one.memory_info().rss for one in family)) / 2**20
    except psutil.NoSuchProcess:
        return 0.0


PROC_STATUS = Path("/proc/self/status")
PROC_CLEAR_REFS = Path("/proc/self/clear_refs")


def reset_peak_memory() -> None:
    """Count from now on, where the system can: a run does not answer for the one before."""
    with suppress(OSError):
        PROC_CLEAR_REFS.write_text("5")  # resets the peak of the resident set: proc(5)


def measure_peak_memory_mb() -> float:
    """The most memory this process has held since ``reset_peak_memory``, in MiB."""
    with suppress(OSError, AttributeError):
        found = re.search(r"VmHWM:\s+(\d+) kB", PROC_STATUS.read_text(encoding="ascii"))
        return round(int(found[1]) / 2**10, 1) if found else _measure_lifetime_peak_mb()
    return _measure_lifetime_peak_mb()


def _measure_lifetime_peak_mb() -> float:
    """The most this process has ever held; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)
