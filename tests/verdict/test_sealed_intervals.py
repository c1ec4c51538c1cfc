import numpy as np
import pytest
from scipy import special, stats

from retain.learning.metric_selection import select_metrics
from retain.learning.metrics import expected_calibration_error
from retain.schema.run import Metrics
from retain.verdict.sealed_intervals import (
    Sample,
    average_precision_interval,
    calibration_error,
    captured_profit_interval,
    find_design_effect,
    lift_interval,
    metric_interval,
)
from retain.verdict.statistics import delong


def store(n=257, gap=1.0, slope=1.0, seed=0):
    """Outcomes and probabilities that are calibrated for ``slope`` 1."""
    random = np.random.default_rng(seed)
    target = (random.random(n) < 0.3).astype(int)
    logit = gap * random.normal(gap * target, 1) - gap**2 / 2 + special.logit(0.3)
    return target, special.expit(slope * logit)


# The bootstrap gave 2.649–2.649 where every resample had decliners alone at the top.
def test_no_interval_has_width_zero_even_for_a_perfect_ranking():
    target = np.repeat([0, 1], [60, 20])
    sample = Sample(target, np.linspace(0.01, 0.99, 80), np.ones(80))
    for metric in select_metrics(Metrics(name="x", top_shares=(0.1, 0.25)), with_profit=True):
        found = metric_interval(metric, sample, simulations=200)
        assert found["low"] < found["high"], metric.name
        assert found["low"] <= found["value"] <= found["high"], metric.name


def test_lift_is_the_ratio_of_the_top_share_and_its_interval_holds_it():
    target, probability = store()
    value, low, high = lift_interval(0.1, target, probability)
    top = np.argsort(-probability)[:25]
    assert value == pytest.approx(target[top].mean() / target.mean(), rel=0.02)
    assert low < value < high <= 10


def test_the_interval_of_lift_covers_where_the_bootstrap_covered_70_percent():
    truth = lift_interval(0.1, *store(400_000, seed=99))[0]
    intervals = np.array([lift_interval(0.1, *store(100, seed=seed)) for seed in range(300)])
    assert np.mean((intervals[:, 1] <= truth) & (truth <= intervals[:, 2])) >= 0.9


# One score for all ranks nobody: the top share holds as many decliners as the whole.
def test_ties_at_the_cut_share_it():
    target = np.resize([0, 0, 1], 90)
    value, low, high = lift_interval(0.2, target, np.full(90, 0.3))
    assert value == pytest.approx(1)
    assert low < 1 < high


def test_a_top_without_decliners_has_lift_zero_and_an_upper_bound():
    target = np.repeat([1, 0], [30, 70])
    value, low, high = lift_interval(0.1, target, np.linspace(0, 1, 100))
    assert (value, low) == (0, 0)
    assert 0.2 < high < 1.5


def test_average_precision_has_the_logit_interval_of_boyd():
    target, probability = store()
    value, low, high = average_precision_interval(target, probability)
    logit, error = special.logit(value), 1 / np.sqrt(target.sum() * value * (1 - value))
    assert special.logit([low, high]) == pytest.approx(
        [logit - 1.96 * error, logit + 1.96 * error], abs=1e-4
    )


def test_losses_have_the_t_interval_of_their_mean():
    target, probability = store()
    losses = (probability - target) ** 2
    metric = select_metrics(Metrics(name="x", top_shares=()), with_profit=False)[3]
    found = metric_interval(metric, Sample(target, probability, None), simulations=100)
    expected = stats.t.interval(0.95, len(losses) - 1, losses.mean(), stats.sem(losses))
    assert (found["low"], found["high"]) == pytest.approx(expected)


