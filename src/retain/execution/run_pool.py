"""A pool of workers of this machine that does the runs of a queue."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from typing import Any, Self

from retain.errors import RetainError
from retain.execution.limits import exceeded_limit
from retain.execution.scheduling import CostModel, TaskQueue
from retain.execution.task import RungResult, Task, readable_write_errors, record_dead_run
from retain.execution.worker import Job, Worker, WorkerDiedError, ignore_sigint
from retain.record.document import Record
from retain.schema.run import Limits

POLL_SECONDS = 0.1
"""Seconds between two checks of the limits, and of runs that another launch is doing."""
MAX_JOB_ATTEMPTS = 3


class RunPool:
    """A fixed number of workers that do the tasks of a queue.

    A context manager; leaving it stops the processes, immediately on an error.

    Parameters
    ----------
    on_start
        Called with each task that a worker starts.

    Attributes
    ----------
    n_cancelled
        Number of tasks that were queued when the pool was closed.
    """

    def __init__(self, workers: int, limits: Limits, on_start: Callable[[Task], None]) -> None:
        self._on_start = on_start
        self._idle = [Worker() for _ in range(workers)]
        self._busy: dict[Worker, Task] = {}
        self._over_limit: dict[Worker, str] = {}
        self._limits = limits
        self.n_cancelled = 0
        self._closed = False
        self._queue = CostModel().make_queue([])
        self._claimed_by_others: deque[Task] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with ignore_sigint():
            for worker in [*self._busy, *self._idle]:
                worker.stop(immediately=kind is not None)

    @property
    def running(self) -> list[Task]:
        """Tasks that workers are doing."""
        return list(self._busy.values())

    def close(self) -> None:
        """Start no more tasks; those that are running go on."""
        self._closed = True
        self.n_cancelled += len(self._queue) + len(self._claimed_by_others)
        self._queue.clear()
        self._claimed_by_others.clear()

    def run_job(self, job: Job, *arguments: Any) -> Any:
        """Return the result of a job other than a run, while no run is under way.

        Raises
        ------
        RetainError
            If its process dies at every attempt.
        """
        worker = self._idle[0]
        for _ in range(MAX_JOB_ATTEMPTS):
            worker.start_job(job, *arguments)
            try:
                return worker.result()
            except WorkerDiedError as death:
                cause = death
        raise RetainError(f"the process that compares the runs died: {cause}.")

    def records(self, queue: TaskQueue) -> Iterator[Record]:
        """Yield the record of each task as it ends, also where another launch wrote it."""
        for result in self.results(queue):
            if isinstance(result, Record):
                yield result

    def results(self, queue: TaskQueue) -> Iterator[Record | RungResult]:
        """Yield the record of each task as it ends, or the result of its rung if it goes on."""
        self._queue = queue
        if self._closed:
            self.close()
        while self._queue or self._claimed_by_others or self._busy:
            self._dispatch()
            for worker in self._wait_for_workers():
                task = self._busy[worker]
                result = self._collect(worker, task)
                del self._busy[worker]
                self._idle.append(worker)
                if result is None:
                    self._claimed_by_others.append(task)
                else:
                    yield result

    def _dispatch(self) -> None:
        """Start a task on each idle worker; a task of another launch once its lock is free."""
        while self._idle and self._queue:
            self._start(self._queue.pop())
        for _ in range(len(self._claimed_by_others) if self._idle else 0):
            task = self._claimed_by_others.popleft()
            if self._idle and not task.directory.busy:
                self._start(task)
            else:
                self._claimed_by_others.append(task)

    def _start(self, task: Task) -> None:
        worker = self._idle.pop()
        self._busy[worker] = task.mark_started()  # first: an interrupt here must stop it too
        worker.start_job("run", task)
        self._on_start(task)

    def _wait_for_workers(self) -> list[Worker]:
        """Return the workers whose job ended, and kill those over a limit."""
        if not self._busy:
            time.sleep(POLL_SECONDS)
            return []
        is_polling = self._limits.any or self._claimed_by_others
        waitables = [item for worker in self._busy for item in worker.waitables]
        ready = set(wait(waitables, POLL_SECONDS if is_polling else None))
        ended = [worker for worker in self._busy if not ready.isdisjoint(worker.waitables)]
        for worker in self._busy.keys() - set(ended) - self._over_limit.keys():
            reason = exceeded_limit(worker, self._limits, self._busy[worker].seconds_spent)
            if reason is not None:
                self._over_limit[worker] = reason
                worker.kill()
        return ended

    def _collect(self, worker: Worker, task: Task) -> Record | RungResult | None:
        """Return the result of a task that ended, None if another launch has it.

        The record is written here if the process died.
        """
        with readable_write_errors(task):
            try:
                result: Record | RungResult | None = worker.result()
            except WorkerDiedError as death:
                reason = self._over_limit.get(worker, f"the worker process died: {death}")
                result = record_dead_run(task, reason)
        self._over_limit.pop(worker, None)
        return result
