import pytest

from retain.errors import RetainError
from retain.schema import Cleaning, Features, Launcher, TableSpec, Validation, parse

VALIDATION = {"name": "repeated", "sealed": 0.2, "folds": 5, "repeats": 2, "shuffle": True}


def test_a_good_tree_becomes_its_type():
    assert parse(Validation, VALIDATION).folds == 5


def test_every_wrong_key_is_told_with_its_nearest_name():
    tree = {**VALIDATION, "repeets": 3, "fold": 3}
    with pytest.raises(RetainError) as caught:
        parse(Validation, tree, "validation")
    said = str(caught.value)
    assert "validation: key 'repeets' is unknown. Did you mean 'repeats'?" in said
    assert "validation: key 'fold' is unknown. Did you mean 'folds'?" in said


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("folds", "five", r"validation\.folds is 'five'; expected integer"),
        ("folds", 1, r"validation\.folds is 1; expected greater than or equal to 2"),
        ("sealed", 0.9, r"validation\.sealed is 0\.9; expected less than or equal to 0\.5"),
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
    with pytest.raises(RetainError, match="key 'workers' is missing"):
        parse(Launcher, {}, "launcher")


def test_any_feature_group_can_be_a_toggle_and_only_true_or_false():
    features = parse(Features, {"derived": True, "max_categories": 5, "billing": False})
    assert not features.on("billing")
    assert features.on("site")
    with pytest.raises(RetainError, match=r"features\.billing is 'no'"):
        parse(Features, {"derived": True, "max_categories": 5, "billing": "no"}, "features")


def test_a_config_cannot_be_changed_after_it_was_checked():
    with pytest.raises(ValueError, match="frozen"):
        parse(Launcher, {"workers": 1}).workers = 2
