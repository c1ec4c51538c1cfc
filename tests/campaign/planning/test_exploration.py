"""Customers whose offer is drawn at random: their chances, and the limits that they keep."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retain.campaign.allocation.allocate import Problem, allocate
from retain.campaign.campaign import make_campaign
from retain.campaign.new_customers import apply_to_new_customers
from retain.campaign.offers.offers import evaluate_offers
from retain.campaign.planning.control import assign_control
from retain.campaign.planning.exploration import explore
from retain.campaign.planning.learning import make_learning_plan
from retain.campaign.planning.plan import build_problem, make_plan
from retain.campaign.tables import arms_table
from retain.errors import RetainError

from ..value.invented_campaign import UNSURE, make_audience
from .random_plans import random_campaign, random_settings


def random_customers(seed, n=160, **planning):
    """Customers in two segments, and random settings."""
    chosen = random_settings(seed, **planning)
    audience = make_audience(n, seed, value=chosen.assumptions)
    halves = np.where(audience.table["risk"] > 0.4, "high", "low")
    return audience.with_segments(halves), chosen


def make_problem(seed, n=60, **limits):
    """Customers who may get some of three offers, which cost the more the later they stand."""
    random = np.random.default_rng(seed)
    return Problem(
        net=random.normal(1, 1, (n, 3)),
        cost=random.uniform(0.5, 1.5, (n, 3)) * [1, 2, 3],
        eligible=random.random((n, 3)) < 0.7,
        seed=seed,
        **limits,
    )


# However the limits close offers on the way, the share given each offer is what its chance says:
# over many draws the sum of 1{drawn} − chance of each offer stays within what chance allows.
@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"budget": 40.0},
        {"capacity": np.array([4.0, np.inf, 9.0])},
        {"budget": 40.0, "capacity": np.array([4.0, np.inf, 9.0]), "max_contacts": 25},
    ],
)
@pytest.mark.parametrize("share", [0.4, 1.0])
def test_each_offer_is_drawn_as_often_as_its_chance_says(limits, share):
    problem = make_problem(1, **limits)
    gap, variance = np.zeros((60, 3)), np.zeros((60, 3))
    for seed in range(600):
        found = explore(replace(problem, seed=seed), share)
        drawn = found.offer[:, None] == np.arange(3)
        gap[found.rows] += drawn - found.chance
        variance[found.rows] += found.chance * (1 - found.chance)
    of_offers = gap.sum(axis=0) / np.sqrt(variance.sum(axis=0))
    assert abs(of_offers).max() < 3.5
    of_each = gap[variance > 3] / np.sqrt(variance[variance > 3])
    assert abs(of_each).max() < 4.5
    assert of_each.std() == pytest.approx(1, abs=0.15)


# Without limits nobody is preferred: each eligible customer explores as often as any other.
def test_who_explores_is_drawn_at_random():
    problem = make_problem(2)
    often = np.mean([explore(replace(problem, seed=one), 0.3).explores for one in range(1000)], 0)
    may = problem.eligible.any(axis=1)
    share = np.ceil(0.3 * may.sum()) / may.sum()
    assert (often[~may] == 0).all()
    assert abs(often[may] - share).max() < 4.5 * np.sqrt(share * (1 - share) / 1000)


def test_the_draws_depend_on_customers_not_on_rows():
    problem = replace(make_problem(3, budget=50.0), keys=np.arange(60, dtype=np.uint64) * 7919)
    order = np.random.default_rng(0).permutation(60)
    moved = replace(
        problem,
        net=problem.net[order],
        cost=problem.cost[order],
        eligible=problem.eligible[order],
        keys=problem.keys[order],
    )
    first, second = explore(problem, 0.5), explore(moved, 0.5)
    assert np.array_equal(problem.keys[first.rows], moved.keys[second.rows])
    assert np.array_equal(first.offer, second.offer)


@pytest.mark.parametrize("design", ["uniform", "least_cost"])
@pytest.mark.parametrize("share", [0.1, 0.4, "all"])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_limit_is_passed_and_nobody_gets_what_he_may_not(share, design, seed):
    audience, chosen = random_customers(seed, explore=share, control_design=design)
    planning = chosen.campaign
    offers = evaluate_offers(chosen.offers, audience, chosen.assumptions, planning)
    make = make_learning_plan if share == "all" else make_plan
    try:
        plan = make(audience, offers, planning)
    except RetainError:
        return  # so tight a budget that no control group fits
    treated = plan.treated_offer_index
    rows = np.flatnonzero(treated >= 0)
    if planning.budget is not None:
        assert plan.expected_cost <= planning.budget * (1 + 1e-9)
    if planning.max_contacts is not None:
        assert len(rows) <= planning.max_contacts
    counts = np.bincount(treated[rows], minlength=len(plan.offers.names))
    for count, offer in zip(counts, chosen.offers.offers.values(), strict=True):
        assert offer.capacity is None or count <= offer.capacity
    contactable = audience.table["contactable"].to_numpy(dtype=bool)
    needs = np.array([one.needs_consent for one in chosen.offers.offers.values()])
    assert (contactable[rows] | ~needs[treated[rows]]).all()
    explored = plan.exploration
    assert explored.possible[np.arange(len(explored)), explored.offer].all()
    assert (plan.offers.eligible[explored.rows] | ~explored.possible).all()
    n_eligible = int(plan.offers.eligible.any(axis=1).sum())
    assert len(explored) <= np.ceil((1.0 if share == "all" else share) * n_eligible)
    others = np.flatnonzero((plan.offer_index >= 0) & ~explored.explores)
    assert share != "all" or not len(others)
    assert (plan.offers.net[others, plan.offer_index[others]] > 0).all()


def test_without_exploration_nobody_explores_and_the_file_has_no_column_for_it():
    campaign, _ = random_campaign(3)
    assert not len(campaign.plan.exploration)
    assert campaign.document.exploration is None
    assert "exploration" not in campaign.document.model_dump(exclude_none=True)
    assert "drawn_from" not in arms_table(campaign, campaign.plan)


# Bit for bit the plan that there is without any of this: the same problem, the same draws.
@pytest.mark.parametrize("seed", range(6))
def test_without_exploration_a_plan_is_what_it_was(seed):
    audience, chosen = random_customers(seed, budget=None, exact_up_to=0)
    offers = evaluate_offers(chosen.offers, audience, chosen.assumptions, chosen.campaign)
    plan = make_plan(audience, offers, chosen.campaign)
    allocation = allocate(build_problem(audience, offers, chosen.campaign), exact_up_to=0)
    assert np.array_equal(plan.offer_index, allocation.offer_index)
    control = assign_control(
        allocation.offer_index,
        plan.select_chosen(offers.cost),
        audience.segments,
        audience.table.index.to_numpy(),
        share=chosen.campaign.control_share,
        seed=seed,
    )
    assert np.array_equal(plan.control.is_control, control.is_control)
    assert np.array_equal(plan.control.propensity, control.propensity)


def plan_shop(n=600, **planning):
    free = {"budget": None, "max_contacts": None, "control_share": 0.2, **planning}
    settings_ = random_settings(3, capped=False, **free)
    audience = make_audience(n, 3, value=settings_.assumptions)
    return make_campaign(audience, UNSURE, settings_)


def test_the_file_says_which_offers_each_customer_could_get_and_with_what_chance():
    campaign = plan_shop(explore=0.3)
    table = arms_table(campaign, campaign.plan)
    explores = table["drawn_from"] != ""
    assert explores.sum() == len(campaign.plan.exploration) > 50
    for row in table[explores].itertuples():
        possible = row.drawn_from.split("|")
        assert row.offer in possible
        assert row.propensity == pytest.approx(0.8 / len(possible))
    assert (table.loc[~explores, "propensity"] == 0.8).all()


def test_of_those_who_explore_the_share_of_the_control_group_is_in_it():
    plan = plan_shop(explore=0.3).plan
    for offer in range(len(plan.offers.names)):
        inside = plan.exploration.rows[plan.exploration.offer == offer]
        held = plan.control.is_control[inside].sum()
        assert abs(held - 0.2 * len(inside)) <= 2


def test_what_is_given_up_is_what_the_plan_without_it_has_more():
    campaign, other = plan_shop(explore=0.3), plan_shop()
    info, share = campaign.document.exploration, 0.8
    nets = [share * one.plan.select_chosen(one.plan.offers.net).sum() for one in (other, campaign)]
    assert info.given_up.value == pytest.approx(nets[0] - nets[1])
    assert info.given_up.low <= info.given_up.value <= info.given_up.high
    assert info.given_up.value > 0
    small = plan_shop(explore=0.05).document.exploration
    assert small.given_up.value < info.given_up.value


def test_more_who_explore_show_smaller_effects():
    few, many = (plan_shop(explore=one).document.exploration for one in (0.1, 0.5))
    before = {one.name: one.minimum_detectable_effect for one in few.offers}
    falls = [one.expected for one in many.offers]
    assert falls == sorted(falls, reverse=True)
    for one in many.offers:
        assert before[one.name] is None or one.minimum_detectable_effect < before[one.name]
    assert many.offers[0].next_offer == many.offers[1].name
    assert many.offers[-1].next_offer is None
    assert many.offers[-1].detectable_from_next is None


def test_a_learning_campaign_is_as_large_as_what_offers_are_assumed_to_do_needs():
    campaign = plan_shop(20_000, explore="all")
    info = campaign.document.exploration
    assert info.is_learning
    assert campaign.document.plan.n_chosen == info.n_customers < info.n_eligible
    assert all(one.is_enough for one in info.offers)
    tight = [one.expected / one.minimum_detectable_effect for one in info.offers]
    assert min(tight) == pytest.approx(1, abs=0.02)


def test_where_the_ranking_is_not_shown_a_learning_campaign_is_planned_by_itself():
    planning = random_settings(3, capped=False, budget=None, max_contacts=None)
    audience = make_audience(300, 3, value=planning.assumptions)
    campaign = make_campaign(audience, UNSURE, planning, ranking="not_shown")
    info = campaign.document.exploration
    assert (info.is_learning, info.because, info.given_up) == (True, "ranking_not_shown", None)
    document = campaign.document
    assert document.shadow_prices is document.sensitivity is document.profit_curve is None
    assert document.budget_curve == ()
    assert document.plan.n_treated > 0


def test_new_customers_explore_too_and_none_are_aimed_at_where_the_ranking_is_not_shown():
    fitted = plan_shop()
    chosen = random_settings(3, capped=False, budget=None, max_contacts=None, explore=0.2)
    chosen = chosen.model_copy(update={"segmentation": fitted.fitted_segmentation})
    audience = make_audience(300, 8, value=chosen.assumptions)
    share = apply_to_new_customers(audience, UNSURE, chosen, ranking="shown").document
    assert (share.exploration.is_learning, share.exploration.share) == (False, 0.2)
    learning = apply_to_new_customers(audience, UNSURE, chosen, ranking="not_shown").document
    assert learning.exploration.is_learning


# Whoever is chosen, risk and value are those of all who may be: nobody is aimed at.
def test_a_learning_campaign_aims_at_nobody():
    campaign = plan_shop(4000, explore="all", max_contacts=400)
    plan, table = campaign.plan, campaign.audience.table
    eligible = plan.offers.eligible.any(axis=1)
    chosen = plan.offer_index >= 0
    for name in ("risk", "profit_at_risk"):
        values = table[name].to_numpy()
        error = values[eligible].std() / chosen.sum() ** 0.5
        assert abs(values[chosen].mean() - values[eligible].mean()) < 3.5 * error


def test_the_plan_of_the_others_is_the_best_within_what_is_left():
    campaign = plan_shop(explore=0.2, budget=60.0)
    plan = campaign.plan
    assert plan.problem.budget <= 60.0 / 0.8 - plan.exploration.cost.sum() + 1e-9
    assert plan.allocation.is_optimal
    assert not (plan.allocation.offer_index >= 0)[plan.exploration.explores].any()


def test_minimums_by_segment_count_those_who_explore():
    names = sorted(set(plan_shop().audience.segments))
    campaign = plan_shop(explore=0.3, min_contacts={names[0]: 30})
    inside = campaign.audience.segments == names[0]
    assert (campaign.plan.treated_offer_index[inside] >= 0).sum() >= 28
