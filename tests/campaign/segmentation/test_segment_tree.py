import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retain.campaign.audience import Audience
from retain.campaign.segmentation import segment_tree
from retain.campaign.segmentation.rules import check_rule, evaluate_rule
from retain.customers.customers import Column
from retain.record.estimates import DisplayName
from retain.schema.campaign import Segmentation

from .assigning import assign_segments

COLUMNS = {
    "pages": Column("pages", "site", "number", "Pages a visit", "Страниц за визит"),
    "spent": Column("spent", "purchase", "number"),
    "level": Column(
        "level",
        "purchase",
        "category",
        "Level",
        "Уровень",
        {"gold": DisplayName("Gold", "Золотой")},
    ),
}


def tree(**changes):
    usual = {"name": "tree", "kind": "tree", "min_size": 5, "min_leaf_fraction": 0.05}
    return Segmentation(**{**usual, **changes})


def invented(n, seed, unknown=0.2):
    """Profit at risk hangs on pages, on the level, and on whether the amount is known at all."""
    random = np.random.default_rng(seed)
    pages = random.integers(1, 12, n).astype(float)
    spent = np.where(random.random(n) < unknown, np.nan, random.gamma(2, 50, n))
    names = random.choice(["gold", "silver", "plain"], n)
    level = pd.Series(np.where(random.random(n) < unknown, None, names), dtype="str")
    features = pd.DataFrame({"pages": pages, "spent": spent, "level": level})
    money = 9.0 * (pages < 5) + 6.0 * (level == "gold") + 4.0 * np.isnan(spent)
    money = money + random.gamma(1, 1, n)
    table = pd.DataFrame({"risk": random.random(n), "profit_at_risk": money})
    return Audience(table, features, COLUMNS, "roubles")


# A customer in two leaves would be counted twice, one in none would be lost.
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000), n=st.integers(20, 300), depth=st.integers(1, 5),
    unknown=st.sampled_from([0.0, 0.2, 0.9]),
)  # fmt: skip
def test_exactly_one_leaf_holds_of_any_customer_seen_or_not(seed, n, depth, unknown):
    audience = invented(n, seed, unknown)
    leaves = segment_tree.leaf_rules(audience, tree(max_depth=depth))
    for others in (audience, invented(200, seed + 1, 0.5)):
        held = np.sum([evaluate_rule(leaf.when, others) for leaf in leaves.values()], axis=0)
        assert (held == 1).all()
    fewest = max(5, np.ceil(0.05 * n))
    assert all(evaluate_rule(leaf.when, audience).sum() >= fewest for leaf in leaves.values())
    for leaf in leaves.values():
        check_rule(leaf.when, audience, "leaf")


# Leaves are worded anew, with rounder numbers: the words must part customers as the tree does.
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), unknown=st.sampled_from([0.0, 0.3]))
def test_leaves_part_customers_as_the_tree_itself_does(seed, unknown):
    from sklearn.tree import DecisionTreeRegressor

    audience = invented(200, seed, unknown)
    asked = segment_tree._split_matrix(audience.features)
    matrix = np.column_stack([one.numbers for one in asked])
    model = DecisionTreeRegressor(max_depth=3, min_samples_leaf=10, random_state=0)
    own = model.fit(matrix, audience.table["profit_at_risk"]).apply(matrix)
    places = assign_segments(audience, tree()).segments
    pairs = set(zip(own.tolist(), places.tolist(), strict=True))
    assert len(pairs) == len(set(own.tolist())) == len(set(places.tolist()))


def test_names_are_the_conditions_and_labels_the_words_of_both_languages():
    leaves = segment_tree.leaf_rules(invented(400, 0, unknown=0.0), tree(max_depth=2))
    assert set(leaves) == {
        "pages ≤ 4 & level = gold",
        "pages ≤ 4 & level ≠ gold",
        "pages > 4 & level = gold",
        "pages > 4 & level ≠ gold",
    }
    label = leaves["pages ≤ 4 & level ≠ gold"].label
    assert label.en == "Pages a visit ≤ 4 · Level: not Gold"
    assert label.ru == "Страниц за визит ≤ 4 · Уровень: не Золотой"


