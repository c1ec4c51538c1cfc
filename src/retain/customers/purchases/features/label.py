"""The label "declined" in exact integers, its description, and the variants of its definition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import gcd

import pandas as pd

from retain.customers.purchases.features.day_buckets import shorter_horizons, shorter_lookbacks
from retain.customers.purchases.features.store_level import StoreLevels
from retain.errors import RetainError
from retain.record.estimates import DisplayName
from retain.schema.purchases import LabelRule, Measure

_MILLION = 1_000_000
_MAX_INTEGER = 2**63
_MAX_SAFE_FACTOR = 1_000  # times a sum that a float holds exactly, it fits into 64 bits
MEASURES: tuple[Measure, ...] = ("orders", "items", "amount")


@dataclass(frozen=True, slots=True)
class DeclineRule:
    """Declined if ``future_factor`` × days × sum after < ``past_factor`` × sum before the snapshot.

    The days are those of the look-back since the first purchase.
    """

    future_factor: int
    past_factor: int


def compute_decline_rule(rule: LabelRule) -> DeclineRule:
    """Return the rule as two integer factors without a common divisor.

    Declined: future sum / horizon < decline_ratio × past sum / days, with ``decline_ratio`` in
    millionths.

    >>> from retain.schema.purchases import RegularityRule
    >>> compute_decline_rule(LabelRule(
    ...     measure="orders", horizon=90, lookback=180, decline_ratio=0.5,
    ...     regularity=RegularityRule(periods=2, days=90), min_history=None))
    DeclineRule(future_factor=1, past_factor=45)
    """
    future = _MILLION
    past = round(rule.decline_ratio * _MILLION) * rule.horizon
    common = gcd(future, past)
    return DeclineRule(future // common, past // common)


def decline_sql(rule: LabelRule, levels: StoreLevels) -> str:
    """Return SQL that is 1 for a customer who declined, else 0.

    The own rate is over the days in which the customer could buy: who came within the look-back
    has a shorter past, and no lower rate for that.
    Cents and items times a large factor may exceed 64 bits; a customer's orders are bounded.
    """
    factors = compute_decline_rule(rule)
    after, before = f"{rule.measure}_next_{rule.horizon}", f"{rule.measure}_{rule.lookback}"
    largest = max(factors.future_factor * rule.lookback, factors.past_factor)
    relative = rule.relative == "store"
    if relative:
        largest *= levels.largest_trend_part(rule.lookback, rule.horizon)
    if rule.measure == "orders":
        is_safe = largest * sum(levels.daily) < _MAX_INTEGER
    else:
        is_safe = largest <= _MAX_SAFE_FACTOR and not relative
    if not is_safe:
        after, before = (f"CAST({name} AS DECIMAL(38, 0))" for name in (after, before))
    days = f"LEAST({rule.lookback}, snapshot - first_day)"
    left, right = f"{after} * {factors.future_factor} * {days}", f"{before} * {factors.past_factor}"
    if relative:
        above, below = levels.trend_sql(rule.lookback, rule.horizon)
        left, right = f"{left} * {below}", f"{right} * {above}"
    less = f"{left} < {right}"
    return f"CASE WHEN {less} THEN 1 ELSE 0 END"


def needed_sql(rule: LabelRule) -> str:
    """Return SQL of the fewest days with an order in the horizon that are no decline."""
    factors = compute_decline_rule(rule)
    days = f"LEAST({rule.lookback}, p.snapshot - p.first_day)"
    below = f"({factors.future_factor} * {days})"
    return f"(p.days_{rule.lookback} * {factors.past_factor} + {below} - 1) // {below}"


def check_measure(rule: LabelRule, columns: frozenset[str]) -> LabelRule:
    """Return the rule if the log has the column it measures.

    Raises
    ------
    RetainError
        The rule measures the amount, and no amount is mapped.
    """
    if rule.measure == "amount" and "amount" not in columns:
        found = "it is 'amount' and the log has no column of it"
        expected = "type data.columns.amount=COLUMN, or data.label.measure=orders"
        raise RetainError.at("data.label.measure", found, expected)
    return rule


def list_measures(columns: frozenset[str]) -> tuple[Measure, ...]:
    """Return the measures of a log: orders, and items and amount if they are mapped."""
    return tuple(name for name in MEASURES if name == "orders" or name in columns)


_MEASURES_RU = {"orders": "заказов", "items": "товаров", "amount": "суммы"}


def describe_label(rule: LabelRule) -> DisplayName:
    """Return the meaning of a target of 1, in both languages.

    >>> from retain.schema.purchases import RegularityRule
    >>> describe_label(LabelRule(measure="orders", horizon=90, lookback=180, decline_ratio=0.5,
    ...                 regularity=RegularityRule(periods=2, days=90), min_history=None)).en
    'fewer orders in 90 days than 50 % of the own rate of up to 180 days before'
    """
    share = f"{rule.decline_ratio * 100:g} %"
    trend_en, trend_ru = ("", "")
    if rule.relative == "store":
        trend_en, trend_ru = " × the store's trend", " × динамика магазина"
    less = "less" if rule.measure == "amount" else "fewer"
    en = f"{less} {rule.measure} in {rule.horizon} days than {share} of the own rate of up to "
    ru = f"{_MEASURES_RU[rule.measure]} за {rule.horizon} дней меньше {share} собственного темпа "
    return DisplayName(
        f"{en}{rule.lookback} days before{trend_en}",
        f"{ru}не более чем за {rule.lookback} дней до того{trend_ru}",
    )


_RATIO_STEPS = (-0.25, -0.1, 0.1, 0.25)  # added to decline_ratio


@dataclass(frozen=True, slots=True)
class LabelVariant:
    """The label with another value of one parameter.

    A customer is regular by it with ``n_periods`` active periods and ``past_column`` above zero;
    ``declined_sql`` is the target.
    """

    parameter: str
    value: str
    n_periods: int
    past_column: str
    declined_sql: str


def list_label_variants(
    rule: LabelRule, measures: tuple[Measure, ...], levels: StoreLevels
) -> tuple[LabelVariant, ...]:
    """Return the chosen label, then its variants.

    Horizon and look-back are only shortened: a longer horizon is not over yet, and a longer
    look-back would need a longer log.
    """
    ratios = sorted({round(rule.decline_ratio + step, 6) for step in _RATIO_STEPS})
    values: dict[str, Iterable[object]] = {
        "decline_ratio": [ratio for ratio in ratios if 0 < ratio <= 1],
        "horizon": shorter_horizons(rule),
        "lookback": shorter_lookbacks(rule),
        "measure": [measure for measure in measures if measure != rule.measure],
        "relative": [base for base in ("own", "store") if base != rule.relative],
    }
    changes = [(name, value) for name, listed in values.items() for value in listed]
    periods = rule.regularity.periods
    return (
        _make_variant("chosen", "", rule, levels),
        *(
            _make_variant(n, value, rule.model_copy(update={n: value}), levels)
            for n, value in changes
        ),
        *(_regularity_variant(rule, n, levels) for n in (periods - 1, periods + 1) if n > 0),
    )


def _regularity_variant(rule: LabelRule, periods: int, levels: StoreLevels) -> LabelVariant:
    regularity = rule.regularity.model_copy(update={"periods": periods})
    changed = rule.model_copy(update={"regularity": regularity})
    return _make_variant("regularity.periods", periods, changed, levels)


def _make_variant(
    parameter: str, value: object, rule: LabelRule, levels: StoreLevels
) -> LabelVariant:
    past, declined = f"{rule.measure}_{rule.lookback}", decline_sql(rule, levels)
    return LabelVariant(parameter, str(value), rule.regularity.periods, past, declined)


def tabulate_variants(variants: Sequence[LabelVariant], counts: Sequence[int]) -> pd.DataFrame:
    """Return a row per variant: ``parameter, value, rows, declined, agreement``.

    ``declined`` is the share that declined among the rows regular by it; ``agreement`` the share
    with the same target as the chosen label among the rows regular by both. NaN without such rows.

    >>> variant = LabelVariant("horizon", "30", 2, "orders_180", "")
    >>> list(tabulate_variants([variant], [10, 4, 8, 6]).itertuples(index=False, name=None))
    [('horizon', '30', 10, 0.4, 0.75)]
    """
    columns = zip(*(counts[n::4] for n in range(4)), strict=True)
    rows = [
        (variant.parameter, variant.value, n, _ratio(declined, n), _ratio(agreed, shared))
        for variant, (n, declined, shared, agreed) in zip(variants, columns, strict=True)
    ]
    return pd.DataFrame(rows, columns=["parameter", "value", "rows", "declined", "agreement"])


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
