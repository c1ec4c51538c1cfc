"""BG/NBD and Pareto/NBD against their papers, integrals of their own, and simulated customers."""

import itertools

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import hyp2f1, roots_jacobi

from retain.errors import NotApplicable
from retain.learning.bg_nbd import BgNbd, ParetoNbd
from retain.learning.bg_nbd_likelihood import BgNbdParams, _NegLogLikelihood, fit_bg_nbd
from retain.learning.pareto_nbd_likelihood import ParetoNbdParams, fit_pareto_nbd

PAPER = BgNbdParams(r=0.243, alpha=4.414, a=0.793, b=2.426, log_likelihood=-9582.4)
HISTORIES = [(0, 0.0, 38.9), (1, 1.7, 38.9), (2, 30.4, 38.9), (5, 10.0, 12.0), (26, 30.0, 31.0)]


@pytest.fixture
def cdnow(cdnow_sample):
    """x, t_x and T of the sample, in weeks."""
    return cdnow_sample[:3]


def test_the_published_estimates_come_out_on_the_published_sample(cdnow):
    assert len(cdnow[0]) == 2357
    found = fit_bg_nbd(*cdnow)
    assert (round(found.r, 3), round(found.alpha, 3)) == (0.243, 4.414)
    assert (round(found.a, 3), round(found.b, 3)) == (0.793, 2.426)
    assert round(found.log_likelihood, 1) == -9582.4


# Fader, Hardie & Lee (2005) and Fader & Hardie's notes give them for this sample.
def test_pareto_nbd_comes_out_as_published_on_the_published_sample(cdnow):
    found = fit_pareto_nbd(*cdnow)
    # the likelihood is flat in beta, whose last digit depends on the optimiser
    published = pytest.approx((0.553, 10.578, 0.606, 11.669), abs=1e-3)
    assert (found.r, found.alpha, found.s, found.beta) == published
    assert round(found.log_likelihood, 1) == -9595.0


def integrated(found, of):
    """The mean of ``of(rate, leaving)`` among customers, by numbers.

    What depends on leaving is a polynomial, of which Gauss and Jacobi's sum is exact.
    """
    rates = stats.gamma(found.r, scale=1 / found.alpha)
    nodes, weights = roots_jacobi(20, found.b - 1, found.a - 1)
    leaving, weights = (1 + nodes) / 2, weights / weights.sum()

    def at(rate):
        return (of(rate, leaving) @ weights) * rates.pdf(rate)

    return integrate.quad(at, 0, rates.ppf(1 - 1e-14), epsabs=0, epsrel=1e-10, limit=200)[0]


def likely(x, t_x, T):
    """The likelihood of a history, of a customer whose rate and leaving are known (2005, 3)."""

    def of(rate, p):
        stays = (1 - p) ** x * rate**x * np.exp(-rate * T)
        return stays + (x > 0) * p * (1 - p) ** max(x - 1, 0) * rate**x * np.exp(-rate * t_x)

    return of


TAME = BgNbdParams(r=1.4, alpha=3.0, a=1.6, b=2.5, log_likelihood=0.0)


@pytest.mark.parametrize("history", [(0, 0.0, 9.0), (1, 1.7, 9.0), (2, 5.4, 6.0), (6, 8.0, 9.0)])
def test_likelihood_and_p_alive_are_those_of_an_integral_over_all_customers(history):
    whole = integrated(TAME, likely(*history))
    logs = np.log([TAME.r, TAME.alpha, TAME.a, TAME.b])
    value, _ = _NegLogLikelihood(np.array([history], dtype=float), np.array([1]))(logs)
    assert -value == pytest.approx(np.log(whole), rel=1e-6)
    x, _, T = history
    alive = integrated(TAME, lambda q, p: (1 - p) ** x * q**x * np.exp(-q * T)) / whole
    gone = TAME.p_churned(*(np.array([part]) for part in history))
    assert 1 - gone[0] == pytest.approx(alive, rel=1e-6, abs=1e-9)


def test_the_gradient_is_that_of_the_likelihood():
    falling = _NegLogLikelihood(np.array(HISTORIES, dtype=float), np.array([9, 5, 3, 2, 1]))
    logs = np.log([0.3, 4.0, 0.7, 2.0])
    _, slopes = falling(logs)
    for place in range(4):
        step = np.eye(4)[place] * 1e-6
        slope = (falling(logs + step)[0] - falling(logs - step)[0]) / 2e-6
        assert slopes[place] == pytest.approx(slope, rel=1e-6)


