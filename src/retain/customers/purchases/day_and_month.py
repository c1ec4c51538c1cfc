"""Dates whose year stands last: which of the other two numbers is the day, told by their values.

May import: errors and customers.purchases.raw, reading, time_forms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from retain.customers.purchases.raw import RAW, Raw
from retain.customers.purchases.reading import Shape, guard, matches
from retain.customers.purchases.time_forms import CLOCK, Form, parsed, unfractioned
from retain.errors import RetainError, examples

if TYPE_CHECKING:
    import duckdb

_NOON = "(?: ?[AaPp][Mm])"
_MOSTLY = 0.05  # the share of cells that may contradict how all others are written


def by_values(
    connection: duckdb.DuckDBPyConnection, raw: Raw, found: Sequence[Shape]
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
    connection: duckdb.DuckDBPyConnection, raw: Raw, mark: str, pattern: str, found: Sequence[Shape]
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
        hint = f"data.log.time_format='{formats[0]}' or '{formats[1]}'"
        raise RetainError(f"{where}; expected a day past 12 somewhere. Say which with {hint}.")
    if min(day, month) > _MOSTLY * every:
        where = f"{raw.where('time')}: in {day} cells the day stands first, in {month} the month"
        raise RetainError(f"{where}; expected one way in all of them. Mend the log.")
    return formats[0] if day >= month else formats[1]


def _dated(date: str) -> Callable[[str, Sequence[str], str], str]:
    def seconds(cell: str, found: Sequence[str], _zone: str) -> str:
        formats = dict.fromkeys(date + _clock_format(shape) for shape in found)
        return parsed(unfractioned(cell, found), list(formats))

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
