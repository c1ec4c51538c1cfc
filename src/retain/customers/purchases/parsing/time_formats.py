"""The usual ways to write a time that need no second look: year first, or counted from 1970."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retain.customers.purchases.parsing.numbers import Shape, guard, matches
from retain.customers.purchases.parsing.raw_columns import RAW, RawRelation
from retain.customers.purchases.parsing.sql_names import literal
from retain.customers.purchases.parsing.time_zones import (
    epoch_seconds_sql,
    floor_div_sql,
    to_local_sql,
)
from retain.errors import RetainError, examples

if TYPE_CHECKING:
    import duckdb


CLOCK = "(?:[T ]#{1,2}:##(?::##(?:[.,]#+)?)?)"
"""The pattern of a clock after a date."""

PLAIN = "####-##-##(?:[T ]##:##(?::##)?)?"
"""The pattern of a time that needs no mending before it is cast."""

_OFFSET = " ?(?:Z|UTC|GMT|[-+]##(?::?##)?)"
_YEAR_FIRST = "####(?:-#{1,2}-#{1,2}|/#{1,2}/#{1,2}|[.]#{1,2}[.]#{1,2})"


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write times: the pattern of its cells, ``#`` a digit, and how it is read.

    ``seconds`` takes the cell's SQL, the shapes that were found and the store's zone.
    """

    name: str
    pattern: str
    seconds: Callable[[str, Sequence[str], str], str]
    zoned: bool = False


def parse_times(cell: str, formats: Sequence[str]) -> str:
    """The seconds of a cell written in one of the formats ``strptime`` takes."""
    listed = ", ".join(literal(one) for one in formats)
    tried = literal(formats[0]) if len(formats) == 1 else f"[{listed}]"
    return epoch_seconds_sql(f"epoch_us(try_strptime({cell}, {tried}))")


# --- year first ----------------------------------------------------------------------------------


def iso(cell: str, found: Sequence[str], _zone: str) -> str:
    """The seconds of a cell that names no zone."""
    return epoch_seconds_sql(
        f"epoch_us(TRY_CAST({_dashed(unfractioned(cell, found), found)} AS TIMESTAMP))"
    )


def _iso_zoned(cell: str, found: Sequence[str], zone: str) -> str:
    text = _dashed(unfractioned(cell, found), found)
    if any(" " in shape[11:] for shape in found):
        text = f"regexp_replace({text}, ' ?(UTC|GMT)$| (Z|[-+][0-9:]+)$', '\\2')"
    if any(matches(f".*[T ]#{{1,2}}:##{_OFFSET}", shape) for shape in found):
        text = (
            f"regexp_replace({text}, '([T ][0-9]{{1,2}}:[0-9]{{2}})(Z|[-+][0-9:]+|)$', '\\1:00\\2')"
        )
    if any(shape.endswith(("UTC", "GMT")) for shape in found):
        bare = f"regexp_full_match({text}, '.*[T ][0-9:]+')"
        text = f"CASE WHEN {bare} THEN {text} || 'Z' ELSE {text} END"
    return to_local_sql(f"TRY_CAST({text} AS TIMESTAMPTZ)", zone)


def _dashed(text: str, found: Sequence[str]) -> str:
    """Dates parted by points with dashes instead, as a cast reads them."""
    if not any(matches("####[.].*", shape) for shape in found):
        return text
    return f"regexp_replace({text}, '^([0-9]{{4}})[.]([0-9]+)[.]', '\\1-\\2-')"


def unfractioned(cell: str, found: Sequence[str]) -> str:
    """The text without parts of a second: a clock's second is floored by that."""
    if not any(matches(".*:##[.,]#.*", shape) for shape in found):
        return cell
    return f"regexp_replace({cell}, '(:[0-9][0-9])[.,][0-9]+', '\\1')"


def _compact(cell: str, found: Sequence[str], _zone: str) -> str:
    formats = {8: "%Y%m%d", 14: "%Y%m%d%H%M%S", 15: "%Y%m%dT%H%M%S"}
    wanted = {len(shape): formats[len(shape)] for shape in found}
    if any(" " in shape for shape in found):
        cell = f"replace({cell}, ' ', 'T')"
    return parse_times(cell, [wanted[length] for length in sorted(wanted)])


# --- since 1970 ----------------------------------------------------------------------------------


