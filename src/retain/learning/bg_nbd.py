"""BG/NBD as a classifier: decline is told by the probability of having left for good."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from retain.learning.bg_nbd_likelihood import BgNbdParams, MonotoneSigmoid, fit_bg_nbd

WEEK = 7


class BgNbd(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """1 − P(alive) of the BG/NBD model, made a probability of decline by a logistic curve.

    The curve rises, so that customers rank as 1 − P(alive) ranks them. Rows of several snapshots
    of one customer, and of regular customers alone, make the parameters those of a composite
    likelihood of such rows; they are the population's only where each customer has one row.

    Parameters
    ----------
    days, tenure, orders
        Names of the features that count days since the last order, days since the first, and
        distinct days with an order.

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
        """Names of the features read, in the order of the columns it is given."""
        return (self.days, self.tenure, self.orders)

    def fit(self, X: pd.DataFrame | np.ndarray, y: Any) -> BgNbd:
        """Fit the buying of the training rows, then the curve on their target.

        Raises
        ------
        NotApplicable
            When nobody bought twice, or the likelihood has no maximum to be found.
        """
        self.classes_ = np.unique(y)
        history = purchase_histories(X)
        found = fit_bg_nbd(*history)
        self.r_, self.alpha_, self.a_, self.b_ = found.r, found.alpha, found.a, found.b
        self.likelihood_ = found.log_likelihood
        self.curve_ = MonotoneSigmoid.fit(found.p_churned(*history), np.asarray(y)).params
        return self

    def predict_proba(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Probabilities of both classes, shape (n, 2)."""
        declined = MonotoneSigmoid(*self.curve_)(1 - self.p_alive(X))
        return np.column_stack([1 - declined, declined])

    def predict(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return the likelier class."""
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])

    def p_alive(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Probability that each customer has not left for good."""
        return np.asarray(1 - self._params.p_churned(*purchase_histories(X)))

    def expected_purchases(self, X: pd.DataFrame | np.ndarray, days: int) -> np.ndarray:
        """Distinct days with an order expected of each customer in so many days ahead."""
        return self._params.expected_purchases(days / WEEK, *purchase_histories(X))

    @property
    def _params(self) -> BgNbdParams:
        return BgNbdParams(self.r_, self.alpha_, self.a_, self.b_, self.likelihood_)


def purchase_histories(X: pd.DataFrame | np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, t_x and T in weeks, of days since the last order, since the first, and days with one.

    Rows made by a sampler lie between customers: half a purchase is rounded.

    >>> [column.tolist() for column in purchase_histories(np.array([[14.0, 70.0, 3.0]]))]
    [[2.0], [8.0], [10.0]]
    """
    days, tenure, orders = np.asarray(X, dtype=float)[:, :3].T
    whole = np.maximum(tenure, 0)
    x = np.maximum(np.rint(orders) - 1, 0)
    last = np.where(x > 0, np.clip(whole - days, 0, whole), 0)
    return x, last / WEEK, whole / WEEK
