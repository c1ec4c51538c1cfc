"""How a feature's SHAP values lie: their spread, and how they follow the feature's value.

May import: nothing of the package. Every customer counts; none is left out of a picture.
"""

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
    """Whether higher values go with a higher risk; of a category, the level with the highest."""

    towards: str
    rho: float | None = None
    level: str | None = None


def direction(values: pd.Series, shares: np.ndarray) -> Direction | None:
    """Which way a feature moves scores; None where it moves none.

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


def swarm(values: pd.Series, shares: np.ndarray) -> dict[str, Any] | None:
    """Counts of SHAP values in equal bins, and how high the feature's values in each rank.

    None where all are the same. ``values`` are mean ranks from 0 (lowest) to 1, None for bins
    without a known number.
    """
    low, high = float(shares.min()), float(shares.max())
    if low == high:
        return None
    place = np.clip(((shares - low) / (high - low) * BINS).astype(int), 0, BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    return {"low": low, "high": high, "counts": counts.tolist(), "values": _ranks(values, place)}


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

    Numbers in bins of equally many customers, ``at`` the bin's median; of a category the largest
    levels, ``at`` None and ``level`` its name. Customers whose value is not known are in none.
    """
    number = pd.api.types.is_numeric_dtype(values)
    by = _binned(values) if number else values
    table = pd.DataFrame({"by": by.to_numpy(), "value": values.to_numpy(), "share": shares})
    parts = list(table.dropna(subset=["by"]).groupby("by", sort=True))
    if not number:
        parts = sorted(parts, key=lambda one: -len(one[1]))[:STEPS]
    return [_step(name, part, number=number) for name, part in parts]


def _step(name: object, part: pd.DataFrame, *, number: bool) -> dict[str, Any]:
    return {
        "at": float(part["value"].median()) if number else None,
        "level": None if number else str(name),
        "customers": len(part),
        "mean": float(part["share"].mean()),
        "low": float(part["share"].quantile(0.1)),
        "high": float(part["share"].quantile(0.9)),
    }


def _binned(values: pd.Series) -> pd.Series:
    """The bin of each number; few different ones are their own."""
    if values.nunique() <= STEPS:
        return values
    return pd.qcut(values, STEPS, labels=False, duplicates="drop")
