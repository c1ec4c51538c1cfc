import pytest

from retain.cli.compose import Composer
from retain.cli.overrides import Arguments
from retain.errors import RetainError
from retain.learning.components import build_component, build_training_spec
from retain.learning.parameters import parameter_names


def any_class(_):
    return True


def test_a_null_target_builds_nothing():
    assert build_component("sampler", {"name": "none", "_target_": None}, any_class) is None


def test_nested_estimators_are_built_too():
    node = {
        "name": "bagged",
        "_target_": "sklearn.ensemble.BaggingClassifier",
        "estimator": {"_target_": "sklearn.tree.DecisionTreeClassifier", "max_depth": 2},
    }
    assert build_component("model", node, any_class).estimator.max_depth == 2


@pytest.mark.parametrize(
    "value", [{"_target_": "os.system"}, [{"_target_": "os.system"}], {"a": {"_target_": "os.x"}}]
)
def test_nothing_strange_is_built_however_deep_it_hides(value):
    node = {"name": "x", "_target_": "sklearn.ensemble.BaggingClassifier", "estimator": value}
    with pytest.raises(RetainError, match=r"model\.estimator.*may be built"):
        build_component("model", node, any_class)


def test_what_the_class_itself_refuses_is_told_without_a_traceback():
    node = {"name": "x", "_target_": "sklearn.ensemble.VotingClassifier"}
    with pytest.raises(RetainError, match=r"model cannot be built: .*'estimators'"):
        build_component("model", node, any_class)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("libgomp.so.1: cannot open"), r"lightgbm cannot be loaded: libgomp.*libgomp1\."),
        (ImportError("x.so: failed to map"), r"lightgbm cannot be loaded: x\.so: failed to map\.$"),
        (ModuleNotFoundError("No module", name="lightgbm"), r"there is no module 'lightgbm'"),
        (ModuleNotFoundError("No module", name="inner"), r"there is no module 'inner'"),
    ],
)
def test_a_library_that_does_not_load_is_told_from_one_that_is_not_there(monkeypatch, error, said):
    def import_module(name):
        raise error

    monkeypatch.setattr("retain.learning.registry.import_module", import_module)
    with pytest.raises(RetainError, match=said):
        build_component("model", {"name": "x", "_target_": "lightgbm.LGBMClassifier"}, any_class)


TREE = {"_target_": "sklearn.tree.DecisionTreeClassifier"}
HOSTILE = {
    "a cache of pickles": {
        "_target_": "sklearn.pipeline.Pipeline",
        "steps": [["a", TREE]],
        "memory": "outputs/x/cache",
    },
    "a cache deep within": {
        "_target_": "sklearn.ensemble.VotingClassifier",
        "estimators": [
            ["a", {"_target_": "sklearn.cluster.FeatureAgglomeration", "memory": "cache"}]
        ],
    },
    "a model file": {"_target_": "lightgbm.LGBMClassifier", "model_in": "model.txt"},
    "machines by an alias": {"_target_": "lightgbm.LGBMClassifier", "workers": "h:1,g:2"},
    "a parameter within a text": {
        "_target_": "lightgbm.LGBMClassifier",
        "objective": "binary input_model=x",
    },
    "a folder": {"_target_": "catboost.CatBoostClassifier", "train_dir": "x"},
    "a snapshot": {"_target_": "catboost.CatBoostClassifier", "snapshot_file": "x"},
    "files": {"_target_": "catboost.CatBoostClassifier", "allow_writing_files": True},
    "a fleet": {"_target_": "sklearn.ensemble.RandomForestClassifier", "n_jobs": 1000},
    "a private path": {"_target_": "sklearn.ensemble._forest.RandomForestClassifier"},
    "a number": {"_target_": 5},
    "a number that is none": {"_target_": "sklearn.svm.SVC", "C": float("nan")},
    "a keyword of Hydra's": {"_target_": "sklearn.svm.SVC", "_args_": [1]},
}


@pytest.mark.parametrize("node", HOSTILE.values(), ids=HOSTILE)
def test_what_a_record_of_somebody_elses_may_hold_is_not_built(node):
    with pytest.raises(RetainError, match=r"^model"):
        build_component("model", {"name": "x", **node}, any_class)


def test_catboost_never_writes_whatever_the_config_says():
    node = {"name": "x", "_target_": "catboost.CatBoostClassifier"}
    for more in ({}, {"allow_writing_files": False}):
        built = build_component("model", {**node, **more}, any_class)
        assert built.get_params()["allow_writing_files"] is False


def test_no_config_trusts_a_package(monkeypatch):
    node = {"name": "x", "_target_": "yaml.Loader"}
    with pytest.raises(RetainError, match="export RETAIN_TRUST=PACKAGE"):
        build_component("model", node, any_class)
    monkeypatch.setenv("RETAIN_TRUST", "yaml")
    with pytest.raises(RetainError, match="which is no model"):
        build_component("model", node, lambda found: hasattr(found, "fit"))


# Tuning sets parameters too: what it would try is held to the same rules.
@pytest.mark.parametrize(
    ("model", "search", "message"),
    [
        ("lightgbm.LGBMClassifier", {"num_machines": {"low": 1, "high": 2}}, "machines work"),
        ("lightgbm.LGBMClassifier", {"objective": {"choices": ["a b=c"]}}, "plain word"),
        ("sklearn.svm.SVC", {"kernel": {"choices": ["os.system", "rbf"]}}, "plain word"),
        ("sklearn.neighbors.KNeighborsClassifier", {"n_jobs": {"low": 1, "high": 99}}, "to 1,"),
    ],
)
def test_a_search_tries_nothing_that_may_not_be_set(model, search, message):
    with Composer(Arguments(("model=logreg",)), "run") as composer:
        (run,) = composer.runs()
    node = {"name": "x", "_target_": model, "search": search}
    with pytest.raises(RetainError, match=message):
        build_training_spec(run.run.model_copy(update={"model": node}))


def test_lightgbm_is_asked_for_all_its_names():
    from lightgbm import LGBMClassifier

    assert {"num_leaves", "max_bin", "deterministic", "n_jobs"} <= set(
        parameter_names(LGBMClassifier)
    )
