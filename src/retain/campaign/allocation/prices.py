"""Prices of the limits, and the customers whose choice they leave open.

Where the prices lie within a box, the reduced value of an offer lies within an interval, and the
choice of most customers is the same throughout the box. So a sample tells about where the prices
lie, one pass over all customers fixes most of them, and the prices are those of the few others. If
these lie outside the box, the pass is taken again with a box around them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from retain.campaign.allocation.customer_pool import CustomerArrays, CustomerPool, concat_pools
from retain.campaign.allocation.dual import Dual, DualPoint, minimise_smoothed
from retain.campaign.allocation.limits import PlanLimits, Prices

MAX_POOL_CUSTOMERS = 15_000
"""Customers whose dual is solved as it is; of more, samples tell where the prices lie."""
MIN_SAMPLE_CUSTOMERS, SAMPLE_SHARE = 5_000, 0.02
"""Customers of each of two samples, and their share of all."""
MAX_LEFT_SHARE = 0.7
"""Share of undecided customers above which another box is not worth while."""
BOX_SAMPLE_DIFFERENCES = 2.0
"""Half width of the first box, in differences between the prices of two samples."""
MIN_BOX_SHARE = 2e-3
"""Smallest half width, as a share of the price that takes away a typical net value."""
BOX_MOVES = 2.0
"""Half width of a further box, in moves of the price since the box before."""
MAX_ATTEMPTS = 8
"""Boxes that prove too small before all customers are solved without one."""
FIRST_TEMPERATURE, LAST_TEMPERATURE = 0.3, 1e-8
"""First and last temperature, as shares of a typical net value."""
SAMPLE_TEMPERATURE = 3e-4
"""Last temperature of a sample, whose prices are less exact than that."""
COOLING_FACTOR = 5.0
"""Ratio of one temperature to the next."""
BOX_TEMPERATURES = 8.0
"""Half width of the box of lower temperatures, in temperatures."""
SMALL_POOL_CUSTOMERS = 500
"""Number of customers below which a pool is not reduced further."""
MAX_UNDECIDED_CUSTOMERS = 1.0
"""Number of undecided customers at which cooling stops."""
PRECISION_TEMPERATURES = 1e-2
"""Precision of the dual at each temperature, in temperatures."""


@dataclass(frozen=True)
class PriceBox:
    """Prices between ``low`` and ``high``, of shape (limits,)."""

    low: np.ndarray
    high: np.ndarray
    n_offers: int

    @classmethod
    def around(cls, prices: np.ndarray, half_width: np.ndarray, n_offers: int) -> PriceBox:
        """Return the box around prices (limits,), none below 0."""
        return cls(np.maximum(prices - half_width, 0.0), prices + half_width, n_offers)

    @property
    def middle(self) -> np.ndarray:
        """(limits,) the prices in the middle."""
        return np.asarray((self.low + self.high) / 2)

    def temperature(self, dual: Dual, scale: float) -> float:
        """Return a temperature at which prices move about as far as the box is wide."""
        half_width = float(np.mean((self.high - self.low) / 2 / dual.unit))
        return min(max(half_width, SAMPLE_TEMPERATURE * scale), FIRST_TEMPERATURE * scale)

    def contains(self, prices: np.ndarray) -> bool:
        """Return whether prices (limits,) lie in the box."""
        return bool(((self.low <= prices) & (prices <= self.high)).all())

    def bound_values(self, pool: CustomerPool) -> tuple[np.ndarray, np.ndarray]:
        """Return the lowest and highest reduced values (offers, customers) at prices of the box."""
        half = Prices((self.high - self.low) / 2, self.n_offers)
        middle = pool.apply_prices(Prices(self.middle, self.n_offers))
        change = pool.cost * half.budget
        change += half.per_offer
        if pool.segment is not None:
            change += half.min_contacts[pool.segment]
        low = middle - change
        middle += change
        return low, middle


@dataclass(frozen=True)
class FixedChoices:
    """Usage and net value of the customers whose choice is fixed, and the pool of the others."""

    usage: np.ndarray
    net: float
    undecided: CustomerPool

    def restrict(self, dual: Dual) -> Dual:
        """Return a dual of the undecided customers, with the limits that the fixed ones leave."""
        return replace(dual, pool=self.undecided, limits=dual.limits.subtract(self.usage))


def fix_choices(
    chunks: Iterable[CustomerPool],
    box: PriceBox,
    limits: PlanLimits,
    offer_index: np.ndarray | None = None,
) -> FixedChoices:
    """Fix the customers whose best choice is the same at all prices of a box.

    Parameters
    ----------
    offer_index
        (customers of the whole problem,) or None; the fixed choices are written into it.
    """
    usage, net, undecided = np.zeros(len(limits.upper)), 0.0, []
    for chunk in chunks:
        low, high = box.bound_values(chunk)
        surest = low.max(axis=0, initial=0.0)
        may_be_best = high >= surest
        n_possible = may_be_best.sum(axis=0) + (surest == 0)
        choice = np.where(may_be_best.any(axis=0), may_be_best.argmax(axis=0), -1).astype(np.int16)
        (open_index,) = np.nonzero(n_possible != 1)
        choice[open_index] = -1
        if offer_index is not None:
            offer_index[chunk.rows] = choice
        chunk_usage, chunk_net = chunk.compute_usage(choice, limits)
        usage += chunk_usage
        net += chunk_net
        if len(open_index):
            undecided.append(chunk.select(open_index))
    return FixedChoices(usage, net, concat_pools(undecided, limits.n_offers))


def anneal(dual: Dual, start: np.ndarray, first: float, last: float) -> DualPoint:
    """Return the minimum of a dual, from prices (limits,), as the temperature falls to ``last``.

    Between two temperatures, customers whose choice no nearby prices change are left out. If the
    prices leave such a box, the step is repeated with all customers.
    """
    point = minimise_smoothed(dual, start, first, PRECISION_TEMPERATURES)
    part, boxes = dual, list[PriceBox]()
    while point.temperature > last and point.n_undecided > MAX_UNDECIDED_CUSTOMERS:
        temperature = max(point.temperature / COOLING_FACTOR, last)
        if len(part.pool) > SMALL_POOL_CUSTOMERS:
            half_width = BOX_TEMPERATURES * point.temperature * dual.unit
            boxes.append(PriceBox.around(point.prices, half_width, dual.limits.n_offers))
            fixed = fix_choices(part.pool.iter_chunks(), boxes[-1], part.limits)
            part = fixed.restrict(part)
        cooler = minimise_smoothed(part, point.prices, temperature, PRECISION_TEMPERATURES)
        if not all(box.contains(cooler.prices) for box in boxes):
            part, boxes = dual, []
            cooler = minimise_smoothed(part, point.prices, temperature, PRECISION_TEMPERATURES)
        point = cooler
    return point


@dataclass(frozen=True)
class DualSolution:
    """Prices of a problem, the bound they give, and the customers they leave undecided.

    Attributes
    ----------
    upper_bound
        Upper bound of the net value of every plan.
    usage, net
        Usage and net value of all customers outside the pool, whose choice is fixed.
    """

    upper_bound: float
    prices: Prices
    usage: np.ndarray
    net: float
    pool: CustomerPool


def solve_dual(
    arrays: CustomerArrays,
    limits: PlanLimits,
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
        (customers,); the choices of all customers outside the pool are written into it.
    """
    some = arrays.select(np.arange(0, len(arrays), max(len(arrays) // 1000, 1)))
    whole = Dual(some, limits, max_prices)
    box, last = None, LAST_TEMPERATURE * scale
    for _ in range(MAX_ATTEMPTS):
        if len(arrays) <= MAX_POOL_CUSTOMERS:
            break
        box = box or estimate_box(arrays, whole, _open_box(whole, scale), scale)
        boxes, fixed = [box], fix_choices(arrays.iter_chunks(), box, limits, offer_index)
        dual, usage, net = fixed.restrict(whole), fixed.usage, fixed.net
        while len(dual.pool) > MAX_POOL_CUSTOMERS:
            inner = estimate_box(dual.pool, dual, boxes[-1], scale)
            fixed = fix_choices(dual.pool.iter_chunks(), inner, dual.limits, offer_index)
            if len(fixed.undecided) > MAX_LEFT_SHARE * len(dual.pool):
                break
            dual = fixed.restrict(dual)
            boxes.append(inner)
            usage, net = usage + fixed.usage, net + fixed.net
        prices = anneal(dual, boxes[-1].middle, boxes[-1].temperature(dual, scale), last).prices
        if all(one.contains(prices) for one in boxes):
            return _to_solution(dual, prices, usage, net)
        box = _move_box(box, prices, max_prices)
    dual = replace(whole, pool=arrays.select_all())
    prices = anneal(dual, np.zeros_like(max_prices), FIRST_TEMPERATURE * scale, last).prices
    return _to_solution(dual, prices, np.zeros_like(max_prices), 0.0)


def _open_box(dual: Dual, scale: float) -> PriceBox:
    """Return the box of prices about which nothing is known."""
    high = 2 * FIRST_TEMPERATURE * scale * dual.unit * (dual.max_prices > 0)
    return PriceBox(np.zeros_like(high), high, dual.limits.n_offers)


def estimate_box(
    customers: CustomerArrays | CustomerPool, dual: Dual, box: PriceBox, scale: float
) -> PriceBox:
    """Return a box that most likely holds the prices, by the difference of two samples' prices.

    ``dual`` has the limits of the customers; the search starts in the middle of ``box``.
    """
    random = np.random.default_rng(0)  # the problem's seed decides ties only
    size = max(MIN_SAMPLE_CUSTOMERS, int(SAMPLE_SHARE * len(customers)))
    edges = np.linspace(0, len(customers), size + 1).astype(np.intp)
    found, start, first = [], box.middle, box.temperature(dual, scale)
    for _ in range(2):
        pool = customers.select(random.integers(edges[:-1], edges[1:]))
        sample = replace(dual, pool=pool, limits=dual.limits.scale(size / len(customers)))
        start = anneal(sample, start, first, SAMPLE_TEMPERATURE * scale).prices
        found.append(start)
        unit = sample.unit
        first = min(first, 20 * SAMPLE_TEMPERATURE * scale)
    half_width = BOX_SAMPLE_DIFFERENCES * np.abs(found[1] - found[0])
    moving = (half_width / unit)[half_width > 0]
    least = max(float(np.median(moving)) if len(moving) else 0.0, MIN_BOX_SHARE * scale)
    half_width = np.maximum(half_width, least * unit) * (dual.max_prices > 0)
    return PriceBox.around((found[0] + found[1]) / 2, half_width, box.n_offers)


def _move_box(box: PriceBox, prices: np.ndarray, max_prices: np.ndarray) -> PriceBox:
    """Return a box around new prices, wide along those that moved out, or hit their bound."""
    width, move = (box.high - box.low) / 2, np.abs(prices - box.middle)
    moved = PriceBox.around(prices, np.where(move > width, BOX_MOVES * move, width), box.n_offers)
    low = np.where(prices >= max_prices, np.minimum(box.low, moved.low), moved.low)
    return PriceBox(low, np.minimum(moved.high, np.maximum(max_prices, prices)), box.n_offers)


def _to_solution(dual: Dual, prices: np.ndarray, usage: np.ndarray, net: float) -> DualSolution:
    bound = net + dual.evaluate(prices)
    return DualSolution(bound, Prices(prices, dual.limits.n_offers), usage, net, dual.pool)
