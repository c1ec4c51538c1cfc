"""Eligibility, cost and net value of each offer for each customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from retain.campaign.audience import Audience
from retain.campaign.offers.catalogue import OWN, check_catalogue
from retain.campaign.offers.eligibility import RiskDrivers, find_care, find_eligible
from retain.campaign.offers.measured import NOT_MEASURED, MeasuredOffer
from retain.errors import NotApplicable
from retain.schema.campaign import Assumptions, CampaignConfig, Catalogue, Offer

MIN_RISK = 1e-9
"""Risk below which an effect is not divided by it."""


def redemption_cost(offer: Offer, profit: np.ndarray, horizon: float) -> np.ndarray:
    """Return the cost of a redeemed offer, shape (n,), in the unit of ``profit``.

    ``profit`` is monthly, ``horizon`` in months. There is no discount on a missing profit or a
    loss.

    >>> from retain.schema.campaign import Beta
    >>> from retain.schema.names import Translated
    >>> text, beta = Translated(en="Five per cent", ru="Пять процентов"), Beta(alpha=6, beta=14)
    >>> offer = Offer(label=text, text=text, channel="email", needs_consent=True, save_rate=beta,
    ...     contact_cost=1, redemption_cost=2, discount=0.05, redemption_rate_stayers=1)
    >>> redemption_cost(offer, np.array([10.0, -10.0, np.nan]), 3.0).tolist()
    [3.5, 2.0, 2.0]
    """
    earned = np.nan_to_num(np.clip(profit, 0, None), nan=0.0)
    return np.asarray(offer.redemption_cost + offer.discount * horizon * earned)


def expected_cost(
    offer: Offer, risk: np.ndarray, save_rate: np.ndarray, each: np.ndarray
) -> np.ndarray:
    """Return the expected cost of an offer to each customer, shape (n,): lower is better.

    The cost of the contact plus that of ``each`` redemption (``redemption_cost``) by saved
    decliners and by a share of stayers.
    """
    takes = risk * np.maximum(save_rate, 0.0) + (1 - risk) * offer.redemption_rate_stayers
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
    """A catalogue of m offers evaluated for an audience of n customers.

    Attributes
    ----------
    names
        Names of the offers, length m.
    eligible
        True where a customer may get an offer, whether it pays or not, shape (n, m).
    save_rate
        Expected share of decliners saved, boosts included, shape (n, m), at most 1.
    contact_cost
        Cost of one contact, shape (m,).
    cost
        Expected cost, shape (n, m), in the unit of profit.
    net
        Expected net value, shape (n, m), in the unit of profit; higher is better. If customers
        are counted, the customers kept, from which no cost can be subtracted.
    saved
        Expected profit saved, or customers kept, shape (n, m).
    measured
        Offers by name whose effect was measured; the others have the save rate of the catalogue.
    """

    names: tuple[str, ...]
    catalogue: Catalogue
    eligible: np.ndarray
    save_rate: np.ndarray
    contact_cost: np.ndarray
    cost: np.ndarray
    net: np.ndarray
    saved: np.ndarray
    measured: Mapping[str, MeasuredOffer] = field(default_factory=dict)

    @property
    def pays(self) -> np.ndarray:
        """True where a customer may get an offer that gains more than it costs, shape (n, m)."""
        return np.asarray(self.eligible & (self.net > 0))


def evaluate_offers(
    catalogue: Catalogue,
    audience: Audience,
    assumptions: Assumptions,
    policies: CampaignConfig | None = None,
    measured: Mapping[str, MeasuredOffer] = NOT_MEASURED,
) -> OfferMatrix:
    """Evaluate the offers of a catalogue for an audience.

    ``policies`` are the limits of contacts that a campaign keeps to. A customer with a missing
    profit or a loss has nothing at stake and gets no discount. A ``measured`` offer is only for
    customers like those it was tried on who gain by it.

    Raises
    ------
    RetainError
        As ``check_catalogue`` does.
    NotApplicable
        There is no profit, so no offer has a value.
    """
    check_catalogue(catalogue, audience)
    if not audience.with_profit:
        raise NotApplicable("the data have no profit, and without it no offer has a value")
    drivers = RiskDrivers.from_audience(audience)
    care = count_care_contacts(catalogue, audience, policies)
    eligible = np.column_stack(
        [
            find_eligible(offer, audience, drivers, policies, care)
            for offer in catalogue.offers.values()
        ]
    )
    for j, (name, offer) in enumerate(catalogue.offers.items()):
        if name in measured:
            eligible[:, j] &= measured[name].may_get(offer)
    return _to_offer_matrix(catalogue, audience, assumptions, eligible, drivers, measured)


def count_care_contacts(
    catalogue: Catalogue, audience: Audience, policies: CampaignConfig | None
) -> np.ndarray:
    """Return the contacts of the rules of care on channels that need consent, shape (n,)."""
    contacts = np.zeros(len(audience))
    for name, mask in find_care(catalogue, audience, policies).items():
        contacts += mask & (catalogue.care[name].channel not in OWN)
    return contacts


def boost_factors(offer: Offer, save_rate: np.ndarray) -> np.ndarray:
    """Return save rates of customers, shape (n,), over the offer's mean; 1 if that is 0."""
    mean = offer.save_rate.mean
    return np.asarray(save_rate / mean) if mean else np.ones(len(save_rate))


