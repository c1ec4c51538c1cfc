"""A sweep: the pending runs of a plan, done in this process or by a backend."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Protocol

from retain.execution.backends.config import Backend, Local, Ray, Slurm, SubmititLocal
from retain.execution.plan import SweepPlan
from retain.execution.racing import Race
from retain.execution.run_pool import POLL_SECONDS, RunPool
from retain.execution.scheduling import CostModel, TaskQueue
from retain.execution.task import RungResult, Task, readable_write_errors
from retain.execution.worker import sigint_handler
from retain.record.document import Record
from retain.schema.run import Run


class Watcher(Protocol):
    """Callbacks of a sweep, which may come from any thread."""

    def on_start(self, task: Task) -> None:
        """Handle the start of a run."""

    def on_pause(self, result: RungResult) -> None:
        """Handle a run in a race that waits for the others."""

    def on_end(self, record: Record) -> None:
        """Handle the record of a run that ended."""

    def on_stopping(self, n_running: int) -> None:
        """Handle a stop: running runs end, no other starts."""

    def on_interrupt(self) -> None:
        """Handle the end of a sweep with runs not done."""


def sweep(
    plan: SweepPlan,
    first_run: Run,
    backend: Backend | None,
    make_watcher: Callable[[CostModel, int], AbstractContextManager[Watcher]],
) -> list[Record]:
    """Do the pending runs of a plan and return their records.

    Parameters
    ----------
    first_run
        The config of one run, for the settings that all share.
    backend
        The processes that do the runs; None for this process.
    make_watcher
        Called with the costs of runs and the number of workers; returns the watcher.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C left runs not done; the same command continues with them.
    RetainError
        If the folder of the study or of a run cannot be written.
    """
    tasks = plan.pending
    if not tasks:
        return []
    workers = min(1 if backend is None else backend.parallelism(first_run), len(tasks))
    costs = CostModel(planned.record for planned in plan.runs if planned.record is not None)
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
    """Yield records of runs done by worker processes; the first Ctrl-C lets running ones end."""
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
    """Yield records of runs done on other machines; closing it early cancels running ones."""
    from retain.execution.backends.ray import RayPool
    from retain.execution.backends.submitit import SubmititPool

    arguments = (first_run, plan.study, watcher.on_start)
    if isinstance(backend, Ray):
        pool: RayPool | SubmititPool = RayPool(backend, *arguments)
    else:
        pool = SubmititPool(backend, *arguments)
    with pool:
        yield from pool.records(queue)


def _run_in_process(queue: TaskQueue, watcher: Watcher) -> Generator[Record]:
    """Yield records of runs done in this process, which waits for runs of other launches."""
    from retain.execution.runner import execute

    while queue:
        task = queue.pop()
        watcher.on_start(task)
        with _ignore_log_errors():
            while (record := execute(task)) is None:
                time.sleep(POLL_SECONDS)
        if isinstance(record, Record):  # always, outside a race
            yield record


@contextmanager
def _ignore_log_errors() -> Iterator[None]:
    """Suppress errors of logging, so that a full disk is reported once, not for every line."""
    before = logging.raiseExceptions
    logging.raiseExceptions = False
    try:
        yield
    finally:
        logging.raiseExceptions = before
