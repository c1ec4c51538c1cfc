"""The runs of a sweep on a Ray cluster: one actor for each run done at a time.

An actor has a worker process on its node and does one run after the other. Ray retries nothing: a
run whose node dies is recorded as failed, and another actor replaces the lost one.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from retain.errors import RetainError
from retain.execution.backends.remote import enter_launch_dir, to_remote
from retain.execution.dispatcher import Dispatcher
from retain.execution.executor import Executor, Future, WorkerExecutor
from retain.execution.scheduling import CostModel
from retain.execution.task import Task
from retain.execution.worker import WorkerDiedError, ignore_sigint
from retain.record.document import Record
from retain.record.study import StudyDirectory
from retain.schema.run import Limits, Run

if TYPE_CHECKING:
    from retain.execution.backends.config import Ray


MAX_START_FAILURES = 3
"""Consecutive actors that may die before they are ready."""
OBJECT_STORE_BYTES = 100 * 2**20
"""Shared memory of a local Ray; tasks and records are small."""


class RunActor:
    """A Ray actor with one worker process."""

    def __init__(self, environment: Mapping[str, str], limits: Limits) -> None:
        os.environ.update(environment)
        # This process read the variable before it was set; workers search the same path.
        sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
        self._dispatcher = Dispatcher(WorkerExecutor(1), limits)

    def prepare(self, working_dir: Path, study: Path) -> None:
        """Change to the folder of the launch."""
        enter_launch_dir(working_dir, study)

    def run(self, task: Task) -> Record:
        """Do a task and return its record, also if the worker process dies."""
        return next(self._dispatcher.records(CostModel().make_queue([task])))


class RayExecutor(Executor):
    """Actors that do a run each at a time."""

    def __init__(self, backend: Ray, first_run: Run, study: StudyDirectory) -> None:
        super().__init__()
        self._ray = _import_ray(backend)
        self._backend = backend
        self._first_run = first_run
        self._study = study.path.absolute()
        self._free: list[Any] = []
        self._busy: dict[Any, tuple[Any, Future | None]] = {}
        self._n_deaths = 0
        self._last_progress = 0.0

    def __enter__(self) -> Self:
        self._study.mkdir(parents=True, exist_ok=True)
        local = {"num_cpus": self._first_run.workers * self._first_run.threads or os.cpu_count()}
        local |= {"include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
        try:
            with _leave_current_folder():
                self._ray.init(
                    address=self._backend.address or "local",
                    log_to_driver=False,
                    logging_level="ERROR",
                    **({} if self._backend.address else local),
                )
        except (OSError, RuntimeError, ValueError) as error:
            message = str(error).strip().splitlines()[0]
            found = f"hydra.launcher.address={self._backend.address}: {message}"
            raise RetainError(found) from None
        self._size = self._first_run.workers or self._n_slots()
        self._last_progress = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        with ignore_sigint():
            for actor in [*self._free, *(actor for actor, _ in self._busy.values())]:
                self._ray.kill(actor)  # its worker process ends within a second
            self._ray.shutdown()

    def count_free(self, n_tasks: int) -> int:
        """Return the number of actors that are ready, and start more while more runs wait."""
        n_needed = min(self._size, self._n_running + n_tasks)
        for _ in range(n_needed - len(self._free) - len(self._busy)):
            self._start_actor()
        return min(len(self._free), n_tasks)

    def _start_jobs(self) -> None:
        while self._free and self._queue:
            actor, future = self._free.pop(), self._queue.popleft()
            (task,) = future.arguments
            self._busy[actor.run.remote(to_remote(task).task)] = (actor, future)
            future.state = "running"

    def wait(self, _timeout: float | None = None) -> None:
        """Wait a second at most for an actor that has done its run or is ready for one."""
        ended, _ = self._ray.wait(list(self._busy), num_returns=1, timeout=1)
        for reference in ended:
            self._collect(reference)
        self._check_timeout()

    @property
    def _n_running(self) -> int:
        return sum(future is not None for _, future in self._busy.values())

    def _n_slots(self) -> int:
        """Return the number of runs that the cluster has CPUs for now."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 0)) // self._first_run.threads)

    def _start_actor(self) -> None:
        environment = {
            name: value
            for name, value in os.environ.items()
            if name.startswith("RETAIN_") or name == "PYTHONPATH"  # of a trusted package, say
        }
        actor_class = self._ray.remote(num_cpus=self._first_run.threads, max_restarts=0)(RunActor)
        actor = actor_class.remote(environment, self._first_run.limits)
        self._busy[actor.prepare.remote(Path.cwd(), self._study)] = (actor, None)

    def _collect(self, reference: Any) -> None:
        """Take the record of an actor's run, also if the actor died, or note that it is ready."""
        actor, future = self._busy.pop(reference)
        errors = self._ray.exceptions
        try:
            record: Record | None = self._ray.get(reference)
        except errors.RayTaskError as error:
            raise error.cause from None
        except errors.RayError as error:
            self._ray.kill(actor)  # it may only be unreachable, and must not write any more
            self._record_death(future, error)
            return
        self._n_deaths = 0
        self._free.append(actor)
        if future is not None:
            future.set_result(record)

    def _record_death(self, future: Future | None, error: Exception) -> None:
        if future is not None:
            reason = f"its Ray worker died: {str(error).splitlines()[0]}"
            future.set_exception(WorkerDiedError(reason, traceback=str(error)))
            return
        self._n_deaths += 1
        if self._n_deaths >= MAX_START_FAILURES:
            message = str(error).strip().splitlines()[-1]
            raise RetainError(f"Ray's workers die while they start: {message}")

    def _check_timeout(self) -> None:
        """Raise an error if no node has had room for a run for too long."""
        now = time.monotonic()
        if self._free or self._n_running:
            self._last_progress = now
        elif now - self._last_progress > 60 * self._backend.wait_min:
            raise RetainError(
                f"for {self._backend.wait_min} minutes no node of the Ray cluster had room for a "
                f"run of {self._first_run.threads} CPUs; the same line continues when one has."
            )


@contextmanager
def _leave_current_folder() -> Iterator[None]:
    """Change to the folder of this package: Ray adds its start folder to its workers' path.

    Relative paths of the user's PYTHONPATH become absolute in the context.
    """
    before = os.environ.get("PYTHONPATH")
    if before is not None:
        absolute = [os.path.abspath(path) for path in before.split(os.pathsep)]  # noqa: PTH100
        os.environ["PYTHONPATH"] = os.pathsep.join(absolute)
    try:
        with chdir(Path(__file__).resolve().parents[2]):
            yield
    finally:
        if before is not None:
            os.environ["PYTHONPATH"] = before


def _import_ray(backend: Ray) -> Any:
    """Import Ray with quiet settings.

    Raises
    ------
    RetainError
        If it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else older ones warn
    if backend.address is None:  # a local Ray lives as long as the sweep and needs no token
        os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    try:
        import ray
    except ImportError:
        raise RetainError(
            "hydra/launcher=ray needs Ray, which is not installed; type: pip install 'retain[ray]'"
        ) from None
    return ray
