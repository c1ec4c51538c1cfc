"""The days of a log cut into cells, none of which straddles the edge of any window.

What happened in a cell is summed once; a window of a snapshot is then a set of whole cells. A cell
has at most 62 days, so that the days of one fit as bits into a signed word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from retain.customers.purchases.features.snapshots import SnapshotCalendar
from retain.schema.purchases import LabelRule

LONGEST = 62
"""Days of a cell: as many bits as a signed word of 64 has without its sign, less one."""


@dataclass(frozen=True, slots=True)
class Spans:
    """How far windows reach, in days: back from a snapshot, and forward from it.

    ``periods`` of ``period`` days back are those in which a regular customer bought.
    """

    back: tuple[int, ...]
    forward: tuple[int, ...]
    periods: int
    period: int

    def edges(self, snapshot: int) -> set[int]:
        """Every day at which a window of the snapshot begins or ends."""
        back = (*self.back, *(self.period * n for n in range(1, self.periods + 1)))
        return {snapshot, *(snapshot - n for n in back), *(snapshot + n for n in self.forward)}


def spans_of(label: LabelRule, windows: Sequence[int], *, has_target: bool) -> Spans:
    """The windows of features, label and its sensitivity.

    >>> from retain.schema.purchases import RegularityRule
    >>> label = LabelRule(measure="orders", horizon=90, lookback=180, decline_ratio=0.5,
    ...                   regularity=RegularityRule(periods=2, days=90), min_history=None)
    >>> spans_of(label, (30, 90), has_target=True)
    Spans(back=(30, 90, 180), forward=(30, 60, 90), periods=3, period=90)
    """
    regularity = label.regularity
    if not has_target:
        windowed = tuple(sorted({*windows, label.lookback}))
        return Spans(windowed, (), regularity.periods, regularity.days)
    back = {*windows, label.lookback, *shorter_lookbacks(label)}
    forward = (*shorter_horizons(label), label.horizon)
    return Spans(tuple(sorted(back)), forward, regularity.periods + 1, regularity.days)


def shorter_lookbacks(label: LabelRule) -> tuple[int, ...]:
    """The look-backs that sensitivity also tries."""
    return (label.lookback // 2,) if label.lookback > 1 else ()


def shorter_horizons(label: LabelRule) -> tuple[int, ...]:
    """The horizons that sensitivity also tries; longer ones have not happened yet."""
    thirds = (label.horizon // 3, 2 * label.horizon // 3)
    return tuple(sorted({days for days in thirds if 0 < days < label.horizon}))


@dataclass(frozen=True, slots=True)
class Cell:
    """Days from ``start`` to before ``end``."""

    number: int
    start: int
    end: int


def cells_of(calendar: SnapshotCalendar, spans: Spans) -> tuple[Cell, ...]:
    """The cells from the log's first day to the last one any snapshot asks about.

    >>> calendar = SnapshotCalendar(0, 200, (100,))
    >>> cells = cells_of(calendar, Spans((30,), (20,), 0, 1))
    >>> [(cell.start, cell.end) for cell in cells]
    [(0, 35), (35, 70), (70, 100), (100, 120)]
    """
    edges = set().union(*(spans.edges(day) for day in calendar.snapshots))
    end = max(calendar.first + 1, *edges)
    inner = {edge for edge in edges if calendar.first < edge < end}
    cut = (
        part
        for low, high in pairwise(sorted({calendar.first, *inner, end}))
        for part in _parts(low, high)
    )
    return tuple(Cell(number, *ends) for number, ends in enumerate(cut))


def _parts(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Equal parts, as few as none is too long in."""
    count = -(-(end - start) // LONGEST)
    yield from pairwise(start + (end - start) * n // count for n in range(count + 1))


def within(cells: Iterable[Cell], begin: int, end: int) -> tuple[int, ...]:
    """The numbers of the cells between two days, neither of which is inside a cell.

    >>> within([Cell(0, 0, 30), Cell(1, 30, 60)], 30, 90)
    (1,)
    """
    return tuple(cell.number for cell in cells if begin <= cell.start and cell.end <= end)


def days_of(cells: Iterable[Cell], first: int) -> dict[str, list[int]]:
    """A row a day: its cell, and its bit there. The log's first day is day 1."""
    rows = [
        (day - first + 1, cell.number, 1 << (day - cell.start))
        for cell in cells
        for day in range(cell.start, cell.end)
    ]
    return _columns(("day", "cell", "bit"), rows)


def _columns(names: Sequence[str], rows: Sequence[tuple[int, ...]]) -> dict[str, list[int]]:
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}
