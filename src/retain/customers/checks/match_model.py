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

EXPECTED_CHANCE_PAIRS = 0.01
"""Expected pairs by chance at each number of differences: one table in a hundred has one."""
DIFFER_SHARE, DIFFER_MOST = 0.15, 3
"""A copy may differ in 15 % of the columns, at most 3: a flipped flag, a corrected figure."""
SAMPLED_PAIRS = 1_000_000
"""Pairs on which dependence is measured: all of them up to 1,400 customers."""
MAX_PARENTS, MAX_PRODUCTS = 2_000, 2 * 10**12
"""Commonest columns on which others may depend, and products of cells that find that out: both
keep tables of many thousand columns from taking the square of their columns."""
COMMON_ROWS, COMMON_SHARE = 10, 0.001
"""A column that others are conditioned on needs 10 rows per value and 1,000 sampled pairs.

With fewer, the copies themselves would look like dependence between columns. A row shared by one
in thirty customers counts as a kind of customer, such as those without any activity.
"""


@dataclass(frozen=True, slots=True)
class MatchModel:
    """Agreement expected by chance in one table.

    Attributes
    ----------
    weights
        −log of the probability that two unrelated customers agree, per column.
    thresholds
        ``thresholds[d]``: smallest sum of weights of the agreeing columns at which a pair that
        differs in ``d`` columns is significant.
    """

    weights: Floats
    thresholds: Floats

    @property
    def max_mismatches(self) -> int:
        """Most columns in which copies may differ; -1 when even equal rows may be coincidence."""
        ascending = np.concatenate([[0.0], np.cumsum(np.sort(self.weights))])
        reachable = [
            ascending[-1] - ascending[d] >= limit
            for d, limit in enumerate(self.thresholds.tolist())
        ]
        return reachable.index(False) - 1 if False in reachable else len(reachable) - 1

    @property
    def expected_matches(self) -> float:
        """Pairs of equal rows expected by chance."""
        return float(np.exp(self.thresholds[0] - self.weights.sum()) * EXPECTED_CHANCE_PAIRS)

    def restrict(self, pairs: int, differ: int) -> MatchModel:
        """Return the model for only ``pairs`` pairs with up to ``differ`` mismatches."""
        return replace(self, thresholds=_thresholds(pairs, len(self.weights), differ))


