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
        self, executor: WorkerExecutor, job: Job, arguments: tuple[Any, ...], does: str
    ) -> None:
        self._hands, self._does = executor, does
        self.job, self.arguments = job, arguments
        self.ended = False
        self._value: Any = None
        self._error: Exception | None = None

    def result(self) -> Any:
        """What the job came to; waits for it.

        Raises
        ------
        RetainError
            When the job refuses its arguments, or costs the process its life.
        """
        self._hands.until(self)
        if self._error is not None:
            raise self._error
        return self._value

    def end(self, worker: Worker) -> None:
        """Take what a worker's job came to."""
        try:
            self._value = worker.end()
        except WorkerDiedError as death:
            self._error = RetainError(
                f"the process that {self._does} died: {death}. Where memory ran out, allow this "
                "command more, or have fewer customers or workers."
            )
        except Exception as error:  # noqa: BLE001 - raised where the outcome is asked for
            self._error = error
        self.ended = True


class WorkerExecutor:
    """A number of workers that take jobs in the order given.

    A context manager; leaving it ends the processes, whatever they are at. They begin as jobs are
    given, and go on to the next ones while some outcome is waited for; ``ended`` then hears how
    many jobs have ended, and of how many, and at the end that none is left.
    """

    def __init__(self, workers: int, ended: Callable[[int, int], None] | None = None) -> None:
        self._idle = [Worker() for _ in range(workers or os.cpu_count() or 1)]
        self._all = [*self._idle]
        self._busy: dict[Worker, Future] = {}
        self._left: deque[Future] = deque()
        self._given = 0
        self._told = ended or (lambda _done, _of: None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._all:
            worker.stop(at_once=True)
        self._told(self._given, self._given)

    def submit(self, job: Job, *arguments: Any, description: str) -> Future:
        """Have a job done; ``description`` tells what a process that dies of it was at."""
        future = Future(self, job, arguments, description)
        self._given += 1
        self._left.append(future)
        self._hand_out()
        return future

    def until(self, future: Future) -> None:
        """Wait for a job, and hand out others meanwhile."""
        while not future.ended:
            signs = [sign for worker in self._busy for sign in worker.signs]
            ready = set(wait(signs))
            for worker in [one for one in self._busy if not ready.isdisjoint(one.signs)]:
                self._busy.pop(worker).end(worker)
                self._idle.append(worker)
                self._told(self._given - len(self._left) - len(self._busy), self._given)
            self._hand_out()

    def _hand_out(self) -> None:
        while self._idle and self._left:
            worker, future = self._idle.pop(), self._left.popleft()
            self._busy[worker] = future
            worker.begin(future.job, *future.arguments)
            future.arguments = ()


@contextmanager
def run_in_subprocess(job: Job, *arguments: Any, does: str) -> Iterator[Callable[[], Any]]:
    """A call that waits for what a job comes to, done meanwhile by a process that ends with it.

    Raises
    ------
    RetainError
        When the job refuses its arguments, or costs the process its life; ``does`` tells what it
        was at.
    """
    with WorkerExecutor(1) as executor:
        yield executor.submit(job, *arguments, description=does).result
