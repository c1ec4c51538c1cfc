import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve, roc_curve

from retain.learning.metrics import roc_auc, top_weights
from retain.learning.scores import COLUMNS, Scores
from retain.verdict.curves import curves


def scored(seed=0, n=300, repeats=2, *, digits=3):
    random = np.random.default_rng(seed)
    target = np.resize([0, 1, 0], n)
    rows = [
        pd.DataFrame(
            {
                "customer_id": np.arange(n),
                "repeat": repeat,
                "fold": np.arange(n) % 5,
                "target": target,
                "probability": np.round(
                    np.clip(0.3 + 0.3 * target + random.normal(0, 0.2, n), 0, 1), digits
                ),
            }
        )
        for repeat in range(repeats)
    ]
    return Scores(pd.concat(rows, ignore_index=True)[list(COLUMNS)], "out_of_fold")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([1, 2, 6]))
def test_curves_agree_with_an_independent_implementation(seed, digits):
    scores = scored(seed, repeats=1, digits=digits)
    target, probability = scores.table["target"], scores.table["probability"]
    found = curves(scores, None)
    roc, grid = found.roc, np.array(found.roc.x)
    false, true, _ = roc_curve(target, probability, drop_intermediate=False)
    inner = ~np.isin(grid, false)  # at a step there are several right answers
    assert np.array(roc.y)[inner] == pytest.approx(np.interp(grid, false, true)[inner])
    assert np.trapezoid(roc.y, roc.x) == pytest.approx(
        roc_auc(target.to_numpy(), probability.to_numpy()), abs=0.01
    )
    precision, recall, _ = precision_recall_curve(target, probability)
    at = 0.4
    reached = precision[:-1][recall[:-1] >= at][-1]
    drawn = dict(zip(found.precision_recall.x, found.precision_recall.y, strict=True))
    assert drawn[at] == pytest.approx(reached)


# Lift at a share is the metric of that name, taken over all customers at once.
def test_lift_is_that_of_the_metric():
    scores = scored(repeats=1)
    target, probability = (scores.table[c].to_numpy() for c in ("target", "probability"))
    found = curves(scores, None).lift
    weights = top_weights(probability, 0.2)
    expected = weights @ target / weights.sum() / target.mean()
    assert found.y[found.x.index(0.2)] == pytest.approx(expected)
    assert found.y[-1] == pytest.approx(1)


def test_captured_profit_ends_with_all_of_it_and_needs_profit():
    scores = scored()
    profit = pd.Series(np.random.default_rng(0).gamma(4, 1, 300))
    found = curves(scores, profit).captured_profit
    assert found.y[0] == 0
    assert found.y[-1] == pytest.approx(1)
    assert all(np.diff(found.y) >= 0)
    assert curves(scores, None).captured_profit is None
    assert curves(scores, profit * 0).captured_profit is None


def test_the_mean_lies_between_the_repeats():
    found = curves(scored(repeats=3), None)
    for name in ("roc", "precision_recall", "lift"):
        drawn = getattr(found, name)
        assert len(drawn.x) == len(drawn.y) == len(drawn.y_min) == len(drawn.y_max)
        assert (np.array(drawn.y_min) <= np.array(drawn.y) + 1e-12).all()
        assert (np.array(drawn.y) <= np.array(drawn.y_max) + 1e-12).all()


def test_calibration_counts_every_customer_once():
    scores = scored()
    bins = curves(scores, None).calibration
    assert sum(row.n_customers for row in bins) == 300
    assert all(row.observed.low <= row.observed.value <= row.observed.high for row in bins)
    per = scores.table.groupby("customer_id")[["target", "probability"]].mean()
    observed, predicted = calibration_curve(
        per["target"], per["probability"], n_bins=10, strategy="quantile"
    )
    assert [row.predicted for row in bins] == pytest.approx(list(predicted), abs=0.02)
    assert [row.observed.value for row in bins] == pytest.approx(list(observed), abs=0.1)


def test_one_probability_for_all_is_one_bin():
    table = scored(repeats=1).table.assign(probability=0.4)
    (only,) = curves(Scores(table, "out_of_fold"), None).calibration
    assert only.n_customers == 300
    assert only.predicted == pytest.approx(0.4)


# The page said "largest gap" of noise, beside an error that is 0 once noise is taken off.
def test_gaps_of_calibrated_scores_are_seldom_more_than_chance_and_those_of_others_are():
    random, flagged = np.random.default_rng(0), 0
    for _ in range(60):
        risk = random.uniform(0.05, 0.95, 300)
        declined = (random.random(300) < risk).astype(int)
        columns = (range(300), 0, 0, declined, risk)
        table = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
        bins = curves(Scores(table, "out_of_fold"), None).calibration
        flagged += any(one.is_miscalibrated for one in bins)
    assert flagged <= 9  # binomial, p < .001 above .05
    upside_down = Scores(table.assign(probability=1 - risk), "out_of_fold")
    bins = curves(upside_down, None).calibration
    assert sum(one.is_miscalibrated for one in bins) > 5


def test_copies_are_no_evidence_against_the_calibration():
    random = np.random.default_rng(1)
    risk = random.uniform(0.3, 0.5, 60)
    declined = (random.random(60) < risk).astype(int)
    columns = (range(480), 0, 0, np.tile(declined, 8), np.tile(risk, 8))
    scores = Scores(pd.DataFrame(dict(zip(COLUMNS, columns, strict=True))), "out_of_fold")
    groups = pd.Series(np.tile(range(60), 8))
    alone = curves(scores, None).calibration
    grouped = curves(scores, None, groups).calibration
    assert any(one.is_miscalibrated for one in alone)
    assert not any(one.is_miscalibrated for one in grouped)
