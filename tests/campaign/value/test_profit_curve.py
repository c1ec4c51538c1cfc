import json
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
    assert (curve.shares[0], curve.profit[0], curve.by_risk[0]) == (0, 0, 0)
    best = curve.shares.tolist().index(curve.best_share)
    assert curve.profit[best] == curve.best_profit
    assert np.diff(curve.profit[: best + 1]).min() > 0 > np.diff(curve.profit[best:]).max()


def test_only_who_may_get_an_offer_is_targeted(audience):
    offers = make_offers(audience, make_value())
    curve = profit_curve(audience, offers)
    assert curve.shares[-1] == audience.table["contactable"].mean()
    offers.eligible[:] = False
    nobody = profit_curve(audience, offers)
    assert (nobody.shares.tolist(), nobody.best_share, nobody.best_profit) == ([0.0], 0.0, 0.0)


def test_each_customers_best_offer_brings_no_less_than_any_one(audience):
    offers = make_offers(audience, make_value())
    best = profit_curve(audience, offers)
    assert best.offer is None
    alone = [profit_curve(audience, offers, name).best_profit for name in offers.names]
    assert best.best_profit > max(alone)


# No order of the same customers can do better at any share.
def test_the_riskiest_first_is_never_better(audience):
    curve = profit_curve(audience, make_offers(audience, make_value()), "call")
    assert (curve.profit >= curve.by_risk - 1e-9).all()
    assert curve.profit[-1] == pytest.approx(curve.by_risk[-1])
    assert curve.profit.max() > curve.by_risk.max() * 1.1


def test_where_nobody_pays_nobody_is_targeted(audience):
    dear = make_offers(audience, make_value(), {"dear": make_offer(contact_cost=1000)})
    curve = profit_curve(audience, dear, "dear")
    assert (curve.best_share, curve.best_profit) == (0, 0)


def test_it_has_a_few_points_however_many_customers(audience):
    curve = profit_curve(audience, make_offers(audience, make_value()))
    assert 100 < len(curve.shares) <= POINTS
    assert np.diff(curve.shares).min() > 0
    tree = json.loads(json.dumps(curve.as_json(), allow_nan=False))
    assert list(tree) == [
        "offer",
        "share",
        "profit",
        "profit_by_risk",
        "best_share",
        "best_profit",
    ]
    assert len(tree["profit"]) == len(tree["share"])


def test_the_order_of_rows_does_not_show():
    audience, value = make_audience(300, decimals=1), make_value()
    audience.table["profit"] = 2.0
    shuffled = np.random.default_rng(0).permutation(300)
    moved = replace(audience, table=audience.table.iloc[shuffled])
    first, second = (
        profit_curve(one, make_offers(one, value, boosted=1.0), "email")
        for one in (audience, moved)
    )
    assert first.by_risk == pytest.approx(second.by_risk)
    assert first.profit == pytest.approx(second.profit)
