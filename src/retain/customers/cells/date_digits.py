"""Dates that are written like numbers, such as 10.2020 and 20201022."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retain.customers.cells.arrow_cells import DictionaryColumn
from retain.customers.columns import key_name, snake_case
from retain.errors import RetainError, type_value

FIRST_SHORT_YEAR = 1940
"""First of the hundred years that two digits stand for: 40 is 1940, 39 is 2039."""
MIN_SHARED_YEAR, MIN_GAP_YEARS, LATE_YEAR = 20, 10, 60
"""Years of two digits: the first that may be of either century, the fewest without a date that
tell centuries apart, and the first that is of the last century whatever stands before it."""
MIN_DISTINCT = 5
"""Distinct numbers from which it is no chance that each of them is a date."""
MIN_SHARE = 0.9
"""Share of the distinct numbers from which a column without a date in its name may be dates."""
N_SEARCHED, MIN_SAMPLE_SHARE = 200, 0.2
"""Distinct numbers, evenly spaced, of which this share has to be of one pattern at first."""
_DATE_WORDS = """
    date dates day days dt datum дата даты день data fecha since seit birth birthday dob born
    signup registered registration joined created updated start end until from first last month
    period месяц период рождения начало конец mois monat mes mês miesiąc expiry expires opened
    closed when jour tag día dia dzień rejestracji регистрации
"""
DATE_WORDS = frozenset(_DATE_WORDS.split())
"""Words of a name by which numbers that may be dates are dates."""
_MONTH, _YEAR, _DAY = "(?:0?[1-9]|1[0-2])", "(?:19|20)[0-9]{2}", "(?:0[1-9]|[12][0-9]|3[01])"
_TWO_DIGITS = "(?:0[1-9]|1[0-2])"
_POINTED = {"%m.%Y": f"^{_MONTH}[.]{_YEAR}$", "%Y.%m": f"^{_YEAR}[.]{_TWO_DIGITS}$"}
_POINTED_PARTS = {"%m.%y": f"^{_TWO_DIGITS}[.][0-9]{{2}}$", "%d.%m": f"^{_DAY}[.]{_TWO_DIGITS}$"}
COMPACT_CLOCK = (
    "^((?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]))"
    "(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9])?$"
)
"""A date of eight digits, and hours, minutes and seconds."""
_LAST_MONTHS = "^1[0-2][.][0-9]{2}$"
_COMPACT = {
    "%Y%m%d": f"^{_YEAR}{_TWO_DIGITS}{_DAY}$",
    "%d%m%Y": f"^(?:0?[1-9]|[12][0-9]|3[01]){_TWO_DIGITS}{_YEAR}$",
    "%m%d%Y": f"^{_MONTH}{_DAY}{_YEAR}$",
    "%Y%m": f"^{_YEAR}{_TWO_DIGITS}$",
    "%y%m%d": f"^[0-9]{{2}}{_TWO_DIGITS}{_DAY}$",
    "%d%m%y": f"^(?:0?[1-9]|[12][0-9]|3[01]){_TWO_DIGITS}[0-9]{{2}}$",
}

MAX_DAY, LAST_DAYS, MAX_MONTH, MEAN_DAYS = 31, 28, 12, 30.44
"""Largest day, first of those that end a month, largest month, and the mean days of a month."""
MIN_SHOWN = 0.05
"""Share of distinct dates with a number that is no day, from which it is the year."""
MAX_CHANCE, MIN_CHANCE, MIN_DAYS = 1e-6, 0.01, 10
"""Probability that days stay in the range of a number, below which it is a year, and above which
it may be a day; and the fewest distinct days."""


@dataclass(frozen=True, slots=True)
class DigitDates:
    """Days of distinct numbers that are dates, None if they stay numbers, and the reading."""

    days: NDArray[np.float64] | None
    reading: str
    date_format: str = ""


def find_digit_dates(column: DictionaryColumn, name: str) -> DigitDates | None:
    """Return the dates that the numbers of a column are or may be; None if they are no dates.

    Raises
    ------
    RetainError
        They may be numbers or dates.
    """
    texts = pa.array(column.distinct.array, type=pa.string(), from_pandas=True)
    is_compact = bool(pc.all(pc.ascii_is_decimal(texts)).as_py())
    if is_compact and len(texts) and _share(texts, COMPACT_CLOCK) == 1:
        texts = pc.replace_substring_regex(texts, COMPACT_CLOCK, r"\1")
    sample = texts[:: len(texts) // N_SEARCHED + 1]
    patterns = _COMPACT if is_compact else {**_POINTED, **_POINTED_PARTS}
    if max(_share(sample, pattern) for pattern in patterns.values()) < MIN_SAMPLE_SHARE:
        return None
    if is_compact:
        return _find_compact(texts, name)
    shares = {one: _share(texts, pattern) for one, pattern in _POINTED.items()}
    date_format, share = max(shares.items(), key=lambda one: one[1])
    if share == 1 and len(texts) >= MIN_DISTINCT:
        return _digit_dates(read_digits(texts, date_format), date_format)
    if share > 1 / 2 and (share == 1 or len(texts) >= MIN_DISTINCT):
        _refuse(texts, _POINTED[date_format], [date_format], name)
    check_two_parts(column, name, ".")
    return None


def check_two_parts(column: DictionaryColumn, name: str, marks: str = "/-") -> None:
    """Raise if all cells are two numbers of two digits that may be a date, such as 02/22.

    Some begin with a zero, which numbers and ranges do not; or the name is of a date, and all are
    the last months of years. A few cells with a slash are a category, which loses nothing.
    """
    texts = pa.array(column.distinct.array, type=pa.string(), from_pandas=True)
    has_zero = bool(pc.any(pc.starts_with(texts, "0")).as_py())
    for mark in marks:
        if mark == "." and _are_last_months(texts, name):
            _refuse(texts, _LAST_MONTHS, ["%m.%y"], name)
        if not has_zero or (len(texts) < MIN_DISTINCT and not _are_few_dates(texts, mark, name)):
            continue
        patterns = {
            one.replace(".", mark): pattern.replace("[.]", mark)
            for one, pattern in _POINTED_PARTS.items()
        }
        fitting = [one for one, pattern in patterns.items() if _share(texts, pattern) == 1]
        if fitting:
            _refuse(texts, patterns[fitting[0]], fitting, name)


def _are_few_dates(texts: pa.Array, mark: str, name: str) -> bool:
    """Return whether the last parts of a few cells with a point are as near as years or months."""
    if mark != "." or _share(texts, "^[0-9]{2}[.][0-9]{2}$") < 1:
        return False
    ends = pc.utf8_slice_codeunits(texts, 3).cast(pa.int64()).to_numpy(zero_copy_only=False)
    return _says_date(name) or bool(np.ptp(ends) < len(texts))


def _are_last_months(texts: pa.Array, name: str) -> bool:
    return _says_date(name) and _share(texts, _LAST_MONTHS) == 1


def civil_days(
    years: NDArray[np.int64], months: NDArray[np.int64], days: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return dates as days since 1970-01-01, NaN where there is no such day.

    >>> civil_days(*np.array([[1970, 2023], [1, 2], [2, 30]])).tolist()
    [1.0, nan]
    """
    fits = (months >= 1) & (months <= 12) & (days >= 1) & (days <= 31) & (years >= 1)
    start = ((years - 1970) * 12 + np.where(fits, months, 1) - 1).astype("datetime64[M]")
    dates = start.astype("datetime64[D]") + (days - 1)
    fits &= dates.astype("datetime64[M]") == start
    return np.where(fits, dates.astype("int64"), np.nan)


