"""The net value of an offer as a function of risk and profit, in each draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from retain.campaign.offers.offers import boost_factors
from retain.campaign.value.assumptions import SampledAssumptions
from retain.schema.campaign import Offer

if TYPE_CHECKING:
    from retain.campaign.offers.offers import OfferMatrix


@dataclass(frozen=True)
class OfferPayoff:
    """Coefficients of the net value in D draws: of risk × profit, risk, profit, and constant."""

    both: np.ndarray
    risk: np.ndarray
    profit: np.ndarray
    each: np.ndarray

    @classmethod
    def of(cls, offer: Offer, save_rate: np.ndarray, sampled: SampledAssumptions) -> OfferPayoff:
        """Return the coefficients in D draws, ``save_rate`` of shape (D,)."""
        stayers = offer.redemption_rate_stayers
        discount = offer.discount * sampled.horizon * sampled.cost_multiplier
        redemption = offer.redemption_cost * sampled.cost_multiplier
        spared = stayers - np.maximum(save_rate, 0.0)
        return cls(
            both=save_rate * sampled.cost_per_profit + spared * discount,
            risk=spared * redemption,
            profit=-stayers * discount,
            each=offer.contact_cost * sampled.cost_multiplier + stayers * redemption,
        )


@dataclass(frozen=True)
class OfferGroup:
    """Customers with the same offer and boost.

    ``rows`` are their positions; ``times`` is their save rate over the offer's mean.
    """

    name: str
    offer: Offer
    times: float
    rows: np.ndarray

    def returns(self, sampled: SampledAssumptions) -> OfferPayoff:
        """Return the coefficients of their net value; a save rate is at most 1."""
        rates = sampled.save_rates(self.name, self.offer.save_rate) * self.times
        return OfferPayoff.of(self.offer, np.minimum(rates, 1.0), sampled)


def group_by_offer(chosen: np.ndarray, offers: OfferMatrix) -> list[OfferGroup]:
    """Group customers by offer and boost, without choices of −1."""
    groups = []
    for index, name in enumerate(offers.names):
        offer = offers.catalogue.offers[name]
        rows = np.flatnonzero(chosen == index)
        times = np.round(boost_factors(offer, offers.save_rate[rows, index]), 9)
        groups += [
            OfferGroup(name, offer, float(one), rows[times == one]) for one in np.unique(times)
        ]
    return groups
