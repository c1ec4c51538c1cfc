"""Wall, processor time, first result and peak memory of a command, from shell to shell."""

from __future__ import annotations

import os
import resource
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

OFTEN = 0.02
"""Seconds between two looks for a first result."""
SELDOM = 0.1
"""Seconds between two looks at the memory: each costs some milliseconds of a core."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass
class Measured:
    """The cost of a command: seconds, CPU seconds, seconds to a first record, MiB.

    ``cpu`` adds up all processes of the command: those that were waited for by the one that
    started them, or as they were last seen, whichever is more. Where it is well below seconds ×
    processes, somebody else had the cores.
    """

    seconds: float = 0.0
    cpu: float = 0.0
    first: float | None = None
    peak: float | None = None


def measure(
    command: Sequence[str], folder: Path, *, records: Path | None = None, memory: bool = False
) -> Measured:
    """Measure ``command`` in the new folder ``folder``, where its output goes to a file.

    ``records`` is the folder in whose folders a first ``record.json`` is waited for. ``memory``
    adds up the whole process tree, pages shared by n processes counting 1/n in each (PSS).

    Raises
    ------
    RuntimeError
        When the command ends with another code than 0; with the last lines it printed.
    """
    folder.mkdir(parents=True)
    log = folder / "output.log"
    told = Measured()
    before = _spent()
    with log.open("w", encoding="utf-8") as out:
        start = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - commands of the benchmark
            command, cwd=folder, env=_environment(), stdout=out, stderr=subprocess.STDOUT
        )
        with (
            _watched(told, start, records),
            _weighed(told, process.pid, wanted=memory),
            _clocked(told, process.pid),
        ):
            code = process.wait()
            told.seconds = time.perf_counter() - start
    told.cpu = max(told.cpu, _spent() - before)
    if code != 0:
        last = "\n".join(log.read_text(encoding="utf-8").splitlines()[-20:])
        raise RuntimeError(f"{' '.join(command)[:300]} … ended with {code}:\n{last}")
    return told


def _spent() -> float:
    """Processor seconds of every process that has ended below this one."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _environment() -> dict[str, str]:
    """Variables of this process without limits of threads, which would favour some contestants."""
    return {name: value for name, value in os.environ.items() if name not in THREADS}


@contextmanager
def _watched(told: Measured, start: float, records: Path | None) -> Iterator[None]:
    def look(done: threading.Event) -> None:
        while records is not None and not done.wait(OFTEN):
            if any(records.glob("*/record.json")):
                told.first = time.perf_counter() - start
                return

    with _beside(look):
        yield


@contextmanager
def _weighed(told: Measured, pid: int, *, wanted: bool) -> Iterator[None]:
    def look(done: threading.Event) -> None:
        while wanted and not done.wait(SELDOM):
            told.peak = max(told.peak or 0.0, _tree(pid) / 2**20)

    with _beside(look):
        yield


@contextmanager
def _clocked(told: Measured, pid: int) -> Iterator[None]:
    """Add up the processor seconds of a process and all below it, also of those nobody waits for.

    retain's workers are forked by a server, which ends after the command.
    """
    seen: dict[tuple[int, float], float] = {}

    def look(done: threading.Event) -> None:
        while not done.wait(SELDOM):
            for process in _processes(pid):
                with suppress(psutil.NoSuchProcess):
                    spent = process.cpu_times()
                    seen[process.pid, process.create_time()] = spent.user + spent.system
        told.cpu = sum(seen.values())

    with _beside(look):
        yield


@contextmanager
def _beside(look: object) -> Iterator[None]:
    """Run a thread that looks until the block is left."""
    done = threading.Event()
    thread = threading.Thread(target=look, args=(done,))
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _processes(pid: int) -> list[psutil.Process]:
    """Return a process and all below it, none if it has ended."""
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    return []


def _tree(pid: int) -> int:
    """Bytes held by a process and all below it; one that ends meanwhile counts nothing."""
    total = 0
    for process in _processes(pid):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            total += process.memory_full_info().pss
    return total
