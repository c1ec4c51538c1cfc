"""The AUC of one column alone."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retain.customers.customers import Customers

Numbers = NDArray[np.int64]

Z_LIMIT = 4.0
"""Standard errors: noise alone comes so far once in 16,000 columns."""
PRIOR_ROWS = 10.0
"""Rows the overall rate weighs within a category: a category of five says little."""
MIN_ROWS = 10
"""Two columns of fewer rows may have the same order by chance."""


@dataclass(frozen=True, slots=True)
class UnivariateAuc:
    """The ROC-AUC of a column taken as a score (1: higher values declined), and its z-value.

    ``z`` is the distance from .5 in standard errors were the column noise (Mann & Whitney 1947;
    without the correction for ties, so a little too small).
    """

    auc: float
    z: float

    @property
    def separation(self) -> float:
        """The AUC in the better of both directions, .5 to 1."""
        return max(self.auc, 1 - self.auc)

    def exceeds(self, auc: float) -> bool:
        """Return whether the column separates by more than ``auc``, and by more than chance."""
        return self.separation > auc and abs(self.z) > Z_LIMIT


NONE = UnivariateAuc(0.5, 0.0)


def auc_of_codes(codes: Numbers, target: Numbers) -> UnivariateAuc:
    """Return the AUC of codes 0, 1, …, ties counted half; ``NONE`` for a single class.

    >>> auc_of_codes(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 1])).auc
    0.875
    """
    levels = int(codes.max()) + 1 if len(codes) else 0
    declined = np.bincount(codes[target == 1], minlength=levels)
    rest = np.bincount(codes[target == 0], minlength=levels)
    n_declined, n_rest = int(declined.sum()), int(rest.sum())
    if n_declined == 0 or n_rest == 0:
        return NONE
    below = np.cumsum(rest) - rest
    auc = float((declined * (below + rest / 2)).sum() / n_declined / n_rest)
    error = sqrt((n_declined + n_rest + 1) / (12 * n_declined * n_rest))
    return UnivariateAuc(auc, (auc - 0.5) / error)


def number_auc(values: pd.Series, target: Numbers) -> UnivariateAuc:
    """Return the best separation by a number: missing values lowest, highest or left out."""
    codes = rank_codes(values)
    present = codes >= 0
    ways = [auc_of_codes(codes[present], target[present])]
    if not present.all():
        ways.append(auc_of_codes(codes + 1, target))
        ways.append(auc_of_codes(np.where(present, codes, codes.max() + 1), target))
    messages = [way for way in ways if abs(way.z) > Z_LIMIT]
    return max(messages, key=lambda way: way.separation, default=ways[-1])


def category_auc(values: pd.Series, target: Numbers) -> UnivariateAuc:
    """Return the separation by the rate of decline of each category, learnt on other customers.

    Each half of the customers is scored by the smoothed rates of the other half (halves taken
    by turns within each class). So a category of one customer has learnt nothing, and a column
    of many categories does not separate by their number alone. Missing is one more category.
    """
    codes = pd.factorize(values, use_na_sentinel=False)[0]
    half = pd.Series(target).groupby(target).cumcount().to_numpy() % 2
    scores = np.empty(len(codes))
    for one in (0, 1):
        learnt = half != one
        counts = np.bincount(codes[learnt], minlength=codes.max() + 1)
        declined = np.bincount(codes[learnt], target[learnt], minlength=codes.max() + 1)
        rates = (declined + PRIOR_ROWS * target.mean()) / (counts + PRIOR_ROWS)
        scores[half == one] = rates[codes[half == one]]
    return auc_of_codes(rank_codes(pd.Series(scores)), target)


def rank_codes(values: pd.Series | pd.Index) -> Numbers:
    """Return the place of each value among the distinct ones, lowest 0; -1 where missing.

    Texts that are all numbers count as numbers.

    >>> rank_codes(pd.Index(["10", "9", "10"])).tolist()
    [1, 0, 1]
    """
    if pd.api.types.is_numeric_dtype(values.dtype):
        return pd.factorize(values, sort=True)[0].astype(np.int64)
    places, distinct = pd.factorize(values)
    texts = pd.Series(distinct)
    numbers = pd.Series(pd.to_numeric(texts, errors="coerce"))
    ranks = pd.factorize(texts if numbers.isna().any() else numbers, sort=True)[0]
    return np.append(ranks, -1)[places].astype(np.int64)  # missing values have the last place


def have_same_order(left: Numbers, right: Numbers) -> bool:
    """Return whether of two results of ``rank_codes`` one rises, or falls, strictly with the other.

    Judged where neither is missing; False on fewer than 10 rows or a single value.

    >>> rising = np.arange(10)
    >>> have_same_order(rising, rising[::-1]), have_same_order(rising, rising // 2)
    (True, False)
    """
    both = (left >= 0) & (right >= 0)
    if both.sum() < MIN_ROWS:
        return False
    one, other = left, right
    if not both.all():
        one, other = rank_codes(pd.Series(left[both])), rank_codes(pd.Series(right[both]))
    if one.max() == 0:
        return False
    return bool(np.array_equal(one, other) or np.array_equal(one, other.max() - other))


MIN_CORRELATION = 0.9999
"""Pearson's r of a figure with itself in other units, rounded to the cent."""


def find_id_copies(customers: Customers) -> tuple[str, ...]:
    """Features that are the id, or rise or fall strictly with it."""
    ids = rank_codes(customers.features.index)
    features = customers.features
    distinct = (name for name in features if features[name].dropna().is_unique)
    return tuple(str(name) for name in distinct if have_same_order(rank_codes(features[name]), ids))


def is_id(customers: Customers, name: str) -> bool:
    """Return whether a feature holds the ids themselves, not only their order."""
    ids, values = customers.features.index.to_series(), customers.features[name]
    if pd.api.types.is_numeric_dtype(values) and pd.api.types.is_numeric_dtype(ids):
        return np.array_equal(values.to_numpy(dtype=float), ids.to_numpy(dtype=float))
    return np.array_equal(values.astype(str).to_numpy(), ids.astype(str).to_numpy())


def find_target_copies(customers: Customers) -> tuple[str, ...]:
    """Features of two values, missing being one, that part customers as the target does."""
    if customers.target is None or len(customers) < MIN_ROWS or customers.target.nunique() < 2:
        return ()
    target = customers.target.to_numpy()
    found = []
    for name, values in customers.features.items():
        codes = pd.factorize(values, use_na_sentinel=False)[0]
        if np.array_equal(codes, target) or np.array_equal(codes, 1 - target):
            found.append(str(name))
    return tuple(found)


def find_profit_copies(customers: Customers) -> tuple[str, ...]:
    """Features that rise or fall strictly with profit, or as good as linearly."""
    if customers.profit is None:
        return ()
    profit = customers.profit.reset_index(drop=True)
    places = rank_codes(profit)
    return tuple(
        str(name)
        for name, values in customers.features.items()
        if have_same_order(rank_codes(values), places) or _is_linear(values, profit)
    )


def _is_linear(values: pd.Series, profit: pd.Series) -> bool:
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return False
    one, other = values.to_numpy(dtype=float), profit.to_numpy(dtype=float)
    known = np.isfinite(one) & np.isfinite(other)
    one, other = one[known], other[known]
    if len(one) < MIN_ROWS or not (one.std() and other.std()):
        return False
    return bool(abs(np.corrcoef(one, other)[0, 1]) > MIN_CORRELATION)
