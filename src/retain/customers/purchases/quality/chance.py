"""The chance floor: the share labelled in a world where every customer goes on as before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincc, gammaincinv

from retain.customers.purchases.quality.order_rates import (
    STEP,
    OrderRates,
    PastOrders,
    fit_order_rates,
    rates_influence,
)
from retain.record.estimates import Estimate
from retain.record.label import ChanceFloor

N_RATES = 40
"""Quantiles of the rates of a row for the ceiling."""
Z95 = 1.959964


@dataclass(frozen=True)
class LabelledRows:
    """Rows of regular customers at snapshots, with what the label compares.

    Attributes
    ----------
    customer
        Code of the customer of each row.
    orders, repeats, days, periods
        Orders of the look-back, and the fields of ``PastOrders``.
    needed
        Fewest orders in the horizon that are no decline.
    ahead
        Days of the horizon, times the store's trend if the label is relative to it.
    declined
        The label.
    """

    customer: np.ndarray
    orders: np.ndarray
    repeats: np.ndarray
    days: np.ndarray
    periods: np.ndarray
    period_days: int
    needed: np.ndarray
    ahead: np.ndarray
    declined: np.ndarray


def estimate_chance(rows: LabelledRows) -> ChanceFloor:
    """Return the share labelled by chance, and the ROC-AUC that knowing every rate would reach.

    Everybody keeps the own rate for the horizon. The rate is unknown: it follows the gamma
    distribution of the regular customers, given the orders of the row. ``poisson_share`` takes the
    orders of the look-back for the rate itself, which exaggerates how much customers differ.
    Intervals are by customer, and include the error of the rates.
    """
    groups, index = _group(rows)
    counts = np.bincount(index, minlength=len(groups.repeats)).astype(float)
    rates = fit_order_rates(_past(groups, counts))
    p = rates.p_fewer(groups.needed, groups.ahead, groups.repeats, groups.days)
    plain = gammaincc(groups.needed, groups.orders / groups.days * groups.ahead)
    share, labelled = float(p @ counts / counts.sum()), float(rows.declined.mean())
    by_row = _influence(groups, counts, rates, p)[index]
    spread = _spread(by_row, rows.customer)
    excess_spread = _spread(rows.declined - labelled - by_row, rows.customer)
    excess = labelled - share
    return ChanceFloor(
        share_labelled=labelled,
        share=Estimate(share, max(share - spread, 0.0), min(share + spread, 1.0)),
        excess=Estimate(excess, excess - excess_spread, excess + excess_spread),
        poisson_share=float(plain @ counts / counts.sum()),
        ceiling_auc=_ceiling(groups, counts, rates),
        rate_shape=rates.r,
        rate_scale_days=rates.alpha,
    )


def fit_rates(rows: LabelledRows) -> OrderRates:
    """Return the rates of the rows' customers, given that they are regular."""
    groups, index = _group(rows)
    return fit_order_rates(_past(groups, np.bincount(index).astype(float)))


def _group(rows: LabelledRows) -> tuple[LabelledRows, np.ndarray]:
    """Return the distinct rows, and the index of each row among them."""
    names = ("orders", "repeats", "days", "periods", "needed", "ahead")
    table = np.column_stack([getattr(rows, name) for name in names])
    distinct, index = np.unique(table, axis=0, return_inverse=True)
    columns = dict(zip(names, distinct.T, strict=True))
    empty = np.zeros(len(distinct))
    groups = LabelledRows(customer=empty, declined=empty, period_days=rows.period_days, **columns)
    return groups, index.ravel()


def _past(groups: LabelledRows, counts: np.ndarray) -> PastOrders:
    return PastOrders(groups.repeats, groups.days, groups.periods, groups.period_days, counts)


def _influence(
    groups: LabelledRows, counts: np.ndarray, rates: OrderRates, p: np.ndarray
) -> np.ndarray:
    """Return the change of the share by chance that a row of each kind makes, × rows.

    A row changes the mean of P(label), and the rates it is computed from.
    """

    def share_at(logs: np.ndarray) -> float:
        at = OrderRates(*np.exp(logs).tolist())
        q = at.p_fewer(groups.needed, groups.ahead, groups.repeats, groups.days)
        return float(q @ counts / counts.sum())

    logs, steps = np.log([rates.r, rates.alpha]), STEP * np.eye(2)
    slope = [(share_at(logs + d) - share_at(logs - d)) / (2 * STEP) for d in steps]
    by_rates = rates_influence(_past(groups, counts), rates) @ np.array(slope)
    return np.asarray(p - p @ counts / counts.sum() + by_rates)


def _spread(values: np.ndarray, customer: np.ndarray) -> float:
    """Return half the width of a 95 % interval of a mean of rows, by customer."""
    return Z95 * float(np.sqrt((np.bincount(customer, values) ** 2).sum())) / len(values)


def _ceiling(groups: LabelledRows, counts: np.ndarray, rates: OrderRates) -> float:
    """Return the expected ROC-AUC of P(label) given each customer's true rate.

    It is .5 where timing labels everybody or nobody: then there is nothing to rank.
    """
    shape, scale = rates.r + groups.repeats, 1 / (rates.alpha + groups.days)
    levels = (np.arange(N_RATES) + 0.5) / N_RATES
    true = gammaincinv(shape[:, None], levels[None, :]) * scale[:, None]
    p = gammaincc(groups.needed[:, None], true * groups.ahead[:, None]).ravel()
    weight = np.repeat(counts, N_RATES)
    order = np.argsort(p, kind="stable")
    positive, negative = (weight * p)[order], (weight * (1 - p))[order]
    below = np.cumsum(negative) - negative / 2
    pairs = positive.sum() * negative.sum()
    return float(positive @ below / pairs) if pairs > 0 else 0.5
