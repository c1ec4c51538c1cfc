"""The times of a log as whole seconds of the store's wall clock.

Seconds are floored, also before 1970. Instants with a zone are converted to the wall clock; all
other times are taken as wall clock. No expression depends on the session's time zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from retain.customers.purchases.parsing.numbers import (
    MAX_PATTERNS,
    DigitPattern,
    SqlExpression,
    all_cells_match,
    count_patterns,
    full_match_sql,
    matches_pattern,
)
from retain.customers.purchases.parsing.raw_columns import RAW_TABLE, RawRelation
from retain.customers.purchases.parsing.sql_names import quote_literal
from retain.customers.purchases.parsing.time_formats import (
    PLAIN_PATTERN,
    STAMPS,
    TIME_FORMATS,
    TimeFormat,
    infer_day_month_formats,
    iso_sql,
)
from retain.customers.purchases.parsing.time_zones import (
    epoch_seconds_sql,
    floor_div_sql,
    to_local_sql,
    to_wall_clock,
)
from retain.errors import RetainError, examples
from retain.schema.purchases import LogFormat

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection


def parse_text_times(connection: Connection, raw: RawRelation, zone: str) -> SqlExpression:
    """Return the times of a text column, each cell in its own format.

    Raises
    ------
    RetainError
        No cell has a known format, or the order of day and month is ambiguous.
    """
    if all_cells_match(connection, PLAIN_PATTERN, "raw_time"):
        return SqlExpression(iso_sql("raw_time", (), zone), is_cheap=False)
    patterns = count_patterns(connection, "time")
    formats = [f for f in TIME_FORMATS if _select_matching(f, patterns)]
    formats += infer_day_month_formats(connection, raw, patterns)
    if not formats and patterns:
        found = f"no cell is a time: {examples(p.first_cell for p in patterns)}"
        expected = "expected dates such as '2024-03-31'; or say how they are written with"
        expected = f"{expected} data.format.time_format"
        raise RetainError.at(raw.describe_column("time"), found, expected)
    parsed = [p for p in patterns if any(matches_pattern(f.pattern, p.pattern) for f in formats)]
    cases = [
        (f.pattern, f.seconds_sql("raw_time", _select_matching(f, parsed), zone)) for f in formats
    ]
    if len(formats) == 1 and len(parsed) == len(patterns) <= MAX_PATTERNS:
        sql = cases[0][1]
    else:
        whens = (f"WHEN {full_match_sql(p, 'raw_time')} THEN {value}" for p, value in cases)
        sql = f"CASE {' '.join(whens)} END" if cases else "NULL::BIGINT"
    messages = _missing_zone_messages(formats, parsed)
    return SqlExpression(sql, is_cheap=False, messages=messages)


def _select_matching(format: TimeFormat, patterns: Iterable[DigitPattern]) -> list[str]:  # noqa: A002
    return [p.pattern for p in patterns if matches_pattern(format.pattern, p.pattern)]


def _missing_zone_messages(
    formats: Sequence[TimeFormat], patterns: Sequence[DigitPattern]
) -> tuple[str, ...]:
    """Return a message if some cells name their zone and others do not."""
    without_zone = [f for f in formats if not f.has_zone]
    if not without_zone or len(without_zone) == len(formats):
        return ()
    count = sum(p.n_cells for p in patterns if any(_select_matching(f, [p]) for f in without_zone))
    return (f"{count} times name no zone and are taken as the store's clock; the others do",)


_TIMESTAMP_TYPES = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS")
_EPOCH_RANGES = (  # lower, upper (exclusive), units per second
    (0, 1e11, 1),
    (1e11, 1e14, 10**3),
    (1e14, 1e17, 10**6),
    (1e17, 9e18, 10**9),
)


def parse_time_column(
    connection: Connection,
    raw: RawRelation,
    format: LogFormat,  # noqa: A002 - the user's word
) -> SqlExpression:
    """Return the times of ``retain_raw`` as seconds since 1970-01-01 00:00 of the wall clock.

    Raises
    ------
    RetainError
        The format is invalid, the column holds no times, or day and month are ambiguous.
    """
    sql_type = raw.types["time"]
    if sql_type == "TIMESTAMP WITH TIME ZONE":
        sql = to_wall_clock(connection, "raw_time", RAW_TABLE, format.timezone)
        return SqlExpression(sql, is_cheap=True)
    if (typed := _typed_time_sql(sql_type)) is not None:
        return SqlExpression(typed, is_cheap=True)
    whole = raw.is_whole("time")
    if not whole and not raw.is_number("time") and sql_type != "VARCHAR":
        expected = "expected dates, timestamps, text or whole numbers"
        raise RetainError.at(raw.describe_column("time"), f"it holds {sql_type}", expected)
    cell = "raw_time" if sql_type == "VARCHAR" else "CAST(raw_time AS HUGEINT)"
    if format.time_format is not None:
        text = f"CAST({cell} AS VARCHAR)"
        return _parse_with_user_format(connection, text, format.time_format, format.timezone)
    if sql_type == "VARCHAR":
        return parse_text_times(connection, raw, format.timezone)
    return _parse_number_times(connection, "raw_time" if whole else cell, format.timezone)


def _typed_time_sql(kind: str) -> str | None:
    if kind == "DATE":
        days = "CAST(raw_time - DATE '1970-01-01' AS BIGINT) * 86400"
        return f"CASE WHEN isfinite(raw_time) THEN {days} END"
    if kind in _TIMESTAMP_TYPES:
        return epoch_seconds_sql("epoch_us(CAST(raw_time AS TIMESTAMP))")
    if kind == "TIMESTAMP_NS":
        return floor_div_sql("epoch_ns(raw_time)", 10**9)
    return None


def _parse_with_user_format(
    connection: Connection, cell: str, time_format: str, zone: str
) -> SqlExpression:
    import duckdb

    parsed = f"try_strptime({cell}, {quote_literal(time_format)})"
    sample = parsed.replace(cell, quote_literal("1"), 1)
    try:
        row = connection.execute(f"SELECT typeof({sample})").fetchone()
    except duckdb.Error as error:
        reason = str(error).rpartition(": ")[2].splitlines()[0]
        found = f"it is {time_format!r}: {reason}"
        expected = "expected what strptime takes, such as '%d.%m.%Y %H:%M'"
        raise RetainError.at("data.format.time_format", found, expected) from None
    has_zone = row is not None and "ZONE" in str(row[0])
    if "%Y" in time_format:  # DuckDB would read 23 as the year 23
        parsed = f"CASE WHEN regexp_matches({cell}, '[0-9]{{4}}') THEN {parsed} END"
    sql = to_local_sql(parsed, zone) if has_zone else epoch_seconds_sql(f"epoch_us({parsed})")
    return SqlExpression(sql, is_cheap=False)


def _parse_number_times(connection: Connection, cell: str, zone: str) -> SqlExpression:
    """Return stamps such as yyyymmdd, or the s, ms, µs or ns since 1970 that most cells are."""
    stamps = [
        f"CASE WHEN {cell} BETWEEN {first} AND {last} "
        f"THEN TRY_STRPTIME(CAST({cell} AS VARCHAR), '{text}') END"
        for text, (first, last) in STAMPS.items()
    ]
    conditions = [f"{stamp} IS NOT NULL" for stamp in stamps]
    conditions += [_in_range_sql(cell, *limits) for limits in _EPOCH_RANGES]
    counts = ", ".join(f"count_if({condition})" for condition in conditions)
    row = connection.execute(f"SELECT count({cell}), {counts} FROM {RAW_TABLE}").fetchone()  # noqa: S608
    n_cells, *n_fitting = (int(count or 0) for count in row or (0,) * (1 + len(conditions)))
    n_stamps, n_in_range = n_fitting[: len(stamps)], n_fitting[len(stamps) :]
    if max(n_stamps) * 2 > n_cells:
        stamp = stamps[n_stamps.index(max(n_stamps))]
        return SqlExpression(epoch_seconds_sql(f"epoch_us({stamp})"), is_cheap=False)
    lower, upper, unit = _EPOCH_RANGES[n_in_range.index(max(n_in_range))]
    seconds = f"CAST({cell} AS BIGINT)"
    seconds = floor_div_sql(seconds, unit) if unit > 1 else seconds
    if zone != "UTC":
        seconds = to_local_sql(f"make_timestamptz(({seconds}) * 1000000)", zone)
    sql = f"CASE WHEN {_in_range_sql(cell, lower, upper, unit)} THEN {seconds} END"
    return SqlExpression(sql, is_cheap=False)


def _in_range_sql(cell: str, lower: float, upper: float, _: int) -> str:
    size = f"abs(CAST({cell} AS DOUBLE))"
    return f"({size} >= {lower:.0f} AND {size} < {upper:.0f})"
