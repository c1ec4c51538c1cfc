"""Forecast of a regular customer's money: expected orders × shrunk spend, and its validation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from retain.customers.purchases.features.snapshots import date_from_epoch
from retain.customers.purchases.features.store_level import StoreLevels
from retain.customers.purchases.quality.chance import Z95, LabelledRows
from retain.customers.purchases.quality.order_rates import OrderRates
from retain.errors import NotApplicable
from retain.record.estimates import Estimate
from retain.record.label import MoneyForecast
from retain.schema.purchases import LabelRule

DAYS_PER_MONTH = 365.25 / 12
NORMAL_PER_MEDIAN = 1.4826
MAX_CUSTOMERS = 20_000
"""Customers to whom the spend is fitted, evenly among all."""

MAX_LOG_PARAMETER = 12.0


@dataclass(frozen=True)
class GammaGammaParams:
    """The three parameters, ``gamma`` in units of money (Fader & Hardie 2013)."""

    p: float
    q: float
    gamma: float

    def expected_spend(self, orders: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Return the expected spend of a later order, given the mean of some orders (equation 5).

        >>> found = GammaGammaParams(6.25, 3.74, 15.44)
        >>> found.expected_spend(np.array([0.0, 2.0]), np.array([0.0, 20.0])).round(1)
        array([35.2, 22.7])
        """
        return np.asarray((self.gamma + orders * mean) * self.p / (self.p * orders + self.q - 1))


def fit_gamma_gamma(orders: np.ndarray, mean: np.ndarray) -> GammaGammaParams:
    """Return the maximum-likelihood parameters of customers with a mean spend above 0.

    Raises
    ------
    NotApplicable
        The mean spend has no finite expectation (q ≤ 1), or nobody spent anything.
    """
    known = (orders > 0) & (mean > 0)
    x, z = orders[known], mean[known]
    if not len(x):
        raise NotApplicable("gamma-gamma needs customers who spent something")
    scale = float(np.median(z))
    log_z, log_x, unit = np.log(z / scale), np.log(x), z / scale

    def loss(logs: np.ndarray) -> float:
        p, q, gamma = np.exp(logs)
        return -float(
            np.mean(
                gammaln(p * x + q)
                - gammaln(p * x)
                + (p * x - 1) * log_z
                + p * x * log_x
                - (p * x + q) * np.log(gamma + x * unit)
            )
            - gammaln(q)
            + q * np.log(gamma)
        )

    result = minimize(
        loss,
        np.array([1.0, 1.0, 0.0]),
        method="L-BFGS-B",
        bounds=[(-MAX_LOG_PARAMETER, MAX_LOG_PARAMETER)] * 3,
        options={"ftol": 1e-13, "gtol": 1e-8},
    )
    p, q, gamma = np.exp(result.x).tolist()
    if q <= 1:
        raise NotApplicable("gamma-gamma finds no finite mean spend of these customers")
    return GammaGammaParams(p, q, gamma * scale)


def forecast_per_day(
    rows: LabelledRows, money: np.ndarray, rates: OrderRates | None, *, shrinks: bool
) -> np.ndarray:
    """Return the money expected of each row a day, if the customer goes on.

    Expected orders × expected spend. The spend is that of gamma-gamma where it applies, else the
    mean of the row's own orders; the orders are those of the row where there are no ``rates``.

    Parameters
    ----------
    money
        Money of each row in the look-back.
    shrinks
        Whether the spend follows gamma-gamma: not if the log has a profit of its own, which may be
        below zero.
    """
    own = rows.orders / rows.days
    orders = own if rates is None else rates.expect_rates(rows.repeats, rows.days)
    mean = np.divide(money, rows.orders, out=np.zeros(len(money)), where=rows.orders > 0)
    if not shrinks:
        return np.asarray(orders * mean)
    mean = np.maximum(mean, 0.0)
    first = np.unique(rows.customer, return_index=True)[1]
    some = first[:: -(-len(first) // MAX_CUSTOMERS)]
    try:
        params = fit_gamma_gamma(rows.orders[some], mean[some])
    except NotApplicable:
        return np.asarray(orders * mean)
    return np.asarray(orders * params.expected_spend(rows.orders, mean))


def validate_forecast(  # noqa: PLR0913 - four columns, and where they stand
    customer: np.ndarray,
    day: np.ndarray,
    forecast: np.ndarray,
    actual: np.ndarray,
    *,
    levels: StoreLevels,
    rule: LabelRule,
) -> Iterator[MoneyForecast]:
    """Yield the money forecast for each later snapshot from earlier ones, and what came.

    The sum of the customers' forecasts is multiplied by what came at snapshots whose horizon was
    over, as a share of their forecasts. The interval has the error of this share by customer, the
    change of the whole store within a horizon, and the spread of customers around their forecasts.
    """
    horizon = rule.horizon
    for later in np.unique(day):
        before, at = day + horizon <= later, day == later
        if not forecast[before].sum() > 0:
            continue
        expected, came = forecast[before], actual[before]
        share = came.sum() / expected.sum()
        residual = came - share * expected
        total = forecast[at].sum()
        value = float(share * total)
        by_customer = np.bincount(customer[before], residual)
        variance = (
            (total / expected.sum()) ** 2 * (by_customer**2).sum()
            + at.sum() * float(np.mean(residual**2))
            + value**2 * _drift_of_store(levels, later, rule.lookback, horizon)
        )
        spread = Z95 * float(np.sqrt(variance))
        came_then = float(actual[at].sum())
        yield MoneyForecast(
            snapshot=str(date_from_epoch(int(later))),
            n_rows=int(at.sum()),
            forecast=Estimate(value=value, low=max(value - spread, 0.0), high=value + spread),
            actual=came_then,
            covered=abs(came_then - value) <= spread,
        )


def _drift_of_store(levels: StoreLevels, day: int, lookback: int, horizon: int) -> float:
    """Return the variance of the change of the store's trend within a horizon, known by a day.

    A season moves all customers together, and cannot be seen in the spread of customers. It is
    1.48 × the median absolute change squared, so that the first months of a store count little.
    """
    sums = np.concatenate([[0], np.cumsum(levels.daily[: day - levels.first_day])]).astype(float)
    at = np.arange(lookback, len(sums) - horizon)
    before, after = sums[at] - sums[at - lookback], sums[at + horizon] - sums[at]
    trend = np.divide(after, before, out=np.full(len(at), np.nan), where=before > 0)
    change = trend[horizon:] / trend[:-horizon] - 1
    known = change[np.isfinite(change)]
    return float((NORMAL_PER_MEDIAN * np.median(np.abs(known))) ** 2) if len(known) else 0.0
