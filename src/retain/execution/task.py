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
from typing import TYPE_CHECKING, Any, Literal

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
from retain.storage.writing import atomic_write

if TYPE_CHECKING:
    from retain.learning.experiment import CrossValidationResult


@dataclass(frozen=True)
class Rung:
    """A part of a run that is done in one go.

    Attributes
    ----------
    folds
        How many folds the run has at the end of it, earlier legs included.
    is_final
        Whether the race stops the run there, so that it ends with these folds.
    seconds_spent
        Seconds that its earlier legs took, which limits count.
    """

    folds: int
    is_final: bool = False
    seconds_spent: float = 0.0


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
    seconds_spent
        Wall seconds of all legs, what is no phase included.
    """

    id: str
    roc_auc: tuple[float, ...]
    seconds: float
    seconds_spent: float


MAX_CLAIM_ATTEMPTS = 50
"""How often, ten times a second, the claim of a process that died is tried."""


@dataclass(frozen=True)
class SharedInputs:
    """What the runs of one launch share: customers read before, and a folder of prepared rows.

    ``index`` is where among the customers handed over the run finds its own.
    """

    datasets: SharedValue
    index: int
    fold_cache_dir: Path


@dataclass(frozen=True)
class Task:
    """A run to be done.

    Attributes
    ----------
    tree, recorded_config
        The config as it is done, and as it is recorded: without values from the environment.
    data, split, checks
        What was seen before anything was fitted; a run on other customers fails.
    previous_finished
        When the record that was there finished, so that a newer one is known as somebody else's.
    shared
        None where the run reads its customers itself.
    rung
        How far it is to go in a race; None for the whole run at once.
    started, monotonic_start
        When it was, by the wall clock and by one that does not jump.
    """

    id: str
    directory: RunDirectory
    config: dict[str, Any]
    recorded_config: dict[str, Any]
    overrides: tuple[str, ...]
    hydra: dict[str, Any]
    data: DataInfo
    split: SplitInfo
    checks: tuple[CheckResult, ...]
    environment: Environment
    git: Git
    previous_finished: str | None = None
    shared: SharedInputs | None = None
    rung: Rung | None = None
    started: str = ""
    monotonic_start: float = 0.0

    @property
    def run(self) -> Run:
        """The config as types."""
        return parse(Run, self.config)

    @property
    def is_racing(self) -> bool:
        """Whether a race may stop the run, and a record of where one did is good enough."""
        return bool(self.config["validation"].get("early_stopping"))

    @property
    def seconds_spent(self) -> float:
        """Seconds that earlier legs took."""
        return 0.0 if self.rung is None else self.rung.seconds_spent

    def mark_started(self) -> Task:
        """The same task, started now."""
        return replace(self, started=now(), monotonic_start=time.monotonic())

    def finished_at(self) -> str:
        """When a task that ends now ended: so long after its start as it took.

        The wall clock may have been set meanwhile, and would let a run end before it began.
        """
        if not self.started:
            return now()
        began = datetime.fromisoformat(self.started)
        took = timedelta(seconds=time.monotonic() - self.monotonic_start)
        return (began + took).isoformat(timespec="milliseconds")

    def read_newer_record(self) -> Record | None:
        """The record that somebody else finished since this task was planned, if it holds."""
        try:
            record = self.directory.read()
        except RetainError:  # broken since; it is done anew
            return None
        if record is None or record.finished == self.previous_finished:
            return None
        return record if self.rerun_reason(record) is None else None

    def rerun_reason(self, record: Record) -> str | None:
        """Why a record that is there does not do for this task, or None where it does."""
        outdated = record.outdated(self.data, self.split, self.environment)
        if outdated is not None or record.stopped is None or self.is_racing:
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
    stopped: Literal["raced"] | None = None


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
    for _ in range(MAX_CLAIM_ATTEMPTS):
        with task.directory.claimed() as mine:
            if mine:
                ended = task.read_newer_record()
                if ended is None:
                    task.directory.reopen()
                return ended or finish(task, RunOutcome("failed", reason=reason))
        time.sleep(0.1)
    return None


def finish(task: Task, outcome: RunOutcome) -> Record:
    """Write a run's scores and its final state."""
    evaluation = outcome.evaluation
    if evaluation is not None:
        with atomic_write(task.directory.scores) as path:
            evaluation.scores.table.to_parquet(path, index=False)
    metrics = {} if evaluation is None else evaluation.metrics
    tuning = None if evaluation is None else evaluation.tuning
    started = outcome.started or task.started or now()
    record = Record(
        schema=SCHEMA,
        id=task.id,
        study=task.config["study"]["name"],
        state=outcome.state,
        reason=outcome.reason,
        traceback=outcome.traceback,
        config=task.recorded_config,
        overrides=task.overrides,
        seed=task.config["seed"],
        data=task.data,
        split=task.split,
        metrics={n: MetricSummary(**{**m, "folds": tuple(m["folds"])}) for n, m in metrics.items()},
        checks=task.checks,
        seconds={} if evaluation is None else evaluation.seconds,
        peak_memory_mb=outcome.peak_memory_mb,
        environment=task.environment,
        git=task.git,
        warnings=tuple(dict.fromkeys(outcome.warnings)),
        started=started,
        finished=max(
            started, task.finished_at()
        ),  # the wall clock may have been set between two legs
        stopped=outcome.stopped,
        tuning=None if tuning is None else parse(TuningInfo, tuning),
        scores_bytes=None if evaluation is None else task.directory.scores.stat().st_size,
    )
    task.directory.finish(record)
    return record


def now() -> str:
    """The wall clock in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
