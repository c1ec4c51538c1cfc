import pytest

from retain.record.document import Environment
from retain.verdict.trees.aspects import find_causes


@pytest.fixture
def causes(make_record):
    """The causes of a change, as aspect, name and both values, of a run with changed fields."""
    main = make_record()
    main.config.update(seed=0, validation={"name": "repeated", "folds": 3})

    def find(config=None, **changes):
        branch = main.model_copy(update={**changes, "config": {**main.config, **(config or {})}})
        return [(one.aspect, one.name, one.main, one.branch) for one in find_causes(main, branch)]

    find.main = main
    return find


def environment(main, **changes):
    return {"environment": main.environment.model_copy(update=changes)}


def test_equal_records_have_no_cause(causes):
    assert causes() == []


def test_the_code_is_a_cause(causes):
    changed = environment(causes.main, code_sha256="d" * 64)
    assert causes(**changed) == [("code", "code", "cccccccc", "dddddddd")]


def test_packages_python_and_platform_are_causes(causes):
    changed = Environment(
        python="3.12", platform="Linux", packages={"scipy": "1.2"}, code_sha256="c" * 64
    )
    assert causes(environment=changed) == [
        ("packages", "python", "3.11", "3.12"),
        ("packages", "numpy", "2.0", "-"),
        ("packages", "scipy", "-", "1.2"),
    ]


def test_customers_are_a_cause_and_the_folds_follow_from_them(causes):
    main = causes.main
    data = main.data.model_copy(update={"fingerprint": "d" * 64, "n_rows": 101})
    split = main.split.model_copy(update={"fingerprint": "e" * 64})
    assert causes(data=data, split=split) == [
        ("data", "customers", "aaaaaaaa", "dddddddd"),
        ("data", "rows", "100", "101"),
    ]


def test_folds_of_the_same_customers_are_a_cause(causes):
    split = causes.main.split.model_copy(update={"fingerprint": "e" * 64})
    found = causes({"validation": {"name": "repeated", "folds": 5}}, split=split)
    assert found == [
        ("folds", "folds", "bbbbbbbb", "eeeeeeee"),
        ("config", "validation.folds", "3", "5"),
    ]


def test_a_seed_is_one_cause_with_the_parameters_it_sets(causes):
    model = {**causes.main.config["model"], "random_state": 1}
    causes.main.config["model"]["random_state"] = 0
    assert causes({"seed": 1, "model": model}, seed=1) == [("seed", "seed", "0", "1")]


def test_where_the_data_lie_and_how_many_work_on_them_is_no_cause(causes):
    assert causes({"workers": 7, "outputs": "elsewhere", "data": {"path": "b.csv"}}) == []


def test_a_long_value_is_shortened(causes):
    model = {**causes.main.config["model"], "C": "x" * 1_000_000}
    ((_, name, _, value),) = causes({"model": model})
    assert name == "model.C"
    assert len(value) == 61
