from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from retain.campaign.segments import distinct, placed, profiles
from retain.errors import RetainError
from retain.learning.scores import COLUMNS, Scores
from retain.schema import Bands, Segmentation


@pytest.fixture
def bands():
    return Segmentation(
        name="risk_value",
        risk=Bands(scale="given", bands={"low": 0.0, "high": 0.5}),
        value=Bands(scale="quantile", bands={"low": 0.0, "high": 0.5}),
        horizon=3.0,
        share_lost=0.5,
    )


def scores(customers, origin, rows):
    ids = customers.features.index[rows]
    probability = np.random.default_rng(0).random(len(ids))
    parts = [
        pd.DataFrame(
            dict(zip(COLUMNS, (ids, r, 0, customers.target[ids], probability), strict=True))
        )
        for r in range(2)
    ]
    return Scores(pd.concat(parts, ignore_index=True), origin)


@pytest.fixture
def both(shop):
    """All customers, most scored out of fold and the rest in the sealed test."""
    customers = shop()
    rest = np.arange(len(customers)) < 60
    return customers, [
        scores(customers, "out_of_fold", ~rest),
        scores(customers, "sealed_test", rest),
    ]


def test_segments_add_up_to_the_scored_customers(both, bands):
    customers, parts = both
    table = placed(parts, customers, bands)
    profile = profiles(table, customers)
    assert sorted(table.index) == sorted(customers.features.index)
    assert profile["customers"].sum() == len(customers)
    assert profile["share"].sum() == pytest.approx(1)
    assert profile["profit"].sum() == pytest.approx(customers.profit.sum())
    assert table["origin"].value_counts().to_dict() == {"out_of_fold": 180, "sealed_test": 60}


def test_each_customer_stands_in_the_band_of_the_number(both, bands):
    table = placed(both[1], both[0], bands)
    assert (table.loc[table["risk_band"] == "high", "risk"] >= 0.5).all()
    assert (table.loc[table["risk_band"] == "low", "risk"] < 0.5).all()
    assert (table["value_band"] == "high").mean() == pytest.approx(0.5, abs=0.02)


def test_profit_at_risk_is_risk_times_profit_times_what_a_decline_costs(both, bands):
    table = placed(both[1], both[0], bands)
    assert table["profit_at_risk"].to_numpy() == pytest.approx(
        (table["risk"] * table["profit"] * 1.5).to_numpy()
    )


def test_a_customer_who_brings_a_loss_puts_nothing_at_risk(both, bands):
    customers = replace(both[0], profit=-both[0].profit)
    assert (placed(both[1], customers, bands)["profit_at_risk"] == 0).all()


def test_without_profit_segments_are_of_risk_alone(both, bands):
    customers = replace(both[0], profit=None, contactable=None)
    profile = profiles(placed(both[1], customers, bands), customers)
    assert set(profile["segment"]) == {"low risk", "high risk"}
    assert "profit_at_risk" not in profile
    assert "contactable" not in profile
    assert profile["risk"].is_monotonic_decreasing


def test_mean_risk_has_an_interval_within_zero_and_one(both, bands):
    profile = profiles(placed(both[1], both[0], bands), both[0])
    assert (profile["risk_low"] <= profile["risk"]).all()
    assert (profile["risk"] <= profile["risk_high"]).all()
    assert profile["risk_low"].min() >= 0
    assert profile["risk_high"].max() <= 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (Bands(scale="given", bands={}), r"segmentation\.value\.bands is empty"),
        (Bands(scale="quantile", bands={"all": 30.0}), "are quantiles; expected bounds within 0"),
    ],
)
def test_bands_that_place_nobody_are_refused(both, bands, change, message):
    with pytest.raises(RetainError, match=message):
        placed(both[1], both[0], bands.model_copy(update={"value": change}))


def test_the_feature_that_tells_a_segment_apart_comes_first():
    inside = np.array([True] * 20 + [False] * 80)
    random = np.random.default_rng(0)
    features = pd.DataFrame(
        {
            "noise": random.normal(size=100),
            "level": np.where(inside, "premium", "standard"),
            "pages": random.normal(size=100) - 2 * inside,
            "constant": np.ones(100),
        }
    )
    told = distinct(features, inside)
    assert told[0].startswith(("level = premium 100 % against 0 %", "level = standard 0 % against"))
    assert told[1].startswith("pages")
    assert "(−" in told[1]
    assert not [text for text in told if text.startswith("constant")]


def test_everybody_differs_from_nobody():
    assert distinct(pd.DataFrame({"pages": [1.0, 2.0]}), np.array([True, True])) == []
