from dataclasses import replace

import numpy as np
import pytest

from retain.campaign.effects.learners import learn_effects
from retain.campaign.effects.policies import (
    UNLIMITED,
    ContactLimits,
    Payoff,
    build_policies,
    rank_customers,
)

from .trials import make_spec, make_trial, select, with_outcome

COST = np.array([0.0, 0.5, 1.2])
PAYOFF = Payoff(1.0, COST)


@pytest.fixture(scope="module")
def learned():
    return learn_effects(make_trial(900, slope=2.0), make_spec("t_learner"))


def arms_of(effects, limits=UNLIMITED, payoff=PAYOFF, risk=None):
    return {policy.name: policy.arm for policy in build_policies(effects, payoff, limits, risk)}


def test_without_limits_everybody_gets_the_arm_and_a_ranking_changes_nothing(learned):
    arms = arms_of(learned)
    assert (arms["nobody"] == 0).all()
    assert (arms["everybody: letter"] == 1).all()
    assert (arms["everybody: call"] == 2).all()
    for ranking in ("by_risk", "by_baseline", "by_response"):
        assert (arms[ranking] == 2).all()


def test_the_learned_plan_is_each_customers_best_arm_and_harms_nobody(learned):
    net = learned.effects - COST
    assert (arms_of(learned)["learned"] == net.argmax(axis=1)).all()
    costly = Payoff(1.0, np.array([0.0, 2.5, 3.0]))
    arm = arms_of(learned, payoff=costly)["learned"]
    assert 0.05 < (arm > 0).mean() < 0.4
    assert ((learned.effects - costly.cost)[np.arange(900), arm] >= 0).all()


def test_a_customer_of_more_value_is_worth_more_of_an_effect(learned):
    value = np.where(np.arange(900) % 2 == 0, 1.0, 0.01)
    arm = arms_of(learned, payoff=Payoff(value, COST))["learned"]
    assert (arm[value < 1] == 0).all()
    assert (arm[value == 1] > 0).mean() > 0.5


@pytest.mark.parametrize("policy", ["everybody: letter", "by_risk", "by_response", "learned"])
def test_every_plan_keeps_to_the_same_limits(learned, policy):
    eligible = np.ones((900, 3), dtype=bool)
    eligible[::3] = False
    limits = ContactLimits(
        budget=120.0, max_contacts=150, capacity=np.array([60, np.inf]), eligible=eligible
    )
    arm = arms_of(learned, limits)[policy]
    assert 40 < (arm > 0).sum() <= 150
    assert COST[arm].sum() <= 120
    assert (arm == 1).sum() <= 60
    assert (arm[::3] == 0).all()


def test_a_ranking_contacts_those_ranked_first_in_each_fold(learned):
    arms = arms_of(learned, ContactLimits(max_contacts=300))
    expected = learned.scores.outcome_model
    score = {"by_risk": -expected[:, 0], "by_response": expected[:, 2]}
    for ranking, values in score.items():
        for k in range(5):
            mine = learned.scores.fold == k
            chosen = mine & (arms[ranking] > 0)
            assert values[chosen].min() > values[mine & ~chosen].max()


def test_a_risk_that_is_given_and_the_value_at_risk_are_followed(learned):
    risk, value = np.random.default_rng(0).random((2, 900))
    payoff, limits = Payoff(value, COST), ContactLimits(max_contacts=90)
    arms = arms_of(learned, limits, payoff, risk)
    assert risk[arms["by_risk"] > 0].min() > 0.8
    assert (risk * value)[arms["by_value_at_risk"] > 0].min() > 0.4


def test_value_at_risk_needs_values_and_a_risk(learned):
    kinds = [ranking.kind for ranking in rank_customers(learned, PAYOFF)]
    assert kinds == ["by_risk", "by_baseline", "by_response", "learned"]
    each = Payoff(np.ones(900), COST)
    assert "by_value_at_risk" not in [r.kind for r in rank_customers(learned, each)]
    binary = with_outcome(learned.trial, (learned.trial.y > 6).astype(float), "binary")
    effects = learn_effects(binary, make_spec("mean"))
    assert "by_value_at_risk" in [r.kind for r in rank_customers(effects, each)]


def test_nobody_gets_an_arm_that_had_no_chance_in_the_trial():
    trial = make_trial(600, slope=1.0)
    propensity = np.where(trial.stratum[:, None] == 0, [0.5, 0.0, 0.5], [1 / 3, 1 / 3, 1 / 3])
    arm = np.where((trial.stratum == 0) & (trial.arm == 1), 2, trial.arm)
    trial = replace(trial, arm=arm, propensity=propensity)
    arms = arms_of(learn_effects(trial, make_spec("t_learner")), ContactLimits(max_contacts=500))
    for chosen in arms.values():
        assert not ((chosen == 1) & (trial.stratum == 0)).any()


# Half of the customers are contacted, all of whom are alike.
def test_equal_customers_are_chosen_by_their_ids(learned):
    trial = make_trial(300)
    order = np.random.default_rng(5).permutation(300)
    limits = ContactLimits(max_contacts=150)
    one, other = (
        arms_of(learn_effects(t, make_spec("mean")), limits)["everybody: call"]
        for t in (trial, select(trial, order))
    )
    assert (one[order] == other).all()
    assert 0.3 < (one[:150] > 0).mean() < 0.7
