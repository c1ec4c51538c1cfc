"""A plan in the making: what it uses and brings, and the last hand laid on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.campaign.allocation.dual_solution import DualSolution
from retain.campaign.allocation.limits import Limits
from retain.campaign.allocation.pool import CustomerArrays, CustomerPool
from retain.campaign.allocation.price_region import compute_usage
from retain.campaign.allocation.repair import repair_plan, select_marginal

GOLDEN_RATIO_64_BIT = 0x9E3779B97F4A7C15


def hash_keys(keys: np.ndarray, seed: int) -> np.ndarray:
    """(customers,) uint64 in which neither the order of the keys nor the seed is recognisable.

    The finaliser of SplitMix64 (Steele, Lea & Flood 2014) over key and seed.

    >>> a, b = (hash_keys(np.arange(3, dtype=np.uint64), seed) for seed in (0, 1))
    >>> (a == b).any(), (a == hash_keys(np.arange(3, dtype=np.uint64), 0)).all()
    (np.False_, np.True_)
    """
    with np.errstate(over="ignore"):
        z = keys.astype(np.uint64) + np.uint64((seed + 1) * GOLDEN_RATIO_64_BIT % 2**64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def sample_offers(shares: np.ndarray, order: np.ndarray) -> np.ndarray:
    """(customers,) one offer each, −1 for nothing, drawn with these shares (offers, customers).

    Draws are spread evenly along the hashed ``order``, so that counts come close to the shares'
    sums.
    """
    rank = np.empty(len(order))
    rank[np.argsort(order)] = np.arange(len(order))
    point = (rank * (GOLDEN_RATIO_64_BIT / 2**64) + 0.5) % 1.0
    passed = np.cumsum(shares, axis=0, dtype=float) > point
    return np.where(passed[-1], passed.argmax(axis=0), -1).astype(np.int16)


def shuffle_ties(pool: CustomerPool, offer_index: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The same choice (customers,), dealt again by the hashed order among equal customers.

    Equal are customers of one segment whom every offer brings and costs the same. Whatever a
    solver gave to them, it is worth as much with whoever of them has it.
    """
    kind = _hash_kinds(pool)
    dealt = np.empty_like(offer_index)
    dealt[np.lexsort((order, kind))] = offer_index[np.lexsort((offer_index, kind))]
    return dealt


def _hash_kinds(pool: CustomerPool) -> np.ndarray:
    """(customers,) uint64, the same for equal customers, and for others almost never."""
    parts = [*pool.net, *pool.cost] + ([] if pool.segment is None else [pool.segment.astype(float)])
    kind = np.zeros(len(pool), dtype=np.uint64)
    for part in parts:
        kind = hash_keys(kind ^ np.ascontiguousarray(part + 0.0).view(np.uint64), 0)
    return kind


GOOD_GAP, FAIR_GAP = 3e-7, 3e-6
"""Gaps below which a plan is not improved further, or not among more customers."""
REPAIR_POOL_CUSTOMERS = (400, 3_200, 25_600)
"""Customers nearest to their margin among whom a repair is tried, until one comes off."""


@dataclass
class PartialPlan:
    """A plan, and what it uses and brings.

    Attributes
    ----------
    offer_index
        (customers,) index of the offer, −1 for nothing.
    used, net
        What it uses of each limit, and its net value.
    """

    offer_index: np.ndarray
    limits: Limits
    usage: np.ndarray
    net: float

    @classmethod
    def empty(cls, customers: int, limits: Limits) -> PartialPlan:
        """The plan that does nothing."""
        return cls(np.full(customers, -1, dtype=np.int16), limits, 0.0 * limits.finite_upper, 0.0)

    def assign(self, pool: CustomerPool, choice: np.ndarray) -> None:
        """Choose for the customers of a pool, who do not count yet."""
        usage, net = compute_usage(pool, choice, self.limits)
        self.offer_index[pool.rows] = choice
        self.usage = self.usage + usage
        self.net += net

    def unassign(self, pool: CustomerPool) -> np.ndarray:
        """The choice for the customers of a pool, who no longer count."""
        choice: np.ndarray = self.offer_index[pool.rows]
        usage, net = compute_usage(pool, choice, self.limits)
        self.usage = self.usage - usage
        self.net -= net
        return choice

    def repair(self, found: DualSolution, arrays: CustomerArrays) -> CustomerPool | None:
        """Bring the plan within its limits.

        Returns
        -------
        Pool
            The customers among whom that was done; None where it could not be.
        """
        within = None
        for pool in found.pools:
            within = pool if self._repair_pool(pool, found) else within
            if within is not None and found.upper_bound - self.net <= FAIR_GAP * abs(
                found.upper_bound
            ):
                return within
        if within is None:
            users = self._select_limit_users(arrays)
            within = users if self._repair_pool(users, found) else None
        return within

    def _repair_pool(self, pool: CustomerPool, found: DualSolution) -> bool:
        """Whether the plan came within its limits by moves of a pool's customers."""
        for many in REPAIR_POOL_CUSTOMERS:
            some = pool.select(
                select_marginal(pool, found.prices, self.offer_index[pool.rows], many)
            )
            choice = self.unassign(some)
            left, goal = self.limits.subtract(self.usage), GOOD_GAP * abs(found.upper_bound)
            new = repair_plan(some, choice, left, found.prices, goal)
            self.assign(some, choice if new is None else new)
            if new is not None or many >= len(pool):
                return new is not None
        return False

    def _select_limit_users(self, arrays: CustomerArrays) -> CustomerPool:
        """All who use a limit that is passed, or could help a segment that lacks contacts."""
        over, offers = self.usage > self.limits.upper, self.limits.n_offers
        which = (self.offer_index >= 0) & (over[0] | over[1 + offers])
        which |= np.isin(self.offer_index, np.flatnonzero(over[1 : 1 + offers]))
        if arrays.segment is not None:
            which |= over[2 + offers :][arrays.segment]
        return arrays.select(np.flatnonzero(which))

    def break_ties(self, pool: CustomerPool, order: np.ndarray) -> None:
        """Let a hashed order decide among equal customers of a pool."""
        self.offer_index[pool.rows] = shuffle_ties(pool, self.offer_index[pool.rows], order)

    def drop_losses(self, arrays: CustomerArrays) -> None:
        """Take back what brings a loss where a segment has more contacts than it must have."""
        first = 2 + self.limits.n_offers
        for segment in range(self.limits.n_segments):
            spare = self.limits.upper[first + segment] - self.usage[first + segment]
            if spare < 1 or arrays.segment is None:
                continue
            (rows,) = np.nonzero((arrays.segment == segment) & (self.offer_index >= 0))
            net = arrays.net[rows, self.offer_index[rows]]
            many = int(min(spare, (net < 0).sum()))
            pool = arrays.select(rows[np.argsort(net, kind="stable")[:many]])
            self.unassign(pool)
            self.assign(pool, np.full(many, -1, dtype=np.int16))
