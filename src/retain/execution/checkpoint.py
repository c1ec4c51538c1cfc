"""What a run has before it ends: the folds of its earlier legs, kept in its directory.

A race that is killed loses the folds under way and no other. They are gone on with only by the
same code and packages on the same customers and splits, as its record would hold only there.
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
from retain.learning.experiment import CrossValidationResult
from retain.learning.score_file import has_first_folds, scores_table
from retain.learning.scores import COLUMNS, Scores
from retain.schema import Config, parse
from retain.storage.parquet import read_parquet
from retain.storage.reading import parse_json
from retain.storage.writing import replacing

if TYPE_CHECKING:
    from retain.execution.task import RunOutcome, Task


FACTS = b"retain"
"""Where in the metadata of the file the facts about it stand."""


class FoldFacts(Config):
    """What is known of folds beside their scores: what made them, and what they took."""

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
    """The folds a run has, and what they took.

    ``evaluation`` lacks the metrics, which are computed over all folds when there are more.
    """

    evaluation: CrossValidationResult
    progress: RungResult
    warnings: tuple[str, ...]
    peak_memory_mb: float | None
    started: str


def load_checkpoint(task: Task) -> Checkpoint | None:
    """What there is of a run, or None where it begins anew."""
    try:
        table, facts = _read(task)
    except RetainError:  # none there, or nobody's we know
        return None
    if facts.made_by != _made_by(task):
        return None
    return Checkpoint(
        evaluation=CrossValidationResult(
            Scores(table, "out_of_fold"), {}, facts.seconds, facts.tuning
        ),
        progress=RungResult(task.id, facts.roc_auc, sum(facts.seconds.values()), facts.spent),
        warnings=facts.warnings,
        peak_memory_mb=facts.peak_memory_mb,
        started=facts.started,
    )


def _read(task: Task) -> tuple[pd.DataFrame, FoldFacts]:
    path, most = task.directory.folds, len(COLUMNS) * task.data.n_rows * task.split.n_repeats
    table = read_parquet(path, cells=most, within=task.directory.path)
    told = (table.schema.metadata or {}).get(FACTS, b"{}")
    facts = parse(FoldFacts, parse_json(told, str(path)), str(path))
    scores, count = scores_table(table, path), len(facts.roc_auc)
    tuned = count if facts.tuning is None else len(facts.tuning.get("folds", ()))
    if tuned != count or not has_first_folds(scores, count, task.split):
        raise RetainError(f"{path} holds other folds than it says.")
    return scores, facts


def save_checkpoint(
    task: Task, ending: RunOutcome, evaluation: CrossValidationResult, spent: float
) -> RungResult:
    """Write what there is of a run that goes on later.

    ``spent`` is what its earlier legs took, in wall seconds.
    """
    spent += time.monotonic() - task.since
    roc_auc = evaluation.metrics["roc_auc"]["fold_values"]
    facts = FoldFacts(
        made_by=_made_by(task),
        roc_auc=tuple(roc_auc),
        seconds=evaluation.seconds,
        tuning=evaluation.tuning,
        spent=spent,
        warnings=tuple(ending.warnings),
        peak_memory_mb=ending.peak_memory_mb,
        started=ending.started or task.started,
    )
    table = pa.Table.from_pandas(evaluation.scores.table, preserve_index=False)
    with replacing(task.directory.folds, durable=False) as path:
        pq.write_table(table.replace_schema_metadata({FACTS: facts.model_dump_json()}), path)
    return RungResult(task.id, tuple(roc_auc), sum(evaluation.seconds.values()), spent)


def _made_by(task: Task) -> dict[str, Any]:
    return {
        "data": task.data.fingerprint,
        "split": task.split.fingerprint,
        "code": task.environment.code_sha256,
        "packages": task.environment.packages,
    }
