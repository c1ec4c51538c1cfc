"""Explainers of a model's own margin: SHAP's where it has one, sampling for the rest."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Literal

import numpy as np
import pandas as pd
from imblearn.pipeline import Pipeline
from sklearn.base import BaseEstimator

from retain.explanations.budget import TimeBudget
from retain.learning.columns import column_origins, transformed_columns

Score = Callable[[pd.DataFrame], np.ndarray]
ROWS = 50_000
"""Mixed rows that are scored at a time."""


def shapley(
    score: Score, table: pd.DataFrame, background: pd.DataFrame, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Shapley values and their standard errors, each of shape (n_rows, n_features).

    Parameters
    ----------
    score
        Gives each row of a frame a number.
    background
        Customers to compare with, two or more. A row's values add up to its score less the mean
        score of these.

    >>> rows = pd.DataFrame({"a": [1.0, 2.0], "b": [0.0, 1.0]})
    >>> double = lambda frame: 2 * frame["a"].to_numpy() + frame["b"].to_numpy()
    >>> values, errors = shapley(double, rows, rows, np.random.default_rng(0))
    >>> values.tolist()
    [[-1.0, -0.5], [1.0, 0.5]]
    """
    step = max(1, ROWS // (len(background) * (table.shape[1] + 1)))
    parts = [
        _walked(score, table.iloc[at : at + step], background, random)
        for at in range(0, len(table), step)
    ]
    values, errors = zip(*parts, strict=True)
    return np.concatenate(values), np.concatenate(errors)


def _walked(
    score: Score, table: pd.DataFrame, background: pd.DataFrame, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    rows, others, count = len(table), len(background), table.shape[1]
    order = random.permuted(np.broadcast_to(np.arange(count), (rows, others, count)), axis=2)
    turn = np.argsort(order, axis=2)  # when each feature is put in
    # After k steps of a walk, the features whose turn was before k are the customer's own.
    own = turn[:, :, None, :] < np.arange(count + 1)[:, None]
    here = np.arange(rows)[:, None, None, None]
    there = rows + np.arange(others)[:, None, None]
    mixed = np.where(own, here, there).reshape(-1, count)
    both = pd.concat([table, background], ignore_index=True)
    frame = pd.DataFrame({name: both[name].array.take(mixed[:, j]) for j, name in enumerate(both)})
    scored = score(frame).reshape(rows, others, count + 1)
    gains = np.take_along_axis(np.diff(scored, axis=2), turn, axis=2)
    return gains.mean(axis=1), gains.std(axis=1, ddof=1) / np.sqrt(others)


Kind = Literal["tree", "linear", "sampled"]
Values = tuple[np.ndarray, np.ndarray | None]
"""SHAP values, shape (n, n_features), and their standard errors, None where they are exact."""


def _called(inner: BaseEstimator) -> str:
    last = inner[-1] if isinstance(inner, Pipeline) else inner
    return type(last).__name__


def exact(inner: BaseEstimator, train: pd.DataFrame) -> Exact | None:
    """Return an explainer that SHAP has for a model of this class."""
    if not isinstance(inner, Pipeline):
        return None
    with _quiet():
        return _linear(inner, train) or _tree(inner)


def library() -> ModuleType:
    """SHAP; what it tells of Matplotlib's plans when it is imported is not this project's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("shap")


def _tree(inner: Pipeline) -> Exact | None:
    shap = library()
    try:
        return Exact("tree", inner, shap.TreeExplainer(inner[-1]))
    except shap.utils._exceptions.InvalidModelError:  # noqa: SLF001 - it has no other name
        return None


def _linear(inner: Pipeline, train: pd.DataFrame) -> Exact | None:
    shap = library()
    any_masker = shap.maskers.Independent(np.zeros((1, 1)))
    if not shap.LinearExplainer.supports_model_with_masker(inner[-1], any_masker):
        return None
    masker = shap.maskers.Independent(transformed_columns(inner, train), max_samples=len(train))
    return Exact("linear", inner, shap.LinearExplainer(inner[-1], masker))


class Unexplained(Exception):  # noqa: N818 - what happened, not what is wrong
    """SHAP could not explain a model of a class that it knows."""


class Exact:
    """An explainer of the columns a pipeline's last step meets, by the features they are of."""

    def __init__(self, kind: Kind, inner: Pipeline, explainer: Any) -> None:
        self.kind, self.called = kind, _called(inner)
        self._inner, self._explainer = inner, explainer

    @property
    def base(self) -> float:
        """The base value; some models have it only after they explained a row."""
        return float(np.ravel(self._explainer.expected_value)[-1])

    def model_columns(self, table: pd.DataFrame) -> np.ndarray:
        """Return the columns of the last step, and the feature behind each."""
        place = {name: j for j, name in enumerate(table)}
        self._places = [place[name] for name in column_origins(self._inner)]
        self._features = len(place)
        return transformed_columns(self._inner, table)

    def explain(self, rows: Any, part: slice) -> Values:
        """Return the values of some of the rows, by feature."""
        try:
            with _quiet():
                values = np.asarray(self._explainer.shap_values(rows[part]))
        except Exception as error:  # each library that SHAP asks has errors of its own
            raise Unexplained(str(error)) from error
        if values.ndim == 3:  # one for each class
            values = values[..., 1]
        folded = np.zeros((len(values), self._features))
        for j, place in enumerate(self._places):
            folded[:, place] += values[:, j]
        return folded, None

    def probability(self, model: BaseEstimator, table: pd.DataFrame, rows: Any) -> np.ndarray:
        """By the model as a whole; what its last step meets is at hand where nothing follows it."""
        if model is self._inner:
            return np.asarray(model[-1].predict_proba(rows)[:, 1])
        return np.asarray(model.predict_proba(table)[:, 1])


class Sampled:
    """Sampled values of a model's margin where it has one, else of its probability."""

    kind: Kind = "sampled"

    def __init__(self, inner: BaseEstimator, train: pd.DataFrame, budget: TimeBudget) -> None:
        self._inner, self.called = inner, _called(inner)
        self._random = np.random.default_rng(budget.seed)
        chosen = self._random.permutation(len(train))[: budget.background]
        self._background = train.iloc[chosen]

    @property
    def base(self) -> float:
        """The mean score of the background."""
        return float(self._score(self._background).mean())

    def model_columns(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows themselves."""
        return table

    def explain(self, rows: Any, part: slice) -> Values:
        """Return the values of some of the rows, and their standard errors."""
        return shapley(self._score, rows.iloc[part], self._background, self._random)

    def probability(self, model: BaseEstimator, table: pd.DataFrame, _: Any) -> np.ndarray:
        """By the model as a whole."""
        return np.asarray(model.predict_proba(table)[:, 1])

    def _score(self, table: pd.DataFrame) -> np.ndarray:
        if hasattr(self._inner, "decision_function"):
            return np.asarray(self._inner.decision_function(table))
        return np.asarray(self._inner.predict_proba(table)[:, 1])


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what SHAP tells of its own history."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="LightGBM binary classifier")
        yield
