"""Knots on the logit scale, on which customers are summed once and every draw is taken.

A probability of decline depends on a customer through the score alone. So what a million customers
come to is a sum over some two thousand knots, whatever the number of draws.
"""

from __future__ import annotations

import numpy as np

from retain.campaign.value.recalibration import EDGE, logit

COUNT = 2048
"""Knots where scores differ more; on them a probability is off by at most 3e-6 · slope²."""


class ScoreGrid:
    """Positions of customers among the knots, by linear interpolation.

    Where no more than ``COUNT`` scores differ each is a knot, and nothing is interpolated.

    Parameters
    ----------
    score
        Of each customer, in [0, 1], shape (n,).

    Attributes
    ----------
    logits
        Logits of the K knots, ascending.
    """

    def __init__(self, score: np.ndarray) -> None:
        x = logit(score)
        self.logits = _knots(x)
        self._below = np.clip(
            np.searchsorted(self.logits, x, side="right") - 1, 0, len(self.logits) - 2
        )
        left = self.logits[self._below]
        self._part = (x - left) / (self.logits[self._below + 1] - left)

    def __len__(self) -> int:
        """Return the number of knots."""
        return len(self.logits)

    def sums(self, weight: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
        """Weights of the customers of each group on each knot, shape (groups, K).

        ``weight`` and ``group`` (0 … groups - 1) have shape (n,).

        >>> knots = ScoreGrid(np.array([0.5, 0.5, 0.9]))
        >>> knots.sums(np.array([1.0, 2.0, 4.0]), np.array([0, 1, 1]), 2).tolist()
        [[1.0, 0.0], [2.0, 4.0]]
        """
        size = groups * len(self)
        place = group * len(self) + self._below
        upper = weight * self._part
        total = np.bincount(place, weight - upper, size) + np.bincount(place + 1, upper, size)
        return total.reshape(groups, len(self))

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Values at the knots, shape (K, …), told for each customer: shape (n, …).

        >>> ScoreGrid(np.array([0.5, 0.9, 0.5])).spread(np.array([1.0, 3.0])).tolist()
        [1.0, 3.0, 1.0]
        """
        part = self._part.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(values[self._below] * (1 - part) + values[self._below + 1] * part)


def _knots(x: np.ndarray) -> np.ndarray:
    found = np.unique(x)
    if len(found) > COUNT:
        end = float(logit(np.array(1 - EDGE)))
        return np.linspace(-end, end, COUNT)
    return found if len(found) > 1 else np.append(found, found + 1.0)
