"""Net value and cost of each offer for each customer: all, in chunks, and selected pools."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from retain.campaign.allocation.limits import PlanLimits, Prices

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

    @classmethod
    def empty(cls, n_offers: int) -> CustomerPool:
        """Return a pool of no customers."""
        return cls(*2 * (np.zeros((n_offers, 0)),), None, np.zeros(0, dtype=np.intp))

    def __len__(self) -> int:
        """Return the number of customers."""
        return int(self.net.shape[1])

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

    def apply_prices(self, prices: Prices) -> np.ndarray:
        """Return reduced values (offers, customers): net value less the price of the usage."""
        reduced: np.ndarray = self.cost * -prices.budget
        reduced += self.net
        reduced -= prices.per_offer
        if self.segment is not None:
            reduced += prices.min_contacts[self.segment]
        return reduced

    def with_no_offer(self, values: np.ndarray) -> np.ndarray:
        """Return values (offers, customers) with a last row of zeros: those of no offer."""
        return np.vstack([values, np.zeros(len(self))])

    def sum_by_segment(self, amounts: np.ndarray, n_segments: int) -> np.ndarray:
        """Return sums (segments,) of amounts (customers,)."""
        if self.segment is None:
            return np.zeros(n_segments)
        return np.bincount(self.segment, amounts, n_segments)

    def compute_usage(self, choice: np.ndarray, limits: PlanLimits) -> tuple[np.ndarray, float]:
        """Return usage (limits,) and net value of a choice (customers,), −1 for no offer."""
        (index,) = np.nonzero(choice >= 0)
        offer = choice[index]
        counts = np.bincount(offer, minlength=limits.n_offers)
        by_segment = np.zeros(limits.n_segments)
        if self.segment is not None:
            by_segment += np.bincount(self.segment[index], minlength=limits.n_segments)
        cost = self.cost[offer, index].sum()
        usage = np.concatenate([[cost], counts, [len(index)], -by_segment])
        return usage, float(self.net[offer, index].sum())


def concat_pools(pools: list[CustomerPool], n_offers: int) -> CustomerPool:
    """Return one pool of the customers of several."""
    if not pools:
        return CustomerPool.empty(n_offers)
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
        (customers, offers) True where an offer may be chosen; None is everywhere it gains.
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

    def select(self, rows: np.ndarray | slice) -> CustomerPool:
        """Return the customers of these rows, with −inf for offers they may not get."""
        net = self.net[rows]
        is_closed = net <= 0
        if self.eligible is not None:
            is_closed |= ~self.eligible[rows]
        if self.max_cost < np.inf:
            is_closed |= self.cost[rows] > self.max_cost
        net = np.where(is_closed, -np.inf, net).T.copy()
        net[~self.available] = -np.inf
        cost = self.cost[rows].T if self.cost.ndim == 2 else self.cost[:, None]
        cost = np.ascontiguousarray(np.broadcast_to(cost, net.shape))
        segment = None if self.segment is None else self.segment[rows]
        if isinstance(rows, slice):
            rows = np.arange(rows.start, rows.stop)
        return CustomerPool(net, cost, segment, rows)

    def select_all(self) -> CustomerPool:
        """Return all customers."""
        return self.select(slice(0, len(self)))

    def iter_chunks(self) -> Iterator[CustomerPool]:
        """Yield all customers in chunks."""
        for start in range(0, len(self), CHUNK_CUSTOMERS):
            yield self.select(slice(start, min(start + CHUNK_CUSTOMERS, len(self))))
