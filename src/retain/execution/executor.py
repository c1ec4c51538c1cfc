"""A few processes that do jobs for one that keeps light. Imports nothing heavy.

They give the memory back that a job took, and this process need not import what it needs, which
the server that workers are forked from did in its time.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Self

from retain.errors import RetainError
from retain.execution.worker import Job, Worker, WorkerDiedError


class Future:
    """A job that some worker is given when one is free, and what it comes to."""

    def __init__(
        self, executor: WorkerExecutor, job: Job, arguments: tuple[Any, ...], description: str
    ) -> None:
        self._executor, self._description = executor, description
        self.job, self.arguments = job, arguments
        self.is_done = False
        self._value: Any = None
        self._error: Exception | None = None

    def result(self) -> Any:
        """What the job came to; waits for it.

        Raises
        ------
        RetainError
            When the job refuses its arguments, or costs the process its life.
        """
        self._executor.wait(self)
        if self._error is not None:
            raise self._error
        return self._value

    def collect(self, worker: Worker) -> None:
        """Take what a worker's job came to."""
        try:
            self._value = worker.result()
        except WorkerDiedError as death:
            self._error = RetainError(
                f"the process that {self._description} died: {death}. Where memory ran out, allow this "
                "command more, or have fewer customers or workers."
            )
        except Exception as error:  # noqa: BLE001 - raised where the outcome is asked for
            self._error = error
        self.is_done = True


class WorkerExecutor:
    """A number of workers that take jobs in the order given.

    A context manager; leaving it ends the processes, whatever they are at. They begin as jobs are
    given, and go on to the next ones while some outcome is waited for; ``ended`` then hears how
    many jobs have ended, and of how many, and at the end that none is left.
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._all:
            worker.stop(immediately=True)
        self._on_progress(self._n_submitted, self._n_submitted)

    def submit(self, job: Job, *arguments: Any, description: str) -> Future:
        """Have a job done; ``description`` tells what a process that dies of it was at."""
        future = Future(self, job, arguments, description)
        self._n_submitted += 1
        self._queue.append(future)
        self._dispatch()
        return future

    def wait(self, future: Future) -> None:
        """Wait for a job, and hand out others meanwhile."""
        while not future.is_done:
            signs = [sign for worker in self._busy for sign in worker.waitables]
            ready = set(wait(signs))
            for worker in [one for one in self._busy if not ready.isdisjoint(one.waitables)]:
                self._busy.pop(worker).collect(worker)
                self._idle.append(worker)
                self._on_progress(
                    self._n_submitted - len(self._queue) - len(self._busy), self._n_submitted
                )
            self._dispatch()

    def _dispatch(self) -> None:
        while self._idle and self._queue:
            worker, future = self._idle.pop(), self._queue.popleft()
            self._busy[worker] = future
            worker.start_job(future.job, *future.arguments)
            future.arguments = ()


@contextmanager
def run_in_subprocess(job: Job, *arguments: Any, description: str) -> Iterator[Callable[[], Any]]:
    """A call that waits for what a job comes to, done meanwhile by a process that ends with it.

    Raises
    ------
    RetainError
        When the job refuses its arguments, or costs the process its life; ``description`` tells what it
        was at.
    """
    with WorkerExecutor(1) as executor:
        yield executor.submit(job, *arguments, description=description).result
