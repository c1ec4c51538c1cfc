import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from retain.campaign.segmentation.bands import assign_bands, fit_bands
from retain.campaign.segmentation.segments import (
    check_segmentation,
    find_dominant,
    fit_segmentation,
    segment_labels,
    segments_of,
)
from retain.errors import RetainError
from retain.schema.campaign import Segmentation, ThresholdBands
from retain.schema.parsing import parse

GIVEN = ThresholdBands(scale="absolute", bands={"low": 0, "high": 0.5})
HALVES = ThresholdBands(scale="quantile", bands={"low": 0, "high": 0.5})
BANDS = Segmentation(name="risk_value", kind="risk_value", min_size=30, risk=GIVEN, value=HALVES)
RULES = parse(
    Segmentation,
    {
        "name": "rules",
        "kind": "rules",
        "min_size": 30,
        "rules": {
            "few pages": {"label": {"en": "Few", "ru": "Мало"}, "when": {"pages": {"below": 7}}},
            "risky": {"when": {"risk": {"at_least": 0.4}}},
            "rich": {"when": {"profit": {"top": 0.2}}},
        },
        "default_segment": "the rest",
        "default_label": {"en": "The rest", "ru": "Остальные"},
    },
)

from .assigning import assign_segments

TREE = Segmentation(name="tree", kind="tree", min_size=10, max_depth=3, min_leaf_fraction=0.1)
KINDS = [BANDS, RULES, TREE]


def shipped(checkout: Path) -> dict[str, Segmentation]:
    files = sorted((checkout / "conf" / "segmentation").glob("*.yaml"))
    trees = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in files}
    return {name: parse(Segmentation, tree, "segmentation") for name, tree in trees.items()}


@pytest.mark.parametrize("segmentation", KINDS, ids=lambda one: one.kind)
@pytest.mark.parametrize("profit", [True, False])
def test_every_customer_has_one_place_by_a_name_that_is_told(scored, segmentation, profit):
    audience = assign_segments(scored(profit=profit), segmentation)
    assert len(audience.segments) == len(audience)
    known = fit_segmentation(audience, segmentation)
    assert set(audience.segments) <= set(segment_labels(known))
    assert len(set(audience.segments)) > 1


@pytest.mark.parametrize("segmentation", KINDS, ids=lambda one: one.kind)
def test_the_order_of_customers_changes_nobodys_place(scored, segmentation):
    audience = scored()
    order = np.random.default_rng(1).permutation(len(audience))
    places = assign_segments(audience, segmentation).segments
    assert (
        assign_segments(audience.rows(order), segmentation).segments.tolist()
        == places[order].tolist()
    )


# What is settled goes into verdict.json, and later customers are placed by it alone.
@pytest.mark.parametrize("segmentation", KINDS, ids=lambda one: one.kind)
def test_what_is_settled_passes_through_json_and_places_others_by_the_same_cut_offs(
    scored, segmentation
):
    audience = scored()
    known = fit_segmentation(audience, segmentation)
    again = parse(Segmentation, json.loads(known.model_dump_json(by_alias=True)))
    places = assign_segments(audience, segmentation).segments
    assert segments_of(audience, again).tolist() == places.tolist()
    some = np.arange(7)
    assert segments_of(audience.rows(some), again).tolist() == places[some].tolist()
    assert fit_segmentation(audience, again) == known


def test_a_band_begins_at_its_number_and_names_are_risk_and_value(scored):
    audience = assign_segments(scored(), BANDS)
    risk, profit = audience.table["risk"], audience.table["profit"]
    expected = np.where(risk >= 0.5, "high", "low") + " risk · "
    expected = expected + np.where(profit >= profit.quantile(0.5), "high", "low") + " value"
    assert audience.segments.tolist() == expected.tolist()


def test_without_profit_segments_by_bands_are_of_risk_alone(scored):
    assert set(assign_segments(scored(profit=False), BANDS).segments) == {"low risk", "high risk"}
    only = BANDS.model_copy(update={"value": None})
    assert set(assign_segments(scored(), only).segments) == {"low risk", "high risk"}


def test_break_even_bands_are_multiples_of_the_risk_that_pays(scored):
    times = ThresholdBands(scale="break_even", bands={"not worth it": 0, "worth it": 1, "twice": 2})
    config = BANDS.model_copy(update={"risk": times, "value": None})
    audience = scored()
    places = assign_segments(audience, config, break_even_risk=0.3).segments
    risk = audience.table["risk"].to_numpy()
    assert ((places == "twice risk") == (risk >= 0.6)).all()
    assert ((places == "not worth it risk") == (risk < 0.3)).all()


