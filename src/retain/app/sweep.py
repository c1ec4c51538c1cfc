"""Doing what is to be done: in this process or apart, watched, and stopped with grace."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager

from rich.console import Console

from retain.app.costs import Costs, Queue
from retain.app.crew import TICK, Crew
from retain.app.engines import Engine, Local, Ray, Slurm, SubmititLocal
from retain.app.plan import Plan
from retain.app.race import Race
from retain.app.task import told
from retain.app.view import View
from retain.app.workers import answering_interrupts
from retain.record import Record
from retain.schema import Run


def sweep(console: Console, planned: Plan, first: Run, engine: Engine | None) -> list[Record]:
    """The records of the runs done, in an engine's processes or without one in this process.

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
    costs = Costs(one.record for one in planned.runs if one.record is not None)
    records: list[Record] = []
    with told(tasks[0]):
        planned.study.check_writable()
        with View(console, planned, costs, workers) as view:
            done = _doing(engine, planned, costs, first, view)
            try:
                with closing(done):
                    for record in done:
                        records.append(record)
                        costs.add(record)
                        view.ended(record)
            except KeyboardInterrupt:
                console.print(f"stopped: {view.told()}. The same line continues with the rest.")
                raise
    return records


def _doing(
    engine: Engine | None, planned: Plan, costs: Costs, first: Run, view: View
) -> Generator[Record]:
    if isinstance(engine, Local):
        return _apart(engine, planned, costs, first, view)
    queue = costs.queue(planned.to_do)
    return _here(queue, view) if engine is None else _afar(engine, queue, first, planned, view)


def _apart(engine: Local, planned: Plan, costs: Costs, first: Run, view: View) -> Generator[Record]:
    """Records of runs done in worker processes; the first Ctrl-C lets them end what they have."""
    tasks, validation = planned.to_do, first.validation
    workers = min(engine.at_once(first), len(tasks))

    def stop(*_: object) -> None:
        crew.begin_no_more()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        view.console.print(f"ending {len(crew.under_way)} under way; Ctrl-C again stops them")

    with Crew(workers, first.limits, view.started) as crew, answering_interrupts(stop):
        if validation.racing and len(planned.runs) > 1:
            race = Race(planned, validation.burn_in, costs, view.paused)
            yield from race.records(crew)
        else:
            yield from crew.records(costs.queue(tasks))
        if crew.given_up:
            raise KeyboardInterrupt


def _afar(
    engine: SubmititLocal | Slurm | Ray, queue: Queue, first: Run, planned: Plan, view: View
) -> Generator[Record]:
    """Records of runs done by an engine's machines; closed early, it cancels what is under way."""
    from retain.app.jobs import JobCrew
    from retain.app.ray_crew import RayCrew

    crew = (
        RayCrew(engine, first, planned.study, view.started)
        if isinstance(engine, Ray)
        else JobCrew(engine, first, planned.study, view.started)
    )
    with crew:
        yield from crew.records(queue)


def _here(queue: Queue, view: View) -> Generator[Record]:
    """Records of runs done in this process, which waits where another launch is at one."""
    from retain.app.execute import execute

    while queue:
        task = queue.pop()
        view.started(task)
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
