"""Signals that end a launch: SIGTERM of a scheduler, SIGHUP of a closed terminal."""

from __future__ import annotations

import os
import signal
import stat
from types import FrameType

REQUESTS = (signal.SIGTERM, signal.SIGHUP)
SIGNALLED = 128
"""A shell's exit code for a signal, which is added."""


class TerminationRequested(KeyboardInterrupt):
    """A signal asks the process to end: at once, but tidily. Met wherever Ctrl-C is."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def install_signal_handlers() -> None:
    """Have requests to end raise ``TerminationRequested``, once; ignored ones stay so (nohup)."""
    for request in REQUESTS:
        if signal.getsignal(request) != signal.SIG_IGN:
            signal.signal(request, _request_termination)


def _request_termination(number: int, _: FrameType | None) -> None:
    for request in REQUESTS:  # a second would only break the tidying
        signal.signal(request, signal.SIG_IGN)
    for output in (1, 2):
        if _is_closed_terminal(output):
            discard_output(output)
    raise TerminationRequested(number)


def _is_closed_terminal(output: int) -> bool:
    """Return whether an output was a terminal that is closed now."""
    try:
        return stat.S_ISCHR(os.fstat(output).st_mode) and not os.isatty(output)
    except OSError:
        return False


def discard_output(output: int) -> None:
    """Let whatever is written to an output from now on vanish."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, output)
    os.close(nowhere)
