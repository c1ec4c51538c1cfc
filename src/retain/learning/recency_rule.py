"""The oldest rule of the trade: who has not bought for t days has declined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from retain.learning.bg_nbd_likelihood import MonotoneSigmoid


class RecencyRule(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """No purchase for ``t_`` days means decline; the probability rises with every day.

    A rule with two answers ranks nobody within either, so the probability is a logistic curve in
    the logarithm of the days. It has no steps, as an isotonic one has, that would tie customers
    whom days tell apart: its ROC-AUC is that of the days themselves, the best of any threshold.

    Parameters
    ----------
    days
        Name of the feature that counts days since the last order, ≥ 0.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    t_ : float
        Days from which the rule says decline: greatest ``youden_`` on the training rows.
    youden_ : float
        Share of decliners the rule finds, less the share of others it accuses (Youden 1950).

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
        """Names of the features read, in the order of the columns it is given."""
        return (self.days,)

    def fit(self, X: pd.DataFrame | np.ndarray, y: Any) -> RecencyRule:
        """Find the best number of days, and the curve of the probability."""
        days, target = self._days(X), np.asarray(y)
        self.classes_ = np.unique(target)
        self.t_, self.youden_ = best_threshold(days, target == self.classes_[-1])
        self.curve_ = MonotoneSigmoid.fit(np.log1p(days), target).params
        return self

    def predict_proba(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Probabilities of both classes, shape (n, 2)."""
        declined = MonotoneSigmoid(*self.curve_)(np.log1p(self._days(X)))
        return np.column_stack([1 - declined, declined])

    def predict(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return the rule's answer, 0 or 1, whatever the probability."""
        return np.asarray(self.classes_[(self._days(X) >= self.t_).astype(int)])

    def _days(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        return np.asarray(np.maximum(np.asarray(X, dtype=float)[:, 0], 0))


def best_threshold(days: np.ndarray, declined: np.ndarray) -> tuple[float, float]:
    """Return the threshold in days with the best Youden index, and that index.

    >>> best_threshold(np.array([3.0, 10, 20]), np.array([False, True, True]))
    (10.0, 1.0)
    """
    order = np.argsort(days, kind="stable")
    at, first = np.unique(days[order], return_index=True)
    below = np.concatenate([[0], np.cumsum(declined[order])])[first]
    found = 1 - below / declined.sum()
    accused = 1 - (first - below) / (~declined).sum()
    best = int(np.argmax(found - accused))
    return float(at[best]), float((found - accused)[best])
