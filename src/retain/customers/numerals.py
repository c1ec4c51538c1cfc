"""Cells of text: their numbers, their decimal mark, and how a message shows them.

May import: errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from retain.errors import RetainError, examples

_SPACE = "[ \u00a0\u2007\u2009\u202f]"
_WIDEST = 60  # characters of a cell an error message shows


def numbers(cells: pd.Series, decimal: str = ".") -> pd.Series:
    """The cells as floats, NaN where a cell is missing or is not a number.

    Spaces of any width may separate thousands. Texts such as ``inf`` and ``nan`` are not numbers,
    and neither is a number too large for a float.

    >>> numbers(pd.Series(["1 234,5", "-3", "inf", "0.98", None]), ",").tolist()
    [1234.5, -3.0, nan, nan, nan]
    """
    return by_distinct(cells, lambda texts: _parsed(texts, decimal))


def by_distinct(cells: pd.Series, change: Callable[[pd.Series], pd.Series]) -> pd.Series:
    """The cells changed, worked out once for each different text: columns repeat themselves.

    >>> by_distinct(pd.Series(["a", None, "a"]), lambda texts: texts.str.upper()).tolist()
    ['A', nan, 'A']
    """
    codes, distinct = pd.factorize(cells.astype("str"))
    changed = change(pd.Series(distinct, dtype="str")).array
    return pd.Series(changed.take(codes, allow_fill=True), index=cells.index, name=cells.name)


def all_numbers(cells: pd.Series, decimal: str, where: str, hint: str = "") -> pd.Series:
    """The cells as floats; a ``RetainError`` showing the cells of ``where`` that are no numbers.

    >>> all_numbers(pd.Series(["3", "many", None]), ".", "column 'pages'")
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: column 'pages': 1 cell is not a number: 'many'; expected numbers \
with decimal mark '.'.
    """
    values = numbers(cells, decimal)
    wrong = cells[cells.notna() & values.isna()]
    if wrong.empty:
        return values
    raise RetainError(no_numbers(wrong, decimal, where) + hint)


def no_numbers(wrong: pd.Series, decimal: str, where: str) -> str:
    """What to say of cells of ``where`` that are no numbers."""
    found = f"{cells_are(len(wrong))} not a number: {shown(wrong)}"
    return str(RetainError.at(where, found, f"expected numbers with decimal mark {decimal!r}"))


def decimal_mark(cells: pd.Series, default: str = ".") -> str:
    """The decimal mark one column uses, ``default`` where the column does not tell.

    ``'1,234'`` may be a little over one or over a thousand. Where every mark of the column can be
    read both ways the mark of the file decides, and what does not fit it is no number then.

    >>> decimal_mark(pd.Series(["0,98", "4,16"]))
    ','
    >>> decimal_mark(pd.Series(["1,234", "950"]), default=".")
    '.'
    """
    found = {mark: _marked(cells, mark) for mark in ".,"}
    counts = {mark: total - grouped for mark, (total, grouped) in found.items()}
    if counts["."] == counts[","]:
        return default
    return "." if counts["."] > counts[","] else ","


def shown(cells: pd.Series) -> str:
    """Up to five different cells as a message shows them, long ones cut.

    >>> shown(pd.Series(["a", "b", "a"]))
    "'a', 'b'"
    """
    return examples(cut(value) for value in cells.drop_duplicates().tolist())


def plain(text: str) -> str:
    r"""``text`` as cells are read: every space an ordinary one, none around.

    >>> plain("1\u00a0234 ")
    '1 234'
    """
    return re.sub(_SPACE, " ", text).strip()


def cut(value: object) -> object:
    """``value``, its text cut where it is too long for a message."""
    return f"{value[:_WIDEST]}…" if isinstance(value, str) and len(value) > _WIDEST else value


def cells_are(count: int) -> str:
    """The beginning of a sentence about ``count`` cells.

    >>> cells_are(1), cells_are(3)
    ('1 cell is', '3 cells are')
    """
    return "1 cell is" if count == 1 else f"{count} cells are"


def _parsed(texts: pd.Series, decimal: str) -> pd.Series:
    texts = texts.where(texts.str.fullmatch(_grammar(decimal)).astype(bool))
    plain = texts.str.replace(_SPACE, "", regex=True).str.replace("\u2212", "-", regex=False)
    values = plain.str.replace(decimal, ".", regex=False).astype("float64")
    return values.where(np.isfinite(values))


def _grammar(mark: str) -> str:
    whole = f"(?:[0-9]{{1,3}}(?:{_SPACE}[0-9]{{3}})+|[0-9]+)"
    return f"[-+\u2212]?(?:{whole}(?:[{mark}][0-9]*)?|[{mark}][0-9]+)(?:[eE][-+]?[0-9]+)?"


def _marked(cells: pd.Series, mark: str) -> tuple[int, int]:
    """How many cells are numbers with ``mark``, and how many of them may be grouped thousands."""
    text = cells.astype("str")
    text = text[text.str.contains(mark, regex=False, na=False).astype(bool)]
    if text.empty:
        return 0, 0
    total = text.str.fullmatch(_grammar(mark), na=False).sum()
    grouped = text.str.fullmatch(f"[-+]?[1-9][0-9]{{0,2}}[{mark}][0-9]{{3}}", na=False).sum()
    return int(total), int(grouped)
