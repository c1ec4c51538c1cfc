"""Break-even save rate, contact cost and risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from retain.campaign.audience import Audience
from retain.campaign.offers.offers import boost_factors, redemption_cost
from retain.campaign.value.value import value_at_stake
from retain.schema.campaign import Assumptions, Catalogue, Offer

if TYPE_CHECKING:
    from retain.campaign.offers.offers import OfferMatrix


@dataclass(frozen=True)
class BreakEven:
    """The save rate and contact cost at which one offer has an expected net value of 0.

    Attributes
    ----------
    save_rate
        Mean save rate before boosts; 0 if the offer pays without saving anyone, None if it does not
        pay at a save rate of 1, has no customers, or was measured and has an effect instead.
    contact_cost
        Cost of a contact; None if the offer does not pay with free contacts or has no customers.
    """

    save_rate: float | None
    contact_cost: float | None


def break_even(
    audience: Audience, offers: OfferMatrix, assumptions: Assumptions, chosen: np.ndarray
) -> dict[str, BreakEven]:
    """Return the break-even of each offer for its customers; ``chosen`` (n,) is its index or -1."""
    return {
        name: _offer_break_even(
            audience, offers, assumptions, index, np.flatnonzero(chosen == index)
        )
        for index, name in enumerate(offers.names)
    }


def _offer_break_even(
    audience: Audience, offers: OfferMatrix, assumptions: Assumptions, index: int, rows: np.ndarray
) -> BreakEven:
    if len(rows) == 0:
        return BreakEven(None, None)
    affordable = _or_none(
        float(offers.net[rows, index].sum() / len(rows) + offers.contact_cost[index])
    )
    if offers.names[index] in offers.measured:
        return BreakEven(None, affordable)
    offer = offers.catalogue.offers[offers.names[index]]
    table = audience.table.iloc[rows]
    risk = table["risk"].to_numpy()
    each = redemption_cost(offer, table["profit"].to_numpy(dtype=float), assumptions.horizon.value)
    lost = (
        len(rows) * offer.contact_cost + ((1 - risk) * each).sum() * offer.redemption_rate_stayers
    )
    times = boost_factors(offer, offers.save_rate[rows, index])
    won = risk * (table["value_at_stake"].to_numpy() - each)
    return BreakEven(_rate(times, won, float(lost)), affordable)


def _rate(times: np.ndarray, won: np.ndarray, lost: float) -> float | None:
    """Return the lowest rate γ with Σ min(γ · times, 1) · won = spent.

    The sum is piecewise linear in γ, with knots where a boosted rate reaches 1, so linear
    interpolation between knots is exact.
    """
    boosts, group = np.unique(np.round(times, 9), return_inverse=True)
    sums = np.bincount(group, won)
    rates = np.unique(np.concatenate([[0.0, 1.0], np.minimum(1 / boosts, 1.0)]))
    net = np.minimum(np.outer(rates, boosts), 1.0) @ sums - lost
    paying = np.flatnonzero(net >= 0)
    if len(paying) == 0:
        return None
    first = paying[0]
    if first == 0:
        return 0.0
    return float(np.interp(0.0, net[first - 1 : first + 1], rates[first - 1 : first + 1]))


def _or_none(cost: float) -> float | None:
    return cost if cost >= 0 else None


def break_even_risk(offer: Offer, profit: float, assumptions: Assumptions) -> float | None:
    """Return the risk from which an offer pays at this monthly profit, without a boost.

    None if it never does. P solves P · γ · (stake − r) = contact + (1 − P) · stayers · r, with r
    the cost of a redemption.

    >>> from retain.schema.campaign import Beta
    >>> from retain.schema.names import Translated
    >>> text, beta = Translated(en="Call", ru="Звонок"), Beta(alpha=6, beta=14)
    >>> call = Offer(label=text, text=text, channel="call", needs_consent=True, contact_cost=1,
    ...     redemption_cost=10, discount=0, redemption_rate_stayers=1, save_rate=beta)
    >>> names = ("horizon", "loss_fraction", "margin", "cost_multiplier")
    >>> assumed = Assumptions(name="sure", simulations=100, **dict.fromkeys(names, 1))
    >>> round(break_even_risk(call, 200.0, assumed), 3)
    0.164
    """
    profits = np.array([profit])
    stake = float(value_at_stake(profits, assumptions)[0])
    each = float(redemption_cost(offer, profits, assumptions.horizon.value)[0])
    stayers = offer.redemption_rate_stayers * each
    gained = offer.save_rate.mean * (stake - each) + stayers
    if gained <= 0:
        return None
    risk = (offer.contact_cost + stayers) / gained
    return risk if risk <= 1 else None


def cheapest_offer(catalogue: Catalogue) -> str:
    """Return the offer with the lowest contact cost, then the lowest redemption cost."""
    offers = catalogue.offers

    def costs(name: str) -> tuple[float, float, float, str]:
        one = offers[name]
        return one.contact_cost, one.redemption_cost, one.discount, name

    return min(offers, key=costs)
