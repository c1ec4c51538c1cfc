"""Other definitions of a decline, each different from the chosen one in one parameter.

May import: schema and purchases.cells, label.
"""

from __future__ import annotations

from dataclasses import dataclass

from retain.customers.purchases.cells import shorter_horizons, shorter_lookbacks
from retain.customers.purchases.label import declines
from retain.schema.purchases import LabelRule, Measure

_STEPS = (-0.25, -0.1, 0.1, 0.25)  # of decline_below


@dataclass(frozen=True, slots=True)
class Definition:
    """Which parameter has which value; what it asks of a pair, and when that one declined."""

    parameter: str
    value: str
    periods: int
    past: str
    declined: str


def definitions(rule: LabelRule, measures: tuple[Measure, ...]) -> tuple[Definition, ...]:
    """The chosen definition, and the others.

    A horizon is only made shorter, as a longer one is not over; so is a look-back, which would
    need a longer log.
    """
    below = sorted({round(rule.decline_below + step, 6) for step in _STEPS})
    periods = rule.active.periods
    tried: list[tuple[str, list[object]]] = [
        ("decline_below", [one for one in below if 0 < one <= 1]),
        ("horizon", list(shorter_horizons(rule))),
        ("lookback", list(shorter_lookbacks(rule))),
        ("measure", [one for one in measures if one != rule.measure]),
    ]
    others = [
        _defined(name, value, rule.model_copy(update={name: value}))
        for name, values in tried
        for value in values
    ]
    counts = [_active(rule, count) for count in (periods - 1, periods + 1) if count > 0]
    return (_defined("chosen", "", rule), *others, *counts)


def _active(rule: LabelRule, count: int) -> Definition:
    active = rule.active.model_copy(update={"periods": count})
    return _defined("active.periods", count, rule.model_copy(update={"active": active}))


def _defined(parameter: str, value: object, rule: LabelRule) -> Definition:
    past = f"{rule.measure}_{rule.lookback}"
    return Definition(parameter, str(value), rule.active.periods, past, declines(rule))
