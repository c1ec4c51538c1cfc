"""Checkpoints: the folds that a run in a race has so far, saved in its directory.

A race that is killed loses only the folds under way. A checkpoint is valid only for the same code,
packages, customers and splits, like a record.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from retain.errors import RetainError
from retain.execution.task import RungResult
from retain.learning.cross_validation import CrossValidationResult
from retain.learning.score_file import has_first_folds, scores_table
from retain.learning.scores import COLUMNS, Scores
from retain.schema.parsing import Config, parse
from retain.storage.parquet import read_parquet
from retain.storage.reading import parse_json
from retain.storage.writing import atomic_write

if TYPE_CHECKING:
    from retain.execution.task import RunOutcome, Task


METADATA_KEY = b"retain"
"""Key of the facts in the metadata of the Parquet file."""


class FoldFacts(Config):
    """Facts about the folds beside their scores: what made them, and their cost."""

    made_by: dict[str, Any]
    roc_auc: tuple[float, ...]
    seconds: dict[str, float]
    tuning: dict[str, Any] | None
    spent: float
    warnings: tuple[str, ...]
    peak_memory_mb: float | None
    started: str


@dataclass(frozen=True)
class Checkpoint:
    """The folds that a run has so far, and their cost.

    ``evaluation`` has no metrics: they are computed over all folds when there are more.
    """

    evaluation: CrossValidationResult
    rung_result: RungResult
    warnings: tuple[str, ...]
    peak_memory_mb: float | None
    started: str


def load_checkpoint(task: Task) -> Checkpoint | None:
    """Return the checkpoint of a run, None if there is no valid one."""
    try:
        table, facts = _read(task)
    except RetainError:  # missing or broken
        return None
    if facts.made_by != _made_by(task):
        return None
    return Checkpoint(
        evaluation=CrossValidationResult(
            Scores(table, "out_of_fold"), {}, facts.seconds, facts.tuning
        ),
        rung_result=RungResult(task.id, facts.roc_auc, sum(facts.seconds.values()), facts.spent),
        warnings=facts.warnings,
        peak_memory_mb=facts.peak_memory_mb,
        started=facts.started,
    )


def _read(task: Task) -> tuple[pd.DataFrame, FoldFacts]:
    path, max_cells = task.directory.folds, len(COLUMNS) * task.data.n_rows * task.split.n_repeats
    table = read_parquet(path, max_cells=max_cells, within=task.directory.path)
    text = (table.schema.metadata or {}).get(METADATA_KEY, b"{}")
    facts = parse(FoldFacts, parse_json(text, str(path)), str(path))
    scores, count = scores_table(table, path), len(facts.roc_auc)
    tuned = count if facts.tuning is None else len(facts.tuning.get("folds", ()))
    if tuned != count or not has_first_folds(scores, count, task.split):
        raise RetainError(f"{path} holds other folds than it says.")
    return scores, facts


def save_checkpoint(
    task: Task, outcome: RunOutcome, evaluation: CrossValidationResult, seconds_spent: float
) -> RungResult:
    """Write the folds of a run that goes on later.

    ``seconds_spent`` is the wall time of its earlier rungs.
    """
    seconds_spent += time.monotonic() - task.monotonic_start
    roc_auc = evaluation.metrics["roc_auc"]["fold_values"]
    facts = FoldFacts(
        made_by=_made_by(task),
        roc_auc=tuple(roc_auc),
        seconds=evaluation.seconds,
        tuning=evaluation.tuning,
        spent=seconds_spent,
        warnings=tuple(outcome.warnings),
        peak_memory_mb=outcome.peak_memory_mb,
        started=outcome.started or task.started,
    )
    table = pa.Table.from_pandas(evaluation.scores.table, preserve_index=False)
    with atomic_write(task.directory.folds, durable=False) as path:
        pq.write_table(table.replace_schema_metadata({METADATA_KEY: facts.model_dump_json()}), path)
    return RungResult(task.id, tuple(roc_auc), sum(evaluation.seconds.values()), seconds_spent)


def _made_by(task: Task) -> dict[str, Any]:
    return {
        "data": task.data.fingerprint,
        "split": task.split.fingerprint,
        "code": task.environment.code_sha256,
        "packages": task.environment.packages,
    }
