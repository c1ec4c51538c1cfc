"""Choices among equal customers, by a hash of their keys and a seed."""

from __future__ import annotations

import numpy as np

from retain.campaign.allocation.customer_pool import CustomerPool

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
