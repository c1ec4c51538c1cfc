"""What is asked of a log: its snapshots, windows and sums, as the templates need them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from math import gcd, lcm
from typing import Any

from retain.customers.purchases.features.day_buckets import (
    Cell,
    Spans,
    cells_of,
    days_of,
    shorter_horizons,
    shorter_lookbacks,
    spans_of,
    within,
)
from retain.customers.purchases.features.label import declines, definitions, measures_of
from retain.customers.purchases.features.snapshots import SnapshotCalendar
from retain.schema.purchases import LabelRule


def spread(windows: tuple[int, ...]) -> tuple[str, str] | None:
    """Numerator and denominator of the squared variation of the rate between rings of windows.

    With x orders in a ring of d days, X in all D days: D · Σ x²/d / X² − 1, of which every term is
    multiplied by a common multiple of the days. None where one window is the only ring.

    >>> above, below = spread((30, 60))
    >>> above
    '(60 * p.orders_30 * p.orders_30 + 60 * (p.orders_60 - p.orders_30) * \
(p.orders_60 - p.orders_30) - 30 * p.orders_60 * p.orders_60)'
    >>> below
    '(30 * p.orders_60 * p.orders_60)'
    """
    rings = tuple(pairwise((0, *windows)))
    if len(rings) == 1:
        return None
    longest = windows[-1]
    whole = lcm(*(high - low for low, high in rings))
    orders = [f"(p.orders_{b} - p.orders_{a})" if a else f"p.orders_{b}" for a, b in rings]
    weights = [whole // (high - low) * longest for low, high in rings]
    terms = [f"{w} * {x} * {x}" for w, x in zip(weights, orders, strict=True)]
    squared = f"{whole} * p.orders_{longest} * p.orders_{longest}"
    return f"({' + '.join(terms)} - {squared})", f"({squared})"


DAY = 86_400
HALF = 2**31
"""Two counts share a word: purchases of a customer, and HALF × purchases with a told discount."""
_WORD = 63  # categories a signed word has bits for
_WORDS = 4  # beyond, categories are counted one by one
_WIDEST = 400  # columns of a customer's row, beyond which snapshots are worked on in turns
EXTRAS = ("minutes", "contacts", "profit")


@dataclass(frozen=True, slots=True)
class Sum:
    """A column of cells summed from ``begin`` to before ``end``, in days from a snapshot."""

    name: str
    of: str
    begin: int
    end: int


@dataclass(frozen=True)
class Plan:
    """All a template asks: ``columns`` and ``kinds`` (how many categories) are the log's."""

    calendar: SnapshotCalendar
    label: LabelRule
    windows: tuple[int, ...]
    columns: frozenset[str]
    kinds: int
    has_target: bool

    @cached_property
    def spans(self) -> Spans:
        """How far the windows reach."""
        return spans_of(self.label, self.windows, has_target=self.has_target)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of the log's days."""
        return cells_of(self.calendar, self.spans)

    @cached_property
    def days(self) -> dict[str, list[int]]:
        """The table ``days``: day, cell, bit."""
        return days_of(self.cells, self.calendar.first)

    @property
    def end(self) -> int:
        """The first second that is of no concern."""
        return self.cells[-1].end * DAY

    @property
    def extras(self) -> tuple[str, ...]:
        """Further columns of the log that are summed."""
        return tuple(name for name in EXTRAS if name in self.columns)

    @property
    def money(self) -> str | None:
        """What says what a customer brings, where the log does."""
        return next((name for name in ("profit", "amount") if name in self.columns), None)

    @property
    def many_kinds(self) -> bool:
        """Whether there are too many categories for bits."""
        return self.kinds > _WORD * _WORDS

    @property
    def words(self) -> range:
        """The words the categories' bits fill."""
        return range(0 if self.many_kinds else -(-self.kinds // _WORD))

    @cached_property
    def sums(self) -> tuple[Sum, ...]:
        """Every sum a row needs, each once."""
        return tuple({one.name: one for one in self._sums()}.values())

    def _sums(self) -> Iterator[Sum]:
        rule, measures = self.label, measures_of(self.columns)
        asked = sorted({rule.measure, *(measures if self.has_target else ())})
        shown = (*measures, *(name for name in ("promo", *self.extras) if name in self.columns))
        yield from (self._back(name, days) for name in shown for days in self.windows)
        yield from (self._back(name, rule.lookback) for name in asked)
        if self.money is not None:
            yield self._back(self.money, rule.lookback)
        if self.has_target:
            yield from (self._next(name, rule.horizon) for name in asked)
            yield from (self._back(rule.measure, days) for days in shorter_lookbacks(rule))
            yield from (self._next(rule.measure, days) for days in shorter_horizons(rule))

    def _back(self, name: str, days: int) -> Sum:
        return Sum(f"{name}_{days}", self._of(name), -days, 0)

    def _next(self, name: str, days: int) -> Sum:
        return Sum(f"{name}_next_{days}", self._of(name), 0, days)

    def _of(self, name: str) -> str:
        """The column of a cell; the purchases of one day are one order where none is mapped."""
        return "days" if name == "orders" and "order" not in self.columns else name

    @property
    def ever(self) -> tuple[str, ...]:
        """What is summed over all of the past."""
        return ("days", "orders") if "order" in self.columns else ("days",)

    @cached_property
    def history_cells(self) -> int:
        """How many cells lie before every window of every snapshot."""
        windows = (*self.spans.back, self.spans.period * self.spans.periods)
        earliest = min(self.calendar.snapshots) - max(windows)
        return sum(cell.end <= earliest for cell in self.cells)

    def batches(self) -> tuple[Plan, ...]:
        """The plan itself, or several for some snapshots each, none of which asks too much."""
        days = self.calendar.snapshots
        if len(days) == 1 or len(pivots(self)) <= _WIDEST:
            return (self,)
        middle = len(days) // 2
        halves = (replace(self.calendar, snapshots=some) for some in (days[:middle], days[middle:]))
        return tuple(one for half in halves for one in replace(self, calendar=half).batches())

    def told(self, log: str) -> dict[str, Any]:
        """What the templates know; ``log`` is the relation of the purchases."""
        rule = self.label
        return {
            "log": log,
            "zero": (self.calendar.first - 1) * DAY,
            "half": HALF,
            "opens": "order" in self.columns,
            "promo": "promo" in self.columns,
            "items": "items" in self.columns,
            "amount": "amount" in self.columns,
            "extras": self.extras,
            "words": self.words,
            "kinds": self.kinds,
            "many_kinds": self.many_kinds,
            "windows": self.windows,
            "steps": [_step(*pair) for pair in pairwise(self.windows)],
            "spread": spread(self.windows),
            "ever": self.ever,
            "history_cells": self.history_cells,
            "lasts": [self._last(day) for day in self.calendar.snapshots],
            "pivots": [{"of": of, "cell": cell} for of, cell in sorted(pivots(self))],
            "snapshots": [snapshot(self, day) for day in self.calendar.snapshots],
            "history": rule.least_history,
            "periods": rule.regularity.periods,
            "past": f"{rule.measure}_{rule.lookback}",
            "declined": declines(rule) if self.has_target else None,
            "has_target": self.has_target,
            "money": None if self.money is None else f"{self.money}_{rule.lookback}",
            "cases": definitions(rule, measures_of(self.columns)) if self.has_target else (),
        }

    def _last(self, day: int) -> dict[str, int]:
        before = sum(cell.end <= day for cell in self.cells)
        return {"snapshot": day - self.calendar.first + 1, "before": before}


def _step(short: int, long: int) -> tuple[int, int, int, int]:
    """Two windows, and what their sums are multiplied by to become comparable."""
    common = gcd(short, long)
    return short, long, long // common, short // common


# --- the columns of a customer's wide row ---------------------------------------------------------


def pivots(plan: Plan) -> set[tuple[str, int]]:
    """Which columns of which cells stand in a customer's row."""
    return {one for day in plan.calendar.snapshots for one in _asked(plan, day)}


def _asked(plan: Plan, day: int) -> Iterator[tuple[str, int]]:
    for one in plan.sums:
        cells = within(plan.cells, day + one.begin, day + one.end)
        yield from ((one.of, cell) for cell in cells)
    for word in plan.words:
        cells = within(plan.cells, day - plan.windows[-1], day)
        yield from ((f"kinds_{word}", cell) for cell in cells)
    past = (cell.number for cell in plan.cells[plan.history_cells :] if cell.end <= day)
    yield from ((of, cell) for cell in past for of in plan.ever)


def snapshot(plan: Plan, day: int) -> dict[str, Any]:
    """What is asked at a snapshot, as sums of the columns of a customer's row."""

    def added(of: str, begin: int, end: int) -> str:
        return _joined(" + ", of, within(plan.cells, begin, end))

    def masked(word: int, days: int) -> str:
        return _joined(" | ", f"kinds_{word}", within(plan.cells, day - days, day))

    later = [cell.number for cell in plan.cells[plan.history_cells :] if cell.end <= day]
    ever = {of: f"({of}_before + {_joined(' + ', of, later)})" for of in plan.ever}
    period = plan.spans.period
    return {
        "number": day - plan.calendar.first + 1,
        "end": day * DAY,
        **_begins(plan, day),
        "days_ever": ever["days"],
        "orders_ever": ever[plan.ever[-1]],
        "periods": [
            added("days", day - period * (n + 1), day - period * n)
            for n in range(plan.spans.periods)
        ],
        "sums": {one.name: added(one.of, day + one.begin, day + one.end) for one in plan.sums},
        "kinds": {days: [masked(word, days) for word in plan.words] for days in plan.windows},
    }


def _begins(plan: Plan, day: int) -> dict[str, list[int]]:
    """Where the windows of categories begin, the longest first; the others only where needed."""
    windows = list(reversed(plan.windows)) if plan.many_kinds else [plan.windows[-1]]
    return {"begins": [(day - days) * DAY for days in windows], "begins_of": windows}


def _joined(operator: str, of: str, cells: Iterable[int]) -> str:
    return f"({operator.join(f'{of}_c{cell}' for cell in cells) or '0'})"
