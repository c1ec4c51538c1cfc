"""The net value of a plan is one number, wherever it is written."""

import numpy as np
import pytest

from retain.campaign.campaign import make_campaign
from retain.campaign.segmentation.outcomes import AudienceOutcomes
from retain.campaign.tables import arms_table, offers_table

from ..value.invented_campaign import UNSURE, make_audience
from .random_plans import random_campaign, random_settings


@pytest.fixture(scope="module", params=range(6))
def made(request):
    """A random campaign and its settings."""
    return random_campaign(request.param)


def values_of(campaign):
    """Every net value of the plan in the document and the tables, by its place."""
    tree, plan = campaign.document, campaign.plan
    arms, offers = arms_table(campaign, plan), offers_table(campaign, plan, "en", None)
    cost = tree.plan.expected_cost
    (own,) = {
        one.expected_net
        for one in tree.budget_curve
        if one.budget == cost and one.n_chosen == tree.plan.n_chosen
    } or {None}
    return {
        "plan": tree.plan.expected_net.value,
        "saved less cost": tree.plan.expected_saved - cost,
        "offers": sum(one.expected_net.value for one in tree.offers),
        "budget curve": own,
        "sensitivity": tree.sensitivity.expected_net,
        "campaign.csv": arms.loc[arms["arm"] == "treatment", "expected_net"].sum(),
        "offers.csv": offers["expected_net"].sum(),
    }


# Three net values of one plan were printed once: with and without the control group.
def test_all_net_values_of_a_plan_agree(made):
    campaign, _ = made
    values = values_of(campaign)
    assert values == pytest.approx(dict.fromkeys(values, values["plan"]), rel=1e-9, abs=1e-9)
    assert values["budget curve"] == values["sensitivity"] == values["plan"]
    assert not {"objective", "upper_bound"} & set(campaign.document.plan)


def test_the_budget_curve_never_falls_and_holds_the_plan(made):
    campaign, _ = made
    curve, plan = campaign.document.budget_curve, campaign.document.plan
    nets = [one.expected_net for one in curve]
    budgets = [one.budget for one in curve]
    assert nets == sorted(nets)
    assert budgets == sorted(budgets)
    assert plan.expected_cost in budgets


# An end of a range that is the value itself is no change.
def test_an_assumption_at_its_value_gives_the_net_value_of_the_plan(made):
    campaign, chosen = made
    for row in campaign.document.sensitivity.rows:
        for end in ("low", "high"):
            if getattr(row, end) == row.value:
                assert (
                    getattr(row, f"expected_net_{end}") == campaign.document.plan.expected_net.value
                )
    assert chosen.campaign.seed == campaign.document.seed


@pytest.mark.parametrize("minimum", [0, 20, 60])
@pytest.mark.parametrize("seed", range(2))
def test_nobody_is_chosen_who_has_nothing_to_gain(seed, minimum):
    limits = {"min_contacts": {"low risk": minimum}, "budget": None, "max_contacts": None}
    campaign, chosen = random_campaign(seed, capped=False, **limits)
    arms = arms_table(campaign, campaign.plan)
    assert (arms["expected_net"] > 0).all()
    assert (arms["value_at_stake"] > 0).all()
    low = (arms["segment"] == "low risk").sum()
    unmet = campaign.document.plan.unmet_minimums
    if low < np.ceil(minimum / (1 - chosen.campaign.control_share)):
        (one,) = unmet
        assert (one.segment, one.minimum) == ("low risk", minimum)
        assert one.n_paying == low
        assert one.n_treated <= low
    else:
        assert unmet == ()


