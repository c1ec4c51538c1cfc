"""Effects by subgroup, held against plain implementations and simulated truths."""

import sys
from importlib.util import module_from_spec, spec_from_file_location

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats import proportion
from statsmodels.stats.meta_analysis import combine_effects

from retain.campaign.readout.looks import Monitor
from retain.campaign.readout.subgroups import compare_subgroup_effects, estimate_subgroups
from retain.campaign.trial.covariates import encode_covariates
from retain.campaign.trial.trial import Outcome, Trial
from retain.record.estimates import Estimate
from retain.record.subgroups_document import SubgroupRow

CHANCE = 0.001
ONCE = Monitor("once", (1.0,), 0.05)


def trial_of(new, arm, values, kind="binary"):
    """A trial of arms 0, 1 … with one covariate."""
    n, arms = len(new), int(arm.max()) + 1
    return Trial(
        ids=pd.RangeIndex(n),
        arms=("control", "mail", "call")[:arms],
        arm=arm,
        propensity=np.full((n, arms), 1 / arms),
        stratum=np.zeros(n, int),
        outcomes={"y": Outcome("y", kind, values.astype(float))},
        covariates=pd.DataFrame({"new": new}),
        cost=np.zeros(arms),
    )


def invented(n=2000, *, arms=2, help_new=0.0, seed=0):
    """A share of .3, to which the last arm adds ``help_new`` among the new."""
    random = np.random.default_rng(seed)
    new, arm = random.choice(["no", "yes"], n), random.integers(0, arms, n)
    rate = 0.3 + help_new * (new == "yes") * (arm == arms - 1)
    return trial_of(new, arm, random.random(n) < rate)


def subgroups_of(trial):
    return estimate_subgroups(trial, encode_covariates(trial.covariates), ONCE)


def row_of(value, reach):
    """A subgroup whose interval reaches as far on either side."""
    return SubgroupRow(
        covariate="new",
        subgroup=str(value),
        kind="level",
        arm="mail",
        n_arm=99,
        n_versus=99,
        arm_mean=0.5,
        versus_mean=0.5,
        difference=Estimate(value, value - reach, value + reach),
    )


def test_shares_of_a_subgroup_are_compared_by_an_interval_corrected_for_all():
    trial = invented(help_new=0.2)
    found = subgroups_of(trial)
    assert [(row.subgroup, row.arm) for row in found.rows] == [("no", "mail"), ("yes", "mail")]
    for row in found.rows:
        rows = (trial.covariates["new"] == row.subgroup).to_numpy()
        (n_arm, hits_arm), (n_control, hits_control) = (
            ((rows & (trial.arm == arm)).sum(), trial.y[rows & (trial.arm == arm)].sum())
            for arm in (1, 0)
        )
        low, high = proportion.confint_proportions_2indep(
            hits_arm, n_arm, hits_control, n_control, method="newcomb", alpha=0.025
        )
        assert row.difference.low == pytest.approx(low, abs=1e-6)
        assert row.difference.high == pytest.approx(high, abs=1e-6)


def test_symmetric_intervals_give_cochrans_q():
    values, errors, z = np.array([1.0, 2.0, 4.0]), np.array([0.5, 1.0, 0.8]), stats.norm.ppf(0.995)
    rows = [row_of(value, z * error) for value, error in zip(values, errors, strict=True)]
    found = compare_subgroup_effects("new", "mail", rows, 0.01, ONCE)
    plain = combine_effects(values, errors**2).test_homogeneity()
    assert found.q == pytest.approx(plain.statistic)
    assert found.p == pytest.approx(plain.pvalue)
    assert found.df == 2


def test_a_covariate_that_changes_the_effect_is_shown_for_the_arm_it_changes():
    found = subgroups_of(invented(3000, arms=3, help_new=0.2))
    assert [(test.arm, test.is_shown) for test in found.tests] == [("mail", False), ("call", True)]
    mail, call = found.tests
    assert call.p_adjusted == pytest.approx(2 * call.p)
    assert [row.subgroup for row in found.of(call)] == ["no", "yes"]
    assert mail not in found.shown_tests


def test_a_subgroup_of_few_customers_is_not_compared_and_not_tested():
    new = np.array(["yes"] * 15 + ["no"] * 185)
    found = subgroups_of(trial_of(new, np.arange(200) % 2, np.arange(200) % 3 == 0))
    assert [row.difference is None for row in found.rows] == [False, True]
    assert [(test.p, test.is_shown) for test in found.tests] == [(None, False)]


def test_money_that_covariates_foretell_is_adjusted_by_them_within_subgroups():
    random = np.random.default_rng(1)
    arm, before = random.integers(0, 2, 1200), random.normal(10, 5, 1200)
    trial = trial_of(before, arm, 5 * before + random.normal(size=1200), "money")
    for row in subgroups_of(trial).rows:
        assert abs(row.difference.high - row.difference.low) < 1
        assert row.difference.low < 0 < row.difference.high


# A share of 1 in one arm and of 0 in the other has an interval that ends at the difference itself.
def test_subgroups_in_which_all_of_one_arm_buy_and_none_of_the_other_are_alike():
    trial = invented()
    found = subgroups_of(trial_of(trial.covariates["new"].to_numpy(), trial.arm, trial.arm == 1))
    assert [row.difference.high for row in found.rows] == [1.0, 1.0]
    assert [(test.q, test.p) for test in found.tests] == [(0.0, 1.0)]


def test_without_covariates_there_are_no_subgroups():
    trial = invented()
    found = subgroups_of(Trial(**{**vars(trial), "covariates": trial.covariates[[]]}))
    assert (found.tests, found.rows) == ((), ())


@pytest.fixture(scope="module")
def script(checkout):
    """The simulation of ``experiments/statistics``."""
    path = checkout / "experiments" / "statistics" / "subgroups.py"
    sys.path.insert(0, str(path.parent))
    spec = spec_from_file_location("simulated_subgroups", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.remove(str(path.parent))
    return module


# A simulation of 60 trials a kind; it alarms at p < .001.
@pytest.mark.slow
@pytest.mark.parametrize(("kind", "arms"), [("rare, helps", "two"), ("money, helps", "three")])
def test_effects_alike_are_rarely_said_to_differ_and_all_intervals_cover(script, kind, arms):
    judged = [script.judge(kind, arms, np.random.default_rng([7, k])) for k in range(60)]
    shown, covered = (sum(hits) for hits in zip(*judged, strict=True))
    assert stats.binom.sf(shown - 1, 60, 0.05) > CHANCE
    assert stats.binom.cdf(covered, 60, 0.95) > CHANCE
