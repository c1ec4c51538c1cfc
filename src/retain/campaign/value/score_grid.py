"""Knots on the logit scale, at which customers are summed once for all draws.

A probability of decline depends only on the score. So a total over a million customers is a sum
over about two thousand knots in each draw.
"""

from __future__ import annotations

import numpy as np

from retain.campaign.value.recalibration import EDGE, logit

COUNT = 2048
"""Largest number of knots; the error of a probability is at most 3e-6 · slope²."""


class ScoreGrid:
    """Positions of customers among the knots, for linear interpolation.

    Up to ``COUNT`` distinct scores are themselves the knots.

    Parameters
    ----------
    score
        Score of each customer, in [0, 1], shape (n,).

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
        self._weight = (x - left) / (self.logits[self._below + 1] - left)

    def __len__(self) -> int:
        """Return the number of knots."""
        return len(self.logits)

    def sums(self, weight: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
        """Return the summed weights of each group at each knot, shape (groups, K).

        ``weight`` and ``group`` (0 … groups - 1) have shape (n,).

        >>> knots = ScoreGrid(np.array([0.5, 0.5, 0.9]))
        >>> knots.sums(np.array([1.0, 2.0, 4.0]), np.array([0, 1, 1]), 2).tolist()
        [[1.0, 0.0], [2.0, 4.0]]
        """
        size = groups * len(self)
        cell = group * len(self) + self._below
        upper = weight * self._weight
        total = np.bincount(cell, weight - upper, size) + np.bincount(cell + 1, upper, size)
        return total.reshape(groups, len(self))

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Interpolate values at the knots, shape (K, …), for each customer: shape (n, …).

        >>> ScoreGrid(np.array([0.5, 0.9, 0.5])).spread(np.array([1.0, 3.0])).tolist()
        [1.0, 3.0, 1.0]
        """
        part = self._weight.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(values[self._below] * (1 - part) + values[self._below + 1] * part)


def _knots(x: np.ndarray) -> np.ndarray:
    logits = np.unique(x)
    if len(logits) > COUNT:
        end = float(logit(np.array(1 - EDGE)))
        return np.linspace(-end, end, COUNT)
    return logits if len(logits) > 1 else np.append(logits, logits + 1.0)
