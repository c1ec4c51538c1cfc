"""What a run has before it ends: the folds of its earlier legs, kept in its directory.

A race that is killed loses the folds under way and no other. They are gone on with only by the
same code and packages on the same customers and splits, as its record would hold only there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from retain.app.leg import Progress
from retain.learning.experiment import Evaluation
from retain.learning.scores import Scores
from retain.storage.writing import replacing

if TYPE_CHECKING:
    from retain.app.task import Ending, Task


@dataclass(frozen=True)
class Kept:
    """The folds a run has, and what they took.

    ``evaluation`` lacks the metrics, which are computed over all folds when there are more.
    """

    evaluation: Evaluation
    progress: Progress
    warnings: tuple[str, ...]
    peak_memory_mb: float | None
    started: str


def kept(task: Task) -> Kept | None:
    """What there is of a run, or None where it begins anew."""
    try:
        table = pd.read_parquet(task.directory.folds)
        facts = table.attrs
        if facts["made_by"] != _made_by(task):
            return None
        roc_auc, seconds = tuple(facts["roc_auc"]), facts["seconds"]
        return Kept(
            evaluation=Evaluation(Scores(table, "out_of_fold"), {}, seconds, facts["tuning"]),
            progress=Progress(task.id, roc_auc, sum(seconds.values()), facts["spent"]),
            warnings=tuple(facts["warnings"]),
            peak_memory_mb=facts["peak_memory_mb"],
            started=facts["started"],
        )
    except (OSError, ValueError, KeyError):  # none there, or nobody's we know
        return None


def keep(task: Task, ending: Ending, evaluation: Evaluation, spent: float) -> Progress:
    """Write what there is of a run that goes on later.

    ``spent`` is what its earlier legs took, in wall seconds.
    """
    spent += time.monotonic() - task.since
    roc_auc = evaluation.metrics["roc_auc"]["folds"]
    table = evaluation.scores.table.copy(deep=False)
    table.attrs = {
        "made_by": _made_by(task),
        "roc_auc": roc_auc,
        "seconds": evaluation.seconds,
        "tuning": evaluation.tuning,
        "spent": spent,
        "warnings": ending.warnings,
        "peak_memory_mb": ending.peak_memory_mb,
        "started": ending.started or task.started,
    }
    with replacing(task.directory.folds, durable=False) as path:
        table.to_parquet(path, index=False)
    return Progress(task.id, tuple(roc_auc), sum(evaluation.seconds.values()), spent)


def _made_by(task: Task) -> dict[str, Any]:
    return {
        "data": task.data.fingerprint,
        "split": task.split.fingerprint,
        "code": task.environment.code,
        "packages": task.environment.packages,
    }
