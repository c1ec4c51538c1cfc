"""Times written as text: which of the usual forms a column uses, told by its cells.

May import: errors and customers.numerals, purchases.clock, quoted, raw, reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retain.customers.purchases.clock import floored, local, whole_seconds
from retain.customers.purchases.quoted import literal
from retain.customers.purchases.raw import RAW, Raw
from retain.customers.purchases.reading import SHAPES, Reading, Shape, guard, matches, shapes
from retain.errors import RetainError, examples

if TYPE_CHECKING:
    import duckdb

_CLOCK = "(?:[T ]#{1,2}:##(?::##(?:[.,]#+)?)?)"
_OFFSET = " ?(?:Z|UTC|GMT|[-+]##(?::?##)?)"
_YEAR_FIRST = "####(?:-#{1,2}-#{1,2}|/#{1,2}/#{1,2}|[.]#{1,2}[.]#{1,2})"
_NOON = "(?: ?[AaPp][Mm])"
_MOSTLY = 0.05  # the share of cells that may contradict how all others are written


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write times: the pattern of its cells, ``#`` a digit, and how it is read.

    ``seconds`` takes the cell's SQL, the shapes that were found and the store's zone.
    """

    name: str
    pattern: str
    seconds: Callable[[str, Sequence[str], str], str]
    zoned: bool = False


def from_texts(connection: duckdb.DuckDBPyConnection, raw: Raw, zone: str) -> Reading:
    """The times of a text column, each in the form its cell has.

    Raises
    ------
    RetainError
        No cell has a known form, or the cells leave open which of two numbers is the day.
    """
    found = shapes(connection, "time")
    forms = [form for form in _FORMS if any(matches(form.pattern, one.text) for one in found)]
    forms += _by_values(connection, raw, found)
    if not forms and found:
        odd = examples(one.first for one in found)
        told = "expected dates such as '2024-03-31'; or say how they are written with "
        raise RetainError.at(
            raw.where("time"), f"no cell is a time: {odd}", f"{told}data.log.time_format"
        )
    known = [one for one in found if any(matches(form.pattern, one.text) for form in forms)]
    sure = len(forms) == 1 and len(known) == len(found) <= SHAPES
    branches = [_branch(form, known, zone, sure=sure) for form in forms]
    sql = (
        branches[0][1]
        if sure
        else f"CASE {' '.join(f'WHEN {a} THEN {b}' for a, b in branches)} END"
    )
    return Reading(sql if forms else "NULL::BIGINT", plain=False, notes=_mixed(forms, known))


def _branch(form: Form, known: Iterable[Shape], zone: str, *, sure: bool) -> tuple[str, str]:
    mine = [one.text for one in known if matches(form.pattern, one.text)]
    return "" if sure else guard(form.pattern, "raw_time"), form.seconds("raw_time", mine, zone)


def _mixed(forms: Sequence[Form], known: Iterable[Shape]) -> tuple[str, ...]:
    """What to tell of a column in which some cells name their zone and others do not."""
    zoned = [form for form in forms if form.zoned]
    if not zoned or len(zoned) == len(forms):
        return ()
    bare = [form for form in forms if not form.zoned]
    count = sum(one.count for one in known if any(matches(form.pattern, one.text) for form in bare))
    return (f"{count} times name no zone and are taken as the store's clock; the others do",)


# --- year first ----------------------------------------------------------------------------------


def _iso(cell: str, found: Sequence[str], _zone: str) -> str:
    return whole_seconds(
        f"epoch_us(TRY_CAST({_dashed(_unfractioned(cell, found), found)} AS TIMESTAMP))"
    )


def _iso_zoned(cell: str, found: Sequence[str], zone: str) -> str:
    text = _dashed(_unfractioned(cell, found), found)
    if any(" " in shape[11:] for shape in found):
        text = f"regexp_replace({text}, ' ?(UTC|GMT)$| (Z|[-+][0-9:]+)$', '\\2')"
    if any(matches(f".*[T ]#{{1,2}}:##{_OFFSET}", shape) for shape in found):
        text = (
            f"regexp_replace({text}, '([T ][0-9]{{1,2}}:[0-9]{{2}})(Z|[-+][0-9:]+|)$', '\\1:00\\2')"
        )
    if any(shape.endswith(("UTC", "GMT")) for shape in found):
        bare = f"regexp_full_match({text}, '.*[T ][0-9:]+')"
        text = f"CASE WHEN {bare} THEN {text} || 'Z' ELSE {text} END"
    return local(f"TRY_CAST({text} AS TIMESTAMPTZ)", zone)


def _dashed(text: str, found: Sequence[str]) -> str:
    """Dates parted by points with dashes instead, as a cast reads them."""
    if not any(matches("####[.].*", shape) for shape in found):
        return text
    return f"regexp_replace({text}, '^([0-9]{{4}})[.]([0-9]+)[.]', '\\1-\\2-')"


def _unfractioned(cell: str, found: Sequence[str]) -> str:
    """The text without parts of a second: a clock's second is floored by that."""
    if not any(matches(".*:##[.,]#.*", shape) for shape in found):
        return cell
    return f"regexp_replace({cell}, '(:[0-9][0-9])[.,][0-9]+', '\\1')"


def _compact(cell: str, found: Sequence[str], _zone: str) -> str:
    formats = {8: "%Y%m%d", 14: "%Y%m%d%H%M%S", 15: "%Y%m%dT%H%M%S"}
    wanted = {len(shape): formats[len(shape)] for shape in found}
    if any(" " in shape for shape in found):
        cell = f"replace({cell}, ' ', 'T')"
    return _parsed(cell, [wanted[length] for length in sorted(wanted)])


# --- since 1970 ----------------------------------------------------------------------------------


def _epoch(digits: str, unit: int) -> Form:
    def seconds(cell: str, _found: Sequence[str], zone: str) -> str:
        whole = f"TRY_CAST(split_part({cell}, '.', 1) AS BIGINT)"
        fraction = f"regexp_full_match({cell}, '-.*[.].*[1-9].*')"
        floor = f"{floored(whole, unit)} - CASE WHEN {fraction} THEN 1 ELSE 0 END"
        return local(f"make_timestamptz(({floor}) * 1000000)", zone)

    return Form(f"epoch/{unit}", f"-?#{digits}(?:[.]#*)?", seconds)


# --- day and month, told by their values ----------------------------------------------------------


def _by_values(
    connection: duckdb.DuckDBPyConnection, raw: Raw, found: Sequence[Shape]
) -> list[Form]:
    forms = []
    for mark in "./-":
        pattern = f"#{{1,2}}[{mark}]#{{1,2}}[{mark}]####(?:{_CLOCK}{_NOON}?)?"
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
        return _parsed(_unfractioned(cell, found), list(formats))

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


def _parsed(cell: str, formats: Sequence[str]) -> str:
    listed = ", ".join(literal(one) for one in formats)
    tried = literal(formats[0]) if len(formats) == 1 else f"[{listed}]"
    return whole_seconds(f"epoch_us(try_strptime({cell}, {tried}))")


_FORMS = (
    Form("ISO", f"{_YEAR_FIRST}{_CLOCK}?", _iso),
    Form("ISO with zone", f"{_YEAR_FIRST}{_CLOCK}{_OFFSET}", _iso_zoned, zoned=True),
    Form("yyyymmdd", "#{8}(?:[T ]?#{6})?", _compact),
    _epoch("{9,11}", 1),
    _epoch("{12,13}", 10**3),
    _epoch("{15,16}", 10**6),
    _epoch("{18,19}", 10**9),
)
