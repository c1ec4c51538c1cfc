"""Executors of jobs, and the one whose workers are processes of this machine.

Imports nothing heavy: the process that submits jobs needs neither pandas nor scikit-learn.
"""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any, Literal, Self

from retain.execution.worker import Job, Worker, call_job, ignore_sigint


class Future:
    """The result of a job, now or later. Its executor works while somebody waits for it.

    ``worker`` is the process of this machine that does the job, if one does.
    """

    def __init__(self, executor: Executor, job: Job, arguments: tuple[Any, ...]) -> None:
        self.job, self.arguments = job, arguments
        self.state: Literal["queued", "running", "done"] = "queued"
        self.worker: Worker | None = None
        self._executor = executor
        self._value: Any = None
        self._error: Exception | None = None

    def set_result(self, value: Any) -> None:
        """End the job with a result."""
        self._value, self.state = value, "done"

    def set_exception(self, error: Exception) -> None:
        """End the job with an error."""
        self._error, self.state = error, "done"

    def result(self) -> Any:
        """Wait for the job and return its result.

        Raises
        ------
        RetainError
            If the job rejects its arguments.
        WorkerDiedError
            If its process dies.
        """
        while self.state != "done":
            self._executor.wait()
        if self._error is not None:
            raise self._error
        return self._value


class Executor(ABC):
    """Workers that do jobs, here or on other machines. A context manager; leaving it stops them."""

    def __init__(self) -> None:
        self._queue: deque[Future] = deque()

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Stop the workers, at once on an error."""

    def submit(self, job: Job, *arguments: Any) -> Future:
        """Queue a job."""
        future = Future(self, job, arguments)
        self._queue.append(future)
        self._start_jobs()
        return future

    @abstractmethod
    def _start_jobs(self) -> None:
        """Start queued jobs where there is room."""

    @abstractmethod
    def count_free(self, n_tasks: int) -> int:
        """Return how many of ``n_tasks`` runs to submit now; the order of the others may change."""

    @abstractmethod
    def wait(self, timeout: float | None = None) -> None:
        """Wait, at most ``timeout`` seconds, for jobs to end, and start queued ones."""


class WorkerExecutor(Executor):
    """A fixed number of worker processes, which start a job as it is submitted, or else in order.

    Parameters
    ----------
    workers
        Number of processes; 0 for one per CPU.
    on_progress
        Called with the number of jobs done and submitted as jobs end, and on leaving the context.
    """

    def __init__(self, workers: int, on_progress: Callable[[int, int], None] | None = None) -> None:
        super().__init__()
        self._workers = [Worker() for _ in range(workers or os.cpu_count() or 1)]
        self._idle = [*self._workers]
        self._busy: dict[Worker, Future] = {}
        self._n_done = 0
        self._on_progress = on_progress or (lambda _done, _of: None)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with ignore_sigint():
            for worker in self._workers:
                worker.stop(immediately=kind is not None or worker not in self._idle)
        self._on_progress(self._n_submitted, self._n_submitted)

    @property
    def _n_submitted(self) -> int:
        return self._n_done + len(self._busy) + len(self._queue)

    def count_free(self, n_tasks: int) -> int:
        """Return the number of idle workers, at most ``n_tasks``."""
        return min(len(self._idle), n_tasks)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until a job has ended, at most ``timeout`` seconds, and start queued ones."""
        ready = set(wait([item for worker in self._busy for item in worker.waitables], timeout))
        for worker in [one for one in self._busy if not ready.isdisjoint(one.waitables)]:
            future = self._busy.pop(worker)
            try:
                future.set_result(worker.result())
            except Exception as error:  # noqa: BLE001 - raised by ``Future.result``
                future.set_exception(error)
            self._idle.append(worker)
            self._n_done += 1
            self._on_progress(self._n_done, self._n_submitted)
        self._start_jobs()

    def _start_jobs(self) -> None:
        while self._idle and self._queue:
            worker, future = self._idle.pop(), self._queue.popleft()
            self._busy[worker] = future  # first: an interrupt here must stop it too
            future.state, future.worker = "running", worker
            worker.start_job(future.job, *future.arguments)
            future.arguments = ()


class InProcessExecutor(Executor):
    """The launching process itself, which does a job while it waits."""

    def __exit__(self, *_: object) -> None:
        """Do nothing: there are no workers."""

    def count_free(self, n_tasks: int) -> int:
        """Return 1 if there are tasks and none is queued, else 0."""
        return min(n_tasks, 1 - len(self._queue))

    def _start_jobs(self) -> None:
        self._queue[0].state = "running"

    def wait(self, timeout: float | None = None) -> None:
        """Do the queued job; an error of it is raised here."""
        if not self._queue:
            time.sleep(timeout or 0.0)
            return
        future = self._queue.popleft()
        future.set_result(call_job(future.job, future.arguments))
