"""The checks of a label in stores whose true rates are known."""

import importlib

import numpy as np
import pytest

from retain.customers.purchases.quality.chance import LabelledRows, estimate_chance
from retain.customers.purchases.quality.money import fit_gamma_gamma
from retain.customers.purchases.quality.order_rates import OrderRates, PastOrders, fit_order_rates
from retain.customers.purchases.quality.quality import measure_persistence
from retain.errors import NotApplicable


@pytest.fixture(scope="module")
def stores(checkout):
    """The simulation of experiments/statistics."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(checkout / "experiments" / "statistics"))
        yield importlib.import_module("label")


@pytest.fixture(scope="module")
def store(stores):
    return stores.simulate("mixed", 40_000, np.random.default_rng(0))


def test_the_rates_customers_were_made_with_are_found_in_spite_of_their_selection(store, stores):
    rows = store.rows
    past = PastOrders(
        rows.repeats, rows.days, rows.periods, rows.period_days, np.ones(len(rows.days))
    )
    found = fit_order_rates(past)
    assert (found.r, found.alpha) == pytest.approx((stores.SHAPE, stores.SCALE), rel=0.12)


@pytest.mark.parametrize("kind", ["equal", "mixed", "decliners", "season"])
def test_the_chance_floor_is_the_share_expected_from_the_true_rates(stores, kind):
    store = stores.simulate(kind, 20_000, np.random.default_rng(1))
    found = estimate_chance(store.rows)
    assert found.share.value == pytest.approx(stores.expected_share(store), abs=0.01)
    # taking the orders of the look-back for the rate misses how much of them was luck
    assert found.poisson_share < found.share.value - 0.03


def test_the_excess_over_chance_is_there_where_customers_leave_and_not_where_they_do_not(stores):
    steady, leaving = (
        estimate_chance(stores.simulate(kind, 4000, np.random.default_rng(2)).rows).excess
        for kind in ("mixed", "decliners")
    )
    assert abs(steady.value) < 0.03
    assert leaving.low > 0.1


# Few rows whose label timing can hardly miss, and hardly reach.
@pytest.mark.parametrize("needed", [1, 15, 60])
def test_a_share_by_chance_and_its_interval_are_shares(needed):
    random, n = np.random.default_rng(0), 12
    orders = random.integers(25, 35, n).astype(float)
    days, ahead = np.full(n, 180.0), np.full(n, 90.0)
    rows = LabelledRows(
        customer=np.arange(n),
        orders=orders,
        repeats=orders - 2,
        days=days,
        periods=np.full(n, 2.0),
        period_days=90,
        needed=np.full(n, float(needed)),
        ahead=ahead,
        declined=(np.arange(n) % 2).astype(float),
    )
    found = estimate_chance(rows)
    assert 0 <= found.share.low <= found.share.value <= found.share.high <= 1
    assert 0.5 <= found.ceiling_auc <= 1


def test_no_score_ranks_better_than_the_true_rates(store):
    rows, random = store.rows, np.random.default_rng(3)
    ceiling = estimate_chance(rows).ceiling_auc
    declined = random.poisson(store.rate * rows.ahead) < rows.needed
    order = np.argsort(np.argsort(-store.rate * rows.ahead / rows.needed))
    auc = (order[declined].mean() - (declined.sum() - 1) / 2) / (~declined).sum()
    assert 0.6 < auc < ceiling + 0.01


def test_p_fewer_is_the_share_among_paths():
    rates, random = OrderRates(1.5, 40.0), np.random.default_rng(4)
    true = random.gamma(rates.r + 3, 1 / (rates.alpha + 180), 400_000)
    share = (random.poisson(true * 90) < 2).mean()
    args = (np.array([2.0]), np.array([90.0]), np.array([3.0]), np.array([180.0]))
    assert rates.p_fewer(*args)[0] == pytest.approx(share, abs=0.003)


def test_persistence_is_a_whole_loss_where_leaving_is_all_that_the_label_sees(stores):
    rows = stores.simulate("mixed", 3000, np.random.default_rng(5)).rows
    later = np.where(rows.declined == 1, 0.25, 0.5) * rows.orders / rows.days * 90
    found = measure_persistence(rows, later)
    assert (found.labelled, found.others) == pytest.approx((0.25, 0.5))
    assert found.loss_fraction.value == pytest.approx(0.5)
    assert found.loss_fraction.low <= 0.5 <= found.loss_fraction.high


def test_a_log_without_a_horizon_after_next_has_no_persistence(store):
    with pytest.raises(NotApplicable, match="short_log"):
        measure_persistence(store.rows, np.full(len(store.rows.days), np.nan))
    few = np.where(np.arange(len(store.rows.days)) < 10, 1.0, np.nan)
    with pytest.raises(NotApplicable, match="few_customers"):
        measure_persistence(store.rows, few)


def test_gamma_gamma_comes_out_as_published_on_the_published_sample(cdnow_sample):
    _, _, _, repeats, spend = cdnow_sample
    bought = repeats > 0
    assert bought.sum() == 946
    found = fit_gamma_gamma(repeats[bought], spend[bought])
    # Fader & Hardie (2013)
    assert (found.p, found.q, found.gamma) == pytest.approx((6.25, 3.74, 15.44), rel=3e-3)


def test_the_expected_spend_is_that_of_later_orders():
    random, n = np.random.default_rng(6), 200_000
    p, q, gamma = 6.25, 3.74, 15.44
    scale = random.gamma(q, 1 / gamma, n)
    orders = random.integers(1, 6, n).astype(float)
    mean = random.gamma(p * orders, 1 / scale) / orders
    found = fit_gamma_gamma(orders[:20_000], mean[:20_000])
    assert (found.p, found.q) == pytest.approx((p, q), rel=0.1)
    later, expected = p / scale, found.expected_spend(orders, mean)
    parts = np.digitize(expected, np.quantile(expected, [0.25, 0.5, 0.75]))
    for part in range(4):
        inside = parts == part
        assert expected[inside].mean() == pytest.approx(later[inside].mean(), rel=0.03)


def test_money_of_nobody_has_no_mean_spend():
    with pytest.raises(NotApplicable, match="customers who spent something"):
        fit_gamma_gamma(np.zeros(3), np.zeros(3))
