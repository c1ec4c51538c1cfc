"""All checks of a label on the rows of a feature table."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from retain.customers.purchases.features.label import compute_decline_rule
from retain.customers.purchases.features.result import TableFacts
from retain.customers.purchases.features.snapshots import date_from_epoch
from retain.customers.purchases.features.store_level import StoreLevels
from retain.customers.purchases.quality.chance import Z95, LabelledRows, estimate_chance, fit_rates
from retain.customers.purchases.quality.money import (
    DAYS_PER_MONTH,
    forecast_per_day,
    validate_forecast,
)
from retain.errors import NotApplicable
from retain.record.estimates import Estimate
from retain.record.label import LabelQuality, MoneyForecast, Persistence, StoreLevel
from retain.schema.purchases import LabelRule

MIN_ROWS = 50
"""Rows with which the distribution of rates is fitted."""
INPUTS = ("customer", "snapshot", "past_orders", "tenure_days")
OUTCOMES = ("declined", "later_orders", "money", "next_money")
CENTS = 100

MIN_CUSTOMERS = 20
"""Labelled and other customers that are needed each."""


def measure_persistence(rows: LabelledRows, later: np.ndarray) -> Persistence:
    """Return orders of the horizon after next relative to the own rate, by label, and their ratio.

    The ratio of the two ratios is free of what all customers share, such as the season and the
    regression of high rates to the mean. Its interval is on the logarithm, with the variance of
    sums by customer, who may have several rows.

    Parameters
    ----------
    later
        Orders of each row from one horizon to two horizons after the snapshot; NaN beyond the log.

    Raises
    ------
    NotApplicable
        ``short_log``: no snapshot has two whole horizons of the log after it; ``few_customers``:
        fewer than 20 customers have either label, or none of them bought.
    """
    known = ~np.isnan(later)
    if not known.any():
        raise NotApplicable("short_log")
    expected = (rows.orders / rows.days * rows.ahead)[known]
    bought, who = later[known], rows.customer[known]
    labelled = rows.declined[known] == 1
    for group in (labelled, ~labelled):
        if len(np.unique(who[group])) < MIN_CUSTOMERS or bought[group].sum() == 0:
            raise NotApplicable("few_customers")
    ratios = [bought[group].sum() / expected[group].sum() for group in (labelled, ~labelled)]
    influence = np.zeros(len(bought))
    for group, ratio, sign in ((labelled, ratios[0], 1), (~labelled, ratios[1], -1)):
        residual = bought[group] - ratio * expected[group]
        influence[group] = sign * residual / bought[group].sum()
    spread = Z95 * float(np.sqrt((np.bincount(who, influence) ** 2).sum()))
    kept = ratios[0] / ratios[1]
    ends = kept * np.exp([-spread, spread])
    loss = np.clip([1 - kept, 1 - ends[1], 1 - ends[0]], 0.0, 1.0).tolist()
    return Persistence(
        n_rows=int(known.sum()),
        labelled=float(ratios[0]),
        others=float(ratios[1]),
        ratio=Estimate(value=float(kept), low=float(ends[0]), high=float(ends[1])),
        loss_fraction=Estimate(value=loss[0], low=loss[1], high=loss[2]),
    )


def forecast_profit(rows: pa.Table, rule: LabelRule, *, shrinks: bool) -> np.ndarray:
    """Return the money expected of each regular customer a month, in units of the log.

    ``rows`` have ``INPUTS`` and ``money``; ``shrinks`` as in ``forecast_per_day``.
    """
    past = collect_rows(rows, rule, None)
    money = rows["money"].to_numpy() / CENTS
    rates = fit_rates(past) if len(past.days) >= MIN_ROWS else None
    return forecast_per_day(past, money, rates, shrinks=shrinks) * DAYS_PER_MONTH


def check_label(
    rows: pa.Table, rule: LabelRule, facts: TableFacts, profit: np.ndarray | None
) -> LabelQuality:
    """Return the checks of the label of regular customers; what is not applicable has a reason.

    ``rows`` have ``INPUTS`` and ``OUTCOMES``, in the order of the customers, so that the engines
    agree in every digit; ``profit`` is that of ``forecast_profit``.
    """
    levels = StoreLevels(facts.first_day, facts.daily, facts.snapshots)
    found = LabelQuality(
        store_levels=_describe_levels(levels, rule),
        money=() if profit is None else tuple(_validate(rows, rule, facts, profit)),
    )
    if rule.measure != "orders":
        reasons = dict.fromkeys(("chance_reason", "persistence_reason"), "measure")
        return found.model_copy(update=reasons)
    labelled = collect_rows(rows, rule, levels)
    update: dict[str, object] = {"one_order_share": float((labelled.needed <= 1).mean())}
    if len(labelled.days) < MIN_ROWS:
        update["chance_reason"] = "few_rows"
    else:
        update["chance"] = estimate_chance(labelled)
    try:
        later = rows["later_orders"].to_numpy().astype(float)
        update["persistence"] = measure_persistence(labelled, later)
    except NotApplicable as reason:
        update["persistence_reason"] = str(reason)
    return found.model_copy(update=update)


def _describe_levels(levels: StoreLevels, rule: LabelRule) -> tuple[StoreLevel, ...]:
    return tuple(
        levels.describe(day, str(date_from_epoch(day)), rule.lookback, rule.horizon)
        for day in levels.snapshots
    )


def _validate(
    rows: pa.Table, rule: LabelRule, facts: TableFacts, profit: np.ndarray
) -> Iterator[MoneyForecast]:
    customer = rows["customer"].combine_chunks().dictionary_encode().indices.to_numpy()
    day = rows["snapshot"].to_numpy() + facts.first_day - 1
    levels = StoreLevels(facts.first_day, facts.daily, facts.snapshots)
    expected = profit * rule.horizon / DAYS_PER_MONTH
    actual = rows["next_money"].to_numpy() / CENTS
    return validate_forecast(customer, day, expected, actual, levels=levels, rule=rule)


def collect_rows(rows: pa.Table, rule: LabelRule, levels: StoreLevels | None) -> LabelledRows:
    """Return what the label compares; a label relative to the store has its trend in ``ahead``.

    Without ``levels`` there is no label: nobody declined.
    """
    customer = rows["customer"].combine_chunks().dictionary_encode().indices.to_numpy()
    orders, tenure, number = (
        rows[name].to_numpy().astype(np.int64)
        for name in ("past_orders", "tenure_days", "snapshot")
    )
    declined = np.zeros(len(orders)) if levels is None else rows["declined"].to_numpy()
    days = np.minimum(tenure, rule.lookback)
    above, below = np.ones_like(days), np.ones_like(days)
    if levels is not None and rule.relative == "store":
        for day in levels.snapshots:
            at = number == day - levels.first_day + 1
            above[at], below[at] = levels.trend(day, rule.lookback, rule.horizon)
    factors, regularity = compute_decline_rule(rule), rule.regularity
    asked = orders.astype(object) * factors.past_factor * above
    needed = -(-asked // (days.astype(object) * factors.future_factor * below))
    return LabelledRows(
        customer=customer,
        orders=orders.astype(float),
        repeats=(orders - (tenure <= rule.lookback)).astype(float),
        days=days.astype(float),
        periods=(regularity.periods - (tenure <= regularity.periods * regularity.days)).astype(
            float
        ),
        period_days=regularity.days,
        needed=np.maximum(needed, 1).astype(float),
        ahead=rule.horizon * above / below,
        declined=declined.astype(float),
    )
