"""Region of prices, and the customers whose best choice is the same throughout it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from retain.campaign.allocation.customer_pool import (
    CHUNK_CUSTOMERS,
    CustomerPool,
    Customers,
    concat_pools,
)
from retain.campaign.allocation.dual import Dual
from retain.campaign.allocation.limits import Limits, Prices


@dataclass(frozen=True)
class PriceRegion:
    """Prices ``center`` + x + y with x' shape_matrix⁻¹ x ≤ 1 and |y| ≤ half_width.

    An ellipsoid, flat where the shape is zero, extended to a box along some prices.

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

    def widen(self, factor: float) -> PriceRegion:
        """Return the region ``factor`` times as wide."""
        return PriceRegion(self.center, self.shape_matrix * factor**2, self.half_width * factor)

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """(limits,) lower and upper bounds for a search of prices in the region."""
        size = 2 * np.sqrt(self.shape_matrix.diagonal()) + 1.01 * self.half_width
        return np.maximum(self.center.vector - size, 0.0), self.center.vector + size

    def contains(self, prices: np.ndarray) -> bool:
        """Return whether prices (limits,) lie in the region."""
        shift, size = prices - self.center.vector, np.sqrt(self.shape_matrix.diagonal())
        if (np.abs(shift[size == 0]) > self.half_width[size == 0]).any():
            return False
        shape = self.shape_matrix[np.ix_(size > 0, size > 0)]
        shift, size = shift[size > 0], size[size > 0]
        scaled = shape / np.outer(size, size) + 1e-9 * np.eye(len(size))
        return bool(shift / size @ np.linalg.solve(scaled, shift / size) <= 1)

    def bound_change(self, cost: np.ndarray, segment: np.ndarray | None) -> np.ndarray:
        """Return the largest change of reduced values: √(usage' shape usage) + half_width.

        Shape (offers, customers), as the cost.
        """
        slope, rest = self._split_terms(segment)
        change: np.ndarray = cost * self.shape_matrix[0, 0]
        change += slope
        change *= cost
        change += rest
        np.abs(change, out=change)  # rounding may leave it below 0
        np.sqrt(change, out=change)
        change += self.half_width[1 : 1 + self.center.n_offers, None]
        return change

    def _split_terms(self, segment: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the terms of usage' shape usage linear in the cost, and those without it."""
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
    """Usage and net value of the customers whose choice is fixed, and the pool of the others."""

    usage: np.ndarray
    net: float
    undecided: CustomerPool


def fix_variables(
    chunks: Iterable[Customers], region: PriceRegion, limits: Limits, offer_index: np.ndarray
) -> FixedVariables:
    """Fix all customers whose best choice is the same at all prices of a region.

    Reduced values are linear in the prices, so each lies within its largest change. An offer whose
    lowest value exceeds the highest of all other choices is best throughout the region. One pass,
    in the memory of the undecided customers. The largest change within a chunk decides most
    customers, their own change the rest.

    Parameters
    ----------
    offer_index
        (customers of the whole problem,); the fixed choices are written into it.
    """
    usage, net, undecided = np.zeros(len(limits.upper)), 0.0, []
    buffer = np.empty((limits.n_offers, CHUNK_CUSTOMERS))
    for chunk in chunks:
        choice, open_index = _choose(chunk, region, _bound_largest_change(chunk, region), buffer)
        if len(open_index):
            pool = chunk.select(open_index)
            change = region.bound_change(pool.cost, pool.segment)
            choice[open_index], still_open = _choose(pool, region, change, buffer)
            if len(still_open):
                undecided.append(pool.select(still_open))
        offer_index[chunk.rows] = choice
        chunk_usage, chunk_net = compute_usage(chunk, choice, limits)
        usage += chunk_usage
        net += chunk_net
    return FixedVariables(usage, net, concat_pools(undecided, limits.n_offers))


def compute_usage(
    customers: Customers, choice: np.ndarray, limits: Limits
) -> tuple[np.ndarray, float]:
    """Return usage (limits,) and net value of a choice (customers,), −1 for no offer."""
    (index,) = np.nonzero(choice >= 0)
    offer = choice[index]
    net, cost = customers.look_up(index, offer)
    counts = np.bincount(offer, minlength=limits.n_offers)
    by_segment = np.zeros(limits.n_segments)
    if customers.segment is not None:
        by_segment += np.bincount(customers.segment[index], minlength=limits.n_segments)
    return np.concatenate([[cost.sum()], counts, [len(index)], -by_segment]), float(net.sum())


def restrict_dual(dual: Dual, region: PriceRegion, fixed: FixedVariables) -> Dual:
    """Return the dual of the undecided customers within a region of prices."""
    low, high = region.bounds
    limits = dual.limits.subtract(fixed.usage)
    return Dual(fixed.undecided, limits, np.maximum(low, dual.low), np.minimum(high, dual.high))


def _bound_largest_change(customers: Customers, region: PriceRegion) -> np.ndarray:
    """Return the largest change (offers, 1); convex in the cost, it is at an end of its range."""
    n_segments = len(region.center.min_contacts) if customers.segment is not None else 1
    cost = np.repeat(np.stack(customers.cost_range, axis=1), n_segments, axis=1)
    segment = None if customers.segment is None else np.tile(np.arange(n_segments), 2)
    largest: np.ndarray = region.bound_change(cost, segment).max(axis=1, keepdims=True)
    return largest


def _choose(
    customers: Customers, region: PriceRegion, change: np.ndarray, buffer: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best choice (customers,), −1 for none or undecided, and the undecided's index."""
    value = customers.apply_prices(region.center, buffer[:, : len(customers)])
    value -= change
    lowest = value.max(axis=0)
    np.maximum(lowest, 0.0, out=lowest)
    value += 2 * change
    possible = (value >= lowest).view(np.int8)
    n_possible = np.add.reduce(possible, axis=0, dtype=np.int8)
    n_possible += lowest <= 0
    possible *= np.arange(1, len(possible) + 1, dtype=np.int8)[:, None]
    best = np.maximum.reduce(possible, axis=0).astype(np.int16)
    best -= 1
    undecided = np.flatnonzero(n_possible != 1)
    best[undecided] = -1
    return best, undecided
