import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retain.campaign.campaign import make_campaign
from retain.campaign.planning.control import SHARE_STEPS, assign_control
from retain.campaign.planning.control_design import (
    ChosenCustomers,
    TreatedLimits,
    decline_variance,
    difference_variance,
    equivalent_share,
    least_cost_shares,
)
from retain.cli.terminal.control_group import describe_saving
from retain.report.text.campaign import control_saving
from retain.report.text.words import words

from ..value.invented_campaign import UNSURE, make_audience
from .random_plans import random_settings

FREE = TreatedLimits(np.inf, np.inf, np.full(2, np.inf), np.zeros(3))


def make_chosen(seed=0, n=900, value_spread=0.25):
    """Customers of three segments, of whom one is nearly sure to decline, with two offers."""
    random = np.random.default_rng(seed)
    segment = random.choice(3, n, p=[0.42, 0.06, 0.52])
    risk = np.array([random.beta(*ends) for ends in np.array([(40, 2), (5, 8), (4, 32)])[segment]])
    value = 12 * random.lognormal(0, value_spread, n)
    cost = random.uniform(0.1, 0.4, n)
    return ChosenCustomers(
        segment=segment,
        offer=random.integers(0, 2, n),
        risk=risk,
        value=value,
        net=np.maximum(0.3 * risk * value - cost, 0.01),
        cost=cost,
    )


def variance(share, chosen, weight=1.0):
    """The variance of the readout, as if every customer were a stratum."""
    return difference_variance(share, np.ones(len(share)), decline_variance(chosen.risk) * weight)


@pytest.mark.parametrize("seed", range(5))
def test_least_cost_shares_show_the_same_effect_for_three_quarters_of_the_cost(seed):
    chosen = make_chosen(seed)
    share, one = least_cost_shares(chosen, FREE, share=0.2), np.full(900, 0.2)
    assert share @ chosen.net <= 0.75 * (one @ chosen.net)
    for weight in (1.0, chosen.value**2):
        assert variance(share, chosen, weight) <= variance(one, chosen, weight) * 1.001
    assert 0.1999 <= equivalent_share(share, chosen.risk) <= 0.21
    assert 0.05 <= share.min() < share.max() <= 0.6
    assert np.allclose(share * SHARE_STEPS, np.rint(share * SHARE_STEPS))


# Of bands that hold like customers the best shares are known: with little in the control group,
# they are proportional to the root of variance by cost (Cochran 1977, 5.5).
def test_two_kinds_of_customers_get_the_shares_of_the_formula():
    dear = np.arange(1200) < 600
    one = np.ones(1200)
    chosen = ChosenCustomers(
        segment=np.zeros(1200, int),
        offer=np.zeros(1200, int),
        risk=np.full(1200, 0.5),
        value=one,
        net=np.where(dear, 4.0, 1.0),
        cost=one,
    )
    share = least_cost_shares(chosen, FREE, share=0.1)
    grid = np.linspace(0.051, 0.3, 2000)
    best = min(
        (4 * low + high, low, high) for low in grid for high in (_match(low),) if high is not None
    )
    assert share[dear].mean() == pytest.approx(best[1], abs=0.002)
    assert share[~dear].mean() == pytest.approx(best[2], abs=0.002)


def _match(low):
    """The least share of the second half that keeps the variance, for one of the first."""
    highs = np.linspace(0.05, 0.6, 5000)
    found = ((1 - low) / low + (1 - highs) / highs) / (2 - low - highs) ** 2
    enough = highs[found <= (2 * 0.9 / 0.1) / (1.8**2)]
    return enough[0] if len(enough) else None


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), tight=st.sampled_from(["budget", "contacts", "offer", "least"]))
def test_the_treated_keep_within_the_limits_that_one_share_keeps(seed, tight):
    chosen = make_chosen(seed)
    n = 900
    budget = 0.8 * float(chosen.cost.sum()) if tight == "budget" else np.inf
    contacts = np.ceil(0.8 * n) if tight == "contacts" else np.inf
    sizes = np.bincount(chosen.offer)
    capacity = np.ceil(0.8 * sizes) if tight == "offer" else np.full(2, np.inf)
    least = 0.8 * np.bincount(chosen.segment) if tight == "least" else np.zeros(3)
    share = least_cost_shares(chosen, TreatedLimits(budget, contacts, capacity, least), share=0.2)
    if share is None:
        return
    treated = 1 - share
    assert treated @ chosen.cost <= budget * (1 + 1e-8)
    assert treated.sum() <= contacts + 1e-6
    assert (np.bincount(chosen.offer, treated) <= capacity + 1e-6).all()
    assert (np.bincount(chosen.segment, treated) >= np.floor(least) - 1e-6).all()
    ids, one = np.arange(n), np.ones(n)
    for draw in range(3):
        found = assign_control(chosen.offer, one, chosen.segment, ids, share=share, seed=draw)
        by_offer = np.bincount(chosen.offer[~found.is_control], minlength=2)
        assert (by_offer <= capacity).all()
        assert (~found.is_control).sum() <= contacts


