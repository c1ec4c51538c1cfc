"""The curve of budgets: from the best few to saturation."""

import numpy as np
import pytest

from retain.campaign.allocation.allocate import Problem, allocate
from retain.campaign.planning.sensitivity import compute_budget_curve


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(5)
    n, m = 1_300, 9
    cost = rng.uniform(0.2, 2, (n, m))
    net = rng.lognormal(1, 1, (n, 1)) * rng.uniform(0.2, 1, (n, m)) - cost
    return Problem(net, cost, eligible=rng.random((n, m)) < 0.6, max_contacts=900)


def test_the_curve_rises_ever_more_slowly_to_saturation(problem):
    points = compute_budget_curve(problem, n_points=8)
    budgets, nets = (np.array([point[name] for point in points]) for name in ("budget", "net"))
    assert len(points) == 8
    assert (np.diff(budgets) > 0).all()
    slopes = np.diff(nets) / np.diff(budgets)
    assert (slopes >= 0).all()
    assert (np.diff(slopes) <= 1e-3 * slopes[:-1]).all()
    free = allocate(problem)
    assert nets[-1] == pytest.approx(free.objective, rel=1e-5)
    assert points[-1]["chosen"] == (free.offer_index >= 0).sum()
    assert budgets[-1] == pytest.approx(free.cost, rel=1e-2)


def test_a_budget_too_small_for_the_minimums_is_left_out():
    minimums = {"segment": np.zeros(10, dtype=int), "min_contacts": np.array([5])}
    points = compute_budget_curve(Problem(np.ones((10, 1)), np.ones(1), **minimums), n_points=5)
    assert points[0]["budget"] >= 5
    assert points[-1] == {"budget": 10.0, "chosen": 10, "net": 10.0}


def test_where_nothing_is_worth_offering_the_curve_is_flat():
    points = compute_budget_curve(Problem(-np.ones((4, 2)), np.ones(2)), n_points=3)
    assert [point["net"] for point in points] == [0.0]
    assert {point["chosen"] for point in points} == {0}


def test_offers_that_cost_nothing_need_one_point():
    (point,) = compute_budget_curve(Problem(np.ones((4, 2)), np.zeros(2)))
    assert point == {"budget": 0.0, "chosen": 4, "net": 4.0}
