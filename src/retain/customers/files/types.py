"""The type of a column without a contract: numbers, dates or a category."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retain.customers.customers import Kind
from retain.customers.files.columns import snake_case
from retain.customers.files.invalid_rows import InvalidRows
from retain.customers.files.numbers import (
    decimal_mark,
    n_cells,
    not_a_number_message,
    parse_numbers,
    preview,
)
from retain.errors import RetainError

_ABSENT = ("na", "n/a", "#n/a", "nan", "null", "none", "-", "?")
_NEARLY = 0.9  # from this share on, the cells that do not fit are taken for errors
_DATES = {  # the date stands in the first ten characters, a time of day may follow ISO dates
    "[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}[0-9:.+Z-]*)?": ("%Y-%m-%d",),
    "[0-9]{1,2}[.][0-9]{1,2}[.][0-9]{4}": ("%d.%m.%Y",),
    "[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}": ("%d/%m/%Y", "%m/%d/%Y"),
}


@dataclass(frozen=True, slots=True)
class InferredColumn:
    """A column whose kind was told by its cells; a date is a number of days since 1970-01-01."""

    kind: Kind
    cells: pd.Series
    is_date: bool = False


def infer_type(cells: pd.Series, decimal: str, name: str) -> InferredColumn:
    """Return the column as numbers, dates or a category, whichever its cells are.

    A ``RetainError`` where nearly all cells (90 % and more) are numbers or dates and some are not:
    the odd ones may be errors, and only the user can tell.

    >>> infer_type(pd.Series(["1", "?", "2,5"]), ",", "pages").cells.tolist()
    [1.0, nan, 2.5]
    >>> infer_type(pd.Series(["1970-01-02"]), ".", "since").cells.tolist()
    [1.0]
    """
    if cells.dtype != "str":
        return _try_types(cells, name)
    said = mask_na_strings(cells)
    total = int(said.notna().sum())
    values = parse_numbers(said, decimal_mark(said, decimal))
    if total == 0 or _parses_fully(values, said, name, "number"):
        return InferredColumn("number", values)
    days = _parse_days(said, name)
    if _parses_fully(days, said, name, "date"):
        return InferredColumn("number", days, is_date=True)
    return InferredColumn("category", cells)


def coerce_type(
    cells: pd.Series, decimal: str, name: str, kind: Kind, ids: pd.Index
) -> tuple[InferredColumn, list[InvalidRows]]:
    """Return the column as the kind a model learnt it as, and whose cells are not of it.

    Where nobody's are, the ``RetainError`` of a column of another kind.

    >>> cells, ids = pd.Series(["3", "many"]), pd.Index(["Ann", "Bob"])
    >>> found, wrong = coerce_type(cells, ".", "pages", "number", ids)
    >>> found.cells.tolist(), [(one.message, one.ids.tolist()) for one in wrong]
    ([3.0, nan], [("column 'pages': 1 cell is not a number: 'many'; expected numbers with decimal \
mark '.'.", ['Bob'])])
    """
    if kind == "category":
        return InferredColumn("category", as_text(cells)), []
    if cells.dtype != "str":
        return _try_types(cells, name), []
    said = mask_na_strings(cells)
    mark = decimal_mark(said, decimal)
    values = parse_numbers(said, mark)
    if values.isna().sum() > said.isna().sum():
        values = max(values, _parse_days(said, name), key=lambda one: int(one.notna().sum()))
    odd = said[said.notna() & values.isna()]
    if odd.empty:
        return InferredColumn("number", values), []
    told = not_a_number_message(odd, mark, f"column {name!r}")
    if values.isna().all():
        raise RetainError(told)
    return InferredColumn("number", values), [InvalidRows(told, ids[odd.index])]


def as_text(cells: pd.Series) -> pd.Series:
    """Return the cells as texts, whole numbers without a decimal point."""
    if cells.dtype == "float64" and bool(_exact(cells.dropna()).all()):
        cells = cells.astype("Int64")
    return cells.astype("str")


def _exact(cells: pd.Series) -> pd.Series:
    """Return a mask of whole numbers that floats hold exactly."""
    return (cells % 1 == 0) & (cells.abs() <= 2**53)


def mask_na_strings(cells: pd.Series) -> pd.Series:
    """Return cells as texts, missing for ``NA``, ``null``, ``-``, ``?`` and the like."""
    text = as_text(cells)
    return text.mask(text.str.lower().isin(_ABSENT))


def uninformative_reason(values: pd.Series, *, is_date: bool) -> str:
    """Return the reason to drop a feature: constant, empty or an id; else an empty text.

    >>> uninformative_reason(pd.Series([3.0, 3.0]), is_date=False)
    'constant'
    """
    said = values.dropna()
    distinct = said.nunique()
    if distinct == 0:
        return "empty"
    if distinct == 1 and len(said) == len(values):
        return "constant"
    whole = values.dtype == "str" or bool((said % 1 == 0).all())
    if whole and not is_date and distinct == len(said) > len(values) / 2:
        return "different in every row, like an identifier"
    return ""


def _try_types(cells: pd.Series, name: str) -> InferredColumn:
    """Return a column Parquet has typed."""
    if cells.dtype.kind == "M":
        return InferredColumn("number", _days_since_1970(cells), is_date=True)
    values = cells.astype("float64")
    if np.isinf(values).any():
        where = f"column {name!r}"
        raise RetainError.at(where, "it holds infinite values", "expected finite numbers")
    return InferredColumn("number", values)


def _parses_fully(values: pd.Series, said: pd.Series, name: str, kind: str) -> bool:
    """Return whether all cells are of this kind; a ``RetainError`` where nearly all are."""
    odd = said[said.notna() & values.isna()]
    share = 1 - len(odd) / said.notna().sum()
    if _NEARLY <= share < 1:
        found = f"column {name!r}: {n_cells(len(odd))} not a {kind} as the others: {preview(odd)}"
        raise RetainError(
            f"{found}; expected {kind}s and empty cells. Mend these cells, or read the column "
            f"as a category: data.categorical_columns=[{snake_case(name)}]"
        )
    return bool(share == 1)


def _parse_days(said: pd.Series, name: str) -> pd.Series:
    """Days since 1970-01-01, missing where a cell is no date of the column's usual way."""
    for pattern, formats in _DATES.items():
        usual = said.str.fullmatch(pattern, na=False).astype(bool)
        if usual.sum() >= _NEARLY * said.notna().sum():
            dates = said.where(usual).str.slice(0, 10)
            read = [pd.to_datetime(dates, format=way, errors="coerce") for way in formats]
            best = max(read, key=lambda dates: int(dates.notna().sum()))
            if len(read) > 1 and read[0].notna().sum() == read[1].notna().sum():
                _warn_ambiguous(dates, name)
                break
            return _days_since_1970(best)
    return pd.Series(np.nan, index=said.index)


def _warn_ambiguous(dates: pd.Series, name: str) -> None:
    log = logging.getLogger(__name__)
    listed = preview(dates.dropna())
    log.warning("column %r: %s: day or month first? It is read as a category.", name, listed)


def _days_since_1970(dates: pd.Series) -> pd.Series:
    days = dates.to_numpy().astype("datetime64[D]")
    values = np.where(np.isnat(days), np.nan, days.astype("int64").astype("float64"))
    return pd.Series(values, index=dates.index)
