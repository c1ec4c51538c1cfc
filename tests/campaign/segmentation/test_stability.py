import dataclasses

import numpy as np
import pandas as pd
import pytest

from retain.campaign.audience import Audience
from retain.campaign.segmentation import stability as module
from retain.campaign.segmentation.stability import stability
from retain.schema.campaign import Segmentation, ThresholdBands
from retain.schema.parsing import parse

from .assigning import assign_segments


def bands(scale="absolute", **begins):
    found = ThresholdBands(scale=scale, bands=begins)
    return Segmentation(name="x", kind="risk_value", min_size=1, risk=found)


def rules(**when):
    one = {"one": {"when": when}}
    return parse(Segmentation, {"name": "x", "kind": "rules", "min_size": 1, "rules": one})


def customers(risk, **features):
    table = pd.DataFrame({"risk": np.asarray(risk, dtype=float)})
    return Audience(table, pd.DataFrame(features, index=table.index), {})


def measured(audience, config, **changes):
    return stability(assign_segments(audience, config), config, **changes)


def test_segments_far_apart_are_found_again_and_again():
    audience = customers([0.1] * 50 + [0.9] * 50)
    found = measured(audience, bands(low=0, high=0.5))
    assert {(one.jaccard, one.jaccard_low, one.n_resamples) for one in found.values()} == {
        (1, 1, 50)
    }


def test_a_cut_off_amid_a_crowd_is_less_stable_than_one_in_a_gap():
    crowd = customers(np.linspace(0.45, 0.55, 200))
    found = measured(crowd, bands(low=0, high=0.5))["high risk"]
    assert 0.6 < found.jaccard_low < found.jaccard < 0.95


# Hand count: moved up by u the segment keeps a share 1 − u / width of itself, moved down it is
# 1 / (1 + u / width) of what it becomes; the mean over u in ± .02 of a width of .1.
def test_the_similarity_is_the_share_of_customers_both_hold():
    audience = customers(np.linspace(0.4, 0.6, 4001))
    found = measured(audience, bands(low=0, high=0.5), resamples=400)["high risk"]
    off = np.linspace(0, 0.2, 1001)
    assert found.jaccard == pytest.approx(np.mean([1 - off, 1 / (1 + off)]), abs=0.01)


def test_a_quantile_is_learnt_anew_so_its_stability_grows_with_the_customers():
    random = np.random.default_rng(0)
    few, many = customers(random.random(60)), customers(random.random(3000))
    config = bands("quantile", low=0, high=0.8)
    assert (
        measured(few, config)["high risk"].jaccard_low
        < measured(many, config)["high risk"].jaccard_low
    )
    assert measured(many, config)["high risk"].jaccard > 0.9


def test_cut_offs_of_features_are_definitions_and_stay():
    audience = customers(np.linspace(0, 1, 100), pages=np.arange(100.0))
    assert measured(audience, rules(pages={"below": 50}))["one"].jaccard_low == 1
    assert measured(audience, rules(risk={"below": 0.5}))["one"].jaccard_low < 1
    assert (
        measured(audience, rules(**{"not": {"any": [{"risk": {"below": 0.5}}]}}))["one"].jaccard_low
        < 1
    )
    assert measured(audience, rules(all=[{"pages": {"top": 0.5}}]))["one"].jaccard_low < 1


def test_cut_offs_of_money_are_moved_by_a_share_of_themselves():
    audience = customers(np.zeros(200))
    for largest in (1.0, 1e6):
        table = audience.table.assign(profit=np.linspace(0, largest, 200))
        rich = dataclasses.replace(audience, table=table, profit_unit="roubles")
        found = measured(rich, rules(profit={"above": largest / 2}))["one"]
        assert 0.9 < found.jaccard_low < found.jaccard < 1


def test_bands_of_the_risk_that_pays_move_with_it():
    audience = customers(np.linspace(0, 1, 500))
    config = bands("break_even", no=0, yes=1)
    placed = assign_segments(audience, config, break_even_risk=0.5)
    assert 0.9 < stability(placed, config, break_even_risk=0.5)["yes risk"].jaccard < 1


def test_a_tree_on_noise_is_less_stable_than_one_on_a_signal():
    random = np.random.default_rng(0)
    pages = random.integers(0, 10, 400).astype(float)
    noise = {f"noise{i}": random.random(400) for i in range(3)}
    tree = Segmentation(name="x", kind="tree", min_size=10, max_depth=1)
    signal = measured(customers((pages > 4) * 0.8, pages=pages, **noise), tree, resamples=20)
    chance = measured(customers(random.random(400), pages=pages, **noise), tree, resamples=20)
    assert min(one.jaccard for one in signal.values()) == 1
    assert min(one.jaccard for one in chance.values()) < 0.7


def test_a_seed_gives_the_same_numbers_and_another_others():
    audience = customers(np.random.default_rng(0).random(100))
    config = bands(low=0, high=0.5)
    assert measured(audience, config, seed=1) == measured(audience, config, seed=1)
    assert measured(audience, config, seed=1) != measured(audience, config, seed=2)


def test_of_very_many_customers_some_are_drawn(monkeypatch):
    monkeypatch.setattr(module, "MAX_CUSTOMERS", 50)
    audience = customers([0.1] * 300 + [0.9] * 300 + [0.99])
    found = measured(audience, bands(low=0, high=0.5, rare=0.97), resamples=5)
    assert {"low risk", "high risk"} <= set(found)


def test_a_level_that_a_resample_lacks_is_no_fault():
    level = pd.Series(["rare", *["common"] * 30], dtype="str")
    audience = customers(np.linspace(0, 1, 31), level=level)
    assert measured(audience, rules(level={"one_of": ["rare"]}))["one"].jaccard == 1


def test_customers_without_a_place_have_no_stability():
    with pytest.raises(ValueError, match="these customers are not placed"):
        stability(customers([0.5]), bands(low=0))
