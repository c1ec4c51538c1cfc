"""Registered rules and segmentations."""

import numpy as np
import pandas as pd
import pytest

from retain import plugins
from retain.campaign.audience import Audience
from retain.campaign.segmentation.rules import check_rule, evaluate_rule
from retain.campaign.segmentation.segments import fit_segmentation, segment_labels, segments_of
from retain.errors import RetainError
from retain.schema.campaign import Segmentation
from retain.schema.rules import Condition, Rule


@pytest.fixture
def audience():
    table = pd.DataFrame({"risk": [0.1, 0.6, 0.9, 0.4], "profit": [5.0, np.nan, 2.0, 1.0]})
    return Audience(table, pd.DataFrame({"pages": [3.0, 9.0, np.nan, 4.0]}), {})


def test_a_rule_is_true_false_or_unknown(registered, audience):
    @plugins.offer_rule("worth_it")
    def worth_it(features, risk, profit):
        return [None if np.isnan(p) else p * r > 1 for p, r in zip(profit, risk, strict=True)]

    worth = Rule(plugin="worth_it")
    check_rule(worth, audience, "when")
    assert evaluate_rule(worth, audience).tolist() == [False, False, True, False]
    assert evaluate_rule(Rule(not_=worth), audience).tolist() == [True, False, False, True]
    both = Rule(plugin="worth_it", pages=Condition(observed=True))
    assert evaluate_rule(both, audience).tolist() == [False] * 4


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda features, risk, profit: risk, "gives other values"),
        (lambda features, risk, profit: [True], "gives 1 values; expected True, False or None"),
        (lambda features, risk, profit: "all", "other values"),
    ],
)
def test_a_rule_that_says_no_truth(registered, audience, made, said):
    plugins.offer_rule("mine")(made)
    with pytest.raises(RetainError, match=said):
        evaluate_rule(Rule(plugin="mine"), audience)


def test_a_rule_that_is_not_registered(audience):
    with pytest.raises(RetainError, match=r"when\.plugin: no offer rule 'nothing' is registered"):
        check_rule(Rule(plugin="nothing"), audience, "when")


def test_a_rule_changes_nothing(registered, audience):
    @plugins.offer_rule("greedy")
    def greedy(features, risk, profit):
        features["pages"] = 0.0
        risk[:] = profit[:] = 1.0
        return risk > 0

    before = audience.table.copy(), audience.features.copy()
    evaluate_rule(Rule(plugin="greedy"), audience)
    pd.testing.assert_frame_equal(audience.table, before[0])
    pd.testing.assert_frame_equal(audience.features, before[1])


def segmentation(**parameters):
    return Segmentation(
        name="halves", kind="plugin", plugin="halves", parameters=parameters, min_size=1
    )


def test_segments_become_rules_that_hold_for_other_customers(registered, audience):
    @plugins.segmentation("halves")
    def halves(features, risk, profit, *, share=0.25):
        label = {"en": "High", "ru": "Высокий"}
        return {"high": {"label": label, "when": {"risk": {"top": share}}}}

    fitted = fit_segmentation(audience, segmentation(share=0.5))
    assert fitted.kind == "rules"
    assert segments_of(audience, fitted).tolist() == ["others", "high", "high", "others"]
    others = Audience(pd.DataFrame({"risk": [0.7, 0.2, 0.1]}), pd.DataFrame(index=range(3)), {})
    assert segments_of(others, fitted).tolist() == ["high", "others", "others"]
    assert segment_labels(fitted)["high"].ru == "Высокий"
    assert fit_segmentation(audience, fitted) == fitted


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([], "returns a list; expected"),
        ({}, "returns a dict; expected"),
        ({"a": {"when": {"minutes": {"above": 1}}}}, "minutes"),
        ({"a": {"if": {}}}, "segmentation halves.a: unknown key 'if'|segmentation halves.a"),
        ({"a": {"when": {"risk": {"above": 2}}}}, "expected a probability"),
        ({"others": {"when": {"risk": {"above": 0.5}}}}, "others"),
    ],
)
def test_segments_that_are_no_rules(registered, audience, made, said):
    plugins.segmentation("halves")(lambda features, risk, profit: made)
    with pytest.raises(RetainError, match=said):
        fit_segmentation(audience, segmentation())
