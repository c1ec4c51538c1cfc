"""Samples of the uncertain assumptions of a campaign."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from retain.campaign.offers.save_rate import sample_save_rates
from retain.campaign.value.recalibration import Recalibration
from retain.schema.campaign import Assumption, Assumptions, Beta

NAMES = ("horizon", "loss_fraction", "margin", "cost_multiplier")
"""The sampled fields of ``Assumptions``; add new ones last, to keep the draws of the others."""


@dataclass(frozen=True)
class SampledAssumptions:
    """D draws of the recalibration and of each assumption, all from one seed.

    Attributes
    ----------
    coefficients
        Of the recalibration's maps: of averaged scores and of one model's, shape (D, p) each.
    horizon, loss_fraction, margin
        Shape (D,): triangular with low, mode value and high; constant if low equals high.
    cost_multiplier
        Shape (D,): costs of offers relative to those at the assumption's value.
    seed
        Seed of all draws, save rates included.
    """

    coefficients: tuple[np.ndarray, np.ndarray]
    horizon: np.ndarray
    loss_fraction: np.ndarray
    margin: np.ndarray
    cost_multiplier: np.ndarray
    seed: int

    @classmethod
    def sample(
        cls, recalibration: Recalibration, assumptions: Assumptions, seed: int
    ) -> SampledAssumptions:
        """Return ``assumptions.simulations`` draws.

        Each assumption has its own stream, so a changed range does not affect other draws.
        """
        ranges = (getattr(assumptions, name) for name in NAMES)
        horizon, loss_fraction, margin, cost_multiplier = (
            _triangular(one, assumptions.simulations, np.random.default_rng([seed, stream]))
            for stream, one in enumerate(ranges, start=1)
        )
        coefficients = recalibration.draws(assumptions.simulations, seed)
        times = cost_multiplier / (assumptions.cost_multiplier.value or 1.0)  # 0: nothing costs
        return cls(coefficients, horizon, loss_fraction, margin, times, seed)

    def __len__(self) -> int:
        """Return the number of simulations."""
        return len(self.horizon)

    @cached_property
    def cost_per_profit(self) -> np.ndarray:
        """Cost of a decline per unit of monthly profit, shape (D,)."""
        return np.asarray(self.horizon * self.loss_fraction * self.margin)

    def save_rates(self, name: str, prior: Beta) -> np.ndarray:
        """Return save rates of an offer, shape (D,), independent of other offers."""
        return sample_save_rates(prior, len(self), self._stream(name))

    def normals(self, name: str) -> np.ndarray:
        """Return two standard normals of an offer in each draw, shape (2, D)."""
        return self._stream(f"{name} effect").standard_normal((2, len(self)))

    def _stream(self, name: str) -> np.random.Generator:
        stream = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
        return np.random.default_rng([self.seed, stream])

    def rows(self, chosen: slice) -> SampledAssumptions:
        """Return a slice of the draws."""
        return SampledAssumptions(
            coefficients=(self.coefficients[0][chosen], self.coefficients[1][chosen]),
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
