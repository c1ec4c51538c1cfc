"""The numbers of a readout against published examples and other implementations."""

from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.proportion import confint_proportions_2indep

from retain.campaign.proportions import mantel_haenszel, newcombe, null_error, wilson
from retain.campaign.readout.compliance import fieller_interval
from retain.campaign.readout.means import estimate_mean_difference
from retain.campaign.readout.qini import compute_areas, compute_curve, group_by_rank
from retain.campaign.readout.save_rates import (
    ASSUMED_VAGUE_WEIGHT,
    VAGUE_SD,
    ArmCounts,
    compute_posterior,
    match_beta,
)
from retain.campaign.readout.strata import assign_strata, count_by_stratum, split_by_risk
from retain.schema.campaign import Beta

Z = stats.norm.ppf(0.975)
PRIOR = Beta(alpha=6, beta=14)


# Newcombe (1998), Table II, method 10.
@pytest.mark.parametrize(
    ("counted", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0),
    ],
)
def test_the_interval_is_that_of_newcombes_own_table(counted, low, high):
    found = newcombe(*counted, Z)
    assert (float(found.low), float(found.high)) == pytest.approx((low, high), abs=1e-4)


arms = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(max_examples=50, deadline=None)
@given(arms, arms)
def test_the_interval_is_statsmodels_and_p_says_whether_it_leaves_out_zero(one, other):
    found = newcombe(*one, *other, Z)
    theirs = confint_proportions_2indep(*one, *other, method="newcomb", compare="diff")
    assert (float(found.low), float(found.high)) == pytest.approx(theirs, abs=1e-9)
    if found.p > 0:
        ends = newcombe(*one, *other, stats.norm.isf(found.p / 2))
        assert min(abs(ends.low), abs(ends.high)) == pytest.approx(0, abs=1e-6)
    assert (found.p < 0.05) == bool(found.low > 0 or found.high < 0)


@given(arms)
def test_a_share_lies_in_its_interval_which_lies_in_zero_to_one(arm):
    low, high = wilson(*arm, Z)
    assert 0 <= low <= arm[0] / arm[1] + 1e-12
    assert arm[0] / arm[1] - 1e-12 <= high <= 1


def sato(difference, m, n, x, y):
    """Sato's variance of the Mantel-Haenszel difference if it is ``difference``, stratum by one."""
    total, weight = 0.0, 0.0
    for x_, m_, y_, n_ in zip(x, m, y, n, strict=True):
        both = m_ + n_
        weight += m_ * n_ / both
        total += difference * (m_**2 * y_ - n_**2 * x_ + m_ * n_ * (n_ - m_) / 2) / both**2
        total += (x_ * (n_ - y_) + y_ * (m_ - x_)) / (2 * both)
    return total / weight**2


def test_the_stratified_interval_is_where_the_test_of_each_difference_just_holds():
    m, n = np.array([60, 25, 130]), np.array([15, 6, 31])
    x, y = np.array([21, 14, 22]), np.array([9, 3, 8])
    found = mantel_haenszel(x, m, y, n, Z)
    by_hand = sum((x / m - y / n) * m * n / (m + n)) / sum(m * n / (m + n))
    assert float(found.value) == pytest.approx(by_hand)

    def miss(difference):
        return (by_hand - difference) ** 2 - Z**2 * sato(difference, m, n, x, y)

    low, high = optimize.brentq(miss, -1, by_hand), optimize.brentq(miss, by_hand, 1)
    assert (float(found.low), float(found.high)) == pytest.approx((low, high))


# In large strata of a common difference its variance is that of a weighted sum of shares.
def test_the_variance_is_that_of_independent_shares():
    random = np.random.default_rng(0)
    m, n = np.array([400, 250, 800]), np.array([100, 60, 200])
    p = np.array([0.6, 0.4, 0.3])
    x, y = random.binomial(m, p - 0.1, (4000, 3)), random.binomial(n, p, (4000, 3))
    found = mantel_haenszel(x, m, y, n, Z)
    assert found.value.mean() == pytest.approx(-0.1, abs=0.002)
    reach = ((found.high - found.low) / 2 / Z).mean()
    assert reach == pytest.approx(found.value.std(), rel=0.04)
    same = random.binomial(m, p, (4000, 3))
    error = null_error(same, m, y, n).mean()
    assert error == pytest.approx(mantel_haenszel(same, m, y, n, Z).value.std(), rel=0.04)


