"""A logistic curve that rises with one score: the order of customers stays, the share is right.

May import: errors, schema, customers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

LEAST = 1e-6
"""Slope where the share falls with the score: no more than keeps the order."""


@dataclass(frozen=True)
class RisingCurve:
    """Probability σ(height + slope · (score − middle) / width), slope > 0."""

    middle: float
    width: float
    height: float
    slope: float

    @classmethod
    def fitted(cls, score: np.ndarray, target: np.ndarray) -> RisingCurve:
        """The curve of greatest likelihood (Platt 1999, without his prior) that does not fall.

        >>> curve = RisingCurve.fitted(np.arange(10.0), np.arange(10) // 4 % 2)
        >>> bool((np.diff(curve(np.arange(10.0))) > 0).all())
        True
        """
        middle, width = float(score.mean()), float(score.std()) or 1.0
        scaled = ((score - middle) / width)[:, None]
        found = LogisticRegression(C=np.inf, max_iter=1_000).fit(scaled, target)
        slope, height = float(found.coef_[0, 0]), float(found.intercept_[0])
        if slope < LEAST:
            share = float(np.mean(target == found.classes_[1]))
            slope, height = LEAST, float(np.log(share / (1 - share)))
        return cls(middle, width, height, slope)

    @property
    def numbers(self) -> np.ndarray:
        """Its four numbers, of which ``RisingCurve(*numbers)`` makes it again.

        Models keep these: a type of its own in their file would have to be trusted.
        """
        return np.array([self.middle, self.width, self.height, self.slope])

    def __call__(self, score: np.ndarray) -> np.ndarray:
        """The probability of each score, in its shape."""
        return np.asarray(expit(self.height + self.slope * (score - self.middle) / self.width))
