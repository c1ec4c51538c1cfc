"""Limits of a plan, and the price of each.

Every limit is one entry of a vector: budget, capacity of each offer, contacts, and the minimum of
each segment, which counts negatively so that all of them bound from above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PlanLimits:
    """Upper bounds of what a plan uses, ``inf`` for no limit.

    Attributes
    ----------
    upper
        (1 + offers + 1 + segments,): budget, capacities, contacts, minus each segment's minimum.
    n_offers
        Number of offers.
    """

    upper: np.ndarray
    n_offers: int

    @property
    def n_segments(self) -> int:
        """Number of segments with a minimum."""
        return len(self.upper) - 2 - self.n_offers

    @property
    def is_finite(self) -> np.ndarray:
        """(limits,) True where there is a limit."""
        return np.asarray(np.isfinite(self.upper))

    @property
    def finite_upper(self) -> np.ndarray:
        """(limits,) the limits, 0 for none, where the price is 0 as well."""
        return np.where(self.is_finite, self.upper, 0.0)

    def subtract(self, usage: np.ndarray) -> PlanLimits:
        """Return the limits less a usage (limits,)."""
        return PlanLimits(self.upper - usage, self.n_offers)

    def scale(self, share: float) -> PlanLimits:
        """Return the limits of a share of the customers."""
        return PlanLimits(self.upper * share, self.n_offers)


@dataclass(frozen=True)
class Prices:
    """Net value of one more unit of each limit, in the order of ``PlanLimits.upper``: all ≥ 0."""

    vector: np.ndarray
    n_offers: int

    @property
    def budget(self) -> float:
        """Price of one unit of cost."""
        return float(self.vector[0])

    @property
    def capacity(self) -> np.ndarray:
        """(offers,) price of one place."""
        return self.vector[1 : 1 + self.n_offers]

    @property
    def contacts(self) -> float:
        """Price of one contact."""
        return float(self.vector[1 + self.n_offers])

    @property
    def min_contacts(self) -> np.ndarray:
        """(segments,) net value lost by one more required contact."""
        return self.vector[2 + self.n_offers :]

    @property
    def per_offer(self) -> np.ndarray:
        """(offers, 1) price of a contact with an offer, without its cost."""
        return (self.capacity + self.contacts)[:, None]
