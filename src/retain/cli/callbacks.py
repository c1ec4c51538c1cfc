"""Callbacks of Hydra's kind, called in the launching process as runs start and end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig, OmegaConf

from retain.errors import RetainError
from retain.learning.registry import find_class

if TYPE_CHECKING:
    from retain.execution.plan import RunConfig
    from retain.execution.scheduling import CostModel
    from retain.execution.sweep import Watcher
    from retain.execution.task import RungResult, Task
    from retain.record.document import Record

METHODS = ("on_multirun_start", "on_multirun_end", "on_job_start", "on_job_end")
"""Methods that are called, those that a class has: ``config`` is given by name."""
_METRIC = "roc_auc"
MakeWatcher = Callable[["CostModel", int], AbstractContextManager["Watcher"]]


def build_callbacks(composed: RunConfig, *, multirun: bool) -> Callbacks:
    """Return the callbacks that ``hydra.callbacks`` names.

    Raises
    ------
    RetainError
        A class is in no package that ``RETAIN_TRUST`` names, has none of the methods, or refuses
        its parameters.
    """
    nodes = composed.hydra.get("callbacks") or {}
    built = [_build(f"hydra.callbacks.{name}", node) for name, node in nodes.items()]
    config = _to_config({**composed.recorded_config, "hydra": composed.hydra} if built else {})
    return Callbacks(built, config, multirun)


def _build(where: str, node: object) -> Any:
    if not isinstance(node, Mapping) or "_target_" not in node:
        raise RetainError.at(where, f"it is {node!r}", f"expected {where}._target_=PACKAGE.CLASS")
    target = find_class(where, str(node["_target_"]))
    if not any(hasattr(target, name) for name in METHODS):
        found = f"{target.__name__} has none of {', '.join(METHODS)}"
        raise RetainError.at(where, found, "expected one of them")
    try:
        return target(**{key: value for key, value in node.items() if key != "_target_"})
    except (TypeError, ValueError) as error:
        raise RetainError(f"{where} cannot be built: {error}.") from None


@dataclass(frozen=True)
class Callbacks:
    """The callbacks of a command line, with the config that they are given at its start and end."""

    objects: Sequence[Any]
    config: DictConfig
    is_multirun: bool

    def call(self, method: str, **arguments: object) -> None:
        """Call a method of those that have it."""
        for callback in self.objects:
            if (found := getattr(callback, method, None)) is not None:
                found(**arguments)

    def calling(self, make_watcher: MakeWatcher) -> MakeWatcher:
        """Return a maker of watchers that call them too, if there are any."""
        return partial(self._watch, make_watcher) if self.objects else make_watcher

    @contextmanager
    def _watch(
        self, make_watcher: MakeWatcher, costs: CostModel, workers: int
    ) -> Iterator[CallingWatcher]:
        with make_watcher(costs, workers) as watcher:
            if self.is_multirun:
                self.call("on_multirun_start", config=self.config)
            try:
                yield CallingWatcher(watcher, self)
            finally:
                if self.is_multirun:
                    self.call("on_multirun_end", config=self.config)


@dataclass(frozen=True)
class CallingWatcher:
    """A watcher that calls callbacks too."""

    watcher: Watcher
    callbacks: Callbacks

    def on_start(self, task: Task) -> None:
        """Handle the start of a run."""
        self.watcher.on_start(task)
        self.callbacks.call("on_job_start", config=_to_config(task.config), task_function=None)

    def on_pause(self, result: RungResult) -> None:
        """Handle a run in a race that waits for the others."""
        self.watcher.on_pause(result)

    def on_end(self, record: Record) -> None:
        """Handle the record of a run that ended."""
        self.watcher.on_end(record)
        done = JobReturn()
        done.cfg, done.overrides = _to_config(record.config), list(record.overrides)
        failed = record.state == "failed"
        done.status = JobStatus.FAILED if failed else JobStatus.COMPLETED
        found = record.metrics.get(_METRIC)
        done.return_value = RetainError(str(record.reason)) if failed else found and found.value
        self.callbacks.call("on_job_end", config=done.cfg, job_return=done)

    def on_stopping(self, n_running: int) -> None:
        """Handle a stop."""
        self.watcher.on_stopping(n_running)

    def on_interrupt(self) -> None:
        """Handle the end of a sweep with runs not done."""
        self.watcher.on_interrupt()


def _to_config(tree: Mapping[str, Any]) -> DictConfig:
    return OmegaConf.create(dict(tree))
