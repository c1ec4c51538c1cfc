"""A run to do, and its outcome: plain values for any process.

Imports nothing heavy: the process that launches a sweep needs neither pandas nor scikit-learn.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from retain.errors import RetainError
from retain.execution.inputs import SharedInputs
from retain.record.directory import RunDirectory
from retain.record.document import (
    SCHEMA,
    CheckResult,
    DataInfo,
    Environment,
    Git,
    MetricSummary,
    Record,
    SplitInfo,
    State,
)
from retain.record.tuning import TuningInfo
from retain.schema.parsing import Node, parse
from retain.schema.run import Run
from retain.storage.writing import atomic_write, hash_file

if TYPE_CHECKING:
    from retain.learning.cross_validation import CrossValidationResult


@dataclass(frozen=True)
class Rung:
    """A part of a run in a race, after which it waits for the other runs.

    Attributes
    ----------
    folds
        Number of folds the run has after the rung, earlier rungs included.
    is_final
        True if the race has eliminated the run, so that it ends with these folds.
    seconds_spent
        Time of earlier rungs, which counts towards the limits.
    """

    folds: int
    is_final: bool = False
    seconds_spent: float = 0.0


@dataclass(frozen=True)
class RungResult:
    """The result of a rung, after which the run goes on.

    Attributes
    ----------
    roc_auc
        Score of each fold so far, in the order of the splits; higher is better.
    seconds, seconds_spent
        Time of the run's phases, and wall time, over all rungs.
    """

    id: str
    roc_auc: tuple[float, ...]
    seconds: float
    seconds_spent: float


MAX_CLAIM_ATTEMPTS = 50
"""Attempts, ten a second, to lock the directory of a run whose process died."""


@dataclass(frozen=True)
class Task:
    """A run to do.

    Attributes
    ----------
    config, recorded_config
        The config as it is run, and as it is recorded: without values from the environment.
    data, split, checks
        Facts seen before the launch; the run fails if its customers differ.
    previous_finished
        Finish time of the older record, if there is one; a newer record is of another launch.
    shared
        None if the run reads its customers itself.
    rung
        The part to do in a race; None for the whole run.
    started, monotonic_start
        Start time by the wall clock and by a clock that never jumps.
    """

    id: str
    directory: RunDirectory
    config: Node
    recorded_config: Node
    overrides: tuple[str, ...]
    hydra: Node
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
        """True if a race may stop the run early, and a record that one stopped is valid."""
        return bool(self.config["validation"].get("early_stopping"))

    @property
    def cut_from(self) -> str | None:
        """Id of the longer run whose fits suffice for this one, None if there is none."""
        return None if self.shared is None else self.shared.cut_from

    @property
    def is_cut(self) -> bool:
        """True if the scores are expected to be cut from the fits of a longer run."""
        return self.cut_from is not None

    @property
    def seconds_spent(self) -> float:
        """Time of earlier rungs."""
        return 0.0 if self.rung is None else self.rung.seconds_spent

    def mark_started(self) -> Task:
        """Return the same task, started now."""
        return replace(self, started=now(), monotonic_start=time.monotonic())

    def finished_at(self) -> str:
        """Return the finish time of a task that ends now: its start plus its duration.

        The wall clock may have been set meanwhile, and could end the run before its start.
        """
        if not self.started:
            return now()
        duration = timedelta(seconds=time.monotonic() - self.monotonic_start)
        finished = datetime.fromisoformat(self.started) + duration
        return finished.isoformat(timespec="milliseconds")

    def read_newer_record(self) -> Record | None:
        """Return a valid record that another launch wrote since this task was planned."""
        try:
            record = self.directory.read()
        except RetainError:  # broken: run again
            return None
        if record is None or record.finished_at == self.previous_finished:
            return None
        return record if self.rerun_reason(record) is None else None

    def rerun_reason(self, record: Record) -> str | None:
        """Return the reason why a record is not valid for this task, None if it is."""
        outdated = record.staleness_reason(self.data, self.split, self.environment)
        if outdated is not None or not record.stopped_early or self.is_racing:
            return outdated
        return f"it was stopped after {record.folds} of {record.split.fits} folds"


@dataclass
class RunOutcome:
    """The outcome of a run for its record; ``started`` is set if an earlier rung started it."""

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
    """Turn an ``OSError`` about a run's directory into a message.

    Errors of models are recorded, so an ``OSError`` that leaves a run is about its directory.
    """
    try:
        yield
    except OSError as error:
        study = task.directory.path.parent
        raise RetainError.unwritable(study, error, "outputs=FOLDER") from None


def record_dead_run(task: Task, reason: str, traceback: str | None = None) -> Record | None:
    """Write and return the record of a run whose worker died; None if another launch has it.

    The run may have ended before its worker, whose children may hold its lock for a while.
    ``traceback`` is that of a worker on another machine, whose lock is not waited for for ever.
    """
    for attempts_left in reversed(range(MAX_CLAIM_ATTEMPTS)):
        with task.directory.hold_lock() as mine:
            if mine or (traceback is not None and not attempts_left):
                record = task.read_newer_record()
                if record is None:
                    task.directory.reopen()
                return record or finish(task, RunOutcome("failed", reason, traceback))
        time.sleep(0.1)
    return None


def finish(task: Task, outcome: RunOutcome) -> Record:
    """Write a run's scores and its record."""
    evaluation = outcome.evaluation
    if evaluation is not None:
        with atomic_write(task.directory.scores) as path:
            evaluation.write_scores(path)
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
        metrics={
            name: MetricSummary(**{**metric, "fold_values": tuple(metric["fold_values"])})
            for name, metric in metrics.items()
        },
        checks=task.checks,
        seconds={} if evaluation is None else evaluation.seconds,
        peak_memory_mb=outcome.peak_memory_mb,
        environment=task.environment,
        git=task.git,
        warnings=tuple(dict.fromkeys(outcome.warnings)),
        started_at=started,
        finished_at=max(started, task.finished_at()),  # clocks may be set between rungs
        stopped_early=outcome.stopped_early,
        tuning=None if tuning is None else TuningInfo.of(tuning),
        scores_bytes=None if evaluation is None else task.directory.scores.stat().st_size,
        scores_sha256=None if evaluation is None else hash_file(task.directory.scores),
    )
    task.directory.finish(record)
    return record


def now() -> str:
    """Return the current time in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