def test_expected_purchases_are_those_of_the_paper_in_its_own_form():
    x, t_x, T = np.array(HISTORIES).T
    r, alpha, a, b, ahead = PAPER.r, PAPER.alpha, PAPER.a, PAPER.b, 39.0
    whole = hyp2f1(r + x, b + x, a + b + x - 1, ahead / (alpha + T + ahead))
    top = (a + b + x - 1) / (a - 1) * (1 - ((alpha + T) / (alpha + T + ahead)) ** (r + x) * whole)
    below = 1 + (x > 0) * a / (b + np.maximum(x, 1) - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x)
    assert PAPER.expected_purchases(ahead, x, t_x, T) == pytest.approx(top / below, rel=1e-9)
    # What the authors' note on spreadsheets gives for two purchases, the last in week 30.43.
    known = PAPER.expected_purchases(39.0, np.array([2.0]), np.array([30.43]), np.array([38.86]))
    assert known[0] == pytest.approx(1.226, abs=5e-4)
    beside = [
        BgNbdParams(r, alpha, one, b, 0.0).expected_purchases(9.0, x, t_x, T)
        for one in (0.9999, 1, 1.0001)
    ]
    assert np.allclose(beside[1], (beside[0] + beside[2]) / 2, rtol=1e-3)


@pytest.fixture(scope="module")
def simulated():
    """Histories of 30,000 customers looked at over a year, and who of them had left."""
    random = np.random.default_rng(7)
    n, T = 30_000, np.round(random.uniform(20, 52, 30_000), 1)
    rate, leaving = random.gamma(0.8, 1 / 6.0, n), random.beta(1.2, 3.0, n)
    x, t_x, t, alive = np.zeros(n), np.zeros(n), np.zeros(n), np.ones(n, dtype=bool)
    while True:
        t = np.where(alive, t + random.exponential(1 / rate), np.inf)
        buys = t <= T
        if not buys.any():
            return x, t_x, T, ~alive
        x, t_x = x + buys, np.where(buys, t, t_x)
        alive &= ~(buys & (random.random(n) < leaving))


def test_parameters_customers_were_made_with_are_found_again(simulated):
    found = fit_bg_nbd(*simulated[:3])
    assert (found.r, found.alpha) == pytest.approx((0.8, 6.0), rel=0.06)
    assert (found.a / (found.a + found.b)) == pytest.approx(1.2 / 4.2, rel=0.06)
    gone = found.p_churned(*simulated[:3])
    for low, high in itertools.pairwise([0, 0.1, 0.3, 0.5, 0.7, 0.9, 1]):
        inside = (gone > low) & (gone <= high)
        assert gone[inside].mean() == pytest.approx(simulated[3][inside].mean(), abs=0.03)


def test_customers_rank_by_who_has_left_and_the_shares_are_right(simulated):
    x, t_x, T, gone = simulated
    days = np.column_stack([7 * (T - t_x), 7 * T, x + 1, np.ones(len(x))])
    target = (gone ^ (np.random.default_rng(0).random(len(x)) < 0.2)).astype(int)
    model = BgNbd().fit(days, target)
    probability = model.predict_proba(days)[:, 1]
    order = np.argsort(probability, kind="stable")
    assert (np.diff(model.p_label(days)[order]) >= -1e-12).all()
    assert probability.mean() == pytest.approx(target.mean(), abs=1e-4)
    assert (model.predict(days) == (probability > 0.5)).all()
    ahead = model.expected_purchases(days, 90)
    assert (ahead > 0).all()
    assert ahead[gone].mean() < ahead[~gone].mean()


def test_customers_who_bought_once_teach_it_nothing():
    once = np.column_stack([np.arange(9.0), np.arange(9.0), np.ones(9), np.ones(9)])
    with pytest.raises(NotApplicable, match="learns from repeat purchases, and no customer has"):
        BgNbd().fit(once, np.arange(9) % 2)


def test_a_likelihood_without_a_maximum_is_told():
    broken = np.array([2.0, 3.0]), np.array([1.0, np.nan]), np.array([4.0, 5.0])
    with pytest.raises(NotApplicable, match="finds no greatest likelihood"):
        fit_bg_nbd(*broken)


N_PATHS = 1_000_000
AHEAD = 13.0


def paths(gone_at, rate, T, random):
    """Histories up to T and purchases in the next weeks, of customers who leave at ``gone_at``."""
    x, t_x, later, t = (np.zeros(len(rate)) for _ in range(4))
    while True:
        t = t + random.exponential(1 / rate)
        active = t < np.minimum(gone_at, T + AHEAD)
        if not active.any():
            return x, t_x, later
        past = active & (t <= T)
        x, t_x, later = x + past, np.where(past, t, t_x), later + (active & ~past)
        t = np.where(active, t, np.inf)


