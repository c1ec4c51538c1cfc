"""The prices of a whole problem, the bound they give, and the customers they leave undecided."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from retain.campaign.allocation.annealing import (
    COOLING_FACTOR,
    AnnealingState,
    PriceRegion,
    TemperatureSchedule,
    anneal,
    fix_variables,
    restrict_dual,
)
from retain.campaign.allocation.dual import (
    Dual,
    DualPoint,
    compute_shares,
    evaluate_smoothed,
    invert_curvature,
)
from retain.campaign.allocation.limits import Limits, Prices
from retain.campaign.allocation.pool import CustomerArrays, CustomerPool

FIRST_SAMPLE_CUSTOMERS = 500
"""Customers in the first sample."""
SAMPLE_GROWTH_FACTOR = 8
"""Times that each further sample is as large as the one before."""
REGION_STANDARD_DEVIATIONS = 4.0
"""Standard deviations of a sample's prices that the region reaches in every direction."""
MIN_SAMPLE_TEMPERATURE_SHARE = 1e-3
"""Share of a usual net value below which no temperature begins."""
MIN_MARGINAL_CUSTOMERS = 10.0
"""Customers near the margin of a limit by whom the error of its price is known."""
ERROR_SAMPLE_CUSTOMERS = 8_000
"""Customers of a sample by whom errors are measured."""


def choose_sample_sizes(customers: int) -> list[int]:
    """Sizes of the samples taken one after the other.

    >>> [choose_sample_sizes(customers) for customers in (1_300, 100_000, 1_000_000)]
    [[], [500, 4000], [500, 4000, 32000]]
    """
    return [
        FIRST_SAMPLE_CUSTOMERS * SAMPLE_GROWTH_FACTOR**i
        for i in range(4)
        if FIRST_SAMPLE_CUSTOMERS * SAMPLE_GROWTH_FACTOR**i * 20 <= customers
    ]


def estimate_prices(
    cells: CustomerArrays, limits: Limits, highest: np.ndarray, scale: float
) -> tuple[PriceRegion, float]:
    """A region in which the prices of all customers lie most likely, and a temperature.

    Each sample starts where the one before ended, among the customers whose choice is then open.
    """
    random = np.random.default_rng(0)  # ties alone are the seed's to decide
    far = np.diag((2 * scale * (highest > 0)) ** 2)
    near = PriceRegion(Prices(np.zeros_like(highest), limits.n_offers), far, np.zeros_like(highest))
    temperature, last, scratch = 0.3 * scale, 0.01 * scale, np.zeros(len(cells), dtype=np.int16)
    for size in choose_sample_sizes(len(cells)):
        edges = np.linspace(0, len(cells), size + 1).astype(np.intp)
        sample = cells.select(random.integers(edges[:-1], edges[1:]))
        share = size / len(cells)
        whole = Dual(sample, limits.scale(share), np.zeros_like(highest), highest)
        inner = whole
        if size > FIRST_SAMPLE_CUSTOMERS:
            rest = fix_variables(sample.iter_chunks(), near, whole.limits, scratch)
            inner = restrict_dual(whole, near, rest)
        state = anneal(inner, near.center.vector, TemperatureSchedule(temperature, last), scratch)
        near, swing = _estimate_region(whole, state.point.prices, share, scale)
        temperature = max(swing, MIN_SAMPLE_TEMPERATURE_SHARE * scale)
        last = temperature / COOLING_FACTOR
    return near, temperature


