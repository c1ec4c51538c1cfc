"""Periods of long tables."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from retain.customers.cells.arrow_cells import DictionaryColumn, Places, to_dictionary
from retain.customers.cells.invalid_rows import InvalidRows
from retain.customers.cells.numbers import n_cells, normalise_spaces, preview
from retain.errors import RetainError, did_you_mean, examples
from retain.schema.contract import PeriodSpec
from retain.wording import describe_count


def parse_periods(
    cells: pd.Series | DictionaryColumn, spec: PeriodSpec, where: str, key: str
) -> Places:
    """Return the index of each row's period in the order of the contract.

    ``key`` is the config key of the periods. Raise a ``RetainError`` if a row has an unknown
    period, or the file lacks a period.

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
    path = f"{where}, column {spec.raw!r}"
    if order.isna().any() or (column.codes < 0).any():
        rows = column.cells()
        raise RetainError(
            _unknown_period_message(rows[~rows.isin([*orders])], [*orders], path, key)
        )
    absent = [name for n, name in enumerate(spec.order) if n not in set(order)]
    if absent:
        wanted = examples(raw for name in absent for raw in spec.names[name])
        shows = preview(column.cells())
        problem = f"the file has no row of period {examples(absent)}, only {shows}"
        raise RetainError.at(path, problem, f"expected rows of {wanted}")
    return np.asarray(order, dtype=np.int32)[column.codes]


def _unknown_period_message(cells: pd.Series, names: list[str], at: str, key: str) -> str:
    if cells.isna().all():
        return f"{at}: {n_cells(len(cells))} empty; expected one of {examples(names)}."
    cells = cells.dropna()
    problem = f"{at}: {n_cells(len(cells))} no known period: {preview(cells)}"
    hint = did_you_mean(str(cells.iloc[0]), names)
    return (
        f"{problem}; expected one of {examples(names)}.{hint} A new spelling goes to {key}.names."
    )


def find_period_gaps(
    ids: pd.Index, period: Places, customers: pd.Index, spec: PeriodSpec, where: str
) -> Iterator[InvalidRows]:
    """Yield the customers without a row of some period, a message per period.

    ``ids`` and ``period`` are of the rows; no customer has two rows of one period.
    """
    if len(period) == len(customers) * len(spec.order):
        return
    for n, name in enumerate(spec.order):
        missing = customers.difference(ids[period == n], sort=False)
        if len(missing) == 0:
            continue
        have = describe_count(len(missing), "customer has", "customers have")
        problem = f"{have} no row of period {name!r}"
        listed = examples(missing[:5].tolist())
        expected = "expected a row of each period, or nullable: true for the columns of the table"
        message = RetainError.at(where, f"{problem}, such as {listed}", expected)
        yield InvalidRows(str(message), missing)
