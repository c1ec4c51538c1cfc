"""Customers built from an engine's feature table: sorted, decoded, described, with their funnel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from retain.customers.customers import CleaningStep, Column, Customers
from retain.customers.panel import Panel
from retain.customers.purchases.features import label as labels
from retain.customers.purchases.features.feature_names import TOP_CATEGORY, describe_columns
from retain.customers.purchases.features.result import FeatureTable, TableFacts
from retain.customers.purchases.features.snapshots import date_from_epoch
from retain.customers.purchases.features.store_level import StoreLevels
from retain.customers.purchases.quality.quality import (
    INPUTS,
    OUTCOMES,
    check_label,
    forecast_profit,
)
from retain.errors import RetainError
from retain.schema.purchases import LabelRule

_NON_FEATURES = ("customer", "snapshot", "reason", "past_orders", *OUTCOMES)
_WEEK = 7


@dataclass(frozen=True)
class LabelRequest:
    """The label, the optional columns of the log, the unit of money, and whether to label."""

    label: LabelRule
    columns: frozenset[str]
    profit_unit: str | None
    has_target: bool


def build_customers(table: FeatureTable, request: LabelRequest) -> Customers:
    """Return the customers of a table, sorted by the text of the id, then by day.

    Raises
    ------
    RetainError
        No customer is regular.
    """
    facts = table.facts
    rows, dropped = (table.rows, None) if request.has_target else _split_regular(table.rows)
    funnel = build_funnel(facts, request.label, dropped)
    if rows.num_rows == 0:
        raise RetainError(_no_regular_customers_message(funnel, request, facts))
    order, id_texts = _sort_order(rows)
    ids = _build_ids(rows, order, id_texts, facts, has_target=request.has_target)
    features, columns = _build_features(rows, order, ids, facts)
    checked = _select_checked(rows, order)
    profit = _build_profit(checked, ids, request)
    panel = None
    if request.has_target:
        panel = _build_panel(rows, order, ids, request, facts)
        money = None if profit is None else profit.to_numpy()
        panel = replace(panel, quality=check_label(checked, request.label, facts, money))
    return Customers(
        features=features,
        columns=columns,
        target=_build_target(rows, order, ids) if request.has_target else None,
        profit=profit,
        profit_unit=request.profit_unit,
        profit_is_turnover="profit" not in request.columns,
        target_label=labels.describe_label(request.label) if request.has_target else None,
        funnel=funnel,
        snapshot=None if request.has_target else date_from_epoch(facts.snapshots[0]),
        panel=panel,
    )


# --- funnel --------------------------------------------------------------------------------------

PAIR_UNIT = "customers at snapshots"
NEVER_BOUGHT = 4
EXCLUSION_REASONS = (1, 2, 3, NEVER_BOUGHT)
"""Reasons why a customer is not regular, as numbered in ``eligibility.sql``."""


def build_funnel(
    facts: TableFacts, rule: LabelRule, dropped: Mapping[int, tuple[object, ...]] | None = None
) -> tuple[CleaningStep, ...]:
    """Return the funnel of the log and of eligibility; ``dropped`` holds ids by reason."""
    n_by_reason = dict.fromkeys((0, *EXCLUSION_REASONS), 0)
    for _, reason, n_customers, _ in facts.counts:
        n_by_reason[reason] += n_customers
    left, steps = sum(n_by_reason.values()), list(facts.funnel)
    unit = PAIR_UNIT if dropped is None else "customers"
    for reason, (name, message) in describe_exclusions(rule).items():
        if reason == NEVER_BOUGHT and n_by_reason[NEVER_BOUGHT] == 0:
            continue
        ids = () if dropped is None else dropped.get(reason, ())
        steps.append(
            CleaningStep(name, left, left - n_by_reason[reason], message, unit, dropped=ids)
        )
        left -= n_by_reason[reason]
    return tuple(steps)


def describe_exclusions(rule: LabelRule) -> dict[int, tuple[str, str]]:
    """Return name and message of each exclusion reason, in the order of the checks."""
    regularity = rule.regularity
    periods = f"the last {regularity.periods} periods of {regularity.days} days"
    return {
        NEVER_BOUGHT: ("never bought", "returns, visits or contacts alone"),
        1: ("too new", f"first purchase less than {rule.least_history} days before"),
        2: ("not active", f"no purchase in one of {periods}"),
        3: ("no rate", f"nothing left of {rule.measure} in {rule.lookback} days after returns"),
    }


def describe_rates(facts: TableFacts) -> Iterator[str]:
    """Yield a message per snapshot: the number of regular customers and the share that declined."""
    regular = [counts for counts in facts.counts if counts[1] == 0]
    for number, rows in groupby(regular, lambda counts: counts[0]):
        customers, declined = (sum(column) for column in list(zip(*rows, strict=True))[2:])
        day = date_from_epoch(facts.first_day + number - 1)
        share = declined / customers
        yield (
            f"snapshot {day}: {customers} customers, {share:.1%} declined, "
            f"{1 - share:.1%} at the previous level"
        )


def _no_regular_customers_message(
    funnel: tuple[CleaningStep, ...], request: LabelRequest, facts: TableFacts
) -> str:
    counts = "; ".join(f"{step.n_before - step.n_after} {step.name}" for step in funnel[-3:])
    last = date_from_epoch(facts.snapshots[-1])
    n_days, needed = facts.snapshots[-1] - facts.first_day, request.label.least_history
    if request.has_target:
        when, hint = "at any snapshot", "Type "
    else:
        when = f"on {last}"
        hint = "Type data.snapshot=DAY, soon after a purchase of the log, or "
    if n_days < needed:
        hint = f"The log begins {n_days} days before {last}, and {needed} are asked. {hint}"
    hint += "another data.label.regularity.periods=N or data.label.min_history=DAYS"
    return f"nobody is a regular customer {when} ({counts}). {hint}."


# --- columns -------------------------------------------------------------------------------------


def _split_regular(rows: pa.Table) -> tuple[pa.Table, dict[int, tuple[object, ...]]]:
    """Return the rows of regular customers, and the ids of the others by reason."""
    reason = rows["reason"]
    others = {n: rows.filter(pc.equal(reason, n))["customer"] for n in EXCLUSION_REASONS}
    dropped = {n: tuple(sorted(ids.to_pylist(), key=str)) for n, ids in others.items()}
    return rows.filter(pc.equal(reason, 0)), dropped


def _sort_order(rows: pa.Table) -> tuple[np.ndarray, pa.Array]:
    """Return the row indices sorted by id text and day, and the id text of each row, unsorted."""
    coded = rows["customer"].combine_chunks().dictionary_encode()
    texts = coded.dictionary.cast(pa.string())
    rank = np.empty(len(texts), dtype=np.int64)
    rank[pc.array_sort_indices(texts).to_numpy()] = np.arange(len(texts))
    days = rows["snapshot"].to_numpy()
    keys = rank[coded.indices.to_numpy()] * (int(days.max()) + 1) + days
    return np.argsort(keys, kind="stable"), texts.take(coded.indices)


def _build_ids(
    rows: pa.Table, order: np.ndarray, texts: pa.Array, facts: TableFacts, *, has_target: bool
) -> pd.Index:
    """Return the customer ids, or ``ID@DAY`` with several snapshots."""
    if not has_target:
        customers: pd.Index = pd.Index(_take(rows, "customer", order).rename("customer_id"))
        return customers
    coded = rows["snapshot"].combine_chunks().dictionary_encode()
    days = [str(date_from_epoch(facts.first_day + n - 1)) for n in coded.dictionary.to_pylist()]
    day_texts = pa.array(days, pa.string()).take(coded.indices)
    joined = pc.binary_join_element_wise(texts, day_texts, "@").take(order)
    ids: pd.Index = pd.Index(pd.Series(joined.to_pandas(), name="customer_id"))
    return ids


def _take(rows: pa.Table, name: str, order: np.ndarray) -> pd.Series:
    column = rows[name].combine_chunks().take(pa.array(order))
    return pd.Series(column.to_pandas())


def _build_features(
    rows: pa.Table, order: np.ndarray, ids: pd.Index, facts: TableFacts
) -> tuple[pd.DataFrame, dict[str, Column]]:
    columns = describe_columns(name for name in rows.column_names if name not in _NON_FEATURES)
    values = {
        name: _decode_categories(rows[name], order, facts)
        if name == TOP_CATEGORY
        else rows[name].cast(pa.float64()).to_numpy()[order]
        for name in columns
    }
    return pd.DataFrame(values, copy=False).set_index(ids), columns


def _decode_categories(codes: pa.ChunkedArray, order: np.ndarray, facts: TableFacts) -> pd.Series:
    texts = pa.array(facts.categories, pa.string())
    decoded = texts.take(codes.combine_chunks().take(pa.array(order)))
    return pd.Series(decoded.to_pandas(), dtype="str")


def _build_target(rows: pa.Table, order: np.ndarray, ids: pd.Index) -> pd.Series:
    declined = rows["declined"].cast(pa.int64()).to_numpy()[order]
    return pd.Series(declined, index=ids, name="target")


def _select_checked(rows: pa.Table, order: np.ndarray) -> pa.Table:
    """Return the columns that the checks of the label read, in the order of the customers."""
    names = [name for name in (*INPUTS, *OUTCOMES) if name in rows.column_names]
    return rows.select(names).take(pa.array(order))


def _build_profit(rows: pa.Table, ids: pd.Index, request: LabelRequest) -> pd.Series | None:
    """Return the money expected a month, None for a log without money."""
    if "money" not in rows.column_names:
        return None
    expected = forecast_profit(rows, request.label, shrinks="profit" not in request.columns)
    return pd.Series(expected, index=ids, name="profit")


def _build_panel(
    rows: pa.Table, order: np.ndarray, ids: pd.Index, request: LabelRequest, facts: TableFacts
) -> Panel:
    days = (rows["snapshot"].to_numpy()[order] + facts.first_day - 1).astype("datetime64[D]")
    levels = StoreLevels(facts.first_day, facts.daily, facts.snapshots)
    measures = labels.list_measures(request.columns)
    variants = labels.list_label_variants(request.label, measures, levels)
    return Panel(
        customer=_take(rows, "customer", order).set_axis(ids).rename("customer"),
        snapshot=pd.Series(days.astype("datetime64[s]"), index=ids, name="snapshot"),
        horizon=request.label.horizon,
        sensitivity=labels.tabulate_variants(variants, facts.sensitivity),
        population=build_population(facts.histories),
    )


def build_population(histories: tuple[tuple[int, ...], ...]) -> np.ndarray:
    """Return repeat purchases, weeks to the last and to the snapshot, and customers of each cell.

    >>> build_population(((3, 2, 4, 31, 60, 2),)).round(2).tolist()
    [[2.0, 2.21, 4.29, 2.0]]
    """
    cells = np.array(histories, dtype=float).reshape(-1, 6)
    customers = cells[:, 5]
    weeks = cells[:, 3:5] / (_WEEK * customers[:, None])
    return np.column_stack([cells[:, 0] - 1, weeks, customers])
