"""Worker processes: each run in one of a few warm processes, whose death costs that run only.

Every worker is a pool of one, so that when a process dies it is known which run it had; the pool
is replaced and the sweep goes on.
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self

from joblib.externals.loky.process_executor import ProcessPoolExecutor, TerminatedWorkerError

from retain.app.execute import Ending, Task, execute, finish
from retain.record import Record

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def _ignore_interrupts() -> None:
    """Ctrl-C reaches every process of the terminal; the parent alone decides what to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Worker:
    """One process that does one run at a time and is started anew when it dies."""

    def __init__(self, threads: int) -> None:
        self._environment = {name: str(threads) for name in THREADS}
        self._pool: ProcessPoolExecutor | None = None

    def do(self, task: Task) -> Record:
        """The record of ``task``, also when the process dies doing it."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                max_workers=1, env=self._environment, initializer=_ignore_interrupts
            )
        try:
            record: Record = self._pool.submit(execute, task).result()
        except TerminatedWorkerError as death:
            self._pool = None
            if "SIGINT" in str(death):  # Ctrl-C met a process that was still starting
                raise KeyboardInterrupt from None
            return finish(task, Ending("failed", reason=_cause(death), traceback=str(death)))
        return record

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, kill_workers=True)
            self._pool = None


def _cause(death: TerminatedWorkerError) -> str:
    """Which signal or exit code, as far as the message tells."""
    found = re.search(r"exit codes? of the workers? (?:is|are) \{([^}]*)\}", str(death))
    return f"the worker process died: {found.group(1) if found else 'for an unknown cause'}"


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
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.stop()

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
