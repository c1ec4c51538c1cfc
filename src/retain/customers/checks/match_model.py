"""A null model of agreement between two unrelated customers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, combinations
from math import comb, log

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retain.customers.customers import Customers

Codes = NDArray[np.int32]
Floats = NDArray[np.float64]

EXPECTED = 0.01
"""Pairs chance may be expected to produce at each number of differences: one table in a hundred."""
DIFFER_SHARE, DIFFER_MOST = 0.15, 3
"""A copy may differ in 15 % of the columns, at most 3: a flipped flag, a corrected figure."""
SAMPLED_PAIRS = 1_000_000
"""Pairs on which dependence is measured: all of them up to 1,400 customers."""
COMMON_ROWS, COMMON_SHARE = 10, 0.001
"""A column others are conditioned on repeats its values: 10 rows a value, 1,000 sampled pairs.

Fewer, and the copies themselves would pass for dependence between columns. (A row that one in
thirty customers shares is taken for a kind of customer, such as those who did nothing.)
"""


@dataclass(frozen=True, slots=True)
class MatchModel:
    """Agreement expected by chance in one table.

    Attributes
    ----------
    weights
        For each column, minus the logarithm of the chance that two unrelated customers agree in it.
    thresholds
        ``limits[d]``: the least summed surprise of the agreeing columns at which a pair that
        differs in ``d`` columns is no coincidence.
    """

    weights: Floats
    thresholds: Floats

    @property
    def max_mismatches(self) -> int:
        """The most columns copies may differ in; -1 when even equal rows may be coincidence."""
        ascending = np.concatenate([[0.0], np.cumsum(np.sort(self.weights))])
        reachable = [
            ascending[-1] - ascending[d] >= limit
            for d, limit in enumerate(self.thresholds.tolist())
        ]
        return reachable.index(False) - 1 if False in reachable else len(reachable) - 1

    @property
    def expected_matches(self) -> float:
        """Pairs of wholly equal rows to be expected by chance."""
        return float(np.exp(self.thresholds[0] - self.weights.sum()) * EXPECTED)

    def restrict(self, pairs: int, differ: int) -> MatchModel:
        """Return the model for only ``pairs`` pairs with up to ``max_mismatches`` mismatches."""
        return replace(self, thresholds=_thresholds(pairs, len(self.weights), differ))


def encode(customers: Customers) -> Codes:
    """Codes of features and profit, rows × columns, without the columns of a single value.

    They follow the sorted values, so the order of the rows plays no part.
    """
    columns = [customers.features[name] for name in customers.features.columns]
    if customers.profit is not None:
        columns.append(customers.profit)
    codes = [pd.factorize(column, sort=True, use_na_sentinel=False)[0] for column in columns]
    telling = [code for code in codes if code.max() > 0]
    if not telling:
        return np.empty((len(customers), 0), dtype=np.int32)
    return np.column_stack(telling).astype(np.int32)


def fit_match_model(codes: Codes, order: NDArray[np.int64]) -> MatchModel:
    """Fit the null model to the table ``codes``.

    Two unrelated customers agree in column c with chance p_c = Σ_v f_c(v)², f_c(v) the share of
    value v. Columns hang together (no visits, no minutes), so p_c is raised to the chance given
    agreement in the one column, among those more often agreed in, that c depends on most. A pair
    differing in d columns is no coincidence when pairs × sets × chance ≤ ``EXPECTED``, chance
    being the product of p_c over the columns it agrees in: all n(n-1)/2 pairs had a try, and any
    set of at most d columns might have been the differing one (Bonferroni), so the expected number
    of such pairs is no larger.

    ``order`` sorts the rows by content: dependence is measured on the same pairs of customers
    whatever the order of the file.
    """
    rows, columns = codes.shape
    model = np.array([_match_probability(codes[:, column]) for column in range(columns)])
    weights = -np.log(_conditional_match_probability(model, codes[order])) if columns else model
    most = min(DIFFER_MOST, int(DIFFER_SHARE * columns))
    return MatchModel(weights, _thresholds(rows * (rows - 1) // 2, columns, most))


def _thresholds(pairs: int, columns: int, most: int) -> Floats:
    sets = accumulate(comb(columns, differing) for differing in range(most + 1))
    return np.array([log(max(pairs, 1)) - log(EXPECTED) + log(number) for number in sets])


def _match_probability(code: Codes) -> float:
    return float(np.square(np.bincount(code) / len(code)).sum())


def _conditional_match_probability(model: Floats, codes: Codes) -> Floats:
    """``model`` of each column given agreement in the commoner column it depends on most."""
    both = _joint_match_probability(codes)
    given = both / np.maximum(np.diag(both), np.finfo(float).tiny)
    rank = np.argsort(np.argsort(-model, kind="stable"))
    common = model >= max(COMMON_ROWS / len(codes), COMMON_SHARE)
    parent = (rank[None, :] < rank[:, None]) & common[None, :]
    dependent: Floats = np.where(parent, given, 0.0).max(axis=1)
    return np.clip(np.maximum(model, dependent), 0.0, 1.0)


def _joint_match_probability(codes: Codes) -> Floats:
    """Share of pairs that agree in column i and in column j; ``codes`` sorted by content.

    Pairs are taken at fixed distances. Short ones are left out when there are many rows: equal
    rows stand side by side, and would be met more often than they occur.
    """
    rows, columns = codes.shape
    wanted = -(-SAMPLED_PAIRS // rows)
    distances = np.unique(np.linspace(1, rows // 2, wanted + 1)[1:].astype(int))
    total = np.zeros((columns, columns))
    for distance in distances:
        agree = (codes == np.roll(codes, distance, axis=0)).astype(np.float32)
        total += agree.T @ agree
    shares: Floats = total / (rows * len(distances))
    return shares


Positions = NDArray[np.int64]
Pairs = NDArray[np.int64]
Hashes = NDArray[np.uint64]

WINDOW = 10
"""Look-alikes each row is compared with, for each choice of blocks: keeps the search linear."""


def hash_rows(codes: Codes) -> Hashes:
    """Return a 64-bit hash of each cell; the sum over any columns hashes those columns."""
    drawn = np.random.default_rng(0).integers(0, 2**63, size=codes.shape[1], dtype=np.uint64)
    odd = drawn * np.uint64(2) + np.uint64(1)
    return codes.astype(np.uint64) * odd


def find_candidates(codes: Codes, hashes: Hashes, model: MatchModel) -> tuple[Pairs, int]:
    """Return the pairs (n × 2) chance cannot explain, and how many rows were crowded.

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
    for key in _block_keys(hashes, model):
        rivals = _rows_sharing_key(key, searched)
        order = rivals[np.lexsort((whole[rivals], key[rivals]))]  # equal rows side by side
        sorted_key = key[order]
        near = _neighbours(order, sorted_key)
        kept = np.concatenate([significant_pairs(codes, pairs, model) for pairs in near])
        found = _sorted_unique(np.concatenate([found, kept[:, 0] * rows + kept[:, 1]]))
        further = np.flatnonzero(sorted_key[WINDOW + 1 :] == sorted_key[: -WINDOW - 1])
        crowded[order[further]] = crowded[order[further + WINDOW + 1]] = True
        searched &= np.bincount(kept.ravel(), minlength=rows) < WINDOW
    return np.column_stack([found // rows, found % rows]), int(crowded.sum())


def significant_pairs(codes: Codes, pairs: Pairs, model: MatchModel) -> Pairs:
    """Those of the pairs that agree in more than chance can explain."""
    agree = codes[pairs[:, 0]] == codes[pairs[:, 1]]
    differing = codes.shape[1] - agree.sum(axis=1)
    twin = differing <= model.max_mismatches
    twin[twin] = agree[twin] @ model.weights >= model.thresholds[differing[twin]]
    return np.compress(twin, pairs, axis=0)


def _block_keys(hashes: Hashes, model: MatchModel) -> Iterator[Hashes]:
    """For each choice of blocks, the hash of every row on it."""
    blocks = [
        hashes[:, block].sum(axis=1) for block in _blocks(model.weights, model.max_mismatches)
    ]
    for chosen in combinations(blocks, model.max_mismatches + 1):
        yield np.sum(chosen, axis=0)


def _blocks(surprise: Floats, differ: int) -> list[list[int]]:
    """Return the columns in 2 × ``differ`` + 1 blocks of about the same summed surprise."""
    blocks: list[list[int]] = [[] for _ in range(2 * differ + 1)]
    weights = np.zeros(len(blocks))
    for column in np.argsort(-surprise, kind="stable").tolist():
        lightest = int(weights.argmin())
        blocks[lightest].append(column)
        weights[lightest] += surprise[column]
    return blocks


def _rows_sharing_key(key: Hashes, searched: NDArray[np.bool_]) -> Positions:
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


def _sorted_unique(numbers: Positions) -> Positions:
    """Return the distinct numbers, ascending; faster here than ``np.unique``, which hashes."""
    ascending = np.sort(numbers)
    fresh = np.diff(ascending, prepend=-1) > 0
    return ascending[fresh]
