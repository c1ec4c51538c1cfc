"""Intervals of sums of money, and quantiles of draws in chunks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from retain.record.estimates import Estimate

BOUNDS = (0.025, 0.975)
"""Quantiles of the draws for an interval."""
CHUNK_CELLS = 2_000_000
"""Largest number of cells of a chunk."""


def estimate_sum(value: float, draws: np.ndarray) -> Estimate:
    """Return an expected sum with the 95 % interval of its draws of shape (D,).

    The value is computed at the assumptions' values; the 2.5 and 97.5 % quantiles of the draws are
    widened if needed to contain it.

    >>> estimate_sum(5.0, np.array([1.0, 2.0, 3.0]))
    Estimate(value=5.0, low=1.05, high=5.0)
    """
    low, high = np.quantile(draws, BOUNDS)
    return Estimate(float(value), float(min(low, value)), float(max(high, value)))


def row_slices(rows: int, columns: int) -> Iterator[slice]:
    """Yield slices of the rows of a table with at most ``CHUNK_CELLS`` cells each."""
    step = max(CHUNK_CELLS // columns, 1)
    for start in range(0, rows, step):
        yield slice(start, start + step)


def quantile_bounds(draws: np.ndarray) -> np.ndarray:
    """Return 2.5 and 97.5 % quantiles of each row, shape (rows, 2)."""
    return np.asarray(np.quantile(draws, BOUNDS, axis=1).T)