# Their prices were 0, as if more money, contacts or places were worth nothing.
@pytest.mark.parametrize("limit", ["budget", "max_contacts", "capacity"])
def test_a_limit_that_leaves_nobody_has_the_price_of_the_first_step(limit):
    settings = random_settings(0, capped=False, budget=None, max_contacts=None, control_share=0.0)
    audience = make_audience(160, 0, value=settings.assumptions)
    dear = {
        name: offer.model_copy(update={"contact_cost": 0.4, "capacity": 0} if at == 0 else {})
        for at, (name, offer) in enumerate(settings.offers.offers.items())
    }
    alone = {name: dear[name] for name in list(dear)[:1]}
    if limit != "capacity":
        alone = {name: one.model_copy(update={"capacity": None}) for name, one in alone.items()}
        planning = settings.campaign.model_copy(update={limit: 0})
        settings = settings.model_copy(update={"campaign": planning})
    catalogue = settings.offers.model_copy(update={"offers": alone})
    campaign = make_campaign(audience, UNSURE, settings.model_copy(update={"offers": catalogue}))
    tree, offers = campaign.document, campaign.plan.offers
    assert tree.plan.n_chosen == 0 < tree.plan.n_paying
    if limit == "budget":
        price = tree.shadow_prices.budget
        assert price.step == 1
        assert 0 < price.gain <= offers.net[offers.pays].max() * 3
        assert price.price == price.gain
        return
    (offer,) = tree.offers
    found = tree.shadow_prices.contact if limit == "max_contacts" else offer.shadow_price
    assert found == pytest.approx(offers.net[offers.pays].max())


def test_where_two_limits_leave_nobody_neither_alone_has_a_price():
    campaign, _ = random_campaign(0, capped=False, budget=0.0, max_contacts=0)
    prices = campaign.document.shadow_prices
    assert campaign.document.plan.n_paying > 0
    assert prices.budget.gain is None
    assert prices.budget.price is None


# A budget of nothing was once explained by offers that do not pay.
@pytest.mark.parametrize("limits", [{"budget": 0.0}, {"budget": None, "max_contacts": 0}])
def test_limits_that_leave_nobody_are_told_from_offers_that_do_not_pay(limits):
    campaign, _ = random_campaign(0, capped=False, **{"max_contacts": None, **limits})
    plan = campaign.document.plan
    assert plan.n_chosen == 0 < plan.n_paying
    codes = {one.code: one for one in campaign.document.cautions}
    assert codes["limits_leave_nobody"].numbers["n_paying"] == plan.n_paying
    assert "nothing_pays" not in codes


# Two customers of huge profit: a segment showed 5,306 observed beside 12.3 M expected in total.
def test_customers_who_carry_most_of_the_profit_at_risk_are_a_caution():
    settings = random_settings(0)
    audience = make_audience(160, 0, value=settings.assumptions)
    for name in ("profit", "value_at_stake", "profit_at_risk"):
        audience.table.iloc[:1, audience.table.columns.get_loc(name)] *= 1e6
    declined = np.zeros(160)
    declined[80:] = 1
    outcomes = AudienceOutcomes(declined, audience.table["risk"].to_numpy(), np.arange(160))
    campaign = make_campaign(audience, UNSURE, settings, outcomes)
    tree = campaign.document
    codes = {one.code: one for one in tree.cautions}
    assert codes["profit_concentrated"].numbers["n_first"] == 1
    assert codes["profit_concentrated"].numbers["share"] > 0.99
    expected = sum(one.expected_profit_at_risk.value for one in campaign.segments)
    assert expected == pytest.approx(tree.expected_profit_at_risk.value)
    stake = audience.table["value_at_stake"].to_numpy()
    assert tree.observed_profit_at_risk.value == pytest.approx(stake @ declined)
    assert expected > 1000 * tree.observed_profit_at_risk.value


def test_missing_profits_are_counted():
    settings = random_settings(1)
    audience = make_audience(160, 1, value=settings.assumptions)
    audience.table.loc[audience.table.index[:7], "profit"] = np.nan
    cautions = make_campaign(audience, UNSURE, settings).document.cautions
    found = {one.code: one for one in cautions}
    missing = int(audience.table["profit"].isna().sum())
    assert missing >= 7
    numbers = {"n_missing": missing, "n_customers": 160}
    assert found["profit_missing"].numbers == numbers
    assert "profit_concentrated" not in found
