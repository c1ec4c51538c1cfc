"""A decline in whole numbers, and in words.

May import: errors, schema and customers.customers, purchases.log.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from retain.customers.customers import Label
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

    Declined: future sum / horizon < decline_below × past sum / look-back, with ``decline_below``
    in millionths.

    >>> from retain.schema.purchases import Active
    >>> decline(LabelRule(measure="orders", horizon=90, lookback=180, decline_below=0.5,
    ...                   active=Active(periods=2, days=90), history=None))
    Decline(future=4, past=1)
    """
    future = rule.lookback * _MILLION
    past = round(rule.decline_below * _MILLION) * rule.horizon
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


def with_measure(rule: LabelRule, columns: frozenset[str]) -> LabelRule:
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


def words(rule: LabelRule) -> Label:
    """What a target of 1 means.

    >>> from retain.schema.purchases import Active
    >>> words(LabelRule(measure="orders", horizon=90, lookback=180, decline_below=0.5,
    ...                 active=Active(periods=2, days=90), history=None)).en
    'fewer orders in 90 days than 50 % of the own rate of 180 days before'
    """
    share = f"{rule.decline_below * 100:g} %"
    less = "less" if rule.measure == "amount" else "fewer"
    en = f"{less} {_EN[rule.measure]} in {rule.horizon} days than {share} of the own rate of "
    ru = f"{_RU[rule.measure]} за {rule.horizon} дней меньше {share} собственного темпа за "
    return Label(f"{en}{rule.lookback} days before", f"{ru}{rule.lookback} дней до того")


def changed(rule: LabelRule, **values: object) -> LabelRule:
    """The rule with other values, for what they would make of the same customers."""
    return rule.model_copy(update=values)
