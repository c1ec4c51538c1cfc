"""How much memory a run held, in a process that does many runs."""

from __future__ import annotations

import re
import resource
import sys
from contextlib import suppress
from pathlib import Path

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


def forget_peak() -> None:
    """Count from now on, where the system can: a run does not answer for the one before."""
    with suppress(OSError):
        CLEAR.write_text("5")  # resets the peak of the resident set: proc(5)


def peak_memory_mb() -> float:
    """The most memory this process has held since ``forget_peak``, in MiB."""
    with suppress(OSError, AttributeError):
        found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text(encoding="ascii"))
        return round(int(found[1]) / 2**10, 1) if found else _since_start()
    return _since_start()


def _since_start() -> float:
    """The most this process has ever held; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)
