from typing import get_args

import pytest
import yaml

from retain.errors import RetainError
from retain.schema.campaign import Assumptions, CampaignConfig, Catalogue
from retain.schema.compare import Compare
from retain.schema.contract import Cleaning, TableSpec
from retain.schema.parsing import Config, parse
from retain.schema.readout import Readout
from retain.schema.run import Features, Limits, Run, Validation
from retain.schema.scoring import Score
from retain.storage.paths import conf_dir

VALIDATION = {"name": "repeated", "sealed_size": 0.2, "folds": 5, "repeats": 2, "shuffle": True}


def test_a_good_tree_becomes_its_type():
    assert parse(Validation, VALIDATION).folds == 5


def test_every_wrong_key_is_told_with_its_nearest_name():
    tree = {**VALIDATION, "repeets": 3, "fold": 3}
    with pytest.raises(RetainError) as caught:
        parse(Validation, tree, "validation")
    text = str(caught.value)
    assert "validation: key 'repeets' is unknown. Did you mean 'repeats'?" in text
    assert "validation: key 'fold' is unknown. Did you mean 'folds'?" in text


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("folds", "five", r"validation\.folds is 'five'; expected integer"),
        ("folds", 1, r"validation\.folds is 1; expected greater than or equal to 2"),
        (
            "sealed_size",
            0.9,
            r"validation\.sealed_size is 0\.9; expected less than or equal to 0\.5",
        ),
        ("shuffle", "no", r"validation\.shuffle is 'no'; expected boolean"),
    ],
)
def test_a_wrong_value_says_what_is_expected(key, value, expected):
    with pytest.raises(RetainError, match=expected):
        parse(Validation, {**VALIDATION, key: value}, "validation")


def test_a_key_deep_in_a_tree_is_named_by_its_path():
    column = {"raw": "id", "role": "id", "typ": "integer"}
    with pytest.raises(RetainError, match=r"t\.columns\.id: key 'typ' is unknown.*'type'"):
        parse(TableSpec, {"file": "a.csv", "columns": {"id": column}}, "t")


def test_a_node_that_may_be_null_still_knows_its_keys():
    tree = {"newcomers": {"policy": "drop", "mesure": "revenue"}}
    with pytest.raises(RetainError, match=r"key 'mesure' is unknown\. Did you mean 'measure'\?"):
        parse(Cleaning, tree, "cleaning")


def test_a_missing_key_is_named():
    with pytest.raises(RetainError, match="key 'memory_mb' is missing"):
        parse(Limits, {"seconds": None}, "limits")


def test_any_feature_group_can_be_a_toggle_and_only_true_or_false():
    features = parse(Features, {"derived": True, "max_categories": 5, "billing": False})
    assert not features.on("billing")
    assert features.on("site")
    with pytest.raises(RetainError, match=r"features\.billing is 'no'"):
        parse(Features, {"derived": True, "max_categories": 5, "billing": "no"}, "features")


def test_a_config_cannot_be_changed_after_it_was_checked():
    with pytest.raises(ValueError, match="frozen"):
        parse(Limits, {"seconds": 1.0, "memory_mb": None}).seconds = 2.0


OFFER = {
    "label": {"en": "Call", "ru": "Звонок"},
    "text": {"en": "We call you", "ru": "Мы позвоним"},
    "channel": "call",
    "needs_consent": True,
    "contact_cost": 1.0,
    "redemption_cost": 0,
    "discount": 0.1,
    "redemption_rate_stayers": 0.2,
    "save_rate": {"alpha": 6, "beta": 14},
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"contact_cost": -1}, r"contact_cost is -1; expected greater than or equal to 0\."),
        ({"contact_cost": "lots"}, r"contact_cost is 'lots'; expected number\."),
        ({"contact_cost": float("nan")}, r"contact_cost is nan; expected a finite number\."),
        ({"text": {"en": "We call"}}, r"text: key 'ru' is missing\."),
        ({"text": {"en": "We call", "ru": ""}}, r"text\.ru is ''; expected text of 1 or more char"),
        ({"text": "We call"}, r"text is 'We call'; expected a node with keys among en, ru\."),
        ({"drivers": "pages"}, r"drivers is 'pages'; expected a list\."),
        ({"boost": {"drivers": [], "factor": 2}}, r"drivers is \(\); expected 1 or more entries\."),
        (
            {"include_if": {"pages": {"atleast": 3}}},
            r"include_if\.pages: key 'atleast' .* 'at_least'\?",
        ),
        (
            {"include_if": {"not": {"any": [{"pages": {"abov": 3}}]}}},
            r"any\.0\.pages: .* 'above'\?",
        ),
        ({"redemption_csot": 3}, r"key 'redemption_csot' is unknown\. .* 'redemption_cost'\?"),
    ],
)
def test_what_is_wrong_in_an_offer_is_told_in_one_sentence(changes, expected):
    tree = {"name": "tried", "offers": {"call": {**OFFER, **changes}}}
    with pytest.raises(RetainError, match=rf"^offers\.offers\.call.*{expected}") as caught:
        parse(Catalogue, tree, "offers")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("budget", ["lots", -1, float("inf")])
def test_a_budget_is_a_number_from_zero_on(budget):
    with pytest.raises(
        RetainError, match=r"campaign\.budget is .*; expected (a finite )?(num|gre)"
    ):
        parse(CampaignConfig, {"name": "tried", "budget": budget}, "campaign")


