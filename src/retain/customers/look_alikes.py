"""Pairs of rows that agree in nearly all columns, found without comparing all rows with all.

May import: customers.coincidence. Rows are rows of codes; a pair is two positions, the lower first.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from retain.customers.coincidence import Codes, Coincidence, Floats

Positions = NDArray[np.int64]
Pairs = NDArray[np.int64]
Hashes = NDArray[np.uint64]

WINDOW = 10
"""Look-alikes each row is compared with, for each choice of blocks: keeps the search linear."""


def hashed(codes: Codes) -> Hashes:
    """A 64-bit hash of each cell; the sum over any columns hashes those columns."""
    drawn = np.random.default_rng(0).integers(0, 2**63, size=codes.shape[1], dtype=np.uint64)
    odd = drawn * np.uint64(2) + np.uint64(1)
    return codes.astype(np.uint64) * odd


def search(codes: Codes, hashes: Hashes, chance: Coincidence) -> tuple[Pairs, int]:
    """The pairs (n × 2) chance cannot explain, and how many rows were crowded.

    Candidates come from 2d + 1 blocks of columns, d the number of differences allowed: those
    leave at least d + 1 blocks untouched, so copies agree exactly on some choice of d + 1
    (pigeonhole). These hold about half of the columns, and as all columns rule out chance among
    n² pairs, half of them part most of n rows. Rows that agree on the chosen blocks are compared
    within a window over their sorted order (Hernández & Stolfo 1995, the sorted neighbourhood
    method). Rows with more company than fits are crowded; among them wholly equal rows still
    meet. A row with a windowful of copies has found its group and is not searched further.
    """
    rows = len(codes)
    found, crowded = np.empty(0, dtype=np.int64), np.zeros(rows, dtype=bool)
    whole, searched = hashes.sum(axis=1), np.ones(rows, dtype=bool)
    for key in _keys(hashes, chance):
        rivals = _shared(key, searched)
        order = rivals[np.lexsort((whole[rivals], key[rivals]))]  # equal rows side by side
        sorted_key = key[order]
        near = _neighbours(order, sorted_key)
        kept = np.concatenate([beyond_chance(codes, pairs, chance) for pairs in near])
        found = _distinct(np.concatenate([found, kept[:, 0] * rows + kept[:, 1]]))
        further = np.flatnonzero(sorted_key[WINDOW + 1 :] == sorted_key[: -WINDOW - 1])
        crowded[order[further]] = crowded[order[further + WINDOW + 1]] = True
        searched &= np.bincount(kept.ravel(), minlength=rows) < WINDOW
    return np.column_stack([found // rows, found % rows]), int(crowded.sum())


def beyond_chance(codes: Codes, pairs: Pairs, chance: Coincidence) -> Pairs:
    """Those of the pairs that agree in more than chance can explain."""
    agree = codes[pairs[:, 0]] == codes[pairs[:, 1]]
    differing = codes.shape[1] - agree.sum(axis=1)
    twin = differing <= chance.differ
    twin[twin] = agree[twin] @ chance.surprise >= chance.limits[differing[twin]]
    return np.compress(twin, pairs, axis=0)


def _keys(hashes: Hashes, chance: Coincidence) -> Iterator[Hashes]:
    """For each choice of blocks, the hash of every row on it."""
    blocks = [hashes[:, block].sum(axis=1) for block in _blocks(chance.surprise, chance.differ)]
    for chosen in combinations(blocks, chance.differ + 1):
        yield np.sum(chosen, axis=0)


def _blocks(surprise: Floats, differ: int) -> list[list[int]]:
    """The columns in 2 × ``differ`` + 1 blocks of about the same summed surprise."""
    blocks: list[list[int]] = [[] for _ in range(2 * differ + 1)]
    weights = np.zeros(len(blocks))
    for column in np.argsort(-surprise, kind="stable").tolist():
        lightest = int(weights.argmin())
        blocks[lightest].append(column)
        weights[lightest] += surprise[column]
    return blocks


def _shared(key: Hashes, searched: NDArray[np.bool_]) -> Positions:
    """Those of the rows searched that have a key in common with another, ascending."""
    rows = np.flatnonzero(searched)
    order = rows[np.argsort(key[rows])]
    same = key[order[1:]] == key[order[:-1]]
    return np.sort(order[np.append(same, False) | np.append(False, same)])


def _neighbours(order: Positions, key: Hashes) -> Iterator[Pairs]:
    """Pairs with the same key, at most ``WINDOW`` apart in the order."""
    for step in range(1, WINDOW + 1):
        same = np.flatnonzero(key[step:] == key[:-step])
        yield np.sort(np.column_stack([order[same], order[same + step]]), axis=1)
        if same.size == 0:
            break


def _distinct(numbers: Positions) -> Positions:
    """The distinct numbers, ascending; ``np.unique`` hashes, which such numbers make slow."""
    ascending = np.sort(numbers)
    fresh = np.diff(ascending, prepend=-1) > 0
    return ascending[fresh]
