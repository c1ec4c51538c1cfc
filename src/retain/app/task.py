"""A run to be done and how it ended, in plain values that any process can take.

Imports nothing heavy: the process that launches a sweep does without pandas and scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retain.app.handing import Handed
from retain.record import (
    SCHEMA,
    CheckFacts,
    DataFacts,
    Environment,
    Git,
    MetricFacts,
    Record,
    RunDirectory,
    SplitFacts,
    State,
    replacing,
)
from retain.schema import Run, parse

if TYPE_CHECKING:
    from retain.learning.experiment import Evaluation


@dataclass(frozen=True)
class Shared:
    """What the runs of one launch share: customers read before, and a folder of prepared rows.

    ``place`` is where among the customers handed over the run finds its own.
    """

    customers: Handed
    place: int
    rows: Path


@dataclass(frozen=True)
class Task:
    """A run to be done.

    Attributes
    ----------
    data, split, checks
        What was seen before anything was fitted; a run on other customers fails.
    before
        When the record that was there finished, so that a newer one is known as somebody else's.
    shared
        None where the run reads its customers itself.
    """

    id: str
    directory: RunDirectory
    tree: dict[str, Any]
    overrides: tuple[str, ...]
    hydra: dict[str, Any]
    data: DataFacts
    split: SplitFacts
    checks: tuple[CheckFacts, ...]
    environment: Environment
    git: Git
    before: str | None = None
    shared: Shared | None = None
    started: str = ""

    @property
    def run(self) -> Run:
        """The config as types."""
        return parse(Run, self.tree)

    def begun(self) -> Task:
        """The same task, started now."""
        return replace(self, started=now())

    def done_elsewhere(self) -> Record | None:
        """The record that somebody else finished since this task was planned, if it holds."""
        record = self.directory.read()
        if record is None or record.finished == self.before:
            return None
        outdated = record.outdated(self.data, self.split, self.environment)
        return record if outdated is None else None


@dataclass
class Ending:
    """How a run ended, as its record will tell."""

    state: State
    reason: str | None = None
    traceback: str | None = None
    evaluation: Evaluation | None = None
    warnings: list[str] = field(default_factory=list)
    peak_memory_mb: float | None = None


def finish(task: Task, ending: Ending) -> Record:
    """Write a run's scores and its final state."""
    evaluation = ending.evaluation
    if evaluation is not None:
        with replacing(task.directory.scores) as path:
            evaluation.scores.table.to_parquet(path, index=False)
    metrics = {} if evaluation is None else evaluation.metrics
    record = Record(
        schema=SCHEMA,
        id=task.id,
        study=task.tree["study"]["name"],
        state=ending.state,
        reason=ending.reason,
        traceback=ending.traceback,
        config=task.tree,
        overrides=task.overrides,
        seed=task.tree["seed"],
        data=task.data,
        split=task.split,
        metrics={n: MetricFacts(**{**m, "folds": tuple(m["folds"])}) for n, m in metrics.items()},
        checks=task.checks,
        seconds={} if evaluation is None else evaluation.seconds,
        peak_memory_mb=ending.peak_memory_mb,
        environment=task.environment,
        git=task.git,
        warnings=tuple(dict.fromkeys(ending.warnings)),
        started=task.started or now(),
        finished=now(),
    )
    task.directory.finish(record)
    return record


def now() -> str:
    """The wall clock in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