def test_a_stratum_without_an_arm_changes_nothing():
    whole = mantel_haenszel(*map(np.array, ([21, 5], [60, 9], [9, 0], [15, 0])), Z)
    alone = mantel_haenszel(*map(np.array, ([21], [60], [9], [15])), Z)
    assert np.array(whole) == pytest.approx(np.array(alone))


def test_small_strata_are_read_together_and_nobody_is_left_out():
    random = np.random.default_rng(1)
    names = random.choice(["a", "b", "c", "d"], 90, p=[0.5, 0.4, 0.06, 0.04])
    offers = random.choice(["x", "y"], 90)
    treated = random.random(90) < 0.7
    customers = pd.DataFrame({"segment": names, "offer": offers, "propensity": 0.8})
    stratum = assign_strata(customers, treated)
    found = count_by_stratum(np.ones(90), treated, stratum)
    assert found.treated.sum() + found.control.sum() == 90
    assert (np.minimum(found.treated, found.control)[1:] >= 5).all()
    small = np.isin(names, ["c", "d"])
    assert set(stratum[small]) == {0}


def test_strata_are_divided_by_risk_as_far_as_their_customers_allow():
    random = np.random.default_rng(7)
    stratum, risk = np.repeat([0, 1, 2], [500, 100, 30]), random.random(630)
    treated = np.arange(630) % 5 > 0
    groups = split_by_risk(stratum, risk, treated)
    assert [len(set(groups[stratum == code])) for code in range(3)] == [5, 1, 1]
    for low, high in zip(range(4), range(1, 5), strict=True):
        assert risk[groups == low].max() <= risk[groups == high].min()


# Of plain normal values in one stratum it has to come to what Welch's t says.
def test_the_difference_of_normal_values_is_welchs_t():
    random = np.random.default_rng(2)
    one, other = random.normal(5, 1, 300), random.normal(4.7, 2, 200)
    values, treated = np.concatenate([one, other]), np.arange(500) < 300
    found = estimate_mean_difference(values, treated, np.zeros(500, int), 0.05)
    theirs = stats.ttest_ind(one, other, equal_var=False)
    interval = theirs.confidence_interval()
    assert found.value == pytest.approx(one.mean() - other.mean())
    assert found.low == pytest.approx(interval.low, abs=0.01)
    assert found.high == pytest.approx(interval.high, abs=0.01)
    assert found.p == pytest.approx(theirs.pvalue, abs=0.005)


# Lin (2013): a regression on arm, centred covariate and their product; HC3 of statsmodels.
def test_the_adjusted_difference_is_lins_regression_with_hc3():
    random = np.random.default_rng(8)
    treated = random.random(300) < 0.8
    expected = random.lognormal(1, 0.5, 300)
    values = 2 * expected + treated * (1 + 0.5 * expected) + random.normal(0, 1, 300)
    found = estimate_mean_difference(values, treated, np.zeros(300, int), 0.05, expected)
    centred = expected - expected.mean()
    design = np.column_stack([np.ones(300), treated, centred, treated * centred])
    theirs = OLS(values, design).fit(cov_type="HC3")
    assert found.value == pytest.approx(theirs.params[1])
    assert found.standard_error == pytest.approx(theirs.bse[1], rel=1e-6)
    plain = estimate_mean_difference(values, treated, np.zeros(300, int), 0.05)
    assert found.high - found.low < 0.5 * (plain.high - plain.low)