def encode(customers: Customers) -> Codes:
    """Return codes of features and profit, rows × columns, without constant columns.

    Codes follow the sorted values, so they do not depend on the order of rows.
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

    Two unrelated customers agree in column c with probability p_c = Σ_v f_c(v)², f_c(v) the share
    of value v. Columns depend on each other (no visits, no minutes), so p_c is replaced by the
    probability given agreement in the commoner column on which c depends most. A pair that
    differs in d columns is significant when pairs × sets × p ≤ ``EXPECTED_CHANCE_PAIRS``, with p
    the product of p_c over the columns it agrees in, n(n-1)/2 pairs, and all sets of at most d
    differing columns (Bonferroni).

    ``order`` sorts the rows by content, so dependence is measured on the same pairs of customers
    in any order of the file.
    """
    rows, columns = codes.shape
    model = np.array([_match_probability(codes[:, column]) for column in range(columns)])
    weights = -np.log(_conditional_match_probability(model, codes[order])) if columns else model
    most = min(DIFFER_MOST, int(DIFFER_SHARE * columns))
    return MatchModel(weights, _thresholds(rows * (rows - 1) // 2, columns, most))


def _thresholds(pairs: int, columns: int, most: int) -> Floats:
    sets = accumulate(comb(columns, differing) for differing in range(most + 1))
    return np.array(
        [log(max(pairs, 1)) - log(EXPECTED_CHANCE_PAIRS) + log(number) for number in sets]
    )


def _match_probability(code: Codes) -> float:
    return float(np.square(np.bincount(code) / len(code)).sum())


def _conditional_match_probability(model: Floats, codes: Codes) -> Floats:
    """Return the probability of agreement given the commoner column it depends on most."""
    order = np.argsort(-model, kind="stable")
    rank = np.argsort(order)
    is_common = model[order] >= max(COMMON_ROWS / len(codes), COMMON_SHARE)
    common = order[is_common][:MAX_PARENTS]
    both = _joint_match_probability(codes, common)
    given = both / np.maximum(both[common, np.arange(len(common))], np.finfo(float).tiny)
    parent = rank[None, common] < rank[:, None]
    dependent: Floats = np.where(parent, given, 0.0).max(axis=1, initial=0.0)
    return np.clip(np.maximum(model, dependent), 0.0, 1.0)


def _joint_match_probability(codes: Codes, parents: NDArray[np.int64]) -> Floats:
    """Return the share of pairs that agree in a column and a parent; ``codes`` sorted by content.

    Pairs are taken at fixed distances. With many rows short distances are left out, because equal
    rows are adjacent and would be over-represented.
    """
    rows, columns = codes.shape
    pairs = min(SAMPLED_PAIRS, MAX_PRODUCTS // max(columns * len(parents), 1))
    wanted = max(1, -(-pairs // rows))
    distances = np.unique(np.linspace(1, rows // 2, wanted + 1)[1:].astype(int))
    total = np.zeros((columns, len(parents)))
    for distance in distances:
        agree = (codes == np.roll(codes, distance, axis=0)).astype(np.float32)
        total += agree.T @ agree[:, parents]
    shares: Floats = total / (rows * len(distances))
    return shares


Positions = NDArray[np.int64]
Pairs = NDArray[np.int64]
Hashes = NDArray[np.uint64]

WINDOW_ROWS = 10
"""Candidates compared with each row for each choice of blocks: keeps the search linear."""


def hash_rows(codes: Codes) -> Hashes:
    """Return a 64-bit hash of each cell; the sum over any columns hashes those columns."""
    random = np.random.default_rng(0).integers(0, 2**63, size=codes.shape[1], dtype=np.uint64)
    multipliers = random * np.uint64(2) + np.uint64(1)
    return codes.astype(np.uint64) * multipliers


def find_candidates(codes: Codes, hashes: Hashes, model: MatchModel) -> tuple[Pairs, int]:
    """Return the significant pairs (n × 2), and the number of truncated rows.

    Columns are divided into 2d + 1 blocks, d the number of differences allowed. Copies agree
    exactly on at least d + 1 blocks (pigeonhole), about half of the columns, which separates most
    unrelated rows. Rows that agree on the chosen blocks are compared within a window over their
    sorted order (Hernández & Stolfo 1995, the sorted neighbourhood method). Rows with more
    candidates than fit the window are truncated, but equal rows are still compared. A row with a
    full window of copies is not searched further.
    """
    rows = len(codes)
    matches, crowded = np.empty(0, dtype=np.int64), np.zeros(rows, dtype=bool)
    whole, searched = hashes.sum(axis=1), np.ones(rows, dtype=bool)
    for key in _block_keys(hashes, model):
        rivals = _rows_sharing_key(key, searched)
        order = rivals[np.lexsort((whole[rivals], key[rivals]))]  # equal rows are adjacent
        sorted_key = key[order]
        near = _neighbours(order, sorted_key)
        significant = np.concatenate([significant_pairs(codes, pairs, model) for pairs in near])
        matches = _sorted_unique(
            np.concatenate([matches, significant[:, 0] * rows + significant[:, 1]])
        )
        further = np.flatnonzero(sorted_key[WINDOW_ROWS + 1 :] == sorted_key[: -WINDOW_ROWS - 1])
        crowded[order[further]] = crowded[order[further + WINDOW_ROWS + 1]] = True
        searched &= np.bincount(significant.ravel(), minlength=rows) < WINDOW_ROWS
    return np.column_stack([matches // rows, matches % rows]), int(crowded.sum())


def significant_pairs(codes: Codes, pairs: Pairs, model: MatchModel) -> Pairs:
    """Return the pairs whose agreement is significant."""
    agree = codes[pairs[:, 0]] == codes[pairs[:, 1]]
    differing = codes.shape[1] - agree.sum(axis=1)
    twin = differing <= model.max_mismatches
    twin[twin] = agree[twin] @ model.weights >= model.thresholds[differing[twin]]
    return np.compress(twin, pairs, axis=0)


def _block_keys(hashes: Hashes, model: MatchModel) -> Iterator[Hashes]:
    """Yield the hash of every row for each choice of blocks."""
    blocks = [
        hashes[:, block].sum(axis=1) for block in _blocks(model.weights, model.max_mismatches)
    ]
    for chosen in combinations(blocks, model.max_mismatches + 1):
        yield np.sum(chosen, axis=0)


def _blocks(surprise: Floats, differ: int) -> list[list[int]]:
    """Return the columns in 2 × ``differ`` + 1 blocks of about the same total weight."""
    blocks: list[list[int]] = [[] for _ in range(2 * differ + 1)]
    weights = np.zeros(len(blocks))
    for column in np.argsort(-surprise, kind="stable").tolist():
        lightest = int(weights.argmin())
        blocks[lightest].append(column)
        weights[lightest] += surprise[column]
    return blocks


def _rows_sharing_key(key: Hashes, searched: NDArray[np.bool_]) -> Positions:
    """Return the searched rows that share their key with another, ascending."""
    rows = np.flatnonzero(searched)
    order = rows[np.argsort(key[rows])]
    same = key[order[1:]] == key[order[:-1]]
    return np.sort(order[np.append(same, False) | np.append(False, same)])


def _neighbours(order: Positions, key: Hashes) -> Iterator[Pairs]:
    """Yield pairs with the same key, at most ``WINDOW_ROWS`` apart in the order."""
    for step in range(1, WINDOW_ROWS + 1):
        same = np.flatnonzero(key[step:] == key[:-step])
        yield np.sort(np.column_stack([order[same], order[same + step]]), axis=1)
        if same.size == 0:
            break


def _sorted_unique(numbers: Positions) -> Positions:
    """Return the distinct numbers, ascending; faster than ``np.unique``, which hashes."""
    ascending = np.sort(numbers)
    fresh = np.diff(ascending, prepend=-1) > 0
    return ascending[fresh]
