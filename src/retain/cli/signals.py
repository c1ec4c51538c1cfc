"""Signals that end a launch: SIGTERM of a scheduler, SIGHUP of a closed terminal."""

from __future__ import annotations

import os
import signal
import stat
from types import FrameType

REQUESTS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
SIGPIPE = getattr(signal, "SIGPIPE", signal.SIGTERM)
"""The signal of a closed pipe; where there is none, that of an end."""
SIGNALLED = 128
"""Offset of a shell's exit code for a signal."""


class TerminationRequested(KeyboardInterrupt):
    """A signal that ends the process, handled like Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def install_signal_handlers() -> None:
    """Raise ``TerminationRequested`` at the first request; ignored signals stay so (nohup)."""
    for request in REQUESTS:
        if signal.getsignal(request) != signal.SIG_IGN:
            signal.signal(request, _request_termination)


def _request_termination(number: int, _: FrameType | None) -> None:
    for request in REQUESTS:  # a second would only break the cleanup
        signal.signal(request, signal.SIG_IGN)
    for output in (1, 2):
        if _is_closed_terminal(output):
            discard_output(output)
    raise TerminationRequested(number)


def _is_closed_terminal(output: int) -> bool:
    """Return whether an output is a closed terminal."""
    try:
        return stat.S_ISCHR(os.fstat(output).st_mode) and not os.isatty(output)
    except OSError:
        return False


def discard_output(output: int) -> None:
    """Redirect an output to the null device."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, output)
    os.close(nowhere)
