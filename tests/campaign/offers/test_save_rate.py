"""Save rates that may lie below 0, from the catalogue to the plan."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from retain.campaign.offers.offers import boost_factors, expected_cost
from retain.campaign.offers.save_rate import (
    log_save_rate_density,
    partial_save_rate_moments,
    sample_save_rates,
    save_rate_quantiles,
)
from retain.campaign.value.empc import empc
from retain.schema.campaign import Beta

from ..readout.simulated_campaign import simulation

betas = st.builds(Beta, alpha=st.floats(0.5, 50), beta=st.floats(0.5, 50), minimum=st.floats(-1, 0))


def scipys(beta):
    """The same distribution as scipy writes it."""
    return stats.beta(beta.alpha, beta.beta, loc=beta.minimum, scale=1 - beta.minimum)


@given(betas)
def test_quantiles_density_and_mean_are_scipys(beta):
    theirs = scipys(beta)
    assert beta.mean == pytest.approx(theirs.mean(), abs=1e-9)
    shares = (0.025, 0.5, 0.975)
    quantiles = save_rate_quantiles(beta, shares)
    assert quantiles == pytest.approx(theirs.ppf(shares).tolist(), abs=1e-9)
    density = log_save_rate_density(beta, np.array(quantiles))
    inside = np.isfinite(density)
    assert density[inside] == pytest.approx(theirs.logpdf(quantiles)[inside], abs=1e-6)


@given(betas, st.floats(-1, 1))
def test_partial_moments_add_up_to_the_whole(beta, edge):
    mass, mean = partial_save_rate_moments(beta, np.array([-np.inf, edge, np.inf]))
    assert mass.sum() == pytest.approx(1)
    assert mean.sum() == pytest.approx(beta.mean, abs=1e-9)
    assert mass[0] == pytest.approx(scipys(beta).cdf(edge), abs=1e-9)


def test_draws_reach_below_zero_and_have_the_mean():
    beta = Beta(alpha=12, beta=13, minimum=-1)
    draws = sample_save_rates(beta, 20_000, np.random.default_rng(0))
    assert draws.mean() == pytest.approx(beta.mean, abs=0.01)
    assert 0 < np.mean(draws < 0) < 1


# With a save rate that may be negative the best cut-off is often to target nobody.
def test_empc_of_a_save_rate_below_zero_is_its_expected_maximum():
    random = np.random.default_rng(1)
    declined, score = random.random(60) < 0.4, random.random(60)
    beta = Beta(alpha=8, beta=9, minimum=-1)
    found = empc(declined, score, 10.0, incentive=1.0, contact=0.5, save_rate=beta)
    order = np.argsort(-score)
    won = np.append(0, np.cumsum(declined[order] * 9.0))
    lost = np.append(0, np.cumsum(0.5 + ~declined[order] * 1.0))
    draws = sample_save_rates(beta, 20_000, random)
    best = (draws[:, None] * won - lost).max(axis=1)
    assert found.value == pytest.approx(best.mean() / 60, rel=0.03)


def test_an_offer_that_saves_nobody_is_taken_by_stayers_alone():
    offer = simulation.catalogue({"call": 0.0}).offers["call"]
    assert offer.save_rate.mean == pytest.approx(0.3)
    costs = expected_cost(offer, np.ones(2), np.array([-0.5, 0.0]), np.full(2, 10.0))
    assert costs.tolist() == [1.0, 1.0]
    useless = offer.model_copy(update={"save_rate": Beta(alpha=9, beta=9, minimum=-1)})
    assert boost_factors(useless, np.zeros(3)).tolist() == [1, 1, 1]
