"""A decline in whole numbers, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

import pandas as pd

from retain.customers.customers import Label
from retain.customers.purchases.features.day_buckets import shorter_horizons, shorter_lookbacks
from retain.errors import RetainError
from retain.schema.purchases import LabelRule, Measure

_MILLION = 1_000_000
_SMALL = 1_000  # times what is exact as a float it fits into 64 bits
MEASURES: tuple[Measure, ...] = ("orders", "items", "amount")


@dataclass(frozen=True, slots=True)
class Decline:
    """Declined is where ``future`` × what comes after < ``past`` × what came before."""

    future: int
    past: int


def decline(rule: LabelRule) -> Decline:
    """The rule as two whole factors without a common divisor.

    Declined: future sum / horizon < decline_ratio × past sum / look-back, with ``decline_ratio``
    in millionths.

    >>> from retain.schema.purchases import RegularityRule
    >>> decline(LabelRule(measure="orders", horizon=90, lookback=180, decline_ratio=0.5,
    ...                   regularity=RegularityRule(periods=2, days=90), min_history=None))
    Decline(future=4, past=1)
    """
    future = rule.lookback * _MILLION
    past = round(rule.decline_ratio * _MILLION) * rule.horizon
    common = gcd(future, past)
    return Decline(future // common, past // common)


def declines(rule: LabelRule) -> str:
    """SQL that is 1 for a pair that declined, else 0.

    Cents and items times a large factor may pass 64 bits; orders times any factor cannot.
    """
    factors = decline(rule)
    after, before = f"{rule.measure}_next_{rule.horizon}", f"{rule.measure}_{rule.lookback}"
    if rule.measure != "orders" and max(factors.future, factors.past) > _SMALL:
        after, before = (f"CAST({name} AS DECIMAL(38, 0))" for name in (after, before))
    less = f"{after} * {factors.future} < {before} * {factors.past}"
    return f"CASE WHEN {less} THEN 1 ELSE 0 END"


def check_measure(rule: LabelRule, columns: frozenset[str]) -> LabelRule:
    """The rule, when the log has what it measures.

    Raises
    ------
    RetainError
        It measures money, and no amount is mapped.
    """
    if rule.measure == "amount" and "amount" not in columns:
        found = "it is 'amount' and the log has no column of it"
        expected = "type data.columns.amount=COLUMN, or data.label.measure=orders"
        raise RetainError.at("data.label.measure", found, expected)
    return rule


def measures_of(columns: frozenset[str]) -> tuple[Measure, ...]:
    """The measures a log has: orders always, items and amount where they are mapped."""
    return tuple(name for name in MEASURES if name == "orders" or name in columns)


_EN = {"orders": "orders", "items": "items", "amount": "amount"}
_RU = {"orders": "заказов", "items": "товаров", "amount": "суммы"}


def describe_label(rule: LabelRule) -> Label:
    """What a target of 1 means.

    >>> from retain.schema.purchases import RegularityRule
    >>> describe_label(LabelRule(measure="orders", horizon=90, lookback=180, decline_ratio=0.5,
    ...                 regularity=RegularityRule(periods=2, days=90), min_history=None)).en
    'fewer orders in 90 days than 50 % of the own rate of 180 days before'
    """
    share = f"{rule.decline_ratio * 100:g} %"
    less = "less" if rule.measure == "amount" else "fewer"
    en = f"{less} {_EN[rule.measure]} in {rule.horizon} days than {share} of the own rate of "
    ru = f"{_RU[rule.measure]} за {rule.horizon} дней меньше {share} собственного темпа за "
    return Label(f"{en}{rule.lookback} days before", f"{ru}{rule.lookback} дней до того")


def label_variants(rule: LabelRule, **values: object) -> LabelRule:
    """The rule with other values, for what they would make of the same customers."""
    return rule.model_copy(update=values)


_STEPS = (-0.25, -0.1, 0.1, 0.25)  # of decline_ratio


@dataclass(frozen=True, slots=True)
class Definition:
    """Which parameter has which value; what it asks of a pair, and when that one declined."""

    parameter: str
    value: str
    periods: int
    past: str
    declined: str


def definitions(rule: LabelRule, measures: tuple[Measure, ...]) -> tuple[Definition, ...]:
    """The chosen definition, and the others.

    A horizon is only made shorter, as a longer one is not over; so is a look-back, which would
    need a longer log.
    """
    below = sorted({round(rule.decline_ratio + step, 6) for step in _STEPS})
    periods = rule.regularity.periods
    tried: list[tuple[str, list[object]]] = [
        ("decline_ratio", [one for one in below if 0 < one <= 1]),
        ("horizon", list(shorter_horizons(rule))),
        ("lookback", list(shorter_lookbacks(rule))),
        ("measure", [one for one in measures if one != rule.measure]),
    ]
    others = [
        _defined(name, value, rule.model_copy(update={name: value}))
        for name, values in tried
        for value in values
    ]
    counts = [_active(rule, count) for count in (periods - 1, periods + 1) if count > 0]
    return (_defined("chosen", "", rule), *others, *counts)


def _active(rule: LabelRule, count: int) -> Definition:
    regularity = rule.regularity.model_copy(update={"periods": count})
    return _defined("regularity.periods", count, rule.model_copy(update={"regularity": regularity}))


def _defined(parameter: str, value: object, rule: LabelRule) -> Definition:
    past = f"{rule.measure}_{rule.lookback}"
    return Definition(parameter, str(value), rule.regularity.periods, past, declines(rule))


def table_of(definitions: Sequence[Definition], counts: Sequence[int]) -> pd.DataFrame:
    """A row a definition: ``parameter, value, rows, declined, agreement``.

    ``declined`` is the share of the rows that are regular by it, ``agreement`` the share with the
    target of the chosen definition among those regular by both; NaN where there are none.

    >>> one = Definition("horizon", "30", 2, "orders_180", "")
    >>> list(table_of([one], [10, 4, 8, 6]).itertuples(index=False, name=None))
    [('horizon', '30', 10, 0.4, 0.75)]
    """
    rows = [
        (one.parameter, one.value, total, _share(declined, total), _share(agreed, shared))
        for one, (total, declined, shared, agreed) in zip(
            definitions, zip(*(counts[n::4] for n in range(4)), strict=True), strict=True
        )
    ]
    return pd.DataFrame(rows, columns=["parameter", "value", "rows", "declined", "agreement"])


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
