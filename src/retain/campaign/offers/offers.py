"""The catalogue of offers held against customers: who may get what, its cost, its worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain import schema
from retain.campaign.audience import Audience
from retain.campaign.offers.catalogue import check_catalogue
from retain.campaign.offers.eligibility import RiskDrivers, expand_groups, find_eligible
from retain.errors import NotApplicable
from retain.schema import Catalogue, Offer


def redemption_cost(offer: Offer, profit: np.ndarray, horizon: float) -> np.ndarray:
    """Return the cost of a redeemed offer, shape (n,), in the unit of ``profit``.

    ``profit`` is a month's, ``horizon`` in months. Of a profit that is not known, or is a loss, no
    discount is given.

    >>> from retain.schema import Beta, Translated
    >>> words, beta = Translated(en="Five per cent", ru="Пять процентов"), Beta(alpha=6, beta=14)
    >>> offer = Offer(label=words, text=words, channel="email", needs_consent=True, save_rate=beta,
    ...     contact_cost=1, redemption_cost=2, discount=0.05, redemption_rate_stayers=1)
    >>> redemption_cost(offer, np.array([10.0, -10.0, np.nan]), 3.0).tolist()
    [3.5, 2.0, 2.0]
    """
    earned = np.nan_to_num(np.clip(profit, 0, None), nan=0.0)
    return np.asarray(offer.redemption_cost + offer.discount * horizon * earned)


def expected_cost(
    offer: Offer, risk: np.ndarray, save_rate: np.ndarray, each: np.ndarray
) -> np.ndarray:
    """Return expected cost of an offer to each customer, shape (n,): lower is better.

    The contact, and what ``each`` redemption costs (``redemption_cost``): by those who would have
    declined and are saved, and by some of those who would have stayed.
    """
    takes = risk * save_rate + (1 - risk) * offer.redemption_rate_stayers
    return np.asarray(offer.contact_cost + takes * each)


def net_value(
    risk: np.ndarray, save_rate: np.ndarray, value_at_stake: np.ndarray, costs: np.ndarray
) -> np.ndarray:
    """Return the expected net value of an offer to each customer, shape (n,).

    >>> risk, save_rate, value_at_stake = np.array([1.0]), np.array([0.3]), np.array([200.0])
    >>> net_value(risk, save_rate, value_at_stake, np.array([4.0]))
    array([56.])
    """
    return np.asarray(risk * save_rate * value_at_stake - costs)


def scale_catalogue_costs(catalogue: Catalogue, times: float) -> Catalogue:
    """Return the catalogue with every cost multiplied; a discount stays at most 1."""
    if times == 1:
        return catalogue
    offers = {name: _scale_costs(offer, times) for name, offer in catalogue.offers.items()}
    return catalogue.model_copy(update={"offers": offers})


def _scale_costs(offer: Offer, times: float) -> Offer:
    costs = {key: times * getattr(offer, key) for key in ("contact_cost", "redemption_cost")}
    return offer.model_copy(update={**costs, "discount": min(times * offer.discount, 1.0)})


@dataclass(frozen=True)
class OfferMatrix:
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


def evaluate_offers(
    catalogue: Catalogue, audience: Audience, assumptions: schema.Assumptions
) -> OfferMatrix:
    """Return the catalogue held against the audience.

    A profit that is not known, or is a loss, has nothing at stake and gets no discount.

    Raises
    ------
    RetainError
        Where the catalogue cannot be meant for these customers, as ``check_catalogue`` says.
    NotApplicable
        Where profit is not known, as no offer has a value then.
    """
    check_catalogue(catalogue, audience)
    if not audience.with_profit:
        raise NotApplicable("the data have no profit, and without it no offer has a value")
    drivers = RiskDrivers.from_audience(audience)
    may = np.column_stack([find_eligible(o, audience, drivers) for o in catalogue.offers.values()])
    return _to_offer_matrix(catalogue, audience, assumptions, may, drivers)


def reprice_offers(
    offers: OfferMatrix, catalogue: Catalogue, audience: Audience, assumptions: schema.Assumptions
) -> OfferMatrix:
    """Return the same offers to the same customers, at other save rates, costs or stakes."""
    return _to_offer_matrix(
        catalogue, audience, assumptions, offers.eligible, RiskDrivers.from_audience(audience)
    )


def _to_offer_matrix(
    catalogue: Catalogue,
    audience: Audience,
    assumptions: schema.Assumptions,
    may: np.ndarray,
    drivers: RiskDrivers,
) -> OfferMatrix:
    """Return costs and net values of each offer, given eligibility."""
    risk, profit, value_at_stake = (
        audience.table[name].to_numpy(dtype=float) for name in ("risk", "profit", "value_at_stake")
    )
    save_rate, cost, net = np.empty(may.shape), np.empty(may.shape), np.empty(may.shape)
    for j, offer in enumerate(catalogue.offers.values()):
        rate = save_rate[:, j] = _save_rate(offer, audience, drivers)
        each = redemption_cost(offer, profit, assumptions.horizon.value)
        costs = cost[:, j] = expected_cost(offer, risk, rate, each)
        net[:, j] = net_value(risk, rate, value_at_stake, costs)
    contact = np.array([offer.contact_cost for offer in catalogue.offers.values()])
    return OfferMatrix(tuple(catalogue.offers), catalogue, may, save_rate, contact, cost, net)


def _save_rate(offer: Offer, audience: Audience, drivers: RiskDrivers) -> np.ndarray:
    """Return the prior mean, lifted where a driver of the lift raises the risk."""
    rate = np.full(len(audience), offer.save_rate.mean)
    if offer.lift is not None:
        rate[drivers.any_of(expand_groups(offer.lift.drivers, audience))] *= offer.lift.factor
    return np.asarray(np.minimum(rate, 1.0))
