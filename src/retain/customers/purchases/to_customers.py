"""Rows of an engine as customers: in order, with texts, named for people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from retain.customers.customers import Column, Customers, Panel, Step
from retain.customers.purchases.features import label as labels
from retain.customers.purchases.features.feature_names import FAVOURITE, column_info
from retain.customers.purchases.features.funnel import REASONS, steps_of
from retain.customers.purchases.features.label import definitions, table_of
from retain.customers.purchases.features.result import FeatureTable, TableFacts
from retain.customers.purchases.features.snapshots import date_from_epoch
from retain.errors import RetainError
from retain.schema.purchases import LabelRule

_BESIDE = ("customer", "snapshot", "declined", "reason", "money")


@dataclass(frozen=True)
class Asked:
    """What the user chose: the label, its columns' measures, what money is."""

    label: LabelRule
    columns: frozenset[str]
    profit_unit: str | None
    has_target: bool


def customers_of(table: FeatureTable, asked: Asked) -> Customers:
    """The customers of a table, by the text of their id and then by day.

    Raises
    ------
    RetainError
        Nobody is regular.
    """
    facts = table.facts
    rows, dropped = _regular(table.rows) if not asked.has_target else (table.rows, None)
    steps = steps_of(facts, asked.label, dropped)
    if rows.num_rows == 0:
        raise RetainError(_nobody(steps, asked, facts))
    order, text = _order(rows)
    ids = _ids(rows, order, text, facts, dated=asked.has_target)
    features, columns = _features(rows, order, ids, facts)
    dated = _dated(rows, order, ids, asked, facts) if asked.has_target else None
    return Customers(
        features=features,
        columns=columns,
        target=_target(rows, order, ids) if asked.has_target else None,
        profit=_profit(rows, order, ids, asked.label),
        profit_unit=asked.profit_unit,
        activity=labels.describe_label(asked.label) if asked.has_target else None,
        funnel=steps,
        snapshot=None if asked.has_target else date_from_epoch(facts.snapshots[0]),
        dated=dated,
    )


def _nobody(steps: tuple[Step, ...], asked: Asked, facts: TableFacts) -> str:
    """Why no row is left, and what would leave some."""
    message = "; ".join(f"{one.before - one.after} {one.name}" for one in steps[-3:])
    last = facts.snapshots[-1]
    days, needed = last - facts.first, asked.label.least_history
    if not asked.has_target:
        when, hint = (
            f"on {date_from_epoch(last)}",
            "Type data.snapshot=DAY, soon after a purchase of the log, or ",
        )
    else:
        when, hint = "at any snapshot", "Type "
    if days < needed:
        latest = date_from_epoch(last)
        hint = f"The log begins {days} days before {latest}, and {needed} are asked. {hint}"
    hint += "another data.label.regularity.periods=N or data.label.min_history=DAYS"
    return f"nobody is a regular customer {when} ({message}). {hint}."


def _regular(rows: pa.Table) -> tuple[pa.Table, dict[int, tuple[object, ...]]]:
    """The rows of regular customers, and the ids of the others by reason."""
    reason = rows["reason"]
    others = {n: rows.filter(pc.equal(reason, n))["customer"] for n in REASONS}
    dropped = {n: tuple(sorted(ids.to_pylist(), key=str)) for n, ids in others.items()}
    return rows.filter(pc.equal(reason, 0)), dropped


def _order(rows: pa.Table) -> tuple[np.ndarray, pa.Array]:
    """The places of rows by id text and day, and the text of every id, in the order of rows."""
    coded = rows["customer"].combine_chunks().dictionary_encode()
    texts = coded.dictionary.cast(pa.string())
    rank = np.empty(len(texts), dtype=np.int64)
    rank[pc.array_sort_indices(texts).to_numpy()] = np.arange(len(texts))
    days = rows["snapshot"].to_numpy()
    place = rank[coded.indices.to_numpy()] * (int(days.max()) + 1) + days
    return np.argsort(place, kind="stable"), texts.take(coded.indices)


def _ids(
    rows: pa.Table, order: np.ndarray, text: pa.Array, facts: TableFacts, *, dated: bool
) -> pd.Index:
    if not dated:
        plain: pd.Index = pd.Index(_taken(rows, "customer", order).rename("customer_id"))
        return plain
    numbers = rows["snapshot"].combine_chunks().dictionary_encode()
    days = [str(date_from_epoch(facts.first + n - 1)) for n in numbers.dictionary.to_pylist()]
    said = pa.array(days, pa.string()).take(numbers.indices)
    joined = pc.binary_join_element_wise(text, said, "@").take(order)
    ids: pd.Index = pd.Index(pd.Series(joined.to_pandas(), name="customer_id"))
    return ids


def _taken(rows: pa.Table, name: str, order: np.ndarray) -> pd.Series:
    column = rows[name].combine_chunks().take(pa.array(order))
    return pd.Series(column.to_pandas())


def _features(
    rows: pa.Table, order: np.ndarray, ids: pd.Index, facts: TableFacts
) -> tuple[pd.DataFrame, dict[str, Column]]:
    columns = column_info(name for name in rows.column_names if name not in _BESIDE)
    values = {
        name: _favourite(rows[name], order, facts)
        if name == FAVOURITE
        else rows[name].cast(pa.float64()).to_numpy()[order]
        for name in columns
    }
    return pd.DataFrame(values, copy=False).set_index(ids), columns


def _favourite(codes: pa.ChunkedArray, order: np.ndarray, facts: TableFacts) -> pd.Series:
    texts = pa.array(facts.categories, pa.string())
    taken = texts.take(codes.combine_chunks().take(pa.array(order)))
    return pd.Series(taken.to_pandas(), dtype="str")


def _target(rows: pa.Table, order: np.ndarray, ids: pd.Index) -> pd.Series:
    declined = rows["declined"].cast(pa.int64()).to_numpy()[order]
    return pd.Series(declined, index=ids, name="target")


def _profit(rows: pa.Table, order: np.ndarray, ids: pd.Index, rule: LabelRule) -> pd.Series | None:
    """Money a month: the sum of the look-back, in whole cents, times a month by its days."""
    if "money" not in rows.column_names:
        return None
    cents = rows["money"].to_numpy()[order]
    return pd.Series(cents * 487 / (1600 * rule.lookback), index=ids, name="profit")


def _dated(
    rows: pa.Table, order: np.ndarray, ids: pd.Index, asked: Asked, facts: TableFacts
) -> Panel:
    days = rows["snapshot"].to_numpy()[order] + facts.first - 1
    tried = definitions(asked.label, labels.measures_of(asked.columns))
    return Panel(
        customer=_taken(rows, "customer", order).set_axis(ids).rename("customer"),
        snapshot=pd.Series(
            days.astype("datetime64[D]").astype("datetime64[s]"), index=ids, name="snapshot"
        ),
        horizon=asked.label.horizon,
        sensitivity=table_of(tried, facts.sensitivity),
    )
