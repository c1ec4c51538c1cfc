import numpy as np
import pytest
from scipy import stats

from retain.campaign.effects.learners import learn_effects
from retain.campaign.effects.policies import (
    UNLIMITED,
    ContactLimits,
    Payoff,
    Policy,
    build_policies,
    net_contrasts,
    rank_customers,
)
from retain.campaign.effects.policy_value import (
    compare_policies,
    customers_for_gain,
    value_by_share,
)
from retain.campaign.effects.simultaneous import simultaneous_estimates

from .trials import make_spec, make_trial, without_covariates

COST = np.array([0.0, 0.5, 1.2])
PAYOFF = Payoff(1.0, COST)


def compare(effects, payoff=PAYOFF, limits=UNLIMITED):
    return compare_policies(effects, payoff, build_policies(effects, payoff, limits))


def values(comparison):
    return {one.policy: one.value for one in comparison.policies}


# Closed form: without covariates the value is the difference of two means, less the cost.
def test_everybody_is_worth_the_difference_of_means_less_the_cost():
    effects = learn_effects(without_covariates(make_trial(600)), make_spec("mean"))
    y, arm = effects.trial.y, effects.trial.arm
    found = values(compare(effects))
    for a, name in ((1, "everybody: letter"), (2, "everybody: call")):
        expected = y[arm == a].mean() - y[arm == 0].mean() - COST[a]
        assert found[name].value == pytest.approx(expected)
        error = np.sqrt(sum(y[arm == b].var(ddof=1) / 200 for b in (0, a)))
        reach = (found[name].high - found[name].low) / 2
        assert 1.9 * error < reach < 2.7 * error
    assert found["nobody"].value == found["nobody"].low == found["nobody"].high == 0


def test_totals_and_costs_are_those_of_all_customers():
    effects = learn_effects(make_trial(600), make_spec("mean"))
    rows = {one.policy: one for one in compare(effects).policies}
    call = rows["everybody: call"]
    assert call.total.low == pytest.approx(600 * call.value.low)
    assert (call.contacted_share, call.cost) == (1.0, pytest.approx(1.2))
    half = {p.policy: p for p in compare(effects, limits=ContactLimits(budget=360)).policies}
    assert half["everybody: call"].contacted_share == pytest.approx(0.5)
    assert half["everybody: call"].cost == pytest.approx(0.6)


def test_differences_are_paired():
    effects = learn_effects(make_trial(600, slope=2.0), make_spec())
    policies = build_policies(effects, PAYOFF)
    comparison = compare_policies(effects, PAYOFF, policies)
    arm = {policy.name: policy.arm for policy in policies}
    net = net_contrasts(effects, PAYOFF)
    one = next(
        d for d in comparison.differences if (d.first, d.second) == ("learned", "everybody: call")
    )
    each = net[np.arange(600), arm["learned"]] - net[np.arange(600), arm["everybody: call"]]
    assert one.value.value == pytest.approx(each.mean())
    reach = (one.value.high - one.value.low) / 2
    assert 2.0 < reach / (each.std(ddof=1) / np.sqrt(600)) < 3.0


def test_a_plan_that_is_shown_to_be_better_is_chosen():
    comparison = compare(learn_effects(make_trial(1500, slope=2.0), make_spec()))
    assert comparison.chosen == "learned"
    assert [one.policy for one in comparison.policies if one.is_tied] == ["learned"]


def test_of_tied_plans_the_simplest_is_chosen():
    comparison = compare(learn_effects(make_trial(600), make_spec()))
    tied = {one.policy for one in comparison.policies if one.is_tied}
    assert {"everybody: call", "by_risk", "learned"} <= tied
    assert comparison.chosen == "everybody: call"


def test_of_equally_simple_tied_plans_the_better_is_chosen():
    effects = learn_effects(make_trial(600), make_spec("mean"))
    payoff = Payoff(1.0, np.array([0.0, 0.0, 1.0]))  # nets of 1 and 1
    comparison = compare(effects, payoff)
    found = values(comparison)
    best = max(("everybody: letter", "everybody: call"), key=lambda name: found[name].value)
    assert comparison.chosen == best


def test_nobody_is_chosen_where_nothing_is_shown_to_earn():
    effects = learn_effects(make_trial(90), make_spec("mean"))
    comparison = compare(effects, Payoff(1.0, np.array([0.0, 1.0, 2.0])))
    assert comparison.chosen == "nobody"


def test_the_curve_ends_with_everybody_and_rises_where_the_order_is_right():
    effects = learn_effects(make_trial(900, slope=2.0), make_spec())
    payoff = Payoff(1.0, np.array([0.0, 1.0, 9.0]))  # the letter earns 2 × pages
    curve = value_by_share(effects, payoff, rank_customers(effects, payoff), [0.0, 0.5, 1.0])
    learned = curve[curve["ranking"] == "learned"].set_index("share")
    everybody = values(compare(effects, payoff))["everybody: letter"].value
    assert learned["value"][0.0] == 0
    assert learned["value"][1.0] == pytest.approx(everybody, abs=0.01)  # to some calls
    assert learned["low"][0.5] > 0.5  # true: 2 × φ(0) = .8
    assert (learned["band_low"] <= learned["low"]).all()
    assert (curve["band_high"] >= curve["high"]).all()


def test_one_interval_is_the_normal_one_and_several_independent_ones_are_sidaks():
    gains = np.random.default_rng(0).normal(size=(4000, 10))
    for m in (1, 10):
        found = simultaneous_estimates(gains[:, :m], 0.05)
        error = gains[:, 0].std(ddof=1) / np.sqrt(4000)
        reach = (found[0].high - found[0].low) / 2 / error
        assert reach == pytest.approx(stats.norm.ppf(1 - (1 - 0.95 ** (1 / m)) / 2), abs=0.03)


def test_equal_columns_are_counted_once():
    column = np.random.default_rng(0).normal(size=(500, 1))
    one, many = (simultaneous_estimates(np.repeat(column, m, axis=1), 0.05)[0] for m in (1, 9))
    assert many.high == pytest.approx(one.high, rel=0.02)


def test_policies_that_agree_differ_by_nothing():
    effects = learn_effects(make_trial(90), make_spec("mean"))
    everybody = np.ones(90, dtype=int)
    policies = [
        Policy("nobody", 0 * everybody),
        Policy("everybody", everybody, "letter"),
        Policy("learned", everybody),
    ]
    comparison = compare_policies(effects, PAYOFF, policies)
    last = next(one for one in comparison.differences if one.second == "everybody: letter")
    assert (last.value.low, last.value.high) == (0.0, 0.0)


def test_half_the_gain_needs_four_times_the_customers():
    one, two = (customers_for_gain(gain, 0.5, 0.4, n_policies=7) for gain in (0.04, 0.02))
    assert two == pytest.approx(4 * one, rel=0.001)
