"""Explainers of a model's margin: SHAP's if available, else sampling."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from retain.explanations.kernel_margin import KernelMargin
from retain.explanations.time_budget import TimeBudget
from retain.learning.columns import column_origins, transformed_columns

Score = Callable[[pd.DataFrame], np.ndarray]
Walk = Callable[[pd.DataFrame, np.ndarray], np.ndarray]
"""``walk_rows`` with a score and a background, or what gives the same."""
CHUNK_ROWS = 50_000
"""Mixed rows scored at a time."""


def shapley(
    walk: Walk, table: pd.DataFrame, others: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return Shapley values and their standard errors, each of shape (n_rows, n_features).

    Parameters
    ----------
    walk
        The scores on the way from background rows to the rows of ``table``.
    others
        Number of background rows, ≥ 2. A row's values add up to its score minus their mean score.

    >>> rows = pd.DataFrame({"a": [1.0, 2.0], "b": [0.0, 1.0]})
    >>> double = lambda frame: 2 * frame["a"].to_numpy() + frame["b"].to_numpy()
    >>> walk = partial(walk_rows, double, rows)
    >>> values, errors = shapley(walk, rows, 2, np.random.default_rng(0))
    >>> values.tolist()
    [[-1.0, -0.5], [1.0, 0.5]]
    """
    count = table.shape[1]
    step = max(1, CHUNK_ROWS // (others * (count + 1)))
    values, errors = np.empty(table.shape), np.empty(table.shape)
    for start in range(0, len(table), step):
        part = table.iloc[start : start + step]
        orders = np.broadcast_to(np.arange(count), (len(part), others, count))
        order = random.permuted(orders, axis=2)
        steps = np.diff(walk(part, order), axis=2)
        gains = np.take_along_axis(steps, np.argsort(order, axis=2), axis=2)
        values[start : start + step] = gains.mean(axis=1)
        errors[start : start + step] = gains.std(axis=1, ddof=1) / np.sqrt(others)
    return values, errors


def walk_rows(
    score: Score, background: pd.DataFrame, table: pd.DataFrame, order: np.ndarray
) -> np.ndarray:
    """Return the scores while background rows take over the values of rows, feature by feature.

    Parameters
    ----------
    score
        A function that returns a number for each row of a frame.
    order
        Positions of features in the order of taking over, shape
        (n_rows, n_background, n_features).

    Returns
    -------
    numpy.ndarray
        The scores before the first step and after each, shape
        (n_rows, n_background, n_features + 1).
    """
    rows, others, count = order.shape
    turn = np.argsort(order, axis=2)  # step at which each feature is replaced
    # After k steps, the features with a turn before k have the customer's own values.
    own = turn[:, :, None, :] < np.arange(count + 1)[:, None]
    own_rows = np.arange(rows)[:, None, None, None]
    other_rows = rows + np.arange(others)[:, None, None]
    mixed = np.where(own, own_rows, other_rows).reshape(-1, count)
    both = pd.concat([table, background], ignore_index=True)
    frame = pd.DataFrame({name: both[name].array.take(mixed[:, j]) for j, name in enumerate(both)})
    return score(frame).reshape(rows, others, count + 1)


Kind = Literal["tree", "linear", "sampled"]
Values = tuple[np.ndarray, np.ndarray | None]
"""SHAP values, shape (n, n_features), and their standard errors; None for exact values."""


def _called(inner: BaseEstimator) -> str:
    last = inner[-1] if isinstance(inner, Pipeline) else inner
    return type(last).__name__


def exact(inner: BaseEstimator, train: pd.DataFrame) -> Exact | None:
    """Return SHAP's explainer for a model of this class, or None."""
    if not isinstance(inner, Pipeline):
        return None
    with _quiet():
        return _linear(inner, train) or _tree(inner)


def library() -> ModuleType:
    """Import SHAP without Matplotlib's deprecation warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("shap")


def _tree(inner: Pipeline) -> Exact | None:
    shap = library()
    try:
        return Exact("tree", inner, shap.TreeExplainer(inner[-1]))
    except shap.utils._exceptions.InvalidModelError:  # noqa: SLF001 - it has no public name
        return None


def _linear(inner: Pipeline, train: pd.DataFrame) -> Exact | None:
    shap = library()
    any_masker = shap.maskers.Independent(np.zeros((1, 1)))
    if not shap.LinearExplainer.supports_model_with_masker(inner[-1], any_masker):
        return None
    masker = shap.maskers.Independent(transformed_columns(inner, train), max_samples=len(train))
    return Exact("linear", inner, shap.LinearExplainer(inner[-1], masker))


class Unexplained(Exception):  # noqa: N818 - not an error of the user
    """SHAP cannot explain a model of a class that it supports."""


class Exact:
    """An exact explainer of a pipeline's last step, with columns summed by feature."""

    def __init__(self, kind: Kind, inner: Pipeline, explainer: Any) -> None:
        self.kind, self.called = kind, _called(inner)
        self._inner, self._explainer = inner, explainer

    @property
    def base(self) -> float:
        """Base value; some models have it only after the first explanation."""
        return float(np.ravel(self._explainer.expected_value)[-1])

    def model_columns(self, table: pd.DataFrame) -> np.ndarray:
        """Return the input of the last step, and store the feature of each column."""
        index = {name: j for j, name in enumerate(table)}
        self._feature_index = [index[name] for name in column_origins(self._inner)]
        self._features = len(index)
        return transformed_columns(self._inner, table)

    def explain(self, rows: Any, part: slice) -> Values:
        """Return the values of the rows ``part``, by feature."""
        try:
            with _quiet():
                values = np.asarray(self._explainer.shap_values(rows[part]))
        except Exception as error:  # each library that SHAP calls has its own errors
            raise Unexplained(str(error)) from error
        if values.ndim == 3:  # one for each class
            values = values[..., 1]
        folded = np.zeros((len(values), self._features))
        for j, index in enumerate(self._feature_index):
            folded[:, index] += values[:, j]
        return folded, None

    def probability(self, model: BaseEstimator, table: pd.DataFrame, rows: Any) -> np.ndarray:
        """Return the probability by the whole model, from ``rows`` if it is not calibrated."""
        if model is self._inner:
            return np.asarray(model[-1].predict_proba(rows)[:, 1])
        return np.asarray(model.predict_proba(table)[:, 1])


class Sampled:
    """A sampling explainer of a model's margin, or of its probability if it has no margin."""

    kind: Kind = "sampled"

    def __init__(self, inner: BaseEstimator, train: pd.DataFrame, budget: TimeBudget) -> None:
        self._inner, self.called = inner, _called(inner)
        self._random = np.random.default_rng(budget.seed)
        chosen = self._random.permutation(len(train))[: budget.background]
        self._background = train.iloc[chosen]
        kernel = KernelMargin.of(inner, self._background)
        rows = partial(walk_rows, self._score, self._background)
        self._walk: Walk = rows if kernel is None else kernel.walk

    @property
    def base(self) -> float:
        """Mean score of the background."""
        return float(self._score(self._background).mean())

    def model_columns(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows themselves."""
        return table

    def explain(self, rows: Any, part: slice) -> Values:
        """Return the values of the rows ``part``, and their standard errors."""
        return shapley(self._walk, rows.iloc[part], len(self._background), self._random)

    def probability(self, model: BaseEstimator, table: pd.DataFrame, _: Any) -> np.ndarray:
        """Return the probability by the whole model."""
        return np.asarray(model.predict_proba(table)[:, 1])

    def _score(self, table: pd.DataFrame) -> np.ndarray:
        if hasattr(self._inner, "decision_function"):
            return np.asarray(self._inner.decision_function(table))
        return np.asarray(self._inner.predict_proba(table)[:, 1])


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress SHAP's deprecation warnings."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="LightGBM binary classifier")
        yield