def test_where_no_offer_ever_pays_nobody_is_worth_it(scored):
    times = ThresholdBands(scale="break_even", bands={"not worth it": 0, "worth it": 1})
    config = BANDS.model_copy(update={"risk": times, "value": None})
    audience = assign_segments(scored(), config, break_even_risk=float("inf"))
    assert set(audience.segments) == {"not worth it risk"}
    known = fit_segmentation(scored(), config, break_even_risk=float("inf"))
    assert json.loads(known.model_dump_json())["risk"]["scale"] == "absolute"
    assert fit_segmentation(scored(), known) == known


def test_the_first_rule_that_holds_decides(scored):
    audience = assign_segments(scored(), RULES)
    table, pages = audience.table, audience.features["pages"]
    rich = table["profit"] >= table["profit"].sort_values().iloc[-48]
    conditions = [pages < 7, table["risk"] >= 0.4, rich]
    expected = np.select(conditions, ["few pages", "risky", "rich"], "the rest")
    assert audience.segments.tolist() == expected.tolist()
    assert set(expected) == {"few pages", "risky", "rich", "the rest"}


def test_a_value_that_is_not_known_has_the_lowest_place(scored):
    audience = scored()
    table = audience.table.assign(profit=np.nan)
    nobodys = assign_segments(dataclasses.replace(audience, table=table), BANDS)
    assert {name.split(" · ")[1] for name in nobodys.segments} == {"low value"}


def test_labels_are_told_in_both_languages_where_somebody_gave_them(scored):
    result = segment_labels(fit_segmentation(scored(), RULES))
    assert result["few pages"].ru == "Мало"
    assert result["the rest"].en == "The rest"
    assert result["risky"] is None
    assert set(segment_labels(fit_segmentation(scored(), BANDS)).values()) == {None}


def test_shipped_bands_have_labels_for_all_their_segments(scored, checkout):
    known = fit_segmentation(scored(), shipped(checkout)["risk_value"])
    assert segment_labels(known)["high risk · low value"].ru == "высокий риск · низкая ценность"
    assert len(segment_labels(known)) == 9
    assert None not in segment_labels(known).values()


@pytest.mark.parametrize("profit", [True, False])
@pytest.mark.parametrize("name", ["risk_value", "rules", "tree"])
def test_shipped_segmentations_place_the_customers_of_any_source(scored, checkout, name, profit):
    config = shipped(checkout)[name]
    assert config.name == name
    audience = assign_segments(scored(profit=profit), config)
    assert len(set(audience.segments)) > 1
    assert {
        segment_labels(fit_segmentation(audience, config))[one] for one in audience.segments
    } - {None}


def test_the_stores_own_rules_speak_of_what_its_contract_has(checkout, one_click_contract):
    features = {
        name
        for table in one_click_contract["tables"].values()
        for name, column in table["columns"].items()
        if column["role"] in ("feature", "consent")
    }
    features |= set(one_click_contract["derived"])
    config = shipped(checkout)["one_click"]
    asked = {name for rule in config.rules.values() for name in rule.when.conditions}
    assert asked <= features | {"risk", "profit", "profit_at_risk"}
    assert all(rule.label for rule in config.rules.values())


@pytest.mark.parametrize(
    ("config", "changes", "message"),
    [
        (BANDS, {"risk": None}, r"^segmentation\.risk is missing; expected where each band"),
        (
            BANDS,
            {"value": ThresholdBands(scale="absolute", bands={})},
            r"segmentation\.value\.bands is empty",
        ),
        (
            BANDS,
            {"value": ThresholdBands(scale="quantile", bands={"all": 30.0})},
            r"^segmentation\.value\.bands\.all: it is 30; expected a quantile, 0 to 1\.$",
        ),
        (
            BANDS,
            {"risk": ThresholdBands(scale="absolute", bands={"low": 0, "high": 60})},
            r"risk\.bands\.high: it is 60; expected a probability, 0 to 1",
        ),
        (
            BANDS,
            {
                "value": ThresholdBands.model_construct(
                    scale="absolute", bands={"low": float("nan")}, labels={}
                )
            },
            r"value\.bands\.low: it is nan; expected a finite amount",
        ),
        (
            BANDS,
            {"risk": ThresholdBands(scale="break_even", bands={"low": -1})},
            r"risk\.scale is 'break_even', but without a campaign nobody knows the risk",
        ),
        (
            BANDS,
            {"value": ThresholdBands(scale="break_even", bands={"low": 0})},
            r"value\.scale: it is 'break_even'; of value, expected absolute or quantile",
        ),
        (RULES, {"rules": {}}, r"^segmentation\.rules is empty; expected at least one name"),
        (
            RULES,
            {"default_segment": "rich"},
            r"segmentation\.default_segment is 'rich', and so is one of the",
        ),
        (
            RULES,
            {"max_depth": 2},
            r"segmentation\.max_depth: it means nothing to segments of the kind 'r",
        ),
        (
            TREE,
            {"risk": GIVEN},
            r"risk: it means nothing .* 'tree'; expected max_depth or min_leaf_fraction",
        ),
    ],
)
def test_a_segmentation_that_cannot_be_meant_is_refused(scored, config, changes, message):
    with pytest.raises(RetainError, match=message):
        check_segmentation(scored(), config.model_copy(update=changes))