# p and interval are of one test, also where the values are skewed.
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 0.3))
@example(627, 0.25)  # one value makes nearly all of the third moment
def test_p_is_below_the_level_if_and_only_if_the_interval_leaves_out_zero(seed, alpha):
    random = np.random.default_rng(seed)
    values, treated = random.lognormal(0, 1.2, 60), random.random(60) < 0.7
    found = estimate_mean_difference(
        values + treated, treated, np.arange(60) % 2, alpha, random.random(60)
    )
    assert (found.p < alpha) == (found.low > 0 or found.high < 0)
    assert found.low < found.value < found.high


def test_a_constant_shift_of_a_covariate_or_of_all_values_changes_nothing():
    random = np.random.default_rng(9)
    values, expected = random.lognormal(0, 1, 200), random.random(200)
    treated, stratum = random.random(200) < 0.6, np.arange(200) % 3
    one = estimate_mean_difference(values, treated, stratum, 0.05, expected)
    other = estimate_mean_difference(values + 7, treated, stratum, 0.05, 3 * expected - 1)
    assert (one.low, one.high, one.p) == pytest.approx((other.low, other.high, other.p))


def test_a_mean_within_strata_forgets_what_differs_between_them():
    random = np.random.default_rng(3)
    stratum = np.repeat([0, 1], 200)
    treated = random.random(400) < np.where(stratum == 0, 0.8, 0.3)
    values = 100.0 * stratum + random.normal(0, 1, 400) + 0.5 * treated
    found = estimate_mean_difference(values, treated, stratum, 0.05)
    assert found.low < 0.5 < found.high
    assert found.high - found.low < 1


def test_values_all_alike_and_one_arm_give_no_estimate():
    values, treated = np.arange(40.0), np.arange(40) % 2 == 0
    stratum = np.zeros(40, int)
    assert estimate_mean_difference(np.ones(40), treated, stratum, 0.05, values) is None
    assert estimate_mean_difference(treated * 5.0, treated, stratum, 0.05) is None
    assert estimate_mean_difference(values, np.ones(40, bool), stratum, 0.05) is None


# Fieller's set holds the ratios that a test of "first − ratio × second is 0" does not refuse.
def test_the_interval_of_a_ratio_inverts_a_test():
    estimates, spread = np.array([-0.08, 0.7]), np.array([[0.002, -0.0003], [-0.0003, 0.001]])
    value, low, high = fieller_interval(estimates, spread, Z)
    assert value == pytest.approx(-0.08 / 0.7)
    for end in (low, high):
        contrast = np.array([1, -end])
        z = contrast @ estimates / np.sqrt(contrast @ spread @ contrast)
        assert abs(z) == pytest.approx(Z)
    assert fieller_interval(np.array([-0.08, 0.05]), spread, Z) is None


def simulated_ranks(seed=7, customers=800):
    random = np.random.default_rng(seed)
    score, treated = np.round(random.random(customers), 1), random.random(customers) < 0.7
    stayed = random.random(customers) < 0.5 + 0.3 * treated * score
    return score, treated, stayed


def by_prefixes(score, treated, stayed):
    """The curve by its definition: everyone whose score is at least each score there is."""
    points = [(0.0, 0.0)]
    for least in sorted(set(score), reverse=True):
        chosen = score >= least
        reached, spared = chosen & treated, chosen & ~treated
        saved = stayed[reached].sum() - stayed[spared].sum() * reached.sum() / spared.sum()
        points.append((chosen.mean(), saved / treated.sum()))
    return np.array(points).T


SKLIFT = (0.10567782303077897, 0.02432072503143687)


# scikit-uplift 0.5.1 on the same customers: auc of qini_curve, as shares of all and of treated.
def test_qini_is_that_of_another_implementation_and_of_its_definition():
    found = compute_curve(group_by_rank(*simulated_ranks()))
    assert np.array(found) == pytest.approx(by_prefixes(*simulated_ranks()))
    auuc, above = compute_areas(*found)
    assert float(auuc) == pytest.approx(SKLIFT[0])
    assert float(above) == pytest.approx(SKLIFT[1])


