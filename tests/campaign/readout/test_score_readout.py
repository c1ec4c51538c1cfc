"""Earlier scores held against outcomes: intervals hold what they say, also with a control group."""

import numpy as np
import pytest
from scipy import stats

from retain.campaign.readout.score_readout import (
    ObservedScores,
    compare_bands,
    compare_money,
    compare_shares,
    estimate_roc_auc,
)
from retain.errors import NotApplicable
from retain.verdict.statistics import delong


def scored(n, random, *, odds=1.0):
    """Scores with risks that are right, or wrong by a factor of the odds."""
    risk = random.beta(1, 2, n)
    true = odds * risk / (1 - risk + odds * risk)
    value = random.lognormal(2, 1, n)
    return risk, (random.random(n) < true).astype(float), value


def observe(risk, declined, value=None, weight=None):
    return ObservedScores(
        risk, risk, declined, value, np.ones(len(risk)) if weight is None else weight
    )


def without_treated(random, risk, declined, value, share=0.2):
    """Contact whoever is above the median risk but a share, who then stands for them."""
    chosen = risk > np.median(risk)
    control = chosen & (random.random(len(risk)) < share)
    rows = ~chosen | control
    weight = np.where(control, 1 / share, 1.0)[rows]
    return observe(risk[rows], declined[rows], value[rows], weight)


def test_with_equal_weights_the_interval_is_delongs():
    risk, declined, _ = scored(300, np.random.default_rng(0))
    found = estimate_roc_auc(observe(risk, declined))
    assert (found.value, found.low, found.high) == pytest.approx(delong(declined, risk), rel=1e-9)


def test_intervals_hold_the_truth_where_the_control_group_stands_for_the_contacted():
    random = np.random.default_rng(1)
    risk, declined, _ = scored(400_000, random)
    truth = estimate_roc_auc(observe(risk, declined)).value
    held, significant, inside = [], [], []
    for _ in range(n := 400):
        seen = without_treated(random, *scored(800, random))
        found, money = estimate_roc_auc(seen), compare_money(seen, "euro")
        held.append(found.low <= truth <= found.high)
        significant.append(compare_shares(seen).p < 0.05)
        inside.append(money.at_risk.low <= money.lost <= money.at_risk.high)
    for hits, expected in ((held, 0.93), (inside, 0.93)):
        assert stats.binomtest(int(np.sum(hits)), n, expected).proportion_ci().high >= expected
    assert stats.binomtest(int(np.sum(significant)), n, 0.06).proportion_ci().low <= 0.06


def test_risks_that_are_wrong_are_noticed():
    risk, declined, value = scored(3000, np.random.default_rng(2), odds=0.5)
    seen = observe(risk, declined, value)
    assert compare_shares(seen).p < 1e-6
    money = compare_money(seen, "euro")
    assert money.lost < money.at_risk.low
    bands = compare_bands(seen)
    assert sum(band.n_customers for band in bands) == 3000
    assert np.average([b.expected for b in bands], weights=[b.n_customers for b in bands]) == (
        pytest.approx(compare_shares(seen).expected)
    )
    assert [band.expected for band in bands] == sorted(band.expected for band in bands)


def test_a_ranking_needs_two_of_each_class():
    with pytest.raises(NotApplicable, match="1 customers declined and 4 did not"):
        estimate_roc_auc(observe(np.linspace(0.1, 0.9, 5), np.array([0, 0, 1, 0, 0.0])))
