"""SHAP values of rows by a fitted model that did not see them.

May import: errors, learning. Trees and linear models are explained exactly by SHAP (Lundberg & Lee
2017; Lundberg et al. 2020), everything else by sampling.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

import numpy as np
import pandas as pd
from imblearn.pipeline import Pipeline
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV

from retain.learning.columns import met, origins
from retain.reasons.budget import Budget
from retain.reasons.odds import Scaled, scaled
from retain.reasons.sampled import shapley

Kind = Literal["tree", "linear", "sampled"]
EXPLAINING: dict[Kind, str] = {
    "tree": "exact SHAP values",
    "linear": "exact SHAP values",
    "sampled": "no exact explainer is known, and sampled SHAP values",
}
Values = tuple[np.ndarray, np.ndarray | None]
"""SHAP values, shape (n, n_features), and their standard errors, None where they are exact."""


@dataclass(frozen=True)
class Explained:
    """Rows and what each feature goes with in their scores, on the scale the model adds up on.

    Attributes
    ----------
    ids
        Customers, shape (n,).
    features
        Names, shape (p,).
    shapley
        SHAP values, shape (n, p): ``base`` and a row's values add up to its margin.
    errors
        Their standard errors where they are sampled.
    probability
        Of decline, shape (n,), by the model as a whole.
    scale
        Brings values to log-odds and to probability.
    """

    kind: Kind
    ids: pd.Index
    features: tuple[str, ...]
    shapley: np.ndarray
    errors: np.ndarray | None
    base: float
    probability: np.ndarray
    scale: Scaled

    @property
    def margin(self) -> np.ndarray:
        """What the values of each row add up to, shape (n,)."""
        return np.asarray(self.base + self.shapley.sum(axis=1))

    @property
    def log_odds(self) -> np.ndarray:
        """The values in log-odds, shape (n, p)."""
        return np.asarray(self.shapley * self.scale.log_odds[:, None])


def explain(
    model: BaseEstimator, train: pd.DataFrame, table: pd.DataFrame, budget: Budget
) -> Explained:
    """SHAP values of the rows of ``table``, one-hot columns and indicators within their feature.

    Parameters
    ----------
    model
        A fitted estimator, as ``learning.pipeline.assemble`` makes them.
    train
        The rows it learnt from, which linear and sampled values are measured against.

    Raises
    ------
    NotApplicable
        When the rows cannot be explained within the budget.
    """
    inner = _inner(model)
    edge = 0.5 / len(train)
    sampled = _Sampled(inner, train, budget)
    try:
        return _explained(_exact(inner, train) or sampled, model, table, budget, edge)
    except _Unexplained:  # SHAP knows the class, and not what was made of it
        return _explained(sampled, model, table, budget, edge)


def _explained(
    explainer: _Exact | _Sampled,
    model: BaseEstimator,
    table: pd.DataFrame,
    budget: Budget,
    edge: float,
) -> Explained:
    rows, what = explainer.met(table), f"{EXPLAINING[explainer.kind]} of {explainer.called} for"
    parts = [explainer.explain(rows, part) for part in budget.chunks(len(table), what)]
    errors = [errors for _, errors in parts if errors is not None]
    values = np.concatenate([values for values, _ in parts])
    base, probability = explainer.base, explainer.probability(model, table, rows)
    return Explained(
        kind=explainer.kind,
        ids=table.index,
        features=tuple(map(str, table)),
        shapley=values,
        errors=np.concatenate(errors) if errors else None,
        base=base,
        probability=probability,
        scale=scaled(base + values.sum(axis=1), base, probability, edge),
    )


def _inner(model: BaseEstimator) -> BaseEstimator:
    """What a calibration was put on: its margin is explained, the curve follows it."""
    if isinstance(model, CalibratedClassifierCV):
        return model.calibrated_classifiers_[0].estimator
    return model


def _called(inner: BaseEstimator) -> str:
    last = inner[-1] if isinstance(inner, Pipeline) else inner
    return type(last).__name__


def _exact(inner: BaseEstimator, train: pd.DataFrame) -> _Exact | None:
    """An explainer that SHAP has for a model of this class."""
    if not isinstance(inner, Pipeline):
        return None
    with _quiet():
        return _linear(inner, train) or _tree(inner)


def library() -> ModuleType:
    """SHAP; what it tells of Matplotlib's plans when it is imported is not this project's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("shap")


def _tree(inner: Pipeline) -> _Exact | None:
    shap = library()
    try:
        return _Exact("tree", inner, shap.TreeExplainer(inner[-1]))
    except shap.utils._exceptions.InvalidModelError:  # noqa: SLF001 - it has no other name
        return None


def _linear(inner: Pipeline, train: pd.DataFrame) -> _Exact | None:
    shap = library()
    any_masker = shap.maskers.Independent(np.zeros((1, 1)))
    if not shap.LinearExplainer.supports_model_with_masker(inner[-1], any_masker):
        return None
    masker = shap.maskers.Independent(met(inner, train), max_samples=len(train))
    return _Exact("linear", inner, shap.LinearExplainer(inner[-1], masker))


class _Unexplained(Exception):  # noqa: N818 - what happened, not what is wrong
    """SHAP could not explain a model of a class that it knows."""


class _Exact:
    """An explainer of the columns a pipeline's last step meets, by the features they are of."""

    def __init__(self, kind: Kind, inner: Pipeline, explainer: Any) -> None:
        self.kind, self.called = kind, _called(inner)
        self._inner, self._explainer = inner, explainer

    @property
    def base(self) -> float:
        """What a row's values add up from; some models have it once they explained a row."""
        return float(np.ravel(self._explainer.expected_value)[-1])

    def met(self, table: pd.DataFrame) -> np.ndarray:
        """What the last step meets, and which feature each of its columns came from."""
        place = {name: j for j, name in enumerate(table)}
        self._places = [place[name] for name in origins(self._inner)]
        self._features = len(place)
        return met(self._inner, table)

    def explain(self, rows: Any, part: slice) -> Values:
        """The values of some of the rows, by feature."""
        try:
            with _quiet():
                values = np.asarray(self._explainer.shap_values(rows[part]))
        except Exception as error:  # each library that SHAP asks has errors of its own
            raise _Unexplained(str(error)) from error
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


class _Sampled:
    """Sampled values of a model's margin where it has one, else of its probability."""

    kind: Kind = "sampled"

    def __init__(self, inner: BaseEstimator, train: pd.DataFrame, budget: Budget) -> None:
        self._inner, self.called = inner, _called(inner)
        self._random = np.random.default_rng(budget.seed)
        chosen = self._random.permutation(len(train))[: budget.background]
        self._background = train.iloc[chosen]

    @property
    def base(self) -> float:
        """The mean score of the background."""
        return float(self._score(self._background).mean())

    def met(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows themselves."""
        return table

    def explain(self, rows: Any, part: slice) -> Values:
        """The values of some of the rows, and their standard errors."""
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
