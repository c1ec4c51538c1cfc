"""What is asked of a log: its snapshots, windows, sums and label, as the templates need them.

May import: errors, schema and purchases.cells, label, log, snapshots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import lcm
from typing import Any

from retain.customers.purchases.cells import (
    Cell,
    Spans,
    cells_of,
    days_of,
    marks_of,
    shorter_horizons,
    shorter_lookbacks,
    spans_of,
)
from retain.customers.purchases.label import decline, measures_of
from retain.customers.purchases.snapshots import Calendar
from retain.schema.purchases import LabelRule, Measure

_DAY = 86_400
_WORD = 63  # categories a signed word has room for
EXTRAS = ("minutes", "contacts", "profit")


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum over the cells of one window: ``name`` is that of ``of`` where ``window`` marks 1."""

    name: str
    of: str
    window: str


@dataclass(frozen=True)
class Plan:
    """All a template asks: ``columns`` and ``kinds`` (how many categories) are the log's."""

    calendar: Calendar
    label: LabelRule
    windows: tuple[int, ...]
    columns: frozenset[str]
    kinds: int
    labelled: bool

    @property
    def spans(self) -> Spans:
        """How far the windows reach."""
        return spans_of(self.label, self.windows, labelled=self.labelled)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of the log's days."""
        return cells_of(self.calendar, self.spans)

    @property
    def days(self) -> dict[str, list[int]]:
        """The table ``days``: day, cell, bit."""
        return days_of(self.cells, self.calendar.first)

    @property
    def marks(self) -> dict[str, list[int]]:
        """The table ``marks``: which cells are in which windows of which snapshot."""
        return marks_of(self.calendar, self.spans, self.cells)

    @property
    def extras(self) -> tuple[str, ...]:
        """Further columns of the log that are summed."""
        return tuple(name for name in EXTRAS if name in self.columns)

    @property
    def money(self) -> str | None:
        """The sum that says what a customer brings, where the log does."""
        of = next((name for name in ("profit", "amount") if name in self.columns), None)
        return None if of is None else f"{of}_{self.label.lookback}"

    def sums(self) -> tuple[Sum, ...]:
        """Every sum a row needs, each once."""
        return tuple({one.name: one for one in self._sums()}.values())

    def _sums(self) -> Iterator[Sum]:
        measures = measures_of(self.columns)
        promo = ("promo", "told") if "promo" in self.columns else ()
        shown = (*measures, *promo, *(name for name in self.extras if name != "profit"))
        yield from (self._back(name, days) for name in shown for days in self.windows)
        if "order" in self.columns:
            yield Sum("orders_ever", "orders", "past")
        rule = self.label
        asked = {rule.measure, *(measures if self.labelled else ())}
        yield from (self._back(name, rule.lookback) for name in sorted(asked))
        if self.money is not None:
            yield self._back(self.money.split("_")[0], rule.lookback)
        if self.labelled:
            yield from (self._next(name, rule.horizon) for name in sorted(asked))
            yield from (self._back(rule.measure, days) for days in shorter_lookbacks(rule))
            yield from (self._next(rule.measure, days) for days in shorter_horizons(rule))

    def _back(self, name: str, days: int) -> Sum:
        return Sum(f"{name}_{days}", self._of(name), f"back_{days}")

    def _next(self, name: str, days: int) -> Sum:
        return Sum(f"{name}_next_{days}", self._of(name), f"forward_{days}")

    def _of(self, name: str) -> str:
        """The column of a cell; the purchases of one day are one order where none is mapped."""
        return "days" if name == "orders" and "order" not in self.columns else name

    def told(self, log: str) -> dict[str, Any]:
        """What the templates know; ``log`` is the relation of the purchases."""
        first = self.calendar.first
        longest = self.windows[-1]
        snapshots = [
            {"number": d - first + 1, "begin": (d - longest) * _DAY, "end": d * _DAY}
            for d in self.calendar.snapshots
        ]
        rule = self.label
        return {
            "log": log,
            "zero": (first - 1) * _DAY,
            "opens": "order" in self.columns,
            "promo": "promo" in self.columns,
            "items": "items" in self.columns,
            "amount": "amount" in self.columns,
            "extras": self.extras,
            "words": range(-(-self.kinds // _WORD)),
            "kinds": self.kinds,
            "sums": self.sums(),
            "windows": self.windows,
            "steps": tuple(pairwise(self.windows)),
            "rings": self._rings,
            "spread": self._spread,
            "ever": "orders_ever" if "order" in self.columns else "order_days",
            "snapshots": snapshots,
            "history": rule.least_history,
            "periods": rule.active.periods,
            "past": f"{rule.measure}_{rule.lookback}",
            "future": f"{rule.measure}_next_{rule.horizon}",
            "declined": decline(rule) if self.labelled else None,
            "labelled": self.labelled,
            "money": self.money,
            "cases": definitions(rule, measures_of(self.columns)) if self.labelled else (),
        }

    @property
    def _rings(self) -> tuple[tuple[int, int], ...]:
        return tuple(pairwise((0, *self.windows)))

    @property
    def _spread(self) -> dict[str, str]:
        """The squared variation of the rate between the rings of the windows, as two numbers.

        With x orders in a ring of d days, X in all D: D · Σ x²/d / X² − 1, every term of it
        multiplied by a common multiple of the days.
        """
        days = [high - low for low, high in self._rings]
        common, longest = lcm(*days), self.windows[-1]
        terms = [
            f"{common // d * longest} * {ring} * {ring}"
            for d, ring in zip(days, self._orders_by_ring(), strict=True)
        ]
        whole = f"{common} * p.orders_{longest} * p.orders_{longest}"
        return {"above": f"({' + '.join(terms)} - {whole})", "below": f"({whole})"}

    def _orders_by_ring(self) -> Iterator[str]:
        for low, high in self._rings:
            yield f"(p.orders_{high} - p.orders_{low})" if low else f"p.orders_{high}"


@dataclass(frozen=True, slots=True)
class Definition:
    """Another definition of a decline: which parameter has which value, and its SQL."""

    parameter: str
    value: str
    periods: int
    past: str
    declined: str


def definitions(rule: LabelRule, measures: tuple[Measure, ...]) -> tuple[Definition, ...]:
    """The chosen definition, and others that differ from it in one parameter."""
    others: list[tuple[str, object, LabelRule]] = [("chosen", "", rule)]
    below = {round(rule.decline_below + step, 6) for step in (-0.25, -0.1, 0.1, 0.25)}
    others += [_other(rule, "decline_below", one) for one in sorted(below) if 0 < one <= 1]
    others += [_other(rule, "horizon", days) for days in shorter_horizons(rule)]
    others += [_other(rule, "lookback", days) for days in shorter_lookbacks(rule)]
    others += [_other(rule, "measure", one) for one in measures if one != rule.measure]
    periods = rule.active.periods
    for count in (n for n in (periods - 1, periods + 1) if n > 0):
        active = rule.active.model_copy(update={"periods": count})
        others.append(("active.periods", count, rule.model_copy(update={"active": active})))
    return tuple(_defined(*one) for one in others)


def _other(rule: LabelRule, name: str, value: object) -> tuple[str, object, LabelRule]:
    return name, value, rule.model_copy(update={name: value})


def _defined(parameter: str, value: object, rule: LabelRule) -> Definition:
    past = f"{rule.measure}_{rule.lookback}"
    factors = decline(rule)
    future = f"CAST({rule.measure}_next_{rule.horizon} AS DECIMAL(38, 0)) * {factors.future}"
    less = f"{future} < CAST({past} AS DECIMAL(38, 0)) * {factors.past}"
    return Definition(
        parameter, str(value), rule.active.periods, past, f"CASE WHEN {less} THEN 1 ELSE 0 END"
    )
