"""The times of a log as whole seconds of the store's own calendar.

A second is always floored, before 1970 too. Instants that know their zone become the store's wall
clock; all others are that already. No expression depends on the session's time zone.

May import: errors, schema and customers.purchases.clock, quoted, raw, reading, time_texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retain.customers.purchases.clock import floored, local, whole_seconds
from retain.customers.purchases.quoted import literal
from retain.customers.purchases.raw import RAW, Raw
from retain.customers.purchases.reading import Reading
from retain.customers.purchases.time_texts import from_texts
from retain.errors import RetainError, did_you_mean
from retain.schema.purchases import LogFormat

if TYPE_CHECKING:
    import duckdb

_TYPED = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS")
_EPOCHS = ((1e11, 1), (1e14, 10**3), (1e17, 10**6), (1e19, 10**9))  # below it: units a second


def wall_clock(connection: duckdb.DuckDBPyConnection, raw: Raw, format: LogFormat) -> Reading:  # noqa: A002 - the user's word
    """The times of ``retain_raw`` as seconds since 1970-01-01 00:00 of the store's clock.

    Raises
    ------
    RetainError
        The zone is unknown, the format is none, the column holds no times, or day and month
        cannot be told apart.
    """
    check_zone(connection, format.timezone)
    kind = raw.types["time"]
    if (typed := _typed(kind, format.timezone)) is not None:
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


def check_zone(connection: duckdb.DuckDBPyConnection, zone: str) -> None:
    """Refuse a time zone DuckDB does not bundle, naming the nearest one."""
    known = [
        str(name)
        for (name,) in connection.execute("SELECT name FROM pg_timezone_names()").fetchall()
    ]  # noqa: E501
    if zone not in known:
        found = f"data.log.timezone is {zone!r}, which is no time zone"
        raise RetainError(
            f"{found}; expected one such as 'Europe/Moscow'.{did_you_mean(zone, known)}"
        )


def _typed(kind: str, zone: str) -> str | None:
    if kind == "DATE":
        days = "CAST(raw_time - DATE '1970-01-01' AS BIGINT) * 86400"
        return f"CASE WHEN isfinite(raw_time) THEN {days} END"
    if kind in _TYPED:
        return whole_seconds("epoch_us(CAST(raw_time AS TIMESTAMP))")
    if kind == "TIMESTAMP_NS":
        return floored("epoch_ns(raw_time)", 10**9)
    if kind == "TIMESTAMP WITH TIME ZONE":
        return local("raw_time", zone)
    return None


def _as_told(
    connection: duckdb.DuckDBPyConnection, cell: str, time_format: str, zone: str
) -> Reading:
    import duckdb

    parsed = f"try_strptime({cell}, {literal(time_format)})"
    try:
        row = connection.execute(
            f"SELECT typeof({parsed.replace(cell, literal('1'), 1)})"
        ).fetchone()
    except duckdb.Error as error:
        why = str(error).rpartition(": ")[2].splitlines()[0]
        found = f"it is {time_format!r}: {why}"
        expected = "expected what strptime takes, such as '%d.%m.%Y %H:%M'"
        raise RetainError.at("data.log.time_format", found, expected) from None
    zoned = row is not None and "ZONE" in str(row[0])
    return Reading(
        local(parsed, zone) if zoned else whole_seconds(f"epoch_us({parsed})"), plain=False
    )


def _from_numbers(connection: duckdb.DuckDBPyConnection, cell: str, zone: str) -> Reading:
    """Days as yyyymmdd, or the seconds, ms, µs or ns since 1970 that most of the cells are."""
    day = f"TRY_CAST(TRY_STRPTIME(CAST({cell} AS VARCHAR), '%Y%m%d') AS TIMESTAMP)"
    bands = ", ".join(
        f"count(*) FILTER (abs({cell}::DOUBLE) < {limit} AND abs({cell}::DOUBLE) >= {limit / 1000 if n else 0})"
        for n, (limit, _) in enumerate(_EPOCHS)
    )
    days = f"count(*) FILTER ({cell} BETWEEN 19000101 AND 21001231 AND {day} IS NOT NULL)"
    row = connection.execute(f"SELECT {days}, {bands}, count({cell}) FROM {RAW}").fetchone()  # noqa: S608
    counts = [int(count) for count in row or ()]
    if counts[0] * 2 > counts[-1]:
        text = f"CASE WHEN {cell} BETWEEN 19000101 AND 21001231 THEN {day} END"
        return Reading(whole_seconds(f"epoch_us({text})"), plain=False)
    band = max(range(len(_EPOCHS)), key=lambda n: counts[1 + n])
    limit, unit = _EPOCHS[band]
    lower = limit / 1000 if band else 0
    inside = f"abs({cell}::DOUBLE) < {limit} AND abs({cell}::DOUBLE) >= {lower}"
    seconds = floored(f"CAST({cell} AS BIGINT)", unit) if unit > 1 else f"CAST({cell} AS BIGINT)"
    if zone != "UTC":
        seconds = local(f"make_timestamptz(({seconds}) * 1000000)", zone)
    return Reading(f"CASE WHEN {inside} THEN {seconds} END", plain=False)
