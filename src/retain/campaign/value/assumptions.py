"""Draws of everything a campaign's money depends on and nobody knows exactly."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from retain.campaign.value.recalibration import Recalibration
from retain.schema import Assumption, Assumptions, Beta

NAMES = ("horizon", "loss_fraction", "margin", "cost_multiplier")
"""The fields of ``Assumptions``; a new one goes to the end, where it moves no other's draws."""


@dataclass(frozen=True)
class SampledAssumptions:
    """D draws of the recalibration and of each assumption, all from one seed.

    Attributes
    ----------
    line
        Intercept and slope of the recalibration, shape (D, 2).
    horizon, loss_fraction, margin
        Shape (D,): triangular from low by value to high; constant where those are one.
    cost_multiplier
        Shape (D,): costs of offers by what they are at the assumption's value.
    seed
        Also that of save rates.
    """

    line: np.ndarray
    horizon: np.ndarray
    loss_fraction: np.ndarray
    margin: np.ndarray
    cost_multiplier: np.ndarray
    seed: int

    @classmethod
    def sample(
        cls, recalibration: Recalibration, assumptions: Assumptions, seed: int
    ) -> SampledAssumptions:
        """``assumptions.simulations`` draws; each assumption has a stream of its own.

        So a range that is changed moves its own draws and no others.
        """
        ranges = (getattr(assumptions, name) for name in NAMES)
        horizon, loss_fraction, margin, cost_multiplier = (
            _triangular(one, assumptions.simulations, np.random.default_rng([seed, stream]))
            for stream, one in enumerate(ranges, start=1)
        )
        line = recalibration.draws(assumptions.simulations, seed)
        times = cost_multiplier / (assumptions.cost_multiplier.value or 1.0)  # 0: nothing costs
        return cls(line, horizon, loss_fraction, margin, times, seed)

    def __len__(self) -> int:
        """Return the number of simulations."""
        return len(self.line)

    @cached_property
    def cost_per_profit(self) -> np.ndarray:
        """The cost of a decline for each unit of monthly profit, shape (D,)."""
        return np.asarray(self.horizon * self.loss_fraction * self.margin)

    def risk(self, logits: np.ndarray) -> np.ndarray:
        """Probability of decline at each of K logits in each draw, shape (K, D)."""
        return np.asarray(special.expit(self.line[:, 0] + np.outer(logits, self.line[:, 1])))

    def save_rates(self, name: str, thought: Beta) -> np.ndarray:
        """Save rates of the offer of this name, shape (D,), whatever other offers there are."""
        stream = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
        random = np.random.default_rng([self.seed, stream])
        return np.asarray(random.beta(thought.alpha, thought.beta, len(self)))

    def rows(self, chosen: slice) -> SampledAssumptions:
        """Return some of the draws."""
        return SampledAssumptions(
            line=self.line[chosen],
            horizon=self.horizon[chosen],
            loss_fraction=self.loss_fraction[chosen],
            margin=self.margin[chosen],
            cost_multiplier=self.cost_multiplier[chosen],
            seed=self.seed,
        )


def _triangular(one: Assumption, count: int, random: np.random.Generator) -> np.ndarray:
    if one.low == one.high:
        return np.full(count, one.value)
    return np.asarray(random.triangular(one.low, one.value, one.high, count))