def assert_calibrated(p, declined):
    """Compare the mean of P(label) and the share of the label in parts of p, in standard errors."""
    parts = np.digitize(p, np.quantile(p, np.linspace(0.1, 0.9, 9)))
    for part in np.unique(parts):
        of, came = p[parts == part], declined[parts == part]
        error = np.sqrt((of * (1 - of)).sum()) / len(of)
        assert abs(came.mean() - of.mean()) < 4 * error


@pytest.mark.slow
@pytest.mark.parametrize("needed", [1, 3])
def test_p_label_of_pareto_nbd_is_the_share_among_a_million_paths(needed):
    found, random = ParetoNbdParams(0.8, 6.0, 0.7, 12.0, 0.0), np.random.default_rng(3)
    rate = random.gamma(found.r, 1 / found.alpha, N_PATHS)
    gone_at = random.exponential(1 / random.gamma(found.s, 1 / found.beta, N_PATHS))
    T = random.uniform(20, 52, N_PATHS)
    x, t_x, later = paths(gone_at, rate, T, random)
    p = found.p_fewer(np.full(N_PATHS, float(needed)), AHEAD, x, t_x, T)
    assert_calibrated(p, later < needed)


@pytest.mark.slow
@pytest.mark.parametrize("needed", [1, 3])
def test_p_label_of_bg_nbd_is_the_share_among_a_million_paths(needed):
    found, random = BgNbdParams(0.8, 6.0, 1.2, 3.0, 0.0), np.random.default_rng(4)
    rate, T = random.gamma(found.r, 1 / found.alpha, N_PATHS), random.uniform(20, 52, N_PATHS)
    last = random.geometric(random.beta(found.a, found.b, N_PATHS))  # the purchase after which
    x, t_x, later, t = (np.zeros(N_PATHS) for _ in range(4))
    n = np.zeros(N_PATHS)
    while True:
        t, n = t + random.exponential(1 / rate), n + 1
        active = (t < T + AHEAD) & (n <= last)
        if not active.any():
            break
        past = active & (t <= T)
        x, t_x, later = x + past, np.where(past, t, t_x), later + (active & ~past)
        t = np.where(active, t, np.inf)
    p = found.p_fewer(np.full(N_PATHS, float(needed)), AHEAD, x, t_x, T)
    assert_calibrated(p, later < needed)


@pytest.mark.parametrize("history", [(0, 0.0, 9.0), (1, 1.7, 9.0), (6, 8.0, 9.0), (60, 50.0, 52.0)])
def test_pareto_nbd_is_the_double_integral_over_all_customers(history):
    r, alpha, s, beta = 1.4, 3.0, 1.6, 2.5
    found = ParetoNbdParams(r, alpha, s, beta, 0.0)
    x, t_x, T = history

    # the rate is integrated in closed form, the time of leaving by numbers
    def still_buying(until):
        return (alpha / (alpha + until)) ** r * (alpha + until) ** -float(x)

    left = integrate.quad(
        lambda t: still_buying(t) * s / beta * (beta / (beta + t)) ** (s + 1), t_x, T, epsrel=1e-11
    )[0]
    stayed = still_buying(T) * (beta / (beta + T)) ** s
    columns = [np.array([float(part)]) for part in history]
    assert found.p_churned(*columns)[0] == pytest.approx(
        left / (left + stayed), rel=1e-7, abs=1e-12
    )
    # the time of the third purchase ahead, then not having left by then
    needed, ahead = 3, 5.0
    enough = integrate.quad(
        lambda t: (
            stats.betaprime.pdf(t / (alpha + T), needed, r + x)
            / (alpha + T)
            * ((beta + T) / (beta + T + t)) ** s
        ),
        0,
        ahead,
        epsrel=1e-11,
    )[0]
    expected = 1 - stayed / (left + stayed) * enough
    assert found.p_fewer(np.array([3.0]), ahead, *columns)[0] == pytest.approx(expected, rel=1e-7)


def test_parameters_of_everyone_seen_are_fitted_instead_of_those_of_the_rows(simulated):
    x, t_x, T, gone = (column[:4000] for column in simulated)
    rows = np.column_stack([7 * (T - t_x), 7 * T, x + 1, np.ones(len(x))])
    some, everyone = x > 2, np.column_stack([x, t_x, T, np.ones(len(x))])
    for model, fitted in ((BgNbd, fit_bg_nbd), (ParetoNbd, fit_pareto_nbd)):
        alone = model().fit(rows[some], gone[some])
        told = model(horizon=30, population=everyone).fit(rows[some], gone[some])
        whole = fitted(x, t_x, T)
        assert told.params_[:4] == pytest.approx(list(whole.__dict__.values())[:4], rel=1e-3)
        assert abs(alone.params_[0] / told.params_[0] - 1) > 0.2
        assert (told.p_label(rows) > model(population=everyone).fit(rows, gone).p_label(rows)).all()
