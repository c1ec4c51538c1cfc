"""What an offer returns in every draw, as a form that is linear in risk and in profit.

With P the risk, v the monthly profit (≥ 0), γ the save rate, s the share of stayers who take the
offer, r = redemption + discount · v · horizon what it then costs, and c a contact, both times what
the draw has for costs, the net value is

    P · γ · v · lost − c − (P · γ + (1 − P) · s) · r
      = P · (v · both + risk) + v · profit − each

so that customers of one save rate need only be counted, once by P and once by v.

May import: schema, and of campaign: assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from retain.campaign.worth.assumptions import Drawn
from retain.schema import Offer

if TYPE_CHECKING:
    from retain.campaign.offering.offers import Offers


@dataclass(frozen=True)
class Returns:
    """Terms of the net value in D draws: of risk × profit, of risk, of profit, of each."""

    both: np.ndarray
    risk: np.ndarray
    profit: np.ndarray
    each: np.ndarray

    @classmethod
    def of(cls, offer: Offer, save_rate: np.ndarray, drawn: Drawn) -> Returns:
        """Terms at the save rates and assumptions of D draws, ``save_rate`` of shape (D,)."""
        stayers, discount = offer.taken_by_stayers, offer.discount * drawn.horizon * drawn.cost
        redemption, spared = offer.redemption_cost * drawn.cost, stayers - save_rate
        return cls(
            both=save_rate * drawn.lost + spared * discount,
            risk=spared * redemption,
            profit=-stayers * discount,
            each=offer.contact_cost * drawn.cost + stayers * redemption,
        )


@dataclass(frozen=True)
class Sent:
    """Customers who are sent one offer and whose save rate is lifted alike.

    ``rows`` are their positions; ``times`` is their save rate by the offer's mean.
    """

    name: str
    offer: Offer
    times: float
    rows: np.ndarray

    def returns(self, drawn: Drawn) -> Returns:
        """Terms of their net value: one save rate a draw for all of the offer, 1 at most."""
        rates = drawn.save_rates(self.name, self.offer.save_rate) * self.times
        return Returns.of(self.offer, np.minimum(rates, 1.0), drawn)


def sent(chosen: np.ndarray, offers: Offers) -> list[Sent]:
    """Who is sent what, by offer and lift; nobody twice, and nobody whose choice is -1."""
    found = []
    for place, name in enumerate(offers.names):
        offer = offers.catalogue.offers[name]
        rows = np.flatnonzero(chosen == place)
        times = np.round(offers.save_rate[rows, place] / offer.save_rate.mean, 9)
        found += [Sent(name, offer, float(one), rows[times == one]) for one in np.unique(times)]
    return found
