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
from retain.app.task import told
from retain.app.view import View
from retain.app.workers import answering_interrupts
from retain.record import Record, StudyDirectory
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
    queue = costs.queue(tasks)
    records: list[Record] = []
    with told(tasks[0]):
        planned.study.check_writable()
        with View(console, planned, costs, workers) as view:
            done = _doing(engine, queue, first, planned.study, view)
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
    engine: Engine | None, queue: Queue, first: Run, study: StudyDirectory, view: View
) -> Generator[Record]:
    if engine is None:
        return _here(queue, view)
    if isinstance(engine, Local):
        return _apart(queue, min(engine.at_once(first), len(queue)), first, view)
    return _afar(engine, queue, first, study, view)


def _apart(queue: Queue, workers: int, first: Run, view: View) -> Generator[Record]:
    """Records of runs done in worker processes; the first Ctrl-C lets them end what they have."""

    def stop(*_: object) -> None:
        crew.begin_no_more()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        view.console.print(f"ending {len(crew.under_way)} under way; Ctrl-C again stops them")

    with Crew(workers, first.limits, view.started) as crew, answering_interrupts(stop):
        yield from crew.records(queue)
        if crew.given_up:
            raise KeyboardInterrupt


def _afar(
    engine: SubmititLocal | Slurm | Ray, queue: Queue, first: Run, study: StudyDirectory, view: View
) -> Generator[Record]:
    """Records of runs done by an engine's machines; closed early, it cancels what is under way."""
    from retain.app.jobs import JobCrew
    from retain.app.ray_crew import RayCrew

    crew = (
        RayCrew(engine, first, study, view.started)
        if isinstance(engine, Ray)
        else JobCrew(engine, first, study, view.started)
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
