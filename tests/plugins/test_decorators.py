"""A component that lacks something is refused where it is registered, with what it lacks."""

import pytest

from retain import plugins
from retain.errors import RetainError
from retain.plugins import registry


class Estimator:
    """Has every method of every kind."""

    def __init__(self, size=2, random_state=None, made=object()):  # noqa: B008
        self.size = size

    def fit(self, *_): ...

    predict = predict_proba = transform = fit_resample = get_params = set_params = fit


def without(*names):
    methods = {name: one for name, one in vars(Estimator).items() if name not in names}
    return type("Partial", (), {**methods, "__qualname__": "Partial"})


@pytest.mark.parametrize(
    ("decorate", "method"),
    [
        (plugins.model, "fit"),
        (plugins.model, "predict"),
        (plugins.model, "predict_proba"),
        (plugins.model, "get_params"),
        (plugins.sampler, "fit_resample"),
        (plugins.scaling, "transform"),
        (plugins.calibration, "predict"),
    ],
)
def test_a_class_lacks_a_method(registered, decorate, method):
    with pytest.raises(RetainError, match=f"'mine' \\(Partial\\) lacks {method}.*expected a class"):
        decorate("mine")(without(method))


@pytest.mark.parametrize("decorate", [plugins.model, plugins.sampler, plugins.calibration])
def test_a_function_where_a_class_is_expected(registered, decorate):
    with pytest.raises(RetainError, match="is no class; expected a class with"):
        decorate("mine")(lambda: None)


@pytest.mark.parametrize("name", ["", "a b", "1st", "a/b", "a.b", "ключ", "a,b", "${seed}"])
def test_a_name_that_cannot_be_typed(registered, name):
    with pytest.raises(RetainError, match="expected letters, digits and _"):
        plugins.model(name)


@pytest.mark.parametrize(
    ("decorate", "name"),
    [
        (plugins.model, "svc"),
        (plugins.sampler, "smote"),
        (plugins.source, "demo"),
        (plugins.segmentation, "rules"),
        (plugins.launcher, "ray"),
        (plugins.calibration, "isotonic"),
    ],
)
def test_a_name_of_retain_itself(registered, decorate, name):
    with pytest.raises(RetainError, match=f"one of retain's own, .*={name}; expected another name"):
        decorate(name)


def test_a_name_that_another_plugin_has(registered):
    plugins.model("mine")(Estimator)
    plugins.model("mine")(Estimator)  # the same one again
    with pytest.raises(RetainError, match=r"'mine' of .* is also one of"):
        plugins.model("mine")(without())
    plugins.sampler("mine")(without())  # another kind


@pytest.mark.parametrize("bounds", [(1, 0), (0, 0), (float("nan"), 1)])
def test_bounds_of_a_metric(registered, bounds):
    with pytest.raises(RetainError, match="expected \\(LOW, HIGH\\)"):
        plugins.metric("mine", higher_is_better=True, bounds=bounds)


@pytest.mark.parametrize(
    ("decorate", "function", "count"),
    [
        (plugins.metric("mine", higher_is_better=True), lambda y: 0, 2),
        (plugins.metric("mine", higher_is_better=True, profit=True), lambda y, p: 0, 3),
        (plugins.offer_rule("mine"), lambda features: 0, 3),
        (plugins.segmentation("mine"), lambda *, share: 0, 3),
    ],
)
def test_arguments_of_a_function(registered, decorate, function, count):
    with pytest.raises(RetainError, match=f"is called with {count} arguments"):
        decorate(function)


@pytest.mark.parametrize(
    ("keywords", "target", "said"),
    [
        ({"inputs": "pages", "group": "site"}, len, "inputs 'pages'; expected"),
        ({"inputs": [], "group": "site"}, len, "inputs \\[\\]; expected"),
        ({"inputs": ["pages"]}, len, "the group None; expected group=NAME"),
        ({"inputs": ["pages"], "group": "derived"}, len, "the group 'derived'"),
        ({"inputs": ["a", "b"]}, Estimator, "encodes one feature"),
        ({"inputs": ["a"], "group": "site"}, Estimator, "encodes one feature"),
        ({"inputs": ["a"]}, without("transform"), "lacks transform"),
    ],
)
def test_a_feature(registered, keywords, target, said):
    with pytest.raises(RetainError, match=said):
        plugins.feature("mine", **keywords)(target)


def test_a_plugin_knows_its_path_and_module(registered):
    plugins.model("mine")(Estimator)
    found = registry.find("model", "mine")
    assert found.path == f"{__name__}.Estimator"
    assert found.target is Estimator
    assert not found.is_shared
    assert found.package == __name__
