"""Customers near the margin of another choice, some of every kind.

May import: campaign.solver.
"""

from __future__ import annotations

import numpy as np

from retain.campaign.solver.limits import Prices
from retain.campaign.solver.pool import Pool

STEPPED = 41
"""Kinds of cost that are told apart."""


def nearest(pool: Pool, prices: Prices, choice: np.ndarray, many: int) -> np.ndarray:
    """The places of the customers whose choice would change first, those against it before all.

    Half are the nearest of all; half are the nearest of each kind, by present choice, next best
    and what that costs more, lest among masses of equals there be nobody to give to, or to take
    from, or none whose cost fits into what is left.
    """
    if len(pool) <= many:
        return np.arange(len(pool))
    reduced = np.vstack([pool.reduced(prices), np.zeros(len(pool))])
    own = np.where(choice < 0, len(pool.net), choice).astype(np.intp), np.arange(len(pool))
    mine = reduced[own]
    reduced[own] = -np.inf
    margin = mine - reduced.max(axis=0)
    other = reduced.argmax(axis=0)
    cost = np.vstack([pool.cost, np.zeros(len(pool))])
    kind = own[0] * len(reduced) + other
    kind = kind * STEPPED + stepped(cost[other, own[1]] - cost[own])
    order = np.argsort(margin, kind="stable")
    by_kind = order[np.argsort(rank_within(kind[order]), kind="stable")]
    return np.union1d(order[: many // 2], by_kind[: many // 2])


def stepped(cost: np.ndarray) -> np.ndarray:
    """Differences of cost in coarse steps, 0 … STEPPED − 1, of a quarter of the usual one.

    >>> stepped(np.array([-1.0, 0.0, 0.1, 1.0, 50.0])).tolist()
    [20, 20, 20, 20, 39]
    """
    usual = float(np.abs(cost).mean()) or 1.0
    half = STEPPED // 2
    return np.clip(np.rint(4 * cost / usual), -half, half).astype(np.intp) + half


def rank_within(kind: np.ndarray) -> np.ndarray:
    """How many of the same kind come before each.

    >>> rank_within(np.array([7, 3, 7, 7, 3])).tolist()
    [0, 0, 1, 2, 1]
    """
    by_kind = np.argsort(kind, kind="stable")
    starts = np.flatnonzero(np.diff(kind[by_kind], prepend=-1))
    rank = np.empty(len(kind), dtype=np.intp)
    rank[by_kind] = np.arange(len(kind)) - np.repeat(starts, np.diff([*starts, len(kind)]))
    return rank
