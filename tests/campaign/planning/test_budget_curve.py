"""The curve of budgets: from the best few to saturation."""

from types import SimpleNamespace

import numpy as np
import pytest

from retain.campaign.allocation.allocate import Problem, allocate
from retain.campaign.planning.budget_curve import compute_budget_curve
from retain.campaign.planning.control import ControlAssignment
from retain.campaign.planning.exploration import explore
from retain.campaign.planning.plan import CampaignPlan
from retain.record.plan_scenarios import BudgetPoint


def curve_of(problem, n_points):
    """The curve of a plan without a control group."""
    nobody = np.zeros(len(problem.net), dtype=bool)
    offers = SimpleNamespace(net=problem.net, cost=np.broadcast_to(problem.cost, problem.net.shape))
    control = ControlAssignment(nobody, 1, np.zeros(len(nobody)), np.full(len(nobody), ""))
    n_eligible = np.zeros(problem.net.shape[1], dtype=int)  # no matter to a curve
    plan = CampaignPlan(
        offers, problem, allocate(problem), control, n_eligible, explore(problem, 0.0)
    )
    return compute_budget_curve(plan, 0.0, n_points)


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(5)
    n, m = 1_300, 9
    cost = rng.uniform(0.2, 2, (n, m))
    net = rng.lognormal(1, 1, (n, 1)) * rng.uniform(0.2, 1, (n, m)) - cost
    return Problem(net, cost, eligible=rng.random((n, m)) < 0.6, max_contacts=900)


def test_the_curve_rises_ever_more_slowly_to_saturation(problem):
    points = curve_of(problem, 8)
    budgets, nets = (
        np.array([getattr(point, name) for point in points]) for name in ("budget", "expected_net")
    )
    assert len(points) == 8
    assert (np.diff(budgets) > 0).all()
    slopes = np.diff(nets) / np.diff(budgets)
    assert (slopes >= 0).all()
    assert (np.diff(slopes) <= 1e-3 * slopes[:-1]).all()
    free = allocate(problem)
    assert nets[-1] == pytest.approx(free.objective, rel=1e-5)
    assert points[-1].n_chosen == (free.offer_index >= 0).sum()
    assert budgets[-1] == pytest.approx(free.cost, rel=1e-2)


def test_a_plan_within_a_budget_is_a_point_of_its_own(problem):
    limited = Problem(problem.net, problem.cost, problem.eligible, budget=100.0)
    points, plan = curve_of(limited, 8), allocate(limited)
    assert len(points) == 9
    (own,) = (one for one in points if one.budget == pytest.approx(plan.cost))
    assert own.expected_net == pytest.approx(plan.objective)
    assert points[-1].expected_net > own.expected_net


def test_a_budget_too_small_for_the_minimums_is_left_out():
    minimums = {"segment": np.zeros(10, dtype=int), "min_contacts": np.array([5])}
    points = curve_of(Problem(np.ones((10, 1)), np.ones(1), **minimums), 5)
    assert points[0].budget >= 5
    assert points[-1] == BudgetPoint(budget=10.0, n_chosen=10, expected_net=10.0)


def test_where_nothing_is_worth_offering_the_plan_is_the_only_point():
    (point,) = curve_of(Problem(-np.ones((4, 2)), np.ones(2)), 3)
    assert point == BudgetPoint(budget=0.0, n_chosen=0, expected_net=0.0)


def test_offers_that_cost_nothing_need_one_point():
    (point,) = curve_of(Problem(np.ones((4, 2)), np.zeros(2)), 12)
    assert point == BudgetPoint(budget=0.0, n_chosen=4, expected_net=4.0)
