"""Numbers in cells of text, read in the one format that their column allows."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retain.customers.cells.arrow_cells import DictionaryColumn, to_dictionary
from retain.customers.cells.date_digits import MIN_SAMPLE_SHARE
from retain.customers.cells.number_cells import NumberCells, to_floats
from retain.customers.cells.number_format import FileMarks, Marks, NumberFormat
from retain.customers.cells.numbers import not_a_number_message
from retain.customers.reading import SourceColumn
from retain.errors import RetainError

_PLAIN = "^[-+]?(?:[0-9]+(?:[.][0-9]*)?|[.][0-9]+)(?:[eE][-+]?[0-9]+)?$"
_FIRST = 5  # rows that show that a column is not of plain numbers
_SAMPLE = 200  # first cells that show whether the point is a decimal mark
_SMALLEST_DATE = 10_100  # whole numbers below are no dates
_HEAD = 5_000  # distinct cells of a column that are searched for sure marks


@dataclass(frozen=True, slots=True)
class ParsedNumbers:
    """A column as floats, NaN where a cell is not a number in ``format``.

    ``is_formatted`` tells columns with a unit, grouping, factors or other signs from plain ones;
    ``n_like`` counts the rows that look like numbers in some format. ``has_marks`` tells whether
    some cells show the marks of the format.
    """

    column: DictionaryColumn
    format: NumberFormat
    is_formatted: bool = False
    n_like: int = 0
    has_marks: bool = False

    def source(self, name: str) -> SourceColumn:
        """Return how the column is written."""
        used = self.format
        return SourceColumn(
            name=name,
            decimal=used.decimal if self.has_marks else "",
            grouping=used.grouping,
            unit=used.unit,
            unit_kind=used.unit_kind,
        )

    @property
    def reading(self) -> str:
        """The reading of formatted numbers, for a log line; empty for plain numbers."""
        return str(self.format) if self.is_formatted else ""

    def cells(self) -> pd.Series:
        """Return the numbers row by row."""
        return self.column.cells()


def parse_column(
    cells: pd.Series | DictionaryColumn, marks: FileMarks, name: str, where: str = ""
) -> ParsedNumbers:
    """Return the numbers of a column, in the one format that it and its file allow.

    ``name`` is the column in the file's words, ``where`` its name in messages.

    >>> parse_column(pd.Series(["1.234,5 €", "(3 €)", "many"]), FileMarks(), "x").cells().tolist()
    [1234.5, -3.0, nan]

    Raises
    ------
    RetainError
        Two readings fit, or cells have different units.
    """
    column = to_dictionary(cells)
    texts = pa.array(column.distinct.array, type=pa.string(), from_pandas=True)
    if len(texts) == 0:
        return ParsedNumbers(_with_values(column, np.empty(0)), NumberFormat())
    if name not in marks.formats and _are_plain(texts) and _has_sure_point(texts):
        n_like = int((column.codes >= 0).sum())
        return ParsedNumbers(
            _with_values(column, to_floats(texts)),
            NumberFormat(),
            n_like=n_like,
            has_marks=has_points(texts),
        )
    parts = NumberCells(column, texts, where or f"column {name!r}")
    number_format = parts.find_format(marks, name)
    if number_format is None:
        nothing = np.full(len(texts), np.nan)
        return ParsedNumbers(_with_values(column, nothing), NumberFormat())
    return ParsedNumbers(
        _with_values(column, parts.values(number_format)),
        number_format,
        is_formatted=not number_format.is_plain or parts.has_odd_signs,
        n_like=parts.n_like,
        has_marks=parts.has_marks,
    )


def parse_plain(texts: pa.Array | pa.ChunkedArray) -> NDArray[np.float64] | None:
    """Return the numbers of a column that surely are plain; None if others have to be looked for.

    >>> parse_plain(pa.array(["12.5", None, "-3"])).tolist()
    [12.5, nan, -3.0]
    >>> parse_plain(pa.array(["01", "12"])), parse_plain(pa.array(["20201022"]))
    (None, None)
    """
    if any(re.match(_PLAIN, str(one)) is None for one in texts.drop_null()[:_FIRST]):
        return None  # an attempt to cast would cost as much as a success
    try:
        numbers = texts.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    values: NDArray[np.float64] = numbers.to_numpy(zero_copy_only=False)
    if np.isfinite(values).sum() != len(texts) - texts.null_count or texts.null_count == len(texts):
        return None
    if any(pc.any(pc.match_substring(texts, letter)).as_py() for letter in "eE"):
        return None
    if has_points(texts):
        is_sure = _have_sure_points(texts.drop_null()[:_SAMPLE]) and not _may_be_months(values)
        return values if is_sure else None
    zeros = pc.and_(pc.starts_with(texts, "0"), pc.not_equal(texts, "0"))
    may_be_dates = np.nanmax(values) >= _SMALLEST_DATE
    return None if may_be_dates or pc.any(zeros).as_py() else values


def has_points(texts: pa.Array | pa.ChunkedArray) -> bool:
    """Return whether some cells have a point."""
    return bool(pc.any(pc.match_substring(texts, ".")).as_py())


def _have_sure_points(texts: pa.Array | pa.ChunkedArray) -> bool:
    """Return whether some cells have a decimal point, and are no months or days such as 02.20."""
    are_short = pc.all(pc.match_substring_regex(texts, "^[0-9]{2}[.][0-9]{2}$")).as_py()
    return has_points(texts) and _has_sure_point(texts) and not are_short


def _may_be_months(values: NDArray[np.float64]) -> bool:
    """Return whether some distinct numbers are as 10.2020 or 2020.10, and not but a few."""

    def are_months(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
        whole, part = np.floor(numbers), np.round(numbers % 1, 4)
        month_first = (whole >= 1) & (whole <= 12) & (part >= 0.19) & (part < 0.21)
        year_first = (whole >= 1900) & (whole < 2100) & (part > 0) & (part < 0.13)
        return np.asarray(month_first | year_first)

    if not are_months(values).any():
        return False
    return bool(are_months(np.unique(values[~np.isnan(values)])).mean() >= MIN_SAMPLE_SHARE)


def require_numbers(cells: pd.Series, marks: FileMarks, name: str) -> ParsedNumbers:
    """Return the numbers of a column, or raise an error that shows cells that are not numbers.

    >>> require_numbers(pd.Series(["3", "many", None]), FileMarks(), "pages")
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: column 'pages': 1 cell is not a number: 'many'; expected numbers \
with decimal mark '.'.
    """
    parsed = parse_column(cells, marks, name)
    wrong = cells[cells.notna() & parsed.cells().isna().to_numpy()]
    if wrong.empty:
        return parsed
    raise RetainError(not_a_number_message(wrong, parsed.format.decimal, f"column {name!r}"))


def find_sure_marks(cells: pd.Series) -> Marks:
    """Return the marks of a column that are surely decimal marks, and those that surely group.

    >>> find_sure_marks(pd.Series(["1.234,5", "7"]))
    (frozenset({','}), frozenset({'.'}))
    """
    distinct = cells.dropna().drop_duplicates().head(_HEAD)
    column = DictionaryColumn(distinct, np.arange(len(distinct), dtype=np.int32))
    texts = pa.array(distinct.array, type=pa.string())
    if len(texts) == 0:
        return frozenset(), frozenset()
    return NumberCells(column, texts, "").sure_marks


def _are_plain(texts: pa.Array) -> bool:
    """Return whether all texts are plain numbers; most that are not show it at once."""
    return all(
        pc.all(pc.match_substring_regex(chunk, _PLAIN)).as_py()
        for chunk in (texts.slice(0, _HEAD), texts.slice(_HEAD))
        if len(chunk)
    )


def _has_sure_point(texts: pa.Array) -> bool:
    """Return whether plain numbers have no point, or one that cannot group thousands."""
    points = pc.match_substring(texts, ".")
    if not pc.any(points).as_py():
        return True
    grouped = pc.match_substring_regex(texts, "^[-+]?[1-9][0-9]{0,2}[.][0-9]{3}$")
    return bool(pc.any(pc.and_not(points, grouped)).as_py())


def _with_values(column: DictionaryColumn, values: NDArray[np.float64]) -> DictionaryColumn:
    return column.with_distinct(pd.Series(values, index=column.distinct.index))
