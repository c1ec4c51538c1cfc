"""What a plan may use at most, and what each unit of it is worth.

Every limit is one entry of a vector: budget, capacity of each offer, contacts, and the minimum of
each segment, which counts negatively so that all of them bound from above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Limits:
    """Upper bounds of what a plan uses, ``inf`` where there is none.

    Attributes
    ----------
    upper
        (1 + offers + 1 + segments,): budget, capacities, contacts, minus each segment's minimum.
    n_offers
        How many offers there are.
    """

    upper: np.ndarray
    n_offers: int

    @property
    def n_segments(self) -> int:
        """How many segments are told apart."""
        return len(self.upper) - 2 - self.n_offers

    @property
    def is_finite(self) -> np.ndarray:
        """Which limits there are."""
        return np.asarray(np.isfinite(self.upper))

    @property
    def finite_upper(self) -> np.ndarray:
        """The limits, 0 in place of none: there the price is 0 as well."""
        return np.where(self.is_finite, self.upper, 0.0)

    def subtract(self, used: np.ndarray) -> Limits:
        """What is left when so much is used already."""
        return Limits(self.upper - used, self.n_offers)

    def scale(self, share: float) -> Limits:
        """The limits of a part of the customers."""
        return Limits(self.upper * share, self.n_offers)


@dataclass(frozen=True)
class Prices:
    """The net value of one more unit of each limit, in the order of ``Limits.upper``: all ≥ 0."""

    vector: np.ndarray
    n_offers: int

    @property
    def budget(self) -> float:
        """The price of one unit of cost."""
        return float(self.vector[0])

    @property
    def capacity(self) -> np.ndarray:
        """(offers,) The price of one place."""
        return self.vector[1 : 1 + self.n_offers]

    @property
    def contacts(self) -> float:
        """The price of one contact."""
        return float(self.vector[1 + self.n_offers])

    @property
    def min_contacts(self) -> np.ndarray:
        """(segments,) What one more customer who must be contacted takes away."""
        return self.vector[2 + self.n_offers :]

    @property
    def per_offer(self) -> np.ndarray:
        """(offers, 1) The price of contacting somebody with an offer, beside its money."""
        return (self.capacity + self.contacts)[:, None]