def _epoch(digits: str, unit: int) -> Form:
    def seconds(cell: str, _found: Sequence[str], zone: str) -> str:
        whole = f"TRY_CAST(split_part({cell}, '.', 1) AS BIGINT)"
        fraction = f"regexp_full_match({cell}, '-.*[.].*[1-9].*')"
        floor = f"{floor_div_sql(whole, unit)} - CASE WHEN {fraction} THEN 1 ELSE 0 END"
        return to_local_sql(f"make_timestamptz(({floor}) * 1000000)", zone)

    return Form(f"epoch/{unit}", f"-?#{digits}(?:[.]#*)?", seconds)


FORMS = (
    Form("ISO", f"{_YEAR_FIRST}{CLOCK}?", iso),
    Form("ISO with zone", f"{_YEAR_FIRST}{CLOCK}{_OFFSET}", _iso_zoned, zoned=True),
    Form("yyyymmdd", "#{8}(?:[T ]?#{6})?", _compact),
    _epoch("{9,11}", 1),
    _epoch("{12,13}", 10**3),
    _epoch("{15,16}", 10**6),
    _epoch("{18,19}", 10**9),
)
"""The forms, in the order they are tried."""


_NOON = "(?: ?[AaPp][Mm])"
_MOSTLY = 0.05  # the share of cells that may contradict how all others are written


def by_values(
    connection: duckdb.DuckDBPyConnection, raw: RawRelation, found: Sequence[Shape]
) -> list[Form]:
    """The forms of the dates in a column: one for each mark that parts their numbers.

    Raises
    ------
    RetainError
        The cells leave open which number is the day, or contradict each other.
    """
    forms = []
    for mark in "./-":
        pattern = f"#{{1,2}}[{mark}]#{{1,2}}[{mark}]####(?:{CLOCK}{_NOON}?)?"
        mine = [one for one in found if matches(pattern, one.text)]
        if mine:
            date = _day_first(connection, raw, mark, pattern, mine)
            forms.append(Form(f"parted by {mark}", pattern, _dated(date)))
    return forms


def _day_first(
    connection: duckdb.DuckDBPyConnection,
    raw: RawRelation,
    mark: str,
    pattern: str,
    found: Sequence[Shape],
) -> str:
    """The date format: which of the two numbers passes 12 is the day."""
    first, second = (f"CAST(split_part(raw_time, '{mark}', {n}) AS INTEGER) > 12" for n in (1, 2))
    counts = f"count(*) FILTER ({first}), count(*) FILTER ({second}), count(*)"
    inside = f"SELECT {counts} FROM {RAW} WHERE {guard(pattern, 'raw_time')}"  # noqa: S608
    row = connection.execute(inside).fetchone()
    day, month, every = (int(count) for count in row or (0, 0, 0))
    formats = f"%d{mark}%m{mark}%Y", f"%m{mark}%d{mark}%Y"
    if day == month == 0 and mark != ".":
        shown = examples(one.first for one in found)
        where = f"{raw.where('time')}: {shown} may be day and month or month and day"
        hint = f"data.format.time_format='{formats[0]}' or '{formats[1]}'"
        raise RetainError(f"{where}; expected a day past 12 somewhere. Say which with {hint}.")
    if min(day, month) > _MOSTLY * every:
        where = f"{raw.where('time')}: in {day} cells the day stands first, in {month} the month"
        raise RetainError(f"{where}; expected one way in all of them. Mend the log.")
    return formats[0] if day >= month else formats[1]


def _dated(date: str) -> Callable[[str, Sequence[str], str], str]:
    def seconds(cell: str, found: Sequence[str], _zone: str) -> str:
        formats = dict.fromkeys(date + _clock_format(shape) for shape in found)
        return parse_times(unfractioned(cell, found), list(formats))

    return seconds


def _clock_format(shape: str) -> str:
    """How the clock of a shape is written.

    >>> _clock_format("##.##.####"), _clock_format("#/#/#### ##:## PM")
    ('', ' %I:%M %p')
    """
    if ":" not in shape:
        return ""
    seconds = ":%S" if shape.count(":") > 1 else ""
    joint = "T" if "T" in shape else " "
    if shape[-1] not in "mM":
        return f"{joint}%H:%M{seconds}"
    return f"{joint}%I:%M{seconds}{' ' if shape[-3] == ' ' else ''}%p"
