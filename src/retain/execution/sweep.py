"""Doing what is to be done: in this process or apart, watched, and stopped with grace."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Protocol

from retain.execution.backends.config import Backend, Local, Ray, Slurm, SubmititLocal
from retain.execution.plan import Plan
from retain.execution.pool import TICK, RunPool
from retain.execution.racing import Race
from retain.execution.scheduling import CostModel, Queue
from retain.execution.task import RungResult, Task, readable_write_errors
from retain.execution.worker import sigint_handler
from retain.record import Record
from retain.schema import Run


class Watcher(Protocol):
    """Whoever watches a sweep; its methods may be called from any thread."""

    def started(self, task: Task) -> None:
        """Take note that a run began."""

    def paused(self, progress: RungResult) -> None:
        """Take note that a run in a race waits for the others."""

    def ended(self, record: Record) -> None:
        """Take note of the record of a run that ended."""

    def stopping(self, runs: int) -> None:
        """Take note that no run is begun any more, and how many are under way."""

    def stopped(self) -> None:
        """Take note that runs were left undone."""


def sweep(
    planned: Plan,
    first: Run,
    engine: Backend | None,
    watch: Callable[[CostModel, int], AbstractContextManager[Watcher]],
) -> list[Record]:
    """Return the records of the runs done.

    Parameters
    ----------
    planned
        The runs.
    first
        The config of one of them, for what all have in common.
    engine
        Whose processes do the runs; None for this process.
    watch
        Called with what runs cost and the number of workers; returns who watches.

    Raises
    ------
    KeyboardInterrupt
        When Ctrl-C left runs undone; the same line continues with them.
    RetainError
        When the study's folder or a run's cannot be written.
    """
    tasks = planned.to_do
    if not tasks:
        return []
    workers = min(1 if engine is None else engine.at_once(first), len(tasks))
    costs = CostModel(one.record for one in planned.runs if one.record is not None)
    records: list[Record] = []
    with readable_write_errors(tasks[0]):
        planned.study.check_writable()
        with watch(costs, workers) as watcher:
            done = _doing(engine, planned, costs, first, watcher)
            try:
                with closing(done):
                    for record in done:
                        records.append(record)
                        costs.add(record)
                        watcher.ended(record)
            except KeyboardInterrupt:
                watcher.stopped()
                raise
    return records


def _doing(
    engine: Backend | None, planned: Plan, costs: CostModel, first: Run, watcher: Watcher
) -> Generator[Record]:
    if isinstance(engine, Local):
        return _apart(engine, planned, costs, first, watcher)
    queue = costs.queue(planned.to_do)
    if engine is None:
        return _here(queue, watcher)
    return _afar(engine, queue, first, planned, watcher)


def _apart(
    engine: Local, planned: Plan, costs: CostModel, first: Run, watcher: Watcher
) -> Generator[Record]:
    """Records of runs done in worker processes; the first Ctrl-C lets them end what they have."""
    tasks, validation = planned.to_do, first.validation
    workers = min(engine.at_once(first), len(tasks))

    def stop(*_: object) -> None:
        crew.begin_no_more()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        watcher.stopping(len(crew.under_way))

    with RunPool(workers, first.limits, watcher.started) as crew, sigint_handler(stop):
        if validation.early_stopping and len(planned.runs) > 1:
            race = Race(planned, validation.min_folds, costs, watcher.paused)
            yield from race.records(crew)
        else:
            yield from crew.records(costs.queue(tasks))
        if crew.given_up:
            raise KeyboardInterrupt


def _afar(
    engine: SubmititLocal | Slurm | Ray, queue: Queue, first: Run, planned: Plan, watcher: Watcher
) -> Generator[Record]:
    """Records of runs done by an engine's machines; closed early, it cancels what is under way."""
    from retain.execution.backends.ray import RayPool
    from retain.execution.backends.submitit import SubmititPool

    crew = (
        RayPool(engine, first, planned.study, watcher.started)
        if isinstance(engine, Ray)
        else SubmititPool(engine, first, planned.study, watcher.started)
    )
    with crew:
        yield from crew.records(queue)


def _here(queue: Queue, watcher: Watcher) -> Generator[Record]:
    """Records of runs done in this process, which waits where another launch is at one."""
    from retain.execution.runner import execute

    while queue:
        task = queue.pop()
        watcher.started(task)
        with _quiet_logging():
            while (record := execute(task)) is None:
                time.sleep(TICK)
        if isinstance(record, Record):  # as any run's is that is done in one go
            yield record


@contextmanager
def _quiet_logging() -> Iterator[None]:
    """A full disk is told of once, not at every line that cannot be logged."""
    before = logging.raiseExceptions
    logging.raiseExceptions = False
    try:
        yield
    finally:
        logging.raiseExceptions = before
