"""Prices of a whole problem, the bound they give, and the customers they leave undecided."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from retain.campaign.allocation.annealing import (
    COOLING_FACTOR,
    AnnealingState,
    TemperatureSchedule,
    anneal,
)
from retain.campaign.allocation.customer_pool import CustomerArrays, CustomerPool
from retain.campaign.allocation.dual import (
    Dual,
    DualPoint,
    compute_shares,
    evaluate_smoothed,
    invert_curvature,
)
from retain.campaign.allocation.limits import Limits, Prices
from retain.campaign.allocation.price_region import PriceRegion, fix_variables, restrict_dual

FIRST_SAMPLE_CUSTOMERS = 500
"""Size of the first sample."""
SAMPLE_GROWTH_FACTOR = 8
"""Ratio of the size of one sample to the one before."""
REGION_STANDARD_DEVIATIONS = 4.0
"""Half width of a region in every direction, in standard deviations of a sample's prices."""
MIN_SAMPLE_TEMPERATURE_SHARE = 1e-3
"""Lowest initial temperature, as a share of a typical net value."""
MIN_MARGINAL_CUSTOMERS = 10.0
"""Customers near the margin of a limit without whom the error of its price is unknown."""
ERROR_SAMPLE_CUSTOMERS = 8_000
"""Customers of a sample used to estimate errors."""


def choose_sample_sizes(n_customers: int) -> list[int]:
    """Return the sizes of the samples, in order.

    >>> [choose_sample_sizes(n_customers) for n_customers in (1_300, 100_000, 1_000_000)]
    [[], [500, 4000], [500, 4000, 32000]]
    """
    sizes = [FIRST_SAMPLE_CUSTOMERS * SAMPLE_GROWTH_FACTOR**i for i in range(4)]
    return [size for size in sizes if size * 20 <= n_customers]


def estimate_prices(
    arrays: CustomerArrays, limits: Limits, max_prices: np.ndarray, scale: float
) -> tuple[PriceRegion, float]:
    """Return a region that most likely holds the prices of all customers, and a temperature.

    Each sample starts from the prices of the one before, with the customers still undecided there.
    """
    random = np.random.default_rng(0)  # the problem's seed decides ties only
    zeros = np.zeros_like(max_prices)
    shape = np.diag((2 * scale * (max_prices > 0)) ** 2)
    region = PriceRegion(Prices(zeros, limits.n_offers), shape, zeros)
    temperature, last, scratch = 0.3 * scale, 0.01 * scale, np.zeros(len(arrays), dtype=np.int16)
    for size in choose_sample_sizes(len(arrays)):
        edges = np.linspace(0, len(arrays), size + 1).astype(np.intp)
        sample = arrays.select(random.integers(edges[:-1], edges[1:]))
        share = size / len(arrays)
        dual = restricted = Dual(sample, limits.scale(share), zeros, max_prices)
        if size > FIRST_SAMPLE_CUSTOMERS:
            fixed = fix_variables(sample.iter_chunks(), region, dual.limits, scratch)
            restricted = restrict_dual(dual, region, fixed)
        schedule = TemperatureSchedule(temperature, last)
        state = anneal(restricted, region.center.vector, schedule, scratch)
        region, deviation = _estimate_region(dual, state.point.prices, share, scale)
        temperature = max(deviation, MIN_SAMPLE_TEMPERATURE_SHARE * scale)
        last = temperature / COOLING_FACTOR
    return region, temperature


