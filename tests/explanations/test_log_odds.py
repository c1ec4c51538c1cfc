"""Shares of a margin as shares of log-odds and probability."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from retain.explanations.explain import scale_log_odds

EDGE = 1e-4
margins = st.lists(st.floats(-8, 8), min_size=1, max_size=30).map(np.array)


def ends(found, margin, base):
    """Where shares lead from the base, in log-odds and in probability."""
    return (
        logit(np.clip(found.base, EDGE, 1 - EDGE)) + (margin - base) * found.log_odds,
        found.base + (margin - base) * found.points,
    )


@settings(deadline=None, max_examples=50)
@given(margins, st.floats(-3, 3), st.floats(0.2, 4), st.floats(-2, 2))
def test_a_logistic_curve_over_the_margin_is_followed(margin, base, slope, shift):
    probability = expit(slope * margin + shift)
    found = scale_log_odds(margin, base, probability, EDGE)
    _, result = ends(found, margin, base)
    apart = np.abs(margin - base) > 1e-6
    assert result[apart] == pytest.approx(probability[apart], abs=1e-6)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30).map(np.array), st.floats(0.1, 0.9))
def test_a_forests_margin_is_its_probability(margin, base):
    found = scale_log_odds(margin, base, margin, EDGE)
    odds, result = ends(found, margin, base)
    apart = np.abs(margin - base) > 1e-6
    assert found.base == base
    assert result == pytest.approx(margin, abs=1e-6)
    assert odds[apart] == pytest.approx(logit(np.clip(margin, EDGE, 1 - EDGE))[apart], abs=1e-4)
    assert np.isfinite(found.log_odds).all()


def test_a_step_that_lifts_nothing_gives_nothing():
    margin, probability = np.array([0.0, 1.0, 2.0]), np.array([0.3, 0.3, 0.8])
    found = scale_log_odds(margin, 0.5, probability, EDGE)
    assert found.base == pytest.approx(0.3)
    assert found.points[:2].tolist() == [0.0, 0.0]
    assert found.points[2] == pytest.approx(0.5 / 1.5)


def test_scores_that_are_all_the_same_have_no_shares():
    found = scale_log_odds(np.full(4, 0.4), 0.4, np.full(4, 0.4), EDGE)
    assert found.points.tolist() == found.log_odds.tolist() == [0.0] * 4
