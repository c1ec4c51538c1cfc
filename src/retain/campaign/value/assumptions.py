"""Draws of everything a campaign's money depends on and nobody knows exactly."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from retain.campaign.value.recalibration import Recalibration
from retain.schema import Assumption, Beta, Value

NAMES = ("horizon", "share_lost", "margin", "cost")
"""The assumptions of ``Value``; a new one goes to the end, where it moves no other's draws."""


@dataclass(frozen=True)
class Drawn:
    """D draws of the recalibration and of each assumption, all from one seed.

    Attributes
    ----------
    line
        Intercept and slope of the recalibration, shape (D, 2).
    horizon, share_lost, margin
        Shape (D,): triangular from low by value to high; constant where those are one.
    cost
        Shape (D,): costs of offers by what they are at the assumption's value.
    seed
        Also that of save rates.
    """

    line: np.ndarray
    horizon: np.ndarray
    share_lost: np.ndarray
    margin: np.ndarray
    cost: np.ndarray
    seed: int

    @classmethod
    def of(cls, recalibration: Recalibration, value: Value, seed: int) -> Drawn:
        """``value.draws`` draws; each assumption has a stream of its own.

        So a range that is changed moves its own draws and no others.
        """
        ranges = (getattr(value, name) for name in NAMES)
        horizon, share_lost, margin, cost = (
            _triangular(one, value.draws, np.random.default_rng([seed, stream]))
            for stream, one in enumerate(ranges, start=1)
        )
        line = recalibration.draws(value.draws, seed)
        times = cost / (value.cost.value or 1.0)  # of what costs nothing
        return cls(line, horizon, share_lost, margin, times, seed)

    def __len__(self) -> int:
        """The number of draws."""
        return len(self.line)

    @cached_property
    def lost(self) -> np.ndarray:
        """What a decline costs for each unit of monthly profit, shape (D,)."""
        return np.asarray(self.horizon * self.share_lost * self.margin)

    def risk(self, logits: np.ndarray) -> np.ndarray:
        """Probability of decline at each of K logits in each draw, shape (K, D)."""
        return np.asarray(special.expit(self.line[:, 0] + np.outer(logits, self.line[:, 1])))

    def save_rates(self, name: str, thought: Beta) -> np.ndarray:
        """Save rates of the offer of this name, shape (D,), whatever other offers there are."""
        stream = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
        random = np.random.default_rng([self.seed, stream])
        return np.asarray(random.beta(thought.alpha, thought.beta, len(self)))

    def part(self, chosen: slice) -> Drawn:
        """Some of the draws."""
        return Drawn(
            line=self.line[chosen],
            horizon=self.horizon[chosen],
            share_lost=self.share_lost[chosen],
            margin=self.margin[chosen],
            cost=self.cost[chosen],
            seed=self.seed,
        )


def _triangular(one: Assumption, count: int, random: np.random.Generator) -> np.ndarray:
    if one.low == one.high:
        return np.full(count, one.value)
    return np.asarray(random.triangular(one.low, one.value, one.high, count))
