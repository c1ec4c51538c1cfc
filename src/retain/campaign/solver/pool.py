"""Customers and what each offer brings and costs with each, offer by offer.

May import: campaign.solver.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from retain.campaign.solver.limits import Prices

CHUNK = 8192
"""Customers looked at together: what is made of so many by nine stays in a core's cache."""


@dataclass(frozen=True)
class Pool:
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
    def costs(self) -> tuple[np.ndarray, np.ndarray]:
        """(offers,) the least and the most each offer costs."""
        return self.cost.min(axis=1), self.cost.max(axis=1)

    def part(self, which: np.ndarray | slice) -> Pool:
        """The customers at these places of the pool."""
        segment = None if self.segment is None else self.segment[which]
        if isinstance(which, slice):
            return Pool(self.net[:, which], self.cost[:, which], segment, self.rows[which])
        net, cost = self.net.take(which, axis=1), self.cost.take(which, axis=1)
        return Pool(net, cost, segment, self.rows[which])

    def blocks(self) -> Iterator[Pool]:
        """The pool by and by, few customers at a time."""
        for start in range(0, len(self), CHUNK):
            yield self.part(slice(start, start + CHUNK))

    def reduced(self, prices: Prices, out: np.ndarray | None = None) -> np.ndarray:
        """(offers, customers) net value less the price of all that an offer uses."""
        reduced: np.ndarray = np.multiply(self.cost, -prices.budget, out=out)
        reduced += self.net
        reduced -= prices.contact
        if self.segment is not None:
            reduced += prices.least[self.segment]
        return reduced

    def taken(self, at: np.ndarray, offer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Net value and cost of these offers to the customers at these places."""
        return self.net[offer, at], self.cost[offer, at]

    def per_segment(self, amounts: np.ndarray, segments: int) -> np.ndarray:
        """(segments,) sums of amounts (customers,)."""
        if self.segment is None:
            return np.zeros(segments)
        return np.bincount(self.segment, amounts, segments)


def joined(pools: list[Pool], offers: int) -> Pool:
    """One pool of all the customers of several."""
    if not pools:
        none = np.zeros((offers, 0))
        return Pool(none, none, None, np.zeros(0, dtype=np.intp))
    segments = [pool.segment for pool in pools if pool.segment is not None]
    return Pool(
        np.concatenate([pool.net for pool in pools], axis=1),
        np.concatenate([pool.cost for pool in pools], axis=1),
        np.concatenate(segments) if segments else None,
        np.concatenate([pool.rows for pool in pools]),
    )