RANGE = {"value": 3.0, "low": 2.0, "high": 6.0}
ASSUMED = {
    "name": "tried",
    **dict.fromkeys(("horizon", "margin", "cost_multiplier"), RANGE),
    "loss_fraction": 0.5,
    "simulations": 100,
}


@pytest.mark.parametrize("number", [6, 6.0])
def test_an_assumption_may_be_a_plain_number_without_a_range(number):
    horizon = parse(Assumptions, {**ASSUMED, "horizon": number}, "assumptions").horizon
    assert horizon.model_dump() == {"value": 6.0, "low": 6.0, "high": 6.0}


@pytest.mark.parametrize("value", ["6", True, None, [6]])
def test_an_assumption_that_is_no_number_is_refused(value):
    expected = r"^assumptions\.horizon is .*; expected a number, or \{value: NUMBER, low: NUMBER,"
    with pytest.raises(RetainError, match=expected):
        parse(Assumptions, {**ASSUMED, "horizon": value}, "assumptions")


def test_a_value_outside_its_own_range_is_told_in_our_words():
    one = {"value": 9.0, "low": 1.0, "high": 2.0}
    expected = r"assumptions\.horizon is .*; expected low ≤ value ≤ high; type low and high too,"
    with pytest.raises(RetainError, match=expected):
        parse(Assumptions, {**ASSUMED, "horizon": one}, "assumptions")


# A decline of no months, or of a negative margin, gave campaigns without any value at stake.
@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("horizon", 0, "a number above 0"),
        ("horizon", -3, "a number above 0"),
        ("margin", 0.0, "a number above 0"),
        ("margin", {"value": 1, "low": -0.5, "high": 2}, "a number above 0"),
        ("loss_fraction", 0, "a share above 0 and at most 1"),
        ("loss_fraction", {"value": 0.5, "low": 0.2, "high": 1.5}, "a share above 0 and at most 1"),
        ("cost_multiplier", -1, "a number of at least 0"),
        ("simulations", 0, "greater than or equal to 100"),
    ],
)
def test_an_assumption_out_of_its_bounds_is_refused(key, value, expected):
    with pytest.raises(RetainError, match=rf"^assumptions\.{key} is .*; expected {expected}"):
        parse(Assumptions, {**ASSUMED, key: value}, "assumptions")


def test_costs_may_be_assumed_to_be_nothing():
    assert parse(Assumptions, {**ASSUMED, "cost_multiplier": 0}, "a").cost_multiplier.value == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (10**5000, "validation.folds: a whole number has 16610 bits; expected at most 64"),
        ("\ud800", "validation.folds: '.ud800' holds half of a surrogate pair"),
    ],
    ids=["a long number", "half of a pair"],
)
def test_what_no_file_can_hold_is_refused_with_its_place(value, text):
    with pytest.raises(RetainError, match=text):
        parse(Validation, {**VALIDATION, "folds": value}, "validation")
    with pytest.raises(RetainError, match=text):
        parse(Cleaning, {"validation": {"folds": [value]}})


def kinds_within(kind):
    """A type of the schema, and those of its fields, by key."""
    for name, field in kind.model_fields.items():
        types = [one for one in (field.annotation, *get_args(field.annotation)) if one]
        for one in types:
            if isinstance(one, type) and issubclass(one, Config):
                yield field.alias or name, one


def option_trees(group):
    """The files of a group, that of the default option first."""
    defaults = {}
    for primary in ("run", "compare"):
        tree = yaml.safe_load((conf_dir() / f"{primary}.yaml").read_text(encoding="utf-8"))
        defaults |= {key: name for one in tree["defaults"] if one != "_self_"
                     for key, name in one.items()}  # fmt: skip
    paths = sorted((conf_dir() / group).glob("*.yaml"))
    first = [path for path in paths if path.stem == defaults.get(group)]
    rest = [path for path in paths if path not in first]
    return [yaml.safe_load(path.read_text(encoding="utf-8")) for path in (*first, *rest)]


def different_defaults(kind, trees):
    """Yield the keys whose default in the schema is not that of the files.

    The first file has the default; without the key in it, the others have one if they agree.
    """
    for name, field in kind.model_fields.items():
        key = field.alias or name
        values = [tree[key] for tree in trees if key in tree and not isinstance(tree[key], dict)]
        default = field.get_default(call_default_factory=True)
        if default in (None, (), {}) or field.is_required() or not values:
            continue
        if default != values[0] and (key in trees[0] or len(set(map(str, values))) == 1):
            yield key, default, values[0]
    for key, inner in kinds_within(kind):
        below = [tree[key] for tree in trees if isinstance(tree.get(key), dict)]
        if below:
            found = different_defaults(inner, below)
            yield from ((f"{key}.{name}", *pair) for name, *pair in found)


# A share of 0 in the schema beside 0.2 in the file planned a campaign without a control group.
@pytest.mark.parametrize("kind", [Run, Compare, Score, Readout])
def test_a_default_of_the_schema_is_that_of_the_files(kind):
    path = conf_dir() / f"{kind.__name__.lower()}.yaml"
    tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    found = list(different_defaults(kind, [tree]))
    for group, inner in kinds_within(kind):
        if (conf_dir() / group).is_dir():
            found += different_defaults(inner, option_trees(group))
    assert found == []
