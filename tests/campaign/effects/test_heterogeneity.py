import numpy as np
import pandas as pd
import pytest
from scipy import stats

from retain.campaign.effects.heterogeneity import (
    calibration_slope,
    combine_folds,
    estimate_subgroup_effects,
    fit_shrinkage,
    targeting_area,
)


@pytest.fixture
def random():
    return np.random.default_rng(4)


# The same regression with a dummy for each fold, by statsmodels.
def test_the_slope_and_its_error_are_those_of_a_regression_with_fold_means(random):
    import statsmodels.api as sm

    fold, effects = np.arange(200) % 4, random.normal(size=200)
    contrasts = 0.7 * effects + fold + random.normal(size=200) * (1 + np.abs(effects))
    design = np.column_stack([effects, pd.get_dummies(fold).to_numpy(float)])
    fit = sm.OLS(contrasts, design).fit(cov_type="HC3")
    found = calibration_slope(contrasts, effects, fold)
    assert found == pytest.approx((fit.params[0], fit.bse[0]))


def test_equal_effects_have_no_slope_and_no_area(random):
    contrasts = random.normal(size=50)
    assert calibration_slope(contrasts, np.full(50, 0.1)) == (0.0, 0.0)
    area, _ = targeting_area(contrasts, np.full(50, 0.1))
    assert area == pytest.approx(0, abs=1e-12)


def average_gain_of_the_first(contrasts, effects):
    ranked = contrasts[np.argsort(-effects)]
    gains = [ranked[:j].mean() - ranked.mean() for j in range(1, len(ranked) + 1)]
    return np.mean(gains)


def test_the_area_is_the_mean_gain_of_those_ranked_first(random):
    effects, contrasts = random.normal(size=(2, 80))
    area, _ = targeting_area(contrasts, effects)
    assert area == pytest.approx(average_gain_of_the_first(contrasts, effects))


# Ranks vary from sample to sample, too: with a real slope the plain formula is too small.
def test_the_error_of_the_area_is_that_of_repeated_samples(random):
    areas, errors = [], []
    for _ in range(400):
        effects = random.normal(size=300)
        found = targeting_area(effects + random.normal(size=300), effects)
        areas.append(found[0])
        errors.append(found[1])
    assert np.mean(errors) == pytest.approx(np.std(areas), rel=0.12)


def learn_linearly(train, x, contrasts):
    return x @ np.linalg.lstsq(x[train], contrasts[train], rcond=None)[0]


# What folds learn from each other agrees by chance: their t statistics are no independent ones.
def test_folds_that_learn_from_earlier_ones_find_nothing_where_nothing_is(random):
    p, pooled = [], []
    fold = np.arange(250) % 5
    for _ in range(600):
        x, contrasts = random.normal(size=(250, 3)), random.normal(size=250)
        earlier, others = np.full((2, 250), np.nan)
        for k in range(5):
            mine = fold == k
            others[mine] = learn_linearly(fold != k, x, contrasts)[mine]
            if k:
                earlier[mine] = learn_linearly(fold < k, x, contrasts)[mine]
        rows = fold > 0
        p.append(combine_folds(calibration_slope, contrasts[rows], earlier[rows], fold[rows])[1])
        slope, error = calibration_slope(contrasts, others, fold)
        pooled.append(slope / error)
    assert stats.binomtest(int(np.sum(np.array(p) < 0.05)), 600, 0.05).pvalue > 0.001
    assert np.var(pooled) == pytest.approx(2.0, rel=0.25)


def test_effects_are_drawn_to_the_mean_as_far_as_they_are_shown(random):
    n = 4000
    fold, predicted = np.arange(n) % 5, random.normal(size=n)
    columns = np.column_stack([np.zeros(n), predicted])
    noise = random.normal(size=n)
    by_truth = {}
    for slope in (0.0, 0.5, 2.0):
        contrasts = np.column_stack([np.zeros(n), 3 + slope * predicted + noise])
        by_truth[slope] = fit_shrinkage(contrasts, columns, fold)
    assert by_truth[0.0].factor[1] == 0.0
    assert by_truth[0.5].factor[1] == pytest.approx(0.5, abs=0.1)
    assert 0.99 < by_truth[2.0].factor[1] < 1.0
    assert by_truth[0.5].apply(columns).mean(axis=0)[1] == pytest.approx(3, abs=0.1)


def test_effects_predicted_the_wrong_way_round_are_not_believed(random):
    predicted = random.normal(size=500)
    columns = np.column_stack([np.zeros(500), predicted])
    assert fit_shrinkage(-columns, columns, np.arange(500) % 5).factor[1] == 0.0


def test_the_effect_on_a_subgroup_is_its_mean_contrast(random):
    contrasts = np.column_stack([np.zeros(90), random.normal(size=90)])
    contrasts[:10, 1] = np.nan
    names = np.array(["web", "shop", "app"])[np.arange(90) % 3]
    found = {one.subgroup: one for one in estimate_subgroup_effects("ab", contrasts, names)}
    web = contrasts[(names == "web") & np.isfinite(contrasts[:, 1]), 1]
    assert found["web"].n == len(web)
    assert found["web"].effect.value == pytest.approx(web.mean())
    reach = (found["web"].effect.high - found["web"].effect.low) / 2
    error = web.std(ddof=1) / np.sqrt(len(web))
    assert 2.2 * error < reach < 2.6 * error  # three at once: Šidák's 2.39
