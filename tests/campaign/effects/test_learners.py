from dataclasses import replace

import numpy as np
import pytest
from lightgbm import LGBMClassifier

from retain.campaign.effects.learners import learn_effects
from retain.errors import NotApplicable

from .trials import make_spec, make_trial, select, with_outcome, without_covariates


def truth(trial, slope):
    pages = trial.covariates["pages"].to_numpy()
    return np.column_stack([0 * pages, 1 + slope * pages, 0 * pages + 2])


@pytest.mark.parametrize("learner", ["t_learner", "dr_learner"])
def test_effects_that_differ_are_learned_out_of_fold_and_for_others(learner):
    learned = learn_effects(make_trial(900, slope=1.0), make_spec(learner))
    assert learned.is_heterogeneous
    others = make_trial(400, seed=9)
    for trial, effects in (
        (learned.trial, learned.effects),
        (others, learned.fitted.predict(others.covariates)),
    ):
        assert (effects[:, 0] == 0).all()
        assert np.abs(effects - truth(trial, 1.0)).mean() < 0.15


def test_trees_learn_effects_too():
    trees = LGBMClassifier(n_estimators=30, num_leaves=4, verbose=-1, n_jobs=1)
    learned = learn_effects(make_trial(1500, slope=1.5), make_spec(model=trees))
    assert np.corrcoef(learned.effects[:, 1], truth(learned.trial, 1.5)[:, 1])[0, 1] > 0.9


@pytest.mark.parametrize("learner", ["t_learner", "dr_learner"])
def test_effects_that_do_not_differ_are_the_arms_means(learner):
    learned = learn_effects(make_trial(600), make_spec(learner))
    assert not learned.is_heterogeneous
    assert np.ptp(learned.fitted.predict(learned.trial.covariates), axis=0).max() == 0
    mean = learned.scores.contrasts.mean(axis=0)
    assert learned.fitted.predict(learned.trial.covariates[:1])[0] == pytest.approx(mean)


def test_the_learner_of_means_has_one_effect_an_arm():
    learned = learn_effects(without_covariates(make_trial(600)), make_spec("mean"))
    y, arm = learned.trial.y, learned.trial.arm
    difference = [y[arm == a].mean() - y[arm == 0].mean() for a in range(3)]
    assert learned.effects[5] == pytest.approx(difference)
    assert learned.heterogeneity == ()
    assert not learned.is_heterogeneous


def test_the_order_of_customers_changes_nothing():
    trial = make_trial(300, slope=1.0)
    order = np.random.default_rng(3).permutation(300)
    one, other = (learn_effects(t, make_spec()) for t in (trial, select(trial, order)))
    assert other.effects == pytest.approx(one.effects[order])
    assert [t.p for t in other.heterogeneity] == pytest.approx([t.p for t in one.heterogeneity])


def test_the_order_of_offers_changes_nothing():
    trial = make_trial(300, slope=1.0)
    swap = np.array([0, 2, 1])
    swapped = replace(trial, arms=("nothing", "call", "letter"), arm=swap[trial.arm])
    one, other = (learn_effects(t, make_spec()) for t in (trial, swapped))
    assert other.effects[:, swap] == pytest.approx(one.effects)


def test_effects_on_a_fold_are_learned_without_its_outcomes():
    trial = make_trial(300, slope=1.0)
    one = learn_effects(trial, make_spec("t_learner"))
    mine = one.scores.fold == 1
    changed = with_outcome(trial, np.where(mine, -trial.y, trial.y))
    other = learn_effects(changed, make_spec("t_learner"))
    assert (one.raw[mine] == other.raw[mine]).all()
    assert (one.raw[~mine] != other.raw[~mine])[:, 1:].any()


def test_where_an_arm_could_not_be_had_nothing_is_learned_of_it():
    trial = make_trial(600, slope=1.0)
    propensity = np.where(trial.stratum[:, None] == 0, [0.5, 0.0, 0.5], [1 / 3, 1 / 3, 1 / 3])
    arm = np.where((trial.stratum == 0) & (trial.arm == 1), 2, trial.arm)
    learned = learn_effects(replace(trial, arm=arm, propensity=propensity), make_spec())
    assert np.isfinite(learned.effects).all()
    assert learned.fitted.shrinkage.mean[1] == pytest.approx(1.0, abs=0.3)


def test_effects_are_not_learned_of_what_is_not_there():
    trial = make_trial(60)
    with pytest.raises(NotApplicable, match="dr_learner needs covariates"):
        learn_effects(without_covariates(trial), make_spec())
    always = replace(trial, propensity=np.where(trial.stratum[:, None], [0, 0.5, 0.5], 1 / 3))
    with pytest.raises(NotApplicable, match="no chance to be in the control arm"):
        learn_effects(always, make_spec())
