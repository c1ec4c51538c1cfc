"""Few offers in each segment, and the plan by segment as a manager approves it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import block_diag
from scipy.optimize import Bounds, LinearConstraint, milp

from retain.campaign.allocation.allocate import Problem, allocate
from retain.campaign.campaign import make_campaign
from retain.campaign.hand_over import approval_table
from retain.campaign.planning.segment_offers import choose_segment_offers
from retain.campaign.segmentation.outcomes import AudienceOutcomes
from retain.campaign.tables import customers_table, offers_table
from retain.record.documents import to_tree

from ..value.invented_campaign import UNSURE, make_audience
from .random_plans import random_settings

TOTALS = ("n_chosen", "n_treated", "n_control", "expected_cost", "expected_saved")


@pytest.fixture(scope="module", params=range(4))
def made(request):
    """A campaign with at most two choices in a segment, of customers with outcomes."""
    settings = random_settings(request.param, offers_per_segment=2)
    audience = make_audience(160, request.param, value=settings.assumptions)
    random = np.random.default_rng(request.param)
    declined = (random.random(160) < audience.table["risk"].to_numpy()).astype(float)
    outcomes = AudienceOutcomes(declined, audience.table["risk"].to_numpy(), np.arange(160))
    return make_campaign(audience, UNSURE, settings, outcomes), declined


# --- few offers a segment ----------------------------------------------------------------------


def test_a_segment_has_no_more_offers_than_it_may(made):
    campaign, _ = made
    offers = pd.Series(campaign.plan.offer_index).groupby(campaign.audience.segments)
    assert offers.apply(lambda chosen: chosen[chosen >= 0].nunique()).max() <= 1


def random_problem(seed):
    random = np.random.default_rng(seed)
    net, cost = random.normal(1, 2, (60, 4)), random.uniform(0.1, 1, (60, 4))
    limits = {"budget": float(random.uniform(3, 20)), "max_contacts": int(random.integers(5, 50))}
    capacity = random.choice([5.0, np.inf], 4)
    eligible = random.random((60, 4)) < 0.8
    problem = Problem(net, cost, eligible, capacity=capacity, **limits)
    return problem, random.integers(0, 3, 60)


def best_objective(problem, codes, n_segments, n_offers):
    """Return what the best plan brings in which a segment has so many offers at most."""
    n_customers, n_all = problem.net.shape
    one_each = np.kron(np.eye(n_customers), np.ones(n_all))
    of_offer = np.kron(np.ones(n_customers), np.eye(n_all))
    of_segment = np.kron(np.eye(n_segments), np.ones(n_all))
    is_open = np.kron(np.eye(n_segments)[codes], np.eye(n_all))
    usage = np.vstack([problem.cost.ravel(), np.ones(one_each.shape[1]), one_each, of_offer])
    rows = block_diag(usage, of_segment)
    limits = [problem.budget, problem.max_contacts, *np.ones(n_customers), *problem.capacity]
    limits += [n_offers] * n_segments
    rows = np.vstack([rows, np.hstack([np.eye(one_each.shape[1]), -is_open])])
    limits += [0] * one_each.shape[1]
    net = np.concatenate([problem.net.ravel(), np.zeros(n_segments * n_all)])
    allowed = np.concatenate([problem.eligible.ravel(), np.ones(n_segments * n_all)])
    found = milp(
        -net,
        integrality=np.ones(len(net)),
        bounds=Bounds(0, allowed),
        constraints=LinearConstraint(rows, ub=limits),
        options={"mip_rel_gap": 0},
    )
    assert found.success
    return -found.fun


@pytest.mark.parametrize("seed", range(5))
def test_the_offers_chosen_are_nearly_the_best_and_within_their_proven_gap(seed):
    problem, codes = random_problem(seed)
    best = best_objective(problem, codes, 3, 2)
    few = choose_segment_offers(problem, codes, 3, 2)
    found = allocate(replace(problem, eligible=few.restrict(problem.eligible)))
    certified = few.certify(found)
    assert found.objective >= 0.95 * best
    assert certified.upper_bound >= best - 1e-9
    assert certified.relative_gap <= 0.1
    assert few.free_net >= found.objective - 1e-9


def test_of_very_many_offers_sets_grow_one_by_one():
    random = np.random.default_rng(0)
    problem = Problem(random.normal(1, 1, (40, 30)), np.ones((40, 30)), np.ones((40, 30), bool))
    few = choose_segment_offers(problem, np.zeros(40, dtype=int), 1, 4)
    assert few.allowed.sum() == 4
    assert few.upper_bound == few.free_net


def test_the_plan_says_what_few_offers_cost(made):
    campaign, _ = made
    said = to_tree(campaign.document)["plan"]["segment_offers"]
    assert said["limit"] == 2
    assert 0 <= said["cost"] <= said["free_net"]


# --- the approval table ------------------------------------------------------------------------


def test_the_rows_of_segments_choices_and_known_classes_add_up_to_the_plan(made):
    campaign, _ = made
    tree = to_tree(campaign.document)
    choices = [one for row in tree["approval"] for one in row["choices"]]
    for name in TOTALS:
        total = pytest.approx(tree["plan"].get(name, 0), abs=1e-9)
        for rows in (tree["approval"], choices, tree["known_classes"]):
            assert sum(row[name] for row in rows) == total
    net = pytest.approx(tree["plan"]["expected_net"]["value"], abs=1e-9)
    assert sum(row["expected_net"]["value"] for row in tree["approval"]) == net
    assert sum(one["expected_net"]["value"] for one in choices) == net
    n_customers = sum(row["n_left_alone"] + row["n_chosen"] for row in tree["approval"])
    assert n_customers == tree["n_customers"]


def test_as_many_kept_as_it_says_pay_for_the_contacts(made):
    campaign, _ = made
    table, plan = campaign.audience.table, campaign.plan
    for row in to_tree(campaign.document)["approval"]:
        if row["one_in"] is not None:
            inside = (campaign.audience.segments == row["segment"]) & (
                plan.treated_offer_index >= 0
            )
            mean = np.average(
                table["value_at_stake"].to_numpy()[inside],
                weights=table["risk"].to_numpy()[inside],
            )
            assert row["n_treated"] / row["one_in"] * mean == pytest.approx(row["expected_cost"])


def test_files_say_who_is_won_back_and_who_is_retained(made):
    campaign, declined = made
    expected = np.where(declined == 1, "win-back", "retention")
    customers = customers_table(campaign, "en")
    assert customers["known_class"].tolist() == expected.tolist()
    offers = offers_table(campaign, campaign.plan, "en", None).set_index("customer_id")
    by_id = customers.set_index("customer_id")["known_class"]
    assert offers["known_class"].equals(by_id.loc[offers.index])


def test_of_new_customers_nobody_knows_the_class():
    settings = random_settings(0)
    audience = make_audience(160, 0, value=settings.assumptions)
    campaign = make_campaign(audience, UNSURE, settings)
    assert to_tree(campaign.document)["known_classes"] is None
    assert "known_class" not in customers_table(campaign, "en")
    assert {row["observed_share"] for row in to_tree(campaign.document)["approval"]} == {None}


# --- without profit ----------------------------------------------------------------------------


def without_profit(seed=0, **planning):
    settings = random_settings(seed, capped=False, **planning)
    audience = make_audience(160, seed, value=settings.assumptions)
    table = audience.table.drop(columns=["profit", "value_at_stake", "profit_at_risk"])
    audience = replace(audience, table=table, profit_unit=None)
    return make_campaign(audience, UNSURE, settings), settings


def test_without_profit_each_customer_counts_as_one():
    campaign, _ = without_profit(budget=20.0, max_contacts=None)
    tree, plan = to_tree(campaign.document), campaign.plan
    rows = np.flatnonzero(plan.treated_offer_index >= 0)
    index = plan.treated_offer_index[rows]
    risk = campaign.audience.table["risk"].to_numpy()[rows]
    kept = float((risk * plan.offers.save_rate[rows, index]).sum())
    assert tree["objective"] == tree["profit_unit"] == "customers"
    assert tree["plan"]["kept"]["value"] == pytest.approx(kept)
    assert tree["plan"]["kept"]["per_contact"] == pytest.approx(kept / len(rows))
    cost = tree["plan"]["expected_cost"]
    assert 0 < cost <= 20.0
    assert tree["plan"]["kept"]["per_cost"] == pytest.approx(kept / cost)
    assert tree["plan"]["expected_net"]["value"] == pytest.approx(kept)
    assert tree["expected_profit_at_risk"]["value"] == pytest.approx(
        campaign.audience.table["risk"].sum()
    )
    assert {one["code"] for one in tree["cautions"]} >= {"no_profit"}
    assert {row["one_in"] for row in tree["approval"]} == {None}
    assert not {"profit", "profit_at_risk"} & set(customers_table(campaign, "en"))
    offers = offers_table(campaign, plan, "en", None)
    assert offers["expected_kept"].sum() == pytest.approx(kept)
    approval = approval_table(campaign.document.approval, "en", counted=True)
    assert approval["expected_kept"].iloc[-1] == pytest.approx(kept)
    named = {*offers, *approval}
    assert not [one for one in named if "net" in one or "saved" in one or one == "one_in"]


def test_without_profit_and_limits_as_many_are_contacted_as_are_expected_to_decline():
    campaign, _ = without_profit(budget=None, max_contacts=None)
    n_expected = int(np.ceil(campaign.audience.table["risk"].sum()))
    assert to_tree(campaign.document)["plan"]["max_contacts"] == n_expected
    assert 0 < to_tree(campaign.document)["plan"]["n_treated"] <= n_expected


def test_offers_without_costs_are_planned_where_customers_are_counted():
    settings = random_settings(0, capped=False)
    free = {"contact_cost": 0.0, "redemption_cost": 0.0, "discount": 0.0}
    offers = {name: one.model_copy(update=free) for name, one in settings.offers.offers.items()}
    catalogue = settings.offers.model_copy(update={"offers": offers, "costs": "required"})
    audience = make_audience(160, 0, value=settings.assumptions)
    table = audience.table.drop(columns=["profit", "value_at_stake", "profit_at_risk"])
    bare = replace(audience, table=table, profit_unit=None)
    campaign = make_campaign(bare, UNSURE, settings.model_copy(update={"offers": catalogue}))
    assert to_tree(campaign.document)["plan"]["n_treated"] > 0
    assert to_tree(campaign.document)["plan"]["kept"]["per_cost"] is None
    assert to_tree(campaign.document)["free_offers"] == []
