import importlib.util

import baycomp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from retain.verdict.paired import compare_paired, corrected_resampled_t, holm


# With no overlap of training rows the correction vanishes and it is Student's paired test.
def test_without_correction_it_is_the_paired_t_test():
    one = np.random.default_rng(0).normal(0.9, 0.02, 10)
    two = np.random.default_rng(1).normal(0.89, 0.02, 10)
    expected = stats.ttest_rel(one, two)
    t, p = corrected_resampled_t(list(one - two), 0.0)
    assert (t, p) == pytest.approx((expected.statistic, expected.pvalue))
    interval = expected.confidence_interval()
    found = compare_paired((one - two)[None], 0.0)
    assert (found.low[0], found.high[0]) == pytest.approx((interval.low, interval.high))


# Nadeau & Bengio's factor for 10 × 5 folds: 1/50 + 1/4 in place of 1/50.
def test_the_correction_for_ten_times_five_folds_divides_t_by_the_root_of_13_5():
    differences = list(np.random.default_rng(2).normal(0.01, 0.02, 50))
    plain, _ = corrected_resampled_t(differences, 0.0)
    corrected, _ = corrected_resampled_t(differences, 0.25)
    assert plain / corrected == pytest.approx(np.sqrt((1 / 50 + 1 / 4) / (1 / 50)))


def test_equal_scores_are_no_difference_and_a_constant_gap_is_one():
    assert corrected_resampled_t([0.0] * 5, 0.25) == (0.0, 1.0)
    assert corrected_resampled_t([0.1] * 5, 0.25)[1] == 0.0


# The authors of the Bayesian test publish an implementation: same posterior, other code.
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.005, 0.01, 0.05]))
def test_the_bayesian_test_gives_its_authors_numbers(seed, rope):
    random = np.random.default_rng(seed)
    one, two = random.normal(0.9, 0.02, 20), random.normal(random.uniform(0.87, 0.93), 0.02, 20)
    expected = baycomp.CorrelatedTTest.probs(one, two, rope=rope, runs=4)
    found = compare_paired((two - one)[None], 0.25, rope=rope)
    worse, equivalent, better = found.worse[0], found.equivalent[0], found.better[0]
    shown = (worse, equivalent, better) if rope else (worse, better)
    assert shown == pytest.approx(expected, abs=1e-9)
    assert worse + equivalent + better == pytest.approx(1)


def test_without_spread_the_mean_alone_says_on_which_side_it_lies():
    found = compare_paired(np.array([[-0.02] * 4, [-0.005] * 4, [0.02] * 4]), 0.25, rope=0.01)
    assert found.worse.tolist() == [1, 0, 0]
    assert found.equivalent.tolist() == [0, 1, 0]
    assert found.better.tolist() == [0, 0, 1]


# A run that was stopped is judged by the folds it had, as if there were no others.
@given(st.integers(0, 1000), st.integers(2, 9))
def test_missing_folds_are_no_folds(seed, kept):
    gaps = np.random.default_rng(seed).normal(0.01, 0.02, 10)
    short = np.where(np.arange(10) < kept, gaps, np.nan)
    found, alone = compare_paired(short[None], 0.25), compare_paired(gaps[None, :kept], 0.25)
    assert found.p == pytest.approx(alone.p)
    assert found.low == pytest.approx(alone.low)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_agrees_with_an_independent_implementation(statsmodels_holm, p):
    expected = statsmodels_holm(p)
    assert holm(np.array(p)) == pytest.approx(expected)


# Holm (1979) corrects upwards, keeps the order, and equals Bonferroni for the smallest.
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_raises_no_p_out_of_order(p):
    plain = np.array(p)
    adjusted = holm(plain)
    assert (adjusted >= plain).all()
    assert (np.diff(adjusted[np.argsort(plain, kind="stable")]) >= 0).all()
    assert adjusted.min() == pytest.approx(min(1, len(p) * plain.min()))


@pytest.fixture
def equal_models(checkout):
    path = checkout / "experiments" / "statistics" / "equal_models.py"
    spec = importlib.util.spec_from_file_location("equal_models", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# The corrected test must call noise a difference about as often as it says; the plain one does not.
# `make simulate` prints both for a thousand pairs.
def test_equal_models_are_rarely_called_different(equal_models):
    corrected, naive = equal_models.false_positives(300)
    assert corrected <= 0.07
    assert naive > 0.1
