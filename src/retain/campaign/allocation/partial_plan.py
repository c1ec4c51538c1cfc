"""A plan in progress: its usage of the limits, its repair, and ties broken at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.campaign.allocation.customer_pool import CustomerArrays, CustomerPool
from retain.campaign.allocation.dual_solution import DualSolution
from retain.campaign.allocation.limits import Limits
from retain.campaign.allocation.price_region import compute_usage
from retain.campaign.allocation.repair import repair_plan, select_marginal

GOLDEN_RATIO_64_BIT = 0x9E3779B97F4A7C15


def hash_keys(keys: np.ndarray, seed: int) -> np.ndarray:
    """Return uint64 hashes (customers,) that depend on key and seed alone.

    The finaliser of SplitMix64 (Steele, Lea & Flood 2014).

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
    """Return one offer (customers,), −1 for none, sampled with shares (offers, customers).

    Samples are spread evenly along the hashed ``order``, so that counts are close to the sums of
    the shares.
    """
    rank = np.empty(len(order))
    rank[np.argsort(order)] = np.arange(len(order))
    point = (rank * (GOLDEN_RATIO_64_BIT / 2**64) + 0.5) % 1.0
    is_above = np.cumsum(shares, axis=0, dtype=float) > point
    return np.where(is_above[-1], is_above.argmax(axis=0), -1).astype(np.int16)


def shuffle_ties(pool: CustomerPool, offer_index: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return the choice (customers,) with offers exchanged by hashed order among equal customers.

    Customers of one segment are equal if every offer has the same net value and cost with them.
    The exchange changes neither usage nor net value.
    """
    kind = _hash_kinds(pool)
    shuffled = np.empty_like(offer_index)
    shuffled[np.lexsort((order, kind))] = offer_index[np.lexsort((offer_index, kind))]
    return shuffled


def _hash_kinds(pool: CustomerPool) -> np.ndarray:
    """Return uint64 hashes (customers,), the same for equal customers."""
    columns = [*pool.net, *pool.cost]
    columns += [] if pool.segment is None else [pool.segment.astype(float)]
    kind = np.zeros(len(pool), dtype=np.uint64)
    for column in columns:
        kind = hash_keys(kind ^ np.ascontiguousarray(column + 0.0).view(np.uint64), 0)
    return kind


GOOD_GAP, FAIR_GAP = 3e-7, 3e-6
"""Relative gaps below which a plan is not improved further, and not in larger pools."""
REPAIR_POOL_CUSTOMERS = (400, 3_200, 25_600)
"""Customers nearest to their margin tried in a repair, until one succeeds."""


@dataclass
class PartialPlan:
    """A plan with its usage and net value.

    Attributes
    ----------
    offer_index
        (customers,) index of the offer, −1 for none.
    usage, net
        Usage of each limit (limits,), and net value.
    """

    offer_index: np.ndarray
    limits: Limits
    usage: np.ndarray
    net: float

    @classmethod
    def empty(cls, n_customers: int, limits: Limits) -> PartialPlan:
        """Return the plan without offers."""
        offer_index = np.full(n_customers, -1, dtype=np.int16)
        return cls(offer_index, limits, 0.0 * limits.finite_upper, 0.0)

    def assign(self, pool: CustomerPool, choice: np.ndarray) -> None:
        """Set the choice for the customers of a pool, who have none yet."""
        usage, net = compute_usage(pool, choice, self.limits)
        self.offer_index[pool.rows] = choice
        self.usage = self.usage + usage
        self.net += net

    def unassign(self, pool: CustomerPool) -> np.ndarray:
        """Remove the choice for the customers of a pool and return it."""
        choice: np.ndarray = self.offer_index[pool.rows]
        usage, net = compute_usage(pool, choice, self.limits)
        self.usage = self.usage - usage
        self.net -= net
        return choice

    def repair(self, dual: DualSolution, arrays: CustomerArrays) -> CustomerPool | None:
        """Bring the plan within its limits and return the pool used; None if it fails."""
        repaired = None
        tolerance = FAIR_GAP * abs(dual.upper_bound)
        for pool in dual.pools:
            repaired = pool if self._repair_pool(pool, dual) else repaired
            if repaired is not None and dual.upper_bound - self.net <= tolerance:
                return repaired
        if repaired is None:
            users = self._select_limit_users(arrays)
            repaired = users if self._repair_pool(users, dual) else None
        return repaired

    def _repair_pool(self, pool: CustomerPool, dual: DualSolution) -> bool:
        """Return whether moves of a pool's customers brought the plan within its limits."""
        for size in REPAIR_POOL_CUSTOMERS:
            index = select_marginal(pool, dual.prices, self.offer_index[pool.rows], size)
            marginal = pool.select(index)
            choice = self.unassign(marginal)
            slack, goal = self.limits.subtract(self.usage), GOOD_GAP * abs(dual.upper_bound)
            repaired = repair_plan(marginal, choice, slack, dual.prices, goal)
            self.assign(marginal, choice if repaired is None else repaired)
            if repaired is not None or size >= len(pool):
                return repaired is not None
        return False

    def _select_limit_users(self, arrays: CustomerArrays) -> CustomerPool:
        """Return the customers who use an exceeded limit or are in a segment below its minimum."""
        exceeded, n_offers = self.usage > self.limits.upper, self.limits.n_offers
        is_user = (self.offer_index >= 0) & (exceeded[0] | exceeded[1 + n_offers])
        is_user |= np.isin(self.offer_index, np.flatnonzero(exceeded[1 : 1 + n_offers]))
        if arrays.segment is not None:
            is_user |= exceeded[2 + n_offers :][arrays.segment]
        return arrays.select(np.flatnonzero(is_user))

    def break_ties(self, pool: CustomerPool, order: np.ndarray) -> None:
        """Exchange offers among equal customers of a pool by a hashed order."""
        self.offer_index[pool.rows] = shuffle_ties(pool, self.offer_index[pool.rows], order)
