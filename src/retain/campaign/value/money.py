"""An amount of money with its interval, and quantiles of draws in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np

BOUNDS = (0.025, 0.975)
"""Quantiles of the draws for an interval."""
CHUNK_CELLS = 2_000_000
"""Largest number of cells of a chunk."""


@dataclass(frozen=True)
class Money:
    """An expected sum and its 95 % interval.

    The value is computed at the assumptions' values, the interval from the 2.5 and 97.5 % quantiles
    of the draws, widened if needed to contain the value.
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, draws: np.ndarray) -> Money:
        """Return the interval of draws of shape (D,), widened to contain the value.

        >>> Money.of(5.0, np.array([1.0, 2.0, 3.0]))
        Money(value=5.0, low=1.05, high=5.0)
        """
        low, high = np.quantile(draws, BOUNDS)
        return cls(float(value), float(min(low, value)), float(max(high, value)))

    def as_json(self) -> dict[str, float]:
        """Return ``{"value", "low", "high"}``."""
        return asdict(self)


def row_slices(rows: int, columns: int) -> Iterator[slice]:
    """Yield slices of the rows of a table with at most ``CHUNK_CELLS`` cells each."""
    step = max(CHUNK_CELLS // columns, 1)
    for start in range(0, rows, step):
        yield slice(start, start + step)


def quantile_bounds(draws: np.ndarray) -> np.ndarray:
    """Return 2.5 and 97.5 % quantiles of each row, shape (rows, 2)."""
    return np.asarray(np.quantile(draws, BOUNDS, axis=1).T)
