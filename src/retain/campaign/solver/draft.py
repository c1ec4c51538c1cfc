"""A plan in the making: what it uses and brings, and the last hand laid on it.

May import: campaign.solver.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.campaign.solver.bounding import Bounded
from retain.campaign.solver.cells import Cells
from retain.campaign.solver.limits import Limits
from retain.campaign.solver.near import nearest
from retain.campaign.solver.pool import Pool
from retain.campaign.solver.repair import repaired
from retain.campaign.solver.settling import usage
from retain.campaign.solver.ties import dealt

GOOD, FAIR = 3e-7, 3e-6
"""Gaps below which a plan is not improved further, or not among more customers."""
NEAR = (400, 3_200, 25_600)
"""Customers nearest to their margin among whom a repair is tried, until one comes off."""


@dataclass
class Draft:
    """A plan, and what it uses and brings.

    Attributes
    ----------
    chosen
        (customers,) index of the offer, −1 for nothing.
    used, net
        What it uses of each limit, and its net value.
    """

    chosen: np.ndarray
    limits: Limits
    used: np.ndarray
    net: float

    @classmethod
    def empty(cls, customers: int, limits: Limits) -> Draft:
        """The plan that does nothing."""
        return cls(np.full(customers, -1, dtype=np.int16), limits, 0.0 * limits.finite, 0.0)

    def put(self, pool: Pool, choice: np.ndarray) -> None:
        """Choose for the customers of a pool, who do not count yet."""
        used, net = usage(pool, choice, self.limits)
        self.chosen[pool.rows] = choice
        self.used = self.used + used
        self.net += net

    def take(self, pool: Pool) -> np.ndarray:
        """The choice for the customers of a pool, who no longer count."""
        choice: np.ndarray = self.chosen[pool.rows]
        used, net = usage(pool, choice, self.limits)
        self.used = self.used - used
        self.net -= net
        return choice

    def repair(self, found: Bounded, cells: Cells) -> Pool | None:
        """Bring the plan within its limits.

        Returns
        -------
        Pool
            The customers among whom that was done; None where it could not be.
        """
        within = None
        for pool in found.pools:
            within = pool if self._repaired(pool, found) else within
            if within is not None and found.bound - self.net <= FAIR * abs(found.bound):
                return within
        if within is None:
            users = self._users(cells)
            within = users if self._repaired(users, found) else None
        return within

    def _repaired(self, pool: Pool, found: Bounded) -> bool:
        """Whether the plan came within its limits by moves of a pool's customers."""
        for many in NEAR:
            some = pool.part(nearest(pool, found.prices, self.chosen[pool.rows], many))
            choice = self.take(some)
            left, goal = self.limits.less(self.used), GOOD * abs(found.bound)
            new = repaired(some, choice, left, found.prices, goal)
            self.put(some, choice if new is None else new)
            if new is not None or many >= len(pool):
                return new is not None
        return False

    def _users(self, cells: Cells) -> Pool:
        """All who use a limit that is passed, or could help a segment that lacks contacts."""
        over, offers = self.used > self.limits.most, self.limits.offers
        which = (self.chosen >= 0) & (over[0] | over[1 + offers])
        which |= np.isin(self.chosen, np.flatnonzero(over[1 : 1 + offers]))
        if cells.segment is not None:
            which |= over[2 + offers :][cells.segment]
        return cells.pool(np.flatnonzero(which))

    def deal(self, pool: Pool, order: np.ndarray) -> None:
        """Let a hashed order decide among equal customers of a pool."""
        self.chosen[pool.rows] = dealt(pool, self.chosen[pool.rows], order)

    def drop_losses(self, cells: Cells) -> None:
        """Take back what brings a loss where a segment has more contacts than it must have."""
        first = 2 + self.limits.offers
        for segment in range(self.limits.segments):
            spare = self.limits.most[first + segment] - self.used[first + segment]
            if spare < 1 or cells.segment is None:
                continue
            (rows,) = np.nonzero((cells.segment == segment) & (self.chosen >= 0))
            net = cells.net[rows, self.chosen[rows]]
            many = int(min(spare, (net < 0).sum()))
            pool = cells.pool(rows[np.argsort(net, kind="stable")[:many]])
            self.take(pool)
            self.put(pool, np.full(many, -1, dtype=np.int16))
