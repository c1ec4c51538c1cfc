"""An executor of jobs in worker processes, for a process that imports nothing heavy itself."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, Self

from retain.errors import RetainError
from retain.execution.worker import Job, Worker, WorkerDiedError


class Future:
    """The result of a job, now or later."""

    def __init__(
        self, executor: WorkerExecutor, job: Job, arguments: tuple[Any, ...], description: str
    ) -> None:
        self._executor, self._description = executor, description
        self.job, self.arguments = job, arguments
        self.is_done = False
        self._value: Any = None
        self._error: Exception | None = None

    def result(self) -> Any:
        """Wait for the job and return its result.

        Raises
        ------
        RetainError
            If the job rejects its arguments, or its process dies.
        """
        self._executor.wait(self)
        if self._error is not None:
            raise self._error
        return self._value

    def collect(self, worker: Worker) -> None:
        """Store the result or the error of a worker's job."""
        try:
            self._value = worker.result()
        except WorkerDiedError as death:
            self._error = RetainError(
                f"the process that {self._description} died: {death}. Where memory ran out, allow "
                "this command more, or have fewer customers or workers."
            )
        except Exception as error:  # noqa: BLE001 - raised by ``result``
            self._error = error
        self.is_done = True


class WorkerExecutor:
    """A fixed number of workers that do jobs in the order they were submitted.

    A context manager; leaving it kills the processes. Jobs start as they are submitted, and the
    next ones while a result is waited for.

    Parameters
    ----------
    workers
        Number of processes; 0 for one per CPU.
    on_progress
        Called with the number of jobs done and submitted as jobs end, and on leaving the context.
    """

    def __init__(self, workers: int, on_progress: Callable[[int, int], None] | None = None) -> None:
        self._idle = [Worker() for _ in range(workers or os.cpu_count() or 1)]
        self._all = [*self._idle]
        self._busy: dict[Worker, Future] = {}
        self._queue: deque[Future] = deque()
        self._n_submitted = 0
        self._on_progress = on_progress or (lambda _done, _of: None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._all:
            worker.stop(immediately=True)
        self._on_progress(self._n_submitted, self._n_submitted)

    def submit(self, job: Job, *arguments: Any, description: str) -> Future:
        """Queue a job; ``description`` completes "the process that … died"."""
        future = Future(self, job, arguments, description)
        self._n_submitted += 1
        self._queue.append(future)
        self._dispatch()
        return future

    def wait(self, future: Future) -> None:
        """Wait for a job, and start queued ones meanwhile."""
        while not future.is_done:
            ready = set(wait([item for worker in self._busy for item in worker.waitables]))
            for worker in [w for w in self._busy if not ready.isdisjoint(w.waitables)]:
                self._busy.pop(worker).collect(worker)
                self._idle.append(worker)
                n_done = self._n_submitted - len(self._queue) - len(self._busy)
                self._on_progress(n_done, self._n_submitted)
            self._dispatch()

    def _dispatch(self) -> None:
        while self._idle and self._queue:
            worker, future = self._idle.pop(), self._queue.popleft()
            self._busy[worker] = future
            worker.start_job(future.job, *future.arguments)
            future.arguments = ()


@contextmanager
def run_in_subprocess(job: Job, *arguments: Any, description: str) -> Iterator[Callable[[], Any]]:
    """Start a job in a process of its own and yield a function that waits for its result.

    Raises
    ------
    RetainError
        If the job rejects its arguments, or its process dies; see ``WorkerExecutor.submit``.
    """
    with WorkerExecutor(1) as executor:
        yield executor.submit(job, *arguments, description=description).result
