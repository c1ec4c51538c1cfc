import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from retain.campaign.planning.power import (
    N_OUTCOMES,
    analyse_power,
    minimum_detectable_effect,
    required_sample,
)
from retain.campaign.readout.gatekeeping import OUTCOMES

from .random_plans import random_campaign

USUAL = {"alpha": 0.05, "power": 0.8}


@pytest.mark.parametrize("baseline", [0.1, 0.38, 0.83, 1.0])
@pytest.mark.parametrize(("treated", "control"), [(154, 154), (246, 62), (5000, 1000)])
def test_the_detectable_fall_has_the_power_that_statsmodels_says(baseline, treated, control):
    fall = minimum_detectable_effect(treated, control, baseline=baseline, **USUAL)
    effect = proportion_effectsize(baseline, baseline - fall)
    chance = NormalIndPower().power(effect, treated, 0.05, ratio=control / treated)
    assert chance == pytest.approx(0.8, abs=1e-4)


@pytest.mark.parametrize(("baseline", "hoped"), [(0.83, 0.05), (0.38, 0.1), (0.05, 0.02)])
def test_the_sample_needed_is_that_of_statsmodels(baseline, hoped):
    effect = proportion_effectsize(baseline, baseline - hoped)
    theirs = NormalIndPower().solve_power(effect, alpha=0.05, power=0.8, ratio=1.0)
    assert theirs <= required_sample(baseline, hoped, **USUAL) < theirs + 1.001


# 308 contactable high-risk customers of the store, of whom 83 % decline. The variance of the
# baseline alone would say 12 and 15 points; a fall to some 70 % has more.
def test_what_the_store_can_tell():
    reach = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    for (treated, control), short, full in (((154, 154), 0.12, 0.135), ((246, 62), 0.15, 0.171)):
        naive = reach * np.sqrt(0.83 * 0.17 * (1 / treated + 1 / control))
        assert naive == pytest.approx(short, abs=0.001)
        detectable = minimum_detectable_effect(treated, control, baseline=0.83, **USUAL)
        assert detectable == pytest.approx(full, abs=0.001)
    assert required_sample(0.83, 0.05, **USUAL) == 983  # 982.01 of them


# The promise must hold in the world, not only in the formula.
def test_the_detectable_fall_is_seen_in_four_of_five_campaigns():
    treated, control, baseline = 246, 62, 0.83
    fall = minimum_detectable_effect(treated, control, baseline=baseline, **USUAL)
    random = np.random.default_rng(0)
    stayed = random.binomial(treated, baseline - fall, 20_000) / treated
    other = random.binomial(control, baseline, 20_000) / control
    pooled = (stayed * treated + other * control) / (treated + control)
    error = np.sqrt(pooled * (1 - pooled) * (1 / treated + 1 / control))
    seen = (np.abs(stayed - other) / error > stats.norm.ppf(0.975)).mean()
    assert seen == pytest.approx(0.8, abs=0.04)


def test_two_arms_that_are_large_enough_promise_what_is_hoped():
    enough = required_sample(0.83, 0.05, **USUAL)
    for arm, promised in ((enough, True), (enough - 2, False)):
        result = analyse_power(arm, arm, baseline=0.83, expected_effect=0.05, **USUAL)
        assert result.claimable is promised
        assert result.required_n == enough
    assert result.n_treated == enough - 2


def test_more_customers_see_less():
    falls = [
        minimum_detectable_effect(n, n, baseline=0.4, **USUAL) for n in (50, 100, 1000, 10_000)
    ]
    assert falls == sorted(falls, reverse=True)
    even, uneven = (
        minimum_detectable_effect(n, 400 - n, baseline=0.4, **USUAL) for n in (200, 320)
    )
    assert even < uneven


@pytest.mark.parametrize(
    ("treated", "control", "baseline"), [(0, 10, 0.5), (10, 0, 0.5), (100, 100, 0.0), (4, 4, 0.2)]
)
def test_arms_that_can_tell_nothing_say_so(treated, control, baseline):
    result = analyse_power(treated, control, baseline=baseline, expected_effect=0.1, **USUAL)
    assert result.minimum_detectable_effect is None
    assert not result.claimable


@pytest.mark.parametrize(("baseline", "hoped"), [(0.3, 0.0), (0.3, -0.1), (0.3, 0.4)])
def test_no_sample_shows_what_cannot_be(baseline, hoped):
    assert required_sample(baseline, hoped, **USUAL) is None


# Planned at .05, a campaign was read out at .025 for each of declines and profit.
def test_a_campaign_is_planned_at_the_level_of_its_readout():
    campaign, settings = random_campaign(3, control_share=0.2, alpha=0.04)
    power = campaign.document.power
    assert len(OUTCOMES) == N_OUTCOMES
    assert (power.alpha, power.level) == (0.04, 0.02)
    overall = power.overall
    arms = (overall.n_treated, overall.n_control)
    at = {"baseline": overall.baseline_rate, "power": settings.campaign.power}
    found = overall.minimum_detectable_effect
    assert found == minimum_detectable_effect(*arms, alpha=0.02, **at)
    assert found > minimum_detectable_effect(*arms, alpha=0.04, **at)
