"""Dates in cells of text, as days since 1970-01-01."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retain.customers.cells.arrow_cells import DictionaryColumn, to_dictionary
from retain.customers.cells.date_digits import (
    COMPACT_CLOCK,
    FIRST_SHORT_YEAR,
    MAX_DAY,
    MAX_MONTH,
    MIN_SHOWN,
    civil_days,
    find_first_short_year,
    find_year,
    full_years,
)
from retain.customers.cells.date_messages import refuse_named, refuse_order, refuse_short
from retain.customers.cells.date_texts import dates_to_days, parse_periods, with_marks
from retain.customers.cells.month_names import parse_named_dates, to_english
from retain.customers.cells.number_format import FileMarks
from retain.customers.reading import Order, SourceColumn
from retain.errors import RetainError

_CLOCK = r"(?:[T ] ?[0-9]{1,2}:[0-9]{2}[0-9:.,+Z APMapmUTC-]*)?"
_NUMERIC = "".join(
    [
        r"^(?P<first>[0-9]{1,4})(?P<mark>-[0-9]{1,2}-|/[0-9]{1,2}/|[.][0-9]{1,2}[.])",
        rf"(?P<last>[0-9]{{1,4}}){_CLOCK}$",
    ]
)
_COMPACT_WIDTHS = {"%d%m%Y": 8, "%m%d%Y": 8, "%d%m%y": 6, "%m%d%y": 6, "%y%m%d": 6}
MIN_DATE_SHARE = 0.5
"""Share of the cells above which a column is read as dates."""


@dataclass(frozen=True, slots=True)
class ParsedDates:
    """A column as days, NaN where a cell is no date; ``reading`` describes the format.

    ``n_like`` counts the rows that look like dates in some format, ``orders`` are those of day,
    month and year by the mark between them, and years of two digits begin with
    ``first_short_year``.
    """

    column: DictionaryColumn
    reading: str = ""
    n_like: int = 0
    orders: Mapping[str, Order] = field(default_factory=dict)
    first_short_year: int = FIRST_SHORT_YEAR

    def source(self, name: str) -> SourceColumn:
        """Return how the column is written."""
        return SourceColumn(
            name=name,
            is_date=True,
            date_orders=dict(self.orders),
            first_short_year=self.first_short_year,
        )

    def cells(self) -> pd.Series:
        """Return the days row by row."""
        return self.column.cells()


def parse_dates(cells: pd.Series | DictionaryColumn, marks: FileMarks, name: str) -> ParsedDates:
    """Return the dates of a column; each cell may have a format of its own.

    >>> parse_dates(pd.Series(["1970-01-02", "3.1.70", "x"]), FileMarks(), "since").cells().tolist()
    [1.0, 2.0, nan]

    Raises
    ------
    RetainError
        The parts of the dates may be either way round in the column and in the file.
    """
    column = to_dictionary(cells)
    if name in marks.date_formats:
        return _parse_with_user_format(column, marks, name)
    rows, dates = column.counts(), _Dates(column)
    n_like = int(rows[dates.is_like].sum())
    if n_like <= MIN_DATE_SHARE * rows.sum():
        days = np.full(len(rows), np.nan)
        return ParsedDates(column.with_distinct(pd.Series(days)), n_like=n_like)
    days = dates.days(marks, name)
    values = column.with_distinct(pd.Series(days))
    return ParsedDates(values, dates.reading, n_like, dates.orders, dates.first_short_year)


def find_sure_order(texts: pd.Series) -> set[Order]:
    """Return the order of day and month that some cell of a column shows.

    >>> find_sure_order(pd.Series(["1/31/2024", "2/1/2024"]))
    {'MDY'}
    """
    distinct = texts.dropna().drop_duplicates().head(5_000)
    cells = _Dates(to_dictionary(distinct))
    if cells.is_like.mean() <= MIN_DATE_SHARE:
        return set()
    found = [
        cells.find_orders(chosen, mark) for mark in "/-" if (chosen := cells.of_mark(mark)).any()
    ]
    return {orders[0] for orders in found if len(orders) == 1}


def _parse_with_user_format(column: DictionaryColumn, marks: FileMarks, name: str) -> ParsedDates:
    texts, date_format = column.distinct, marks.date_formats[name]
    if width := _COMPACT_WIDTHS.get(date_format):
        texts = texts.str.zfill(width)
    if not re.search("%[HIXT]", date_format):
        texts = texts.str.replace(f"{_CLOCK}$", "", regex=True)
        texts = texts.str.replace(COMPACT_CLOCK, r"\1", regex=True)
    if re.search("%[bB]", date_format):
        texts, used = texts.map(to_english), date_format.replace("%B", "%b")
    else:
        used = date_format
    try:
        dates = pd.Series(pd.to_datetime(texts, format=used, errors="coerce"))
    except ValueError as error:
        expected = "expected what strptime takes, such as '%d/%m/%Y'"
        where = f"data.date_format.{name}"
        raise RetainError.at(where, f"it is {date_format!r}: {error}", expected) from None
    days, first = dates_to_days(dates).astype("float64"), FIRST_SHORT_YEAR
    if "%y" in date_format:  # the parser has another first year
        is_date, trained = dates.notna(), marks.trained.get(name)
        years, months, day = (
            getattr(dates[is_date].dt, part).to_numpy(np.int64) for part in ("year", "month", "day")
        )
        first = find_first_short_year(years % 100) if not trained else trained.first_short_year
        days[is_date] = civil_days(full_years(years % 100, first), months, day)
    n_like, reading = int(column.counts()[days.notna()].sum()), f"dates, {date_format}"
    return ParsedDates(column.with_distinct(days), reading, n_like, first_short_year=first)


class _Dates:
    """The distinct cells of a column, cut into the numbers of a date."""

    def __init__(self, column: DictionaryColumn) -> None:
        self.raw = pa.array(column.distinct.array, pa.string(), from_pandas=True)
        self.texts = with_marks(self.raw)
        self.readings: list[str] = []
        self.orders: dict[str, Order] = {}
        self.first_short_year = FIRST_SHORT_YEAR
        self._cut_parts()
        self.others = parse_periods(self.texts)
        self.named = parse_named_dates(self.texts)
        self.is_like = self.is_year_first | self.is_year_last | ~np.isnan(self.others)
        if self.named is not None:
            self.is_like |= self.named.is_like

    def _cut_parts(self) -> None:
        """Set the numbers of dates, each 0 where a text is no date of digits."""
        has_digits = pc.any(pc.match_substring_regex(self.texts, "^[0-9]")).as_py()
        texts = self.texts if has_digits else pa.nulls(len(self.texts), pa.string())
        parts = pc.extract_regex(texts, _NUMERIC)
        valid = pc.is_valid(parts).to_numpy(zero_copy_only=False)
        self.first, self.n_first = _to_numbers(parts, "first")
        self.last, self.n_last = _to_numbers(parts, "last")
        middle = pc.struct_field(parts, "mark")
        self.mark = np.array(pc.utf8_slice_codeunits(middle, 0, 1).to_pylist(), dtype=object)
        digits = pc.replace_substring_regex(middle, "[^0-9]", "")
        self.middle = np.nan_to_num(_cast(digits)).astype(int)
        self.is_year_first = valid & (self.n_first == 4) & (self.n_last <= 2)
        self.is_year_last = valid & (self.n_first <= 2) & np.isin(self.n_last, (2, 4))

    @property
    def reading(self) -> str:
        """The formats of the cells, for a log line."""
        return f"dates, {' and '.join(self.readings)}" if self.readings else "dates"

    def of_mark(self, mark: str) -> NDArray[np.bool_]:
        """Return a mask of dates with the year last, or of two digits, with a separator."""
        selected: NDArray[np.bool_] = self.is_year_last & (self.mark == mark)
        return selected

    def days(self, marks: FileMarks, name: str) -> NDArray[np.float64]:
        """Return the days of all distinct cells, NaN where a cell is no date."""
        days = self.others.copy()
        self._set_named(days, marks, name)
        chosen = self.is_year_first
        if chosen.any():
            self.readings.append("year-month-day")
            days[chosen] = civil_days(self.first[chosen], self.middle[chosen], self.last[chosen])
        for mark in "./-":
            chosen = self.of_mark(mark)
            if chosen.any():
                days[chosen] = self._of_order(chosen, mark, marks, name)
        return days

    def _set_named(self, days: NDArray[np.float64], marks: FileMarks, name: str) -> None:
        """Set the days of dates with the name of a month."""
        named = self.named
        if named is None or not named.is_like.any():
            return
        years, short = named.years, named.is_short
        if short.any() and ((years[short] > MAX_DAY) | (years[short] == 0)).mean() < MIN_SHOWN:
            refuse_short(str(self.texts[int(np.flatnonzero(short)[0])]), name)
        pairs = named.is_like & (named.months > 0) & (named.years < 100) & ~short
        parts = (named.days[pairs], named.months[pairs], named.years[pairs])
        if pairs.any() and find_year(*parts) == "first":
            refuse_named(str(self.texts[int(np.flatnonzero(pairs)[0])]), name)
        self.readings.append("with the name of the month")
        chosen = named.is_like & (named.months > 0)
        full = full_years(years[chosen], self._first_year(years[chosen], marks, name))
        days[chosen] = civil_days(full, named.months[chosen], named.days[chosen])

    def _of_order(
        self, chosen: NDArray[np.bool_], mark: str, marks: FileMarks, name: str
    ) -> NDArray[np.float64]:
        order = self._order(chosen, mark, marks, name)
        words = {"D": "day", "M": "month", "Y": "year"}
        self.orders[mark] = order
        short = " of two digits" if (self.n_last[chosen] == 2).any() else ""
        self.readings.append(mark.join(words[one] for one in order) + short)
        numbers = (self.first[chosen], self.middle[chosen], self.last[chosen])
        parts = dict(zip(order, numbers, strict=True))
        years = full_years(parts["Y"], self._first_year(parts["Y"], marks, name))
        return civil_days(years, parts["M"], parts["D"])

    def _first_year(self, years: NDArray[np.int64], marks: FileMarks, name: str) -> int:
        """Return the first year of those of two digits, which the training data decide."""
        trained = marks.trained.get(name)
        found = find_first_short_year(years) if trained is None else trained.first_short_year
        if (years < 100).any():
            self.first_short_year = found
        return found

    def find_orders(self, chosen: NDArray[np.bool_], mark: str) -> tuple[Order, ...]:
        """Return the orders that the dates allow; with points, the month is first only if shown."""
        day_first, month_first = (
            int((one[chosen] > MAX_MONTH).sum()) for one in (self.first, self.middle)
        )
        if month_first > day_first:
            return ("MDY",)
        by_month: tuple[Order, ...] = () if mark == "." or day_first > month_first else ("MDY",)
        is_short = ((self.n_first == 2) & (self.n_last == 2))[chosen].all()
        shown = find_year(self.first[chosen], self.middle[chosen], self.last[chosen])
        if is_short and shown == "first":
            return ("YMD",)
        return ("DMY", *by_month, *(("YMD",) if is_short and shown is None else ()))

    def _order(self, chosen: NDArray[np.bool_], mark: str, marks: FileMarks, name: str) -> Order:
        orders = self.find_orders(chosen, mark)
        trained = marks.trained[name].date_orders.get(mark) if name in marks.trained else None
        if len(orders) > 1 and trained in orders and marks.orders <= {trained}:
            orders = (trained,)
        if len(orders) > 1 and "YMD" not in orders and len(marks.orders) == 1 and not trained:
            orders = tuple(marks.orders & set(orders)) or orders
        if len(orders) > 1:
            index = int(np.flatnonzero(chosen)[0])
            refuse_order(str(self.raw[index]), orders, name, is_short=self.n_last[index] == 2)
        return orders[0]


def _cast(texts: pa.Array) -> NDArray[np.float64]:
    values: NDArray[np.float64] = texts.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values


def _to_numbers(parts: pa.Array, field: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of a part of dates, and their count of digits; 0 where it is missing."""
    texts = pc.struct_field(parts, field)
    lengths = pc.fill_null(pc.utf8_length(texts), 0).to_numpy(zero_copy_only=False)
    return np.nan_to_num(_cast(texts)).astype(int), lengths.astype(int)
