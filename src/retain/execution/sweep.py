"""Doing what is to be done: in this process or apart, watched, and stopped with grace."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Protocol

from retain.execution.backends.config import Backend, Local, Ray, Slurm, SubmititLocal
from retain.execution.plan import SweepPlan
from retain.execution.pool import POLL_SECONDS, RunPool
from retain.execution.racing import Race
from retain.execution.scheduling import CostModel, TaskQueue
from retain.execution.task import RungResult, Task, readable_write_errors
from retain.execution.worker import sigint_handler
from retain.record import Record
from retain.schema import Run


class Watcher(Protocol):
    """Whoever watches a sweep; its methods may be called from any thread."""

    def on_start(self, task: Task) -> None:
        """Take note that a run began."""

    def on_pause(self, progress: RungResult) -> None:
        """Take note that a run in a race waits for the others."""

    def on_end(self, record: Record) -> None:
        """Take note of the record of a run that ended."""

    def on_stopping(self, n_running: int) -> None:
        """Take note that no run is begun any more, and how many are under way."""

    def on_interrupt(self) -> None:
        """Take note that runs were left undone."""


def sweep(
    plan: SweepPlan,
    first_run: Run,
    backend: Backend | None,
    make_watcher: Callable[[CostModel, int], AbstractContextManager[Watcher]],
) -> list[Record]:
    """Return the records of the runs done.

    Parameters
    ----------
    plan
        The runs.
    first_run
        The config of one of them, for what all have in common.
    backend
        Whose processes do the runs; None for this process.
    make_watcher
        Called with what runs cost and the number of workers; returns who watches.

    Raises
    ------
    KeyboardInterrupt
        When Ctrl-C left runs undone; the same line continues with them.
    RetainError
        When the study's folder or a run's cannot be written.
    """
    tasks = plan.pending
    if not tasks:
        return []
    workers = min(1 if backend is None else backend.parallelism(first_run), len(tasks))
    costs = CostModel(one.record for one in plan.runs if one.record is not None)
    records: list[Record] = []
    with readable_write_errors(tasks[0]):
        plan.study.check_writable()
        with make_watcher(costs, workers) as watcher:
            done = _iter_records(backend, plan, costs, first_run, watcher)
            try:
                with closing(done):
                    for record in done:
                        records.append(record)
                        costs.add(record)
                        watcher.on_end(record)
            except KeyboardInterrupt:
                watcher.on_interrupt()
                raise
    return records


def _iter_records(
    backend: Backend | None, plan: SweepPlan, costs: CostModel, first_run: Run, watcher: Watcher
) -> Generator[Record]:
    if isinstance(backend, Local):
        return _run_in_workers(backend, plan, costs, first_run, watcher)
    queue = costs.make_queue(plan.pending)
    if backend is None:
        return _run_in_process(queue, watcher)
    return _run_remotely(backend, queue, first_run, plan, watcher)


def _run_in_workers(
    backend: Local, plan: SweepPlan, costs: CostModel, first_run: Run, watcher: Watcher
) -> Generator[Record]:
    """Records of runs done in worker processes; the first Ctrl-C lets them end what they have."""
    tasks, validation = plan.pending, first_run.validation
    workers = min(backend.parallelism(first_run), len(tasks))

    def stop(*_: object) -> None:
        pool.close()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        watcher.on_stopping(len(pool.running))

    with RunPool(workers, first_run.limits, watcher.on_start) as pool, sigint_handler(stop):
        if validation.early_stopping and len(plan.runs) > 1:
            race = Race(plan, validation.min_folds, costs, watcher.on_pause)
            yield from race.records(pool)
        else:
            yield from pool.records(costs.make_queue(tasks))
        if pool.n_cancelled:
            raise KeyboardInterrupt


def _run_remotely(
    backend: SubmititLocal | Slurm | Ray,
    queue: TaskQueue,
    first_run: Run,
    plan: SweepPlan,
    watcher: Watcher,
) -> Generator[Record]:
    """Records of runs done by an engine's machines; closed early, it cancels what is under way."""
    from retain.execution.backends.ray import RayPool
    from retain.execution.backends.submitit import SubmititPool

    pool = (
        RayPool(backend, first_run, plan.study, watcher.on_start)
        if isinstance(backend, Ray)
        else SubmititPool(backend, first_run, plan.study, watcher.on_start)
    )
    with pool:
        yield from pool.records(queue)


def _run_in_process(queue: TaskQueue, watcher: Watcher) -> Generator[Record]:
    """Records of runs done in this process, which waits where another launch is at one."""
    from retain.execution.runner import execute

    while queue:
        task = queue.pop()
        watcher.on_start(task)
        with _ignore_log_errors():
            while (record := execute(task)) is None:
                time.sleep(POLL_SECONDS)
        if isinstance(record, Record):  # as any run's is that is done in one go
            yield record


@contextmanager
def _ignore_log_errors() -> Iterator[None]:
    """A full disk is told of once, not at every line that cannot be logged."""
    before = logging.raiseExceptions
    logging.raiseExceptions = False
    try:
        yield
    finally:
        logging.raiseExceptions = before