def _estimate_region(
    whole: Dual, prices: np.ndarray, share: float, scale: float
) -> tuple[PriceRegion, float]:
    """What the prices of all customers most likely lie in, by those of a sample.

    Of an estimate that makes a sum over the sample zero, the precision is the sum's derivative
    around the inverse of the sum's covariance (Huber 1967).

    Returns
    -------
    tuple
        The region, and the standard deviation of a reduced value of those contacted.
    """
    unit, times, limits = (
        whole.unit,
        max(len(whole.pool) // ERROR_SAMPLE_CUSTOMERS, 1),
        whole.limits,
    )
    part = replace(whole, pool=whole.pool.select(slice(None, None, times)))
    told = (whole.high > 0) & (np.abs(limits.finite_upper) * unit > 2 * MIN_MARGINAL_CUSTOMERS)
    point = _smooth_enough(part, prices, scale, (told * unit) ** 2 * times)
    spread, curved = point.moments.squares * times, point.curvature * times
    spread += np.diag(unit**-2.0)
    slack = limits.finite_upper - point.moments.usage * times
    far = (2 * scale * unit) ** -2.0
    swayed, shape = np.zeros(len(unit)), np.zeros_like(spread)
    for _ in range(2):
        bound = (prices <= 0) & (
            slack > REGION_STANDARD_DEVIATIONS * np.sqrt(spread.diagonal()) + swayed
        )
        free = np.flatnonzero((whole.high > 0) & ~bound)
        cut = np.ix_(free, free)
        precision = curved[cut] @ invert_curvature(spread[cut]) @ curved[cut]
        precision /= REGION_STANDARD_DEVIATIONS**2 * (1 - share)
        shape[cut] = invert_curvature(precision + np.diag(far[free]))
        swayed = np.sqrt(np.maximum(np.einsum("ij,jk,ki->i", curved, shape, curved), 0))
    contacted = max(float(point.moments.usage[1 + limits.n_offers]) * times, 1.0)
    swing = np.sqrt(max(np.vdot(shape, spread), 0.0) / contacted) / REGION_STANDARD_DEVIATIONS
    places = slice(1, 1 + limits.n_offers)
    scarce = np.flatnonzero(~told[places] & (whole.high[places] > 0))
    region = PriceRegion(Prices(prices, limits.n_offers), shape, np.zeros(len(unit)))
    return _bound_scarce_offers(whole, region, scarce), swing


def _smooth_enough(part: Dual, prices: np.ndarray, scale: float, weight: np.ndarray) -> DualPoint:
    """The coldest point at which every limit has enough customers near its margin."""
    for share in (0.01, 0.03, 0.1):
        point = evaluate_smoothed(part, prices, share * scale)
        near = point.curvature.diagonal() * (share * scale) * weight
        if near[weight > 0].min(initial=np.inf) >= MIN_MARGINAL_CUSTOMERS:
            break
    return point


def _bound_scarce_offers(whole: Dual, near: PriceRegion, scarce: np.ndarray) -> PriceRegion:
    """The region with the prices of scarce offers by ranks instead.

    The price of an offer with few places is what the last one served gains by it over the best
    else. Of a sample that holds but some such customers, ranks give bounds that need no curvature.
    """
    prices, shape, aside = (
        near.center.vector.copy(),
        near.shape_matrix.copy(),
        near.half_width.copy(),
    )
    reduced = whole.pool.apply_prices(near.center) if len(scarce) else np.zeros(0)
    for offer in scarce:
        others = np.delete(reduced, offer, axis=0).max(axis=0, initial=0.0)
        gain = reduced[offer] + prices[1 + offer] - others
        low, high = _bound_by_rank(gain[np.isfinite(gain)], whole.limits.upper[1 + offer])
        shape[1 + offer], shape[:, 1 + offer] = 0.0, 0.0
        prices[1 + offer], aside[1 + offer] = (low + high) / 2, (high - low) / 2
    return PriceRegion(Prices(prices, near.center.n_offers), shape, aside)


def _bound_by_rank(gain: np.ndarray, rank: float) -> tuple[float, float]:
    """Between what the gain of this rank lies, which may be less than one, among all customers."""
    below = int(rank + REGION_STANDARD_DEVIATIONS * np.sqrt(rank) + 2 * REGION_STANDARD_DEVIATIONS)
    top = np.sort(gain)[::-1][: below + 1]
    if not len(top):
        return 0.0, 0.0
    high = max(top[0] + 6 * (top[0] - top[-1]) / (1 + rank), 0.0)
    return min(max(float(top[-1]), 0.0), high), float(high)


SMALL_PROBLEM_CUSTOMERS = 10_000
"""Problems of fewer customers are looked at whole, without samples."""
MIN_TEMPERATURE_SHARE = 1e-8
"""Share of a usual net value below which customers count as worth the same."""
MAX_UNDECIDED_CUSTOMERS = 2.0
"""Customers who may be left undecided."""
MAX_PASSES = 5
"""Passes over all customers at most, should samples have misled."""


@dataclass(frozen=True)
class DualSolution:
    """What the dual says of a problem.

    Attributes
    ----------
    upper_bound
        No plan brings more.
    used, net
        What all use and bring who are not in the first pool: their choice is settled.
    shares
        (offers, customers) those of the first pool.
    pools
        Ever more customers who may be moved, those undecided first.
    """

    upper_bound: float
    prices: Prices
    usage: np.ndarray
    net: float
    shares: np.ndarray
    pools: tuple[CustomerPool, ...]


def solve_dual(
    cells: CustomerArrays, limits: Limits, highest: np.ndarray, scale: float, chosen: np.ndarray
) -> DualSolution:
    """The dual of a problem.

    Parameters
    ----------
    highest
        (limits,) the most a price may be.
    scale
        A usual net value.
    chosen
        (customers,); the choice of all but the undecided is written into it.
    """
    lowest = np.zeros_like(highest)
    last = MIN_TEMPERATURE_SHARE * scale
    if len(cells) <= SMALL_PROBLEM_CUSTOMERS:
        whole = Dual(cells.select_all(), limits, lowest, highest)
        state = anneal(
            whole, lowest, TemperatureSchedule(0.3 * scale, last, max_undecided=1.0), chosen
        )
        return _to_solution(state, 0.0, 0.0 * lowest, whole.pool)
    near, temperature = estimate_prices(cells, limits, highest, scale)
    schedule = TemperatureSchedule(temperature, last, MAX_UNDECIDED_CUSTOMERS)
    start = near.center.vector
    for _ in range(MAX_PASSES):
        rest = fix_variables(cells.iter_chunks(), near, limits, chosen)
        whole = restrict_dual(Dual(rest.undecided, limits, lowest, highest), near, rest)
        state = anneal(whole, start, schedule, chosen)
        if near.contains(state.point.prices) and not _find_blocked(state, highest).any():
            return _to_solution(state, rest.net, rest.usage, whole.pool)
        start = state.point.prices
        near = _move_region(near, state, highest, scale)
    whole = Dual(cells.select_all(), limits, lowest, highest)
    state = anneal(whole, start, schedule, chosen)
    return _to_solution(state, 0.0, 0.0 * lowest, whole.pool)


def _to_solution(
    state: AnnealingState, net: float, used: np.ndarray, pool: CustomerPool
) -> DualSolution:
    prices = Prices(state.point.prices, state.dual.limits.n_offers)
    share, _ = compute_shares(state.dual.pool, prices, state.point.temperature)
    pools = (state.dual.pool, pool)
    bound = net + state.upper_bound
    return DualSolution(bound, prices, used + state.usage, net + state.net, share, pools)


def _find_blocked(state: AnnealingState, highest: np.ndarray) -> np.ndarray:
    """(limits,) the prices that a region keeps from rising though a contact is too much."""
    dual, point = state.dual, state.point
    kept = (point.prices >= dual.high) & (dual.high < highest)
    return np.asarray(kept & (point.slack * dual.unit < -0.5))


def _move_region(
    near: PriceRegion, state: AnnealingState, highest: np.ndarray, scale: float
) -> PriceRegion:
    """The region around the prices found; larger, or, where a place met its edge, open there."""
    found, middle, offers = state.point.prices, near.center.vector, near.center.n_offers
    place = np.zeros(len(found), dtype=bool)
    place[1 : 1 + offers] = True
    pressed, boxed = _find_blocked(state, highest), near.half_width > 0
    rising = (pressed & place) | (boxed & (found >= middle + near.half_width))
    sinking = boxed & (found <= middle - near.half_width)
    low = np.where(boxed, middle - near.half_width, found) * ~sinking
    high = np.where(rising, highest, middle + near.half_width)
    shape = near.shape_matrix * (1.0 if (rising | sinking).any() else 4.0)
    shape[rising], shape[:, rising] = 0.0, 0.0
    free = pressed & ~place
    shape[free, free] += (scale * state.dual.unit[free]) ** 2
    boxed |= rising
    aside = np.where(boxed, (high - low) / 2, 0.0)
    return PriceRegion(Prices(np.where(boxed, (high + low) / 2, found), offers), shape, aside)
