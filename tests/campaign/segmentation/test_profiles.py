import dataclasses
import json
from dataclasses import astuple

import numpy as np
import pytest
from scipy import special

from retain.campaign.segmentation.outcomes import AudienceOutcomes, observe
from retain.campaign.segmentation.profiles import build_profiles
from retain.campaign.segmentation.segments import fit_segmentation, segments_of
from retain.campaign.segmentation.stability import stability
from retain.record.documents import to_tree
from retain.record.estimates import DisplayName, Estimate, PartialEstimate
from retain.record.segments_document import Stability
from retain.schema.campaign import Segmentation, ThresholdBands
from retain.schema.names import Translated
from retain.verdict.statistics import wilson_interval

CALLED = {"low": Translated(en="low", ru="низкий"), "high": Translated(en="high", ru="высокий")}
CONFIG = Segmentation(
    name="risk_value",
    kind="risk_value",
    min_size=70,
    risk=ThresholdBands(scale="absolute", bands={"low": 0, "high": 0.5}, labels=CALLED),
    value=ThresholdBands(scale="quantile", bands={"low": 0, "high": 0.7}, labels=CALLED),
)


def money(audience):
    sums = audience.table["profit_at_risk"].groupby(audience.segments).sum()
    return {name: Estimate(value, 0.9 * value, 1.2 * value) for name, value in sums.items()}


@pytest.fixture
def placed(scored):
    """Customers in their segments, and what placed them."""
    audience = scored()
    known = fit_segmentation(audience, CONFIG)
    return audience.with_segments(segments_of(audience, known)), known


@pytest.fixture
def outcomes(placed):
    """Declines drawn from the customers' risks."""
    risk = placed[0].table["risk"].to_numpy()
    declined = (np.random.default_rng(0).random(len(risk)) < risk).astype(float)
    return AudienceOutcomes(declined, risk, np.arange(len(risk)))


def test_segments_add_up_to_the_customers_and_their_money(placed):
    audience, known = placed
    rows = build_profiles(audience, known, money(audience))
    table = audience.table
    assert sum(one.n_customers for one in rows) == len(audience)
    assert sum(one.share for one in rows) == pytest.approx(1)
    assert sum(one.total_profit for one in rows) == pytest.approx(table["profit"].sum())
    at_risk = sum(one.expected_profit_at_risk.value for one in rows)
    assert at_risk == pytest.approx(table["profit_at_risk"].sum())
    consented = sum(one.contactable_share * one.n_customers for one in rows)
    assert consented == pytest.approx(table["contactable"].sum())


def test_each_segment_is_told_by_its_own_customers(placed):
    audience, known = placed
    name = "high risk · high value"
    rows = build_profiles(audience, known, money(audience))
    one = next(row for row in rows if row.segment == name)
    part = audience.table[audience.segments == name]
    assert (one.n_customers, one.expected_risk) == (len(part), part["risk"].mean())
    assert (one.n_declined, one.p, one.is_miscalibrated) == (None, None, False)
    assert one.label == DisplayName("high · high", "высокий · высокий")
    assert one.expected_profit_at_risk.low < one.expected_profit_at_risk.high
    assert one.observed_profit_at_risk is None  # nobody's outcome is known
    assert one.is_small == (len(part) < 70)


# The t interval over predicted risks held the truth in .487 of segments.
def test_the_risk_of_a_segment_is_the_share_that_declined_with_wilson_s_interval(placed, outcomes):
    audience, known = placed
    observed = observe(outcomes, audience.segments, audience.table["risk"].to_numpy()).segments
    for one in build_profiles(audience, known, money(audience), observed=observed):
        inside = np.asarray(audience.segments) == one.segment
        declined, count = int(outcomes.declined[inside].sum()), int(inside.sum())
        low, high = wilson_interval(declined, count)
        assert one.n_declined == declined
        if count >= 20:
            assert astuple(one.risk) == pytest.approx((declined / count, low, high))
            assert 0 < one.p <= 1
        assert one.expected_risk == pytest.approx(outcomes.expected[inside].mean())


