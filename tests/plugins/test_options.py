"""The option of a plug-in holds the defaults of its parameters."""

from retain import plugins
from retain.plugins import registry
from retain.plugins.options import iter_options, to_node


def read(path, sheet=0, *, names=("a", "b"), opened=open, known_kinds=None):
    raise AssertionError("nothing is read")


def halves(features, risk, profit, *, share=0.5): ...


def executor(jobs=2, address=None): ...


class Slow:
    """A model with a seed."""

    def __init__(self, depth=3, random_state=None):
        self.depth = depth

    def fit(self, *_): ...

    predict = predict_proba = get_params = set_params = fit


def test_options_of_each_kind(registered):
    plugins.source("mine")(read)
    plugins.segmentation("mine")(halves)
    plugins.launcher("mine")(executor)
    plugins.model("mine")(Slow)
    made = {group: node for group, name, node in iter_options() if name == "mine"}
    here = __name__
    assert made == {
        "data": {"name": "mine", "_target_": f"{here}.read", "path": "???", "sheet": 0}
        | {"names": ("a", "b")},
        "segmentation": {"name": "mine", "kind": "plugin", "plugin": "mine"}
        | {"parameters": {"share": 0.5}, "min_size": 30},
        "hydra/launcher": {"engine": "mine", "jobs": 2, "address": None},
        "model": {"name": "mine", "_target_": f"{here}.Slow", "depth": 3}
        | {"random_state": "${seed}"},
    }


def test_an_option_of_a_calibration(registered):
    calibration = type("Calibration", (), {"fit": len, "predict": len})
    plugins.calibration("mine")(calibration)
    node = to_node(registry.find("calibration", "mine"))
    assert node == {"name": "mine", "method": "mine", "folds": 3}
