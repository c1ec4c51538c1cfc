import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from retain.campaign.value.break_even import cheapest_offer
from retain.campaign.value.empc import empc, of_offer
from retain.schema.campaign import Beta, Catalogue

from .invented_campaign import CATALOGUE, make_audience, make_offer, make_value

PUBLISHED = {"incentive": 10, "contact": 1, "save_rate": Beta(alpha=6, beta=14)}
"""The set-up of Verbraken et al. 2013: value 200, incentive 10, contact 1, γ ~ Beta(6, 14)."""


def two_hundred():
    """Scores with ties, and who declined: drawn as the reference figures below were."""
    random = np.random.default_rng(0)
    score = random.random(200).round(2)
    return (random.random(200) < score**2).astype(int), score


def integrated(declined, score, value, incentive, contact, save_rate, stayers, steps=20_001):
    """The measure by brute force: the best cut-off at every save rate of a fine grid."""
    cuts = [np.zeros(len(score), dtype=bool), *(score >= one for one in np.unique(score)[::-1])]
    value, incentive = np.broadcast_to(value, score.shape), np.broadcast_to(incentive, score.shape)
    saved = np.array([(declined * (value - incentive))[cut].sum() for cut in cuts])
    spent = contact + (1 - declined) * stayers * incentive
    cost = np.array([spent[cut].sum() for cut in cuts])
    shares = np.array([cut.mean() for cut in cuts])
    rates = (np.arange(steps) + 0.5) / steps
    density = stats.beta.pdf(rates, save_rate.alpha, save_rate.beta) / steps
    profit = np.outer(rates, saved) - cost
    best = profit.argmax(axis=1)
    return density @ profit.max(axis=1) / len(score), density @ shares[best]


# empulse 0.11.1 and EMP-PY 2.0.4, on the customers above:
#   empulse.metrics.empc(declined, score, clv=200, incentive_cost=10, contact_cost=1)
#   EMP.metrics.empChurn(score.tolist(), declined.tolist(), alpha=6, beta=14, clv=200, d=10, f=1)
# both give 19.4945175409573 and .5942055285480656, and the second ends in …276 for …27.
def test_the_published_set_up_gives_what_two_other_implementations_give():
    declined, score = two_hundred()
    found = empc(declined, score, 200, **PUBLISHED)
    assert found.value == pytest.approx(19.49451754095727, rel=1e-12)
    assert found.share == pytest.approx(0.5942055285480656, rel=1e-12)


def test_individual_values_that_are_alike_change_nothing():
    declined, score = two_hundred()
    alike = empc(declined, score, np.full(200, 200.0), **PUBLISHED)
    assert alike == empc(declined, score, 200, **PUBLISHED)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 40), decimals=st.sampled_from([1, 8]))
def test_it_is_the_integral_over_save_rates_of_the_best_cut_off(seed, n, decimals):
    random = np.random.default_rng(seed)
    score = random.random(n).round(decimals)
    declined = (random.random(n) < score).astype(int)
    value = random.gamma(1, 40, n)
    incentive = random.uniform(0, 20, n)
    thought = Beta(alpha=random.uniform(1.5, 8), beta=random.uniform(1.5, 8))
    contact, stayers = random.uniform(0, 5), random.random()
    found = empc(
        declined,
        score,
        value,
        incentive=incentive,
        contact=contact,
        save_rate=thought,
        redemption_rate_stayers=stayers,
    )
    expected = integrated(declined, score, value, incentive, contact, thought, stayers)
    assert found.value == pytest.approx(expected[0], abs=1e-4)
    assert found.share == pytest.approx(expected[1], abs=1e-3)


# Who is worth more matters: a model that puts the valuable decliners first earns more.
def test_the_order_of_values_counts():
    declined, score = np.array([1, 1, 0, 0]), np.array([0.9, 0.4, 0.5, 0.1])
    first = empc(declined, score, np.array([300, 100, 100, 100]), **PUBLISHED)
    last = empc(declined, score, np.array([100, 300, 100, 100]), **PUBLISHED)
    assert first.value > last.value
    assert first.share < last.share


# Of two customers of one score one declines; each of them half declines.
def test_a_probability_may_stand_for_an_outcome():
    outcome = empc(np.array([1, 0, 0]), np.array([0.6, 0.6, 0.2]), 200, **PUBLISHED)
    chance = empc(np.array([0.5, 0.5, 0]), np.array([0.6, 0.6, 0.2]), 200, **PUBLISHED)
    assert chance.value == pytest.approx(outcome.value)
    assert chance.share == pytest.approx(outcome.share)


def test_where_nobody_pays_nobody_is_targeted():
    declined, score = two_hundred()
    poor = empc(declined, score, 5, **PUBLISHED)
    assert (poor.value, poor.share) == (0.0, 0.0)
    free = empc(np.ones(200), score, 200, **{**PUBLISHED, "contact": 0})
    assert free.value == pytest.approx(0.3 * 190)
    assert free.share == pytest.approx(1.0)


def test_an_offer_of_the_catalogue_brings_its_own_economics():
    value, audience = make_value(), make_audience(200)
    catalogue = Catalogue(name="invented", offers=CATALOGUE)
    assert cheapest_offer(catalogue) == "gift"
    declined = (
        (np.random.default_rng(0).random(200) < audience.table["risk"]).to_numpy().astype(int)
    )
    table = audience.table
    offer = make_offer(discount=0.1)
    earned = np.nan_to_num(table["profit"].clip(lower=0).to_numpy())
    expected = integrated(
        declined,
        table["score"].to_numpy(),
        table["value_at_stake"].to_numpy(),
        0.3 + 0.1 * 3 * earned,
        0.2,
        offer.save_rate,
        0.5,
    )
    found = of_offer(audience, declined, offer, value)
    assert (found.value, found.share) == pytest.approx(expected, abs=1e-4)
