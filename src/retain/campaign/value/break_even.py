"""Break-even: by save rate, by contact cost, by a customer's risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from retain.campaign.audience import Audience
from retain.campaign.offers.offers import redemption_cost
from retain.campaign.value.value import value_at_stake
from retain.schema import Assumptions, Catalogue, Offer

if TYPE_CHECKING:
    from retain.campaign.offers.offers import OfferMatrix


@dataclass(frozen=True)
class BreakEven:
    """The save rate and contact cost at which one offer has an expected net value of 0.

    Attributes
    ----------
    save_rate
        The mean save rate, before lifts; 0 where it pays without saving anybody, None where it does
        not pay though all were saved, or nobody is chosen.
    contact_cost
        What a contact may cost; None where it does not pay though contacts were free, or nobody
        is chosen.
    """

    save_rate: float | None
    contact_cost: float | None


def break_even(
    audience: Audience, offers: OfferMatrix, assumptions: Assumptions, chosen: np.ndarray
) -> dict[str, BreakEven]:
    """Break-even of each offer for those it was chosen for; ``chosen`` (n,) is its place or -1."""
    return {
        name: _offer_break_even(
            audience, offers, assumptions, place, np.flatnonzero(chosen == place)
        )
        for place, name in enumerate(offers.names)
    }


def _offer_break_even(
    audience: Audience, offers: OfferMatrix, assumptions: Assumptions, place: int, rows: np.ndarray
) -> BreakEven:
    if len(rows) == 0:
        return BreakEven(None, None)
    offer = offers.catalogue.offers[offers.names[place]]
    table = audience.table.iloc[rows]
    risk = table["risk"].to_numpy()
    each = redemption_cost(offer, table["profit"].to_numpy(dtype=float), assumptions.horizon.value)
    spent = (
        len(rows) * offer.contact_cost + ((1 - risk) * each).sum() * offer.redemption_rate_stayers
    )
    times = offers.save_rate[rows, place] / offer.save_rate.mean
    won = risk * (table["value_at_stake"].to_numpy() - each)
    affordable = offers.net[rows, place].sum() / len(rows) + offer.contact_cost
    return BreakEven(_rate(times, won, float(spent)), _or_none(float(affordable)))


def _rate(times: np.ndarray, won: np.ndarray, spent: float) -> float | None:
    """Return the lowest rate γ with Σ min(γ · times, 1) · won = spent.

    The sum is linear in γ between the rates from which a lifted customer is certain to be saved,
    so it is exact to look there and draw a line.
    """
    lifts, group = np.unique(np.round(times, 9), return_inverse=True)
    sums = np.bincount(group, won)
    rates = np.unique(np.concatenate([[0.0, 1.0], np.minimum(1 / lifts, 1.0)]))
    net = np.minimum(np.outer(rates, lifts), 1.0) @ sums - spent
    paying = np.flatnonzero(net >= 0)
    if len(paying) == 0:
        return None
    at = paying[0]
    if at == 0:
        return 0.0
    return float(np.interp(0.0, net[at - 1 : at + 1], rates[at - 1 : at + 1]))


def _or_none(cost: float) -> float | None:
    return cost if cost >= 0 else None


def break_even_risk(offer: Offer, profit: float, assumptions: Assumptions) -> float | None:
    """Return the risk from which an offer pays at this monthly profit, without a lift.

    None where it never does. P · γ · (stake − r) = contact + (1 − P) · stayers · r, with r what the
    offer costs once taken, is solved for P.

    >>> from retain.schema import Beta, Translated
    >>> words, beta = Translated(en="Call", ru="Звонок"), Beta(alpha=6, beta=14)
    >>> call = Offer(label=words, text=words, channel="call", needs_consent=True, contact_cost=1,
    ...     redemption_cost=10, discount=0, redemption_rate_stayers=1, save_rate=beta)
    >>> names = ("horizon", "loss_fraction", "margin", "cost_multiplier")
    >>> assumed = Assumptions(name="sure", simulations=100, **dict.fromkeys(names, 1))
    >>> round(break_even_risk(call, 200.0, assumed), 3)
    0.164
    """
    known = np.array([profit])
    stake = float(value_at_stake(known, assumptions)[0])
    each = float(redemption_cost(offer, known, assumptions.horizon.value)[0])
    stayers = offer.redemption_rate_stayers * each
    gained = offer.save_rate.mean * (stake - each) + stayers
    if gained <= 0:
        return None
    risk = (offer.contact_cost + stayers) / gained
    return risk if risk <= 1 else None


def cheapest_offer(catalogue: Catalogue) -> str:
    """Return the offer whose contact costs least; of equals the one that costs least once taken."""
    offers = catalogue.offers

    def costs(name: str) -> tuple[float, float, float, str]:
        one = offers[name]
        return one.contact_cost, one.redemption_cost, one.discount, name

    return min(offers, key=costs)
