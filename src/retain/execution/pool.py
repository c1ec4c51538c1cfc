"""The workers of this machine and the runs they share out among themselves."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Self

from retain.errors import RetainError
from retain.execution.limits import exceeded_limit
from retain.execution.scheduling import CostModel, Queue
from retain.execution.task import RungResult, Task, readable_write_errors, record_dead_run
from retain.execution.worker import ATTEMPTS, Job, Worker, WorkerDiedError, ignore_sigint
from retain.record import Record
from retain.schema import Limits

TICK = 0.1
"""Seconds between two looks at the limits, and at runs that another launch is doing."""


class RunPool:
    """A fixed number of workers that share a list of tasks.

    A context manager; leaving it stops the processes, at once if by an error. ``took`` hears of
    each task that a worker begins; ``given_up`` counts those that none will begin any more.
    """

    def __init__(self, workers: int, limits: Limits, took: Callable[[Task], None]) -> None:
        self._took = took
        self._idle = [Worker() for _ in range(workers)]
        self._busy: dict[Worker, Task] = {}
        self._broken: dict[Worker, str] = {}
        self._limits = limits
        self.given_up = 0
        self._closed = False
        self._left = CostModel().queue([])
        self._elsewhere: deque[Task] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with ignore_sigint():
            for worker in [*self._busy, *self._idle]:
                worker.stop(at_once=error is not None)

    @property
    def under_way(self) -> list[Task]:
        """Tasks that a worker has."""
        return list(self._busy.values())

    def begin_no_more(self) -> None:
        """Let the workers end what they have and take nothing new."""
        self._closed = True
        self.given_up += len(self._left) + len(self._elsewhere)
        self._left.clear()
        self._elsewhere.clear()

    def ask(self, job: Job, *arguments: Any) -> Any:
        """What a job comes to that is no run, done by a worker while none has a run.

        Raises
        ------
        RetainError
            When its process dies each time it is tried.
        """
        worker = self._idle[0]
        for _ in range(ATTEMPTS):
            worker.begin(job, *arguments)
            try:
                return worker.end()
            except WorkerDiedError as death:
                cause = death
        raise RetainError(f"the process that compares the runs died: {cause}.")

    def records(self, queue: Queue) -> Iterator[Record]:
        """The record of each task, as they end; those that another launch wrote meanwhile too."""
        for result in self.results(queue):
            if isinstance(result, Record):
                yield result

    def results(self, queue: Queue) -> Iterator[Record | RungResult]:
        """The record of each task, as they end, or how far it is if it goes on later."""
        self._left = queue
        if self._closed:
            self.begin_no_more()
        while self._left or self._elsewhere or self._busy:
            self._hand_out()
            for worker in self._ended():
                task = self._busy[worker]
                result = self._result(worker, task)
                del self._busy[worker]
                self._idle.append(worker)
                if result is None:
                    self._elsewhere.append(task)
                else:
                    yield result

    def _hand_out(self) -> None:
        """A task for each idle worker; what another launch had, once that has let go of it."""
        while self._idle and self._left:
            self._begin(self._left.pop())
        for _ in range(len(self._elsewhere) if self._idle else 0):
            task = self._elsewhere.popleft()
            if self._idle and not task.directory.busy:
                self._begin(task)
            else:
                self._elsewhere.append(task)

    def _begin(self, task: Task) -> None:
        worker = self._idle.pop()
        self._busy[worker] = task.begun()  # before it begins: an interrupt here must stop it too
        worker.begin("execute", task)
        self._took(task)

    def _ended(self) -> list[Worker]:
        """Workers whose job ended; those beyond a limit are killed on the way."""
        if not self._busy:
            time.sleep(TICK)
            return []
        looking = self._limits.any or self._elsewhere
        signs = [sign for worker in self._busy for sign in worker.signs]
        ready = set(wait(signs, TICK if looking else None))
        ended = [worker for worker in self._busy if not ready.isdisjoint(worker.signs)]
        for worker in self._busy.keys() - set(ended) - self._broken.keys():
            reason = exceeded_limit(worker, self._limits, self._busy[worker].spent)
            if reason is not None:
                self._broken[worker] = reason
                worker.kill()
        return ended

    def _result(self, worker: Worker, task: Task) -> Record | RungResult | None:
        """What came of a task that ended; its record is written here if its process died."""
        with readable_write_errors(task):
            try:
                result: Record | RungResult | None = worker.end()
            except WorkerDiedError as death:
                reason = self._broken.get(worker, f"the worker process died: {death}")
                result = record_dead_run(task, reason)
        self._broken.pop(worker, None)
        return result
