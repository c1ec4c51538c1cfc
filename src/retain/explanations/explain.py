"""SHAP values of rows by a model fitted on other rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV

from retain.explanations.explainers import Exact, Kind, Sampled, Unexplained, exact
from retain.explanations.time_budget import TimeBudget
from retain.learning.plugin_calibration import PluginCalibratedClassifier

PROBABILITY_TOLERANCE = 1e-6
"""Difference of two probabilities that counts as 0."""
RELATIVE_TOLERANCE = 1e-9
"""Distance from the base, relative to the largest, that counts as 0."""


@dataclass(frozen=True)
class LogOddsScale:
    """Factors from a margin to log-odds and to probability.

    Attributes
    ----------
    log_odds, points
        Factor of each row, shape (n,).
    base
        Probability at the base value.
    """

    log_odds: np.ndarray
    points: np.ndarray
    base: float


def scale_log_odds(
    margin: np.ndarray, base: float, probability: np.ndarray, edge: float
) -> LogOddsScale:
    """Return the factors of rows with these margins and probabilities.

    ``edge`` is the smallest distance of a probability from 0 and 1 that the training rows can
    resolve, such as half a customer; it bounds log-odds.

    >>> margin = np.array([-1.0, 2.0])
    >>> scale = scale_log_odds(margin, 0.0, special.expit(margin), edge=1e-9)
    >>> scale.log_odds.round(6).tolist(), round(scale.base, 6)
    ([1.0, 1.0], 0.5)
    """
    line = _line(margin, probability)
    if line is not None:
        slope, shift = line
        at_base = float(special.expit(slope * base + shift))
        factor = np.full(len(margin), slope)
    else:
        at_base = _base_probability(margin, base, probability)
        ends = special.logit(np.clip(probability, edge, 1 - edge))
        factor = _factor(margin - base, ends - special.logit(np.clip(at_base, edge, 1 - edge)))
    return LogOddsScale(factor, _factor(margin - base, probability - at_base), at_base)


def _line(margin: np.ndarray, probability: np.ndarray) -> tuple[float, float] | None:
    """Return slope and shift of log-odds if they are linear in the margin, else None.

    They are for boosters and linear models, with or without a logistic calibration.
    """
    inside = (probability > RELATIVE_TOLERANCE) & (probability < 1 - RELATIVE_TOLERANCE)
    if _nearly_equal(margin, probability) or not inside.any() or np.ptp(margin[inside]) == 0:
        return None
    x, y = margin[inside], special.logit(probability[inside])
    low, high = np.argmin(x), np.argmax(x)
    slope = float((y[high] - y[low]) / (x[high] - x[low]))
    shift = float(y[low] - slope * x[low])
    straight = _nearly_equal(special.expit(slope * margin + shift), probability)
    return (slope, shift) if straight else None


def _base_probability(margin: np.ndarray, base: float, probability: np.ndarray) -> float:
    """Return the probability at the base, computed or interpolated between rows."""
    if _nearly_equal(margin, probability):
        return float(base)
    order = np.argsort(margin)
    return float(np.interp(base, margin[order], probability[order]))


def _nearly_equal(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.abs(one - other).max() < PROBABILITY_TOLERANCE)


def _factor(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return new distance over old; for a row at the base, the mean factor of the other rows."""
    far = np.abs(old) > RELATIVE_TOLERANCE * max(
        float(np.abs(old).max(initial=0.0)), RELATIVE_TOLERANCE
    )
    if not far.any():
        return np.zeros(len(old))
    usual = float(np.abs(new[far]).sum() / np.abs(old[far]).sum())
    return np.where(far, new / np.where(far, old, 1.0), usual)


EXPLAINERS: dict[Kind, str] = {
    "tree": "exact SHAP values",
    "linear": "exact SHAP values",
    "sampled": "no exact explainer is known, and sampled SHAP values",
}


@dataclass(frozen=True)
class Explained:
    """SHAP values of rows on the scale of the model's margin.

    Attributes
    ----------
    ids
        Customers, shape (n,).
    features
        Names, shape (p,).
    shapley
        SHAP values, shape (n, p): ``base`` plus the sum of a row is its margin.
    errors
        Standard errors of sampled values, else None.
    probability
        Probability of decline by the whole model, shape (n,).
    scale
        Factors to log-odds and to probability.
    """

    kind: Kind
    ids: pd.Index
    features: tuple[str, ...]
    shapley: np.ndarray
    errors: np.ndarray | None
    base: float
    probability: np.ndarray
    scale: LogOddsScale

    @property
    def margin(self) -> np.ndarray:
        """Sum of the values of each row, shape (n,)."""
        return np.asarray(self.base + self.shapley.sum(axis=1))

    @property
    def log_odds(self) -> np.ndarray:
        """SHAP values in log-odds, shape (n, p)."""
        return np.asarray(self.shapley * self.scale.log_odds[:, None])


def explain(
    model: BaseEstimator, train: pd.DataFrame, table: pd.DataFrame, budget: TimeBudget
) -> Explained:
    """Return SHAP values of the rows of ``table``, summed over one-hot columns and indicators.

    Parameters
    ----------
    model
        A fitted estimator from ``learning.pipeline.assemble``.
    train
        Its training rows, the background of linear and sampled values.

    Raises
    ------
    NotApplicable
        The rows cannot be explained within the budget.
    """
    inner = _uncalibrated(model)
    edge = 0.5 / len(train)
    sampled = Sampled(inner, train, budget)
    try:
        return _explained(exact(inner, train) or sampled, model, table, budget, edge)
    except Unexplained:  # SHAP supports the class, but not this instance
        return _explained(sampled, model, table, budget, edge)


def _explained(
    explainer: Exact | Sampled,
    model: BaseEstimator,
    table: pd.DataFrame,
    budget: TimeBudget,
    edge: float,
) -> Explained:
    rows, what = (
        explainer.model_columns(table),
        f"{EXPLAINERS[explainer.kind]} of {explainer.called} for",
    )
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
        scale=scale_log_odds(base + values.sum(axis=1), base, probability, edge),
    )


def _uncalibrated(model: BaseEstimator) -> BaseEstimator:
    """Return the estimator inside a calibration, the one to explain."""
    if isinstance(model, CalibratedClassifierCV):
        return model.calibrated_classifiers_[0].estimator
    if isinstance(model, PluginCalibratedClassifier):
        return _uncalibrated(model.estimator_)
    return model
