"""Effects of arms, held against plain implementations."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats import proportion

from retain.campaign.readout.arm_effects import estimate_arm_effects
from retain.campaign.readout.means import estimate_mean_difference
from retain.campaign.trial.covariates import encode_covariates
from retain.campaign.trial.trial import Outcome, Trial


def invented(n=2000, *, arms=2, effect=0.0, share=None, seed=0):
    """A trial whose money depends on two covariates; ``effect`` is that of the last arm."""
    random = np.random.default_rng(seed)
    covariates = pd.DataFrame({"before": random.normal(size=n), "new": random.integers(0, 2, n)})
    propensity = np.full((n, arms), 1 / arms) if share is None else share(covariates)
    arm = (random.random((n, 1)) > np.cumsum(propensity, axis=1)[:, :-1]).sum(axis=1)
    money = 5 + 2 * covariates["before"] + covariates["new"] + random.normal(size=n)
    money = money.to_numpy() + effect * (arm == arms - 1)
    outcomes = {
        "money": Outcome("money", "money", money),
        "bought": Outcome("bought", "binary", (money > 6).astype(float)),
    }
    return Trial(
        ids=pd.RangeIndex(n),
        arms=("control", "mail", "call")[:arms],
        arm=arm,
        propensity=propensity,
        stratum=np.zeros(n, int),
        outcomes=outcomes,
        covariates=covariates,
        cost=np.zeros(arms),
    )


def money_of(trial):
    return np.asarray(trial.outcome.values)


def effects_of(trial):
    encoded = encode_covariates(trial.covariates)
    return estimate_arm_effects(trial, encoded, alpha=0.05, power=0.8)


def lin_by_least_squares(values, treated, covariates):
    """The coefficient of treatment and its HC3 error, in a regression with all interactions."""
    centred = covariates - covariates.mean(axis=0)
    design = np.column_stack([np.ones(len(values)), treated, centred, treated[:, None] * centred])
    inverse = np.linalg.inv(design.T @ design)
    slope = inverse @ design.T @ values
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    scaled = design * ((values - design @ slope) / (1 - leverage))[:, None]
    return slope[1], np.sqrt((inverse @ (scaled.T @ scaled) @ inverse)[1, 1])


def test_several_covariates_are_adjusted_for_as_in_lins_regression():
    trial = invented(600, effect=0.3)
    treated, covariates = trial.arm == 1, trial.covariates.to_numpy(dtype=float)
    values = money_of(trial)
    found = estimate_mean_difference(values, treated, np.zeros(600, int), 0.05, covariates)
    value, error = lin_by_least_squares(values, treated, covariates)
    assert found.value == pytest.approx(value)
    assert found.standard_error == pytest.approx(error, rel=0.01)


def test_covariates_that_say_the_same_twice_count_once():
    trial = invented(600, effect=0.3)
    covariates = trial.covariates.to_numpy(dtype=float)
    arguments = (money_of(trial), trial.arm == 1, np.zeros(600, int), 0.05)
    once = estimate_mean_difference(*arguments, covariates)
    twice = estimate_mean_difference(*arguments, np.hstack([covariates, 2 * covariates - 1]))
    assert (twice.value, twice.p) == pytest.approx((once.value, once.p))


def test_money_is_tested_with_covariates_and_a_share_without():
    money, bought = effects_of(invented(effect=1.0))
    assert (money.basis, bought.basis) == ("adjusted", "difference")
    plain, adjusted = money.difference, money.adjusted
    assert adjusted.high - adjusted.low < 0.6 * (plain.high - plain.low)
    assert money.conclusion == bought.conclusion == "helped"
    assert adjusted.low < 1.0 < adjusted.high


def test_that_nobody_bought_in_either_arm_is_no_certainty():
    trial = invented()
    nobody = Outcome("bought", "binary", np.zeros(len(trial.ids)))
    (row,) = effects_of(replace(trial, outcomes={"bought": nobody}))
    low, high = proportion.confint_proportions_2indep(
        0, row.n_arm, 0, row.n_versus, method="newcomb", compare="diff"
    )
    assert row.difference.low == pytest.approx(low, rel=1e-6)
    assert row.difference.high == pytest.approx(high, rel=1e-6)
    assert low < -0.003
    assert high > 0.003


def test_an_arm_without_an_effect_closes_the_gate_of_all_that_is_secondary():
    rows = effects_of(invented(4000, arms=3, effect=0.5))
    conclusions = {(row.role, row.arm, row.outcome): row.conclusion for row in rows}
    assert conclusions["primary", "call", "money"] == "helped"
    assert conclusions["primary", "mail", "money"] == "inconclusive"
    assert {row.conclusion for row in rows if row.role != "primary"} == {"not_tested"}
    primary = [row for row in rows if row.role == "primary"]
    assert [row.p_adjusted for row in primary] == pytest.approx([primary[0].p, 2 * primary[1].p])


# Those with a high outcome get the arm more often: plain means say +1.3, weighted ones the truth.
def test_known_chances_that_vary_are_weighted_by():
    def share(covariates):
        treated = np.where(covariates["before"] > 0, 0.8, 0.3)
        return np.stack([1 - treated, treated], axis=1)

    (row, _) = effects_of(invented(6000, effect=0.5, share=share))
    assert row.arm_mean - row.versus_mean > 1
    for found in (row.difference, row.adjusted):
        assert found.low < 0.5 < found.high
    assert row.adjusted.high - row.adjusted.low < row.difference.high - row.difference.low


def test_the_effect_that_can_be_found_is_that_of_the_corrected_level():
    rows = effects_of(invented(4000, arms=3))
    for row in rows[:2]:
        z = stats.norm.ppf(1 - 0.025 / 2) + stats.norm.ppf(0.8)
        assert row.minimum_detectable_effect == pytest.approx(z * row.standard_error)


def test_money_is_also_compared_on_scales_that_one_customer_does_not_decide():
    trial = invented(effect=0.0)
    values = np.maximum(money_of(trial) - 6, 0)
    values[np.flatnonzero(trial.arm == 1)[0]] = 1e5
    outcomes = {"money": Outcome("money", "money", values)}
    (row,) = effects_of(Trial(**{**vars(trial), "outcomes": outcomes}))
    assert row.difference.value > 50
    assert row.robust.largest_share > 0.99
    assert abs(row.robust.capped.value) < 1
    assert row.robust.above_zero.low < 0 < row.robust.above_zero.high


def test_few_customers_are_not_compared():
    assert {row.conclusion for row in effects_of(invented(15))} == {"not_compared"}
