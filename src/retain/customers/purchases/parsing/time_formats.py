"""Formats of times in text: year first, seconds since 1970, day and month in either order."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retain.customers.purchases.parsing.numbers import DigitPattern, full_match_sql, matches_pattern
from retain.customers.purchases.parsing.raw_columns import RAW_TABLE, RawRelation
from retain.customers.purchases.parsing.sql_names import quote_literal
from retain.customers.purchases.parsing.time_zones import (
    epoch_seconds_sql,
    floor_div_sql,
    to_local_sql,
)
from retain.errors import RetainError, examples, type_value

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection


CLOCK_PATTERN = "(?:[T ]#{1,2}:##(?::##(?:[.,]#+)?)?)"
"""Pattern of a time of day after a date."""

PLAIN_PATTERN = "####-##-##(?:[T ]##:##(?::##)?)?"
"""Pattern of a time that can be cast as it is."""

_OFFSET_PATTERN = " ?(?:Z|UTC|GMT|[-+]##(?::?##)?)"
_YEAR_FIRST_PATTERN = "####(?:-#{1,2}-#{1,2}|/#{1,2}/#{1,2}|[.]#{1,2}[.]#{1,2})"


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """A way to write times: the pattern of its cells, ``#`` a digit, and its parser.

    ``seconds_sql`` takes the cell's SQL, the patterns of the cells and the store's time zone.
    """

    name: str
    pattern: str
    seconds_sql: Callable[[str, Sequence[str], str], str]
    has_zone: bool = False


def strptime_sql(cell: str, formats: Sequence[str]) -> str:
    """Return the seconds of a cell in one of several ``strptime`` formats."""
    listed = ", ".join(quote_literal(text) for text in formats)
    argument = listed if len(formats) == 1 else f"[{listed}]"
    return epoch_seconds_sql(f"epoch_us(try_strptime({cell}, {argument}))")


# --- year first ----------------------------------------------------------------------------------


def iso_sql(cell: str, patterns: Sequence[str], _zone: str) -> str:
    """Return the seconds of an ISO time without a zone."""
    text = _dashed_sql(drop_fraction_sql(cell, patterns), patterns)
    return epoch_seconds_sql(f"epoch_us(TRY_CAST({text} AS TIMESTAMP))")


def _zoned_iso_sql(cell: str, patterns: Sequence[str], zone: str) -> str:
    text = _dashed_sql(drop_fraction_sql(cell, patterns), patterns)
    if any(" " in pattern[11:] for pattern in patterns):
        text = f"regexp_replace({text}, ' ?(UTC|GMT)$| (Z|[-+][0-9:]+)$', '\\2')"
    if any(matches_pattern(f".*[T ]#{{1,2}}:##{_OFFSET_PATTERN}", pattern) for pattern in patterns):
        text = (
            f"regexp_replace({text}, '([T ][0-9]{{1,2}}:[0-9]{{2}})(Z|[-+][0-9:]+|)$', '\\1:00\\2')"
        )
    if any(pattern.endswith(("UTC", "GMT")) for pattern in patterns):
        bare = f"regexp_full_match({text}, '.*[T ][0-9:]+')"
        text = f"CASE WHEN {bare} THEN {text} || 'Z' ELSE {text} END"
    return to_local_sql(f"TRY_CAST({text} AS TIMESTAMPTZ)", zone)


def _dashed_sql(text: str, patterns: Sequence[str]) -> str:
    """Return dates with dashes instead of points, as a cast reads them."""
    if not any(matches_pattern("####[.].*", pattern) for pattern in patterns):
        return text
    return f"regexp_replace({text}, '^([0-9]{{4}})[.]([0-9]+)[.]', '\\1-\\2-')"


def drop_fraction_sql(cell: str, patterns: Sequence[str]) -> str:
    """Return the text without fractions of a second, which floors the seconds."""
    if not any(matches_pattern(".*:##[.,]#.*", pattern) for pattern in patterns):
        return cell
    return f"regexp_replace({cell}, '(:[0-9][0-9])[.,][0-9]+', '\\1')"


def _compact_sql(cell: str, patterns: Sequence[str], _zone: str) -> str:
    formats = {8: "%Y%m%d", 14: "%Y%m%d%H%M%S", 15: "%Y%m%dT%H%M%S"}
    format_of = {len(pattern): formats[len(pattern)] for pattern in patterns}
    if any(" " in pattern for pattern in patterns):
        cell = f"replace({cell}, ' ', 'T')"
    return strptime_sql(cell, [format_of[length] for length in sorted(format_of)])


# --- since 1970 ----------------------------------------------------------------------------------


STAMPS = {
    "%Y%m%d": (19000101, 21001231),
    "%Y%m%d%H": (1900010100, 2100123123),
    "%Y%m%d%H%M": (190001010000, 210012312359),
}
"""Days, hours and minutes written as whole numbers: format, first and last."""


def _epoch_format(digits: str, unit: int, stamp: str | None = None) -> TimeFormat:
    """Return the format of a count since 1970; the numbers of a ``stamp`` are its times.

    As counts, those of hours begin in 2030, and those of minutes are all of 1976.
    """

    def seconds(cell: str, _patterns: Sequence[str], zone: str) -> str:
        whole = f"TRY_CAST(split_part({cell}, '.', 1) AS BIGINT)"
        fraction = f"regexp_full_match({cell}, '-.*[.].*[1-9].*')"
        floor = f"{floor_div_sql(whole, unit)} - CASE WHEN {fraction} THEN 1 ELSE 0 END"
        since = to_local_sql(f"make_timestamptz(({floor}) * 1000000)", zone)
        if stamp is None:
            return since
        first, last = STAMPS[stamp]
        stamped = f"{whole} BETWEEN {first} AND {last}"
        return f"CASE WHEN {stamped} THEN {strptime_sql(cell, [stamp])} ELSE {since} END"

    return TimeFormat(f"epoch/{unit}", f"-?#{digits}(?:[.]#*)?", seconds)


TIME_FORMATS = (
    TimeFormat("ISO", f"{_YEAR_FIRST_PATTERN}{CLOCK_PATTERN}?", iso_sql),
    TimeFormat(
        "ISO with zone",
        f"{_YEAR_FIRST_PATTERN}{CLOCK_PATTERN}{_OFFSET_PATTERN}",
        _zoned_iso_sql,
        has_zone=True,
    ),
    TimeFormat("yyyymmdd", "#{8}(?:[T ]?#{6})?", _compact_sql),
    _epoch_format("{9,11}", 1, "%Y%m%d%H"),
    _epoch_format("{12,13}", 10**3, "%Y%m%d%H%M"),
    _epoch_format("{15,16}", 10**6),
    _epoch_format("{18,19}", 10**9),
)
"""Formats in the order in which they are tried."""


_SHORT_YEAR = re.compile("#{1,2}[./-]#{1,2}[./-]##(?!#)")
_AM_PM_PATTERN = "(?: ?[AaPp][Mm])"
_MAX_CONTRADICTING_SHARE = 0.05  # of cells with day and month in the other order


def infer_day_month_formats(
    connection: Connection, raw: RawRelation, patterns: Sequence[DigitPattern]
) -> list[TimeFormat]:
    """Return the formats of dates with day and month first, one per separator.

    Raises
    ------
    RetainError
        The order of day and month is ambiguous or contradictory.
    """
    formats = []
    for mark in "./-":
        pattern = f"#{{1,2}}[{mark}]#{{1,2}}[{mark}]##(?:##)?(?:{CLOCK_PATTERN}{_AM_PM_PATTERN}?)?"
        matching = [p for p in patterns if matches_pattern(pattern, p.pattern)]
        if matching:
            date = _infer_day_month_order(connection, raw, mark, pattern, matching)
            formats.append(TimeFormat(f"separated by {mark}", pattern, _date_parser(date)))
    return formats


def _infer_day_month_order(
    connection: Connection,
    raw: RawRelation,
    mark: str,
    pattern: str,
    patterns: Sequence[DigitPattern],
) -> str:
    """Return the date format: the number that exceeds 12 in some cell is the day."""
    first, second = (f"CAST(split_part(raw_time, '{mark}', {n}) AS INTEGER) > 12" for n in (1, 2))
    counts = f"count(*) FILTER ({first}), count(*) FILTER ({second}), count(*)"
    query = f"SELECT {counts} FROM {RAW_TABLE} WHERE {full_match_sql(pattern, 'raw_time')}"  # noqa: S608
    row = connection.execute(query).fetchone()
    n_day_first, n_month_first, n_cells = (int(count) for count in row or (0, 0, 0))
    formats = f"%d{mark}%m{mark}%Y", f"%m{mark}%d{mark}%Y"
    if n_day_first == n_month_first == 0 and mark != ".":
        shown = examples(p.first_cell for p in patterns)
        found = f"{raw.describe_column('time')}: {shown} may be day and month or month and day"
        most = max(patterns, key=lambda one: one.n_cells).pattern
        hint = " or ".join(_type_format(date, most) for date in formats)
        raise RetainError(f"{found}; expected a day past 12 somewhere. Say which with {hint}.")
    if min(n_day_first, n_month_first) > _MAX_CONTRADICTING_SHARE * n_cells:
        found = f"in {n_day_first} cells the day stands first, in {n_month_first} the month"
        expected = "expected one way in all of them. Mend the log."
        raise RetainError(f"{raw.describe_column('time')}: {found}; {expected}")
    return formats[0] if n_day_first >= n_month_first else formats[1]


def _date_parser(date: str) -> Callable[[str, Sequence[str], str], str]:
    def seconds(cell: str, patterns: Sequence[str], _zone: str) -> str:
        formats = {
            _full_format(date, pattern): None
            for pattern in sorted(patterns, key=lambda one: not _SHORT_YEAR.match(one))
        }  # two digits first, as four-digit formats accept them
        return strptime_sql(drop_fraction_sql(cell, patterns), list(formats))

    return seconds


def _full_format(date: str, pattern: str) -> str:
    """Return the ``strptime`` format of cells of a pattern."""
    short = date.replace("%Y", "%y")
    return (short if _SHORT_YEAR.match(pattern) else date) + _clock_format(pattern)


def _type_format(date: str, pattern: str) -> str:
    """Return the override that reads cells of a pattern."""
    key, text = "data.format.time_format", _full_format(date, pattern)
    return type_value(key, text) if " " in text else f"{key}='{text}'"


def _clock_format(pattern: str) -> str:
    """Return the ``strptime`` format of the time of day in a cell pattern.

    >>> _clock_format("##.##.####"), _clock_format("#/#/#### ##:## PM")
    ('', ' %I:%M %p')
    """
    if ":" not in pattern:
        return ""
    seconds = ":%S" if pattern.count(":") > 1 else ""
    joint = "T" if "T" in pattern else " "
    if pattern[-1] not in "mM":
        return f"{joint}%H:%M{seconds}"
    return f"{joint}%I:%M{seconds}{' ' if pattern[-3] == ' ' else ''}%p"
