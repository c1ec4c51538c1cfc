"""One run: a recipe evaluated out of fold on customers, and the same recipe fitted for good.

May import: errors, schema, customers. No Hydra here: a notebook can call ``evaluate``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
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
    """Wall seconds by phase, those spent before included.

    >>> watch = Stopwatch({})
    >>> with watch.phase("fit"):
    ...     pass
    >>> list(watch.seconds)
    ['fit']
    """

    def __init__(self, spent: Mapping[str, float]) -> None:
        self.seconds = dict(spent)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time spent inside to ``name``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            self.seconds[name] = round(self.seconds.get(name, 0.0) + spent, 6)


def evaluate(  # noqa: PLR0913 - the last two are for those who stop on the way
    experiment: Experiment,
    customers: Customers,
    splits: Splits,
    cache: FoldCache | None = None,
    *,
    begun: Evaluation | None = None,
    upto: int | None = None,
) -> Evaluation:
    """Out-of-fold scores of every training customer in every repeat, and their metrics.

    Runs that share a ``cache`` share the rows they prepare alike; scores are the same without.
    With ``upto`` only that many folds are scored, and ``begun`` are the first of them, scored
    before: in several goes or in one, scores and metrics are the same bits.

    Raises
    ------
    NotApplicable
        When the recipe has no meaning on these customers.
    RetainError
        When a metric of some fold is not finite: such a run has no mean.
    """
    watch = Stopwatch({} if begun is None else begun.seconds)
    with watch.phase("prepare"):
        table = matrix(customers, experiment.features).loc[splits.ids]
        labels = customers.labelled.loc[splits.ids].to_numpy()
        for fold in splits.folds:
            applicable.check(experiment.recipe, table, labels[fold.train])
        model = assemble(experiment.recipe, table, customers.twins, experiment.seed)
        content = _content(customers, splits, table, model)

    def made(fold: Fold) -> FoldRows:
        train, test = table.iloc[fold.train], table.iloc[fold.test]
        return prepared(model, train, labels[fold.train], test)

    def rows(fold: Fold) -> FoldRows:
        if cache is None or content is None:
            return made(fold)
        return cache.rows(f"{content}/{fold.repeat}/{fold.fold}", partial(made, fold))

    parts = [] if begun is None else _again(begun.scores, splits, labels)[:upto]
    for fold in splits.folds[len(parts) : upto]:
        if isinstance(model, Pipeline):
            probability = _by_rows(model, rows, fold, watch)
        else:
            probability = _by_table(model, table, labels, fold, watch)
        parts.append(_Part(fold, splits.ids[fold.test], labels[fold.test], _within(probability)))
    with watch.phase("metrics"):
        scores = Scores(_stacked(parts), "out_of_fold")
        metrics = _measured(experiment, parts, customers.profit, splits)
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
    target = customers.labelled.loc[ids].to_numpy()
    whole = Fold(0, 0, np.arange(0), np.arange(len(ids)))
    return Scores(_stacked([_Part(whole, ids, target, _within(probability))]), "sealed_test")


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
    model: BaseEstimator, table: pd.DataFrame, labels: np.ndarray, fold: Fold, watch: Stopwatch
) -> np.ndarray:
    """Probabilities of a fold's test rows, by a model with preparations of its own within."""
    with watch.phase("fit"):
        fitted = clone(model).fit(table.iloc[fold.train], labels[fold.train])
    with watch.phase("predict"):
        return np.asarray(fitted.predict_proba(table.iloc[fold.test])[:, 1])


@dataclass(frozen=True)
class _Part:
    """The scored customers of one fold."""

    fold: Fold
    ids: pd.Index
    target: np.ndarray
    probability: np.ndarray


def _again(scores: Scores, splits: Splits, labels: np.ndarray) -> list[_Part]:
    """The folds that were scored before: the first ones, in the order of the splits."""
    left = scores.table["probability"].to_numpy()
    parts: list[_Part] = []
    while len(left):
        fold = splits.folds[len(parts)]
        mine, left = np.split(left, [len(fold.test)])
        parts.append(_Part(fold, splits.ids[fold.test], labels[fold.test], mine))
    return parts


def _within(probability: np.ndarray) -> np.ndarray:
    """Probabilities without the rounding errors of models that add theirs up."""
    return np.asarray(np.clip(probability, 0, 1))


def _stacked(parts: list[_Part]) -> pd.DataFrame:
    counts = [len(part.ids) for part in parts]
    ids = parts[0].ids.append([part.ids for part in parts[1:]])
    columns = (
        ids,
        np.repeat([part.fold.repeat for part in parts], counts),
        np.repeat([part.fold.fold for part in parts], counts),
        np.concatenate([part.target for part in parts]),
        np.concatenate([part.probability for part in parts]),
    )
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def _measured(
    experiment: Experiment, parts: list[_Part], profit: pd.Series | None, splits: Splits
) -> dict[str, dict[str, Any]]:
    money = [None if profit is None else profit.loc[part.ids].to_numpy() for part in parts]
    return {
        metric.name: _summary(
            metric,
            [_value(metric, part, worth) for part, worth in zip(parts, money, strict=True)],
            splits.test_to_train,
        )
        for metric in chosen(experiment.metrics, with_profit=profit is not None)
    }


def _value(metric: Metric, part: _Part, money: np.ndarray | None) -> float:
    value = metric.compute(part.target, part.probability, money)
    if not np.isfinite(value):
        raise RetainError(
            f"{metric.name} is {value} in repeat {part.fold.repeat}, fold {part.fold.fold} "
            f"({int(part.target.sum())} of {len(part.ids)} customers declined): a mean over folds "
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
