"""How much a feature moves scores in the mean, and how sure that is.

May import: nothing of the package.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

BUNDLES = 10_000
"""Bundles of customers that are resampled as one; below so many customers, each alone."""
BATCH = 100
"""Resamples done at a time."""


@dataclass(frozen=True)
class Strength:
    """Mean size of a feature's SHAP values in log-odds, and its bootstrap 95 % interval."""

    mean: float
    low: float
    high: float


def strengths(sizes: np.ndarray, twins: pd.Series, *, resamples: int, seed: int) -> list[Strength]:
    """The mean of each column of ``sizes``, shape (n, p), with percentile bootstrap intervals.

    Customers are resampled with their copies (rows that share a label of ``twins``). Of more than
    ``BUNDLES`` groups several are resampled as one, which leaves the variance of a mean as it is.

    >>> twins = pd.Series(range(400))
    >>> (one,) = strengths(np.arange(400.0)[:, None], twins, resamples=200, seed=0)
    >>> one.mean, one.low < 199.5 < one.high
    (199.5, True)
    """
    place = pd.factorize(twins.to_numpy())[0] % BUNDLES
    count = int(place.max()) + 1
    sums = np.stack(
        [np.bincount(place, sizes[:, j], minlength=count) for j in range(sizes.shape[1])], axis=1
    )
    members = np.bincount(place, minlength=count)
    random = np.random.default_rng(seed)
    means = np.concatenate(
        [
            _resampled(sums, members, min(BATCH, resamples - at), random)
            for at in range(0, resamples, BATCH)
        ]
    )
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    whole = sums.sum(axis=0) / members.sum()
    return [Strength(*map(float, one)) for one in zip(whole, low, high, strict=True)]


def _resampled(
    sums: np.ndarray, members: np.ndarray, times: int, random: np.random.Generator
) -> np.ndarray:
    count = len(members)
    drawn = random.multinomial(count, np.full(count, 1 / count), size=times).astype(float)
    return np.asarray(drawn @ sums / (drawn @ members)[:, None])
