"""Processes and their children, on systems with and without process groups and a fork server."""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from retain.errors import RetainError

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

START_METHOD: Literal["forkserver", "spawn"] = (
    "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
)
"""The start of workers: forked from a server, or each anew where the system cannot, as Windows."""


def start_context() -> ForkServerContext | SpawnContext:
    """Return what processes are started by.

    Raises
    ------
    RetainError
        If this process may start none.
    """
    if multiprocessing.current_process().daemon:
        raise RetainError(
            "retain starts worker processes, and this process is daemonic, which may start none; "
            "start it with daemon=False (Dask: distributed.worker.daemon=false), or call retain "
            "in the process that starts it."
        )
    if START_METHOD == "forkserver":
        return multiprocessing.get_context("forkserver")
    return multiprocessing.get_context("spawn")


def lead_group() -> None:
    """Make this process lead a group of its own, so that killing it kills its children."""
    if hasattr(os, "setsid"):
        os.setsid()


def kill_family(pid: int) -> None:
    """Kill a process and its children; one that is gone is no error."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        return
    import psutil

    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for member in (*process.children(recursive=True), process):
            with suppress(psutil.NoSuchProcess):
                member.kill()
