"""The type of a column without a contract: numbers, dates or a category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from retain.customers.cells.arrow_cells import DictionaryColumn, to_dictionary
from retain.customers.cells.codes import find_code_reading
from retain.customers.cells.date_digits import check_two_parts, find_digit_dates
from retain.customers.cells.date_texts import dates_to_days
from retain.customers.cells.dates import ParsedDates, parse_dates
from retain.customers.cells.durations import parse_durations
from retain.customers.cells.number_column import (
    ParsedNumbers,
    has_points,
    parse_column,
    parse_plain,
)
from retain.customers.cells.number_format import FileMarks
from retain.customers.cells.numbers import n_cells, normalise_digits, preview
from retain.customers.cells.type_checks import (
    are_mostly_numbers,
    check_few_levels,
    check_quantities,
    odd_cells,
    parses_fully,
)
from retain.customers.customers import Kind
from retain.customers.reading import SourceColumn
from retain.errors import RetainError

_ABSENT = (
    *("na", "n/a", "n.a.", "n.a", "n. a.", "n/a.", "n/d", "k.a.", "k. a.", "н/д", "н.д."),
    *("#n/a", "#n/d", "<na>", "nan", "null", "(null)", "<null>", "\\n", "none"),
    *("-", "--", "---", "\u2013", "\u2014", "?"),
)
_NUMBERS = "numbers"


@dataclass(frozen=True, slots=True)
class InferredColumn:
    """A column of an inferred kind; a date is a number of days since 1970-01-01.

    ``reading`` says how formatted numbers and dates are read, such as ``amounts in €, 1.234,56``;
    ``source`` how the cells are written.
    """

    kind: Kind
    cells: pd.Series
    is_date: bool = False
    reading: str = ""
    source: SourceColumn | None = None

    @property
    def is_quantity(self) -> bool:
        """True for dates and formatted numbers, which are never ids."""
        return self.kind == "number" and bool(self.is_date or self.reading)


def infer_type(cells: pd.Series, marks: FileMarks, name: str) -> InferredColumn:
    """Return the column as numbers, dates or a category, whichever its cells are.

    Raise a ``RetainError`` if most cells are numbers or dates but some are not: these may be
    errors, and the user has to decide; also if they may be numbers, dates or codes. Few levels,
    such as 1, 2 and 3+, are a category, with a warning.

    >>> infer_type(pd.Series(["1", "?", "2,5"]), FileMarks(), "pages").cells.tolist()
    [1.0, nan, 2.5]
    >>> infer_type(pd.Series(["1970-01-02"]), FileMarks(), "since").cells.tolist()
    [1.0]
    """
    if cells.dtype != "str":
        return infer_typed(cells, name)
    is_free = name not in marks.date_formats and name not in marks.formats
    texts = pa.array(cells.array)
    if is_free and (plain := parse_plain(texts)) is not None:
        source = SourceColumn(name=name, decimal="." if has_points(texts) else "")
        return InferredColumn("number", pd.Series(plain, index=cells.index), source=source)
    column = to_column(cells)
    if name in marks.date_formats:
        return _infer_named_dates(column, cells.index, marks, name)
    return _infer_texts(column, cells, marks, name)


def _infer_texts(
    column: DictionaryColumn, cells: pd.Series, marks: FileMarks, name: str
) -> InferredColumn:
    """Return the type of a column that the user says nothing about and that is not plain."""
    parsed = parse_column(column, marks, name)
    if (times := _infer_times(column, parsed, cells.index, name)) is not None:
        return times
    if len(column.distinct) == 0 or parses_fully(column, parsed, cells.index, "number", name):
        found = infer_digit_dates(column, cells.index, parsed, marks, name)
        code = "" if found.is_date else find_code_reading(column, marks, name)
        reading = found.reading.replace(_NUMBERS, code, 1)
        return InferredColumn("category", cells, reading=reading or code) if code else found
    dates = parse_dates(column, marks, name)
    if parses_fully(column, dates, cells.index, "date", name):
        days = dates.cells().set_axis(cells.index)
        return _as_dates(days, dates, name)
    best = parsed if parsed.n_like >= dates.n_like else dates
    if 2 * best.n_like > column.counts().sum() or are_mostly_numbers(column, parsed):
        check_few_levels(column, best, cells.index, name)
    else:
        check_two_parts(column, name)
        check_quantities(column, name)
    return InferredColumn("category", cells)


def to_column(cells: pd.Series) -> DictionaryColumn:
    """Return texts without ``NA`` and the like, with digits of any script as those of ASCII."""
    column = to_dictionary(cells)
    distinct = pa.array(column.distinct.array, type=pa.string(), from_pandas=True)
    absent = pc.is_in(pc.utf8_lower(distinct), pa.array(_ABSENT, pa.string()))
    if pc.any(absent).as_py():
        column = column.without(absent.to_numpy(zero_copy_only=False))
        distinct = distinct.filter(pc.invert(absent))
    plain = normalise_digits(distinct)
    if plain is distinct:
        return column
    return to_dictionary(column.with_distinct(plain.to_pandas().astype("str")).cells())


def _infer_times(
    column: DictionaryColumn, parsed: ParsedNumbers, index: pd.Index, name: str
) -> InferredColumn | None:
    """Return times and durations as numbers; None if more cells are ``parsed`` as numbers."""
    n_numbers = int(column.counts()[parsed.column.distinct.notna()].sum())
    if n_numbers == column.counts().sum():
        return None
    times = parse_durations(column, name)
    if times is None or times.n_like < n_numbers:
        return None
    if not parses_fully(column, times, index, "time", name):
        return None
    values = times.cells().set_axis(index)
    return InferredColumn("number", values, reading=times.reading, source=times.source(name))


def _infer_named_dates(
    column: DictionaryColumn, index: pd.Index, marks: FileMarks, name: str
) -> InferredColumn:
    """Return dates of the format that the user names; raise if some cells are none."""
    dates = parse_dates(column, marks, name)
    if len(column.distinct) and not parses_fully(column, dates, index, "date", name):
        odd = odd_cells(column, dates, index)
        problem = f"{n_cells(len(odd))} not of data.date_format: {preview(odd)}"
        expected = f"expected dates as {marks.date_formats[name]}"
        raise RetainError.at(f"column {name!r}", problem, expected)
    return _as_dates(dates.cells().set_axis(index), dates, name)


def _as_dates(days: pd.Series, dates: ParsedDates, name: str) -> InferredColumn:
    return InferredColumn("number", days, True, dates.reading, dates.source(name))


def infer_digit_dates(
    column: DictionaryColumn, index: pd.Index, parsed: ParsedNumbers, marks: FileMarks, name: str
) -> InferredColumn:
    """Return numbers, or the dates that they are."""
    found = None if name in marks.formats else find_digit_dates(column, name)
    if found is not None and found.days is not None:
        days = column.with_distinct(pd.Series(found.days)).cells().set_axis(index)
        source = SourceColumn(name=name, is_date=True, date_format=found.date_format)
        return InferredColumn("number", days, True, found.reading, source)
    reading = parsed.reading if found is None else f"{_NUMBERS}; {found.reading}"
    numbers = parsed.cells().set_axis(index)
    return InferredColumn("number", numbers, reading=reading, source=parsed.source(name))


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
    is_text = values.dtype == "str"
    array = values.array if is_text else values.to_numpy()  # several times as fast as the series
    observed = array[~pd.isna(array)]
    if len(observed) == 0:
        return "empty"
    if len(observed) == len(values) and bool((observed == observed[0]).all()):
        return "constant"
    if is_quantity or len(observed) <= len(values) / 2:
        return ""
    is_whole = is_text or bool((observed % 1 == 0).all())
    if is_whole and len(pd.unique(observed)) == len(observed):
        return "different in every row, like an identifier"
    return ""


def infer_typed(cells: pd.Series, name: str) -> InferredColumn:
    """Return a column that Parquet has typed."""
    if cells.dtype.kind == "M":
        source = SourceColumn(name=name, is_date=True)
        return InferredColumn("number", dates_to_days(cells), is_date=True, source=source)
    values = cells.astype("float64")
    if np.isinf(values).any():
        where = f"column {name!r}"
        raise RetainError.at(where, "it holds infinite values", "expected finite numbers")
    return InferredColumn("number", values, source=SourceColumn(name=name))
