"""The type of a column without a contract: numbers, dates or a category."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retain.customers.cells.dates import dates_to_days, parse_dates
from retain.customers.cells.invalid_rows import InvalidCellsError, InvalidRows
from retain.customers.cells.number_column import parse_column
from retain.customers.cells.number_format import FileMarks
from retain.customers.cells.numbers import n_cells, not_a_number_message, preview
from retain.customers.columns import snake_case
from retain.customers.customers import Kind
from retain.errors import RetainError, type_value

_ABSENT = ("na", "n/a", "#n/a", "nan", "null", "none", "-", "?")
_NEARLY = 0.9  # from this share on, the cells that do not fit count as errors
MAX_LEVELS = 20
"""Levels up to which a column with some numbers is a category without being asked for."""


@dataclass(frozen=True, slots=True)
class InferredColumn:
    """A column of an inferred kind; a date is a number of days since 1970-01-01.

    ``reading`` says how formatted numbers and dates are read, such as ``amounts in €, 1.234,56``.
    """

    kind: Kind
    cells: pd.Series
    is_date: bool = False
    reading: str = ""


def infer_type(cells: pd.Series, marks: FileMarks, name: str) -> InferredColumn:
    """Return the column as numbers, dates or a category, whichever its cells are.

    Raise a ``RetainError`` if most cells are numbers or dates but some are not: these may be
    errors, and the user has to decide. Few levels, such as 1, 2 and 3+, are a category, with a
    warning.

    >>> infer_type(pd.Series(["1", "?", "2,5"]), FileMarks(), "pages").cells.tolist()
    [1.0, nan, 2.5]
    >>> infer_type(pd.Series(["1970-01-02"]), FileMarks(), "since").cells.tolist()
    [1.0]
    """
    if cells.dtype != "str":
        return _try_types(cells, name)
    texts = mask_na_strings(cells)
    total = int(texts.notna().sum())
    parsed = parse_column(texts, marks, name)
    values = parsed.cells().set_axis(texts.index)
    if total == 0 or _parses_fully(values, texts, name, "number"):
        return InferredColumn("number", values, reading=parsed.reading)
    dates = parse_dates(texts, marks, name)
    if _parses_fully(dates.days, texts, name, "date"):
        return InferredColumn("number", dates.days, is_date=True, reading=dates.reading)
    if 2 * max(parsed.n_like, dates.n_like) > total:
        is_number = parsed.n_like >= dates.n_like
        _check_few_levels(values if is_number else dates.days, texts, name)
    return InferredColumn("category", cells)


def coerce_type(
    cells: pd.Series, marks: FileMarks, name: str, kind: Kind, ids: pd.Index
) -> tuple[InferredColumn, list[InvalidRows]]:
    """Return the column as the kind of the training data, and the customers who do not fit it.

    Raise a ``RetainError`` if no cell is of this kind.

    >>> cells, ids = pd.Series(["3", "many"]), pd.Index(["Ann", "Bob"])
    >>> column, invalid = coerce_type(cells, FileMarks(), "pages", "number", ids)
    >>> column.cells.tolist(), [(one.message, one.ids.tolist()) for one in invalid]
    ([3.0, nan], [("column 'pages': 1 cell is not a number: 'many'; expected numbers with decimal \
mark '.'.", ['Bob'])])
    """
    if kind == "category":
        return InferredColumn("category", as_text(cells)), []
    if cells.dtype != "str":
        return _try_types(cells, name), []
    texts = mask_na_strings(cells)
    parsed = parse_column(texts, marks, name)
    values = parsed.cells().set_axis(texts.index)
    if values.isna().sum() > texts.isna().sum():
        dates = parse_dates(texts, marks, name).days
        values = max(values, dates, key=lambda one: int(one.notna().sum()))
    odd = texts[texts.notna() & values.isna()]
    if odd.empty:
        return InferredColumn("number", values, reading=parsed.reading), []
    message = not_a_number_message(odd, parsed.format.decimal, f"column {name!r}")
    if values.isna().all():
        raise RetainError(message)
    return InferredColumn("number", values), [InvalidRows(message, ids[odd.index])]


def as_text(cells: pd.Series) -> pd.Series:
    """Return the cells as texts, whole numbers without a decimal point."""
    if cells.dtype == "float64" and bool(_exact(cells.dropna()).all()):
        cells = cells.astype("Int64")
    return cells.astype("str")


def _exact(cells: pd.Series) -> pd.Series:
    """Return a mask of whole numbers that floats represent exactly."""
    return (cells % 1 == 0) & (cells.abs() <= 2**53)


def mask_na_strings(cells: pd.Series) -> pd.Series:
    """Return cells as texts, missing for ``NA``, ``null``, ``-``, ``?`` and the like."""
    text = as_text(cells)
    return text.mask(text.str.lower().isin(_ABSENT))


def uninformative_reason(values: pd.Series, *, is_quantity: bool) -> str:
    """Return the reason to drop a feature (constant, empty or an id), else an empty text.

    Dates and formatted numbers, such as amounts in a currency, are quantities and never ids.

    >>> uninformative_reason(pd.Series([3.0, 3.0]), is_quantity=False)
    'constant'
    """
    observed = values.dropna()
    distinct = observed.nunique()
    if distinct == 0:
        return "empty"
    if distinct == 1 and len(observed) == len(values):
        return "constant"
    whole = values.dtype == "str" or bool((observed % 1 == 0).all())
    if whole and not is_quantity and distinct == len(observed) > len(values) / 2:
        return "different in every row, like an identifier"
    return ""


def _try_types(cells: pd.Series, name: str) -> InferredColumn:
    """Return a column that Parquet has typed."""
    if cells.dtype.kind == "M":
        return InferredColumn("number", dates_to_days(cells), is_date=True)
    values = cells.astype("float64")
    if np.isinf(values).any():
        where = f"column {name!r}"
        raise RetainError.at(where, "it holds infinite values", "expected finite numbers")
    return InferredColumn("number", values)


def _parses_fully(values: pd.Series, texts: pd.Series, name: str, kind: str) -> bool:
    """Return whether all cells are of this kind; raise if nearly all are."""
    odd = texts[texts.notna() & values.isna()]
    share = 1 - len(odd) / texts.notna().sum()
    if _NEARLY <= share < 1:
        problem = f"column {name!r}: {n_cells(len(odd))} not a {kind} as the others: {preview(odd)}"
        missing = type_value("data.missing_values", odd.drop_duplicates().head(5).tolist())
        raise InvalidCellsError(
            f"{problem}; expected {kind}s and empty cells. Mend these cells, say that they are "
            f"missing: {missing}, leave their rows out: data.bad_rows=drop, or read the column "
            f"as a category: data.categorical_columns=[{snake_case(name)}]",
            odd.index,
        )
    return bool(share == 1)


def _check_few_levels(values: pd.Series, texts: pd.Series, name: str) -> None:
    """Warn that a column with some numbers is a category; raise if it has too many levels."""
    odd = preview(texts[texts.notna() & values.isna()])
    key = type_value("data.categorical_columns", [snake_case(name)])
    levels = texts.nunique()
    if levels > MAX_LEVELS:
        problem = f"column {name!r}: most cells look like numbers or dates, but not {odd}"
        raise InvalidCellsError(
            f"{problem}; expected one kind of cells. Mend these, or read the "
            f"{levels} different cells as a category: {key}",
            texts.index[texts.notna() & values.isna()],
        )
    log = logging.getLogger(__name__)
    log.warning("column %r is a category, as it holds %s. To say so: %s", name, odd, key)
