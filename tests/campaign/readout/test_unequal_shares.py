"""Readouts of campaigns whose control group has other shares for other customers.

A reduced version of ``experiments/statistics/control.py``.
"""

import sys
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retain.campaign.proportions import newcombe
from retain.campaign.readout.compliance import summarise_attrition
from retain.campaign.readout.means import estimate_mean_difference
from retain.campaign.readout.qini import BootstrapSettings, compute_qini
from retain.campaign.readout.readout import build_readout
from retain.campaign.readout.strata import StratumCounts, count_by_stratum, standardise

from .test_coverage import at_least

_PATH = Path(__file__).resolve().parents[3] / "experiments" / "statistics" / "control.py"
_SPEC = spec_from_file_location("simulated_control", _PATH)
simulation = module_from_spec(_SPEC)
sys.modules[_SPEC.name] = simulation  # dataclasses look their module up
_SPEC.loader.exec_module(simulation)
STORE = simulation.LIKE_THE_STORE


def one_campaign(seed=0, store=STORE):
    assignment = store.assign(store.least_cost, seed)
    return assignment, store.observe(assignment, np.random.default_rng([seed, 1]))


@pytest.mark.slow
def test_intervals_hold_the_effect_on_the_treated_and_cost_a_quarter_less():
    rows = simulation.measure("like the store", 60)
    figures = {row["figure"]: row for row in rows if row["design"] != "one share"}
    assert float(figures["cost"]["value"]) <= 0.75
    assert float(figures["width, declined"]["value"]) <= 1.05
    for what in ("declined: covers", "profit: covers", "save rates: covers"):
        n = int(figures[what]["n"])
        hits = np.arange(n) < round(float(figures[what]["value"]) * n)
        assert at_least(hits, 0.93)


def test_weights_make_the_control_group_stand_for_the_treated():
    assignment, _ = one_campaign()
    table, treated = assignment.table, assignment.is_treated
    weight, risk = assignment.weight, table["risk"].to_numpy()
    assert weight[treated].tolist() == [1.0] * treated.sum()
    assert weight[~treated].mean() == pytest.approx(1.0)
    plain = risk[~treated].mean() - risk[treated].mean()
    weighted = np.average(risk[~treated], weights=weight[~treated]) - risk[treated].mean()
    assert abs(weighted) < 0.25 * abs(plain)


def test_one_stratum_standardised_is_itself():
    one = StratumCounts(*(np.array([count]) for count in (40.0, 200.0, 15.0, 50.0)))
    assert [count.item() for count in standardise(one, one.treated)] == pytest.approx(
        [40, 200, 15, 50]
    )


# The variance of the standardised share is that of the textbook (Cochran 1977, 5.9), so that the
# width of Newcombe's interval is that of the normal one where there are many customers.
def test_standardised_counts_have_the_variance_of_a_stratified_share():
    counts = StratumCounts(*(1e4 * np.array(one) for one in ([3, 8], [10, 10], [1, 3], [2, 4])))
    treated = counts.treated
    found = newcombe(*standardise(counts, treated), 1.96)
    shares = [counts.treated_events / treated, counts.control_events / counts.control]
    variance = sum(
        (0.25 * p * (1 - p) / n).sum() for p, n in zip(shares, counts[1::2], strict=True)
    )
    assert found.value.item() == pytest.approx(float((shares[0] - shares[1]).mean()))
    assert (found.high - found.low).item() == pytest.approx(2 * 1.96 * variance**0.5, rel=1e-3)


def test_a_stratum_without_one_arm_is_left_out():
    counts = StratumCounts(
        *(np.array(one, dtype=float) for one in ([5, 9], [10, 10], [4, 0], [10, 0]))
    )
    found = standardise(counts, counts.treated)
    assert [count.item() for count in found] == pytest.approx([5, 10, 4, 10])


def test_equal_weights_change_no_count():
    random = np.random.default_rng(0)
    events, treated = random.random(50) < 0.4, random.random(50) < 0.7
    stratum = random.integers(0, 3, 50)
    plain = count_by_stratum(events, treated, stratum)
    weighted = count_by_stratum(events, treated, stratum, np.full(50, 2.5))
    assert all(map(np.allclose, plain, weighted))


# By hand: within strata of one propensity the difference of means, weighted by the treated.
def test_means_are_compared_within_strata_weighted_by_the_treated():
    values = np.array([1.0, 2, 3, 9, 2, 4, 5, 7, 1, 3])
    treated = np.array([1, 1, 1, 0, 0, 1, 1, 0, 0, 0], dtype=bool)
    stratum = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    propensity = np.where(stratum == 0, 0.6, 0.4)
    found = estimate_mean_difference(values, treated, stratum, 0.05, propensity=propensity)
    by_hand = 3 / 5 * (2 - 5.5) + 2 / 5 * (4.5 - 11 / 3)
    assert found.value == pytest.approx(by_hand)


def test_mixed_strata_are_weighted_by_the_odds_of_treatment():
    values, treated = np.array([1.0, 2, 3, 5, 4, 8]), np.array([1, 1, 1, 0, 0, 0], dtype=bool)
    propensity = np.array([0.5, 0.8, 0.5, 0.5, 0.8, 0.8])
    found = estimate_mean_difference(values, treated, np.zeros(6, int), 0.05, propensity=propensity)
    assert found.value == pytest.approx(2 - (5 + 4 * 4 + 4 * 8) / 9)


def test_who_is_missing_is_compared_among_like_customers():
    assignment, observed = one_campaign()
    share = assignment.propensity
    gone = share == share.max()  # a band as a whole, and so a larger share of the treated
    declined = np.where(gone, np.nan, observed.declined)
    found = summarise_attrition(assignment, replace(observed, declined=declined))
    assert found.difference.value == pytest.approx(0.0, abs=1e-9)
    assert not found.is_significant


def test_the_qini_curve_ends_at_the_effect_on_the_treated():
    assignment, observed = one_campaign()
    found = compute_qini(assignment, observed, BootstrapSettings(0.05, 200, 0))
    end = found.expected_net.curve.saved_share[-1]
    stayed, weight = observed.declined == 0, assignment.weight
    shares = [
        np.average(stayed[arm], weights=weight[arm])
        for arm in (assignment.is_treated, ~assignment.is_treated)
    ]
    assert end == pytest.approx(shares[0] - shares[1])
    assert (
        found.expected_net.auuc.low < found.expected_net.auuc.value < found.expected_net.auuc.high
    )


def test_a_readout_of_unequal_shares_is_whole_and_seldom_far_off():
    assignment, observed = one_campaign(seed=3)
    document = build_readout(assignment, observed, resamples=100).document
    overall, *_ = document.effects
    expected = float(np.average(STORE.effect, weights=1 - STORE.least_cost))
    assert overall.difference.value == pytest.approx(expected, abs=4 * overall.standard_error)
    assert document.money is not None
    assert document.looks[-1].information == pytest.approx(1.0)
    assert pd.notna([rate.posterior.value for rate in document.save_rates]).all()
