"""Cross-validation of a training spec, and fits of the same spec on given customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from retain.customers.customers import Customers
from retain.errors import RetainError
from retain.learning import tuning_report
from retain.learning.cut_scores import CutScores
from retain.learning.fold_data import PreparedFoldCache
from retain.learning.metric_selection import Metric, select_metrics
from retain.learning.metrics import corrected_interval
from retain.learning.pipeline import assemble, with_population
from retain.learning.score_file import write_scores
from retain.learning.scores import Scores
from retain.learning.scoring import (
    FoldScorer,
    FoldScores,
    Stopwatch,
    TrainingSpec,
    clip_probabilities,
    concat_folds,
    inner_folds,
)
from retain.learning.splits import Fold, Splits
from retain.learning.tuning import tune


@dataclass(frozen=True)
class CrossValidationResult:
    """The result of a cross-validation.

    ``scores`` are out of fold; ``duplicate_groups`` are the groups of at least their customers.
    ``metrics`` maps a name to ``{value, low, high, higher_is_better, fold_values}``, the values
    in the order of ``Splits.folds``; ``seconds`` maps a phase to wall time; ``tuning`` is
    ``summarise_tuning`` of a tuned run.
    """

    scores: Scores
    metrics: dict[str, dict[str, Any]]
    seconds: dict[str, float]
    tuning: dict[str, Any] | None = None
    duplicate_groups: pd.Series | None = None

    def write_scores(self, path: Path) -> None:
        """Write ``scores.parquet``."""
        write_scores(path, self.scores, self.duplicate_groups)


def cross_validate(  # noqa: PLR0913 - three are for what runs share, or for runs in parts
    training: TrainingSpec,
    customers: Customers,
    splits: Splits,
    cache: PreparedFoldCache | None = None,
    *,
    cuts: CutScores | None = None,
    begun: CrossValidationResult | None = None,
    upto: int | None = None,
) -> CrossValidationResult:
    """Return out-of-fold scores of all training customers in all repeats, and their metrics.

    Runs with the same ``cache`` share preprocessed rows; with ``cuts`` the scores of some are cut
    from the fits of others. With ``upto`` only that many folds are scored; ``begun`` holds the
    first of them, scored before. Scores and metrics are bitwise the same whatever is shared, and in
    one part or several.

    Raises
    ------
    NotApplicable
        The training spec is not applicable to these customers.
    RetainError
        A metric of some fold is not finite.
    """
    watch = Stopwatch({} if begun is None else begun.seconds)
    with watch.phase("prepare"):
        scoring = FoldScorer(training, customers, splits, cache, cuts)
    parts = [] if begun is None else scoring.restore_folds(begun.scores, begun.tuning)[:upto]
    parts += [scoring.score_fold(fold, watch) for fold in splits.folds[len(parts) : upto]]
    with watch.phase("metrics"):
        scores = Scores(concat_folds(parts), "out_of_fold")
        metrics = _summarise_metrics(training, parts, customers, splits)
        tuning = _summarise_tuning(training, parts, metrics["roc_auc"]["fold_values"], splits)
    groups = customers.duplicate_groups
    return CrossValidationResult(scores, metrics, watch.seconds, tuning, groups)


def fit(training: TrainingSpec, customers: Customers, ids: pd.Index) -> BaseEstimator:
    """Fit the training spec's estimator, tuned if configured, on the customers ``ids``."""
    table = training.feature_table(customers).loc[ids]
    target = customers.y.loc[ids].to_numpy()
    pipeline = with_population(training.pipeline, customers.panel)
    model = assemble(pipeline, table, customers.duplicate_groups, training.seed)
    if training.pipeline.tuning.on:
        inner = inner_folds(training, customers)
        model = tune(model, training.pipeline, table, target, inner).model
    return model.fit(table, target)


def score_test(
    models: Sequence[BaseEstimator], training: TrainingSpec, customers: Customers, splits: Splits
) -> Scores:
    """Return scores of the sealed test: one of ``models`` for each of ``splits.test_parts``."""
    table, parts = training.feature_table(customers), []
    for index, (model, part) in enumerate(zip(models, splits.test_parts, strict=True)):
        probability = model.predict_proba(table.loc[part.test])[:, 1]
        target = customers.y.loc[part.test].to_numpy()
        whole = Fold(0, index, np.arange(0), np.arange(len(part.test)))
        parts.append(FoldScores(whole, part.test, target, clip_probabilities(probability)))
    return Scores(concat_folds(parts), "sealed_test")


def score_new(model: BaseEstimator, table: pd.DataFrame, *, rows: int = 100_000) -> Scores:
    """Return scores of new customers, whose target is NaN.

    ``table`` holds the model's columns; ``rows`` are scored at a time to bound memory.
    """
    parts = [table.iloc[start : start + rows] for start in range(0, len(table), rows)]
    probability = np.concatenate([model.predict_proba(part)[:, 1] for part in parts])
    whole = Fold(0, 0, np.arange(0), np.arange(len(table)))
    target = np.full(len(table), np.nan)
    return Scores(
        concat_folds([FoldScores(whole, table.index, target, clip_probabilities(probability))]),
        "new",
    )


def _summarise_tuning(
    training: TrainingSpec, parts: list[FoldScores], outer: list[float], splits: Splits
) -> dict[str, Any] | None:
    summaries = [part.tuning for part in parts if part.tuning is not None]
    if not summaries:
        return None
    return tuning_report.summarise_tuning(
        summaries, training.pipeline.search, outer, splits.test_to_train
    )


def _summarise_metrics(
    training: TrainingSpec, parts: list[FoldScores], customers: Customers, splits: Splits
) -> dict[str, dict[str, Any]]:
    profit, trials = customers.profit, _count_trials(parts, customers.duplicate_groups)
    money = [None if profit is None else profit.loc[part.ids].to_numpy() for part in parts]
    return {
        metric.name: _summary(
            metric,
            [
                _value(metric, part, profit_part)
                for part, profit_part in zip(parts, money, strict=True)
            ],
            splits.test_to_train,
            trials,
        )
        for metric in select_metrics(training.metrics, with_profit=profit is not None)
    }


def _value(metric: Metric, part: FoldScores, money: np.ndarray | None) -> float:
    value = metric.compute(part.target, part.probability, money)
    if not np.isfinite(value):
        raise RetainError(
            f"{metric.name} is {value} in repeat {part.fold.repeat}, fold {part.fold.fold} "
            f"({int(part.target.sum())} of {len(part.ids)} customers declined): a mean over folds "
            "would hide it. Lower validation.folds, or leave the metric out."
        )
    return float(value)


def _count_trials(parts: list[FoldScores], duplicate_groups: pd.Series) -> int:
    """Return the number of duplicate groups of the smaller class."""
    ids = pd.Index(np.concatenate([part.ids for part in parts]))
    declined = np.concatenate([part.target for part in parts]) == 1
    groups = duplicate_groups.loc[ids].to_numpy()
    return min(len(np.unique(groups[declined])), len(np.unique(groups[~declined])))


def _summary(
    metric: Metric, values: list[float], test_to_train: float, trials: int
) -> dict[str, Any]:
    low, high = corrected_interval(values, test_to_train, metric.bounds, trials)
    return {
        "value": float(np.mean(values)),
        "low": low,
        "high": high,
        "higher_is_better": metric.higher_is_better,
        "fold_values": values,
    }
