"""The values of one raw table held against its contract by pandera, told in our sentences.

May import: errors, schema and customers.numerals, unreadable.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pandas as pd

from retain.customers.numerals import cells_are, plain, shown
from retain.customers.unreadable import Unreadable
from retain.errors import did_you_mean, examples
from retain.schema import ColumnSpec, TableSpec

if TYPE_CHECKING:
    import pandera.pandas as pa

_MOST_LISTED = 12  # categories a message lists


def vocabulary(spec: ColumnSpec) -> dict[str, str]:
    """Canonical name by raw value, misspellings included; empty for a number."""
    return {
        plain(raw): name
        for name, category in spec.categories.items()
        for raw in (category.raw, *category.aliases)
    }


def violations(
    typed: pd.DataFrame, cells: pd.DataFrame, ids: pd.Series, spec: TableSpec, where: str
) -> list[Unreadable]:
    """One sentence a broken rule of the contract: missing, range, whole numbers, vocabulary.

    ``typed`` holds floats for numbers and texts for categories; ``cells`` the same rows as the
    file writes them, which is how a sentence shows them.
    """
    with _pyspark_unheard():
        import pandera.pandas as pa

    schema = pa.DataFrameSchema({name: _rules(column) for name, column in spec.columns.items()})
    try:
        with _pyspark_unheard():
            schema.validate(typed, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases.groupby(["column", "check"], sort=False)["index"]
        return [
            Unreadable(
                _sentence(spec.columns[name], cells.loc[rows, name], ids.loc[rows], check, where),
                pd.Index(ids.loc[rows]),
            )
            for (name, check), rows in cases
        ]
    return []


@contextmanager
def _pyspark_unheard() -> Iterator[None]:
    """Pandera tries to import pyspark where that is installed, which warns; it is not used here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support", FutureWarning)
        yield


def _rules(spec: ColumnSpec) -> pa.Column:
    """What pandera checks of a column; the text of each check is our expectation."""
    import pandera.pandas as pa

    checks = []
    names = vocabulary(spec)
    if names:
        checks.append(pa.Check.isin(list(names), error=_listed(names)))
    if spec.type == "integer":
        checks.append(pa.Check(_is_whole, error="whole numbers"))
    if spec.min is not None:
        checks.append(pa.Check.ge(spec.min, error=f"numbers of at least {spec.min:g}"))
    if spec.max is not None:
        checks.append(pa.Check.le(spec.max, error=f"numbers of at most {spec.max:g}"))
    return pa.Column(None, checks, nullable=spec.nullable)


def _is_whole(values: pd.Series) -> pd.Series:
    return values % 1 == 0


def _listed(names: dict[str, str]) -> str:
    return f"one of {examples(names, limit=_MOST_LISTED)}"


def _sentence(spec: ColumnSpec, cells: pd.Series, ids: pd.Series, expected: str, where: str) -> str:
    at = f"{where}, column {spec.raw!r}: {cells_are(len(cells))}"
    if expected == "not_nullable":
        found = f"{at} missing (customers {examples(ids.tolist()[:5])})"
        return f"{found}; expected a value in every row, or nullable: true in the contract."
    known = list(vocabulary(spec))
    hint = did_you_mean(str(cells.iloc[0]), known)
    more = f"{hint} A new spelling goes to the aliases of its category." if known else ""
    return f"{at} {shown(cells)}; expected {expected}.{more}"
