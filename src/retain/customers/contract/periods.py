"""Long tables: their periods named, and their rows laid side by side, one row a customer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from retain.customers.files.arrow_cells import DictionaryColumn, Places, to_dictionary
from retain.customers.files.invalid_rows import InvalidRows
from retain.customers.files.numbers import n_cells, normalise_spaces, preview
from retain.errors import RetainError, did_you_mean, examples
from retain.schema import PeriodSpec
from retain.wording import describe_count


def parse_periods(
    cells: pd.Series | DictionaryColumn, spec: PeriodSpec, where: str, key: str
) -> Places:
    """Return the period of each row by its place in the order of the contract.

    ``key`` is where the periods stand in the config. A ``RetainError`` where a row names no known
    period, or where the file lacks one of them altogether.

    >>> named = {"may": ("5",), "june": ("6",)}
    >>> months = PeriodSpec(raw="month", order=("may", "june"), names=named)
    >>> parse_periods(pd.Series(["6", "5"]), months, "sales", "tables.sales.period").tolist()
    [1, 0]
    """
    orders = {
        normalise_spaces(raw): spec.order.index(name)
        for name, raws in spec.names.items()
        for raw in raws
    }
    column = to_dictionary(cells)
    order = column.distinct.map(orders)
    at = f"{where}, column {spec.raw!r}"
    if order.isna().any() or (column.codes < 0).any():
        rows = column.cells()
        raise RetainError(_unknown_period_message(rows[~rows.isin([*orders])], [*orders], at, key))
    absent = [name for n, name in enumerate(spec.order) if n not in set(order)]
    if absent:
        wanted = examples(raw for name in absent for raw in spec.names[name])
        shows = preview(column.cells())
        found = f"the file has no row of period {examples(absent)}, only {shows}"
        raise RetainError.at(at, found, f"expected rows of {wanted}")
    return np.asarray(order, dtype=np.int32)[column.codes]


def _unknown_period_message(cells: pd.Series, known: list[str], at: str, key: str) -> str:
    if cells.isna().all():
        return f"{at}: {n_cells(len(cells))} empty; expected one of {examples(known)}."
    cells = cells.dropna()
    found = f"{at}: {n_cells(len(cells))} no known period: {preview(cells)}"
    hint = did_you_mean(str(cells.iloc[0]), known)
    return f"{found}; expected one of {examples(known)}.{hint} A new spelling goes to {key}.names."


def find_period_gaps(
    ids: pd.Index, period: Places, customers: pd.Index, spec: PeriodSpec, where: str
) -> Iterator[InvalidRows]:
    """Yield customers of whom a table has no row of some period, a sentence a period.

    ``ids`` and ``period`` are of its rows, of which no two are of one customer and period.
    """
    if len(period) == len(customers) * len(spec.order):
        return
    for n, name in enumerate(spec.order):
        lacking = customers.difference(ids[period == n], sort=False)
        if len(lacking) == 0:
            continue
        have = describe_count(len(lacking), "customer has", "customers have")
        found = f"{have} no row of period {name!r}"
        listed = examples(lacking[:5].tolist())
        expected = "expected a row of each period, or nullable: true for the columns of the table"
        told = RetainError.at(where, f"{found}, such as {listed}", expected)
        yield InvalidRows(str(told), lacking)
