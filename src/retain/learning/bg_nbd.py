"""Models of purchase counts as classifiers: the probability of fewer orders than the label asks."""

from __future__ import annotations

from abc import abstractmethod
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from retain.learning.bg_nbd_likelihood import BgNbdParams, MonotoneSigmoid, fit_bg_nbd
from retain.learning.pareto_nbd_likelihood import ParetoNbdParams, fit_pareto_nbd

WEEK = 7
MAX_LOG_ODDS = 30.0
"""Bound of the log-odds of P(label), which may be 0 or 1 to the last digit."""


class PurchaseCountModel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """P(label) of a model of purchases, mapped to a probability of decline by a logistic curve.

    P(label) is the probability that a customer has fewer days with an order within the horizon
    than the label asks. The curve over its log-odds increases, so customers are ranked by P(label).

    Parameters
    ----------
    days, tenure, orders, needed
        Names of the features with days since the last order, days since the first, the number of
        distinct days with an order, and the fewest days with an order that are no decline.
    horizon
        Days after the snapshot that the label covers; a source with snapshots sets its own.
    population
        Histories of everyone seen at the first snapshot, as in ``Panel.population``, on which the
        parameters are fitted; None for those of the training rows. A source sets its own.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    params_ : ndarray of shape (5,)
        The four parameters, time in weeks, and their log-likelihood.
    """

    name: ClassVar[str]

    def __init__(  # noqa: PLR0913 - four names, and what a source adds
        self,
        *,
        days: str = "days_since_order",
        tenure: str = "tenure_days",
        orders: str = "order_days",
        needed: str = "orders_needed",
        horizon: int = 90,
        population: np.ndarray | None = None,
    ) -> None:
        self.days = days
        self.tenure = tenure
        self.orders = orders
        self.needed = needed
        self.horizon = horizon
        self.population = population

    @property
    def required_features(self) -> tuple[str, ...]:
        """Names of the features used, in column order."""
        return (self.days, self.tenure, self.orders, self.needed)

    def fit(self, X: pd.DataFrame | np.ndarray, y: Any) -> PurchaseCountModel:
        """Fit the parameters to everyone seen, then the curve to the target."""
        self.classes_ = np.unique(y)
        cells = self.population
        if cells is None:
            cells = np.column_stack([*purchase_histories(X), np.ones(len(X))])
        self.params_ = self._fit_params(np.ascontiguousarray(cells, dtype=float).tobytes())
        log_odds = self._log_odds(X)
        self.curve_ = MonotoneSigmoid.fit(log_odds, np.asarray(y)).params
        return self

    def predict_proba(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return the probabilities of both classes, shape (n, 2)."""
        declined = MonotoneSigmoid(*self.curve_)(self._log_odds(X))
        return np.column_stack([1 - declined, declined])

    def predict(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return the likelier class."""
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])

    def p_label(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return the probability of fewer days with an order than needed, before any curve."""
        needed = np.maximum(np.rint(np.asarray(X, dtype=float)[:, 3]), 1)
        return self.purchase_params.p_fewer(needed, self.horizon / WEEK, *purchase_histories(X))

    @property
    @abstractmethod
    def purchase_params(self) -> BgNbdParams | ParetoNbdParams:
        """The fitted parameters."""

    @staticmethod
    @abstractmethod
    def _fit_params(cells: bytes) -> np.ndarray:
        """Return the parameters that fit these histories; cached, because folds share them."""

    def _log_odds(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        p = self.p_label(X)
        with np.errstate(divide="ignore"):
            log_odds = np.log(p) - np.log1p(-p)
        return np.asarray(np.clip(log_odds, -MAX_LOG_ODDS, MAX_LOG_ODDS))


class BgNbd(PurchaseCountModel):
    """BG/NBD: customers may leave after a purchase (Fader, Hardie & Lee 2005)."""

    name = "bg_nbd"

    @property
    def purchase_params(self) -> BgNbdParams:
        """The fitted parameters."""
        return BgNbdParams(*self.params_)

    @staticmethod
    @lru_cache(maxsize=4)
    def _fit_params(cells: bytes) -> np.ndarray:
        found = fit_bg_nbd(*_histories(cells))
        return np.array([found.r, found.alpha, found.a, found.b, found.log_likelihood])

    def expected_purchases(self, X: pd.DataFrame | np.ndarray, days: int) -> np.ndarray:
        """Return the expected number of days with an order in the next ``days`` days."""
        return self.purchase_params.expected_purchases(days / WEEK, *purchase_histories(X))


class ParetoNbd(PurchaseCountModel):
    """Pareto/NBD: customers may leave at any time (Schmittlein, Morrison & Colombo 1987)."""

    name = "pareto_nbd"

    @property
    def purchase_params(self) -> ParetoNbdParams:
        """The fitted parameters."""
        return ParetoNbdParams(*self.params_)

    @staticmethod
    @lru_cache(maxsize=4)
    def _fit_params(cells: bytes) -> np.ndarray:
        found = fit_pareto_nbd(*_histories(cells))
        return np.array([found.r, found.alpha, found.s, found.beta, found.log_likelihood])


def _histories(cells: bytes) -> np.ndarray:
    return np.frombuffer(cells).reshape(-1, 4).T


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
