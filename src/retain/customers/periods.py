"""Long tables: their periods named, and their rows laid side by side, one row a customer.

May import: errors, schema and customers.numerals, unreadable.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from retain.customers.numerals import by_distinct, cells_are, plain, shown
from retain.customers.unreadable import Unreadable
from retain.errors import RetainError, did_you_mean, examples
from retain.schema import PeriodSpec


def named_periods(cells: pd.Series, spec: PeriodSpec, where: str, key: str) -> pd.Series:
    """The period of each row by its canonical name.

    ``key`` is where the periods stand in the config. A ``RetainError`` where a row names no known
    period, or where the file lacks one of them altogether.

    >>> named = {"may": ("5",), "june": ("6",)}
    >>> months = PeriodSpec(raw="month", order=("may", "june"), names=named)
    >>> named_periods(pd.Series(["6", "5"]), months, "sales", "tables.sales.period").tolist()
    ['june', 'may']
    """
    names = {plain(raw): name for name, raws in spec.names.items() for raw in raws}
    named = by_distinct(cells, lambda raw: raw.map(names).astype("str"))
    at = f"{where}, column {spec.raw!r}"
    unknown = cells[named.isna()]
    if not unknown.empty:
        raise RetainError(_unknown(unknown, list(names), at, key))
    absent = [name for name in spec.order if name not in set(named.unique())]
    if absent:
        wanted = examples(raw for name in absent for raw in spec.names[name])
        found = f"the file has no row of period {examples(absent)}, only {shown(cells)}"
        raise RetainError.at(at, found, f"expected rows of {wanted}")
    return named


def _unknown(cells: pd.Series, known: list[str], at: str, key: str) -> str:
    if cells.isna().all():
        return f"{at}: {cells_are(len(cells))} empty; expected one of {examples(known)}."
    cells = cells.dropna()
    found = f"{at}: {cells_are(len(cells))} no known period: {shown(cells)}"
    hint = did_you_mean(str(cells.iloc[0]), known)
    return f"{found}; expected one of {examples(known)}.{hint} A new spelling goes to {key}.names."


def of_period(values: pd.Series, ids: pd.Series, rows: pd.Series, customers: pd.Index) -> pd.Series:
    """The values of the rows of one period, in the order of the customers, gaps missing.

    >>> may = pd.Series([True, False])
    >>> of_period(pd.Series([1.0, 2.0]), pd.Series([8, 7]), may, pd.Index([7, 8])).tolist()
    [nan, 1.0]
    """
    return values[rows].set_axis(pd.Index(ids[rows])).reindex(customers)


def gaps(
    ids: pd.Series, period: pd.Series, customers: pd.Index, spec: PeriodSpec, where: str
) -> Iterator[Unreadable]:
    """Customers of whom a table has no row of some period, a sentence a period."""
    for name in spec.order:
        lacking = customers.difference(pd.Index(ids[period == name]), sort=False)
        if len(lacking) == 0:
            continue
        found = f"{len(lacking)} customers have no row of period {name!r}"
        listed = examples(lacking[:5].tolist())
        expected = "expected a row of each period, or nullable: true for the columns of the table"
        told = RetainError.at(where, f"{found}, customer {listed} among them", expected)
        yield Unreadable(str(told), lacking)
