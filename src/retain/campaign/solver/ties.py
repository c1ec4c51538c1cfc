"""Who gets an offer among customers who are worth the same: a seeded hash decides.

May import: campaign.solver.
"""

from __future__ import annotations

import numpy as np

from retain.campaign.solver.pool import Pool

GOLDEN = 0x9E3779B97F4A7C15


def hashed(keys: np.ndarray, seed: int) -> np.ndarray:
    """(customers,) uint64 in which neither the order of the keys nor the seed is recognisable.

    The finaliser of SplitMix64 (Steele, Lea & Flood 2014) over key and seed.

    >>> a, b = (hashed(np.arange(3, dtype=np.uint64), seed) for seed in (0, 1))
    >>> (a == b).any(), (a == hashed(np.arange(3, dtype=np.uint64), 0)).all()
    (np.False_, np.True_)
    """
    with np.errstate(over="ignore"):
        z = keys.astype(np.uint64) + np.uint64((seed + 1) * GOLDEN % 2**64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def drawn(shares: np.ndarray, order: np.ndarray) -> np.ndarray:
    """(customers,) one offer each, −1 for nothing, drawn with these shares (offers, customers).

    Draws are spread evenly along the hashed ``order``, so that counts come close to the shares'
    sums.
    """
    rank = np.empty(len(order))
    rank[np.argsort(order)] = np.arange(len(order))
    point = (rank * (GOLDEN / 2**64) + 0.5) % 1.0
    passed = np.cumsum(shares, axis=0, dtype=float) > point
    return np.where(passed[-1], passed.argmax(axis=0), -1).astype(np.int16)


def dealt(pool: Pool, chosen: np.ndarray, order: np.ndarray) -> np.ndarray:
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
        kind = hashed(kind ^ np.ascontiguousarray(part + 0.0).view(np.uint64), 0)
    return kind
