"""The profile of a feature's SHAP values: spread, and dependence on the feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

BINS = 40
"""Bins of a swarm."""
STEPS = 20
"""Most bins of a dependence, of equally many customers; most levels of a category."""
CLEAR = 0.5
"""Spearman's ρ from which a feature's effect counts as rising or falling."""


@dataclass(frozen=True)
class Direction:
    """True if higher values go with a higher risk; of a category, the level with the highest."""

    towards: str
    rho: float | None = None
    level: str | None = None


def direction(values: pd.Series, shares: np.ndarray) -> Direction | None:
    """Return the direction in which a feature moves scores, or None.

    >>> direction(pd.Series([1.0, 2.0, 3.0]), np.array([0.3, 0.1, -0.2])).towards
    'down'
    """
    if np.ptp(shares) == 0:
        return None
    if not pd.api.types.is_numeric_dtype(values):
        means = pd.Series(shares).groupby(values.to_numpy()).mean()
        return Direction("level", level=str(means.idxmax())) if len(means) else None
    known = values.notna().to_numpy()
    if values[known].nunique() < 2 or np.ptp(shares[known]) == 0:
        return Direction("mixed")
    rho = float(stats.spearmanr(values[known], shares[known]).statistic)
    towards = "mixed" if abs(rho) < CLEAR else "up" if rho > 0 else "down"
    return Direction(towards, rho)


def beeswarm_bins(values: pd.Series, shares: np.ndarray) -> dict[str, Any] | None:
    """Return counts of SHAP values in equal bins, and how high the feature's values in each rank.

    None where all are the same. ``mean_ranks`` go from 0 (lowest) to 1, None for bins without a
    known number.
    """
    low, high = float(shares.min()), float(shares.max())
    if low == high:
        return None
    place = np.clip(((shares - low) / (high - low) * BINS).astype(int), 0, BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    return {
        "min": low,
        "max": high,
        "counts": counts.tolist(),
        "mean_ranks": _ranks(values, place),
    }


def _ranks(values: pd.Series, place: np.ndarray) -> list[float | None]:
    if not pd.api.types.is_numeric_dtype(values):
        return [None] * BINS
    known = values.notna().to_numpy()
    rank = (stats.rankdata(values[known]) - 1) / max(known.sum() - 1, 1)
    sums = np.bincount(place[known], rank, minlength=BINS)
    counts = np.bincount(place[known], minlength=BINS)
    return [float(s / c) if c else None for s, c in zip(sums, counts, strict=True)]


def dependence(values: pd.Series, shares: np.ndarray) -> list[dict[str, Any]]:
    """SHAP values along a feature's value: mean and 10th to 90th percentile, by bin or level.

    Numbers in bins of equally many customers, ``x`` the bin's median; of a category the largest
    levels, ``x`` None and ``level`` its name. Customers whose value is not known are in none.
    """
    number = pd.api.types.is_numeric_dtype(values)
    by = _bin_means(values) if number else values
    table = pd.DataFrame({"by": by.to_numpy(), "value": values.to_numpy(), "share": shares})
    parts = list(table.dropna(subset=["by"]).groupby("by", sort=True))
    if not number:
        parts = sorted(parts, key=lambda one: -len(one[1]))[:STEPS]
    return [_step(name, part, number=number) for name, part in parts]


def _step(name: object, part: pd.DataFrame, *, number: bool) -> dict[str, Any]:
    return {
        "x": float(part["value"].median()) if number else None,
        "level": None if number else str(name),
        "n_customers": len(part),
        "mean": float(part["share"].mean()),
        "p10": float(part["share"].quantile(0.1)),
        "p90": float(part["share"].quantile(0.9)),
    }


def _bin_means(values: pd.Series) -> pd.Series:
    """Return the bin of each number; few different ones are their own."""
    if values.nunique() <= STEPS:
        return values
    return pd.qcut(values, STEPS, labels=False, duplicates="drop")


BUNDLES = 10_000
"""Bundles of customers that are resampled as one; below so many customers, each alone."""
BATCH = 100
"""Resamples done at a time."""


@dataclass(frozen=True)
class Strength:
    """Mean absolute SHAP value of a feature in log-odds, and its bootstrap 95 % interval."""

    value: float
    low: float
    high: float


def strengths(
    sizes: np.ndarray, duplicate_groups: pd.Series, *, resamples: int, seed: int
) -> list[Strength]:
    """Return the mean of each column of ``sizes``, (n, p), with bootstrap intervals.

    Customers are resampled with their copies (rows of one duplicate group). Of more than
    ``BUNDLES`` groups several are resampled as one, which leaves the variance of a mean as it is.

    >>> twins = pd.Series(range(400))
    >>> (one,) = strengths(np.arange(400.0)[:, None], twins, resamples=200, seed=0)
    >>> one.value, one.low < 199.5 < one.high
    (199.5, True)
    """
    place = pd.factorize(duplicate_groups.to_numpy())[0] % BUNDLES
    count = int(place.max()) + 1
    sums = np.stack(
        [np.bincount(place, sizes[:, j], minlength=count) for j in range(sizes.shape[1])], axis=1
    )
    members = np.bincount(place, minlength=count)
    random = np.random.default_rng(seed)
    means = np.concatenate(
        [
            _bootstrap(sums, members, min(BATCH, resamples - at), random)
            for at in range(0, resamples, BATCH)
        ]
    )
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    whole = sums.sum(axis=0) / members.sum()
    return [Strength(*map(float, one)) for one in zip(whole, low, high, strict=True)]


def _bootstrap(
    sums: np.ndarray, members: np.ndarray, times: int, random: np.random.Generator
) -> np.ndarray:
    count = len(members)
    drawn = random.multinomial(count, np.full(count, 1 / count), size=times).astype(float)
    return np.asarray(drawn @ sums / (drawn @ members)[:, None])