def test_a_rule_that_cannot_be_meant_is_refused_with_its_place(scored):
    tree = {"when": {"pgaes": {"below": 7}}}
    config = {"name": "x", "kind": "rules", "min_size": 1, "rules": {"few": tree}}
    with pytest.raises(RetainError, match=r"rules\.few\.when: feature 'pgaes' .* mean 'pages'\?"):
        assign_segments(scored(), parse(Segmentation, config))


def rare_risks(n=4_000, mean=-4.4):
    """Risks of customers of whom about 2 % decline."""
    return 1 / (1 + np.exp(-(mean + np.random.default_rng(0).normal(size=n))))


# A decline rate of 2 % once put 3,991 of 4,000 customers into one band.
@pytest.mark.parametrize("mean", [-4.4, -2.0, -0.5, 1.0, 3.0])
def test_the_default_bands_of_risk_split_any_store(checkout, mean):
    risk = rare_risks(mean=mean)
    fitted = fit_bands(shipped(checkout)["risk_value"].risk, risk)
    begins = np.array(list(fitted.bands.values()))
    assert fitted.scale == "absolute"
    assert begins[0] == 0
    assert begins[1] == pytest.approx(risk.mean())
    assert (np.diff(begins) > 0).all()
    assert begins[-1] < 1
    shares = np.bincount(assign_bands(fitted, risk), minlength=3) / len(risk)
    assert shares.max() < 0.9
    assert shares.min() > 0.01


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.38, 0.999, 1.0])
def test_bands_relative_to_the_base_rate_have_multiples_of_its_odds(rate):
    bands = ThresholdBands(scale="base_rate", bands={"low": 0, "one": 1, "three": 3})
    begins = list(fit_bands(bands, np.full(7, rate)).bands.values())
    assert all(0 <= begin <= 1 for begin in begins)
    if 0 < rate < 1:
        odds = [begin / (1 - begin) for begin in begins]
        assert odds == pytest.approx([0, rate / (1 - rate), 3 * rate / (1 - rate)])


def test_a_band_that_holds_nearly_all_customers_is_told(scored):
    customers = scored(400)
    customers.table["risk"] = rare_risks(400)
    fixed = fit_segmentation(customers, BANDS)
    found = find_dominant(customers, fixed)
    assert (found.name, found.label) == ("low risk", None)
    assert found.share > 0.9
    relative = ThresholdBands(scale="base_rate", bands={"low": 0, "high": 1})
    split = fit_segmentation(customers, BANDS.model_copy(update={"risk": relative}))
    assert find_dominant(customers, split) is None


def test_a_rule_that_holds_for_nearly_all_customers_is_told(scored):
    customers = scored(400)
    rules = {"everybody": {"when": {"risk": {"at_least": 0.0}}}}
    tree = {"name": "one", "kind": "rules", "min_size": 1, "rules": rules}
    found = find_dominant(customers, fit_segmentation(customers, parse(Segmentation, tree)))
    assert (found.name, found.share) == ("everybody", 1.0)


# Who typed probabilities before the default became relative must not get other bands unawares.
def test_a_probability_typed_for_a_multiple_is_refused(checkout, scored):
    bands = shipped(checkout)["risk_value"].risk
    typed = bands.model_copy(update={"bands": {**bands.bands, "high": 0.7}})
    with pytest.raises(RetainError, match=r"bands.high is 0.7, and medium .*scale=absolute"):
        check_segmentation(scored(), BANDS.model_copy(update={"risk": typed}))


def test_bands_of_value_have_no_base_rate(scored):
    relative = ThresholdBands(scale="base_rate", bands={"low": 0, "high": 1})
    with pytest.raises(RetainError, match="of value, expected absolute or quantile"):
        check_segmentation(scored(), BANDS.model_copy(update={"value": relative}))
