"""Prices of the limits as the temperature falls, over ever fewer customers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from retain.campaign.allocation.dual import Dual, DualPoint, invert_curvature, minimise_smoothed
from retain.campaign.allocation.limits import Limits, Prices
from retain.campaign.allocation.pool import (
    CHUNK_CUSTOMERS,
    CustomerChunk,
    CustomerPool,
    concat_pools,
)


@dataclass(frozen=True)
class PriceRegion:
    """Prices near ``center``: they differ from it by x + y, x' shape⁻¹ x ≤ 1 and |y| ≤ aside.

    An ellipsoid, flat where the shape is zero, drawn out to a box along some prices.

    Attributes
    ----------
    shape_matrix
        (limits, limits) symmetric, no eigenvalue below 0; zero where ``half_width`` is not.
    half_width
        (limits,) at least 0, and 0 for all but capacities.
    """

    center: Prices
    shape_matrix: np.ndarray
    half_width: np.ndarray

    def widen(self, times: float) -> PriceRegion:
        """The region so many times as wide."""
        return PriceRegion(self.center, self.shape_matrix * times**2, self.half_width * times)

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """(limits,) bounds that nobody who looks for prices within needs to pass."""
        size = 2 * np.sqrt(self.shape_matrix.diagonal()) + 1.01 * self.half_width
        return np.maximum(self.center.vector - size, 0.0), self.center.vector + size

    def contains(self, prices: np.ndarray) -> bool:
        """Whether these prices lie within."""
        moved, size = prices - self.center.vector, np.sqrt(self.shape_matrix.diagonal())
        if (np.abs(moved[size == 0]) > self.half_width[size == 0]).any():
            return False
        moved, shape, size = (
            moved[size > 0],
            self.shape_matrix[np.ix_(size > 0, size > 0)],
            size[size > 0],
        )
        scaled = shape / np.outer(size, size) + 1e-9 * np.eye(len(size))
        return bool(moved / size @ np.linalg.solve(scaled, moved / size) <= 1)

    def bound_change(self, cost: np.ndarray, segment: np.ndarray | None) -> np.ndarray:
        """(offers, customers) how far a reduced value may move: √(use' shape use) + aside."""
        slope, rest = self._split_terms(segment)
        swing: np.ndarray = cost * self.shape_matrix[0, 0]
        swing += slope
        swing *= cost
        swing += rest
        np.abs(swing, out=swing)  # rounding may leave it below 0
        np.sqrt(swing, out=swing)
        swing += self.half_width[1 : 1 + self.center.n_offers, None]
        return swing

    def _split_terms(self, segment: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """What of use' shape use goes with the cost, and what with the contact alone."""
        k, shape = 1 + self.center.n_offers, self.shape_matrix
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

    usage: np.ndarray
    net: float
    undecided: CustomerPool


def fix_variables(
    blocks: Iterable[CustomerChunk] | Iterable[CustomerPool],
    near: PriceRegion,
    limits: Limits,
    chosen: np.ndarray,
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
    used, net, kept = np.zeros(len(limits.upper)), 0.0, []
    work = np.empty((limits.n_offers, CHUNK_CUSTOMERS))
    for block in blocks:
        choice, doubtful = _choose(block, near, _bound_largest_change(block, near), work)
        if len(doubtful):
            some = block.select(doubtful)
            own = near.bound_change(some.cost, some.segment)
            choice[doubtful], within = _choose(some, near, own, work)
            if len(within):
                kept.append(some.select(within))
        chosen[block.rows] = choice
        uses, brings = compute_usage(block, choice, limits)
        used += uses
        net += brings
    return FixedVariables(used, net, concat_pools(kept, limits.n_offers))


def compute_usage(
    block: CustomerChunk | CustomerPool, choice: np.ndarray, limits: Limits
) -> tuple[np.ndarray, float]:
    """What a choice (customers,), −1 for nothing, uses of each limit, and what it brings."""
    (at,) = np.nonzero(choice >= 0)
    offer = choice[at]
    net, cost = block.look_up(at, offer)
    counts = np.bincount(offer, minlength=limits.n_offers)
    least = np.zeros(limits.n_segments)
    if block.segment is not None:
        least += np.bincount(block.segment[at], minlength=limits.n_segments)
    return np.concatenate([[cost.sum()], counts, [len(at)], -least]), float(net.sum())


def _bound_largest_change(block: CustomerChunk | CustomerPool, near: PriceRegion) -> np.ndarray:
    """(offers, 1) the largest swing: convex in the cost, it is at an end of what an offer costs."""
    kinds = len(near.center.min_contacts) if block.segment is not None else 1
    cost = np.repeat(np.stack(block.cost_range, axis=1), kinds, axis=1)
    segment = None if block.segment is None else np.tile(np.arange(kinds), 2)
    swing: np.ndarray = near.bound_change(cost, segment).max(axis=1, keepdims=True)
    return swing


def _choose(
    block: CustomerChunk | CustomerPool, near: PriceRegion, swing: np.ndarray, work: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(customers,) the best choice, −1 for nothing and where unsettled, and the unsettled."""
    value = block.apply_prices(near.center, work[:, : len(block)])
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


COOLING_FACTOR = 5.0
"""Times the temperature falls at a step."""
SMALL_POOL_CUSTOMERS = 500
"""A pool of so few customers is not worth making smaller."""
MAX_MOVE_TEMPERATURES = 8.0
"""Temperatures that a price moves at most while all of them fall."""
PRECISION_TEMPERATURES = 1e-2
"""Precision of the prices at each temperature."""


@dataclass(frozen=True)
class AnnealingState:
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
    point: DualPoint
    usage: np.ndarray
    net: float
    regions: tuple[PriceRegion, ...] = ()

    @property
    def upper_bound(self) -> float:
        """No plan within the limits brings more net value."""
        return self.net + self.dual.evaluate(self.point.prices)

    @property
    def n_undecided(self) -> float:
        """How many customers the shares leave without a clear choice."""
        return self.point.moments.n_undecided


@dataclass(frozen=True)
class TemperatureSchedule:
    """First and last temperature; annealing stops early at ``max_undecided`` customers."""

    start: float
    stop: float
    max_undecided: float = 0.0


def anneal(
    dual: Dual, start: np.ndarray, schedule: TemperatureSchedule, chosen: np.ndarray
) -> AnnealingState:
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
    state = AnnealingState(
        dual,
        minimise_smoothed(dual, start, schedule.start, PRECISION_TEMPERATURES),
        0.0 * start,
        0.0,
    )
    start = state.point.prices
    while state.n_undecided > schedule.max_undecided and state.point.temperature > schedule.stop:
        temperature = max(state.point.temperature / COOLING_FACTOR, schedule.stop)
        before, state = state.point, _lower_temperature(dual, state, start, temperature, chosen)
        start = state.point.prices + (state.point.prices - before.prices) / COOLING_FACTOR
    return state


def _lower_temperature(
    whole: Dual, state: AnnealingState, start: np.ndarray, temperature: float, chosen: np.ndarray
) -> AnnealingState:
    """The state at a lower temperature."""
    for inner in _candidate_states(whole, state, chosen):
        point = minimise_smoothed(inner.dual, start, temperature, PRECISION_TEMPERATURES)
        if all(region.contains(point.prices) for region in inner.regions):
            break
    return replace(inner, point=point)


def _candidate_states(
    whole: Dual, state: AnnealingState, chosen: np.ndarray
) -> Iterator[AnnealingState]:
    """The state with most customers settled, then with fewer and fewer."""
    begun = AnnealingState(whole, state.point, 0.0 * state.usage, 0.0)
    if len(whole.pool) > SMALL_POOL_CUSTOMERS:
        near = find_price_region(state)
        yield (
            fix_within(state, near, chosen)
            if len(state.dual.pool) > SMALL_POOL_CUSTOMERS
            else state
        )
        yield fix_within(begun, near.widen(8), chosen)
    yield begun


def find_price_region(state: AnnealingState) -> PriceRegion:
    """Prices that lower temperatures may lead to.

    The smoothed dual exceeds the dual by no more than the temperature times the entropy of its
    shares, which is about the number of the undecided; so the prices sought lie where it is
    higher than here by no more than that. Nor does any move by more than some temperatures.
    """
    point, limits = state.point, state.dual.limits
    bound = (point.prices <= state.dual.low) & (point.slack > state.n_undecided)
    free = np.flatnonzero((state.dual.high > 0) & ~bound)
    cut = np.ix_(free, free)
    curved = point.curvature[cut] / (2 * point.temperature * max(state.n_undecided, 1.0))
    far = state.dual.unit[free] * (MAX_MOVE_TEMPERATURES * point.temperature)
    shape = np.zeros((len(bound),) * 2)
    shape[cut] = invert_curvature(curved + np.diag(far**-2.0))
    return PriceRegion(Prices(point.prices, limits.n_offers), shape, np.zeros(len(bound)))


def fix_within(state: AnnealingState, near: PriceRegion, chosen: np.ndarray) -> AnnealingState:
    """The state without the customers whose choice is the same within a region of prices."""
    rest = fix_variables(state.dual.pool.iter_chunks(), near, state.dual.limits, chosen)
    inner = restrict_dual(state.dual, near, rest)
    used, net = state.usage + rest.usage, state.net + rest.net
    return AnnealingState(inner, state.point, used, net, (*state.regions, near))


def restrict_dual(dual: Dual, near: PriceRegion, rest: FixedVariables) -> Dual:
    """The dual of what is left to settle within a region of prices."""
    low, high = near.bounds
    limits = dual.limits.subtract(rest.usage)
    return Dual(rest.undecided, limits, np.maximum(low, dual.low), np.minimum(high, dual.high))
