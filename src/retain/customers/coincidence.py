"""How improbable it is that two unrelated customers agree in a set of columns.

May import: customers.customers. Customers are rows of codes here: whole numbers, equal where
values are equal, missing being one more value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate
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
class Coincidence:
    """What chance alone can do in one table.

    Attributes
    ----------
    surprise
        For each column, minus the logarithm of the chance that two unrelated customers agree in it.
    limits
        ``limits[d]``: the least summed surprise of the agreeing columns at which a pair that
        differs in ``d`` columns is no coincidence.
    """

    surprise: Floats
    limits: Floats

    @property
    def differ(self) -> int:
        """The most columns copies may differ in; -1 when even equal rows may be coincidence."""
        ascending = np.concatenate([[0.0], np.cumsum(np.sort(self.surprise))])
        reachable = [
            ascending[-1] - ascending[d] >= limit for d, limit in enumerate(self.limits.tolist())
        ]
        return reachable.index(False) - 1 if False in reachable else len(reachable) - 1

    @property
    def equal_by_chance(self) -> float:
        """Pairs of wholly equal rows to be expected by chance."""
        return float(np.exp(self.limits[0] - self.surprise.sum()) * EXPECTED)

    def among(self, pairs: int, differ: int) -> Coincidence:
        """The same table when only ``pairs`` pairs are looked at, differing in up to ``differ``."""
        return replace(self, limits=_limits(pairs, len(self.surprise), differ))


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


def measure(codes: Codes, order: NDArray[np.int64]) -> Coincidence:
    """What chance can do in the table ``codes``.

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
    chance = np.array([_squares(codes[:, column]) for column in range(columns)])
    surprise = -np.log(_given_others(chance, codes[order])) if columns else chance
    most = min(DIFFER_MOST, int(DIFFER_SHARE * columns))
    return Coincidence(surprise, _limits(rows * (rows - 1) // 2, columns, most))


def _limits(pairs: int, columns: int, most: int) -> Floats:
    sets = accumulate(comb(columns, differing) for differing in range(most + 1))
    return np.array([log(max(pairs, 1)) - log(EXPECTED) + log(number) for number in sets])


def _squares(code: Codes) -> float:
    return float(np.square(np.bincount(code) / len(code)).sum())


def _given_others(chance: Floats, codes: Codes) -> Floats:
    """``chance`` of each column given agreement in the commoner column it depends on most."""
    both = _both(codes)
    given = both / np.maximum(np.diag(both), np.finfo(float).tiny)
    rank = np.argsort(np.argsort(-chance, kind="stable"))
    common = chance >= max(COMMON_ROWS / len(codes), COMMON_SHARE)
    parent = (rank[None, :] < rank[:, None]) & common[None, :]
    dependent: Floats = np.where(parent, given, 0.0).max(axis=1)
    return np.clip(np.maximum(chance, dependent), 0.0, 1.0)


def _both(codes: Codes) -> Floats:
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
