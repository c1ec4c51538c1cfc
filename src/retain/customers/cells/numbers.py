"""Numbers and decimal marks in cells of text, and their preview in messages."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from retain.customers.cells.arrow_cells import DictionaryColumn, to_dictionary
from retain.errors import RetainError, examples

_SPACE = "[ \u00a0\u2007\u2009\u202f]"
_WIDEST = 60  # characters of a cell an error message shows


def not_a_number_message(wrong: pd.Series, decimal: str, where: str) -> str:
    """Return the message about cells that are not numbers.

    >>> not_a_number_message(pd.Series(["many"]), ".", "column 'pages'")
    "column 'pages': 1 cell is not a number: 'many'; expected numbers with decimal mark '.'."
    """
    problem = f"{n_cells(len(wrong))} not a number: {preview(wrong)}"
    return str(RetainError.at(where, problem, f"expected numbers with decimal mark {decimal!r}"))


def decimal_mark(cells: pd.Series | DictionaryColumn, default: str = ".") -> str:
    """Return the decimal mark of a column, ``default`` if it is ambiguous.

    ``'1,234'`` may be slightly over one or over a thousand. If every mark of the column is
    ambiguous, the mark of the file decides, and cells that do not fit it are not numbers.

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
    """Return up to five distinct cells for a message, long ones truncated.

    >>> preview(pd.Series(["a", "b", "a"]))
    "'a', 'b'"
    """
    return examples(truncate(value) for value in cells.drop_duplicates().tolist())


def normalise_spaces(text: str) -> str:
    r"""Return ``text`` with ordinary spaces and none around it.

    >>> normalise_spaces("1\u00a0234 ")
    '1 234'
    """
    return re.sub(_SPACE, " ", text).strip()


def normalise_digits(texts: pa.Array) -> pa.Array:
    """Return texts with the digits of any script, and the marks beside them, as those of ASCII.

    >>> normalise_digits(pa.array(["１２３", "١٢٫٥", "3 м²"])).to_pylist()
    ['123', '12.5', '3 м²']
    """
    if pc.all(pc.string_is_ascii(texts)).as_py():
        return texts
    has_digits = pc.match_substring_regex(texts, r"[^\P{Nd}0-9]").fill_null(False)
    if not pc.any(has_digits).as_py():
        return texts
    letters = {letter for text in texts.filter(has_digits).to_pylist() for letter in text}
    table = str.maketrans({letter: _to_ascii(letter) for letter in letters})
    mapped = pa.array([text.translate(table) for text in texts.filter(has_digits).to_pylist()])
    return pc.replace_with_mask(texts, has_digits, mapped)


_ARABIC_MARKS = {"\u066b": ".", "\u066c": "'", "\u060c": ","}
_FULL_WIDTH = range(0xFF01, 0xFF5F)


def _to_ascii(letter: str) -> str:
    """Return a digit, a mark, or a full-width sign of ASCII as that of ASCII."""
    digit = unicodedata.decimal(letter, None)
    if digit is not None:
        return str(digit)
    if ord(letter) in _FULL_WIDTH:
        return chr(ord(letter) - 0xFEE0)
    return _ARABIC_MARKS.get(letter, letter)


def truncate(value: object) -> object:
    """Return ``value`` with its text truncated for a message."""
    return f"{value[:_WIDEST]}…" if isinstance(value, str) and len(value) > _WIDEST else value


def n_cells(count: int) -> str:
    """Return the beginning of a sentence about ``count`` cells.

    >>> n_cells(1), n_cells(3)
    ('1 cell is', '3 cells are')
    """
    return "1 cell is" if count == 1 else f"{count} cells are"


def _grammar(mark: str) -> str:
    whole = f"(?:[0-9]{{1,3}}(?:{_SPACE}[0-9]{{3}})+|[0-9]+)"
    return f"[-+\u2212]?(?:{whole}(?:[{mark}][0-9]*)?|[{mark}][0-9]+)(?:[eE][-+]?[0-9]+)?"


def _uses_mark(cells: pd.Series, mark: str) -> np.ndarray:
    """Return a mask of texts that use ``mark`` as decimal mark, not to group thousands."""
    texts = pa.array(cells.array, type=pa.string(), from_pandas=True)
    is_marked = pc.match_substring(texts, mark)
    if not pc.any(is_marked).as_py():
        return np.zeros(len(texts), dtype=bool)
    number = pc.match_substring_regex(texts, f"^{_grammar(mark)}$")
    grouped = pc.match_substring_regex(texts, f"^[-+]?[1-9][0-9]{{0,2}}[{mark}][0-9]{{3}}$")
    found = pc.and_not(pc.and_(is_marked, number), grouped).fill_null(False)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)
