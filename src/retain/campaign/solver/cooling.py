"""Prices of the limits as the temperature falls, over ever fewer customers.

May import: campaign.solver.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from retain.campaign.solver.dual import Dual, Point, inverse, solve
from retain.campaign.solver.limits import Prices
from retain.campaign.solver.settling import Region, Settled, settle

COOLER = 5.0
"""Times the temperature falls at a step."""
FEW = 500
"""A pool of so few customers is not worth making smaller."""
FAR = 8.0
"""Temperatures that a price moves at most while all of them fall."""
WITHIN = 1e-2
"""Precision of the prices at each temperature."""


@dataclass(frozen=True)
class Cooled:
    """Where cooling has come to.

    Attributes
    ----------
    dual, point
        The dual of the customers still open, and the prices found for it.
    used, net
        What the customers settled on the way use and bring.
    regions
        Prices for which they are settled rightly.
    """

    dual: Dual
    point: Point
    used: np.ndarray
    net: float
    regions: tuple[Region, ...] = ()

    @property
    def bound(self) -> float:
        """No plan within the limits brings more net value."""
        return self.net + self.dual.value(self.point.prices)

    @property
    def undecided(self) -> float:
        """How many customers the shares leave without a clear choice."""
        return self.point.moments.undecided


@dataclass(frozen=True)
class Schedule:
    """From which temperature to which; an end comes sooner when no more than ``few`` are left."""

    first: float
    last: float
    few: float = 0.0


def cool(dual: Dual, start: np.ndarray, schedule: Schedule, chosen: np.ndarray) -> Cooled:
    """Cool a dual until few customers are undecided.

    Between two temperatures, customers whose choice no near prices change are settled; where that
    region proves too small, the step is taken again in a larger one, in the end with everybody.

    Parameters
    ----------
    start
        (limits,) prices to begin with.
    chosen
        (customers of the whole problem,); settled choices are written into it.
    """
    state = Cooled(dual, solve(dual, start, schedule.first, WITHIN), 0.0 * start, 0.0)
    start = state.point.prices
    while state.undecided > schedule.few and state.point.temperature > schedule.last:
        temperature = max(state.point.temperature / COOLER, schedule.last)
        before, state = state.point, _colder(dual, state, start, temperature, chosen)
        start = state.point.prices + (state.point.prices - before.prices) / COOLER
    return state


def _colder(
    whole: Dual, state: Cooled, start: np.ndarray, temperature: float, chosen: np.ndarray
) -> Cooled:
    """The state at a lower temperature."""
    for inner in _narrowed(whole, state, chosen):
        point = solve(inner.dual, start, temperature, WITHIN)
        if all(region.holds(point.prices) for region in inner.regions):
            break
    return replace(inner, point=point)


def _narrowed(whole: Dual, state: Cooled, chosen: np.ndarray) -> Iterator[Cooled]:
    """The state with most customers settled, then with fewer and fewer."""
    begun = Cooled(whole, state.point, 0.0 * state.used, 0.0)
    if len(whole.pool) > FEW:
        near = reach(state)
        yield settled(state, near, chosen) if len(state.dual.pool) > FEW else state
        yield settled(begun, near.wider(8), chosen)
    yield begun


def reach(state: Cooled) -> Region:
    """Prices that lower temperatures may lead to.

    The smoothed dual exceeds the dual by no more than the temperature times the entropy of its
    shares, which is about the number of the undecided; so the prices sought lie where it is
    higher than here by no more than that. Nor does any move by more than some temperatures.
    """
    point, limits = state.point, state.dual.limits
    bound = (point.prices <= state.dual.low) & (point.left > state.undecided)
    free = np.flatnonzero((state.dual.high > 0) & ~bound)
    cut = np.ix_(free, free)
    curved = point.curvature[cut] / (2 * point.temperature * max(state.undecided, 1.0))
    far = state.dual.unit[free] * (FAR * point.temperature)
    shape = np.zeros((len(bound),) * 2)
    shape[cut] = inverse(curved + np.diag(far**-2.0))
    return Region(Prices(point.prices, limits.offers), shape, np.zeros(len(bound)))


def settled(state: Cooled, near: Region, chosen: np.ndarray) -> Cooled:
    """The state without the customers whose choice is the same within a region of prices."""
    rest = settle(state.dual.pool.blocks(), near, state.dual.limits, chosen)
    inner = within(state.dual, near, rest)
    used, net = state.used + rest.used, state.net + rest.net
    return Cooled(inner, state.point, used, net, (*state.regions, near))


def within(dual: Dual, near: Region, rest: Settled) -> Dual:
    """The dual of what is left to settle within a region of prices."""
    low, high = near.box
    limits = dual.limits.less(rest.used)
    return Dual(rest.open, limits, np.maximum(low, dual.low), np.minimum(high, dual.high))
