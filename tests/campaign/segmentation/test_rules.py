import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retain.campaign.audience import Audience
from retain.campaign.segmentation.rules import check_rule, evaluate_rule, fit_rules
from retain.customers.customers import Column
from retain.errors import RetainError
from retain.record.estimates import DisplayName
from retain.schema.campaign import Condition, Rule, SegmentRule
from retain.schema.parsing import parse

COLUMNS = {
    "pages": Column("pages", "site", "number"),
    "unpaid_items": Column("unpaid_items", "product", "number"),
    "service_level": Column(
        "service_level",
        "purchase",
        "category",
        levels={
            "standard": DisplayName("Standard", "Стандарт"),
            "premium": DisplayName("Premium", "Премиум"),
        },
    ),
}


def audience(n=40, seed=0, *, profit=True):
    """A fifth of each feature is not known."""
    random = np.random.default_rng(seed)
    unknown = random.random((3, n)) < 0.2
    features = pd.DataFrame(
        {
            "pages": np.where(unknown[0], np.nan, random.normal(8, 3, n)),
            "unpaid_items": np.where(unknown[1], np.nan, random.integers(0, 4, n)),
            "service_level": pd.Series(
                np.where(unknown[2], None, random.choice(["standard", "premium"], n)), dtype="str"
            ),
        }
    )
    table = pd.DataFrame({"risk": random.random(n)})
    if profit:
        table["profit"] = random.gamma(4, 1, n)
        table["profit_at_risk"] = table["risk"] * table["profit"]
    return Audience(table, features, COLUMNS, "roubles" if profit else None)


def rule(tree):
    return parse(Rule, tree)


def held(tree, customers):
    check_rule(rule(tree), customers, "here")
    return evaluate_rule(rule(tree), customers)


def test_all_conditions_of_a_rule_must_hold():
    customers = audience()
    found = held({"pages": {"above": 6, "at_most": 9}, "risk": {"below": 0.5}}, customers)
    pages, risk = customers.features["pages"], customers.table["risk"]
    assert found.tolist() == ((pages > 6) & (pages <= 9) & (risk < 0.5)).tolist()
    assert found.any()


def test_one_of_any_is_enough_and_all_of_all_are_needed():
    customers = audience()
    few, premium = {"pages": {"below": 7}}, {"service_level": {"one_of": ["premium"]}}
    either, both = (
        held({"any": [few, premium]}, customers),
        held({"all": [few, premium]}, customers),
    )
    one, other = held(few, customers), held(premium, customers)
    assert either.tolist() == (one | other).tolist()
    assert both.tolist() == (one & other).tolist()


def test_bounds_are_open_or_closed_as_they_say():
    features = pd.DataFrame({"pages": [4.0, 5.0, 6.0]})
    three = Audience(pd.DataFrame({"risk": [0.1, 0.2, 0.3]}), features, {})
    assert held({"pages": {"at_least": 5}}, three).tolist() == [False, True, True]
    assert held({"pages": {"above": 5}}, three).tolist() == [False, False, True]
    assert held({"pages": {"at_most": 5}}, three).tolist() == [True, True, False]
    assert held({"pages": {"below": 5}}, three).tolist() == [True, False, False]


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 1.0])
def test_top_and_bottom_are_shares_of_the_known_values(share):
    customers = audience(200)
    known = customers.features["pages"].dropna()
    for word, ascending in (("top", False), ("bottom", True)):
        found = held({"pages": {word: share}}, customers)
        assert found.sum() == np.ceil(share * len(known))
        best = known.sort_values(ascending=ascending).index[: found.sum()]
        assert set(np.flatnonzero(found)) == set(best)


def test_customers_tied_with_the_last_of_a_share_are_in_it():
    features = pd.DataFrame({"unpaid_items": [3.0, 2.0, 2.0, 2.0, 0.0, np.nan]})
    six = Audience(pd.DataFrame({"risk": np.linspace(0, 1, 6)}), features, {})
    top = held({"unpaid_items": {"top": 0.4}}, six)
    assert top.tolist() == [True, True, True, True, False, False]


def test_a_tenth_of_thirty_is_three_whatever_floats_say():
    features = pd.DataFrame({"pages": np.arange(30.0)})
    thirty = Audience(pd.DataFrame({"risk": np.zeros(30)}), features, {})
    assert held({"pages": {"top": 0.1}}, thirty).sum() == 3


