"""Associations of features with the target and with each other: φk and its significance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import isqrt

import numpy as np
import pandas as pd

from retain.record.explanations_document import RedundantFeatures

N_BINS = 10
"""The default of phik."""
MIN_EXPECTED_PER_CELL = 5
"""Expected customers per cell of two independent numbers (Cochran, 1954): with fewer, the
chi-square approximation is poor."""


@dataclass(frozen=True, slots=True)
class Binned:
    """The bin of each row, shape (n,), from 0; ``count`` where missing."""

    codes: np.ndarray
    count: int


def bins_for(rows: int) -> int:
    """Return the number of bins for a number of rows.

    >>> [bins_for(rows) for rows in (20, 240, 1_039, 1_000_000)]
    [2, 6, 10, 10]
    """
    return min(max(isqrt(rows // MIN_EXPECTED_PER_CELL), 2), N_BINS)


def bin_values(values: pd.Series, bins: int) -> Binned:
    """Return the values of a number or a category in bins.

    Bins of a number have equal counts, except for repeated values. With bins of equal width a
    third to a half of the customers are in one bin if a few have large amounts: on the store's
    files φk of the target with pages per category is .24 by width and .42 by count, with the share
    of promotions .51 and .68. A category keeps the levels with ``MIN_EXPECTED_PER_CELL`` ×
    ``bins`` customers, at most 2 × ``bins`` of them; the others share a bin.

    >>> bin_values(pd.Series([3.0, 1.0, None, 3.0]), 10).codes.tolist()
    [1, 0, 2, 1]
    >>> levels = pd.Series(["b"] * 10 + ["c"] * 12 + ["a", None, "d"], dtype="str")
    >>> bin_values(levels, 2).codes[-6:].tolist()
    [1, 1, 1, 2, 3, 2]
    """
    if pd.api.types.is_numeric_dtype(values):
        return _number(values.to_numpy(dtype=float), bins)
    return _category(values, bins)


def count_bins(one: Binned, other: Binned) -> np.ndarray:
    """Return the number of rows in each pair of bins; rows with missing values are left out.

    Returns
    -------
    ndarray of whole numbers, shape (bins of one, bins of the other).

    >>> one, other = Binned(np.array([0, 0, 1, 2]), 3), Binned(np.array([0, 0, 1, 2]), 2)
    >>> count_bins(one, other).tolist()
    [[2, 0], [0, 1]]
    """
    shape = (one.count + 1, other.count + 1)
    cells = one.codes.astype(np.intp) * shape[1] + other.codes
    table = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)[:-1, :-1]
    return np.asarray(table[table.any(axis=1)][:, table.any(axis=0)])


def _number(values: np.ndarray, bins: int) -> Binned:
    """Return bins with quantiles as upper bounds; a frequent value has its own bin."""
    observed = values[~np.isnan(values)]
    if len(observed) == 0:
        return Binned(np.zeros(len(values), dtype=np.int16), 0)
    upper = np.unique(np.quantile(observed, np.arange(1, bins) / bins, method="inverted_cdf"))
    upper = upper[upper < observed.max()]
    codes = np.searchsorted(upper, values)
    codes[np.isnan(values)] = len(upper) + 1
    return Binned(codes.astype(np.int16), len(upper) + 1)


def _category(values: pd.Series, bins: int) -> Binned:
    """Return bins of levels; levels of equal size are sorted by name, not by order of rows."""
    codes, levels = pd.factorize(values, sort=True)
    sizes = np.bincount(codes[codes >= 0], minlength=len(levels))
    largest = np.argsort(-sizes, kind="stable")[: 2 * bins - 1]
    own = np.sort(largest[sizes[largest] >= MIN_EXPECTED_PER_CELL * bins])
    new_codes = np.full(len(levels) + 1, len(own))
    new_codes[own] = np.arange(len(own))
    new_codes[-1] = len(own) + 1  # code -1 of factorize
    return Binned(new_codes[codes].astype(np.int16), len(own) + 1)


REDUNDANT_PHIK = 0.9


@dataclass(frozen=True)
class Associations:
    """The strength of association between columns.

    Attributes
    ----------
    target
        Indexed by feature: ``phik`` with the target (0 to 1) and its ``significance`` (standard
        deviations above independence, at least 0). NaN if all observed values share one bin: a
        constant, or only rare levels.
    pairs
        ``a, b, phik, significance`` of pairs of features, strongest first, without NaN and weak
        pairs.
    """

    target: pd.DataFrame
    pairs: pd.DataFrame

    def redundant(self, threshold: float = REDUNDANT_PHIK) -> list[RedundantFeatures]:
        """Return groups of features linked by φk above ``threshold``, strongest first.

        >>> pairs = pd.DataFrame({"a": ["x", "y"], "b": ["y", "z"], "phik": [0.99, 0.95]})
        >>> Associations(pd.DataFrame(index=list("zyx")), pairs).redundant()
        [RedundantFeatures(features=('z', 'y', 'x'), phik=0.95)]
        """
        order = {name: index for index, name in enumerate(self.target.index)}
        group: dict[str, RedundantFeatures] = {}
        strong = self.pairs[self.pairs["phik"] > threshold]
        # strongest first, so that a link that joins two groups is the weakest link of both
        for a, b, phik in zip(strong["a"], strong["b"], strong["phik"], strict=True):
            alone = {a, b}
            names = alone.union(*(group[name].features for name in alone if name in group))
            if b not in group or a not in group[b].features:
                joined = RedundantFeatures(
                    features=tuple(sorted(names, key=order.__getitem__)), phik=float(phik)
                )
                group |= dict.fromkeys(names, joined)
        return sorted(dict.fromkeys(group.values()), key=lambda one: -one.phik)


def associations(table: pd.DataFrame, target: np.ndarray, *, least: float = 0.0) -> Associations:
    """Return φk of every feature with the target, and of pairs of features.

    The formulas are those of the package phik. Missing values are left out pairwise.

    Parameters
    ----------
    table
        Numbers as floats, categories as ``str``; shape (n, features).
    target
        0 or 1, shape (n,).
    least
        Pairs of features below this φk are left out early, as wide tables have many pairs.

    >>> pages = np.arange(200.0)
    >>> table = pd.DataFrame({"pages": pages, "visits": pages**2, "same": 1.0})
    >>> result = associations(table, (pages < 100).astype(int), least=0.5)
    >>> result.target["phik"].tolist(), result.pairs["phik"].tolist()
    ([1.0, 1.0, nan], [1.0])
    """
    bins = bins_for(len(table))
    columns = {str(name): bin_values(values, bins) for name, values in table.items()}
    answer = Binned(np.asarray(target, dtype=np.int16), 2)
    with_target = {
        name: measure_association(count_bins(one, answer)) for name, one in columns.items()
    }
    measures = ["phik", "significance"]
    alone = pd.DataFrame.from_dict(with_target, orient="index", columns=measures, dtype=float)
    pairs = pd.DataFrame(list(_pairs(columns, least)), columns=["a", "b", *measures])
    pairs = pairs.astype({"a": "str", "b": "str", **dict.fromkeys(measures, float)})
    pairs = pairs[pairs["phik"] >= least].sort_values("phik", ascending=False, kind="stable")
    return Associations(alone, pairs.reset_index(drop=True))


def measure_association(counts: np.ndarray) -> tuple[float, float]:
    """Return φk and its significance in a table of counts without empty rows and columns.

    Both are NaN for a single row or column. Significance is that of the likelihood-ratio statistic
    under the chi-square distribution.

    >>> [round(value, 2) for value in measure_association(np.array([[40, 10, 5], [10, 30, 40]]))]
    [0.82, 7.09]
    """
    from phik.significance import significance_from_hist2d

    if min(counts.shape) < 2:
        return float("nan"), float("nan")
    _, deviations = significance_from_hist2d(counts, significance_method="asymptotic")
    return _phik(counts), max(float(deviations), 0.0)


def _phik(counts: np.ndarray) -> float:
    from phik.bivariate import phik_from_chi2
    from phik.statistics import (
        estimate_simple_ndof,
        get_chi2_using_dependent_frequency_estimates,
    )

    # a perfect dependence reaches the largest chi-square up to rounding, where there is no root
    if np.count_nonzero(counts) == max(counts.shape) > 2:
        return 1.0
    chi_square = get_chi2_using_dependent_frequency_estimates(counts, lambda_="pearson")
    chance = estimate_simple_ndof(counts)
    return float(phik_from_chi2(chi_square, counts.sum(), *_grid(counts), pedestal=chance))


def _grid(counts: np.ndarray) -> tuple[int, int]:
    """Return the bins of the normal distribution for a table.

    phik cuts both axes of that distribution evenly. If the bins of the two axes are not aligned,
    even a correlation of 1 gives mixed cells, and φk is far too low: two normal variables of
    correlation .6 have a φk of .28 in 2 × 3 bins, .39 in 2 × 5, and .65 in 2 × 4 or 2 × 6. So the
    longer axis is rounded up to a multiple of the shorter.

    >>> _grid(np.ones((2, 5))), _grid(np.ones((10, 6))), _grid(np.ones((10, 10)))
    ((2, 6), (12, 6), (10, 10))
    """
    rows, columns = counts.shape
    short = min(rows, columns)
    return -(-rows // short) * short, -(-columns // short) * short


def _pairs(columns: dict[str, Binned], least: float) -> Iterator[tuple[str, str, float, float]]:
    for a, b in combinations(columns, 2):
        counts = count_bins(columns[a], columns[b])
        if min(counts.shape) > 1 and _can_reach(least, counts):
            yield a, b, *measure_association(counts)


def _can_reach(phik: float, counts: np.ndarray) -> bool:
    """Return whether chi-square reaches that of ``phik``; faster than solving for φk."""
    if phik <= 0:
        return True
    total, (rows, columns) = counts.sum(), counts.shape
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total
    chi_square = ((counts - expected) ** 2 / expected).sum()
    chance, most = (rows - 1) * (columns - 1), total * (min(rows, columns) - 1)
    return bool(chi_square >= chance + (most - chance) * _share(phik, *_grid(counts)) * (1 - 1e-6))


@cache
def _share(phik: float, rows: int, columns: int) -> float:
    """Return the share of the largest chi-square, beyond independence, at a φk."""
    from phik.bivariate import chi2_from_phik

    return float(chi2_from_phik(phik, 1, nx=rows, ny=columns)) / (min(rows, columns) - 1)