def reprice_offers(
    offers: OfferMatrix, catalogue: Catalogue, audience: Audience, assumptions: Assumptions
) -> OfferMatrix:
    """Return the same offers at other save rates, costs or values at stake."""
    drivers = RiskDrivers.from_audience(audience)
    return _to_offer_matrix(
        catalogue, audience, assumptions, offers.eligible, drivers, offers.measured
    )


def _to_offer_matrix(  # noqa: PLR0913, PLR0917 - all that a net value depends on
    catalogue: Catalogue,
    audience: Audience,
    assumptions: Assumptions,
    eligible: np.ndarray,
    drivers: RiskDrivers,
    measured: Mapping[str, MeasuredOffer],
) -> OfferMatrix:
    """Return costs and net values of each offer, given eligibility.

    Who takes an offer whose effect is known in money is not known: the share of those who stay.
    """
    risk, profit, value_at_stake = (
        audience.table[name].to_numpy(dtype=float) for name in ("risk", "profit", "value_at_stake")
    )
    save_rate, cost, net, saved = (np.empty(eligible.shape) for _ in range(4))
    for j, (name, offer) in enumerate(catalogue.offers.items()):
        found = measured.get(name)
        is_money = found is not None and found.money is not None
        rate = save_rate[:, j] = _save_rate(offer, audience, drivers, found)
        each = redemption_cost(offer, profit, assumptions.horizon.value)
        costs = expected_cost(offer, np.zeros_like(risk) if is_money else risk, rate, each)
        subtracted = np.zeros_like(costs) if audience.counts_customers else costs
        cost[:, j], net[:, j] = costs, net_value(risk, rate, value_at_stake, subtracted)
        if is_money and found is not None:
            net[:, j] = found.effect(offer) - subtracted
        saved[:, j] = net[:, j] + subtracted
    contact = np.array([offer.contact_cost for offer in catalogue.offers.values()])
    if audience.counts_customers:  # whatever subtracts costs again must find none
        catalogue = scale_catalogue_costs(catalogue, 0.0)
    return OfferMatrix(
        tuple(catalogue.offers), catalogue, eligible, save_rate, contact, cost, net, saved, measured
    )


def _save_rate(
    offer: Offer, audience: Audience, drivers: RiskDrivers, measured: MeasuredOffer | None
) -> np.ndarray:
    """Return the mean save rate, boosted where a driver of the boost raises the risk.

    That of a measured offer is the fall of the decline rate ÷ the risk, at most 1.
    """
    if measured is not None and measured.money is None:
        risk = np.maximum(audience.table["risk"].to_numpy(dtype=float), MIN_RISK)
        return np.asarray(np.minimum(measured.effect(offer) / risk, 1.0))
    rate = np.full(len(audience), offer.save_rate.mean)
    if offer.boost is not None:
        rate[drivers.any_of(offer.boost.drivers)] *= offer.boost.factor
    return np.asarray(np.minimum(rate, 1.0))
