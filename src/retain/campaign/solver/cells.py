"""All customers of a problem, as its arrays hold them: customer by customer.

May import: campaign.solver.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from retain.campaign.solver.limits import Prices
from retain.campaign.solver.pool import CHUNK, Pool


@dataclass(frozen=True)
class Cells:
    """All customers of a problem.

    Attributes
    ----------
    net
        (customers, offers).
    cost
        The same shape, or (offers,).
    allowed
        (customers, offers) where an offer may be chosen at all; None is everywhere.
    offers
        (offers,) which may be chosen by anybody.
    dearest
        The most one choice may cost.
    segment
        (customers,) or None, as in a pool.
    """

    net: np.ndarray
    cost: np.ndarray
    allowed: np.ndarray | None
    offers: np.ndarray
    dearest: float
    segment: np.ndarray | None

    def __len__(self) -> int:
        """The number of customers."""
        return len(self.net)

    def pool(self, rows: np.ndarray) -> Pool:
        """These customers, what none of them may choose closed."""
        net = np.ascontiguousarray(_closed(self, rows, self.net[rows]).T)
        net[~self.offers] = -np.inf
        cost = self.cost[rows].T if self.cost.ndim == 2 else self.cost[:, None]
        cost = np.ascontiguousarray(np.broadcast_to(cost, net.shape))
        segment = None if self.segment is None else self.segment[rows]
        return Pool(net, cost, segment, rows)

    def everybody(self) -> Pool:
        """All customers at once."""
        return self.pool(np.arange(len(self)))

    def blocks(self) -> Iterator[Block]:
        """All customers by and by, few at a time."""
        for start in range(0, len(self), CHUNK):
            yield Block(self, slice(start, min(start + CHUNK, len(self))))


@dataclass(frozen=True)
class Block:
    """Consecutive customers, with what a pass over them asks; a pool answers the same."""

    cells: Cells
    rows: slice

    def __len__(self) -> int:
        """The number of customers."""
        return int(self.rows.stop - self.rows.start)

    @property
    def segment(self) -> np.ndarray | None:
        """(customers,) index of the segment, as in a pool."""
        return None if self.cells.segment is None else self.cells.segment[self.rows]

    @property
    def costs(self) -> tuple[np.ndarray, np.ndarray]:
        """(offers,) the least and the most each offer costs."""
        if self.cells.cost.ndim == 1:
            return self.cells.cost, self.cells.cost
        cost = self.cells.cost[self.rows]
        many = len(cost) // 16 * 16  # rows side by side are reduced several times as fast
        wide = cost[:many].reshape(-1, 16 * cost.shape[1]) if many else cost
        ends = (wide.min(axis=0), wide.max(axis=0), cost[many:])
        rows = np.concatenate([one.reshape(-1, cost.shape[1]) for one in ends])
        return rows.min(axis=0), rows.max(axis=0)

    def part(self, which: np.ndarray) -> Pool:
        """The customers at these places as a pool."""
        return self.cells.pool(self.rows.start + which)

    def reduced(self, prices: Prices, out: np.ndarray) -> np.ndarray:
        """(offers, customers) net value less the price of all that an offer uses."""
        net, cost = self.cells.net[self.rows], self.cells.cost
        if cost.ndim == 2:
            flat = cost[self.rows] * -prices.budget
            flat += net
            out[:] = _closed(self.cells, self.rows, flat).T
            out -= prices.contact
        else:
            out[:] = _closed(self.cells, self.rows, net).T
            out -= prices.contact + (cost * prices.budget)[:, None]
        out[~self.cells.offers] = -np.inf
        if self.segment is not None:
            out += prices.least[self.segment]
        return out

    def taken(self, at: np.ndarray, offer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Net value and cost of these offers to the customers at these places."""
        place = at * len(self.cells.offers) + offer
        net, cost = self.cells.net[self.rows].reshape(-1), self.cells.cost
        paid = cost[offer] if cost.ndim == 1 else cost[self.rows].reshape(-1).take(place)
        return net.take(place), paid


def _closed(cells: Cells, rows: np.ndarray | slice, values: np.ndarray) -> np.ndarray:
    """Values (customers, offers), −inf where an offer may not be chosen."""
    if cells.allowed is not None:
        sign = cells.allowed[rows].view(np.int8) * np.int8(2)
        sign -= np.int8(1)
        values = np.minimum(values, sign * np.inf)  # where() takes several times as long
    if cells.dearest < np.inf:
        values = np.where(cells.cost[rows] > cells.dearest, -np.inf, values)
    return values
