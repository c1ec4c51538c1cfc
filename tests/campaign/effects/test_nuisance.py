from dataclasses import replace

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.svm import SVC

from retain.campaign.effects.nuisance import (
    assign_folds,
    drop_missing_outcomes,
    estimate_scores,
)
from retain.errors import NotApplicable
from retain.learning.blend import Blend
from retain.learning.recency_rule import RecencyRule

from .trials import make_spec, make_trial, select, with_outcome, without_covariates


def arm_means(trial):
    return np.array([trial.y[trial.arm == arm].mean() for arm in range(len(trial.arms))])


# Closed form: with one stratum and no covariates there is nothing to adjust for.
def test_without_covariates_the_scores_mean_is_the_arms_mean():
    trial = without_covariates(make_trial(600))
    scores = estimate_scores(trial, make_spec())
    assert scores.values.mean(axis=0) == pytest.approx(arm_means(trial))


def test_a_model_that_knows_nothing_leaves_the_arms_means():
    trial = make_trial(600)
    scores = estimate_scores(trial, make_spec(model=DummyClassifier()))
    assert scores.values.mean(axis=0) == pytest.approx(arm_means(trial))


# The formula of Robins, Rotnitzky & Zhao (1994), weights scaled to the fold, customer by customer.
def test_scores_follow_their_formula_with_the_propensities_of_the_design():
    trial = make_trial(300)
    propensity = np.where(trial.stratum[:, None] == 0, [0.5, 0.3, 0.2], [0.2, 0.4, 0.4])
    trial = replace(trial, propensity=propensity)
    scores = estimate_scores(trial, make_spec())
    for i in (0, 7, 250):
        fold = scores.fold == scores.fold[i]
        for a in range(3):
            total = sum(1 / propensity[j, a] for j in np.flatnonzero(fold) if trial.arm[j] == a)
            weight = (trial.arm[i] == a) / propensity[i, a] * fold.sum() / total
            expected = scores.outcome_model[i, a]
            score = expected + weight * (trial.y[i] - expected)
            assert scores.values[i, a] == pytest.approx(score)


def test_a_good_model_makes_scores_less_noisy():
    trial = make_trial(900, noise=0.3)
    known, unknown = (
        estimate_scores(one, make_spec()).contrasts[:, 2].std()
        for one in (trial, without_covariates(trial))
    )
    assert known < 0.7 * unknown


def test_the_outcome_of_a_customer_says_nothing_in_its_own_fold():
    trial = make_trial(300)
    before = estimate_scores(trial, make_spec())
    changed = trial.y + 100 * (before.fold == 2)
    after = estimate_scores(with_outcome(trial, changed), make_spec())
    same = before.outcome_model == after.outcome_model
    assert same[before.fold == 2].all()
    assert not same[before.fold != 2].any()


def test_folds_hold_equal_shares_of_every_arm_and_stratum():
    trial = make_trial(607)
    fold = assign_folds(trial, 5, seed=0)
    for arm in range(3):
        for stratum in range(2):
            rows = (trial.arm == arm) & (trial.stratum == stratum)
            counts = np.bincount(fold[rows], minlength=5)
            assert counts.max() - counts.min() <= 1
    assert np.ptp(np.bincount(fold)) <= 1


def test_folds_depend_on_ids_and_seed_alone():
    trial = make_trial(300)
    fold = assign_folds(trial, 5, seed=0)
    order = np.random.default_rng(1).permutation(300)
    assert (assign_folds(select(trial, order), 5, seed=0) == fold[order]).all()
    renamed = replace(trial, arm=np.array([2, 0, 1])[trial.arm])
    assert (assign_folds(renamed, 5, seed=0) == fold).all()
    assert (assign_folds(trial, 5, seed=1) != fold).any()


@pytest.mark.parametrize(
    "model",
    [
        LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1),
        HistGradientBoostingClassifier(max_iter=5),
        SVC(),
    ],
)
@pytest.mark.parametrize("kind", ["binary", "money"])
def test_models_of_any_family_take_binary_outcomes_and_money(model, kind):
    trial = make_trial(120)
    y = (trial.y > 6).astype(float) if kind == "binary" else trial.y
    scores = estimate_scores(with_outcome(trial, y, kind), make_spec(model=model, n_folds=2))
    assert np.isfinite(scores.values).all()
    if kind == "binary":
        assert -0.5 < scores.outcome_model.min() < scores.outcome_model.max() < 1.5


def test_an_outcome_that_is_the_same_for_all_of_an_arm_is_expected():
    trial = make_trial(120)
    y = np.where(trial.arm == 1, 0.0, trial.y > 6)
    scores = estimate_scores(with_outcome(trial, y, "binary"), make_spec())
    assert (scores.values[:, 1] == 0).all()


def test_covariates_may_be_missing_in_numbers_and_categories():
    trial = make_trial(300)
    covariates = trial.covariates.copy()
    covariates.loc[:50, "pages"] = np.nan
    covariates.loc[30:90, "channel"] = None
    covariates["is_new"] = np.arange(300) % 2 == 0
    scores = estimate_scores(replace(trial, covariates=covariates), make_spec())
    assert np.isfinite(scores.values).all()


def test_an_arm_that_somebody_could_not_get_has_no_score_for_them():
    trial = make_trial(300)
    propensity = np.where(trial.stratum[:, None] == 0, [0.5, 0.0, 0.5], [1 / 3, 1 / 3, 1 / 3])
    arm = np.where((trial.stratum == 0) & (trial.arm == 1), 2, trial.arm)
    scores = estimate_scores(replace(trial, arm=arm, propensity=propensity), make_spec())
    assert np.array_equal(np.isnan(scores.values[:, 1]), trial.stratum == 0)
    assert np.isfinite(scores.values[:, [0, 2]]).all()


def test_customers_without_an_outcome_are_left_out():
    trial = make_trial(30)
    observed = drop_missing_outcomes(with_outcome(trial, np.where(trial.arm == 2, np.nan, 1.0)))
    assert observed.ids.tolist() == trial.ids[trial.arm != 2].tolist()
    assert len(observed.y) == len(observed.covariates) == 20


def test_too_few_customers_of_an_arm_are_not_split():
    with pytest.raises(NotApplicable, match="arm 'nothing' has 3 customers, fewer than 5 folds"):
        assign_folds(make_trial(9), 5, seed=0)


@pytest.mark.parametrize("model", [Blend(members={}), RecencyRule()])
def test_a_model_of_other_inputs_is_no_model_of_outcomes(model):
    with pytest.raises(NotApplicable, match="cannot be a model of outcomes or effects"):
        make_spec(model=model)
