from dataclasses import replace

import numpy as np
import pytest

from retain.campaign.value.profit_curve import POINTS, profit_curve

from .invented_campaign import make_audience, make_offer, make_offers, make_value


@pytest.fixture
def audience():
    return make_audience(1000)


def test_it_rises_while_customers_pay_and_falls_after(audience):
    offers = make_offers(audience, make_value())
    curve = profit_curve(audience, offers, "email")
    net = offers.net[offers.eligible[:, 0], 0]
    assert curve.best_profit == pytest.approx(net[net > 0].sum())
    assert curve.best_share == pytest.approx((net > 0).sum() / 1000)
    assert curve.profit[-1] == pytest.approx(net.sum())
    assert (curve.share[0], curve.profit[0], curve.profit_by_risk[0]) == (0, 0, 0)
    best = curve.share.index(curve.best_share)
    assert curve.profit[best] == curve.best_profit
    assert np.diff(curve.profit[: best + 1]).min() > 0 > np.diff(curve.profit[best:]).max()


def test_only_who_may_get_an_offer_is_targeted(audience):
    offers = make_offers(audience, make_value())
    curve = profit_curve(audience, offers)
    assert curve.share[-1] == audience.table["contactable"].mean()
    offers.eligible[:] = False
    nobody = profit_curve(audience, offers)
    assert (nobody.share, nobody.best_share, nobody.best_profit) == ((0.0,), 0.0, 0.0)


def test_each_customers_best_offer_brings_no_less_than_any_one(audience):
    offers = make_offers(audience, make_value())
    best = profit_curve(audience, offers)
    assert best.offer is None
    alone = [profit_curve(audience, offers, name).best_profit for name in offers.names]
    assert best.best_profit > max(alone)


# No order of the same customers can do better at any share.
def test_the_riskiest_first_is_never_better(audience):
    curve = profit_curve(audience, make_offers(audience, make_value()), "call")
    assert (np.array(curve.profit) >= np.array(curve.profit_by_risk) - 1e-9).all()
    assert curve.profit[-1] == pytest.approx(curve.profit_by_risk[-1])
    assert max(curve.profit) > max(curve.profit_by_risk) * 1.1


def test_where_nobody_pays_nobody_is_targeted(audience):
    dear = make_offers(audience, make_value(), {"dear": make_offer(contact_cost=1000)})
    curve = profit_curve(audience, dear, "dear")
    assert (curve.best_share, curve.best_profit) == (0, 0)


def test_it_has_a_few_points_however_many_customers(audience):
    curve = profit_curve(audience, make_offers(audience, make_value()))
    assert 100 < len(curve.share) <= POINTS
    assert np.diff(curve.share).min() > 0
    assert len(curve.profit) == len(curve.share)


def test_the_order_of_rows_does_not_show():
    audience, value = make_audience(300, decimals=1), make_value()
    audience.table["profit"] = 2.0
    shuffled = np.random.default_rng(0).permutation(300)
    moved = replace(audience, table=audience.table.iloc[shuffled])
    first, second = (
        profit_curve(one, make_offers(one, value, boosted=1.0), "email")
        for one in (audience, moved)
    )
    assert first.profit_by_risk == pytest.approx(second.profit_by_risk)
    assert first.profit == pytest.approx(second.profit)
