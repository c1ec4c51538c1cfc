"""SHAP values of rows by a fitted model that did not see them.

May import: errors, learning. Trees and linear models are explained exactly by SHAP (Lundberg & Lee
2017; Lundberg et al. 2020), everything else by sampling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV

from retain.reasons.budget import Budget
from retain.reasons.explainers import Exact, Kind, Sampled, Unexplained, exact
from retain.reasons.odds import Scaled, scaled

EXPLAINING: dict[Kind, str] = {
    "tree": "exact SHAP values",
    "linear": "exact SHAP values",
    "sampled": "no exact explainer is known, and sampled SHAP values",
}


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
    sampled = Sampled(inner, train, budget)
    try:
        return _explained(exact(inner, train) or sampled, model, table, budget, edge)
    except Unexplained:  # SHAP knows the class, and not what was made of it
        return _explained(sampled, model, table, budget, edge)


def _explained(
    explainer: Exact | Sampled,
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
