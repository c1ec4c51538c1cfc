"""The runs of a sweep on an executor of another package, one job each."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures import Executor as FuturesExecutor
from concurrent.futures import Future as RemoteFuture
from dataclasses import dataclass
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Self

from retain.errors import RetainError
from retain.execution.backends.config import PluginLauncher
from retain.execution.backends.remote import enter_launch_dir, to_remote
from retain.execution.dispatcher import Dispatcher
from retain.execution.executor import Executor, Future, WorkerExecutor
from retain.execution.scheduling import CostModel
from retain.execution.task import Task
from retain.execution.worker import WorkerDiedError
from retain.plugins.registry import require
from retain.record.document import Record
from retain.record.study import StudyDirectory
from retain.schema.run import Limits, Run

POLL_SECONDS = 1.0
"""Longest wait for a job to end."""
_HELD = threading.local()
_BEFORE_CHILDREN = 10
"""Priority of what multiprocessing does before it joins child processes."""


@dataclass(frozen=True)
class RemoteRun:
    """One run, done by a worker process beside the thread that calls it."""

    task: Task
    limits: Limits
    working_dir: Path
    study: Path

    def __call__(self) -> Record:
        """Do the run and return its record, also if the worker process dies."""
        enter_launch_dir(self.working_dir, self.study)
        if not hasattr(_HELD, "worker"):
            _HELD.worker = _HeldWorker()
        dispatcher = Dispatcher(_HELD.worker.executor, self.limits)
        return next(dispatcher.records(CostModel().make_queue([self.task])))


class _HeldWorker:
    """A worker process that ends with the thread that started it, or before its process ends."""

    def __init__(self) -> None:
        self.executor = WorkerExecutor(1)
        # A process of a pool waits for its children before it would run anything of ``atexit``.
        Finalize(self, self.executor.__exit__, (None,), exitpriority=_BEFORE_CHILDREN)


class PluginExecutor(Executor):
    """Jobs on an executor of ``concurrent.futures``."""

    def __init__(self, backend: PluginLauncher, first_run: Run, study: StudyDirectory) -> None:
        super().__init__()
        self._backend, self._first_run = backend, first_run
        self._study = study.path.absolute()
        self._running: dict[RemoteFuture[Record], Future] = {}

    def __enter__(self) -> Self:
        """Make the executor.

        Raises
        ------
        RetainError
            If it cannot be made, or is none.
        """
        name = self._backend.engine
        make = require("launcher", name, "hydra/launcher").target
        try:
            made = make(**self._backend.parameters)
        except (TypeError, ValueError, OSError) as error:
            raise RetainError(f"the launcher {name!r} cannot start: {error}.") from None
        if not isinstance(made, FuturesExecutor):
            raise RetainError(
                f"the launcher {name!r} returns a {type(made).__name__}; expected a "
                "concurrent.futures.Executor."
            )
        self._study.mkdir(parents=True, exist_ok=True)
        self._jobs = made
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._jobs.shutdown(wait=kind is None, cancel_futures=True)

    def count_free(self, n_tasks: int) -> int:
        """Return how many runs to submit now, so that ``workers`` are under way."""
        return min(n_tasks, self._backend.parallelism(self._first_run) - len(self._running))

    def _start_jobs(self) -> None:
        while self._queue:
            future = self._queue.popleft()
            (task,) = future.arguments
            limits = self._first_run.limits
            run = RemoteRun(to_remote(task).task, limits, Path.cwd(), self._study)
            try:
                self._running[self._jobs.submit(run)] = future
            except RuntimeError as error:  # a pool that broke, or was closed
                found = f"the launcher {self._backend.engine!r} takes no more jobs"
                raise RetainError(f"{found}: {type(error).__name__}: {error}") from None
            future.state = "running"

    def wait(self, timeout: float | None = None) -> None:
        """Wait, a second at most, for jobs to end."""
        ended, _ = wait(self._running, min(timeout or POLL_SECONDS, POLL_SECONDS), FIRST_COMPLETED)
        for job in ended:
            future = self._running.pop(job)
            try:
                future.set_result(job.result())
            except RetainError as error:
                future.set_exception(error)
            except Exception as error:  # noqa: BLE001 - whatever the executor's machines raise
                reason = f"its job on {self._backend.engine} ended: {type(error).__name__}: {error}"
                future.set_exception(WorkerDiedError(reason, traceback=str(error)))