def _estimate_region(
    dual: Dual, prices: np.ndarray, share: float, scale: float
) -> tuple[PriceRegion, float]:
    """Return the likely region of all customers' prices, given those of a sample.

    The precision of an estimate that makes a sum over the sample zero is the sum's derivative
    around the inverse of the sum's covariance (Huber 1967).

    Returns
    -------
    tuple
        The region, and the standard deviation of a reduced value of those contacted.
    """
    unit, limits = dual.unit, dual.limits
    step = max(len(dual.pool) // ERROR_SAMPLE_CUSTOMERS, 1)
    part = replace(dual, pool=dual.pool.select(slice(None, None, step)))
    is_large = (dual.high > 0) & (np.abs(limits.finite_upper) * unit > 2 * MIN_MARGINAL_CUSTOMERS)
    point = _smooth_enough(part, prices, scale, (is_large * unit) ** 2 * step)
    covariance, curvature = point.moments.squares * step, point.curvature * step
    covariance += np.diag(unit**-2.0)
    slack = limits.finite_upper - point.moments.usage * step
    reach = (2 * scale * unit) ** -2.0
    change, shape = np.zeros(len(unit)), np.zeros_like(covariance)
    for _ in range(2):
        margin = REGION_STANDARD_DEVIATIONS * np.sqrt(covariance.diagonal()) + change
        at_zero = (prices <= 0) & (slack > margin)
        free = np.flatnonzero((dual.high > 0) & ~at_zero)
        index = np.ix_(free, free)
        precision = curvature[index] @ invert_curvature(covariance[index]) @ curvature[index]
        precision /= REGION_STANDARD_DEVIATIONS**2 * (1 - share)
        shape[index] = invert_curvature(precision + np.diag(reach[free]))
        change = np.sqrt(np.maximum(np.einsum("ij,jk,ki->i", curvature, shape, curvature), 0))
    n_contacted = max(float(point.moments.usage[1 + limits.n_offers]) * step, 1.0)
    variance = max(np.vdot(shape, covariance), 0.0) / n_contacted
    capacities = slice(1, 1 + limits.n_offers)
    scarce = np.flatnonzero(~is_large[capacities] & (dual.high[capacities] > 0))
    region = PriceRegion(Prices(prices, limits.n_offers), shape, np.zeros(len(unit)))
    deviation = np.sqrt(variance) / REGION_STANDARD_DEVIATIONS
    return _bound_scarce_offers(dual, region, scarce), deviation


def _smooth_enough(part: Dual, prices: np.ndarray, scale: float, weight: np.ndarray) -> DualPoint:
    """Return the coldest point at which every limit has enough customers near its margin."""
    for share in (0.01, 0.03, 0.1):
        point = evaluate_smoothed(part, prices, share * scale)
        n_marginal = point.curvature.diagonal() * (share * scale) * weight
        if n_marginal[weight > 0].min(initial=np.inf) >= MIN_MARGINAL_CUSTOMERS:
            break
    return point


def _bound_scarce_offers(dual: Dual, region: PriceRegion, scarce: np.ndarray) -> PriceRegion:
    """Return the region with the prices of scarce offers bounded by ranks.

    The price of an offer with few places is the gain of the last customer served over the best
    alternative. A sample has few such customers; ranks give bounds that need no curvature.
    """
    prices, shape = region.center.vector.copy(), region.shape_matrix.copy()
    half_width = region.half_width.copy()
    reduced = dual.pool.apply_prices(region.center) if len(scarce) else np.zeros(0)
    for offer in scarce:
        others = np.delete(reduced, offer, axis=0).max(axis=0, initial=0.0)
        gain = reduced[offer] + prices[1 + offer] - others
        low, high = _bound_by_rank(gain[np.isfinite(gain)], dual.limits.upper[1 + offer])
        shape[1 + offer], shape[:, 1 + offer] = 0.0, 0.0
        prices[1 + offer], half_width[1 + offer] = (low + high) / 2, (high - low) / 2
    return PriceRegion(Prices(prices, region.center.n_offers), shape, half_width)


def _bound_by_rank(gain: np.ndarray, rank: float) -> tuple[float, float]:
    """Return bounds of the gain at this rank, which may be below 1, among all customers."""
    deviations = REGION_STANDARD_DEVIATIONS
    last = int(rank + deviations * np.sqrt(rank) + 2 * deviations)
    top = np.sort(gain)[::-1][: last + 1]
    if not len(top):
        return 0.0, 0.0
    high = max(top[0] + 6 * (top[0] - top[-1]) / (1 + rank), 0.0)
    return min(max(float(top[-1]), 0.0), high), float(high)


SMALL_PROBLEM_CUSTOMERS = 10_000
"""Number of customers up to which a problem is solved without samples."""
MIN_TEMPERATURE_SHARE = 1e-8
"""Last temperature, as a share of a typical net value: smaller differences are ties."""
MAX_UNDECIDED_CUSTOMERS = 2.0
"""Number of undecided customers at which annealing stops."""
MAX_PASSES = 5
"""Passes over all customers before the problem is solved without a region."""


@dataclass(frozen=True)
class DualSolution:
    """Solution of the dual of a problem.

    Attributes
    ----------
    upper_bound
        Upper bound of the net value of every plan.
    usage, net
        Usage and net value of all customers outside the first pool, whose choice is fixed.
    shares
        (offers, customers) of the first pool.
    pools
        Pools of customers whose choice may change, smallest first; the first is the undecided.
    """

    upper_bound: float
    prices: Prices
    usage: np.ndarray
    net: float
    shares: np.ndarray
    pools: tuple[CustomerPool, ...]


def solve_dual(
    arrays: CustomerArrays,
    limits: Limits,
    max_prices: np.ndarray,
    scale: float,
    offer_index: np.ndarray,
) -> DualSolution:
    """Solve the dual of a problem.

    Parameters
    ----------
    max_prices
        (limits,) upper bound of each price.
    scale
        Typical net value.
    offer_index
        (customers,); the choices of all but the undecided are written into it.
    """
    zeros, last = np.zeros_like(max_prices), MIN_TEMPERATURE_SHARE * scale
    if len(arrays) <= SMALL_PROBLEM_CUSTOMERS:
        schedule = TemperatureSchedule(0.3 * scale, last, max_undecided=1.0)
        dual = Dual(arrays.select_all(), limits, zeros, max_prices)
        return _to_solution(anneal(dual, zeros, schedule, offer_index), 0.0, zeros, dual.pool)
    region, temperature = estimate_prices(arrays, limits, max_prices, scale)
    schedule = TemperatureSchedule(temperature, last, MAX_UNDECIDED_CUSTOMERS)
    start = region.center.vector
    for _ in range(MAX_PASSES):
        fixed = fix_variables(arrays.iter_chunks(), region, limits, offer_index)
        dual = restrict_dual(Dual(fixed.undecided, limits, zeros, max_prices), region, fixed)
        state = anneal(dual, start, schedule, offer_index)
        start = state.point.prices
        if region.contains(start) and not _find_blocked(state, max_prices).any():
            return _to_solution(state, fixed.net, fixed.usage, dual.pool)
        region = _move_region(region, state, max_prices, scale)
    dual = Dual(arrays.select_all(), limits, zeros, max_prices)
    return _to_solution(anneal(dual, start, schedule, offer_index), 0.0, zeros, dual.pool)


def _to_solution(
    state: AnnealingState, net: float, usage: np.ndarray, pool: CustomerPool
) -> DualSolution:
    prices = Prices(state.point.prices, state.dual.limits.n_offers)
    shares, _ = compute_shares(state.dual.pool, prices, state.point.temperature)
    pools, bound = (state.dual.pool, pool), net + state.upper_bound
    return DualSolution(bound, prices, usage + state.usage, net + state.net, shares, pools)


def _find_blocked(state: AnnealingState, max_prices: np.ndarray) -> np.ndarray:
    """Return the prices (limits,) that a region keeps from rising though a limit is exceeded."""
    dual, point = state.dual, state.point
    at_edge = (point.prices >= dual.high) & (dual.high < max_prices)
    return np.asarray(at_edge & (point.slack * dual.unit < -0.5))


def _move_region(
    region: PriceRegion, state: AnnealingState, max_prices: np.ndarray, scale: float
) -> PriceRegion:
    """Return a larger region around the new prices, open where a capacity's price hit an edge."""
    prices, center, n_offers = state.point.prices, region.center.vector, region.center.n_offers
    is_capacity = np.zeros(len(prices), dtype=bool)
    is_capacity[1 : 1 + n_offers] = True
    blocked, is_box = _find_blocked(state, max_prices), region.half_width > 0
    rising = (blocked & is_capacity) | (is_box & (prices >= center + region.half_width))
    falling = is_box & (prices <= center - region.half_width)
    low = np.where(is_box, center - region.half_width, prices) * ~falling
    high = np.where(rising, max_prices, center + region.half_width)
    shape = region.shape_matrix * (1.0 if (rising | falling).any() else 4.0)
    shape[rising], shape[:, rising] = 0.0, 0.0
    free = blocked & ~is_capacity
    shape[free, free] += (scale * state.dual.unit[free]) ** 2
    is_box |= rising
    half_width = np.where(is_box, (high - low) / 2, 0.0)
    moved = Prices(np.where(is_box, (high + low) / 2, prices), n_offers)
    return PriceRegion(moved, shape, half_width)
