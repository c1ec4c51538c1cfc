from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from retain.campaign.value.value import build_audience
from retain.errors import RetainError
from retain.learning.scores import COLUMNS, Scores

from .invented_campaign import make_line, make_value

HALVED = make_line(0.0, 0.5, np.zeros((2, 2)))


def scores(customers, origin, rows, repeats=2):
    ids = customers.features.index[rows]
    random = np.random.default_rng(0)
    parts = [
        pd.DataFrame(dict(zip(COLUMNS, (ids, r, 0, 0, random.random(len(ids))), strict=True)))
        for r in range(repeats)
    ]
    return Scores(pd.concat(parts, ignore_index=True), origin)


@pytest.fixture
def customers(shop):
    return shop()


@pytest.fixture
def parts(customers):
    """Most customers scored out of fold, the rest in the sealed test."""
    rest = np.arange(len(customers)) < 60
    return [scores(customers, "out_of_fold", ~rest), scores(customers, "sealed_test", rest)]


def test_every_scored_customer_stands_once_in_it_in_order_of_ids(customers, parts):
    found = build_audience(parts, customers, HALVED, make_value(), consent="from_data")
    assert found.table.index.tolist() == sorted(customers.features.index)
    assert found.features.index.equals(found.table.index)
    assert found.table["origin"].value_counts().to_dict() == {"out_of_fold": 180, "sealed_test": 60}
    means = pd.concat([one.per_customer() for one in parts])
    assert found.table["score"].to_dict() == pytest.approx(means.to_dict())


def test_risk_is_the_recalibrated_score(customers, parts):
    table = build_audience(parts, customers, HALVED, make_value(), consent="from_data").table
    odds = (table["score"] / (1 - table["score"])) ** 0.5
    assert table["risk"].to_numpy() == pytest.approx((odds / (1 + odds)).to_numpy())


def test_profit_at_risk_is_risk_times_what_a_decline_is_taken_to_cost(customers, parts):
    table = build_audience(parts, customers, HALVED, make_value(), consent="from_data").table
    cost = customers.profit.loc[table.index] * 3.0 * 0.8 * 1.0
    assert table["value_at_stake"].to_numpy() == pytest.approx(cost.to_numpy())
    assert table["profit_at_risk"].to_numpy() == pytest.approx((table["risk"] * cost).to_numpy())


def test_a_loss_and_an_unknown_profit_put_nothing_at_stake(customers, parts):
    profit = customers.profit.copy()
    profit.iloc[:10], profit.iloc[10:20] = -1.0, np.nan
    table = build_audience(
        parts, replace(customers, profit=profit), HALVED, make_value(), consent="from_data"
    ).table
    assert (table.loc[profit.index[:20], "value_at_stake"] == 0).all()
    assert (table.loc[profit.index[20:], "value_at_stake"] > 0).all()
    assert (table.loc[profit.index[:10], "profit"] == -1).all()
    assert table.loc[profit.index[10:20], "profit"].isna().all()


def test_without_profit_it_speaks_of_risk_alone(customers, parts):
    poor = replace(customers, profit=None, profit_unit=None)
    found = build_audience(parts, poor, HALVED, make_value(), consent="from_data")
    assert not found.with_profit
    assert list(found.table) == ["score", "origin", "risk", "contactable"]


def test_features_are_all_there_derived_ones_included(customers, parts):
    found = build_audience(parts, customers, HALVED, make_value(), consent="from_data")
    assert list(found.features) == [*customers.features, "revenue_trend"]
    assert list(found.columns) == list(found.features)
    change = customers.features["revenue_current"] - customers.features["revenue_previous"]
    trend = found.features["revenue_trend"]
    assert trend.to_numpy() == pytest.approx(change.loc[trend.index].to_numpy())


# No consent is what is missing, false, or not stated; only the store can vouch for the last.
def test_consent_is_what_is_known_to_be_given(customers, parts):
    stated = customers.contactable.astype("object")
    stated.iloc[0], stated.iloc[1] = np.nan, True
    known = replace(customers, contactable=stated)
    table = build_audience(parts, known, HALVED, make_value(), consent="from_data").table
    assert table["contactable"].dtype == bool
    assert not table.loc[stated.index[0], "contactable"]
    assert table.loc[stated.index[1], "contactable"]
    silent = replace(customers, contactable=None)
    for consent, agreed in (("from_data", False), ("assume_given", True)):
        table = build_audience(parts, silent, HALVED, make_value(), consent=consent).table
        assert (table["contactable"] == agreed).all()


def test_nobody_can_vouch_for_customers_who_were_asked(customers, parts):
    refused = int((~customers.contactable).sum())
    with pytest.raises(RetainError, match=f"{refused} have not agreed; expected .*=from_data"):
        build_audience(parts, customers, HALVED, make_value(), consent="assume_given")


def test_a_customer_scored_twice_over_is_a_mistake(customers, parts):
    with pytest.raises(ValueError, match="overlapping values"):
        build_audience([*parts, parts[0]], customers, HALVED, make_value(), consent="from_data")
