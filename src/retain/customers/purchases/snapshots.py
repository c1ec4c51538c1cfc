"""Which days are snapshots, and what lies around them in whole days.

May import: errors, schema.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from retain.errors import RetainError
from retain.schema.purchases import LabelRule, SnapshotRule

_EPOCH = date(1970, 1, 1)
_LONGEST = 3_660  # days of a window, as of every other span of days


def number_of(day: date) -> int:
    """Days from 1970-01-01 to ``day``.

    >>> number_of(date(1970, 2, 1))
    31
    """
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    """The day so many days after 1970-01-01.

    >>> day_of(31)
    datetime.date(1970, 2, 1)
    """
    return _EPOCH + timedelta(days=number)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The first and last day of a log and its snapshots, earliest first, as day numbers."""

    first: int
    last: int
    snapshots: tuple[int, ...]


def dated(first: int, last: int, rule: SnapshotRule, label: LabelRule) -> Calendar:
    """The snapshots of a log that begins on day ``first`` and ends on day ``last``.

    The latest is one horizon before the log's end, so that every day the label asks for has
    happened; the earliest has a whole look-back before it.

    Raises
    ------
    RetainError
        The log is too short, or ``last`` leaves no whole horizon after it, with the days missing.

    >>> from retain.schema.purchases import Active
    >>> label = LabelRule(measure="orders", horizon=30, lookback=60, decline_below=0.5,
    ...                   active=Active(periods=1, days=30), history=None)
    >>> dated(0, 149, SnapshotRule(every=30, count=6, last=None), label).snapshots
    (60, 90, 120)
    """
    found, needed = last - first + 1, label.lookback + label.horizon
    if found < needed:
        raise RetainError(
            f"the log spans {found} days ({day_of(first)} to {day_of(last)}), {needed - found} "
            f"too few; expected look-back + horizon = {label.lookback} + {label.horizon} days. "
            "Type data.label.lookback=DAYS data.label.horizon=DAYS, or take a longer log."
        )
    latest = last + 1 - label.horizon
    if rule.last is not None:
        latest = _chosen(number_of(rule.last), first, latest, label)
    earliest = max(first + label.lookback, latest - rule.every * (rule.count - 1))
    days = range(latest, earliest - 1, -rule.every)
    return Calendar(first, last, tuple(reversed(days)))


def single(first: int, last: int, at: date | None) -> Calendar:
    """One snapshot of customers who are only to be scored: ``at``, or the day after the log.

    Raises
    ------
    RetainError
        ``at`` is not after the log's first day.
    """
    day = last + 1 if at is None else number_of(at)
    if day <= first:
        expected = f"expected a day after the first purchase, {day_of(first)}"
        raise RetainError.at("data.at", f"it is {at}", expected)
    return Calendar(first, last, (day,))


def _chosen(day: int, first: int, latest: int, label: LabelRule) -> int:
    where, found = "data.snapshots.last", f"it is {day_of(day)}"
    if day > latest:
        missing = f"the log ends {day - latest} days before its horizon of {label.horizon} days"
        raise RetainError.at(where, found, f"{missing}; expected {day_of(latest)} or earlier")
    if day < first + label.lookback:
        missing = f"{first + label.lookback - day} days of its look-back of {label.lookback}"
        expected = f"expected {day_of(first + label.lookback)} or later: {missing} are missing"
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
