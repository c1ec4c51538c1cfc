"""Customers and what each offer brings and costs with each, offer by offer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from retain.campaign.allocation.limits import Prices

CHUNK_CUSTOMERS = 8192
"""Customers looked at together: what is made of so many by nine stays in a core's cache."""


@dataclass(frozen=True)
class CustomerPool:
    """Net value and cost of each offer for each of some customers.

    Attributes
    ----------
    net
        (offers, customers), −inf where an offer may not be chosen.
    cost
        The same shape; finite.
    segment
        (customers,) index of the segment; None where no segment has a minimum.
    rows
        (customers,) their places in the whole problem.
    """

    net: np.ndarray
    cost: np.ndarray
    segment: np.ndarray | None
    rows: np.ndarray

    def __len__(self) -> int:
        """The number of customers."""
        return int(self.net.shape[1])

    @property
    def cost_range(self) -> tuple[np.ndarray, np.ndarray]:
        """(offers,) the least and the most each offer costs."""
        return self.cost.min(axis=1), self.cost.max(axis=1)

    def select(self, which: np.ndarray | slice) -> CustomerPool:
        """The customers at these places of the pool."""
        segment = None if self.segment is None else self.segment[which]
        if isinstance(which, slice):
            return CustomerPool(self.net[:, which], self.cost[:, which], segment, self.rows[which])
        net, cost = self.net.take(which, axis=1), self.cost.take(which, axis=1)
        return CustomerPool(net, cost, segment, self.rows[which])

    def iter_chunks(self) -> Iterator[CustomerPool]:
        """The pool by and by, few customers at a time."""
        for start in range(0, len(self), CHUNK_CUSTOMERS):
            yield self.select(slice(start, start + CHUNK_CUSTOMERS))

    def apply_prices(self, prices: Prices, out: np.ndarray | None = None) -> np.ndarray:
        """(offers, customers) net value less the price of all that an offer uses."""
        reduced: np.ndarray = np.multiply(self.cost, -prices.budget, out=out)
        reduced += self.net
        reduced -= prices.per_offer
        if self.segment is not None:
            reduced += prices.min_contacts[self.segment]
        return reduced

    def look_up(self, at: np.ndarray, offer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Net value and cost of these offers to the customers at these places."""
        return self.net[offer, at], self.cost[offer, at]

    def sum_by_segment(self, amounts: np.ndarray, segments: int) -> np.ndarray:
        """(segments,) sums of amounts (customers,)."""
        if self.segment is None:
            return np.zeros(segments)
        return np.bincount(self.segment, amounts, segments)


def concat_pools(pools: list[CustomerPool], offers: int) -> CustomerPool:
    """One pool of all the customers of several."""
    if not pools:
        none = np.zeros((offers, 0))
        return CustomerPool(none, none, None, np.zeros(0, dtype=np.intp))
    segments = [pool.segment for pool in pools if pool.segment is not None]
    return CustomerPool(
        np.concatenate([pool.net for pool in pools], axis=1),
        np.concatenate([pool.cost for pool in pools], axis=1),
        np.concatenate(segments) if segments else None,
        np.concatenate([pool.rows for pool in pools]),
    )


@dataclass(frozen=True)
class CustomerArrays:
    """All customers of a problem.

    Attributes
    ----------
    net
        (customers, offers).
    cost
        The same shape, or (offers,).
    eligible
        (customers, offers) where an offer may be chosen at all; None is everywhere.
    available
        (offers,) which may be chosen by anybody.
    max_cost
        The most one choice may cost.
    segment
        (customers,) or None, as in a pool.
    """

    net: np.ndarray
    cost: np.ndarray
    eligible: np.ndarray | None
    available: np.ndarray
    max_cost: float
    segment: np.ndarray | None

    def __len__(self) -> int:
        """The number of customers."""
        return len(self.net)

    def select(self, rows: np.ndarray) -> CustomerPool:
        """These customers, what none of them may choose closed."""
        net = np.ascontiguousarray(_mask_ineligible(self, rows, self.net[rows]).T)
        net[~self.available] = -np.inf
        cost = self.cost[rows].T if self.cost.ndim == 2 else self.cost[:, None]
        cost = np.ascontiguousarray(np.broadcast_to(cost, net.shape))
        segment = None if self.segment is None else self.segment[rows]
        return CustomerPool(net, cost, segment, rows)

    def select_all(self) -> CustomerPool:
        """All customers at once."""
        return self.select(np.arange(len(self)))

    def iter_chunks(self) -> Iterator[CustomerChunk]:
        """All customers by and by, few at a time."""
        for start in range(0, len(self), CHUNK_CUSTOMERS):
            yield CustomerChunk(self, slice(start, min(start + CHUNK_CUSTOMERS, len(self))))


@dataclass(frozen=True)
class CustomerChunk:
    """Consecutive customers, with what a pass over them asks; a pool answers the same."""

    arrays: CustomerArrays
    rows: slice

    def __len__(self) -> int:
        """The number of customers."""
        return int(self.rows.stop - self.rows.start)

    @property
    def segment(self) -> np.ndarray | None:
        """(customers,) index of the segment, as in a pool."""
        return None if self.arrays.segment is None else self.arrays.segment[self.rows]

    @property
    def cost_range(self) -> tuple[np.ndarray, np.ndarray]:
        """(offers,) the least and the most each offer costs."""
        if self.arrays.cost.ndim == 1:
            return self.arrays.cost, self.arrays.cost
        cost = self.arrays.cost[self.rows]
        many = len(cost) // 16 * 16  # rows side by side are reduced several times as fast
        wide = cost[:many].reshape(-1, 16 * cost.shape[1]) if many else cost
        ends = (wide.min(axis=0), wide.max(axis=0), cost[many:])
        rows = np.concatenate([one.reshape(-1, cost.shape[1]) for one in ends])
        return rows.min(axis=0), rows.max(axis=0)

    def select(self, which: np.ndarray) -> CustomerPool:
        """The customers at these places as a pool."""
        return self.arrays.select(self.rows.start + which)

    def apply_prices(self, prices: Prices, out: np.ndarray) -> np.ndarray:
        """(offers, customers) net value less the price of all that an offer uses."""
        net, cost = self.arrays.net[self.rows], self.arrays.cost
        if cost.ndim == 2:
            flat = cost[self.rows] * -prices.budget
            flat += net
            out[:] = _mask_ineligible(self.arrays, self.rows, flat).T
            out -= prices.per_offer
        else:
            out[:] = _mask_ineligible(self.arrays, self.rows, net).T
            out -= prices.per_offer + (cost * prices.budget)[:, None]
        out[~self.arrays.available] = -np.inf
        if self.segment is not None:
            out += prices.min_contacts[self.segment]
        return out

    def look_up(self, at: np.ndarray, offer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Net value and cost of these offers to the customers at these places."""
        place = at * len(self.arrays.available) + offer
        net, cost = self.arrays.net[self.rows].reshape(-1), self.arrays.cost
        paid = cost[offer] if cost.ndim == 1 else cost[self.rows].reshape(-1).take(place)
        return net.take(place), paid


def _mask_ineligible(
    cells: CustomerArrays, rows: np.ndarray | slice, values: np.ndarray
) -> np.ndarray:
    """Values (customers, offers), −inf where an offer may not be chosen."""
    if cells.eligible is not None:
        sign = cells.eligible[rows].view(np.int8) * np.int8(2)
        sign -= np.int8(1)
        values = np.minimum(values, sign * np.inf)  # where() takes several times as long
    if cells.max_cost < np.inf:
        values = np.where(cells.cost[rows] > cells.max_cost, -np.inf, values)
    return values
