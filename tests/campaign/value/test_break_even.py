from dataclasses import replace

import numpy as np
import pytest

from retain.campaign.value.break_even import break_even, break_even_risk, cheapest_offer
from retain.schema.campaign import Beta, Catalogue

from .invented_campaign import CATALOGUE, make_audience, make_offer, make_offers, make_value

SURE = 1e9
"""A Beta of this weight is a point."""


@pytest.fixture
def audience():
    return make_audience(300)


def net_at(audience, offer, chosen, rate, contact=None, *, boosted):
    """Expected net value of those chosen, were the save rate or the contact's cost another."""
    sure = Beta(alpha=max(rate, 1e-12) * SURE, beta=max(1 - rate, 1e-12) * SURE)
    cost = offer.contact_cost if contact is None else contact
    changed = offer.model_copy(update={"save_rate": sure, "contact_cost": cost})
    offers = make_offers(audience, make_value(), {"one": changed}, boosted=boosted)
    return offers.net[chosen == 0, 0].sum()


@pytest.mark.parametrize("boosted", [0.5, 1.0, 2.0, 5.0])
def test_at_the_break_even_save_rate_an_offer_brings_nothing(audience, boosted):
    offer = make_offer(contact_cost=0.9, redemption_cost=0.5)
    chosen = np.where(np.random.default_rng(1).random(300) < 0.5, 0, -1)
    offers = make_offers(audience, make_value(), {"one": offer}, boosted=boosted)
    found = break_even(audience, offers, make_value(), chosen)["one"]
    assert 0 < found.save_rate < 1
    assert net_at(audience, offer, chosen, found.save_rate, boosted=boosted) == pytest.approx(
        0, abs=1e-4
    )
    assert net_at(audience, offer, chosen, found.save_rate * 1.01, boosted=boosted) > 0


def test_at_the_break_even_cost_of_a_contact_an_offer_brings_nothing(audience):
    offer, chosen = make_offer(), np.zeros(300, dtype=int)
    offers = make_offers(audience, make_value(), {"one": offer})
    cost = break_even(audience, offers, make_value(), chosen)["one"].contact_cost
    rate = offer.save_rate.mean
    assert net_at(audience, offer, chosen, rate, cost, boosted=3.0) == pytest.approx(0, abs=1e-4)


def test_what_never_pays_has_no_break_even(audience):
    dear = make_offer(contact_cost=1000)
    taken_by_all = make_offer(redemption_cost=500, redemption_rate_stayers=1)
    offers = make_offers(audience, make_value(), {"dear": dear, "taken": taken_by_all})
    found = break_even(audience, offers, make_value(), np.arange(300) % 2)
    assert found["dear"].save_rate is None
    assert 0 < found["dear"].contact_cost < 1000
    assert (found["taken"].save_rate, found["taken"].contact_cost) == (None, None)


def test_what_costs_nothing_pays_without_saving_anybody(audience):
    free = make_offer(contact_cost=0, redemption_cost=0, discount=0)
    offers = make_offers(audience, make_value(), {"free": free})
    assert break_even(audience, offers, make_value(), np.zeros(300, int))["free"].save_rate == 0


def test_an_offer_nobody_gets_has_none(audience):
    offers = make_offers(audience, make_value())
    found = break_even(audience, offers, make_value(), np.zeros(300, dtype=int))
    assert list(found) == list(CATALOGUE)
    assert found["email"].save_rate is not None
    assert (found["call"].save_rate, found["call"].contact_cost) == (None, None)


# The very customer of median value, at that risk, brings nothing: neither gain nor loss.
@pytest.mark.parametrize("name", list(CATALOGUE))
def test_at_the_break_even_risk_a_customer_brings_nothing(audience, name):
    offer, value = CATALOGUE[name], make_value()
    risk = break_even_risk(offer, 4.0, value)
    stake = 4.0 * 3 * 0.8
    table = audience.table.iloc[:1].assign(risk=risk, profit=4.0, value_at_stake=stake)
    offers = make_offers(replace(audience, table=table), value, {name: offer}, boosted=1.0)
    assert offers.net[0, 0] == pytest.approx(0, abs=1e-12)
    assert 0 < risk < 1


def test_no_risk_is_high_enough_for_a_customer_worth_less_than_the_offer():
    dear = make_offer(contact_cost=100)
    assert break_even_risk(dear, 4.0, make_value()) is None
    assert (
        break_even_risk(make_offer(discount=0, redemption_rate_stayers=0), 0.0, make_value())
        is None
    )


def test_the_cheapest_offer_costs_least_to_make_then_to_keep():
    offers = {
        "call": make_offer(contact_cost=0.5),
        "gift": make_offer(contact_cost=0.1, redemption_cost=2.0),
        "news": make_offer(contact_cost=0.1, redemption_cost=0.0),
    }
    assert cheapest_offer(Catalogue(name="three", offers=offers)) == "news"
