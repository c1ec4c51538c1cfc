"""The runs of a sweep on a Ray cluster: one actor for each run fitted at a time.

An actor holds a worker process on its node and does one run after the other in it. Ray is told to
try nothing again: a run whose node dies is recorded as failed, and another actor takes its place.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from retain.errors import RetainError
from retain.execution.backends.remote import enter_launch_dir, ignore, record_lost_run, to_remote
from retain.execution.pool import RunPool
from retain.execution.scheduling import CostModel, Queue
from retain.execution.task import Task
from retain.execution.worker import ignore_sigint
from retain.record import Record, StudyDirectory
from retain.schema import Limits, Run

if TYPE_CHECKING:
    from retain.execution.backends.config import Ray


TRIES = 3
"""Actors in a row that may die before they are ready."""
STORE = 100 * 2**20
"""Bytes of shared memory for a Ray of our own; tasks and records are small."""


class RunActor:
    """One place where runs are fitted, on whichever node; Ray's actor."""

    def __init__(self, environment: Mapping[str, str], limits: Limits) -> None:
        os.environ.update(environment)
        # Workers search where this process does, which had read the variable before it was set.
        sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
        self._crew = RunPool(1, limits, ignore)

    def ready(self, launched: Path, study: Path) -> None:
        """Go to the sweep's folder, or tell that it is not there."""
        enter_launch_dir(launched, study)

    def do(self, task: Task) -> Record:
        """The record of a task, also when the worker process dies doing it."""
        return next(self._crew.records(CostModel().queue([task])))


class RayPool:
    """Actors that share a list of tasks. A context manager; leaving it stops them."""

    def __init__(
        self, engine: Ray, first: Run, study: StudyDirectory, took: Callable[[Task], None]
    ) -> None:
        self._ray = _installed(engine)
        self._engine = engine
        self._first = first
        self._took = took
        self._study = study.path.absolute()
        self._free: list[Any] = []
        self._busy: dict[Any, tuple[Any, Task | None]] = {}
        self._deaths = 0
        self._last_seen = 0.0

    def __enter__(self) -> Self:
        self._study.mkdir(parents=True, exist_ok=True)
        own = {"num_cpus": self._first.workers * self._first.threads or os.cpu_count()}
        own |= {"include_dashboard": False, "object_store_memory": STORE}
        try:
            with _outside_current_folder():
                self._ray.init(
                    address=self._engine.address or "local",
                    log_to_driver=False,
                    logging_level="ERROR",
                    **({} if self._engine.address else own),
                )
        except (OSError, RuntimeError, ValueError) as error:
            told = str(error).strip().splitlines()[0]
            raise RetainError(f"hydra.launcher.address={self._engine.address}: {told}") from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with ignore_sigint():
            for actor in [*self._free, *(actor for actor, _ in self._busy.values())]:
                self._ray.kill(actor)  # its worker process ends within a second
            self._ray.shutdown()

    def records(self, waiting: Queue) -> Iterator[Record]:
        """The record of each task, as they end."""
        size = self._first.workers or self._room()
        self._last_seen = time.monotonic()
        while waiting or any(task for _, task in self._busy.values()):
            self._assign(waiting, size)
            ended, _ = self._ray.wait(list(self._busy), num_returns=1, timeout=1)
            for answer in ended:
                record = self._answered(answer)
                if record is not None:
                    yield record
            self._check_patience()

    def _room(self) -> int:
        """As many runs as the cluster has CPUs for now."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 0)) // self._first.threads)

    def _assign(self, waiting: Queue, size: int) -> None:
        """Give tasks to those who are free, and hire while there is more to do than hands."""
        fitted = sum(task is not None for _, task in self._busy.values())
        wanted = min(size, fitted + len(waiting))
        for _ in range(wanted - len(self._free) - len(self._busy)):
            self._hire()
        while self._free and waiting:
            actor, task = self._free.pop(), to_remote(waiting.pop()).task
            self._busy[actor.do.remote(task)] = (actor, task)
            self._took(task)

    def _hire(self) -> None:
        passed = {
            name: value
            for name, value in os.environ.items()
            if name.startswith("RETAIN_") or name == "PYTHONPATH"  # of a trusted package, say
        }
        kind = self._ray.remote(num_cpus=self._first.threads, max_restarts=0)(RunActor)
        actor = kind.remote(passed, self._first.limits)
        self._busy[actor.ready.remote(Path.cwd(), self._study)] = (actor, None)

    def _answered(self, answer: Any) -> Record | None:
        """The record an actor sent, the one its death leaves, or None when it is just ready."""
        actor, task = self._busy.pop(answer)
        errors = self._ray.exceptions
        try:
            record: Record | None = self._ray.get(answer)
        except errors.RayTaskError as error:
            raise error.cause from None
        except errors.RayError as error:
            self._ray.kill(actor)  # it may only be out of reach, and must not write any more
            return self._lost(task, error)
        self._deaths = 0
        self._free.append(actor)
        return record

    def _lost(self, task: Task | None, error: Exception) -> Record | None:
        if task is not None:
            reason = f"its Ray worker died: {str(error).splitlines()[0]}"
            return record_lost_run(task, reason, str(error))
        self._deaths += 1
        if self._deaths >= TRIES:
            told = str(error).strip().splitlines()[-1]
            raise RetainError(f"Ray's workers die while they start: {told}")
        return None

    def _check_patience(self) -> None:
        """Refuse to wait for ever where no node is left that could take a run."""
        now = time.monotonic()
        if self._free or any(task for _, task in self._busy.values()):
            self._last_seen = now
        elif now - self._last_seen > 60 * self._engine.wait_min:
            raise RetainError(
                f"for {self._engine.wait_min} minutes no node of the Ray cluster had room for a "
                f"run of {self._first.threads} CPUs; the same line continues when one has."
            )


@contextmanager
def _outside_current_folder() -> Iterator[None]:
    """Stand where this package lies: Ray puts the folder it is started in on its workers' path.

    What the user's PYTHONPATH names from the current folder is named from the root meanwhile.
    """
    before = os.environ.get("PYTHONPATH")
    if before is not None:
        named = [os.path.abspath(path) for path in before.split(os.pathsep)]  # noqa: PTH100
        os.environ["PYTHONPATH"] = os.pathsep.join(named)
    try:
        with chdir(Path(__file__).resolve().parents[2]):
            yield
    finally:
        if before is not None:
            os.environ["PYTHONPATH"] = before


def _installed(engine: Ray) -> Any:
    """The package, told to keep quiet, or a sentence that tells how to get it."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else older ones warn
    if engine.address is None:  # a Ray of our own lives as long as the sweep and needs no token
        os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    try:
        import ray
    except ImportError:
        raise RetainError(
            "hydra/launcher=ray needs Ray, which is not installed; type: pip install 'retain[ray]'"
        ) from None
    return ray
