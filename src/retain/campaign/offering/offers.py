"""The catalogue of offers held against customers: who may get what, its cost, its worth.

May import: errors, customers, schema.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain import schema
from retain.campaign.audience import Audience
from retain.campaign.offering import economics
from retain.campaign.offering.catalogue import check
from retain.campaign.offering.eligibility import eligible
from retain.campaign.offering.raised import Raised, features_of
from retain.errors import NotApplicable
from retain.schema import Catalogue, Offer


@dataclass(frozen=True)
class Offers:
    """A catalogue of m offers held against an audience of n customers, both in their order.

    Attributes
    ----------
    names
        Of the offers, length m.
    eligible
        Whether a customer may get an offer, shape (n, m); whether it pays is another question.
    save_rate
        Expected share of decliners who are saved, lifts included, shape (n, m), at most 1.
    contact_cost
        Of one contact, shape (m,).
    cost
        Expected cost, shape (n, m), in the unit of profit.
    net
        Expected net value, shape (n, m), in the same unit; higher is better.
    """

    names: tuple[str, ...]
    catalogue: Catalogue
    eligible: np.ndarray
    save_rate: np.ndarray
    contact_cost: np.ndarray
    cost: np.ndarray
    net: np.ndarray


def held(catalogue: Catalogue, audience: Audience, value: schema.Value) -> Offers:
    """The catalogue held against the audience.

    A profit that is not known, or is a loss, has nothing at stake and gets no discount.

    Raises
    ------
    RetainError
        Where the catalogue cannot be meant for these customers, as ``check`` says.
    NotApplicable
        Where profit is not known, as no offer has a value then.
    """
    check(catalogue, audience)
    if not audience.with_profit:
        raise NotApplicable("the source knows no profit, and without it no offer has a value")
    raised = Raised.among(audience)
    may = np.column_stack([eligible(o, audience, raised) for o in catalogue.offers.values()])
    return _priced(catalogue, audience, value, may, raised)


def again(offers: Offers, catalogue: Catalogue, audience: Audience, value: schema.Value) -> Offers:
    """The same offers to the same customers, at other save rates, costs or stakes."""
    return _priced(catalogue, audience, value, offers.eligible, Raised.among(audience))


def _priced(
    catalogue: Catalogue, audience: Audience, value: schema.Value, may: np.ndarray, raised: Raised
) -> Offers:
    """What each offer costs and brings, who may have it being known."""
    risk, profit, at_stake = (
        audience.table[name].to_numpy(dtype=float) for name in ("risk", "profit", "at_stake")
    )
    save_rate, cost, net = np.empty(may.shape), np.empty(may.shape), np.empty(may.shape)
    for j, offer in enumerate(catalogue.offers.values()):
        rate = save_rate[:, j] = _save_rate(offer, audience, raised)
        each = economics.taken(offer, profit, value.horizon.value)
        costs = cost[:, j] = economics.cost(offer, risk, rate, each)
        net[:, j] = economics.net(risk, rate, at_stake, costs)
    contact = np.array([offer.contact_cost for offer in catalogue.offers.values()])
    return Offers(tuple(catalogue.offers), catalogue, may, save_rate, contact, cost, net)


def _save_rate(offer: Offer, audience: Audience, raised: Raised) -> np.ndarray:
    """The mean of what is thought of it, lifted where a driver of the lift raises the risk."""
    rate = np.full(len(audience), offer.save_rate.mean)
    if offer.lift is not None:
        rate[raised.by(features_of(offer.lift.drivers, audience))] *= offer.lift.times
    return np.asarray(np.minimum(rate, 1.0))