def full_years(years: NDArray[np.int64], first: int = FIRST_SHORT_YEAR) -> NDArray[np.int64]:
    """Return years of two digits as those they stand for, from ``first`` on; others unchanged."""
    return np.where(years < 100, (years - first) % 100 + first, years)


def find_first_short_year(years: NDArray[np.int64]) -> int:
    """Return the first of the hundred years that two digits of a column stand for.

    A gap before some of the twenties or thirties, but none between them and the forties, shows
    that these belong together: to the last century if years of its second half do too.

    >>> [find_first_short_year(np.array(years)) for years in ([15, 24], [35, 38, 47, 62, 3])]
    [1940, 1935]
    """
    used = np.unique(years[years < 100])
    after = used[used >= FIRST_SHORT_YEAR % 100]
    before = used[(used >= MIN_SHARED_YEAR) & (used < FIRST_SHORT_YEAR % 100)]
    if len(after) == 0 or len(before) == 0 or after[0] - before[-1] >= MIN_GAP_YEARS:
        return FIRST_SHORT_YEAR
    steps = np.flatnonzero(np.diff(before) >= MIN_GAP_YEARS)
    first = int(before[steps[-1] + 1] if len(steps) else before[0])
    below = used[used < first]
    if len(below) and first - below[-1] < MIN_GAP_YEARS:
        return FIRST_SHORT_YEAR
    return first + (1900 if after[-1] >= LATE_YEAR else 2000)


