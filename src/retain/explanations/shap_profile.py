"""The profile of a feature's SHAP values: spread, and dependence on the feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from retain.customers.customers import Column
from retain.record.estimates import DisplayName, Estimate
from retain.record.explanations_document import Beeswarm, DependencePoint

N_BEESWARM_BINS = 40
"""Bins of a beeswarm."""
MAX_DEPENDENCE_BINS = 20
"""Largest number of bins of a dependence, of equal counts, or of levels of a category."""
MIN_DIRECTION_RHO = 0.5
"""|Spearman's ρ| from which a feature's effect counts as increasing or decreasing."""


Towards = Literal["up", "down", "mixed", "level"]


@dataclass(frozen=True)
class Direction:
    """The direction of a number's effect on the risk; of a category, the level of highest risk."""

    towards: Towards
    rho: float | None = None
    level: str | None = None


def direction(values: pd.Series, log_odds: np.ndarray) -> Direction | None:
    """Return the direction in which a feature moves scores, or None.

    >>> direction(pd.Series([1.0, 2.0, 3.0]), np.array([0.3, 0.1, -0.2])).towards
    'down'
    """
    if np.ptp(log_odds) == 0:
        return None
    if not pd.api.types.is_numeric_dtype(values):
        means = pd.Series(log_odds).groupby(values.to_numpy()).mean()
        return Direction("level", level=str(means.idxmax())) if len(means) else None
    observed = values.notna().to_numpy()
    if values[observed].nunique() < 2 or np.ptp(log_odds[observed]) == 0:
        return Direction("mixed")
    rho = float(stats.spearmanr(values[observed], log_odds[observed]).statistic)
    towards: Towards = "mixed" if abs(rho) < MIN_DIRECTION_RHO else "up" if rho > 0 else "down"
    return Direction(towards, rho)


def beeswarm_bins(values: pd.Series, log_odds: np.ndarray) -> Beeswarm | None:
    """Return counts of SHAP values in equal bins, and the mean rank of the feature in each.

    None if all SHAP values are equal. ``mean_ranks`` go from 0 (lowest) to 1, None in bins
    without an observed number.
    """
    low, high = float(log_odds.min()), float(log_odds.max())
    if low == high:
        return None
    bins = np.clip(
        ((log_odds - low) / (high - low) * N_BEESWARM_BINS).astype(int), 0, N_BEESWARM_BINS - 1
    )
    counts = np.bincount(bins, minlength=N_BEESWARM_BINS)
    return Beeswarm(
        min=low, max=high, counts=tuple(counts.tolist()), mean_ranks=tuple(_ranks(values, bins))
    )


def _ranks(values: pd.Series, bins: np.ndarray) -> list[float | None]:
    if not pd.api.types.is_numeric_dtype(values):
        return [None] * N_BEESWARM_BINS
    observed = values.notna().to_numpy()
    rank = (stats.rankdata(values[observed]) - 1) / max(observed.sum() - 1, 1)
    sums = np.bincount(bins[observed], rank, minlength=N_BEESWARM_BINS)
    counts = np.bincount(bins[observed], minlength=N_BEESWARM_BINS)
    return [float(s / c) if c else None for s, c in zip(sums, counts, strict=True)]


def dependence(
    values: pd.Series, log_odds: np.ndarray, column: Column
) -> tuple[DependencePoint, ...]:
    """Return mean and 10th to 90th percentile of SHAP values by bin or level of the feature.

    Numbers have bins of equal counts, ``x`` is the bin's median; a category has its largest
    levels, ``x`` is None and ``label`` the level's. Missing values are left out.
    """
    number = pd.api.types.is_numeric_dtype(values)
    by = _bin_means(values) if number else values
    table = pd.DataFrame({"by": by.to_numpy(), "value": values.to_numpy(), "share": log_odds})
    parts = list(table.dropna(subset=["by"]).groupby("by", sort=True))
    if not number:
        parts = sorted(parts, key=lambda one: -len(one[1]))[:MAX_DEPENDENCE_BINS]
    return tuple(_point(part, None if number else column.level(str(name))) for name, part in parts)


def _point(part: pd.DataFrame, label: DisplayName | None) -> DependencePoint:
    return DependencePoint(
        x=float(part["value"].median()) if label is None else None,
        n_customers=len(part),
        mean=float(part["share"].mean()),
        p10=float(part["share"].quantile(0.1)),
        p90=float(part["share"].quantile(0.9)),
        label=label,
    )


def _bin_means(values: pd.Series) -> pd.Series:
    """Return the bin of each number; few distinct values are their own bins."""
    if values.nunique() <= MAX_DEPENDENCE_BINS:
        return values
    return pd.qcut(values, MAX_DEPENDENCE_BINS, labels=False, duplicates="drop")


MAX_BOOTSTRAP_UNITS = 10_000
"""Largest number of units of the bootstrap; with more groups, several form one unit."""
BATCH_RESAMPLES = 100
"""Resamples per batch."""


def strengths(
    sizes: np.ndarray, duplicate_groups: pd.Series, *, resamples: int, seed: int
) -> list[Estimate]:
    """Return the mean of each column of ``sizes``, (n, p), with bootstrap intervals.

    Whole duplicate groups are resampled. With more than ``MAX_BOOTSTRAP_UNITS`` groups several
    form one unit, which does not change the variance of a mean.

    >>> groups = pd.Series(range(400))
    >>> (strength,) = strengths(np.arange(400.0)[:, None], groups, resamples=200, seed=0)
    >>> strength.value, strength.low < 199.5 < strength.high
    (199.5, True)
    """
    bundles = pd.factorize(duplicate_groups.to_numpy())[0] % MAX_BOOTSTRAP_UNITS
    count = int(bundles.max()) + 1
    sums = np.stack(
        [np.bincount(bundles, sizes[:, j], minlength=count) for j in range(sizes.shape[1])], axis=1
    )
    members = np.bincount(bundles, minlength=count)
    random = np.random.default_rng(seed)
    means = np.concatenate(
        [
            _bootstrap(sums, members, min(BATCH_RESAMPLES, resamples - start), random)
            for start in range(0, resamples, BATCH_RESAMPLES)
        ]
    )
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    whole = sums.sum(axis=0) / members.sum()
    return [Estimate(*map(float, one)) for one in zip(whole, low, high, strict=True)]


def _bootstrap(
    sums: np.ndarray, members: np.ndarray, times: int, random: np.random.Generator
) -> np.ndarray:
    count = len(members)
    weights = random.multinomial(count, np.full(count, 1 / count), size=times).astype(float)
    return np.asarray(weights @ sums / (weights @ members)[:, None])
