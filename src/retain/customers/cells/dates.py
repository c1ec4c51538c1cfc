"""Dates in cells of text, as days since 1970-01-01."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retain.customers.cells.arrow_cells import DictionaryColumn, to_dictionary
from retain.customers.cells.number_format import FileMarks, Order
from retain.customers.columns import snake_case
from retain.errors import RetainError, type_value

FIRST_SHORT_YEAR = 1940
"""First of the hundred years that two digits stand for: 40 is 1940, 39 is 2039."""
_CLOCK = r"(?:[T ] ?[0-9]{1,2}:[0-9]{2}[0-9:.,+Z APMapmUTC-]*)?"
_NUMERIC = "".join(
    [
        r"^(?P<first>[0-9]{1,4})(?P<mark>-[0-9]{1,2}-|/[0-9]{1,2}/|[.][0-9]{1,2}[.])",
        rf"(?P<last>[0-9]{{1,4}}){_CLOCK}$",
    ]
)
_OTHER_FORMS = {  # months without a day, and by their English names
    r"^[0-9]{4}-[0-9]{2}$": "%Y-%m",
    r"^[0-9]{2}[./][0-9]{4}$": "%m-%Y",
    r"^[0-9]{1,2}[ -][A-Za-z]{3}[ -][0-9]{4}$": "%d-%b-%Y",
    r"^[0-9]{1,2}[ -][A-Za-z]{3}[ -][0-9]{2}$": "%d-%b-%y",
    r"^[0-9]{1,2}[ -][A-Za-z]{4,9}[ -][0-9]{4}$": "%d-%B-%Y",
    r"^[A-Za-z]{3}[.]? [0-9]{1,2},? [0-9]{4}$": "%b-%d-%Y",
    r"^[A-Za-z]{4,9} [0-9]{1,2},? [0-9]{4}$": "%B-%d-%Y",
}
MIN_DATE_SHARE = 0.5
"""Share of the cells above which a column is read as dates."""


@dataclass(frozen=True, slots=True)
class ParsedDates:
    """Days by row, NaN where a cell is no date; ``reading`` describes the format.

    ``n_like`` counts the rows that look like dates in some format.
    """

    days: pd.Series
    reading: str = ""
    n_like: int = 0


def parse_dates(texts: pd.Series, marks: FileMarks, name: str) -> ParsedDates:
    """Return the dates of a column; each cell may have a format of its own.

    >>> parse_dates(pd.Series(["1970-01-02", "3.1.70", "x"]), FileMarks(), "since").days.tolist()
    [1.0, 2.0, nan]

    Raises
    ------
    RetainError
        Day and month may be either way round in the column and in the file.
    """
    if name in marks.date_formats:
        return _parse_with_user_format(texts, marks.date_formats[name], name)
    column = to_dictionary(texts)
    cells = _Dates(column)
    n_like = int(column.counts()[cells.is_like].sum())
    if n_like <= MIN_DATE_SHARE * texts.notna().sum():
        return ParsedDates(pd.Series(np.nan, index=texts.index), n_like=n_like)
    days = cells.days(marks, name)
    filled = column.with_distinct(pd.Series(days)).cells().set_axis(texts.index)
    return ParsedDates(filled, cells.reading, n_like)


def find_sure_order(texts: pd.Series) -> set[Order]:
    """Return the order of day and month that some cell of a column shows.

    >>> find_sure_order(pd.Series(["1/31/2024", "2/1/2024"]))
    {'MDY'}
    """
    distinct = texts.dropna().drop_duplicates().head(5_000)
    cells = _Dates(to_dictionary(distinct))
    if cells.is_like.mean() <= MIN_DATE_SHARE:
        return set()
    return {order for mark in "/-" if (order := cells.shown_order(cells.of_mark(mark)))}


def _parse_with_user_format(texts: pd.Series, date_format: str, name: str) -> ParsedDates:
    try:
        dates = pd.to_datetime(texts, format=date_format, errors="coerce")
    except ValueError as error:
        expected = "expected what strptime takes, such as '%d/%m/%Y'"
        where = f"data.date_format.{name}"
        raise RetainError.at(where, f"it is {date_format!r}: {error}", expected) from None
    days = dates_to_days(dates)
    return ParsedDates(days, f"dates, {date_format}", int(days.notna().sum()))


def dates_to_days(dates: pd.Series) -> pd.Series:
    """Return timestamps as days since 1970-01-01."""
    days = dates.to_numpy().astype("datetime64[D]")
    values = np.where(np.isnat(days), np.nan, days.astype("int64").astype("float64"))
    return pd.Series(values, index=dates.index)


class _Dates:
    """The distinct cells of a column, cut into the numbers of a date."""

    def __init__(self, column: DictionaryColumn) -> None:
        self.texts = pa.array(column.distinct.array, type=pa.string(), from_pandas=True)
        parts = pc.extract_regex(self.texts, _NUMERIC)
        valid = pc.is_valid(parts).to_numpy(zero_copy_only=False)
        self.first, self.n_first = _to_numbers(parts, "first")
        self.last, self.n_last = _to_numbers(parts, "last")
        middle = pc.struct_field(parts, "mark")
        self.mark = np.array(pc.utf8_slice_codeunits(middle, 0, 1).to_pylist(), dtype=object)
        digits = pc.replace_substring_regex(middle, "[^0-9]", "")
        self.middle = np.nan_to_num(_cast(digits)).astype(int)
        self.is_year_first = valid & (self.n_first == 4) & (self.n_last <= 2)
        self.is_year_last = valid & (self.n_first <= 2) & np.isin(self.n_last, (2, 4))
        self.others = _parse_other_forms(self.texts)
        self.is_like = self.is_year_first | self.is_year_last | ~np.isnan(self.others)
        self.readings: list[str] = []

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
        chosen = self.is_year_first
        if chosen.any():
            self.readings.append("year-month-day")
            days[chosen] = _civil(self.first, self.middle, self.last, chosen)
        for mark in "./-":
            chosen = self.of_mark(mark)
            if chosen.any():
                days[chosen] = self._of_order(chosen, self._order(chosen, mark, marks, name), mark)
        return days

    def _of_order(self, chosen: NDArray[np.bool_], order: Order, mark: str) -> NDArray[np.float64]:
        words = {"D": "day", "M": "month", "Y": "year"}
        short = " of two digits" if (self.n_last[chosen] == 2).any() else ""
        self.readings.append(mark.join(words[one] for one in order) + short)
        parts = dict(zip(order, (self.first, self.middle, self.last), strict=True))
        return _civil(_full_years(parts["Y"]), parts["M"], parts["D"], chosen)

    def shown_order(self, chosen: NDArray[np.bool_]) -> Order | None:
        """Return the order in which some number above 12 is a day; None if none is."""
        day_first, month_first = (
            int((one[chosen] > 12).sum()) for one in (self.first, self.middle)
        )
        if day_first == month_first:
            return None
        return "DMY" if day_first > month_first else "MDY"

    def _order(self, chosen: NDArray[np.bool_], mark: str, marks: FileMarks, name: str) -> Order:
        if mark != "." and (self.n_last[chosen] == 2).all():
            firsts, lasts = (len(np.unique(one[chosen])) for one in (self.first, self.last))
            if 2 * firsts <= lasts:
                return "YMD"
            if 2 * lasts > firsts and self.first[chosen].max() > 12:
                self._refuse(chosen, ("DMY", "YMD"), name)
        order = self.shown_order(chosen)
        if order is None and mark == ".":
            return "DMY"
        if order is None and len(marks.orders) == 1:
            (order,) = marks.orders
        if order is None:
            self._refuse(chosen, ("DMY", "MDY"), name)
        return order

    def _refuse(
        self, chosen: NDArray[np.bool_], orders: tuple[Order, Order], name: str
    ) -> NoReturn:
        index = int(np.flatnonzero(chosen)[0])
        cell, mark = str(self.texts[index]), str(self.mark[index])
        year = "%y" if self.n_last[index] == 2 else "%Y"
        letters = {"D": "%d", "M": "%m", "Y": year}
        forms = [mark.join(letters[one] for one in order) for order in orders]
        clock = re.sub("^[^T ]*", "", cell)
        if clock:
            clock = " %H:%M:%S" if clock.count(":") > 1 else " %H:%M"
        key = f"data.date_format.{snake_case(name)}"
        typed = [type_value(key, form + clock) for form in forms]
        words = {"DMY": "day first", "MDY": "month first", "YMD": "year first"}
        raise RetainError(
            f"column {name!r}: {cell!r} may be a date with the {words[orders[0]]} or with the "
            f"{words[orders[1]]}, and nothing in the column or the file says which. "
            f"Type {typed[0]} or {typed[1]}."
        )


def _cast(texts: pa.Array) -> NDArray[np.float64]:
    values: NDArray[np.float64] = texts.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values


def _to_numbers(parts: pa.Array, field: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of a part of dates, and their count of digits; 0 where it is missing."""
    texts = pc.struct_field(parts, field)
    lengths = pc.fill_null(pc.utf8_length(texts), 0).to_numpy(zero_copy_only=False)
    return np.nan_to_num(_cast(texts)).astype(int), lengths.astype(int)


