"""The smallest effects of each offer that the customers who explore will show.

Each offer is compared with the control group among those who could get it, and with another offer
among those who could get both. Chances differ between customers, and are weighted by 1 ÷ chance; an
arm then counts as the equal chances that give its mean the same variance: n² ÷ Σ 1/chance of the n
who could get both (Kish 1965).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.campaign.audience import Audience
from retain.campaign.offers.offers import OfferMatrix
from retain.campaign.planning.exploration import Exploration
from retain.campaign.planning.power import minimum_detectable_effect
from retain.schema.campaign import CampaignConfig


@dataclass(frozen=True)
class OfferComparison:
    """A comparison of two arms: their sizes, the rate in the second, the expected fall from it."""

    n_arm: float
    n_versus: float
    rate: float
    expected: float


@dataclass(frozen=True)
class OfferPower:
    """The k customers of an exploration, and what is expected of each.

    Attributes
    ----------
    exploration
        Those who explore.
    risk
        Expected probability of a decline without an offer, shape (k,).
    fall
        By how much each offer is expected to lower it, shape (k, m).
    control_share
        Probability to be in the control group.
    alpha, power
        Level of all tests together, and the power.
    """

    exploration: Exploration
    risk: np.ndarray
    fall: np.ndarray
    control_share: float
    alpha: float
    power: float

    @classmethod
    def of(
        cls,
        exploration: Exploration,
        audience: Audience,
        offers: OfferMatrix,
        planning: CampaignConfig,
    ) -> OfferPower:
        """Return the power of an exploration in a plan."""
        rows = exploration.rows
        risk = audience.table["risk"].to_numpy(dtype=float)[rows]
        fall = risk[:, None] * offers.save_rate[rows]
        share, alpha, power = planning.control_share, planning.alpha, planning.power
        return cls(exploration, risk, fall, share, alpha, power)

    @property
    def offers(self) -> list[int]:
        """Indices of the offers that somebody could get, highest expected fall first."""
        tried = np.flatnonzero(self.exploration.possible.any(axis=0)).tolist()
        falls = [self.compare(offer).expected for offer in tried]
        return [tried[place] for place in np.argsort(falls, kind="stable")[::-1]]

    @property
    def level(self) -> float:
        """Level of the strictest test of an offer against the control group (Holm 1979)."""
        return self.alpha / max(int(self.exploration.possible.any(axis=0).sum()), 1)

    @property
    def level_between(self) -> float:
        """Level of the strictest test of two offers, which all pairs share."""
        count = int(self.exploration.possible.any(axis=0).sum())
        return self.alpha / max(count * (count - 1) // 2, 1)

    def compare(
        self, offer: int, other: int | None = None, first: int | None = None
    ) -> OfferComparison:
        """Return the comparison of an offer with another one, or with the control group.

        ``first`` counts only so many of the customers, in the order in which they came.
        """
        possible, chance = (
            part[:first] for part in (self.exploration.possible, self.exploration.chance)
        )
        both = possible[:, offer] if other is None else possible[:, offer] & possible[:, other]
        n = int(both.sum())
        if not n:
            return OfferComparison(0.0, 0.0, 0.0, 0.0)
        treated = 1 - self.control_share
        n_arm = treated * n**2 / float((1 / chance[both, offer]).sum())
        risk, fall = self.risk[:first][both], self.fall[:first][both]
        if other is None:
            rate, expected = risk, fall[:, offer]
            n_versus = self.control_share * n
        else:
            rate, expected = risk - fall[:, other], fall[:, offer] - fall[:, other]
            n_versus = treated * n**2 / float((1 / chance[both, other]).sum())
        return OfferComparison(n_arm, n_versus, float(rate.mean()), float(expected.mean()))

    def detectable(self, found: OfferComparison, level: float) -> float | None:
        """Return the smallest fall that is detected at a level; None if not even one to 0 is."""
        return minimum_detectable_effect(
            found.n_arm, found.n_versus, baseline=found.rate, alpha=level, power=self.power
        )

    def shows(self, offer: int, first: int) -> bool:
        """Return whether the first customers show the expected effect of an offer."""
        found = self.compare(offer, first=first)
        detectable = self.detectable(found, self.level)
        return detectable is not None and found.expected >= detectable
