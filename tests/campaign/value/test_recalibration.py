import json

import numpy as np
import pandas as pd
import pytest
from scipy import special
from statsmodels.discrete.discrete_model import Logit
from statsmodels.tools.tools import add_constant

from retain.campaign.value.recalibration import Recalibration, fit_recalibration, logit
from retain.errors import RetainError
from retain.learning.scores import COLUMNS, Scores


def scored(score, target, repeats=1):
    ids = np.arange(len(score))
    parts = [
        pd.DataFrame(dict(zip(COLUMNS, (ids, r, 0, target, score), strict=True)))
        for r in range(repeats)
    ]
    return Scores(pd.concat(parts, ignore_index=True), "out_of_fold")


def simulated(n, intercept, slope, seed):
    """Scores whose true recalibration is known."""
    random = np.random.default_rng(seed)
    score = random.beta(1.5, 2, n)
    chance = special.expit(intercept + slope * special.logit(score))
    return score, (random.random(n) < chance).astype(int)


@pytest.mark.parametrize(("n", "seed"), [(60, 1), (500, 2), (5000, 3)])
def test_estimates_and_their_covariance_are_those_of_statsmodels(n, seed):
    score, target = simulated(n, -0.4, 0.7, seed)
    theirs = Logit(target, add_constant(logit(score))).fit(disp=False, tol=1e-12)
    ours = fit_recalibration(scored(score, target))
    assert [ours.intercept, ours.slope] == pytest.approx(theirs.params, rel=1e-6)
    assert ours.covariance == pytest.approx(theirs.cov_params(), rel=1e-6)
    assert ours.slope_interval == pytest.approx(theirs.conf_int()[1], rel=1e-6)
    assert (ours.customers, ours.events) == (n, target.sum())


# The first equation of the likelihood; whatever balanced weights or sampling did is undone.
def test_recalibrated_risks_add_up_to_the_customers_who_declined():
    score, target = simulated(800, 0.0, 1.0, 0)
    weighted = special.expit(2.0 + 1.5 * special.logit(score))
    found = fit_recalibration(scored(weighted, target))
    assert found.probability(weighted).sum() == pytest.approx(target.sum())
    assert found.probability(weighted) == pytest.approx(
        fit_recalibration(scored(score, target)).probability(score), abs=1e-6
    )


def test_each_customer_counts_once_however_often_scored():
    score, target = simulated(200, 0.0, 1.0, 0)
    once, thrice = (fit_recalibration(scored(score, target, repeats=r)) for r in (1, 3))
    assert (once.intercept, once.slope) == pytest.approx((thrice.intercept, thrice.slope))
    assert once.covariance == pytest.approx(thrice.covariance)
    assert (thrice.customers, thrice.events) == (200, target.sum())


def test_the_slope_interval_covers_the_truth():
    covered = 0
    for seed in range(100):
        low, high = fit_recalibration(scored(*simulated(300, 0.3, 0.8, seed))).slope_interval
        covered += low <= 0.8 <= high
    assert covered >= 90


def test_scores_that_separate_the_classes_have_a_finite_slope():
    score = np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.9])
    for target in ([0, 0, 0, 1, 1, 1], [0, 1, 1, 1, 1, 1]):
        found = fit_recalibration(scored(score, np.array(target)))
        assert 0 < found.slope < 5
        assert np.isfinite(found.covariance).all()
        assert np.diff(found.probability(score)).min() > 0


# The likelihood has no maximum where the classes but touch, though an optimiser may well stop.
def test_classes_that_touch_in_one_score_are_apart_too():
    score, target = np.array([0.1, 0.4, 0.4, 0.8]), np.array([0, 0, 1, 1])
    assert 0 < fit_recalibration(scored(score, target)).slope < 5


@pytest.mark.parametrize(
    ("score", "target"),
    [
        ([0.9, 0.8, 0.2, 0.1, 0.3], [0, 0, 1, 1, 0]),
        ([0.4, 0.4, 0.4, 0.4, 0.4], [0, 1, 0, 1, 0]),
        ([0.2, 0.8, 0.2, 0.8, 0.5], [0, 0, 1, 1, 0]),
    ],
)
def test_scores_that_tell_nothing_leave_everybody_the_overall_share(score, target):
    found = fit_recalibration(scored(np.array(score), np.array(target)))
    assert found.slope == 0
    assert found.probability(np.array([0.0, 0.5, 1.0])) == pytest.approx([0.4] * 3)
    assert found.draws(100, 0)[:, 1].tolist() == [0.0] * 100
    assert np.ptp(found.draws(100, 0)[:, 0]) > 0


@pytest.mark.parametrize(("label", "share"), [(0, 0.5 / 11), (1, 10.5 / 11)])
def test_one_class_alone_is_no_certainty(label, share):
    found = fit_recalibration(scored(np.linspace(0.1, 0.9, 10), np.full(10, label)))
    assert found.probability(np.array([0.3, 0.9])) == pytest.approx([share] * 2)
    assert np.isfinite(found.draws(100, 0)).all()


def test_scores_of_0_and_1_are_finite():
    score = np.array([0.0, 0.0, 1.0, 1.0, 0.5, 0.6])
    found = fit_recalibration(scored(score, np.array([0, 1, 1, 0, 1, 0])))
    assert ((found.probability(score) > 0) & (found.probability(score) < 1)).all()


def test_draws_have_the_estimates_and_their_covariance():
    found = Recalibration(-0.2, 0.9, np.array([[0.04, -0.01], [-0.01, 0.02]]), 100, 40)
    drawn = found.draws(200_000, seed=1)
    assert drawn.mean(axis=0) == pytest.approx([-0.2, 0.9], abs=0.003)
    assert np.cov(drawn.T) == pytest.approx(found.covariance, rel=0.02, abs=2e-4)
    assert np.array_equal(drawn, found.draws(200_000, seed=1))
    assert not np.array_equal(drawn, found.draws(200_000, seed=2))


def test_it_travels_as_json():
    found = fit_recalibration(scored(*simulated(300, 0.3, 0.8, 0)))
    back = Recalibration.from_json(json.loads(json.dumps(found.as_json(), allow_nan=False)))
    assert np.array_equal(back.draws(5, 0), found.draws(5, 0))
    assert back.as_json() == found.as_json()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"slope": {"value": "steep"}}, "ValueError"),
        ({"slope": 1.0}, "TypeError"),
        ({"intercept": None}, "TypeError"),
        ({"intercept": float("nan")}, "nan"),
        ({"covariance": [[1.0]]}, r"\[\[1\.0\]\]"),
        ({"covariance": [[-1.0, 0.0], [0.0, 1.0]]}, "a variance below zero"),
    ],
)
def test_what_is_no_recalibration_is_refused(change, found):
    good = fit_recalibration(scored(*simulated(50, 0.3, 0.8, 0))).as_json()
    with pytest.raises(RetainError, match=f"calibration: it holds .*{found}.*; expected finite"):
        Recalibration.from_json({**good, **change})
    with pytest.raises(RetainError, match="KeyError: 'slope'"):
        Recalibration.from_json({name: one for name, one in good.items() if name != "slope"})


def test_customers_whose_target_is_not_known_recalibrate_nothing():
    with pytest.raises(ValueError, match="without a target"):
        fit_recalibration(scored(np.array([0.1, 0.2]), np.array([np.nan, 1.0])))
