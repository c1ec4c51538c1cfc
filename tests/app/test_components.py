import pytest

from retain.app.components import build, parameter_names
from retain.errors import RetainError


def any_class(_):
    return True


def test_a_null_target_builds_nothing():
    assert build("sampler", {"name": "none", "_target_": None}, any_class) is None


def test_nested_estimators_are_built_too():
    node = {
        "name": "bagged",
        "_target_": "sklearn.ensemble.BaggingClassifier",
        "estimator": {"_target_": "sklearn.tree.DecisionTreeClassifier", "max_depth": 2},
    }
    assert build("model", node, any_class).estimator.max_depth == 2


@pytest.mark.parametrize(
    "value", [{"_target_": "os.system"}, [{"_target_": "os.system"}], {"a": {"_target_": "os.x"}}]
)
def test_nothing_strange_is_built_however_deep_it_hides(value):
    node = {"name": "x", "_target_": "sklearn.ensemble.BaggingClassifier", "estimator": value}
    with pytest.raises(RetainError, match=r"model\.estimator.*may be built"):
        build("model", node, any_class)


def test_what_the_class_itself_refuses_is_told_without_a_traceback():
    node = {"name": "x", "_target_": "sklearn.pipeline.Pipeline"}
    with pytest.raises(RetainError, match=r"model cannot be built: .*'steps'"):
        build("model", node, any_class)


def test_a_missing_system_library_is_named(monkeypatch):
    def import_module(name):
        raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.setattr("importlib.import_module", import_module)
    with pytest.raises(RetainError, match=r"lightgbm cannot be loaded: libgomp.*libgomp1"):
        build("model", {"name": "x", "_target_": "lightgbm.LGBMClassifier"}, any_class)


def test_lightgbm_is_asked_for_all_its_names():
    from lightgbm import LGBMClassifier

    assert {"num_leaves", "max_bin", "deterministic", "n_jobs"} <= set(
        parameter_names(LGBMClassifier)
    )