def test_an_order_by_what_is_gained_is_above_chance_and_its_reverse_below():
    random = np.random.default_rng(4)
    gain, treated = random.random(20_000) * 0.5, random.random(20_000) < 0.5
    stayed = random.random(20_000) < 0.3 + gain * treated
    up, down = (
        compute_areas(*compute_curve(group_by_rank(s, treated, stayed)))[1] for s in (gain, -gain)
    )
    chance = compute_areas(*compute_curve(group_by_rank(random.random(20_000), treated, stayed)))[1]
    # a gain of uniform 0 to g, best first, is above the diagonal by g/12 on average
    assert up == pytest.approx(0.5 / 12, abs=0.01)
    assert down == pytest.approx(-0.5 / 12, abs=0.01)
    assert chance == pytest.approx(0, abs=0.01)


def by_weighted_draws(prior, arms, boost=1.0, draws=400_000):
    """γ by importance sampling: both components of its prior, and p from the control group."""
    random = np.random.default_rng(5)
    spared = arms.control - arms.control_declined
    share = random.beta(arms.control_declined + 0.5, spared + 0.5, draws)
    is_vague = random.random(draws) < ASSUMED_VAGUE_WEIGHT
    odds = special.logit(share) + random.normal(0, VAGUE_SD, draws)
    save = np.where(
        is_vague,
        (1 - special.expit(odds) / share) / boost,
        random.beta(prior.alpha, prior.beta, draws),
    )
    left = np.where(is_vague, special.expit(odds), share * (1 - np.minimum(save * boost, 1)))
    log = stats.binom.logpmf(arms.treated_declined, arms.treated, left)
    weight = np.exp(log - log.max())
    mean = np.average(save, weights=weight)
    order = np.argsort(save)
    ends = np.interp([0.025, 0.975], np.cumsum(weight[order]) / weight.sum(), save[order])
    spread = np.sqrt(np.average((save - mean) ** 2, weights=weight))
    return mean, spread, *ends, np.average(is_vague, weights=weight)


@pytest.mark.parametrize(
    ("arms", "boost"),
    [
        (ArmCounts(160, 60, 40, 20), 1.0),
        (ArmCounts(160, 60, 40, 20), 1.7),
        (ArmCounts(800, 400, 200, 115), 1.0),
        (ArmCounts(160, 90, 40, 16), 1.0),
    ],
)
def test_the_posterior_is_that_of_weighted_draws(arms, boost):
    found = compute_posterior(PRIOR, arms, boost=boost)
    mean, spread, low, high, vague = by_weighted_draws(PRIOR, arms, boost)
    posterior = found.posterior
    assert posterior.value == pytest.approx(mean, abs=0.005)
    assert (posterior.low, posterior.high) == pytest.approx((low, high), abs=0.015)
    assert found.vague_weight == pytest.approx(vague, abs=0.01)
    stored = found.catalogue
    matched = stats.beta(stored.alpha, stored.beta, loc=-1, scale=2)
    assert (stored.low, stored.high) == pytest.approx(matched.ppf([0.025, 0.975]))
    assert (matched.mean(), matched.std()) == pytest.approx((mean, spread), abs=0.006)


def test_a_million_customers_leave_no_doubt_and_the_grid_does_not_lose_it():
    found = compute_posterior(PRIOR, ArmCounts(800_000, 300_000, 200_000, 100_000)).posterior
    assert found.value == pytest.approx(0.25, abs=0.002)
    assert 0 < found.high - found.low < 0.012


def test_a_handful_of_customers_gives_a_finite_posterior():
    for arms in (ArmCounts(5, 0, 2, 2), ArmCounts(1, 1, 1, 0), ArmCounts(3, 3, 1, 1)):
        for prior in (PRIOR, Beta(alpha=0.2, beta=0.3), Beta(alpha=1e6, beta=1e6, minimum=-1)):
            found = compute_posterior(prior, arms).posterior
            assert np.isfinite(astuple(found)).all()
            assert found.low <= found.high <= 1


def test_the_save_rate_of_an_offer_that_harms_is_below_zero():
    found = compute_posterior(PRIOR, ArmCounts(800, 480, 200, 80))
    assert found.posterior.high < 0
    assert found.is_conflict
    assert match_beta(found.posterior.value, 0.01).mean < -0.2