def test_customers_without_outcomes_have_the_interval_of_the_calibration(placed):
    audience, known = placed
    error = np.random.default_rng(0).normal(0, 0.05, (len(audience), 2))
    for one in build_profiles(audience, known, None, sensitivity=error):
        inside = np.asarray(audience.segments) == one.segment
        if inside.sum() < 20:
            assert one.risk is None
            continue
        mean = audience.table["risk"].to_numpy()[inside].mean()
        reach = 1.959964 * np.linalg.norm(error[inside].mean(axis=0)) / (mean * (1 - mean))
        ends = [special.expit(special.logit(mean) + sign * reach) for sign in (-1, 1)]
        assert astuple(one.risk) == pytest.approx((mean, *ends))


def test_most_profit_at_risk_comes_first_and_without_profit_most_risk(placed):
    audience, known = placed
    rows = build_profiles(audience, known, money(audience))
    values = [one.expected_profit_at_risk.value for one in rows]
    assert values == sorted(values, reverse=True)
    poor = audience.table[["score", "origin", "risk", "contactable"]]
    rows = build_profiles(dataclasses.replace(audience, table=poor, profit_unit=None), known, None)
    risks = [one.expected_risk for one in rows]
    assert risks == sorted(risks, reverse=True)
    names = ("total_profit", "observed_profit_at_risk", "expected_profit_at_risk")
    assert {getattr(one, name) for one in rows for name in names} == {None}


def test_segments_under_the_minimum_say_that_they_are_small(placed):
    audience, known = placed
    rows = build_profiles(audience, known, None)
    assert {one.is_small for one in rows} == {True, False}
    assert all(one.is_small == (one.n_customers < 70) for one in rows)


def test_where_consent_is_not_stated_its_share_is_not_told(placed):
    audience, known = placed
    silent = dataclasses.replace(audience, consent="not_stated")
    assert {one.contactable_share for one in build_profiles(silent, known, None)} == {None}


def test_the_direction_is_that_of_the_effect_and_labels_are_in_both_languages(placed):
    audience, known = placed
    contrasts = {one.segment: one.contrasts for one in build_profiles(audience, known, None)}
    result = contrasts["high risk · low value"][0]
    assert (result.feature, result.kind, result.direction) == ("pages", "number", "lower")
    assert result.label == DisplayName("pages", "pages")
    effect = result.effect_size
    assert effect.low < effect.value < effect.high < 0
    assert result.in_segment < result.elsewhere
    assert (result.level, result.level_label) == (None, None)
    assert all(len(one) <= 3 for one in contrasts.values())


# One customer alone got the interval 0.63-0.63.
def test_a_segment_of_one_customer_has_a_count_and_no_interval(scored):
    audience = scored()
    names = np.array(["one", *["many"] * (len(audience) - 1)], dtype=object)
    every = np.ones(len(audience))
    observed = observe(
        AudienceOutcomes(every, every / 2, np.arange(len(every))), names, every
    ).segments
    audience = audience.with_segments(names)
    sums = money(audience)
    rows = build_profiles(audience, CONFIG, sums, observed=observed, observed_money=sums)
    one = next(row for row in rows if row.segment == "one")
    assert (one.n_customers, one.contrasts) == (1, ())
    assert (one.n_declined, one.risk, one.p) == (1, None, None)
    assert one.observed_profit_at_risk is None
    expected = one.expected_profit_at_risk
    assert expected == PartialEstimate(sums["one"].value, None, None)


def test_everything_told_is_finite_and_passes_through_json(placed):
    audience, known = placed
    measured = stability(audience, CONFIG, resamples=5)
    rows = build_profiles(audience, known, money(audience), stability=measured)
    json.dumps([to_tree(one) for one in rows], allow_nan=False)
    assert rows[0].stability.n_resamples > 0


def test_a_segment_whose_stability_was_not_measured_says_so(placed):
    audience, known = placed
    some = {"high risk · high value": Stability(jaccard=0.9, jaccard_low=0.8, n_resamples=5)}
    rows = build_profiles(audience, known, None, stability=some)
    assert {one.segment for one in rows if one.stability} == set(some)


def test_customers_without_a_place_have_no_profiles(scored):
    with pytest.raises(ValueError, match="these customers are not placed"):
        build_profiles(scored(), CONFIG, None)
