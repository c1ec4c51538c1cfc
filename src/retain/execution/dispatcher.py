"""The loop that gives the runs of a queue to an executor and takes their results."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from retain.execution.executor import Executor, Future
from retain.execution.limits import exceeded_limit
from retain.execution.scheduling import CostModel, TaskQueue
from retain.execution.task import RungResult, Task, readable_write_errors, record_dead_run
from retain.execution.worker import Job, WorkerDiedError
from retain.record.document import Record
from retain.schema.run import Limits

POLL_SECONDS = 0.1
"""Seconds between two checks of the limits, and of runs that another launch is doing."""
MAX_JOB_ATTEMPTS = 3


class Dispatcher:
    """The runs of a queue on their way through an executor.

    Parameters
    ----------
    limits
        Limits of each run, held here where its process is one of this machine.
    on_start
        Called with each task that starts.

    Attributes
    ----------
    n_cancelled
        Number of tasks that were not submitted, since the dispatcher was closed.
    """

    def __init__(
        self, executor: Executor, limits: Limits, on_start: Callable[[Task], None] | None = None
    ) -> None:
        self._executor, self._limits = executor, limits
        self._on_start = on_start or (lambda _: None)
        self._submitted: dict[Future, Task] = {}
        self.n_cancelled = 0
        self._closed = False
        self._queue = CostModel().make_queue([])
        self._claimed_by_others: deque[Task] = deque()

    @property
    def n_running(self) -> int:
        """Number of tasks that were submitted and have not ended."""
        return len(self._submitted)

    def close(self) -> None:
        """Submit no more tasks; those that are running go on. A signal handler may call it."""
        self._closed = True

    def run_job(self, job: Job, *arguments: Any) -> Any:
        """Return the result of a job that compares runs, while none is under way.

        Raises
        ------
        WorkerDiedError
            If its process dies at every attempt.
        """
        for _ in range(MAX_JOB_ATTEMPTS):
            try:
                return self._executor.submit(job, *arguments).result()
            except WorkerDiedError as error:
                death = error
        raise death

    def records(self, queue: TaskQueue) -> Iterator[Record]:
        """Yield the record of each task as it ends, also where another launch wrote it."""
        for result in self.results(queue):
            if isinstance(result, Record):
                yield result

    def results(self, queue: TaskQueue) -> Iterator[Record | RungResult]:
        """Yield the record of each task as it ends, or the result of its rung if it goes on."""
        self._queue = queue
        while self._has_tasks():
            self._submit_tasks()
            self._report_starts()
            is_polling = self._limits.any or self._claimed_by_others or not self._submitted
            self._executor.wait(POLL_SECONDS if is_polling else None)
            self._report_starts()
            for future in [one for one in self._submitted if one.state == "done"]:
                task = self._submitted[future]
                result = self._collect(future, task)
                del self._submitted[future]
                self._queue.release(task.id)
                if result is None:
                    self._claimed_by_others.append(replace(task, started=""))
                else:
                    yield result
            self._enforce_limits()

    def _has_tasks(self) -> bool:
        """Return whether tasks are left, and cancel those not submitted if this was closed."""
        if self._closed:
            self.n_cancelled += len(self._queue) + len(self._claimed_by_others)
            self._queue.clear()
            self._claimed_by_others.clear()
        return bool(self._queue or self._claimed_by_others or self._submitted)

    def _submit_tasks(self) -> None:
        """Submit the next tasks; one that another launch had, once its lock is free."""
        while not self._closed and self._executor.count_free(self._queue.n_ready):
            self._submit(self._queue.pop())
        for _ in range(len(self._claimed_by_others)):
            task = self._claimed_by_others.popleft()
            if self._closed or not self._executor.count_free(1) or task.directory.busy:
                self._claimed_by_others.append(task)
            else:
                self._submit(task)

    def _submit(self, task: Task) -> None:
        self._submitted[self._executor.submit("run", task)] = task

    def _report_starts(self) -> None:
        for future, task in self._submitted.items():
            if future.state != "queued" and not task.started:
                self._submitted[future] = task.mark_started()
                self._on_start(task)

    def _enforce_limits(self) -> None:
        """Kill the workers of runs over a limit."""
        for future, task in self._submitted.items() if self._limits.any else ():
            if future.worker is not None and future.state != "done":
                reason = exceeded_limit(future.worker, self._limits, task.seconds_spent)
                if reason is not None:
                    future.worker.kill(reason)

    def _collect(self, future: Future, task: Task) -> Record | RungResult | None:
        """Return the result of a task that ended, None if another launch has it.

        The record is written here if the process died.
        """
        with readable_write_errors(task):
            try:
                result: Record | RungResult | None = future.result()
            except WorkerDiedError as death:
                return record_dead_run(task, death.reason, death.traceback)
            return result
