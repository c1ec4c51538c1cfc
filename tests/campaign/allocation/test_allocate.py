"""Who is offered what: limits are kept, the certificate is true, ties are the seed's."""

import ctypes
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from retain.campaign.allocation import prices
from retain.campaign.allocation.allocate import Problem, allocate
from retain.errors import RetainError


def make_problem(
    seed, n=None, offers=None, *, rounded=False, flat=False, min_contacts=False, limits="bckp"
):
    """A random problem: b(udget), c(apacities), k (contacts), p(art of the cells ineligible)."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40)) if n is None else n
    m = int(rng.integers(1, 5)) if offers is None else offers
    cost = rng.uniform(0, 3, m if flat else (n, m)) * (rng.random(m) < 0.9)
    net = rng.lognormal(1, 1, (n, 1)) * rng.uniform(0.1, 1, (n, m)) - rng.uniform(0, 2, m)
    net[rng.random(n) < 0.2] = 0.0  # customers with nothing at stake
    net[rng.random((n, m)) < 0.1] = 0.0
    if rounded:
        net, cost = np.round(net), np.round(cost)
    capacity = np.where(rng.random(m) < 0.5, np.inf, rng.integers(0, n + 1, m))
    segment = rng.integers(0, 3, n)
    return {
        "net": net,
        "cost": cost,
        "eligible": rng.random((n, m)) < 0.7 if "p" in limits else None,
        "budget": float(rng.uniform(0, 0.6) * n) if "b" in limits else None,
        "capacity": capacity if "c" in limits else None,
        "max_contacts": int(rng.integers(0, n + 1)) if "k" in limits else None,
        "segment": segment if min_contacts else None,
        "min_contacts": rng.integers(0, max(n // 8, 1) + 1, 3) if min_contacts else None,
    }


def solve_with_highs(
    net, cost, eligible, budget, capacity, max_contacts, segment=None, min_contacts=None
):
    """The optimum by HiGHS of a model with every cell in it; None where there is no plan."""
    n, m = net.shape
    cells = n * m
    cost = np.broadcast_to(cost, (n, m)).reshape(-1)
    rows, upper = [np.kron(np.eye(n), np.ones(m))], [np.ones(n)]
    if budget is not None:
        rows.append(cost[None])
        upper.append([budget])
    if capacity is not None:
        bounded = np.isfinite(capacity)
        rows.append(np.tile(np.eye(m), n)[bounded])
        upper.append(capacity[bounded])
    if max_contacts is not None:
        rows.append(np.ones((1, cells)))
        upper.append([max_contacts])
    if min_contacts is not None:
        rows.append(-1.0 * np.repeat(segment == np.arange(len(min_contacts))[:, None], m, axis=1))
        upper.append(-min_contacts)
    most = (net > 0).astype(float) if eligible is None else (eligible & (net > 0)).astype(float)
    matrix, upper = np.vstack(rows), np.concatenate(upper)
    constraint = LinearConstraint(matrix, ub=upper)
    options = {"mip_rel_gap": 0.0}
    result = milp(
        -net.reshape(-1),
        integrality=np.ones(cells),
        bounds=Bounds(0, most.reshape(-1)),
        constraints=constraint,
        options=options,
    )
    return None if result.x is None else -result.fun


def check_plan(plan, problem):
    """Assert that a plan keeps every limit and is worth what it says."""
    (rows,) = np.nonzero(plan.offer_index >= 0)
    offers = plan.offer_index[rows]
    net, m = problem["net"], problem["net"].shape[1]
    cost = np.broadcast_to(problem["cost"], net.shape)[rows, offers]
    assert plan.offer_index.shape == (len(net),)
    assert plan.offer_index.min(initial=0) >= -1
    assert plan.offer_index.max(initial=-1) < m
    assert plan.objective == pytest.approx(net[rows, offers].sum(), abs=1e-9)
    assert plan.cost == pytest.approx(cost.sum(), abs=1e-9)
    assert problem["eligible"] is None or problem["eligible"][rows, offers].all()
    assert problem["budget"] is None or cost.sum() <= problem["budget"] * (1 + 1e-9)
    counts = np.bincount(offers, minlength=m)
    assert problem["capacity"] is None or (counts <= problem["capacity"]).all()
    assert problem["max_contacts"] is None or len(rows) <= problem["max_contacts"]
    assert (net[rows, offers] > 0).all()
    if problem["min_contacts"] is not None:
        contacted = np.bincount(problem["segment"][rows], minlength=len(problem["min_contacts"]))
        assert (contacted >= problem["min_contacts"]).all()


FLAGS = {"rounded": st.booleans(), "flat": st.booleans(), "min_contacts": st.booleans()}


# The bound must never be below the true optimum, however the plan came about.
@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), exact=st.booleans(), **FLAGS)
def test_every_plan_keeps_its_limits_and_its_certificate_is_true(seed, exact, **flags):
    problem = make_problem(seed, **flags)
    best = solve_with_highs(**problem)
    try:
        plan = allocate(Problem(**problem), exact_up_to=20_000 if exact else 0)
    except RetainError:
        assert best is None or not exact
        assert problem["min_contacts"] is not None
        return
    assert best is not None
    check_plan(plan, problem)
    size = 1e-6 * max(1.0, abs(best))
    assert plan.objective <= best + size
    assert plan.upper_bound >= best - size
    assert plan.relative_gap >= 0
    assert plan.relative_gap * abs(plan.upper_bound) == pytest.approx(
        plan.upper_bound - plan.objective, abs=1e-9
    )
    if exact:
        assert plan.is_optimal
        assert plan.objective == pytest.approx(best, abs=size)


def test_nothing_to_gain_is_a_plan_that_does_nothing():
    for net in (-np.ones((5, 2)), np.zeros((5, 2)), np.ones((0, 2)), np.ones((5, 0))):
        plan = allocate(Problem(net, np.ones(net.shape[1]), budget=3.0))
        assert (plan.offer_index == -1).all()
        assert (plan.objective, plan.cost, plan.relative_gap, plan.is_optimal) == (
            0.0,
            0.0,
            0.0,
            True,
        )
    plan = allocate(Problem(np.ones((4, 1)), np.ones(1), eligible=np.zeros((4, 1), dtype=bool)))
    assert (plan.offer_index == -1).all()


def test_without_limits_everybody_gets_the_best_and_it_is_proven_without_a_solver():
    problem = make_problem(3, 200, 4, limits="p")
    plan = allocate(Problem(**problem))
    best = np.where(problem["eligible"], problem["net"], -np.inf)
    assert plan.objective == pytest.approx(np.maximum(best.max(axis=1), 0).sum())
    assert (plan.method, plan.is_optimal) == ("dual", True)
    assert plan.budget_price == plan.contact_price == 0.0


def test_a_budget_of_nothing_leaves_what_is_free():
    net = np.array([[5.0, 1.0], [5.0, 2.0], [5.0, -1.0]])
    plan = allocate(Problem(net, np.array([1.0, 0.0]), budget=0.0))
    assert plan.offer_index.tolist() == [1, 1, -1]
    nobody = allocate(Problem(net, np.array([1.0, 0.0]), capacity=np.array([0.9, 0.0])))
    assert (nobody.offer_index == -1).all()


def test_an_exact_fit_is_not_over_budget():
    plan = allocate(Problem(np.ones((40, 1)), np.array([0.1]), budget=3.0))
    assert (plan.offer_index >= 0).sum() == 30


def test_a_minimum_is_met_by_those_who_gain_least_and_costs_what_others_would_gain():
    net = np.array([[1.0], [0.0], [2.0], [4.0], [6.0]])
    minimums = {"segment": np.array([0, 0, 0, 1, 1]), "min_contacts": np.array([1, 0])}
    plan = allocate(Problem(net, np.ones(1), max_contacts=2, **minimums))
    assert plan.offer_index.tolist() == [-1, -1, 0, -1, 0]
    assert plan.objective == pytest.approx(8.0)
    assert 2.0 - 1e-6 <= plan.min_contacts_prices[0] <= 5.0 + 1e-6
    assert plan.min_contacts_prices[1] == 0.0
    both = {**minimums, "min_contacts": np.array([2, 0])}
    tight = allocate(Problem(net, np.ones(1), max_contacts=2, **both))
    assert tight.offer_index.tolist() == [0, -1, 0, -1, -1]
    assert tight.relative_gap == pytest.approx(0.0, abs=1e-9)


# Who has nothing to gain is no customer to fill a minimum with.
@pytest.mark.parametrize("net", [0.0, -1.0])
def test_no_minimum_is_filled_with_customers_who_gain_nothing(net):
    cells = np.array([[net], [3.0], [2.0]])
    minimums = {"segment": np.zeros(3, dtype=int)}
    plan = allocate(Problem(cells, np.zeros(1), min_contacts=np.array([2]), **minimums))
    assert plan.offer_index.tolist() == [-1, 0, 0]
    with pytest.raises(RetainError, match="2 customers for whom an offer pays, and 3 of them"):
        allocate(Problem(cells, np.zeros(1), min_contacts=np.array([3]), **minimums))


def test_a_minimum_that_cannot_be_met_says_how_many_could():
    net, segment = np.ones((5, 2)), np.array([0, 0, 0, 1, 1])
    eligible = np.array([[1, 0], [0, 0], [0, 1], [1, 1], [1, 1]], dtype=bool)
    minimums = {"segment": segment, "eligible": eligible}
    with pytest.raises(RetainError, match=r"segment 0 has 2 customers .* and 3 of them must"):
        allocate(Problem(net, np.ones(2), min_contacts=np.array([3, 0]), **minimums))
    with pytest.raises(RetainError, match="add up to 4 contacts, and 3 are allowed"):
        allocate(
            Problem(net, np.ones(2), min_contacts=np.array([2, 2]), max_contacts=3, **minimums)
        )
    poor = Problem(net, np.ones(2), min_contacts=np.array([2, 1]), budget=2.5, **minimums)
    for exact_up_to in (0, 100):
        with pytest.raises(RetainError, match="no plan was found that meets the segments'"):
            allocate(poor, exact_up_to=exact_up_to)


def test_bad_input_is_refused_at_its_place():
    net, cost = np.ones((3, 2)), np.ones((3, 2))
    wrong = np.array([[1.0, 1.0], [1.0, np.nan], [1.0, 1.0]])
    with pytest.raises(RetainError, match="net value of offer 1 for customer 1: it is nan"):
        Problem(wrong, cost)
    with pytest.raises(RetainError, match="cost of offer 1 for customer 1: it is -1"):
        Problem(net, np.where(np.isnan(wrong), -1.0, 1.0))
    with pytest.raises(RetainError, match="cost of offer 0: it is inf"):
        Problem(net, np.array([np.inf, 1.0]))
    for name, value in (("budget", -1.0), ("budget", np.nan), ("max_contacts", -1)):
        with pytest.raises(RetainError, match=rf"{name}: it is .*; expected a number, at least 0"):
            Problem(net, cost, **{name: value})
    with pytest.raises(RetainError, match="capacity: it is"):
        Problem(net, cost, capacity=np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match=r"cost is \(2, 3\)"):
        Problem(net, cost.T)
    with pytest.raises(ValueError, match="min_contacts is given without segment"):
        Problem(net, cost, min_contacts=np.array([1]))
    with pytest.raises(ValueError, match=r"segment is not within 0 … 0"):
        Problem(net, cost, segment=np.array([0, 1, 0]), min_contacts=np.array([1]))


@pytest.mark.parametrize("exact_up_to", [0, 20_000])
def test_the_seed_decides_among_equals_and_nothing_else(exact_up_to):
    problem = make_problem(11, 300, 3, rounded=True, flat=True)
    problem["net"] = np.minimum(problem["net"], 2.0)
    plans = [
        allocate(Problem(**problem, seed=seed), exact_up_to=exact_up_to) for seed in (1, 1, 2, 3)
    ]
    assert (plans[0].offer_index == plans[1].offer_index).all()
    assert all((plans[0].offer_index != other.offer_index).any() for other in plans[2:])
    values = [plan.objective for plan in plans]
    assert values == pytest.approx([values[0]] * 4, rel=1e-3 if exact_up_to == 0 else 1e-9)


# A customer's luck is of the customer, not of a place in a file.
def test_ties_follow_the_keys_and_not_the_order_of_rows():
    n, keys = 100, np.arange(100, dtype=np.uint64) * np.uint64(7919)
    problem = {"net": np.ones((n, 1)), "cost": np.ones(1), "budget": 31.0}
    permutation = np.random.default_rng(0).permutation(n)
    plan = allocate(Problem(**problem, keys=keys, seed=5))
    other = allocate(Problem(**problem, keys=keys[permutation], seed=5))
    assert (plan.offer_index >= 0).sum() == 31
    assert (plan.offer_index[permutation] == other.offer_index).all()


# More of anything can only help; what is measured in cents is planned as in euros.
@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_more_budget_is_never_worth_less_and_units_do_not_matter(seed):
    problem = make_problem(seed, 30, 3)
    values = []
    for times in (0.3, 1.0, 1.1, 2.0):
        larger = {**problem, "budget": problem["budget"] * times}
        values.append(allocate(Problem(**larger)).objective)
    assert (np.diff(values) >= -1e-9 * max(values)).all()
    cents = dict(problem)
    for name in ("net", "cost", "budget"):
        cents[name] = problem[name] * 100
    assert allocate(Problem(**cents)).objective == pytest.approx(100 * values[1], rel=1e-7)


# Annealing, samples, pools and repair each move customers: none may move to a cell without gain.
@pytest.mark.parametrize("n", [700, 12_000])
@pytest.mark.parametrize("seed", range(4))
def test_no_path_of_the_solver_chooses_a_cell_without_gain(n, seed):
    problem = make_problem(seed, n, 4, rounded=seed % 2 == 1, min_contacts=True)
    problem["budget"], problem["max_contacts"] = 0.3 * n, n // 3
    problem["min_contacts"] = np.array([n // 20, 0, n // 30])
    for exact_up_to in (0, 2_000):
        check_plan(allocate(Problem(**problem), exact_up_to=exact_up_to), problem)


@pytest.fixture(scope="module")
def large():
    """Twenty thousand customers: samples, one pass, cooling and a repair, and no HiGHS."""
    rng = np.random.default_rng(4)
    n, m = 20_000, 6
    stake, risk = rng.lognormal(3.5, 0.9, n), rng.beta(2, 4, n)
    stake[::25] = 0.0
    saved = risk[:, None] * rng.uniform(0.1, 0.4, m)
    cost = rng.uniform(0.1, 1, m) + saved * rng.uniform(0, 4, m)
    net = saved * stake[:, None] - cost
    segment = rng.integers(0, 4, n)
    return {
        "net": net,
        "cost": cost,
        "eligible": rng.random((n, m)) < 0.7,
        "budget": 5_000.0,
        "capacity": np.array([np.inf, 300, 2_000, np.inf, 5, 0]),
        "max_contacts": 9_000,
        "segment": segment,
        "min_contacts": np.array([0, 3_000, 0, 100]),
    }


def test_a_large_plan_keeps_its_limits_close_to_its_bound(large):
    plan = allocate(Problem(**large))
    check_plan(plan, large)
    assert plan.method == "dual"
    assert plan.relative_gap <= 2e-5
    again = allocate(Problem(**large))
    assert (plan.offer_index == again.offer_index).all()


@pytest.mark.parametrize(
    "sizes",
    [
        {"BOX_TEMPERATURES": 0.01},  # each step leaves its box, and is taken again with all
        {"BOX_SAMPLE_DIFFERENCES": 0.0, "MIN_BOX_SHARE": 1e-9},  # so does each pass
        {"BOX_SAMPLE_DIFFERENCES": 0.0, "MIN_BOX_SHARE": 1e-9, "MAX_ATTEMPTS": 1},
        {"MAX_LEFT_SHARE": 0.0},
    ],
)
def test_boxes_of_a_wrong_size_cost_time_and_nothing_else(large, monkeypatch, sizes):
    best = allocate(Problem(**large))
    for name, value in sizes.items():
        monkeypatch.setattr(prices, name, value)
    plan = allocate(Problem(**large))
    check_plan(plan, large)
    assert plan.relative_gap <= 2e-5
    assert plan.upper_bound == pytest.approx(best.upper_bound, rel=1e-6)


# Prices come from the bound, values from plans: each checks the other.
@pytest.mark.slow
def test_prices_are_what_a_little_more_of_a_limit_adds(large):
    plan = allocate(Problem(**large))

    def slope(name, index, by):
        values = []
        for sign in (1, -1):
            changed = np.array(large[name], dtype=float)
            changed[index] += sign * by
            new = {**large, name: changed if changed.ndim else float(changed)}
            values.append(allocate(Problem(**new)).objective)
        return (values[0] - values[1]) / (2 * by)

    assert plan.budget_price > 0
    assert slope("budget", (), 50.0) == pytest.approx(plan.budget_price, rel=0.03)
    assert slope("capacity", 1, 10) == pytest.approx(plan.capacity_prices[1], rel=0.03)
    assert slope("max_contacts", (), 90) == pytest.approx(plan.contact_price, rel=0.03, abs=1e-3)
    lower = -plan.min_contacts_prices[1]
    assert slope("min_contacts", 1, 30) == pytest.approx(lower, rel=0.03, abs=1e-3)
    assert plan.capacity_prices[0] == plan.min_contacts_prices[0] == 0.0


# Of a tree model's scores few are distinct: a plan must not lose by it.
def test_masses_of_equal_scores_leave_no_gap_and_follow_the_seed(large):
    rng = np.random.default_rng(2)
    worth = rng.beta(2, 4, 20_000).round(1) * rng.lognormal(3.5, 0.9, 20_000).round(-1)
    net = worth[:, None] * np.linspace(0.1, 0.4, 6) - np.linspace(0.3, 2.8, 6)
    tied = {**large, "net": net, "cost": np.linspace(0.3, 2.8, 6), "min_contacts": None}
    plans = [allocate(Problem(**tied, seed=seed)) for seed in (0, 0, 1)]
    check_plan(plans[0], tied)
    assert max(plan.relative_gap for plan in plans) <= 1e-5
    assert (plans[0].offer_index == plans[1].offer_index).all()
    assert (plans[0].offer_index != plans[2].offer_index).any()


# The samples draw a wrong picture where a handful of customers decide: the pass is taken again.
def test_customers_whom_no_sample_sees_are_still_found():
    n = 30_000
    net = np.full((n, 2), 1.0)
    net[:, 1] = -1.0
    rare = np.random.default_rng(0).choice(n, 40, replace=False)
    net[rare, 1] = 1_000.0 + np.arange(40)
    plan = allocate(Problem(net, np.ones(2), capacity=np.array([np.inf, 30]), max_contacts=10_000))
    assert set(np.flatnonzero(plan.offer_index == 1)) == set(rare[10:])
    assert plan.capacity_prices[1] == pytest.approx(1008.5, abs=1)
    assert plan.relative_gap <= 1e-6


# HiGHS says on the standard output where it looks at a solution again, and options do not stop it.
def test_nothing_is_printed_by_the_solver(capfd):
    problem = make_problem(128712862, 2000, 5)
    allocate(Problem(**problem), exact_up_to=0)
    ctypes.CDLL(None).fflush(None)
    os.write(1, b"after\n")
    assert capfd.readouterr().out == "after\n"
