"""Wall clock times of a store's time zone as SQL."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from retain.customers.purchases.parsing.sql_names import quote_literal
from retain.errors import RetainError, did_you_mean

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection


def epoch_seconds_sql(microseconds: str) -> str:
    """Return microseconds as whole seconds, floored also before 1970."""
    return floor_div_sql(microseconds, 10**6)


def to_local_sql(instant: str, zone: str) -> str:
    """Return the wall clock time of an instant, in seconds."""
    if zone == "UTC":
        return epoch_seconds_sql(f"epoch_us({instant})")
    return epoch_seconds_sql(f"epoch_us(timezone({quote_literal(zone)}, {instant}))")


def floor_div_sql(value: str, unit: int) -> str:
    """Return an integer divided by ``unit`` and floored; ``//`` rounds towards zero.

    >>> floor_div_sql("x", 10)
    '((x) - CASE WHEN (x) < 0 THEN 9 ELSE 0 END) // 10'
    """
    return f"(({value}) - CASE WHEN ({value}) < 0 THEN {unit - 1} ELSE 0 END) // {unit}"


_HOUR_US = 3_600_000_000  # microseconds
_MAX_SPAN_US = (
    40 * 366 * 24 * _HOUR_US
)  # 40 years; a longer log has too many changes of offset to list


def check_zone(connection: Connection, zone: str) -> None:
    """Raise if DuckDB does not know a time zone, naming the nearest one."""
    if zone == "UTC":
        return
    rows = connection.execute("SELECT name FROM pg_timezone_names()").fetchall()
    names = [str(name) for (name,) in rows]
    if zone not in names:
        found = f"data.format.timezone is {zone!r}, which is no time zone"
        hint = did_you_mean(zone, names)
        raise RetainError(f"{found}; expected one such as 'Europe/Moscow'.{hint}")


def local_today(connection: Connection, zone: str) -> date:
    """Return the current date in a time zone."""
    today = f"CAST(timezone({quote_literal(zone)}, now()) AS DATE)"
    row = connection.execute(f"SELECT {today}").fetchone()
    return date.fromisoformat(str(row[0])) if row else datetime.now(UTC).date()


def to_wall_clock(connection: Connection, cell: str, relation: str, zone: str) -> str:
    """Return a column of instants as seconds of the wall clock.

    The offsets between its first and last instant are written out, ten times as fast as a
    conversion of each row.
    """
    if zone == "UTC":
        return to_local_sql(cell, zone)
    bounds = f"SELECT min({cell}), max({cell}) FROM {relation} WHERE isfinite({cell})"  # noqa: S608
    query = f"SELECT epoch_us(a), epoch_us(b) FROM ({bounds}) AS bounds(a, b)"  # noqa: S608
    first, last = connection.execute(query).fetchone() or (None, None)
    if first is None or first < 0 or last - first > _MAX_SPAN_US:
        return to_local_sql(cell, zone)
    offsets = _list_offsets(connection, zone, int(first) // _HOUR_US * _HOUR_US, int(last))
    latest = offsets.pop()[1]
    if not offsets:
        return epoch_seconds_sql(f"epoch_us({cell}) + {latest}")
    whens = " ".join(f"WHEN epoch_us({cell}) < {end} THEN {offset}" for end, offset in offsets)
    return epoch_seconds_sql(f"epoch_us({cell}) + CASE {whens} ELSE {latest} END")


def _list_offsets(
    connection: Connection, zone: str, first: int, last: int
) -> list[tuple[int, int]]:
    """Return the end of each offset and the offset in microseconds; the last has no end."""
    hourly = _offsets_sql(zone, f"range({first}, {last} + 2 * {_HOUR_US}, {_HOUR_US})")
    ahead = "lead(us) OVER (ORDER BY us) AS next, lead(off) OVER (ORDER BY us) AS after"
    changes = f"SELECT us, off, next FROM (SELECT *, {ahead} FROM ({hourly})) WHERE off <> after ORDER BY us"  # noqa: E501, S608
    offsets = []
    for hour, offset, after in connection.execute(changes).fetchall():
        seconds = _offsets_sql(zone, f"range({hour}, {after} + 1, 1000000)")
        exact = f"SELECT min(us) FROM ({seconds}) WHERE off <> {offset}"  # noqa: S608
        row = connection.execute(exact).fetchone()
        offsets.append((int(row[0]) if row else int(after), int(offset)))
    row = connection.execute(_offsets_sql(zone, f"[{last}]", "unnest")).fetchone()
    return [*offsets, (last, int(row[1]) if row else 0)]


def _offsets_sql(zone: str, instants: str, each: str = "") -> str:
    source = f"SELECT unnest({instants}) AS us" if each else f"SELECT range AS us FROM {instants}"  # noqa: S608
    instant = "make_timestamptz(us)"
    offset = f"epoch_us(timezone({quote_literal(zone)}, {instant})) - us"
    return f"SELECT us, {offset} AS off FROM ({source})"  # noqa: S608
