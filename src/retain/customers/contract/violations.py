"""Values of a raw table that break its contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retain.customers.cells.arrow_cells import DictionaryColumn
from retain.customers.cells.invalid_rows import InvalidRows
from retain.customers.cells.numbers import n_cells, normalise_spaces, preview
from retain.errors import did_you_mean, examples
from retain.schema.contract import ColumnSpec, TableSpec

_MOST_LISTED = 12  # categories a message lists
_PRESENT = "a value in every row"


def category_vocabulary(spec: ColumnSpec) -> dict[str, str]:
    """Canonical name by raw value, misspellings included; empty for a number."""
    return {
        normalise_spaces(raw): name
        for name, category in spec.categories.items()
        for raw in (category.raw, *category.aliases)
    }


def find_violations(
    columns: Mapping[str, DictionaryColumn],
    cells: Callable[[str], pd.Series],
    ids: pd.Series,
    spec: TableSpec,
    where: str,
) -> list[InvalidRows]:
    """Return a message per broken rule of the contract: missing, range, type, vocabulary.

    ``columns`` hold floats for numbers and texts for categories; ``cells`` returns a column as in
    the file, for messages. ``ids`` are of the rows.
    """
    return [
        InvalidRows(
            _message(one, cells(name).iloc[rows], ids.iloc[rows], expected, where),
            pd.Index(ids.iloc[rows]),
        )
        for name, one in spec.columns.items()
        for expected, rows in _broken_rules(columns[name], one)
    ]


def _broken_rules(
    column: DictionaryColumn, spec: ColumnSpec
) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """Yield each violated expectation with its rows."""
    missing = np.flatnonzero(column.missing())
    if len(missing) > 0 and not spec.nullable:
        yield _PRESENT, missing
    for expected, keeps in _rules(spec).items():
        wrong = (column.distinct.notna() & ~keeps(column.distinct)).to_numpy()
        if wrong.any():
            yield expected, np.flatnonzero(wrong[column.codes] & (column.codes >= 0))


def _rules(spec: ColumnSpec) -> dict[str, Callable[[pd.Series], pd.Series]]:
    """Return the checks of a column: a test by its expectation in words."""
    rules: dict[str, Callable[[pd.Series], pd.Series]] = {}
    low, high, names = spec.min, spec.max, category_vocabulary(spec)
    if names:
        rules[f"one of {examples(names, limit=_MOST_LISTED)}"] = lambda found: found.isin([*names])
    if spec.type == "integer":
        rules["whole numbers"] = _is_whole
    if low is not None:
        rules[f"numbers of at least {low:g}"] = lambda found: found >= low
    if high is not None:
        rules[f"numbers of at most {high:g}"] = lambda found: found <= high
    return rules


def _is_whole(values: pd.Series) -> pd.Series:
    return values % 1 == 0


def _message(spec: ColumnSpec, cells: pd.Series, ids: pd.Series, expected: str, where: str) -> str:
    cell_path = f"{where}, column {spec.raw!r}: {n_cells(len(cells))}"
    if expected == _PRESENT:
        problem = f"{cell_path} missing (customers {examples(ids.tolist()[:5])})"
        return f"{problem}; expected {_PRESENT}, or nullable: true in the contract."
    categories = list(category_vocabulary(spec))
    hint = did_you_mean(str(cells.iloc[0]), categories)
    more = f"{hint} A new spelling goes to the aliases of its category." if categories else ""
    return f"{cell_path} {preview(cells)}; expected {expected}.{more}"
