"""The times of a log as whole seconds of the store's own calendar.

A second is always floored, before 1970 too. Instants that know their zone become the store's wall
clock; all others are that already. No expression depends on the session's time zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from retain.customers.purchases.parsing.numbers import (
    SHAPES,
    Reading,
    Shape,
    all_match,
    guard,
    matches,
    shapes,
)
from retain.customers.purchases.parsing.raw_columns import RAW, RawRelation
from retain.customers.purchases.parsing.sql_names import literal
from retain.customers.purchases.parsing.time_formats import FORMS, PLAIN, Form, by_values, iso
from retain.customers.purchases.parsing.time_zones import (
    epoch_seconds_sql,
    floor_div_sql,
    to_local_sql,
    wall_clock_of,
)
from retain.errors import RetainError, examples
from retain.schema.purchases import LogFormat

if TYPE_CHECKING:
    import duckdb


def from_texts(connection: duckdb.DuckDBPyConnection, raw: RawRelation, zone: str) -> Reading:
    """The times of a text column, each in the form its cell has.

    Raises
    ------
    RetainError
        No cell has a known form, or the cells leave open which of two numbers is the day.
    """
    if all_match(connection, PLAIN, "raw_time"):
        return Reading(iso("raw_time", (), zone), plain=False)
    found = shapes(connection, "time")
    forms = [form for form in FORMS if any(matches(form.pattern, one.text) for one in found)]
    forms += by_values(connection, raw, found)
    if not forms and found:
        odd = examples(one.first for one in found)
        message = "expected dates such as '2024-03-31'; or say how they are written with "
        raise RetainError.at(
            raw.where("time"), f"no cell is a time: {odd}", f"{message}data.format.time_format"
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


_TYPED = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS")
_EPOCHS = (  # from, below, and units a second
    (0, 1e11, 1),
    (1e11, 1e14, 10**3),
    (1e14, 1e17, 10**6),
    (1e17, 9e18, 10**9),
)
_FIRST, _LAST = 19000101, 21001231  # days a log may have, as yyyymmdd


def wall_clock(
    connection: duckdb.DuckDBPyConnection,
    raw: RawRelation,
    format: LogFormat,  # noqa: A002 - the user's word
) -> Reading:
    """The times of ``retain_raw`` as seconds since 1970-01-01 00:00 of the store's clock.

    Raises
    ------
    RetainError
        The format is none, the column holds no times, or day and month
        cannot be told apart.
    """
    kind = raw.types["time"]
    if kind == "TIMESTAMP WITH TIME ZONE":
        sql = wall_clock_of(connection, "raw_time", RAW, format.timezone)
        return Reading(sql, plain=True)
    if (typed := _typed(kind)) is not None:
        return Reading(typed, plain=True)
    whole = raw.is_whole("time")
    if not whole and not raw.is_number("time") and kind != "VARCHAR":
        expected = "expected dates, timestamps, text or whole numbers"
        raise RetainError.at(raw.where("time"), f"it holds {kind}", expected)
    cell = "raw_time" if kind == "VARCHAR" else "CAST(raw_time AS HUGEINT)"
    if format.time_format is not None:
        return _as_told(connection, f"CAST({cell} AS VARCHAR)", format.time_format, format.timezone)
    if kind == "VARCHAR":
        return from_texts(connection, raw, format.timezone)
    return _from_numbers(connection, "raw_time" if whole else cell, format.timezone)


def _typed(kind: str) -> str | None:
    if kind == "DATE":
        days = "CAST(raw_time - DATE '1970-01-01' AS BIGINT) * 86400"
        return f"CASE WHEN isfinite(raw_time) THEN {days} END"
    if kind in _TYPED:
        return epoch_seconds_sql("epoch_us(CAST(raw_time AS TIMESTAMP))")
    if kind == "TIMESTAMP_NS":
        return floor_div_sql("epoch_ns(raw_time)", 10**9)
    return None


def _as_told(
    connection: duckdb.DuckDBPyConnection, cell: str, time_format: str, zone: str
) -> Reading:
    import duckdb

    parsed = f"try_strptime({cell}, {literal(time_format)})"
    sample = parsed.replace(cell, literal("1"), 1)
    try:
        row = connection.execute(f"SELECT typeof({sample})").fetchone()
    except duckdb.Error as error:
        why = str(error).rpartition(": ")[2].splitlines()[0]
        found = f"it is {time_format!r}: {why}"
        expected = "expected what strptime takes, such as '%d.%m.%Y %H:%M'"
        raise RetainError.at("data.format.time_format", found, expected) from None
    zoned = row is not None and "ZONE" in str(row[0])
    told = to_local_sql(parsed, zone) if zoned else epoch_seconds_sql(f"epoch_us({parsed})")
    return Reading(told, plain=False)


def _from_numbers(connection: duckdb.DuckDBPyConnection, cell: str, zone: str) -> Reading:
    """Days as yyyymmdd, or the seconds, ms, µs or ns since 1970 that most of the cells are."""
    day = f"TRY_STRPTIME(CAST({cell} AS VARCHAR), '%Y%m%d')"
    conditions = [f"{cell} BETWEEN {_FIRST} AND {_LAST} AND {day} IS NOT NULL"]
    conditions += [_within(cell, *band) for band in _EPOCHS]
    counts = ", ".join(f"count_if({condition})" for condition in conditions)
    row = connection.execute(f"SELECT count({cell}), {counts} FROM {RAW}").fetchone()  # noqa: S608
    every, days, *units = (int(count or 0) for count in row or (0,) * 6)
    if days * 2 > every:
        text = f"CASE WHEN {cell} BETWEEN {_FIRST} AND {_LAST} THEN {day} END"
        return Reading(epoch_seconds_sql(f"epoch_us({text})"), plain=False)
    lower, upper, unit = _EPOCHS[units.index(max(units))]
    seconds = f"CAST({cell} AS BIGINT)"
    seconds = floor_div_sql(seconds, unit) if unit > 1 else seconds
    if zone != "UTC":
        seconds = to_local_sql(f"make_timestamptz(({seconds}) * 1000000)", zone)
    sql = f"CASE WHEN {_within(cell, lower, upper, unit)} THEN {seconds} END"
    return Reading(sql, plain=False)


def _within(cell: str, lower: float, upper: float, _: int) -> str:
    size = f"abs(CAST({cell} AS DOUBLE))"
    return f"({size} >= {lower:.0f} AND {size} < {upper:.0f})"
