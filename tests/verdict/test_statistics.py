import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from retain.verdict.statistics import delong, mean_interval, wilson_interval


def sample(n=200, seed=0, gap=1.0):
    random = np.random.default_rng(seed)
    target = random.integers(0, 2, n)
    return target, random.normal(0, 1, n) + gap * target


def delong_interval(target, score):
    return delong(target, score)[1:]


# An independent way to the same interval: resampling customers.
def test_delong_agrees_with_a_bootstrap():
    target, score = sample(400)
    random = np.random.default_rng(0)
    is_above = score[target == 1][:, None] > score[target == 0]  # no two scores are equal
    values = [
        is_above[np.ix_(*(random.integers(size, size=size) for size in is_above.shape))].mean()
        for _ in range(800)
    ]
    reach = 1.96 * np.std(values)
    value = roc_auc_score(target, score)
    assert delong_interval(target, score) == pytest.approx(
        (value - reach, value + reach), abs=0.012
    )


def test_delong_covers_the_truth_about_as_often_as_it_says():
    truth = stats.norm.cdf(1 / np.sqrt(2))
    hits = [
        low <= truth <= high for low, high in (delong_interval(*sample(150, s)) for s in range(300))
    ]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.04)


# ROC-AUC knows ranks alone, and so does its interval.
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_delong_is_blind_to_the_scale_of_scores(seed):
    target, score = sample(60, seed)
    there = delong_interval(target, np.exp(score))
    assert there == pytest.approx(delong_interval(target, score))
    assert 0 <= there[0] <= roc_auc_score(target, score) <= there[1] <= 1


def test_a_perfect_ranking_has_no_width():
    assert delong_interval(np.array([0, 0, 1, 1]), np.array([1, 2, 3, 4])) == pytest.approx(
        (2 / (2 + 1.959964**2), 1.0)
    )


def test_a_mean_of_one_value_has_no_interval_but_itself():
    assert mean_interval(np.array([0.4])) == (0.4, 0.4, 0.4)


def test_a_mean_of_many_has_students_interval():
    values = np.random.default_rng(0).normal(size=30)
    mean, low, high = mean_interval(values)
    expected = stats.t.interval(0.95, 29, values.mean(), stats.sem(values))
    assert (mean, low, high) == pytest.approx((values.mean(), *expected))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 500))
def test_delong_gives_the_area_itself(seed):
    target, score = sample(60, seed)
    assert delong(target, score)[0] == pytest.approx(roc_auc_score(target, score))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_an_independent_implementation(drawn):
    count, total = drawn
    expected = proportion_confint(count, total, method="wilson")
    low, high = wilson_interval(count, total)
    assert (low, high) == pytest.approx(expected, abs=1e-12)
    assert low <= count / total <= high


# A tenth of these rankings is perfect, and had the interval 1.0–1.0, which never holds .99.
def test_delong_covers_where_rankings_may_be_perfect():
    random, truth = np.random.default_rng(0), 0.99
    target, distance = np.repeat([1, 0], [20, 60]), np.sqrt(2) * stats.norm.ppf(truth)
    hits, perfect = 0, 0
    for _ in range(400):
        score = random.normal(distance * target, 1)
        value, low, high = delong(target, score)
        hits += low <= truth <= high
        perfect += value == 1
    assert perfect > 20
    assert hits >= stats.binom.ppf(0.001, 400, 0.95)