def test_nobodys_profit_is_known_where_the_source_has_none():
    customers = audience(profit=False)
    assert not evaluate_rule(
        fit_rules(rule({"profit": {"top": 0.5}}), audience(profit=False)), audience()
    ).any()
    assert not held({"profit": {"at_least": 0}}, customers).any()
    assert not held({"profit_at_risk": {"top": 0.5}}, customers).any()
    assert held({"profit": {"observed": False}}, customers).all()


# --- laws ----------------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.builds(lambda at: {"at_least": at}, st.floats(0, 10)),
    st.builds(lambda at: {"above": at}, st.floats(0, 10)),
    st.builds(lambda at: {"at_most": at}, st.floats(0, 10)),
    st.builds(lambda at: {"below": at}, st.floats(0, 10)),
    st.builds(lambda share: {"top": share}, st.floats(0.05, 1)),
    st.builds(lambda share: {"bottom": share}, st.floats(0.05, 1)),
)
LEVELS = st.builds(
    lambda word, level: {word: [level]},
    st.sampled_from(["one_of", "none_of"]),
    st.sampled_from(["standard", "premium"]),
)
ABOUT = st.one_of(
    st.builds(
        lambda name, condition: {name: condition},
        st.sampled_from(["pages", "unpaid_items"]),
        NUMBERS,
    ),
    st.builds(lambda condition: {"service_level": condition}, LEVELS),
)
WORDS = st.sampled_from(["all", "any"])


def _joined(below):
    lists = st.lists(below, min_size=1, max_size=3)
    several = st.builds(lambda word, parts: {word: parts}, WORDS, lists)
    return st.one_of(several, st.builds(lambda part: {"not": part}, below))


RULES = st.recursive(ABOUT, _joined, max_leaves=6)


@settings(max_examples=60, deadline=None)
@given(one=RULES, other=RULES, seed=st.integers(0, 50))
def test_de_morgans_laws_hold_with_unknown_values_too(one, other, seed):
    customers = audience(seed=seed)
    neither = held({"not": {"any": [one, other]}}, customers)
    assert neither.tolist() == held({"all": [{"not": one}, {"not": other}]}, customers).tolist()
    not_both = held({"not": {"all": [one, other]}}, customers)
    assert not_both.tolist() == held({"any": [{"not": one}, {"not": other}]}, customers).tolist()
    assert held({"not": {"not": one}}, customers).tolist() == held(one, customers).tolist()


# A rule that let the unknown through by way of ``not`` would send offers to people nobody knows.
@settings(max_examples=60, deadline=None)
@given(tree=RULES, seed=st.integers(0, 50))
def test_a_customer_of_whom_nothing_is_known_satisfies_no_rule_and_no_opposite(tree, seed):
    customers = audience(seed=seed)
    features = customers.features.copy()
    features.iloc[0, :2], features.iloc[0, 2] = np.nan, None
    blank = dataclasses.replace(customers, features=features)
    assert not held(tree, blank)[0]
    assert not held({"not": tree}, blank)[0]
    assert held({"pages": {"observed": False}}, blank)[0]
    assert held({"not": {"pages": {"observed": True}}}, blank)[0]


@settings(max_examples=40, deadline=None)
@given(tree=RULES, seed=st.integers(0, 50))
def test_a_rule_and_its_opposite_never_hold_of_the_same_customer(tree, seed):
    customers = audience(seed=seed)
    assert not (held(tree, customers) & held({"not": tree}, customers)).any()


@settings(max_examples=40, deadline=None)
@given(tree=RULES, seed=st.integers(0, 50))
def test_a_rule_with_its_shares_settled_holds_of_the_same_customers(tree, seed):
    customers = audience(seed=seed)
    bounds = fit_rules(rule(tree), customers)
    assert evaluate_rule(bounds, customers).tolist() == held(tree, customers).tolist()
    assert "top" not in str(bounds.model_dump(exclude_none=True, by_alias=True))
    again = parse(Rule, json.loads(bounds.model_dump_json(by_alias=True)))
    assert evaluate_rule(again, customers).tolist() == held(tree, customers).tolist()


def test_a_settled_share_is_no_longer_a_share_of_those_it_is_held_against():
    many, one = audience(200), audience(1, seed=3)
    top = fit_rules(rule({"risk": {"top": 0.1}}), many)
    assert evaluate_rule(rule({"risk": {"top": 0.1}}), one).all()
    assert not evaluate_rule(top, one).any()


