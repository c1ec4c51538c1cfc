"""The interval of a registered metric covers the truth, by simulation."""

import numpy as np
import pytest
from scipy import stats

from retain.errors import RetainError
from retain.learning.metric_selection import Metric
from retain.learning.metrics import roc_auc
from retain.verdict.plugin_intervals import plugin_interval

AREA = Metric("area", True, lambda y, p, _: roc_auc(y, p), is_plugin=True)
SQUARES = Metric("squares", False, lambda y, p, _: float(np.mean((y - p) ** 2)), is_plugin=True)


def sample(random, n):
    probability = 1 / (1 + np.exp(1 - random.normal(size=n)))
    return (random.random(n) < probability).astype(int), probability


@pytest.mark.parametrize("metric", [AREA, SQUARES], ids=lambda metric: metric.name)
def test_it_covers_the_truth(metric):
    random = np.random.default_rng(0)
    truth = metric.compute(*sample(random, 400_000), None)
    ends = [plugin_interval(metric, *sample(random, 200), None)[1:] for _ in range(300)]
    covered = sum(low <= truth <= high for low, high in ends)
    assert stats.binomtest(covered, len(ends), 0.95).proportion_ci(0.999).high >= 0.95


def test_copies_widen_it():
    target, probability = sample(np.random.default_rng(1), 300)
    _, low, high = plugin_interval(SQUARES, target, probability, None)
    _, wide_low, wide_high = plugin_interval(SQUARES, target, probability, None, 4.0)
    assert wide_high - wide_low == pytest.approx(2 * (high - low))


def test_it_stays_within_bounds_and_has_width_without_variance():
    agreed = Metric("agreed", True, lambda y, p, _: 1.0, (0.0, 1.0), is_plugin=True)
    value, low, high = plugin_interval(agreed, *sample(np.random.default_rng(2), 100), None)
    assert (value, high) == (1.0, 1.0)
    assert 0.95 < low < 1


def test_a_metric_that_needs_every_customer_has_none():
    odd = Metric("odd", True, lambda y, p, _: 0.5 if len(y) == 100 else np.nan, is_plugin=True)
    with pytest.raises(RetainError, match=r"Leave it out of metrics\.plugins"):
        plugin_interval(odd, *sample(np.random.default_rng(3), 100), None)
