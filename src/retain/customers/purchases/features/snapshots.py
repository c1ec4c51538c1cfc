"""Which days are snapshots, and what lies around them in whole days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from retain.errors import RetainError
from retain.schema.purchases import LabelRule, SnapshotRule

_EPOCH = date(1970, 1, 1)
_LONGEST = 3_660  # days of a window, as of every other span of days


def epoch_day(day: date) -> int:
    """Days from 1970-01-01 to ``day``.

    >>> epoch_day(date(1970, 2, 1))
    31
    """
    return (day - _EPOCH).days


def date_from_epoch(number: int) -> date:
    """The day so many days after 1970-01-01.

    >>> date_from_epoch(31)
    datetime.date(1970, 2, 1)
    """
    return _EPOCH + timedelta(days=number)


@dataclass(frozen=True, slots=True)
class SnapshotCalendar:
    """The first and last day of a log and its snapshots, earliest first, as day numbers."""

    first: int
    last: int
    snapshots: tuple[int, ...]


def snapshots_from_log(
    first: int, last: int, rule: SnapshotRule, label: LabelRule
) -> SnapshotCalendar:
    """The snapshots of a log that begins on day ``first`` and ends on day ``last``.

    The latest is one horizon before the log's end, so that every day the label asks for has
    happened; the earliest has a whole look-back before it.

    Raises
    ------
    RetainError
        The log is too short, or ``last`` leaves no whole horizon after it, with the days missing.

    >>> from retain.schema.purchases import RegularityRule
    >>> label = LabelRule(measure="orders", horizon=30, lookback=60, decline_ratio=0.5,
    ...                   regularity=RegularityRule(periods=1, days=30), min_history=None)
    >>> snapshots_from_log(0, 149, SnapshotRule(step_days=30, n=6, last=None), label).snapshots
    (60, 90, 120)
    """
    found, needed = last - first + 1, label.lookback + label.horizon
    if found < needed:
        raise RetainError(
            f"the log spans {found} days ({date_from_epoch(first)} to {date_from_epoch(last)}), "
            f"{needed - found} "
            f"too few; expected look-back + horizon = {label.lookback} + {label.horizon} days. "
            "Type data.label.lookback=DAYS data.label.horizon=DAYS, or take a longer log."
        )
    latest = last + 1 - label.horizon
    if rule.last is not None:
        latest = _chosen(epoch_day(rule.last), first, latest, label)
    earliest = max(first + label.lookback, latest - rule.step_days * (rule.n - 1))
    days = range(latest, earliest - 1, -rule.step_days)
    return SnapshotCalendar(first, last, tuple(reversed(days)))


def single_snapshot(first: int, last: int, snapshot: date | None) -> SnapshotCalendar:
    """One snapshot of customers who are only to be scored: ``snapshot``, or the day after the log.

    Raises
    ------
    RetainError
        ``snapshot`` is not after the log's first day.
    """
    day = last + 1 if snapshot is None else epoch_day(snapshot)
    if day <= first:
        expected = f"expected a day after the first purchase, {date_from_epoch(first)}"
        raise RetainError.at("data.snapshot", f"it is {snapshot}", expected)
    return SnapshotCalendar(first, last, (day,))


def _chosen(day: int, first: int, latest: int, label: LabelRule) -> int:
    where, found = "data.snapshots.last", f"it is {date_from_epoch(day)}"
    if day > latest:
        missing = f"the log ends {day - latest} days before its horizon of {label.horizon} days"
        raise RetainError.at(
            where, found, f"{missing}; expected {date_from_epoch(latest)} or earlier"
        )
    if day < first + label.lookback:
        missing = f"{first + label.lookback - day} days of its look-back of {label.lookback}"
        expected = (
            f"expected {date_from_epoch(first + label.lookback)} or later: {missing} are missing"
        )
        raise RetainError.at(where, found, expected)
    return day


def windows_of(days: Sequence[int]) -> tuple[int, ...]:
    """The windows, shortest first.

    Raises
    ------
    RetainError
        It is no list, an empty one, or one is no whole number of days, 1 to 3,660.
    """
    listed = list(days) if isinstance(days, Sequence) and not isinstance(days, str) else []
    if not listed or not all(type(day) is int and 1 <= day <= _LONGEST for day in listed):
        expected = f"expected whole days, each 1 to {_LONGEST}, such as [30,90,180]"
        raise RetainError.at("data.windows", f"it is {listed or days!r}", expected)
    return tuple(sorted(set(days)))