@settings(max_examples=40, deadline=None)
@given(tree=RULES, seed=st.integers(0, 50))
def test_the_order_of_customers_changes_nothing(tree, seed):
    customers = audience(seed=seed)
    order = np.random.default_rng(seed).permutation(len(customers))
    turned = dataclasses.replace(
        customers, table=customers.table.iloc[order], features=customers.features.iloc[order]
    )
    assert held(tree, turned).tolist() == held(tree, customers)[order].tolist()


# --- faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (
            {"servce_level": {"one_of": ["premium"]}},
            r"^segmentation\.rules\.premium\.when: feature 'servce_level' .* mean 'service_level'",
        ),
        ({"any": [{"risk": {"above": 0.5}}, {"page": {"above": 1}}]}, r"when\.any\.1: feature 'pa"),
        ({"not": {"page": {"above": 1}}}, r"premium\.when\.not: feature 'page' is not one of"),
        ({"service_level": {"above": 1}}, r"service_level is a category, of which above cannot"),
        ({"pages": {"one_of": ["5"]}}, r"pages is a number, of which one_of cannot be said; exp"),
        (
            {"service_level": {"one_of": ["premum"]}},
            r"service_level\.one_of: 'premum' is not one of standard, premium\. Did you mean 'prem",
        ),
        ({"service_level": {"none_of": []}}, r"service_level\.none_of is empty; expected at least"),
        ({}, r"^segmentation\.rules\.premium\.when is empty; expected a condition such as risk"),
        ({"all": [{}]}, r"premium\.when\.all\.0 is empty"),
        ({"pages": {}}, r"pages says nothing; expected one of at_least, above, at_most"),
        ({"pages": {"at_least": 5, "below": 5}}, r"pages contradicts itself, so it holds of nob"),
        ({"pages": {"above": 7, "at_most": 5}}, r"nobody: above: 7\.0, at_most: 5\.0\.$"),
        ({"pages": {"top": 0.2, "bottom": 0.3}}, r"pages contradicts itself"),
        ({"pages": {"top": 0.0}}, r"pages contradicts itself, so it holds of nobody: top: 0"),
        ({"pages": {"observed": False, "above": 1}}, r"pages contradicts itself"),
        (
            {"service_level": {"one_of": ["premium"], "none_of": ["premium"]}},
            r"service_level contradicts itself",
        ),
        ({"pages": {"above": float("nan")}}, r"pages\.above is nan; expected a finite number"),
        ({"risk": {"at_least": 60}}, r"when\.risk\.at_least is 60; expected a probability, 0 to 1"),
        ({"risk": {"one_of": ["high"]}}, r"risk is a number, of which one_of cannot be said"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_its_place(tree, message):
    with pytest.raises(RetainError, match=message):
        check_rule(rule(tree), audience(), "segmentation.rules.premium.when")


def test_all_faults_of_a_rule_are_told_at_once():
    wrong = rule({"page": {"above": 1}, "service_level": {"above": 1}})
    with pytest.raises(RetainError, match=r"feature 'page'[^\n]*\n.*service_level is a category"):
        check_rule(wrong, audience(), "here")


def test_a_feature_that_bears_a_reserved_name_cannot_be_spoken_of():
    customers = audience()
    clash = dataclasses.replace(customers, features=customers.features.assign(risk=1.0))
    with pytest.raises(RetainError, match="here: 'risk' is a feature of these customers and what"):
        check_rule(rule({"risk": {"above": 0.5}}), clash, "here")
    check_rule(rule({"pages": {"above": 0.5}}), clash, "here")


def test_a_level_may_be_one_that_nobody_here_has_or_one_the_contract_does_not_name():
    customers = audience()
    standard = customers.features.assign(service_level="standard").astype({"service_level": "str"})
    none_here = dataclasses.replace(customers, features=standard)
    check_rule(rule({"service_level": {"one_of": ["premium"]}}), none_here, "here")
    gold = customers.features.assign(service_level="gold").astype({"service_level": "str"})
    unnamed = dataclasses.replace(customers, features=gold)
    check_rule(rule({"service_level": {"one_of": ["gold"]}}), unnamed, "here")


def test_a_rule_without_conditions_to_any_holds_of_everybody_its_conditions_do():
    named = parse(SegmentRule, {"when": {"risk": {"at_least": 0.0}}})
    assert evaluate_rule(named.when, audience()).all()
    assert Rule(risk=Condition(above=0.5)).conditions == {"risk": Condition(above=0.5)}