# A perfectly calibrated score shows .064 at n = 257, by noise alone.
def test_the_calibration_error_of_a_calibrated_score_is_near_zero():
    found = [calibration_error(*store(seed=seed), simulations=300) for seed in range(60)]
    raw, value, null = (
        np.mean([one[key] for one in found]) for key in ("raw", "value", "if_calibrated")
    )
    assert raw > 0.05
    assert null == pytest.approx(raw, abs=0.006)
    assert value < 0.03
    assert np.mean([one["low"] == 0 for one in found]) >= 0.9


def test_the_calibration_error_of_a_bent_score_is_found():
    truth = expected_calibration_error(*store(400_000, slope=2.5, seed=99))
    found = [calibration_error(*store(1000, slope=2.5, seed=s), simulations=300) for s in range(60)]
    assert np.mean([one["value"] for one in found]) == pytest.approx(truth, abs=0.01)
    assert np.mean([one["low"] <= truth <= one["high"] for one in found]) >= 0.85
    assert all(one["low"] > 0 for one in found)


def test_one_probability_for_all_has_one_bin():
    found = calibration_error(np.resize([0, 0, 1], 90), np.full(90, 1 / 3), simulations=100)
    assert found["raw"] == pytest.approx(0, abs=1e-9)
    assert found["low"] == pytest.approx(0, abs=1e-9)


# One customer with nearly all of the profit is one observation, whatever the number of others.
def test_captured_profit_counts_customers_by_their_profit():
    target, probability = store()
    even = captured_profit_interval(0.2, target, probability, np.ones(257))
    top = np.argmax(probability * target)
    skewed = captured_profit_interval(
        0.2, target, probability, np.where(np.arange(257) == top, 1e4, 1.0)
    )
    assert even[2] - even[1] < 0.4
    assert skewed[2] - skewed[1] > 0.6


def test_a_perfect_ranking_has_an_interval_below_one():
    value, low, high = delong(np.repeat([0, 1], [60, 20]), np.arange(80.0))
    assert (value, high) == (1, 1)
    assert low == pytest.approx(20 / (20 + 1.959964**2))


# Six copies of each customer once made every interval 2.4 times too narrow, and ECE too high.
@pytest.mark.parametrize("copies", [2, 6])
def test_copies_of_customers_make_no_interval_much_narrower(copies):
    target, probability = store(200)
    once = Sample(target, probability, np.ones(200))
    again = (np.tile(values, copies) for values in (target, probability, np.ones(200)))
    several = Sample(*again, find_design_effect(np.tile(np.arange(200), copies)))
    for metric in select_metrics(Metrics(name="x", top_shares=(0.1, 0.2)), with_profit=True):
        one, other = (metric_interval(metric, s, simulations=2000) for s in (once, several))
        assert other["value"] == pytest.approx(one["value"], abs=0.02), metric.name
        width, narrowest = other["high"] - other["low"], 0.85 * (one["high"] - one["low"])
        assert width >= narrowest, (metric.name, one, other)


# A model that errs for nobody once had 0.000–0.000, and six copies of 20 decliners counted as 120.
@pytest.mark.parametrize("copies", [1, 6])
def test_no_interval_of_a_model_that_never_errs_has_width_zero(copies):
    target = np.repeat([0, 1], [60, 20])
    once, groups = Sample(target, target.astype(float), np.ones(80)), np.tile(range(80), copies)
    again = (np.tile(values, copies) for values in (target, target.astype(float), np.ones(80)))
    several = Sample(*again, find_design_effect(groups))
    for metric in select_metrics(Metrics(name="x", top_shares=(0.1, 0.2)), with_profit=True):
        one, other = (metric_interval(metric, s, simulations=200) for s in (once, several))
        assert one["low"] < one["high"], metric.name
        assert one["low"] <= one["value"] <= one["high"]
        bounds = [[found["low"], found["high"]] for found in (one, other)]
        assert bounds[1] == pytest.approx(bounds[0], abs=0.03), metric.name
        if metric.name == "brier":
            assert one["high"] == pytest.approx(1.959964**2 / (80 + 1.959964**2))
