"""A plan in the making: what it uses and brings, and the last hand laid on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.campaign.allocation.bounding import ValueBound
from retain.campaign.allocation.cooling import usage
from retain.campaign.allocation.limits import Limits
from retain.campaign.allocation.pool import Cells, Pool
from retain.campaign.allocation.repair import marginal_customers, repair_plan

GOLDEN = 0x9E3779B97F4A7C15


def hash_ties(keys: np.ndarray, seed: int) -> np.ndarray:
    """(customers,) uint64 in which neither the order of the keys nor the seed is recognisable.

    The finaliser of SplitMix64 (Steele, Lea & Flood 2014) over key and seed.

    >>> a, b = (hash_ties(np.arange(3, dtype=np.uint64), seed) for seed in (0, 1))
    >>> (a == b).any(), (a == hash_ties(np.arange(3, dtype=np.uint64), 0)).all()
    (np.False_, np.True_)
    """
    with np.errstate(over="ignore"):
        z = keys.astype(np.uint64) + np.uint64((seed + 1) * GOLDEN % 2**64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def sample_ties(shares: np.ndarray, order: np.ndarray) -> np.ndarray:
    """(customers,) one offer each, −1 for nothing, drawn with these shares (offers, customers).

    Draws are spread evenly along the hashed ``order``, so that counts come close to the shares'
    sums.
    """
    rank = np.empty(len(order))
    rank[np.argsort(order)] = np.arange(len(order))
    point = (rank * (GOLDEN / 2**64) + 0.5) % 1.0
    passed = np.cumsum(shares, axis=0, dtype=float) > point
    return np.where(passed[-1], passed.argmax(axis=0), -1).astype(np.int16)


def deal_ties(pool: Pool, chosen: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The same choice (customers,), dealt again by the hashed order among equal customers.

    Equal are customers of one segment whom every offer brings and costs the same. Whatever a
    solver gave to them, it is worth as much with whoever of them has it.
    """
    kind = _kinds(pool)
    dealt = np.empty_like(chosen)
    dealt[np.lexsort((order, kind))] = chosen[np.lexsort((chosen, kind))]
    return dealt


def _kinds(pool: Pool) -> np.ndarray:
    """(customers,) uint64, the same for equal customers, and for others almost never."""
    parts = [*pool.net, *pool.cost] + ([] if pool.segment is None else [pool.segment.astype(float)])
    kind = np.zeros(len(pool), dtype=np.uint64)
    for part in parts:
        kind = hash_ties(kind ^ np.ascontiguousarray(part + 0.0).view(np.uint64), 0)
    return kind


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

    def repair(self, found: ValueBound, cells: Cells) -> Pool | None:
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

    def _repaired(self, pool: Pool, found: ValueBound) -> bool:
        """Whether the plan came within its limits by moves of a pool's customers."""
        for many in NEAR:
            some = pool.part(marginal_customers(pool, found.prices, self.chosen[pool.rows], many))
            choice = self.take(some)
            left, goal = self.limits.less(self.used), GOOD * abs(found.bound)
            new = repair_plan(some, choice, left, found.prices, goal)
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
        self.chosen[pool.rows] = deal_ties(pool, self.chosen[pool.rows], order)

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
