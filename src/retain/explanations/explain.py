"""SHAP values of rows by a fitted model that did not see them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV

from retain.explanations.budget import TimeBudget
from retain.explanations.explainers import Exact, Kind, Sampled, Unexplained, exact

EXACT = 1e-6
"""Difference of two probabilities that counts as none."""
FLAT = 1e-9
"""Distance from the base, in units of the largest, that counts as none."""


@dataclass(frozen=True)
class LogOddsScale:
    """A scale from shares of a margin to shares of log-odds and of probability.

    Attributes
    ----------
    log_odds, points
        A factor for each row, shape (n,).
    base
        Probability at the base, one number.
    """

    log_odds: np.ndarray
    points: np.ndarray
    base: float


def scale_log_odds(
    margin: np.ndarray, base: float, probability: np.ndarray, edge: float
) -> LogOddsScale:
    """Return the factors of rows with these margins and probabilities, explained from one base.

    ``edge`` is the least distance of a probability from 0 and 1 that the rows learnt from can
    tell, such as half a customer of them: log-odds have no end, and what was learnt has.

    >>> margin = np.array([-1.0, 2.0])
    >>> found = scale_log_odds(margin, 0.0, special.expit(margin), edge=1e-9)
    >>> found.log_odds.round(6).tolist(), round(found.base, 6)
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
    """Slope and shift of log-odds over the margin where they lie on a line, else None.

    So do a booster's, a linear model's, and either's behind a logistic curve.
    """
    inside = (probability > FLAT) & (probability < 1 - FLAT)
    if _same_order(margin, probability) or not inside.any() or np.ptp(margin[inside]) == 0:
        return None
    x, y = margin[inside], special.logit(probability[inside])
    low, high = np.argmin(x), np.argmax(x)
    slope = float((y[high] - y[low]) / (x[high] - x[low]))
    shift = float(y[low] - slope * x[low])
    straight = _same_order(special.expit(slope * margin + shift), probability)
    return (slope, shift) if straight else None


def _base_probability(margin: np.ndarray, base: float, probability: np.ndarray) -> float:
    """Return the probability at the base: its own, or interpolated between rows."""
    if _same_order(margin, probability):
        return float(base)
    order = np.argsort(margin)
    return float(np.interp(base, margin[order], probability[order]))


def _same_order(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.abs(one - other).max() < EXACT)


def _factor(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return new distance over old; for a row at the base itself, that of the rows in the mean."""
    far = np.abs(old) > FLAT * max(float(np.abs(old).max(initial=0.0)), FLAT)
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
    scale: LogOddsScale

    @property
    def margin(self) -> np.ndarray:
        """The sum of the values of each row, shape (n,)."""
        return np.asarray(self.base + self.shapley.sum(axis=1))

    @property
    def log_odds(self) -> np.ndarray:
        """The values in log-odds, shape (n, p)."""
        return np.asarray(self.shapley * self.scale.log_odds[:, None])


def explain(
    model: BaseEstimator, train: pd.DataFrame, table: pd.DataFrame, budget: TimeBudget
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
    inner = _uncalibrated(model)
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
    """Return the estimator under a calibration, whose margin is explained."""
    if isinstance(model, CalibratedClassifierCV):
        return model.calibrated_classifiers_[0].estimator
    return model
