"""Days that stand for a missing time, such as 1900-01-01, known by being far from all others."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from retain.customers.purchases.cleaning.row_checks import RowCounts, count_rows, format_row_count
from retain.customers.purchases.parsing.rows import SECONDS_PER_DAY, ParsedRows, RowRule
from retain.errors import RetainError
from retain.schema.purchases import LogPolicy

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection

PLACEHOLDERS = (
    *("0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1901-01-01"),
    *("1969-12-31", "1970-01-01", "1980-01-01", "2099-12-31", "2262-04-11", "2999-12-31"),
    *("9999-01-01", "9999-12-31"),
)
"""The first and last days of calendars, clocks and databases."""
MIN_GAP_DAYS = 366
"""Days without any other row around a placeholder."""
MIN_OTHERS = 10
"""Rows at other times that show which are usual."""
_EPOCH = date(1970, 1, 1)
_DAYS = {(date.fromisoformat(text) - _EPOCH).days for text in PLACEHOLDERS}
_LAST_PAST = max(day for day in _DAYS if day < (date(2000, 1, 1) - _EPOCH).days)


def apply_placeholder_policy(
    connection: Connection, rows: ParsedRows, counts: RowCounts, policy: LogPolicy
) -> tuple[ParsedRows, RowCounts]:
    """Return the rows and their counts, without those of placeholders if the policy drops them.

    Raises
    ------
    RetainError
        There are placeholders and the policy is ``error``.
    """
    is_past = counts.first_second >= (_LAST_PAST + 1) * SECONDS_PER_DAY
    has_future = any(
        counts.by_rule.get(n) and r.name == "future" for n, r in enumerate(rows.rules, 1)
    )
    if policy.placeholder_times == "keep" or (is_past and not has_future):
        return rows, counts
    days = _find_placeholders(connection, rows)
    if not days:
        return rows, counts
    texts = " and ".join((_EPOCH + timedelta(day)).isoformat() for day in days)
    if policy.placeholder_times == "error":
        column = rows.raw.describe_column("time")
        found = f"{column}: {format_row_count(sum(days.values()))} at {texts}, far from all others"
        raise RetainError(
            f"{found}; data.policy.placeholder_times=error. If that means no time: "
            "data.policy.placeholder_times=drop, else data.policy.placeholder_times=keep."
        )
    reason = f"at {texts}, far from all others (data.policy.placeholder_times=drop)"
    listed = ", ".join(map(str, days))
    rule = RowRule(
        "placeholder_times", f"{_DAY} IN ({listed})", "time", reason, is_unreadable=False
    )
    at = next(n for n, one in enumerate(rows.rules) if one.name == "future")
    rows = replace(rows, rules=(*rows.rules[:at], rule, *rows.rules[at:]))
    return rows, count_rows(connection, rows)


_DAY = f"CAST(floor(t / {SECONDS_PER_DAY}.0) AS BIGINT)"


def _find_placeholders(connection: Connection, rows: ParsedRows) -> dict[int, int]:
    """Return the number of rows by day of a placeholder: one time of day, and no row near it."""
    days = sorted(_DAYS)
    listed = ", ".join(map(str, days))
    counts = ", ".join(
        f"count_if(day = {day}), "
        f"count(DISTINCT CASE WHEN day = {day} THEN t END), "
        f"count_if(abs(day - {day}) <= {MIN_GAP_DAYS} AND day NOT IN ({listed}))"
        for day in days
    )
    times = f"SELECT t, {_DAY} AS day FROM ({rows.select}) WHERE t IS NOT NULL"  # noqa: S608
    others = f"count_if(day NOT IN ({listed}))"
    found = connection.execute(f"SELECT {others}, {counts} FROM ({times})").fetchone()  # noqa: S608
    n_others, *by_day = found or (0,)
    if not n_others or n_others < MIN_OTHERS:
        return {}
    groups = zip(days, by_day[::3], by_day[1::3], by_day[2::3], strict=True)
    return {day: count for day, count, n_times, n_near in groups if n_times == 1 and not n_near}