def test_what_is_not_known_is_told_where_anybodys_is_not():
    audience = invented(400, 0)
    money = pd.DataFrame({"risk": 0.5, "profit_at_risk": audience.features["spent"].isna() * 9.0})
    alone = audience.features[["spent"]]
    audience = dataclasses.replace(audience, table=money, features=alone)
    leaves = segment_tree.leaf_rules(audience, tree(max_depth=1))
    assert set(leaves) == {"spent known", "spent unknown"}
    assert leaves["spent unknown"].label.ru == "spent: нет данных"
    high = alone["spent"].fillna(1000) > 100
    audience = dataclasses.replace(audience, table=money.assign(profit_at_risk=high * 9.0))
    names = list(segment_tree.leaf_rules(audience, tree(max_depth=1)))
    assert names[0].startswith("spent ≤ ")
    assert names[1].startswith("spent > ")
    assert names[1].endswith(" or unknown")


def test_cut_offs_are_the_roundest_numbers_between_two_values():
    assert segment_tree._round_threshold(np.array([123.4]), np.array([188.0])) == 130
    assert segment_tree._round_threshold(np.array([-3.2]), np.array([1.0])) == -3
    assert segment_tree._round_threshold(np.array([0.12345]), np.array([0.12346])) == 0.12345
    assert segment_tree._round_threshold(np.array([5e9]), np.array([9e9])) == 5e9
    below, above = np.array([1 / 3]), np.array([np.nextafter(1 / 3, 1)])
    assert segment_tree._round_threshold(below, above) == 1 / 3


def test_two_bounds_of_one_feature_are_told_as_one():
    audience = invented(400, 0, unknown=0.0)
    middle = audience.features["pages"].between(4, 8) * 9.0
    audience = dataclasses.replace(
        audience,
        table=audience.table.assign(profit_at_risk=middle),
        features=audience.features[["pages"]],
    )
    leaves = segment_tree.leaf_rules(audience, tree(max_depth=2))
    assert "3 < pages ≤ 8" in leaves
    assert leaves["3 < pages ≤ 8"].label.ru == "3 < Страниц за визит ≤ 8"


def test_without_profit_the_tree_is_of_risk():
    audience = invented(300, 0)
    risk = pd.DataFrame({"risk": np.where(audience.features["level"] == "gold", 0.9, 0.1)})
    found = assign_segments(
        dataclasses.replace(audience, table=risk, profit_unit=None), tree(max_depth=1)
    )
    assert set(found.segments) == {"level = gold", "level ≠ gold or unknown"}


@pytest.mark.parametrize("features", [["pages"], []])
def test_where_nothing_can_be_asked_everybody_is_one_segment(features):
    audience = invented(20, 0)
    alone = dataclasses.replace(audience, features=audience.features[features])
    assert set(assign_segments(alone, tree(min_size=15)).segments) == {"everybody"}


def test_a_feature_no_rule_can_speak_of_is_not_asked():
    audience = invented(200, 0, unknown=0.0)
    only = audience.features[["pages"]].rename(columns={"pages": "risk"})
    audience = dataclasses.replace(audience, features=only)
    assert set(segment_tree.leaf_rules(audience, tree())) == {"everybody"}


def test_numbers_beyond_single_precision_are_parted_all_the_same():
    audience = invented(100, 0, unknown=0.0)
    large = np.where(audience.features["pages"] < 5, 1e300, np.inf)
    features = pd.DataFrame({"spent": np.where(np.arange(100) % 2 == 0, 1.0, large)})
    table = audience.table.assign(profit_at_risk=np.arange(100) % 2 * 1.0)
    audience = dataclasses.replace(audience, features=features, table=table)
    assert set(segment_tree.leaf_rules(audience, tree())) == {"spent ≤ 1", "spent > 1"}


def test_of_very_many_customers_a_tree_is_learnt_from_some(monkeypatch):
    monkeypatch.setattr(segment_tree, "MAX_CUSTOMERS", 150)
    audience = assign_segments(invented(600, 0), tree(max_depth=2))
    assert len(audience.segments) == 600
    again = assign_segments(invented(600, 0), tree(max_depth=2))
    assert again.segments.tolist() == audience.segments.tolist()