def _full_years(years: NDArray[np.int64]) -> NDArray[np.int64]:
    short = (years - FIRST_SHORT_YEAR) % 100 + FIRST_SHORT_YEAR
    return np.where(years < 100, short, years)


def _civil(
    years: NDArray[np.int64],
    months: NDArray[np.int64],
    days: NDArray[np.int64],
    chosen: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return days since 1970-01-01 of the chosen dates, NaN where there is no such day."""
    years, months, days = years[chosen], months[chosen], days[chosen]
    fits = (months >= 1) & (months <= 12) & (days >= 1) & (days <= 31) & (years >= 1)
    start = ((years - 1970) * 12 + np.where(fits, months, 1) - 1).astype("datetime64[M]")
    dates = start.astype("datetime64[D]") + (days - 1)
    fits &= dates.astype("datetime64[M]") == start
    return np.where(fits, dates.astype("int64"), np.nan)


def _parse_other_forms(texts: pa.Array) -> NDArray[np.float64]:
    """Return the days of months, the first of each, and of dates with an English month."""
    found = np.full(len(texts), np.nan)
    is_candidate = (
        "^[0-9]{1,2}[ -][A-Za-z]{3}|^[A-Za-z]{3}|^[0-9]{4}-[0-9]{2}$|^[0-9]{2}[./][0-9]{4}$"
    )
    if not pc.any(pc.match_substring_regex(texts, is_candidate)).as_py():
        return found
    plain = pc.replace_substring_regex(texts, "[ .,/-]+", "-")
    for pattern, date_format in _OTHER_FORMS.items():
        matching = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
        if matching.any():
            chosen = plain.filter(pa.array(matching)).to_pylist()
            dates = pd.Series(pd.to_datetime(chosen, format=date_format, errors="coerce"))
            found[matching] = dates_to_days(dates).to_numpy()
    return found
