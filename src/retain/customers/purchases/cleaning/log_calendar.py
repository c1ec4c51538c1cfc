"""The days of a log: holes of weeks without a purchase, and a last day that is not over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from retain.customers.purchases.cleaning.row_checks import RowCounts, count_rows
from retain.customers.purchases.parsing.rows import SECONDS_PER_DAY, ParsedRows, RowRule
from retain.errors import RetainError
from retain.schema.purchases import LogPolicy

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection

MIN_HOLE_DAYS = 28
"""Days without a purchase, as many as the shortest month, that are a hole."""
MIN_DENSITY = 0.5
"""Share of the other days with purchases from which on a hole is unusual."""
MAX_MISSING = 0.5
"""Share of all days in holes above which holes are usual."""
_N_USUAL_DAYS = 28
_MIN_USUAL_DAYS = 14
_EARLY_SECONDS = 3_600
_EPOCH = date(1970, 1, 1)
_DATE_IN_NAME = re.compile(
    r"(?<![0-9])((?:19|20)[0-9]{2})[-_.]?(0[1-9]|1[0-2])(?:[-_.]?(0[1-9]|[12][0-9]|3[01]))?(?![0-9])"
)


@dataclass(frozen=True, slots=True)
class LogDay:
    """A day with rows, since 1970-01-01, and the second of its last row."""

    day: int
    last_clock: int


def apply_calendar_policy(
    connection: Connection, rows: ParsedRows, counts: RowCounts, policy: LogPolicy, today: date
) -> tuple[ParsedRows, RowCounts]:
    """Return the rows and their counts, without those of a last day that is not over.

    Raises
    ------
    RetainError
        There is a hole and the policy is ``error``.
    """
    if counts.n_valid == 0:
        return rows, counts
    days = [LogDay(day, last - day * SECONDS_PER_DAY) for day, last in counts.days.items()]
    if policy.gaps == "error" and (holes := find_holes(days)):
        listed = " and ".join(_describe_hole(*hole) for hole in holes[:5])
        raise RetainError(
            f"{rows.raw.describe_column('time')}: no purchase {listed}; expected a log without "
            "holes. Add what is missing, or if nothing is: data.policy.gaps=keep"
        )
    if policy.incomplete_day == "keep" or not is_incomplete(days, (today - _EPOCH).days):
        return rows, counts
    last = days[-1]
    clock = f"{last.last_clock // 3600:02d}:{last.last_clock // 60 % 60:02d}"
    reason = f"of {_format(last.day)}, which ends at {clock} (data.policy.incomplete_day=drop)"
    begin = last.day * SECONDS_PER_DAY
    rule = RowRule("incomplete day", f"t >= {begin}", "", reason, is_unreadable=False)
    rows = replace(rows, rules=(*rows.rules, rule))
    return rows, count_rows(connection, rows)


def find_holes(days: Sequence[LogDay]) -> list[tuple[int, int]]:
    """Return the first and last day of each hole, if most other days have purchases.

    >>> log = [LogDay(day, 0) for day in (*range(30), *range(60, 90))]
    >>> find_holes(log), find_holes(log[::3])
    ([(30, 59)], [])
    """
    holes = [
        (before.day + 1, after.day - 1)
        for before, after in pairwise(days)
        if after.day - before.day > MIN_HOLE_DAYS
    ]
    n_days = days[-1].day - days[0].day + 1
    n_missing = sum(end - begin + 1 for begin, end in holes)
    is_dense = len(days) > MIN_HOLE_DAYS and len(days) >= MIN_DENSITY * (n_days - n_missing)
    return holes if is_dense and n_missing <= MAX_MISSING * n_days else []


def is_incomplete(days: Sequence[LogDay], today: int) -> bool:
    """Return whether the last day is today, or ends an hour before every usual day.

    >>> usual = [LogDay(day, 64_000) for day in range(20)]
    >>> is_incomplete([*usual, LogDay(20, 40_000)], 99), is_incomplete(usual, 99)
    (True, False)
    """
    if len(days) < 2:
        return False
    usual = [day.last_clock for day in days[-1 - _N_USUAL_DAYS : -1]]
    is_early = days[-1].last_clock < min(usual) - _EARLY_SECONDS
    return days[-1].day == today or (len(usual) >= _MIN_USUAL_DAYS and is_early)


def _describe_hole(begin: int, end: int) -> str:
    return f"from {_format(begin)} to {_format(end)} ({end - begin + 1} days)"


def _format(day: int) -> str:
    return (_EPOCH + timedelta(day)).isoformat()


# --- files by month or week ----------------------------------------------------------------------


def check_file_dates(names: Iterable[str], source_name: str, policy: LogPolicy) -> None:
    """Raise if files named by month or week lack one between the first and the last.

    Raises
    ------
    RetainError
        One is missing and ``data.policy.gaps`` is ``error``.
    """
    missing = find_missing_files(list(names)) if policy.gaps == "error" else []
    if not missing:
        return
    listed = ", ".join(missing[:12]) + (f" and {len(missing) - 12} more" if missing[12:] else "")
    raise RetainError(
        f"{source_name} lack {listed}; expected a file of each month or week between the first and "
        "the last. Add what is missing, or if nothing is: data.policy.gaps=keep"
    )


def find_missing_files(names: Sequence[str]) -> list[str]:
    """Return the months or weeks that are missing among the dates in names of files.

    >>> find_missing_files(["log_2023-01.csv", "log_2023-02.csv", "log_2023-04.csv"])
    ['2023-03']
    >>> find_missing_files(["20230102.csv", "20230109.csv", "20230123.csv"])
    ['2023-01-16']
    """
    found = [list(_DATE_IN_NAME.finditer(name)) for name in names]
    if len(names) < 3 or any(len(dates) != 1 for dates in found):
        return []
    parts = [dates[0].groups() for dates in found]
    if all(day is None for *_, day in parts):
        months = sorted({int(year) * 12 + int(month) - 1 for year, month, _ in parts})
        missing = sorted({*range(months[0], months[-1])} - {*months})
        return [f"{month // 12}-{month % 12 + 1:02d}" for month in missing]
    try:
        days = sorted({date(int(y), int(m), int(d)).toordinal() for y, m, d in parts if d})
    except ValueError:
        return []
    steps = {after - before for before, after in pairwise(days)}
    if (
        any(day is None for *_, day in parts)
        or min(steps, default=0) != 7
        or any(n % 7 for n in steps)
    ):
        return []
    missing = sorted({*range(days[0], days[-1], 7)} - {*days})
    return [date.fromordinal(day).isoformat() for day in missing]
