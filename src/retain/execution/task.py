"""A run to be done and how it ended, in plain values that any process can take.

Imports nothing heavy: the process that launches a sweep does without pandas and scikit-learn.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retain.errors import RetainError
from retain.execution.shared_memory import SharedValue
from retain.record import (
    SCHEMA,
    CheckResult,
    DataInfo,
    Environment,
    Git,
    MetricSummary,
    Record,
    RunDirectory,
    SplitInfo,
    State,
    TuningInfo,
)
from retain.schema import Run, parse
from retain.storage.writing import replacing

if TYPE_CHECKING:
    from retain.learning.experiment import CrossValidationResult


@dataclass(frozen=True)
class Rung:
    """A part of a run that is done in one go.

    Attributes
    ----------
    folds
        How many folds the run has at the end of it, earlier legs included.
    final
        Whether the race stops the run there, so that it ends with these folds.
    spent
        Seconds that its earlier legs took, which limits count.
    """

    folds: int
    final: bool = False
    spent: float = 0.0


@dataclass(frozen=True)
class RungResult:
    """How far a run is that has not ended.

    Attributes
    ----------
    id
        The run's.
    roc_auc
        One for each fold it has, in the order of the splits; higher is better.
    seconds
        What its phases took, all legs together.
    spent
        Wall seconds of all legs, what is no phase included.
    """

    id: str
    roc_auc: tuple[float, ...]
    seconds: float
    spent: float


PATIENCE = 50
"""How often, ten times a second, the claim of a process that died is tried."""


@dataclass(frozen=True)
class SharedInputs:
    """What the runs of one launch share: customers read before, and a folder of prepared rows.

    ``place`` is where among the customers handed over the run finds its own.
    """

    customers: SharedValue
    place: int
    rows: Path


@dataclass(frozen=True)
class Task:
    """A run to be done.

    Attributes
    ----------
    tree, recorded
        The config as it is done, and as it is recorded: without values from the environment.
    data, split, checks
        What was seen before anything was fitted; a run on other customers fails.
    before
        When the record that was there finished, so that a newer one is known as somebody else's.
    shared
        None where the run reads its customers itself.
    leg
        How far it is to go in a race; None for the whole run at once.
    started, since
        When it was, by the wall clock and by one that does not jump.
    """

    id: str
    directory: RunDirectory
    tree: dict[str, Any]
    recorded: dict[str, Any]
    overrides: tuple[str, ...]
    hydra: dict[str, Any]
    data: DataInfo
    split: SplitInfo
    checks: tuple[CheckResult, ...]
    environment: Environment
    git: Git
    before: str | None = None
    shared: SharedInputs | None = None
    leg: Rung | None = None
    started: str = ""
    since: float = 0.0

    @property
    def run(self) -> Run:
        """The config as types."""
        return parse(Run, self.tree)

    @property
    def races(self) -> bool:
        """Whether a race may stop the run, and a record of where one did is good enough."""
        return bool(self.tree["validation"].get("early_stopping"))

    @property
    def spent(self) -> float:
        """Seconds that earlier legs took."""
        return 0.0 if self.leg is None else self.leg.spent

    def begun(self) -> Task:
        """The same task, started now."""
        return replace(self, started=now(), since=time.monotonic())

    def over(self) -> str:
        """When a task that ends now ended: so long after its start as it took.

        The wall clock may have been set meanwhile, and would let a run end before it began.
        """
        if not self.started:
            return now()
        began = datetime.fromisoformat(self.started)
        took = timedelta(seconds=time.monotonic() - self.since)
        return (began + took).isoformat(timespec="milliseconds")

    def done_elsewhere(self) -> Record | None:
        """The record that somebody else finished since this task was planned, if it holds."""
        try:
            record = self.directory.read()
        except RetainError:  # broken since; it is done anew
            return None
        if record is None or record.finished_at == self.before:
            return None
        return record if self.why_again(record) is None else None

    def why_again(self, record: Record) -> str | None:
        """Why a record that is there does not do for this task, or None where it does."""
        outdated = record.outdated(self.data, self.split, self.environment)
        if outdated is not None or not record.stopped_early or self.races:
            return outdated
        return f"it was stopped after {record.folds} of {record.split.fits} folds"


@dataclass
class RunOutcome:
    """How a run ended, as its record will tell; ``started`` where an earlier leg began it."""

    state: State
    reason: str | None = None
    traceback: str | None = None
    evaluation: CrossValidationResult | None = None
    warnings: list[str] = field(default_factory=list)
    peak_memory_mb: float | None = None
    started: str | None = None
    stopped_early: bool = False


@contextmanager
def readable_write_errors(task: Task) -> Iterator[None]:
    """Turn what keeps a run's directory from being written into a sentence.

    What a model raises is recorded: an ``OSError`` that leaves a run is of our own writing.
    """
    try:
        yield
    except OSError as error:
        study = task.directory.path.parent
        raise RetainError.unwritable(study, error, "outputs=FOLDER") from None


def record_dead_run(task: Task, reason: str) -> Record | None:
    """The record of a run whose process died; None where another launch took it over.

    The run may have ended just before its process did. What its process forked may hold the
    claim for the moment it takes to be killed.
    """
    for _ in range(PATIENCE):
        with task.directory.claimed() as mine:
            if mine:
                ended = task.done_elsewhere()
                if ended is None:
                    task.directory.reopen()
                return ended or finish(task, RunOutcome("failed", reason=reason))
        time.sleep(0.1)
    return None


def finish(task: Task, ending: RunOutcome) -> Record:
    """Write a run's scores and its final state."""
    evaluation = ending.evaluation
    if evaluation is not None:
        with replacing(task.directory.scores) as path:
            evaluation.scores.table.to_parquet(path, index=False)
    metrics = {} if evaluation is None else evaluation.metrics
    tuning = None if evaluation is None else evaluation.tuning
    started = ending.started or task.started or now()
    record = Record(
        schema=SCHEMA,
        id=task.id,
        study=task.tree["study"]["name"],
        state=ending.state,
        reason=ending.reason,
        traceback=ending.traceback,
        config=task.recorded,
        overrides=task.overrides,
        seed=task.tree["seed"],
        data=task.data,
        split=task.split,
        metrics={
            name: MetricSummary(**{**metric, "fold_values": tuple(metric["fold_values"])})
            for name, metric in metrics.items()
        },
        checks=task.checks,
        seconds={} if evaluation is None else evaluation.seconds,
        peak_memory_mb=ending.peak_memory_mb,
        environment=task.environment,
        git=task.git,
        warnings=tuple(dict.fromkeys(ending.warnings)),
        started_at=started,
        finished_at=max(started, task.over()),  # the wall clock may have been set between two legs
        stopped_early=ending.stopped_early,
        tuning=None if tuning is None else parse(TuningInfo, tuning),
        scores_bytes=None if evaluation is None else task.directory.scores.stat().st_size,
    )
    task.directory.finish(record)
    return record


def now() -> str:
    """The wall clock in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
