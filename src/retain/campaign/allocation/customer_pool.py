"""Net value and cost of each offer for each customer: all, in chunks, and selected pools."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from retain.campaign.allocation.limits import Prices

CHUNK_CUSTOMERS = 8192
"""Customers per chunk: arrays of a chunk by nine offers fit into a core's cache."""


@dataclass(frozen=True)
class CustomerPool:
    """Net value and cost of each offer for selected customers.

    Attributes
    ----------
    net
        (offers, customers), −inf where an offer may not be chosen.
    cost
        The same shape; finite.
    segment
        (customers,) index of the segment; None where no segment has a minimum.
    rows
        (customers,) their rows in the whole problem.
    """

    net: np.ndarray
    cost: np.ndarray
    segment: np.ndarray | None
    rows: np.ndarray

    def __len__(self) -> int:
        """Return the number of customers."""
        return int(self.net.shape[1])

    @property
    def cost_range(self) -> tuple[np.ndarray, np.ndarray]:
        """(offers,) lowest and highest cost of each offer."""
        return self.cost.min(axis=1), self.cost.max(axis=1)

    def select(self, index: np.ndarray | slice) -> CustomerPool:
        """Return the customers at an index of the pool."""
        segment = None if self.segment is None else self.segment[index]
        if isinstance(index, slice):
            return CustomerPool(self.net[:, index], self.cost[:, index], segment, self.rows[index])
        net, cost = self.net.take(index, axis=1), self.cost.take(index, axis=1)
        return CustomerPool(net, cost, segment, self.rows[index])

    def iter_chunks(self) -> Iterator[CustomerPool]:
        """Yield the pool in chunks."""
        for start in range(0, len(self), CHUNK_CUSTOMERS):
            yield self.select(slice(start, start + CHUNK_CUSTOMERS))

    def apply_prices(self, prices: Prices, out: np.ndarray | None = None) -> np.ndarray:
        """Return reduced values (offers, customers): net value less the price of the usage."""
        reduced: np.ndarray = np.multiply(self.cost, -prices.budget, out=out)
        reduced += self.net
        reduced -= prices.per_offer
        if self.segment is not None:
            reduced += prices.min_contacts[self.segment]
        return reduced

    def look_up(self, index: np.ndarray, offer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return net value and cost of one offer for each customer of an index."""
        return self.net[offer, index], self.cost[offer, index]

    def sum_by_segment(self, amounts: np.ndarray, n_segments: int) -> np.ndarray:
        """Return sums (segments,) of amounts (customers,)."""
        if self.segment is None:
            return np.zeros(n_segments)
        return np.bincount(self.segment, amounts, n_segments)


def concat_pools(pools: list[CustomerPool], n_offers: int) -> CustomerPool:
    """Return one pool of the customers of several."""
    if not pools:
        empty = np.zeros((n_offers, 0))
        return CustomerPool(empty, empty, None, np.zeros(0, dtype=np.intp))
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
        (customers, offers) True where an offer may be chosen; None is everywhere.
    available
        (offers,) True for offers open to any customer.
    max_cost
        Highest cost of one choice.
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
        """Return the number of customers."""
        return len(self.net)

    def select(self, rows: np.ndarray) -> CustomerPool:
        """Return the customers of these rows, with −inf for offers they may not get."""
        net = np.ascontiguousarray(_mask_ineligible(self, rows, self.net[rows]).T)
        net[~self.available] = -np.inf
        cost = self.cost[rows].T if self.cost.ndim == 2 else self.cost[:, None]
        cost = np.ascontiguousarray(np.broadcast_to(cost, net.shape))
        segment = None if self.segment is None else self.segment[rows]
        return CustomerPool(net, cost, segment, rows)

    def select_all(self) -> CustomerPool:
        """Return all customers."""
        return self.select(np.arange(len(self)))

    def iter_chunks(self) -> Iterator[CustomerChunk]:
        """Yield all customers in chunks."""
        for start in range(0, len(self), CHUNK_CUSTOMERS):
            yield CustomerChunk(self, slice(start, min(start + CHUNK_CUSTOMERS, len(self))))


@dataclass(frozen=True)
class CustomerChunk:
    """Consecutive customers, a view that has the methods of a pool."""

    arrays: CustomerArrays
    rows: slice

    def __len__(self) -> int:
        """Return the number of customers."""
        return int(self.rows.stop - self.rows.start)

    @property
    def segment(self) -> np.ndarray | None:
        """(customers,) index of the segment, as in a pool."""
        return None if self.arrays.segment is None else self.arrays.segment[self.rows]

    @property
    def cost_range(self) -> tuple[np.ndarray, np.ndarray]:
        """(offers,) lowest and highest cost of each offer."""
        if self.arrays.cost.ndim == 1:
            return self.arrays.cost, self.arrays.cost
        cost = self.arrays.cost[self.rows]
        n_wide = len(cost) // 16 * 16  # reducing 16 rows side by side is several times faster
        wide = cost[:n_wide].reshape(-1, 16 * cost.shape[1]) if n_wide else cost
        ends = (wide.min(axis=0), wide.max(axis=0), cost[n_wide:])
        rows = np.concatenate([end.reshape(-1, cost.shape[1]) for end in ends])
        return rows.min(axis=0), rows.max(axis=0)

    def select(self, index: np.ndarray) -> CustomerPool:
        """Return the customers at an index of the chunk as a pool."""
        return self.arrays.select(self.rows.start + index)

    def apply_prices(self, prices: Prices, out: np.ndarray) -> np.ndarray:
        """Return reduced values (offers, customers): net value less the price of the usage."""
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

    def look_up(self, index: np.ndarray, offer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return net value and cost of one offer for each customer of an index."""
        flat = index * len(self.arrays.available) + offer
        net, cost = self.arrays.net[self.rows].reshape(-1), self.arrays.cost
        selected = cost[offer] if cost.ndim == 1 else cost[self.rows].reshape(-1).take(flat)
        return net.take(flat), selected


Customers = CustomerChunk | CustomerPool


def _mask_ineligible(
    arrays: CustomerArrays, rows: np.ndarray | slice, values: np.ndarray
) -> np.ndarray:
    """Return values (customers, offers), −inf where an offer may not be chosen."""
    if arrays.eligible is not None:
        sign = arrays.eligible[rows].view(np.int8) * np.int8(2)
        sign -= np.int8(1)
        values = np.minimum(values, sign * np.inf)  # several times faster than where()
    if arrays.max_cost < np.inf:
        values = np.where(arrays.cost[rows] > arrays.max_cost, -np.inf, values)
    return values
