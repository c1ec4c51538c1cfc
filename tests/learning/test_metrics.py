from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from retain.learning.metric_selection import select_metrics
from retain.learning.metrics import (
    corrected_interval,
    expected_calibration_error,
    top_weights,
)
from retain.schema.run import Metrics

METRICS = Metrics(name="default", top_shares=(0.1, 0.2, 0.3))


def by_name(*, with_profit=True):
    return {metric.name: metric for metric in select_metrics(METRICS, with_profit=with_profit)}


def test_profit_metrics_are_left_out_where_there_is_no_profit():
    assert "captured_profit_10" in by_name()
    assert not [name for name in by_name(with_profit=False) if "profit" in name]


def test_a_perfect_ranking_has_the_best_value_of_every_metric():
    target = np.array([1] * 20 + [0] * 80)
    score = np.where(target == 1, 1.0, 0.0)
    values = {n: m.compute(target, score, np.ones(100)) for n, m in by_name().items()}
    assert values["roc_auc"] == values["average_precision"] == 1
    assert values["brier"] == values["ece"] == 0
    assert values["lift_20"] == pytest.approx(5)
    assert values["captured_profit_10"] == pytest.approx(0.5)
    assert values["captured_profit_20"] == pytest.approx(1)


def scored(draw):
    """Targets with both classes, and probabilities with ties and both ends."""
    n = draw(st.integers(2, 60))
    target = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    target[:2] = [0, 1]
    values = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
    return np.array(target), np.array(draw(st.lists(values, min_size=n, max_size=n)))


# An independent implementation; ours says in a few lines what theirs says after validating.
@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("roc_auc", metrics.roc_auc_score),
        ("average_precision", metrics.average_precision_score),
        ("log_loss", partial(metrics.log_loss, labels=[0, 1])),
        ("brier", metrics.brier_score_loss),
    ],
)
@given(st.composite(scored)())
def test_the_metrics_of_the_trade_are_those_of_scikit_learn(name, theirs, given_):
    target, probability = given_
    ours = by_name()[name].compute(target, probability, None)
    assert ours == pytest.approx(theirs(target, probability), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_a_ranking_of_one_class_has_no_value(name):
    compute = by_name()[name].compute
    assert np.isnan(compute(np.zeros(3), np.array([0.1, 0.2, 0.3]), None))


# The order in which tied customers stand in a file must not decide what a campaign captures.
@given(st.permutations(range(12)))
def test_ties_are_worth_the_same_in_any_order(order):
    order = np.array(order)
    target = np.array([1, 0, 1, 0, 1, 0] * 2)
    score = np.array([0.5, 0.5, 0.2] * 4)
    profit = np.arange(12.0)
    for metric in by_name().values():
        there = metric.compute(target[order], score[order], profit[order])
        assert there == pytest.approx(metric.compute(target, score, profit))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.floats(0.01, 0.99))
def test_the_top_share_holds_exactly_that_share(scores, share):
    weights = top_weights(np.array(scores), share)
    assert weights.sum() == pytest.approx(share * len(scores))
    assert weights.min() >= 0
    assert weights.max() <= 1 + 1e-9


def test_a_customer_who_brings_a_loss_is_no_profit_to_capture():
    target, score = np.array([1, 1, 0, 0]), np.array([0.9, 0.8, 0.1, 0.2])
    profit = np.array([-50.0, 10.0, 3.0, 3.0])
    quarter = METRICS.model_copy(update={"top_shares": (0.25,)})
    metric = {m.name: m for m in select_metrics(quarter, with_profit=True)}
    assert metric["captured_profit_25"].compute(target, score, profit) == 0


def test_no_profit_among_decliners_is_no_number():
    value = by_name()["captured_profit_10"].compute(
        np.array([1, 0]), np.array([0.4, 0.6]), np.array([0.0, 5.0])
    )
    assert np.isnan(value)


def test_calibration_error_is_the_gap_between_said_and_seen():
    target = np.array([0, 1] * 50)
    assert expected_calibration_error(target, np.full(100, 0.8)) == pytest.approx(0.3)


# Without the correction (ratio 0) it is the textbook t interval, which scipy knows.
def test_the_interval_without_correction_is_students():
    values = np.array([0.90, 0.92, 0.91, 0.89, 0.93])
    expected = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    assert corrected_interval(values, 0.0) == pytest.approx(expected)


def test_the_correction_widens_and_the_bounds_cut():
    values = [0.99, 0.97, 1.0, 0.98]
    plain, corrected = corrected_interval(values, 0), corrected_interval(values, 0.25)
    assert corrected[0] < plain[0] < plain[1] < corrected[1]
    assert corrected_interval(values, 0.25, (0, 1))[1] == 1
