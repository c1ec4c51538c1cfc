"""Cells of text: their numbers, their decimal mark, and how a message shows them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from retain.customers.files.arrow_cells import DictionaryColumn, to_dictionary
from retain.errors import RetainError, examples

_SPACE = "[ \u00a0\u2007\u2009\u202f]"
_WIDEST = 60  # characters of a cell an error message shows


def parse_numbers(cells: pd.Series, decimal: str = ".") -> pd.Series:
    """Return the cells as floats, NaN where a cell is missing or is not a number.

    Spaces of any width may separate thousands. Texts such as ``inf`` and ``nan`` are not numbers,
    and neither is a number too large for a float.

    >>> parse_numbers(pd.Series(["1 234,5", "-3", "inf", "0.98", None]), ",").tolist()
    [1234.5, -3.0, nan, nan, nan]
    """
    found = parse_number(to_dictionary(cells), decimal).cells()
    return pd.Series(found.array, index=cells.index, name=cells.name)


def parse_number(column: DictionaryColumn, decimal: str) -> DictionaryColumn:
    """Return the column as floats, missing as ``parse_numbers`` has it."""
    return column.with_distinct(_parse(column.distinct, decimal))


def require_numbers(cells: pd.Series, decimal: str, where: str, hint: str = "") -> pd.Series:
    """Return cells as floats, or raise an error that shows those that are no numbers.

    >>> require_numbers(pd.Series(["3", "many", None]), ".", "column 'pages'")
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: column 'pages': 1 cell is not a number: 'many'; expected numbers \
with decimal mark '.'.
    """
    values = parse_numbers(cells, decimal)
    wrong = cells[cells.notna() & values.isna()]
    if wrong.empty:
        return values
    raise RetainError(not_a_number_message(wrong, decimal, where) + hint)


def not_a_number_message(wrong: pd.Series, decimal: str, where: str) -> str:
    """Return the message about cells of ``where`` that are no numbers."""
    found = f"{n_cells(len(wrong))} not a number: {preview(wrong)}"
    return str(RetainError.at(where, found, f"expected numbers with decimal mark {decimal!r}"))


def decimal_mark(cells: pd.Series | DictionaryColumn, default: str = ".") -> str:
    """Return the decimal mark one column uses, ``default`` where the column does not tell.

    ``'1,234'`` may be a little over one or over a thousand. Where every mark of the column can be
    read both ways the mark of the file decides, and what does not fit it is no number then.

    >>> decimal_mark(pd.Series(["0,98", "4,16"]))
    ','
    >>> decimal_mark(pd.Series(["1,234", "950"]), default=".")
    '.'
    """
    column = to_dictionary(cells)
    points, commas = (_uses_mark(column.distinct, mark) for mark in ".,")
    if points.any() != commas.any():
        return "." if points.any() else ","
    rows = column.counts() if points.any() else np.zeros(len(points))
    more = rows[points].sum() - rows[commas].sum()
    return default if more == 0 else "." if more > 0 else ","


def preview(cells: pd.Series) -> str:
    """Up to five different cells as a message shows them, long ones cut.

    >>> preview(pd.Series(["a", "b", "a"]))
    "'a', 'b'"
    """
    return examples(truncate(value) for value in cells.drop_duplicates().tolist())


def normalise_spaces(text: str) -> str:
    r"""``text`` as cells are read: every space an ordinary one, none around.

    >>> normalise_spaces("1\u00a0234 ")
    '1 234'
    """
    return re.sub(_SPACE, " ", text).strip()


def truncate(value: object) -> object:
    """``value``, its text cut where it is too long for a message."""
    return f"{value[:_WIDEST]}…" if isinstance(value, str) and len(value) > _WIDEST else value


def n_cells(count: int) -> str:
    """Return the beginning of a sentence about ``count`` cells.

    >>> n_cells(1), n_cells(3)
    ('1 cell is', '3 cells are')
    """
    return "1 cell is" if count == 1 else f"{count} cells are"


def _parse(texts: pd.Series, decimal: str) -> pd.Series:
    texts = texts.where(texts.str.fullmatch(_grammar(decimal)).astype(bool))
    plain = texts.str.replace(_SPACE, "", regex=True).str.replace("\u2212", "-", regex=False)
    values = plain.str.replace(decimal, ".", regex=False).astype("float64")
    return values.where(np.isfinite(values))


def _grammar(mark: str) -> str:
    whole = f"(?:[0-9]{{1,3}}(?:{_SPACE}[0-9]{{3}})+|[0-9]+)"
    return f"[-+\u2212]?(?:{whole}(?:[{mark}][0-9]*)?|[{mark}][0-9]+)(?:[eE][-+]?[0-9]+)?"


def _uses_mark(texts: pd.Series, mark: str) -> np.ndarray:
    """Return a mask of the texts that are numbers with ``mark``, not grouped thousands."""
    tells = np.array(texts.str.contains(mark, regex=False), dtype=bool)
    marked = texts[tells]
    number = marked.str.fullmatch(_grammar(mark)).astype(bool)
    grouped = marked.str.fullmatch(f"[-+]?[1-9][0-9]{{0,2}}[{mark}][0-9]{{3}}").astype(bool)
    tells[tells] = number & ~grouped
    return tells
