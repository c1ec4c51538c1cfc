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


def exceeded_limit(worker: Worker, limits: Limits, spent: float) -> str | None:
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


STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


def reset_peak_memory() -> None:
    """Count from now on, where the system can: a run does not answer for the one before."""
    with suppress(OSError):
        CLEAR.write_text("5")  # resets the peak of the resident set: proc(5)


def peak_memory_mb() -> float:
    """The most memory this process has held since ``reset_peak_memory``, in MiB."""
    with suppress(OSError, AttributeError):
        found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text(encoding="ascii"))
        return round(int(found[1]) / 2**10, 1) if found else _since_start()
    return _since_start()


def _since_start() -> float:
    """The most this process has ever held; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)
