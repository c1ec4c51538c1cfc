"""One run in whichever process: from its config to its record, whatever happens in between.

No exception leaves ``execute``: one that cannot be unpickled would take the whole sweep along.
"""

from __future__ import annotations

import logging
import resource
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from omegaconf import OmegaConf
from threadpoolctl import threadpool_limits

from retain.app.components import experiment
from retain.app.prepared import prepare
from retain.errors import NotApplicable, RetainError
from retain.learning.experiment import Evaluation, evaluate
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
    write_text,
)
from retain.schema import Run, parse

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """A run to be done, in plain values that any process can take.

    The facts are those the parent saw before anything was fitted; a run on other customers fails.
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
    started: str = ""

    @property
    def run(self) -> Run:
        """The config as types."""
        return parse(Run, self.tree)


@dataclass
class Ending:
    """How a run ended, as its record will tell."""

    state: State
    reason: str | None = None
    traceback: str | None = None
    evaluation: Evaluation | None = None
    warnings: list[str] = field(default_factory=list)


def execute(task: Task) -> Record:
    """Do a run and write its directory; the record is written last."""
    task = replace(task, started=_now())
    task.directory.reopen()
    for name, node in (
        ("config", task.tree),
        ("hydra", {"hydra": task.hydra}),
        ("overrides", list(task.overrides)),
    ):
        text = OmegaConf.to_yaml(OmegaConf.create(node))
        write_text(task.directory.hydra / f"{name}.yaml", text)
    with _logged(task), threadpool_limits(task.tree["threads"]):
        ending = _ended(task)
        return finish(task, ending)


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
        peak_memory_mb=_peak_memory_mb(),
        environment=task.environment,
        git=task.git,
        warnings=tuple(dict.fromkeys(ending.warnings)),
        started=task.started or _now(),
        finished=_now(),
    )
    task.directory.finish(record)
    return record


def _ended(task: Task) -> Ending:
    """The run itself, every way it can end turned into a value."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        ending = _outcome(task)
    ending.warnings = [f"{w.category.__name__}: {w.message}" for w in caught]
    for text in ending.warnings:
        log.warning(text)
    return ending


def _outcome(task: Task) -> Ending:
    try:
        return Ending("done", evaluation=_evaluated(task))
    except NotApplicable as no:
        log.info("not applicable: %s", no)
        return Ending("not_applicable", reason=str(no))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        log.exception("the run failed")
        reason = (
            str(error) if isinstance(error, RetainError) else f"{type(error).__name__}: {error}"
        )
        return Ending("failed", reason=reason, traceback=traceback.format_exc())


def _evaluated(task: Task) -> Evaluation:
    prepared = prepare(task.run)
    for line in (
        *prepared.heard,
        *(f"{c.outcome} {c.code}: {c.sentence}" for c in prepared.checks),
    ):
        log.info(line)
    for facts, seen in ((prepared.data, task.data), (prepared.split, task.split)):
        if facts != seen:
            raise RetainError("the data changed while the sweep ran; launch the line again.")
    evaluation = evaluate(experiment(task.run), prepared.customers, prepared.splits)
    for name, metric in evaluation.metrics.items():
        log.info("%s %.4f [%.4f, %.4f]", name, metric["mean"], metric["low"], metric["high"])
    return evaluation


@contextmanager
def _logged(task: Task) -> Iterator[None]:
    """Everything logged goes to the run's own file."""
    handler = logging.FileHandler(task.directory.log, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
        handler.close()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _peak_memory_mb() -> float:
    """The most memory this process has held, in MiB; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)
