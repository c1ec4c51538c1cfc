"""Worker processes: each run in one of a few warm processes, whose death costs that run only.

Every worker is a pool of one, so that when a process dies it is known which run it had; the pool
is replaced and the sweep goes on.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

from joblib.externals.loky.process_executor import ProcessPoolExecutor, TerminatedWorkerError

from retain.app.execute import Ending, Task, execute, finish
from retain.record import Record

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def _stand_apart() -> None:
    """Leave the terminal's process group: Ctrl-C is the parent's to answer.

    The worker leads a group of its own, so that stopping it takes its children along.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setsid()


class Worker:
    """One process that does one run at a time and is started anew when it dies."""

    def __init__(self, threads: int) -> None:
        self._environment = {name: str(threads) for name in THREADS}
        self._pool: ProcessPoolExecutor | None = None
        self._group: int | None = None
        self._stopped = False

    def do(self, task: Task) -> Record:
        """The record of ``task``, also when the process dies doing it.

        Raises
        ------
        KeyboardInterrupt
            When the process was stopped: such a run has not ended and leaves no record.
        """
        try:
            record: Record = self._started().submit(execute, task).result()
        except TerminatedWorkerError as death:
            self._pool = self._group = None
            if self._stopped or "SIGINT" in str(death):  # Ctrl-C may meet a starting process
                raise KeyboardInterrupt from None
            return finish(task, Ending("failed", reason=_cause(death), traceback=str(death)))
        return record

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                max_workers=1, env=self._environment, initializer=_stand_apart
            )
            self._group = self._pool.submit(os.getpid).result()
        return self._pool

    def stop(self, *, at_once: bool) -> None:
        """End the process, when it is idle or whatever it is doing."""
        self._stopped = True
        pool, group = self._pool, self._group
        if pool is None:
            return
        if at_once and group is not None:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        pool.shutdown(wait=not at_once)


def _cause(death: TerminatedWorkerError) -> str:
    """Which signal or exit code, as far as the message tells."""
    found = re.search(r"exit codes? of the workers? (?:is|are) \{([^}]*)\}", str(death))
    return f"the worker process died: {found.group(1) if found else 'for an unknown cause'}"


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """A second Ctrl-C must not leave half of the workers running."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Crew:
    """A fixed number of workers that share a list of tasks.

    A context manager; leaving it stops the processes. With no workers, runs are done in this
    process, which spares a run by itself the start of another.
    """

    def __init__(self, workers: int, threads: int) -> None:
        self._workers = [Worker(threads) for _ in range(workers)]
        self._free = list(self._workers)
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(max(workers, 1))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with _deaf_to_interrupts():
            self._threads.shutdown(wait=False, cancel_futures=True)
            for worker in self._workers:
                worker.stop(at_once=error is not None)

    def records(self, tasks: Sequence[Task]) -> Iterator[Record]:
        """The record of each task, as they end."""
        if not self._workers:
            yield from map(execute, tasks)
            return
        waiting: set[Future[Record]] = {self._threads.submit(self._do, task) for task in tasks}
        while waiting:
            ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ended:
                yield future.result()

    def _do(self, task: Task) -> Record:
        with self._lock:
            worker = self._free.pop()
        try:
            return worker.do(task)
        finally:
            with self._lock:
                self._free.append(worker)
