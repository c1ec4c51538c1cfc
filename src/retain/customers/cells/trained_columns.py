"""Columns of customers to be scored, read as those of the training data."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import NoReturn

import pandas as pd
import pyarrow as pa

from retain.customers.cells.arrow_cells import DictionaryColumn
from retain.customers.cells.date_digits import read_digits
from retain.customers.cells.dates import parse_dates
from retain.customers.cells.durations import parse_durations
from retain.customers.cells.invalid_rows import InvalidRows
from retain.customers.cells.number_column import parse_column
from retain.customers.cells.number_format import FileMarks, NumberFormat
from retain.customers.cells.numbers import n_cells, not_a_number_message, preview
from retain.customers.cells.types import (
    InferredColumn,
    as_text,
    infer_digit_dates,
    infer_typed,
    to_column,
)
from retain.customers.columns import key_name
from retain.customers.customers import Kind
from retain.customers.reading import SourceColumn
from retain.errors import RetainError, type_value

log = logging.getLogger(__name__)


def coerce_type(
    cells: pd.Series, marks: FileMarks, name: str, kind: Kind, ids: pd.Index
) -> tuple[InferredColumn, list[InvalidRows]]:
    """Return the column as the kind of the training data, and the customers who do not fit it.

    ``marks.trained`` decides where two readings fit.

    >>> cells, ids = pd.Series(["3", "many"]), pd.Index(["Ann", "Bob"])
    >>> column, invalid = coerce_type(cells, FileMarks(), "pages", "number", ids)
    >>> column.cells.tolist(), [(one.message, one.ids.tolist()) for one in invalid]
    ([3.0, nan], [("column 'pages': 1 cell is not a number: 'many'; expected numbers with decimal \
mark '.'.", ['Bob'])])

    Raises
    ------
    RetainError
        No cell is of this kind, or the cells are numbers of another unit, or dates in place of
        numbers or numbers in place of dates.
    """
    if kind == "category":
        return InferredColumn("category", as_text(cells)), []
    trained = marks.trained.get(name)
    if cells.dtype != "str":
        typed = infer_typed(cells, name)
        if trained is not None and typed.is_date != trained.is_date and cells.notna().any():
            _refuse_other_type(cells.dropna().astype("str"), trained, name)
        return typed, []
    column = to_column(cells)
    if trained is None or name in marks.date_formats:
        inferred, decimal = _coerce_untold(column, cells.index, marks, name)
    elif trained.is_date:
        inferred, decimal = _coerce_dates(column, marks, name, trained), ""
    else:
        inferred, decimal = _coerce_numbers(column, marks, name, trained)
    values = inferred.cells.set_axis(cells.index)
    texts = column.cells().set_axis(cells.index)
    odd = texts[texts.notna() & values.isna()]
    if odd.empty:
        return replace(inferred, cells=values), []
    message = not_a_number_message(odd, decimal, f"column {name!r}")
    if not decimal:
        problem = f"{n_cells(len(odd))} not a date: {preview(odd)}"
        message = str(RetainError.at(f"column {name!r}", problem, "expected dates"))
    if values.isna().all():
        raise RetainError(message)
    return InferredColumn("number", values), [InvalidRows(message, ids[odd.index])]


def _coerce_untold(
    column: DictionaryColumn, index: pd.Index, marks: FileMarks, name: str
) -> tuple[InferredColumn, str]:
    """Return numbers or dates, whichever more cells are, and the decimal mark."""
    if name in marks.date_formats:
        dates = parse_dates(column, marks, name)
        return InferredColumn("number", dates.cells(), True, dates.reading), "."
    parsed = parse_column(column, marks, name)
    inferred = infer_digit_dates(column, index, parsed, marks, name)
    if parsed.column.distinct.isna().any():
        days = parse_dates(column, marks, name).cells()
        both = (inferred.cells, days)
        inferred = InferredColumn("number", max(both, key=lambda one: one.notna().sum()))
    return inferred, parsed.format.decimal


def _coerce_dates(
    column: DictionaryColumn, marks: FileMarks, name: str, trained: SourceColumn
) -> InferredColumn:
    """Return the dates of a column; raise if it holds numbers."""
    if trained.date_format:
        texts = pa.array(column.distinct.array, type=pa.string(), from_pandas=True)
        days = column.with_distinct(pd.Series(read_digits(texts, trained.date_format))).cells()
        if days.notna().any():
            return InferredColumn("number", days, is_date=True)
    dates = parse_dates(column, marks, name)
    if dates.column.distinct.notna().any() or len(column.distinct) == 0:
        return InferredColumn("number", dates.cells(), True, dates.reading)
    parsed = parse_column(column, marks, name)
    if parsed.column.distinct.notna().any():
        digits = infer_digit_dates(column, pd.RangeIndex(len(column.codes)), parsed, marks, name)
        if digits.is_date:
            return digits
        _refuse_other_type(column.cells().dropna(), trained, name)
    return InferredColumn("number", dates.cells(), is_date=True)


def _coerce_numbers(
    column: DictionaryColumn, marks: FileMarks, name: str, trained: SourceColumn
) -> tuple[InferredColumn, str]:
    """Return the numbers of a column; raise if it holds dates or has another unit."""
    parsed = parse_column(column, marks, name)
    is_odd = parsed.column.distinct.isna()
    times = parse_durations(column, name) if is_odd.any() else None
    if times is not None and times.n_like > column.counts()[~is_odd].sum():
        _check_unit(NumberFormat(unit=times.unit, unit_kind="other"), trained, name)
        return InferredColumn("number", times.cells(), reading=times.reading), "."
    if is_odd.any() and parse_dates(column, marks, name).column.distinct.notna().any():
        _refuse_other_type(column.distinct[is_odd], trained, name)
    if not is_odd.all() and name not in marks.formats:
        _check_unit(parsed.format, trained, name)
    inferred = InferredColumn("number", parsed.cells(), reading=parsed.reading)
    return inferred, parsed.format.decimal


def _check_unit(found: NumberFormat, trained: SourceColumn, name: str) -> None:
    """Raise if numbers have another unit than those of the training data.

    The sign of a currency may be there or not.
    """
    used = NumberFormat(unit=trained.unit, unit_kind=trained.unit_kind)
    if _unit(found) == _unit(used):
        return
    if {found.unit_kind, used.unit_kind} == {"", "currency"}:
        log.warning("column %r: %s; the model was trained on %s", name, _noun(found), _noun(used))
        return
    typed = type_value(f"data.number_format.{key_name(name)}", found.example)
    raise RetainError(
        f"column {name!r}: {_noun(found)}, but the model was trained on {_noun(used)}; expected "
        f"the same unit. Convert the cells; if they mean the same: {typed}"
    )


def _unit(number_format: NumberFormat) -> str:
    """Return a unit without points, in one case; all percent signs are one."""
    if number_format.unit_kind == "percent":
        return "‰" if number_format.unit == "‰" else "%"
    return re.sub("[. ]", "", number_format.unit).casefold()


def _noun(number_format: NumberFormat) -> str:
    noun = str(number_format).split(", ")[0]
    return f"{noun} without a unit" if noun == "numbers" else noun


def _refuse_other_type(cells: pd.Series, trained: SourceColumn, name: str) -> NoReturn:
    found, expected = ("numbers", "dates") if trained.is_date else ("dates", "numbers")
    raise RetainError(
        f"column {name!r} holds {found}, {preview(cells)}, but the model was trained on "
        f"{expected}; write them as {expected}."
    )
