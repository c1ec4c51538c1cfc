"""Prices of the limits as the temperature falls, over ever fewer customers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from retain.campaign.allocation.dual import Dual, Point, inverse, solve
from retain.campaign.allocation.limits import Limits, Prices
from retain.campaign.allocation.pool import CHUNK, Block, Pool, concat_pools


@dataclass(frozen=True)
class Region:
    """Prices near ``middle``: they differ from it by x + y, x' shape⁻¹ x ≤ 1 and |y| ≤ aside.

    An ellipsoid, flat where the shape is zero, drawn out to a box along some prices.

    Attributes
    ----------
    shape
        (limits, limits) symmetric, no eigenvalue below 0; zero where ``aside`` is not.
    aside
        (limits,) at least 0, and 0 for all but capacities.
    """

    middle: Prices
    shape: np.ndarray
    aside: np.ndarray

    def wider(self, times: float) -> Region:
        """The region so many times as wide."""
        return Region(self.middle, self.shape * times**2, self.aside * times)

    @property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """(limits,) bounds that nobody who looks for prices within needs to pass."""
        size = 2 * np.sqrt(self.shape.diagonal()) + 1.01 * self.aside
        return np.maximum(self.middle.vector - size, 0.0), self.middle.vector + size

    def holds(self, prices: np.ndarray) -> bool:
        """Whether these prices lie within."""
        moved, size = prices - self.middle.vector, np.sqrt(self.shape.diagonal())
        if (np.abs(moved[size == 0]) > self.aside[size == 0]).any():
            return False
        moved, shape, size = moved[size > 0], self.shape[np.ix_(size > 0, size > 0)], size[size > 0]
        scaled = shape / np.outer(size, size) + 1e-9 * np.eye(len(size))
        return bool(moved / size @ np.linalg.solve(scaled, moved / size) <= 1)

    def swing(self, cost: np.ndarray, segment: np.ndarray | None) -> np.ndarray:
        """(offers, customers) how far a reduced value may move: √(use' shape use) + aside."""
        slope, rest = self._terms(segment)
        swing: np.ndarray = cost * self.shape[0, 0]
        swing += slope
        swing *= cost
        swing += rest
        np.abs(swing, out=swing)  # rounding may leave it below 0
        np.sqrt(swing, out=swing)
        swing += self.aside[1 : 1 + self.middle.offers, None]
        return swing

    def _terms(self, segment: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """What of use' shape use goes with the cost, and what with the contact alone."""
        k, shape = 1 + self.middle.offers, self.shape
        slope = 2 * (shape[0, 1:k] + shape[0, k])[:, None]
        rest = (shape.diagonal()[1:k] + 2 * shape[1:k, k] + shape[k, k])[:, None]
        if segment is None:
            return slope, rest
        own = shape.diagonal()[k + 1 :] - 2 * shape[k, k + 1 :]
        slope = slope - 2 * shape[0, k + 1 :]
        rest = rest + own - 2 * shape[1:k, k + 1 :]
        return slope[:, segment], rest[:, segment]


@dataclass(frozen=True)
class FixedVariables:
    """What those use and bring whose choice is settled, and the pool of the others."""

    used: np.ndarray
    net: float
    open: Pool


def fix_variables(
    blocks: Iterable[Block] | Iterable[Pool], near: Region, limits: Limits, chosen: np.ndarray
) -> FixedVariables:
    """Settle all customers whose best choice no prices within a region can change.

    Reduced values are linear in the prices, so that each is known to lie within its swing; an
    offer whose lowest exceeds the highest of all other choices is best at all prices of the
    region. One pass; its memory is that of the customers who stay open. Most customers are told
    by the largest swing anybody of their block may have, the doubtful by their own.

    Parameters
    ----------
    chosen
        (customers of the whole problem,); the settled choices are written into it.
    """
    used, net, kept = np.zeros(len(limits.most)), 0.0, []
    work = np.empty((limits.offers, CHUNK))
    for block in blocks:
        choice, doubtful = _choice(block, near, _most(block, near), work)
        if len(doubtful):
            some = block.part(doubtful)
            own = near.swing(some.cost, some.segment)
            choice[doubtful], within = _choice(some, near, own, work)
            if len(within):
                kept.append(some.part(within))
        chosen[block.rows] = choice
        uses, brings = usage(block, choice, limits)
        used += uses
        net += brings
    return FixedVariables(used, net, concat_pools(kept, limits.offers))


def usage(block: Block | Pool, choice: np.ndarray, limits: Limits) -> tuple[np.ndarray, float]:
    """What a choice (customers,), −1 for nothing, uses of each limit, and what it brings."""
    (at,) = np.nonzero(choice >= 0)
    offer = choice[at]
    net, cost = block.taken(at, offer)
    counts = np.bincount(offer, minlength=limits.offers)
    least = np.zeros(limits.segments)
    if block.segment is not None:
        least += np.bincount(block.segment[at], minlength=limits.segments)
    return np.concatenate([[cost.sum()], counts, [len(at)], -least]), float(net.sum())


def _most(block: Block | Pool, near: Region) -> np.ndarray:
    """(offers, 1) the largest swing: convex in the cost, it is at an end of what an offer costs."""
    kinds = len(near.middle.least) if block.segment is not None else 1
    cost = np.repeat(np.stack(block.costs, axis=1), kinds, axis=1)
    segment = None if block.segment is None else np.tile(np.arange(kinds), 2)
    swing: np.ndarray = near.swing(cost, segment).max(axis=1, keepdims=True)
    return swing


def _choice(
    block: Block | Pool, near: Region, swing: np.ndarray, work: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(customers,) the best choice, −1 for nothing and where unsettled, and the unsettled."""
    value = block.reduced(near.middle, work[:, : len(block)])
    value -= swing
    sure = value.max(axis=0)
    np.maximum(sure, 0.0, out=sure)
    value += 2 * swing
    possible = (value >= sure).view(np.int8)
    choices = np.add.reduce(possible, axis=0, dtype=np.int8)
    choices += sure <= 0
    possible *= np.arange(1, len(possible) + 1, dtype=np.int8)[:, None]
    best = np.maximum.reduce(possible, axis=0).astype(np.int16)
    best -= 1
    unsettled = np.flatnonzero(choices != 1)
    best[unsettled] = -1
    return best, unsettled


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
        yield choose_offers(state, near, chosen) if len(state.dual.pool) > FEW else state
        yield choose_offers(begun, near.wider(8), chosen)
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


def choose_offers(state: Cooled, near: Region, chosen: np.ndarray) -> Cooled:
    """The state without the customers whose choice is the same within a region of prices."""
    rest = fix_variables(state.dual.pool.blocks(), near, state.dual.limits, chosen)
    inner = within(state.dual, near, rest)
    used, net = state.used + rest.used, state.net + rest.net
    return Cooled(inner, state.point, used, net, (*state.regions, near))


def within(dual: Dual, near: Region, rest: FixedVariables) -> Dual:
    """The dual of what is left to settle within a region of prices."""
    low, high = near.box
    limits = dual.limits.less(rest.used)
    return Dual(rest.open, limits, np.maximum(low, dual.low), np.minimum(high, dual.high))
