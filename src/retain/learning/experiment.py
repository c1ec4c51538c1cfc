"""One run: a recipe evaluated out of fold on customers, and the same recipe fitted for good.

May import: errors, schema, customers. No Hydra here: a notebook can call ``evaluate``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from imblearn.pipeline import Pipeline
from sklearn.base import BaseEstimator, clone

from retain.customers.customers import Customers
from retain.errors import RetainError
from retain.learning import applicable
from retain.learning.features import matrix
from retain.learning.fold_rows import FoldCache, FoldRows, prepared, recipe_of
from retain.learning.metrics import Metric, chosen, corrected_interval
from retain.learning.pipeline import Recipe, assemble
from retain.learning.scores import COLUMNS, Scores
from retain.learning.validation import Fold, Splits
from retain.schema import Features, Metrics


@dataclass(frozen=True)
class Experiment:
    """Everything a run depends on besides the customers and their splits."""

    recipe: Recipe
    features: Features
    metrics: Metrics
    seed: int


@dataclass(frozen=True)
class Evaluation:
    """What an experiment came to.

    ``metrics`` maps a name to ``{mean, low, high, higher_is_better, folds}``, the folds in the
    order of ``Splits.folds``; ``seconds`` maps a phase to wall time.
    """

    scores: Scores
    metrics: dict[str, dict[str, Any]]
    seconds: dict[str, float]


class Stopwatch:
    """Wall seconds by phase.

    >>> watch = Stopwatch()
    >>> with watch.phase("fit"):
    ...     pass
    >>> list(watch.seconds)
    ['fit']
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time spent inside to ``name``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            self.seconds[name] = round(self.seconds.get(name, 0.0) + spent, 6)


def evaluate(
    experiment: Experiment, customers: Customers, splits: Splits, cache: FoldCache | None = None
) -> Evaluation:
    """Out-of-fold scores of every training customer in every repeat, and their metrics.

    Runs that share a ``cache`` share the rows they prepare alike; scores are the same without.

    Raises
    ------
    NotApplicable
        When the recipe has no meaning on these customers.
    RetainError
        When a metric of some fold is not finite: such a run has no mean.
    """
    watch = Stopwatch()
    with watch.phase("prepare"):
        table = matrix(customers, experiment.features).loc[splits.ids]
        target = customers.labelled.loc[splits.ids]
        for fold in splits.folds:
            applicable.check(experiment.recipe, table, target.iloc[fold.train])
        model = assemble(experiment.recipe, table, customers.twins, experiment.seed)
        content = _content(customers, splits, table, model)

    def rows(fold: Fold) -> FoldRows:
        train, test = table.iloc[fold.train], table.iloc[fold.test]
        make = partial(prepared, model, train, target.to_numpy()[fold.train], test)
        if cache is None or content is None:
            return make()
        return cache.rows(f"{content}/{fold.repeat}/{fold.fold}", make)

    parts = []
    for fold in splits.folds:
        if isinstance(model, Pipeline):
            probability = _by_rows(model, rows, fold, watch)
        else:
            probability = _by_table(model, table, target, fold, watch)
        held = target.iloc[fold.test]
        parts.append(_table(held.index, fold.repeat, fold.fold, held, probability))
    with watch.phase("metrics"):
        scores = Scores(pd.concat(parts, ignore_index=True), "out_of_fold")
        metrics = _measured(experiment, scores, customers.profit, splits)
    return Evaluation(scores, metrics, watch.seconds)


def fit(experiment: Experiment, customers: Customers, ids: pd.Index) -> BaseEstimator:
    """The experiment's estimator fitted on all the customers named."""
    table = matrix(customers, experiment.features).loc[ids]
    model = assemble(experiment.recipe, table, customers.twins, experiment.seed)
    return model.fit(table, customers.labelled.loc[ids].to_numpy())


def score_sealed(
    model: BaseEstimator, experiment: Experiment, customers: Customers, ids: pd.Index
) -> Scores:
    """Scores of the sealed customers, by a model that was fitted on all others."""
    table = matrix(customers, experiment.features).loc[ids]
    probability = model.predict_proba(table)[:, 1]
    return Scores(_table(ids, 0, 0, customers.labelled.loc[ids], probability), "sealed_test")


def _content(
    customers: Customers, splits: Splits, table: pd.DataFrame, model: BaseEstimator
) -> str | None:
    """Text that two runs share if the same rows come out of preparation in each fold."""
    recipe = recipe_of(model) if isinstance(model, Pipeline) else None
    if recipe is None:
        return None
    features = f"{[*table]} {customers.derived}"
    return f"{customers.fingerprint} {splits.fingerprint} {features} {recipe}"


def _by_rows(
    model: Pipeline, rows: Callable[[Fold], FoldRows], fold: Fold, watch: Stopwatch
) -> np.ndarray:
    """Probabilities of a fold's test rows, preparation and model apart."""
    with watch.phase("prepare"):
        prepared_rows = rows(fold)
    with watch.phase("fit"):
        fitted = clone(model[-1]).fit(prepared_rows.train, prepared_rows.target)
    with watch.phase("predict"):
        return np.asarray(fitted.predict_proba(prepared_rows.test)[:, 1])


def _by_table(
    model: BaseEstimator, table: pd.DataFrame, target: pd.Series, fold: Fold, watch: Stopwatch
) -> np.ndarray:
    """Probabilities of a fold's test rows, by a model with preparations of its own within."""
    with watch.phase("fit"):
        fitted = clone(model).fit(table.iloc[fold.train], target.to_numpy()[fold.train])
    with watch.phase("predict"):
        return np.asarray(fitted.predict_proba(table.iloc[fold.test])[:, 1])


def _table(
    ids: pd.Index, repeat: int, fold: int, target: pd.Series, probability: np.ndarray
) -> pd.DataFrame:
    columns = (ids, repeat, fold, target.to_numpy(), np.clip(probability, 0, 1))
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def _measured(
    experiment: Experiment, scores: Scores, profit: pd.Series | None, splits: Splits
) -> dict[str, dict[str, Any]]:
    metrics = chosen(experiment.metrics, with_profit=profit is not None)
    by_fold = [part for _, part in scores.table.groupby(["repeat", "fold"], sort=True)]
    return {
        metric.name: _summary(
            metric, [_value(metric, part, profit) for part in by_fold], splits.test_to_train
        )
        for metric in metrics
    }


def _value(metric: Metric, part: pd.DataFrame, profit: pd.Series | None) -> float:
    money = None if profit is None else profit.loc[part["customer_id"]].to_numpy()
    value = metric.compute(part["target"].to_numpy(), part["probability"].to_numpy(), money)
    if not np.isfinite(value):
        repeat, fold = part["repeat"].iloc[0], part["fold"].iloc[0]
        raise RetainError(
            f"{metric.name} is {value} in repeat {repeat}, fold {fold} "
            f"({int(part['target'].sum())} of {len(part)} customers declined): a mean over folds "
            "would hide it. Lower validation.folds, or leave the metric out."
        )
    return float(value)


def _summary(metric: Metric, values: list[float], test_to_train: float) -> dict[str, Any]:
    low, high = corrected_interval(values, test_to_train, metric.bounds)
    return {
        "mean": float(np.mean(values)),
        "low": low,
        "high": high,
        "higher_is_better": metric.higher_is_better,
        "folds": values,
    }
