"""Whether customers were assigned at random, in invented logs of which that is known."""

import importlib

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from retain.campaign.trial.checks import check_trial
from retain.campaign.trial.covariates import encode_covariates
from retain.campaign.trial.randomisation import run_balance_test, sample_ratio_p
from retain.campaign.trial.trial import Trial
from retain.errors import RetainError


@pytest.fixture(scope="module")
def simulation(checkout):
    """The script that measures this with more logs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(checkout / "experiments" / "statistics"))
        yield importlib.import_module("trials")


def trial_of(arm, propensity, covariates=None, stratum=None):
    """A trial without outcomes, of which only the assignment is looked at."""
    n, n_arms = propensity.shape
    return Trial(
        ids=pd.RangeIndex(n),
        arms=tuple("abcdef"[:n_arms]),
        arm=arm,
        propensity=propensity,
        stratum=np.zeros(n, int) if stratum is None else stratum,
        outcomes={},
        covariates=pd.DataFrame(index=range(n)) if covariates is None else covariates,
        cost=np.zeros(n_arms),
    )


def test_the_sample_ratio_is_tested_as_by_pearson_or_exactly():
    many = np.repeat([0, 1, 2], [500, 460, 540])
    p = sample_ratio_p(trial_of(many, np.full((1500, 3), 1 / 3)), np.full((1500, 3), 1 / 3))
    assert p == pytest.approx(stats.chisquare([500, 460, 540]).pvalue)
    few = np.repeat([0, 1], [19, 1])
    shares = np.tile([0.7, 0.3], (20, 1))
    assert sample_ratio_p(trial_of(few, shares), shares) == pytest.approx(
        stats.binomtest(1, 20, 0.3).pvalue
    )


# Lenta and Criteo treat 75 and 85 %: right on the whole, and yet wrong within a stratum.
def test_shares_that_are_right_only_on_the_whole_are_found():
    arm = np.repeat([0, 1, 0, 1], [300, 200, 200, 300])
    stratum = np.repeat([0, 1], 500)
    shares = np.full((1000, 2), 0.5)
    assert sample_ratio_p(trial_of(arm, shares), shares) == 1.0
    assert sample_ratio_p(trial_of(arm, shares, stratum=stratum), shares) < 0.001


@pytest.mark.parametrize("kind", ["equal", "three_arms", "unequal", "strata", "varying"])
def test_randomised_customers_pass(simulation, kind):
    for seed in range(4):
        table, _ = simulation.simulate(kind, np.random.default_rng(seed))
        checks = check_trial(table, encode_covariates(table.trial.covariates))
        assert checks.balance.p > 0.001


@pytest.mark.parametrize("kind", ["best", "best_few", "new_big"])
def test_customers_who_were_chosen_are_refused_with_what_they_were_chosen_by(simulation, kind):
    by = {"new_big": "is_new"}.get(kind, "spent_before")
    for seed in range(4):
        table, _ = simulation.simulate(kind, np.random.default_rng(seed))
        with pytest.raises(RetainError, match=f"not assigned at random: .*{by}.*drop_columns"):
            check_trial(table, encode_covariates(table.trial.covariates))


# Of few rare customers all may get the coupon by chance, and a normal approximation be far off.
@pytest.mark.slow
def test_a_rare_level_does_not_look_like_selection():
    random, n, p = np.random.default_rng(0), 300, []
    for _ in range(200):
        covariates = pd.DataFrame({"rare": np.where(np.arange(n) < 6, "yes", "no")})
        arm = (random.random(n) < 0.15).astype(int)
        shares = np.tile([0.85, 0.15], (n, 1))
        test = run_balance_test(trial_of(arm, shares, covariates), encode_covariates(covariates))
        p.append(test.p)
    assert min(p) > 0.001


def test_without_covariates_balance_is_not_tested():
    trial = trial_of(np.arange(100) % 2, np.full((100, 2), 0.5))
    assert run_balance_test(trial, encode_covariates(trial.covariates)) is None


def test_the_script_measures_every_kind_of_log(simulation):
    for kind in (*simulation.RANDOMISED, *simulation.SELECTED):
        events = dict(simulation.judge(kind, np.random.default_rng(1)))
        assert events["refused"] == (kind in simulation.SELECTED)
