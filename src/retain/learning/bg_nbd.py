"""BG/NBD as a classifier: the probability of dropout predicts decline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from retain.learning.bg_nbd_likelihood import BgNbdParams, MonotoneSigmoid, fit_bg_nbd

WEEK = 7


class BgNbd(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """1 − P(alive) of the BG/NBD model, mapped to a probability of decline by a logistic curve.

    The curve increases, so customers are ranked by 1 − P(alive). With several snapshots per
    customer, or regular customers only, the parameters maximise a composite likelihood of these
    rows; they describe the population only if each customer has one row.

    Parameters
    ----------
    days, tenure, orders
        Names of the features with days since the last order, days since the first, and the number
        of distinct days with an order.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    r_, alpha_, a_, b_ : float
        The parameters, time in weeks.
    likelihood_ : float
        Their log-likelihood.
    """

    name = "bg_nbd"

    def __init__(
        self,
        days: str = "days_since_order",
        tenure: str = "tenure_days",
        orders: str = "order_days",
    ) -> None:
        self.days = days
        self.tenure = tenure
        self.orders = orders

    @property
    def required_features(self) -> tuple[str, ...]:
        """Names of the features used, in column order."""
        return (self.days, self.tenure, self.orders)

    def fit(self, X: pd.DataFrame | np.ndarray, y: Any) -> BgNbd:
        """Fit the BG/NBD parameters (``fit_bg_nbd``), then the curve to the target."""
        self.classes_ = np.unique(y)
        history = purchase_histories(X)
        params = fit_bg_nbd(*history)
        self.r_, self.alpha_, self.a_, self.b_ = params.r, params.alpha, params.a, params.b
        self.likelihood_ = params.log_likelihood
        self.curve_ = MonotoneSigmoid.fit(params.p_churned(*history), np.asarray(y)).params
        return self

    def predict_proba(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return the probabilities of both classes, shape (n, 2)."""
        declined = MonotoneSigmoid(*self.curve_)(1 - self.p_alive(X))
        return np.column_stack([1 - declined, declined])

    def predict(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return the likelier class."""
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])

    def p_alive(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return the probability that each customer is still active."""
        return np.asarray(1 - self._params.p_churned(*purchase_histories(X)))

    def expected_purchases(self, X: pd.DataFrame | np.ndarray, days: int) -> np.ndarray:
        """Return the expected number of days with an order in the next ``days`` days."""
        return self._params.expected_purchases(days / WEEK, *purchase_histories(X))

    @property
    def _params(self) -> BgNbdParams:
        return BgNbdParams(self.r_, self.alpha_, self.a_, self.b_, self.likelihood_)


def purchase_histories(X: pd.DataFrame | np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x, t_x and T in weeks from days since the last order, since the first, and order days.

    Rows from a sampler may have fractional purchases, which are rounded.

    >>> [column.tolist() for column in purchase_histories(np.array([[14.0, 70.0, 3.0]]))]
    [[2.0], [8.0], [10.0]]
    """
    days, tenure, orders = np.asarray(X, dtype=float)[:, :3].T
    whole = np.maximum(tenure, 0)
    x = np.maximum(np.rint(orders) - 1, 0)
    last = np.where(x > 0, np.clip(whole - days, 0, whole), 0)
    return x, last / WEEK, whole / WEEK
