"""Readouts of simulated campaigns whose true effect is known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from retain.campaign.readout.means import BootstrapSettings, estimate_mean_difference
from retain.campaign.readout.save_rates import ArmCounts, compute_posterior
from retain.campaign.shares import mantel_haenszel, newcombe
from retain.verdict.paired import holm

from .simulated_campaign import simulation

CAMPAIGNS = 500
Z = stats.norm.ppf(0.975)
LARGE = simulation.LARGE


def count_declines(design, by, seed):
    """Declines and customers by part and arm of 500 campaigns, each (campaigns, parts)."""
    treated, declined = design.drawn(CAMPAIGNS, seed)
    codes = design.table.groupby(by).ngroup().to_numpy()
    member = np.eye(codes.max() + 1)[codes]
    arms = (treated, ~treated)
    return [events.astype(float) @ member for arm in arms for events in (arm & declined, arm)]


def coverage(found, truth):
    """The share of intervals that hold the truth."""
    return float(np.mean((found.low <= truth) & (truth <= found.high)))


# Nominal 95 %; 93 % is two standard errors of 500 campaigns below it.
def test_the_overall_interval_holds_the_truth():
    found = mantel_haenszel(*count_declines(LARGE, ["segment", "offer"], seed=1), Z)
    assert coverage(found, LARGE.effect.mean()) >= 0.93
    assert found.value.mean() == pytest.approx(LARGE.effect.mean(), abs=0.004)


@pytest.mark.parametrize("of", ["offer", "segment"])
def test_the_intervals_of_every_part_hold_the_truth(of):
    found = newcombe(*count_declines(LARGE, of, seed=2), Z)
    truth = LARGE.table.assign(effect=LARGE.effect).groupby(of)["effect"].mean().to_numpy()
    assert coverage(found, truth) >= 0.93


def test_save_rates_are_held_by_their_posteriors():
    random = np.random.default_rng(3)
    true = random.beta(simulation.PRIOR.alpha, simulation.PRIOR.beta, 200)
    treated, control, share = 160, 40, 0.45
    declined = random.binomial(treated, share * (1 - true)).tolist()
    spared = random.binomial(control, share, 200).tolist()
    arms = [ArmCounts(treated, a, control, b) for a, b in zip(declined, spared, strict=True)]
    now = [compute_posterior(simulation.PRIOR, each) for each in arms]
    within = [one["low"] <= rate <= one["high"] for one, rate in zip(now, true, strict=True)]
    assert np.mean(within) >= 0.92  # two standard errors of 200 below nominal
    # it learns: nearer to the truth than the prior was
    found = np.array([one["value"] for one in now])
    assert np.abs(found - true).mean() < np.abs(simulation.PRIOR.mean - true).mean()


def test_profit_is_held_as_well():
    worth = LARGE.table["profit"].to_numpy()
    stratum = LARGE.table.groupby(["segment", "offer"]).ngroup().to_numpy()
    true, draws, found = -(LARGE.effect * worth).mean(), BootstrapSettings(0.05, 400, 0), []
    for treated, declined in zip(*LARGE.drawn(200, 4), strict=True):
        result = estimate_mean_difference(np.where(declined, 0.0, worth), treated, stratum, draws)
        found.append(result.low <= true <= result.high)
    assert np.mean(found) >= 0.92


# Of campaigns without an effect 5 % are called something, over all offers after Holm's correction.
def test_a_campaign_that_does_nothing_is_seldom_called_anything():
    idle = replace(LARGE, save=dict.fromkeys(LARGE.save, 0.0))
    overall = mantel_haenszel(*count_declines(idle, ["segment", "offer"], seed=5), Z)
    assert np.mean(overall.p < 0.05) <= 0.07
    offers = newcombe(*count_declines(idle, "offer", seed=5), Z)
    assert np.mean([holm(p).min() < 0.05 for p in offers.p]) <= 0.07


def test_a_campaign_that_harms_is_called_harm_and_one_that_helps_help():
    strong = replace(LARGE, save=dict.fromkeys(LARGE.save, 0.5))
    weak = replace(LARGE, save=dict.fromkeys(LARGE.save, -0.5))
    assert simulation.called(strong, 10)["helped"] > 0.9
    harm = simulation.called(weak, 10)
    assert harm["harmed"] > 0.9
    assert harm["helped"] == 0
