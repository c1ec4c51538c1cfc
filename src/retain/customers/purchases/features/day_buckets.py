"""Buckets of consecutive days that no window edge cuts.

Purchases are summed once per bucket; each window of a snapshot is then a set of whole buckets. A
bucket has at most 62 days, so that its days fit as bits into a signed 64-bit integer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from retain.customers.purchases.features.snapshots import SnapshotCalendar
from retain.schema.purchases import LabelRule

MAX_BUCKET_DAYS = 62


@dataclass(frozen=True, slots=True)
class WindowSpans:
    """Lengths of windows in days: lookbacks before a snapshot, horizons after it.

    A regular customer bought in each of the last ``n_periods`` periods of ``period_days`` days.
    ``later`` is the end of the horizon after next, which a log may not reach.
    """

    lookbacks: tuple[int, ...]
    horizons: tuple[int, ...]
    n_periods: int
    period_days: int
    later: int | None = None

    def find_edges(self, snapshot: int) -> set[int]:
        """Return every day on which a window of the snapshot begins or ends."""
        periods = (self.period_days * n for n in range(1, self.n_periods + 1))
        before = {snapshot - days for days in (*self.lookbacks, *periods)}
        return {snapshot, *before, *(snapshot + days for days in self.horizons)}

    def later_end(self, snapshot: int, last_day: int) -> int | None:
        """Return the end of the horizon after next, None if the log ends before it."""
        if self.later is None or snapshot + self.later > last_day + 1:
            return None
        return snapshot + self.later


@dataclass(frozen=True, slots=True)
class WindowSum:
    """A column summed from day ``begin`` to before ``end``, counted from a snapshot."""

    name: str
    column: str
    begin: int
    end: int


def compute_window_spans(
    label: LabelRule, windows: Sequence[int], *, has_target: bool
) -> WindowSpans:
    """Return the windows of the features, the label and its variants.

    >>> from retain.schema.purchases import RegularityRule
    >>> label = LabelRule(measure="orders", horizon=90, lookback=180, decline_ratio=0.5,
    ...                   regularity=RegularityRule(periods=2, days=90), min_history=None)
    >>> spans = compute_window_spans(label, (30, 90), has_target=True)
    >>> spans.lookbacks, spans.horizons, spans.n_periods, spans.later
    ((30, 90, 180), (30, 60, 90), 3, 180)
    """
    regularity = label.regularity
    if not has_target:
        lookbacks = tuple(sorted({*windows, label.lookback}))
        return WindowSpans(lookbacks, (), regularity.periods, regularity.days)
    lookbacks = tuple(sorted({*windows, label.lookback, *shorter_lookbacks(label)}))
    horizons = (*shorter_horizons(label), label.horizon)
    later = 2 * label.horizon
    return WindowSpans(lookbacks, horizons, regularity.periods + 1, regularity.days, later)


def shorter_lookbacks(label: LabelRule) -> tuple[int, ...]:
    """Return the shorter look-backs of the label's variants, in days."""
    return (label.lookback // 2,) if label.lookback > 1 else ()


def shorter_horizons(label: LabelRule) -> tuple[int, ...]:
    """Return the shorter horizons of the label's variants, in days."""
    thirds = (label.horizon // 3, 2 * label.horizon // 3)
    return tuple(sorted({days for days in thirds if 0 < days < label.horizon}))


@dataclass(frozen=True, slots=True)
class DayBucket:
    """Days from ``start`` to before ``end``."""

    index: int
    start: int
    end: int


def build_day_buckets(calendar: SnapshotCalendar, spans: WindowSpans) -> tuple[DayBucket, ...]:
    """Return the buckets from the log's first day to the end of the last window.

    >>> calendar = SnapshotCalendar(0, 200, (100,))
    >>> buckets = build_day_buckets(calendar, WindowSpans((30,), (20,), 0, 1))
    >>> [(bucket.start, bucket.end) for bucket in buckets]
    [(0, 35), (35, 70), (70, 100), (100, 120)]
    """
    edges = set().union(*(spans.find_edges(day) for day in calendar.snapshots))
    later = (spans.later_end(day, calendar.last_day) for day in calendar.snapshots)
    edges |= {end for end in later if end is not None}
    end = max(calendar.first_day + 1, *edges)
    inner = {edge for edge in edges if calendar.first_day < edge < end}
    intervals = pairwise(sorted({calendar.first_day, *inner, end}))
    parts = (part for low, high in intervals for part in _split_evenly(low, high))
    return tuple(DayBucket(index, *ends) for index, ends in enumerate(parts))


def _split_evenly(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Return the fewest equal intervals of at most ``MAX_BUCKET_DAYS`` days."""
    count = -(-(end - start) // MAX_BUCKET_DAYS)
    yield from pairwise(start + (end - start) * n // count for n in range(count + 1))


def buckets_between(buckets: Iterable[DayBucket], begin: int, end: int) -> tuple[int, ...]:
    """Return the indices of the buckets between two days, which must be edges of buckets.

    >>> buckets_between([DayBucket(0, 0, 30), DayBucket(1, 30, 60)], 30, 90)
    (1,)
    """
    return tuple(b.index for b in buckets if begin <= b.start and b.end <= end)


def build_day_table(buckets: Iterable[DayBucket], first: int) -> dict[str, list[int]]:
    """Return a row per day: its bucket and its bit there. The log's first day is day 1."""
    days = [(day, b) for b in buckets for day in range(b.start, b.end)]
    return {
        "day": [day - first + 1 for day, _ in days],
        "bucket": [b.index for _, b in days],
        "bit": [1 << (day - b.start) for day, b in days],
    }
