"""A sweep: the pending runs of a plan, done in this process or by a backend."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from typing import Protocol

from retain.execution.backends.config import Backend, Local, PluginLauncher, Ray
from retain.execution.dispatcher import Dispatcher
from retain.execution.executor import Executor, InProcessExecutor, WorkerExecutor
from retain.execution.plan import SweepPlan
from retain.execution.racing import Race
from retain.execution.scheduling import CostModel
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
    """Yield records as runs end; closing it early ends or cancels the running ones."""
    validation, is_local = first_run.validation, isinstance(backend, Local)
    with _make_executor(backend, first_run, plan) as executor:
        dispatcher = Dispatcher(executor, first_run.limits, watcher.on_start)
        stop = partial(_stop, dispatcher, watcher)
        with sigint_handler(stop) if is_local else nullcontext():
            if is_local and validation.early_stopping and len(plan.runs) > 1:
                race = Race(plan, validation.min_folds, costs, watcher.on_pause)
                yield from race.records(dispatcher)
            else:
                yield from dispatcher.records(costs.make_queue(plan.pending))
            if dispatcher.n_cancelled:
                raise KeyboardInterrupt


def _stop(dispatcher: Dispatcher, watcher: Watcher, *_: object) -> None:
    """Let the running runs end; the next Ctrl-C ends them too."""
    dispatcher.close()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    watcher.on_stopping(dispatcher.n_running)


def _make_executor(backend: Backend | None, first_run: Run, plan: SweepPlan) -> Executor:
    if backend is None:
        return InProcessExecutor()
    if isinstance(backend, Local):
        return WorkerExecutor(min(backend.parallelism(first_run), len(plan.pending)))
    if isinstance(backend, PluginLauncher):
        from retain.execution.backends.plugin import PluginExecutor

        return PluginExecutor(backend, first_run, plan.study)
    from retain.execution.backends.ray import RayExecutor
    from retain.execution.backends.submitit import SubmititExecutor

    if isinstance(backend, Ray):
        return RayExecutor(backend, first_run, plan.study)
    return SubmititExecutor(backend, first_run, plan.study)
