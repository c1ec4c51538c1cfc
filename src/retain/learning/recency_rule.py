"""A recency rule: customers without a purchase for t days have declined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from retain.learning.bg_nbd_likelihood import MonotoneSigmoid


class RecencyRule(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier by days since the last order: decline from ``t_`` days on.

    The probability is a logistic curve in the logarithm of the days. Unlike an isotonic curve it
    has no steps that would create ties, so its ROC-AUC is that of the days themselves.

    Parameters
    ----------
    days
        Name of the feature with days since the last order, ≥ 0.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    t_ : float
        Threshold in days with the largest ``youden_`` on the training rows.
    youden_ : float
        Youden index: true positive rate minus false positive rate (Youden 1950).

    >>> rows = pd.DataFrame({"days_since_order": [1.0, 5, 9, 30, 60, 90]})
    >>> rule = RecencyRule().fit(rows, np.array([0, 0, 0, 1, 0, 1]))
    >>> rule.t_, rule.predict(rows).tolist()
    (30.0, [0, 0, 0, 1, 1, 1])
    """

    name = "recency_rule"

    def __init__(self, days: str = "days_since_order") -> None:
        self.days = days

    @property
    def required_features(self) -> tuple[str, ...]:
        """Names of the features used, in column order."""
        return (self.days,)

    def fit(self, X: pd.DataFrame | np.ndarray, y: Any) -> RecencyRule:
        """Fit the threshold and the curve of the probability."""
        days, target = self._days(X), np.asarray(y)
        self.classes_ = np.unique(target)
        self.t_, self.youden_ = best_threshold(days, target == self.classes_[-1])
        self.curve_ = MonotoneSigmoid.fit(np.log1p(days), target).params
        return self

    def predict_proba(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return the probabilities of both classes, shape (n, 2)."""
        declined = MonotoneSigmoid(*self.curve_)(np.log1p(self._days(X)))
        return np.column_stack([1 - declined, declined])

    def predict(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return 1 from ``t_`` days on, else 0, independent of the probability."""
        return np.asarray(self.classes_[(self._days(X) >= self.t_).astype(int)])

    def _days(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        return np.asarray(np.maximum(np.asarray(X, dtype=float)[:, 0], 0))


def best_threshold(days: np.ndarray, declined: np.ndarray) -> tuple[float, float]:
    """Return the threshold in days with the best Youden index, and that index.

    >>> best_threshold(np.array([3.0, 10, 20]), np.array([False, True, True]))
    (10.0, 1.0)
    """
    order = np.argsort(days, kind="stable")
    thresholds, first = np.unique(days[order], return_index=True)
    below = np.concatenate([[0], np.cumsum(declined[order])])[first]
    recall = 1 - below / declined.sum()
    false_alarms = 1 - (first - below) / (~declined).sum()
    best = int(np.argmax(recall - false_alarms))
    return float(thresholds[best]), float((recall - false_alarms)[best])