def find_year(
    firsts: NDArray[np.int64], middles: NDArray[np.int64], lasts: NDArray[np.int64]
) -> Literal["first", "last"] | None:
    """Return which number of dates is the year of two digits; None if both may be.

    Some numbers are above 31 or 0; or the one number has a range that days never have by chance,
    which is of years without a gap, and the other has many values in a range that days have (those
    of 28 days, which all months have, among them).
    Days of one year have a range of more than 28, which as years would end after 2028.

    >>> days, months, years = np.arange(1, 31), np.arange(30) % 12 + 1, np.arange(30) % 2 + 22
    >>> find_year(days, months, years), find_year(years[:2], months[:2], days[:2])
    ('last', None)
    """
    dates = np.unique(np.stack([firsts, middles, lasts]), axis=1)
    above = [((one > MAX_DAY) | (one == 0)).mean() for one in (dates[0], dates[2])]
    if max(above) >= MIN_SHOWN and min(above) == 0:
        return "first" if above[0] > above[1] else "last"
    as_days = [
        ((one.max() - one.min() + 1) / MEAN_DAYS) ** one.size for one in (dates[0], dates[2])
    ]
    for year, day, which in ((0, 1, "first"), (1, 0, "last")):
        years, n_days = np.unique(dates[2 * year]), len(np.unique(dates[2 * day]))
        are_years = bool((np.diff(years) == 1).all()) and years[0] < LAST_DAYS
        if len(years) == 1:  # the first of the month of many years is as usual as one year
            are_years &= years[0] > 1 and np.ptp(dates[2 * day]) + 1 > LAST_DAYS
        are_days = as_days[day] > MIN_CHANCE or np.ptp(dates[2 * day]) + 1 >= LAST_DAYS
        is_sure = as_days[year] < MAX_CHANCE and are_days
        if are_years and is_sure and n_days >= MIN_DAYS:
            return "first" if which == "first" else "last"
    return None


def _find_compact(texts: pa.Array, name: str) -> DigitDates | None:
    """Return the dates of six or eight digits: certain if the name of the column is of a date."""
    shares = {one: _share(texts, pattern) for one, pattern in _COMPACT.items()}
    best = max(shares.values())
    fitting = [one for one, share in shares.items() if share == best]
    is_named = best == 1 and _says_date(name)
    is_long = best == 1 and fitting[0] in ("%Y%m%d", "%d%m%Y")
    if best < MIN_SHARE or (len(texts) < MIN_DISTINCT and not (is_named or is_long)):
        return None
    days = read_digits(texts, fitting[0])
    if is_named and not np.isnan(days).any():
        if len(fitting) == 1 and "y" not in fitting[0] and len(texts) >= MIN_DISTINCT:
            return _digit_dates(days, fitting[0])
        _refuse(texts, _COMPACT[fitting[0]], fitting, name)
    typed = " or ".join(_typed(name, one) for one in fitting)
    return DigitDates(None, f"they may be dates: {typed}")


def _says_date(name: str) -> bool:
    return any(word in DATE_WORDS for word in snake_case(name).split("_"))


def _digit_dates(days: NDArray[np.float64], date_format: str) -> DigitDates:
    return DigitDates(days, f"dates, {_describe(date_format)}", date_format)


def read_digits(texts: pa.Array, date_format: str) -> NDArray[np.float64]:
    """Return the days of texts in a format of digits, NaN where a text is none."""
    texts = pc.replace_substring_regex(texts, COMPACT_CLOCK, r"\1")
    order = re.findall("[Yymd]", date_format)
    separator = "[.]" if "." in date_format else ""
    two = "[0-9]{2}"
    widths = {"Y": "[0-9]{4}", "y": two, "m": "[0-9]{1,2}" if separator else two, "d": two}
    if not separator:  # a program that takes them for numbers leaves out the first zero
        widths[order[0]] = widths[order[0]].replace("{2}", "{1,2}")
    pattern = separator.join(f"(?P<{one}>{widths[one]})" for one in order)
    parts = pc.extract_regex(texts, f"^{pattern}$")
    numbers = {
        one: np.nan_to_num(
            pc.struct_field(parts, one).cast(pa.float64()).to_numpy(zero_copy_only=False)
        ).astype(np.int64)
        for one in order
    }
    days = numbers.get("d", np.ones(len(texts), dtype=np.int64))
    years = numbers["Y"] if "Y" in numbers else full_years(numbers["y"])
    return civil_days(years, numbers["m"], days)


def _share(texts: pa.Array, pattern: str) -> float:
    """Return the share of texts of a pattern; a first text of another one decides most columns."""
    return float(pc.mean(pc.match_substring_regex(texts, pattern)).as_py() or 0.0)


def _describe(date_format: str) -> str:
    words = {"%Y": "year", "%m": "month", "%d": "day"}
    mark = "." if "." in date_format else " "
    text = mark.join(words[one] for one in re.findall("%[Ymd]", date_format))
    return text if mark == "." else f"{text} without marks"


def _typed(name: str, date_format: str) -> str:
    return type_value(f"data.date_format.{key_name(name)}", date_format)


def _refuse(texts: pa.Array, pattern: str, date_formats: list[str], name: str) -> None:
    cell = next(text for text in texts.to_pylist() if re.match(pattern, text))
    key, is_number = key_name(name), re.fullmatch("[0-9.]+", cell)
    number = type_value(f"data.number_format.{key}", "1234.56")
    category = type_value("data.categorical_columns", [key])
    typed = " or ".join(_typed(name, one) for one in date_formats)
    raise RetainError(
        f"column {name!r}: {cell!r} may be a date or a {'number' if is_number else 'category'}, "
        f"and nothing in the column says which. Type {typed} for dates, or "
        + (f"{number} for numbers." if is_number else f"{category} for categories.")
    )
