"""Prices of the limits as the temperature falls, over ever fewer customers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from retain.campaign.allocation.dual import Dual, DualPoint, invert_curvature, minimise_smoothed
from retain.campaign.allocation.limits import Prices
from retain.campaign.allocation.price_region import PriceRegion, fix_variables, restrict_dual

COOLING_FACTOR = 5.0
"""Ratio of one temperature to the next."""
SMALL_POOL_CUSTOMERS = 500
"""Number of customers below which a pool is not reduced further."""
MAX_MOVE_TEMPERATURES = 8.0
"""Largest move of a price, in temperatures, while all of them fall."""
PRECISION_TEMPERATURES = 1e-2
"""Precision of the dual at each temperature, in temperatures."""


@dataclass(frozen=True)
class AnnealingState:
    """State of the annealing at one temperature.

    Attributes
    ----------
    dual, point
        The dual of the undecided customers, and its minimum.
    usage, net
        Usage and net value of the customers fixed so far.
    regions
        Prices at which they are fixed correctly.
    """

    dual: Dual
    point: DualPoint
    usage: np.ndarray
    net: float
    regions: tuple[PriceRegion, ...] = ()

    @property
    def upper_bound(self) -> float:
        """Upper bound of the net value of every plan within the limits."""
        return self.net + self.dual.evaluate(self.point.prices)

    @property
    def n_undecided(self) -> float:
        """Number of customers without a clear choice."""
        return self.point.moments.n_undecided


@dataclass(frozen=True)
class TemperatureSchedule:
    """First and last temperature; annealing stops early at ``max_undecided`` customers."""

    start: float
    stop: float
    max_undecided: float = 0.0


def anneal(
    dual: Dual, start: np.ndarray, schedule: TemperatureSchedule, offer_index: np.ndarray
) -> AnnealingState:
    """Lower the temperature of a dual until few customers are undecided.

    Between two temperatures, customers whose choice no nearby prices change are fixed. If the
    region of these prices proves too small, the step is repeated in a larger one, and at last with
    all customers.

    Parameters
    ----------
    start
        (limits,) initial prices.
    offer_index
        (customers of the whole problem,); fixed choices are written into it.
    """
    point = minimise_smoothed(dual, start, schedule.start, PRECISION_TEMPERATURES)
    state = AnnealingState(dual, point, 0.0 * start, 0.0)
    start = state.point.prices
    while state.n_undecided > schedule.max_undecided and state.point.temperature > schedule.stop:
        temperature = max(state.point.temperature / COOLING_FACTOR, schedule.stop)
        before = state.point
        state = _lower_temperature(dual, state, start, temperature, offer_index)
        start = state.point.prices + (state.point.prices - before.prices) / COOLING_FACTOR
    return state


def _lower_temperature(
    whole: Dual,
    state: AnnealingState,
    start: np.ndarray,
    temperature: float,
    offer_index: np.ndarray,
) -> AnnealingState:
    for candidate in _candidate_states(whole, state, offer_index):
        point = minimise_smoothed(candidate.dual, start, temperature, PRECISION_TEMPERATURES)
        if all(region.contains(point.prices) for region in candidate.regions):
            break
    return replace(candidate, point=point)


def _candidate_states(
    whole: Dual, state: AnnealingState, offer_index: np.ndarray
) -> Iterator[AnnealingState]:
    """Yield the state with most customers fixed, then with fewer and fewer."""
    initial = AnnealingState(whole, state.point, 0.0 * state.usage, 0.0)
    if len(whole.pool) > SMALL_POOL_CUSTOMERS:
        region, is_small = _find_region(state), len(state.dual.pool) <= SMALL_POOL_CUSTOMERS
        yield state if is_small else _fix_within(state, region, offer_index)
        yield _fix_within(initial, region.widen(8), offer_index)
    yield initial


def _find_region(state: AnnealingState) -> PriceRegion:
    """Return the prices that lower temperatures may lead to.

    The smoothed dual exceeds the dual by at most the temperature times the entropy of its shares,
    which is about the number of the undecided. So the minimum lies where the smoothed dual is
    higher than here by at most that. No price moves by more than a few temperatures either.
    """
    point, limits = state.point, state.dual.limits
    at_bound = (point.prices <= state.dual.low) & (point.slack > state.n_undecided)
    free = np.flatnonzero((state.dual.high > 0) & ~at_bound)
    index = np.ix_(free, free)
    curvature = point.curvature[index] / (2 * point.temperature * max(state.n_undecided, 1.0))
    reach = state.dual.unit[free] * (MAX_MOVE_TEMPERATURES * point.temperature)
    shape = np.zeros((len(at_bound),) * 2)
    shape[index] = invert_curvature(curvature + np.diag(reach**-2.0))
    return PriceRegion(Prices(point.prices, limits.n_offers), shape, np.zeros(len(at_bound)))


def _fix_within(
    state: AnnealingState, region: PriceRegion, offer_index: np.ndarray
) -> AnnealingState:
    """Return the state without the customers whose choice is the same within a region."""
    chunks = state.dual.pool.iter_chunks()
    fixed = fix_variables(chunks, region, state.dual.limits, offer_index)
    dual = restrict_dual(state.dual, region, fixed)
    usage, net = state.usage + fixed.usage, state.net + fixed.net
    return AnnealingState(dual, state.point, usage, net, (*state.regions, region))