def test_of_a_small_group_or_of_like_customers_the_share_is_one():
    assert least_cost_shares(make_chosen(n=150), FREE, share=0.2) is None
    same = np.ones(900)
    alike = ChosenCustomers(same.astype(int), same.astype(int), same / 2, same, same, same)
    assert least_cost_shares(alike, FREE, share=0.2) is None
    assert least_cost_shares(make_chosen(), FREE, share=0.0) is None


# The random start makes the chance of each customer that of the share, whatever the order.
def test_the_chance_of_each_customer_is_the_share():
    chosen = make_chosen(n=600)
    share = least_cost_shares(chosen, FREE, share=0.2)
    often = np.mean(
        [
            assign_control(
                chosen.offer, np.ones(600), chosen.segment, np.arange(600), share=share, seed=seed
            ).is_control
            for seed in range(800)
        ],
        axis=0,
    )
    error = np.sqrt(share * (1 - share) / 800)
    assert abs((often - share) / error).max() < 4.5
    for level in np.unique(share):
        assert often[share == level].mean() == pytest.approx(level, abs=0.01)


def plan_campaign(design, n=1500, risk=0.95, **planning):
    """A campaign for customers of whom half are, unless told otherwise, nearly sure to decline."""
    free = {"budget": None, "max_contacts": None, "control_share": 0.2, **planning}
    settings = random_settings(3, capped=False, control_design=design, **free)
    audience = make_audience(n, 3, value=settings.assumptions)
    table = audience.table
    table["risk"] = np.where(table["score"] > table["score"].median(), risk, 0.15)
    table["value_at_stake"] = 12.0
    return make_campaign(audience, UNSURE, settings)


def test_a_planned_campaign_has_the_shares_and_says_what_they_save():
    uniform, campaign = plan_campaign("uniform"), plan_campaign("least_cost")
    group, plan = campaign.document.control_group, campaign.plan
    assert (uniform.document.control_group.design, group.design) == ("uniform", "least_cost")
    assert group.cost < 0.75 * group.uniform_cost
    assert group.uniform_cost == pytest.approx(uniform.document.control_group.cost)
    assert np.array_equal(plan.offer_index, uniform.plan.offer_index)
    assert (plan.control.propensity[plan.offer_index < 0] == 0).all()
    share = 1 - plan.control.propensity[plan.offer_index >= 0]
    ends = (group.lowest_share, group.highest_share)
    assert (share.min(), share.max()) == pytest.approx(ends)
    power, same = campaign.document.power.overall, uniform.document.power.overall
    assert power.minimum_detectable_effect <= 1.02 * same.minimum_detectable_effect


@pytest.mark.parametrize(
    ("n", "risk", "because", "said"),
    [
        (120, 0.95, "small", "a control group of about 40 customers or more"),
        (1500, 0.15, "no_saving", "keep within the limits and save at least 2%"),
    ],
)
def test_where_all_keep_one_share_it_is_said_why(n, risk, because, said):
    document = plan_campaign("least_cost", n, risk).document
    assert document.control_group.one_share_because == because
    assert said in describe_saving(document)
    for language in ("en", "ru"):
        text = words(language).plain(control_saving(document))
        assert "campaign.control_design=least_cost" in text
    assert plan_campaign("uniform", n, risk).document.control_group.one_share_because is None


def test_one_cost_of_the_control_group_is_given_the_expected_one():
    document = plan_campaign("least_cost").document
    assert document.shadow_prices.control_group.cost == document.control_group.cost


# Of given customers, the variance of a difference is least with halves.
@pytest.mark.parametrize(("share", "is_large"), [(0.5, False), (0.9, True)])
def test_more_than_half_in_the_control_group_is_cautioned_against(share, is_large):
    document = plan_campaign("uniform", 200, control_share=share).document
    assert ("control_large" in [one.code for one in document.cautions]) == is_large
