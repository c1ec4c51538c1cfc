"""The purchase rates of regular customers: a gamma distribution, fitted to their own selection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import betainc, comb, gammaln

MAX_LOG_PARAMETER = 9.0
STEP = 1e-4
"""Step in a log-parameter of central differences."""
MAX_PERIODS = 12
"""Periods of the selection beyond which the alternating sum of its probability loses digits."""


@dataclass(frozen=True)
class PastOrders:
    """Rows of regular customers, equal ones aggregated.

    Attributes
    ----------
    repeats
        Orders in the look-back, without the first order ever.
    days
        Days of the look-back since the first order.
    periods
        Periods in which the customer had to buy to be regular, without that of the first order.
    period_days
        Length of a period in days.
    rows
        Number of rows.
    """

    repeats: np.ndarray
    days: np.ndarray
    periods: np.ndarray
    period_days: int
    rows: np.ndarray


@dataclass(frozen=True)
class OrderRates:
    """Gamma distribution of daily rates: shape ``r``, and ``alpha`` in days."""

    r: float
    alpha: float

    def expect_rates(self, repeats: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Return the expected orders a day of customers with ``repeats`` orders in ``days``.

        >>> OrderRates(1.0, 90.0).expect_rates(np.array([5.0]), np.array([90.0])) * 90
        array([3.])
        """
        return np.asarray((self.r + repeats) / (self.alpha + days))

    def p_fewer(
        self, needed: np.ndarray, ahead: np.ndarray, repeats: np.ndarray, days: np.ndarray
    ) -> np.ndarray:
        """Return the probability of fewer than ``needed`` ≥ 1 orders in the ``ahead`` days to come.

        The rate given the past is gamma distributed, so the count is negative binomial.
        """
        reached = ahead / (self.alpha + days + ahead)
        return np.asarray(1 - betainc(needed, self.r + repeats, reached))


def fit_order_rates(past: PastOrders) -> OrderRates:
    """Return the maximum-likelihood rates of customers who are regular by selection.

    A customer is among the rows because of orders in each of some periods. Which days the orders
    fall on does not depend on the rate, once their number is known; so the likelihood of a row is
    that of its number of orders, divided by the probability of being regular.
    """
    weights = past.rows / past.rows.sum()
    mean = float((past.repeats @ past.rows) / (past.days @ past.rows))
    result = minimize(
        lambda logs: -float(log_likelihoods(past, logs) @ weights),
        np.log([1.0, 1.0 / max(mean, 1e-6)]),
        method="L-BFGS-B",
        bounds=[(-MAX_LOG_PARAMETER, MAX_LOG_PARAMETER)] * 2,
        options={"ftol": 1e-12},
    )
    r, alpha = np.exp(result.x).tolist()
    return OrderRates(r, alpha)


def log_likelihoods(past: PastOrders, logs: np.ndarray) -> np.ndarray:
    """Return the log-likelihood of each kind of row at the logarithms of ``r`` and ``alpha``."""
    r, alpha = np.exp(logs)
    counts, index = np.unique(past.repeats, return_inverse=True)
    size = (gammaln(r + counts) - gammaln(r))[index]
    odds = r * np.log(alpha) - (r + past.repeats) * np.log(alpha + past.days)
    return np.asarray(size + odds - np.log(_p_regular(r, alpha, past.periods, past.period_days)))


def rates_influence(past: PastOrders, rates: OrderRates) -> np.ndarray:
    """Return the change of (log r, log alpha) that a row of each kind makes, × rows: (n, 2)."""
    logs, steps = np.log([rates.r, rates.alpha]), STEP * np.eye(2)

    def scores(at: np.ndarray) -> np.ndarray:
        ends = ((log_likelihoods(past, at + d), log_likelihoods(past, at - d)) for d in steps)
        return np.column_stack([(high - low) / (2 * STEP) for high, low in ends])

    share = past.rows / past.rows.sum()
    curvature = np.array(
        [share @ (scores(logs + d) - scores(logs - d)) / (2 * STEP) for d in steps]
    )
    centered = scores(logs) - share @ scores(logs)
    return np.asarray(centered @ np.linalg.pinv(-curvature, rcond=1e-6, hermitian=True))


def _p_regular(r: float, alpha: float, periods: np.ndarray, days: int) -> np.ndarray:
    """Return the probability of an order in each of n periods, E[(1 − exp(−rate · days))ⁿ]."""
    numbers, index = np.unique(np.minimum(periods, MAX_PERIODS), return_inverse=True)
    found = [
        sum(comb(n, j) * (-1) ** j * (alpha / (alpha + j * days)) ** r for j in range(int(n) + 1))
        for n in numbers
    ]
    return np.asarray(np.maximum(found, 1e-300)[index])
