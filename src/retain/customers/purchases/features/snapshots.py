"""The days of the snapshots, and the checks of the windows around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from retain.errors import RetainError
from retain.schema.purchases import LabelRule, SnapshotRule

_EPOCH = date(1970, 1, 1)
_MAX_WINDOW_DAYS = 3_660


def epoch_day(day: date) -> int:
    """Return the days from 1970-01-01 to ``day``.

    >>> epoch_day(date(1970, 2, 1))
    31
    """
    return (day - _EPOCH).days


def date_from_epoch(number: int) -> date:
    """Return the date ``number`` days after 1970-01-01.

    >>> date_from_epoch(31)
    datetime.date(1970, 2, 1)
    """
    return _EPOCH + timedelta(days=number)


@dataclass(frozen=True, slots=True)
class SnapshotCalendar:
    """First and last day of a log and its snapshots, earliest first, in days since 1970-01-01."""

    first_day: int
    last_day: int
    snapshots: tuple[int, ...]


def snapshots_from_log(
    first: int, last: int, rule: SnapshotRule, label: LabelRule
) -> SnapshotCalendar:
    """Return the snapshots of a log that begins on day ``first`` and ends on day ``last``.

    The latest is one horizon before the log's end; the earliest has a whole look-back before it.

    Raises
    ------
    RetainError
        The log is too short, or ``rule.last`` leaves no whole horizon or look-back.

    >>> from retain.schema.purchases import RegularityRule
    >>> label = LabelRule(measure="orders", horizon=30, lookback=60, decline_ratio=0.5,
    ...                   regularity=RegularityRule(periods=1, days=30), min_history=None)
    >>> snapshots_from_log(0, 149, SnapshotRule(step_days=30, n=6, last=None), label).snapshots
    (60, 90, 120)
    """
    n_days, needed = last - first + 1, label.lookback + label.horizon
    if n_days < needed:
        raise RetainError(
            f"the log spans {n_days} days ({date_from_epoch(first)} to {date_from_epoch(last)}), "
            f"{needed - n_days} too few; expected look-back + horizon = "
            f"{label.lookback} + {label.horizon} days. "
            "Type data.label.lookback=DAYS data.label.horizon=DAYS, or take a longer log."
        )
    latest = last + 1 - label.horizon
    if rule.last is not None:
        latest = _check_last_snapshot(epoch_day(rule.last), first, latest, label)
    earliest = max(first + label.lookback, latest - rule.step_days * (rule.n - 1))
    days = range(latest, earliest - 1, -rule.step_days)
    return SnapshotCalendar(first, last, tuple(reversed(days)))


def single_snapshot(first: int, last: int, snapshot: date | None) -> SnapshotCalendar:
    """Return the one snapshot without a target: ``snapshot``, or the day after the log.

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


def _check_last_snapshot(day: int, first: int, latest: int, label: LabelRule) -> int:
    key, found, earliest = (
        "data.snapshots.last",
        f"it is {date_from_epoch(day)}",
        first + label.lookback,
    )
    if day > latest:
        missing = f"the log ends {day - latest} days before its horizon of {label.horizon} days"
        expected = f"{missing}; expected {date_from_epoch(latest)} or earlier"
        raise RetainError.at(key, found, expected)
    if day < earliest:
        missing = f"{earliest - day} days of its look-back of {label.lookback}"
        expected = f"expected {date_from_epoch(earliest)} or later: {missing} are missing"
        raise RetainError.at(key, found, expected)
    return day


def check_windows(days: Sequence[int]) -> tuple[int, ...]:
    """Return the windows in days, shortest first.

    Raises
    ------
    RetainError
        They are not a list of whole days, 1 to 3,660.
    """
    listed = list(days) if isinstance(days, Sequence) and not isinstance(days, str) else []
    if not listed or not all(type(day) is int and 1 <= day <= _MAX_WINDOW_DAYS for day in listed):
        expected = f"expected whole days, each 1 to {_MAX_WINDOW_DAYS}, such as [30,90,180]"
        raise RetainError.at("data.windows", f"it is {listed or days!r}", expected)
    return tuple(sorted(set(days)))
