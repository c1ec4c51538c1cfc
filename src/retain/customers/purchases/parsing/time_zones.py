"""The clock of a store's zone: how far it is from UTC, and when that changes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from retain.customers.purchases.parsing.sql_names import literal
from retain.errors import RetainError, did_you_mean

if TYPE_CHECKING:
    import duckdb


def epoch_seconds_sql(microseconds: str) -> str:
    """Microseconds as whole seconds, before 1970 too."""
    return floor_div_sql(microseconds, 10**6)


def to_local_sql(instant: str, zone: str) -> str:
    """The store's wall clock of an instant, in seconds."""
    if zone == "UTC":
        return epoch_seconds_sql(f"epoch_us({instant})")
    return epoch_seconds_sql(f"epoch_us(timezone({literal(zone)}, {instant}))")


def floor_div_sql(value: str, unit: int) -> str:
    """A whole number by ``unit``, floored: ``//`` cuts towards zero.

    >>> floor_div_sql("x", 10)
    '((x) - CASE WHEN (x) < 0 THEN 9 ELSE 0 END) // 10'
    """
    return f"(({value}) - CASE WHEN ({value}) < 0 THEN {unit - 1} ELSE 0 END) // {unit}"


_HOUR = 3_600_000_000  # microseconds
_SPAN = 40 * 366 * 24 * _HOUR  # a longer log has more changes than are worth listing


def check_zone(connection: duckdb.DuckDBPyConnection, zone: str) -> None:
    """Refuse a time zone DuckDB does not bundle, naming the nearest one."""
    if zone == "UTC":
        return
    rows = connection.execute("SELECT name FROM pg_timezone_names()").fetchall()
    known = [str(name) for (name,) in rows]
    if zone not in known:
        found = f"data.format.timezone is {zone!r}, which is no time zone"
        hint = did_you_mean(zone, known)
        raise RetainError(f"{found}; expected one such as 'Europe/Moscow'.{hint}")


def today_in(connection: duckdb.DuckDBPyConnection, zone: str) -> date:
    """The day a store's clock shows now."""
    at = f"CAST(timezone({literal(zone)}, now()) AS DATE)"
    row = connection.execute(f"SELECT {at}").fetchone()
    return date.fromisoformat(str(row[0])) if row else datetime.now(UTC).date()


def wall_clock_of(
    connection: duckdb.DuckDBPyConnection, cell: str, relation: str, zone: str
) -> str:
    """A column of instants as seconds of the store's clock.

    The offsets between its first and its last instant are written out: asking the calendar of
    each row takes ten times as long.
    """
    if zone == "UTC":
        return to_local_sql(cell, zone)
    bounds = f"SELECT min({cell}), max({cell}) FROM {relation} WHERE isfinite({cell})"  # noqa: S608
    ends = f"SELECT epoch_us(a), epoch_us(b) FROM ({bounds}) AS ends(a, b)"  # noqa: S608
    first, last = connection.execute(ends).fetchone() or (None, None)
    if first is None or first < 0 or last - first > _SPAN:
        return to_local_sql(cell, zone)
    known = _offsets(connection, zone, int(first) // _HOUR * _HOUR, int(last))
    latest = known.pop()[1]
    if not known:
        return epoch_seconds_sql(f"epoch_us({cell}) + {latest}")
    whens = " ".join(f"WHEN epoch_us({cell}) < {end} THEN {offset}" for end, offset in known)
    return epoch_seconds_sql(f"epoch_us({cell}) + CASE {whens} ELSE {latest} END")


def _offsets(
    connection: duckdb.DuckDBPyConnection, zone: str, first: int, last: int
) -> list[tuple[int, int]]:
    """The end of each offset and the offset, in microseconds; the last one has no end."""
    hourly = _steps(zone, f"range({first}, {last} + 2 * {_HOUR}, {_HOUR})")
    ahead = "lead(us) OVER (ORDER BY us) AS next, lead(off) OVER (ORDER BY us) AS after"
    changes = f"SELECT us, off, next FROM (SELECT *, {ahead} FROM ({hourly})) WHERE off <> after ORDER BY us"  # noqa: E501, S608
    found = []
    for hour, offset, after in connection.execute(changes).fetchall():
        seconds = _steps(zone, f"range({hour}, {after} + 1, 1000000)")
        exact = f"SELECT min(us) FROM ({seconds}) WHERE off <> {offset}"  # noqa: S608
        row = connection.execute(exact).fetchone()
        found.append((int(row[0]) if row else int(after), int(offset)))
    row = connection.execute(_steps(zone, f"[{last}]", "unnest")).fetchone()
    return [*found, (last, int(row[1]) if row else 0)]


def _steps(zone: str, instants: str, each: str = "") -> str:
    source = f"SELECT unnest({instants}) AS us" if each else f"SELECT range AS us FROM {instants}"  # noqa: S608
    instant = "make_timestamptz(us)"
    offset = f"epoch_us(timezone({literal(zone)}, {instant})) - us"
    return f"SELECT us, {offset} AS off FROM ({source})"  # noqa: S608
