"""What a config may name and set, over all classes of the four libraries and all they take."""

import json
import subprocess
import sys
from functools import cache
from importlib import import_module

import pytest

from retain.errors import RetainError
from retain.learning.forbidden_parameters import PLAIN, REFUSED, THREADS
from retain.learning.parameters import (
    check_parameter,
    check_plain,
    library_of,
    lightgbm_aliases,
    parameter_names,
)
from retain.learning.registry import REFUSED as REFUSED_CLASSES
from retain.learning.registry import find_class, registered_classes

HOSTILE = (
    "/etc/x",
    "outputs/x/cache",
    "..\\x",
    "model.bin",
    "os.system",
    "10.0.0.1:8080",
    "10.0.0.1",
    "localhost:99",
    "postgresql://user@host/shop",
    "x\n",
    "x" * 300,
)
"""Texts that name a file, a function or a host."""


@cache
def registered():
    return {path: find_class("model", path) for path in registered_classes()}


@cache
def estimators():
    """Every estimator class of the four libraries, by the path it is known by in public."""
    from imblearn.utils.testing import all_estimators as all_of_imblearn
    from sklearn.utils import all_estimators

    found = [found for _, found in (*all_estimators(), *all_of_imblearn())]
    public = {}
    for one in found:
        parts = one.__module__.split(".")
        home = [part for part in parts if not part.startswith("_")]
        public[".".join([*(home if len(home) > 1 else parts[:1]), one.__name__])] = one
    for library in ("lightgbm", "catboost"):
        for name, one in vars(import_module(library)).items():
            if isinstance(one, type) and hasattr(one, "fit"):
                public[f"{library}.{name}"] = one
    return public


def refusal_of(path):
    parts = path.split(".")
    homes = (".".join(parts[:length]) for length in range(2, len(parts) + 1))
    return next((REFUSED_CLASSES[home] for home in homes if home in REFUSED_CLASSES), None)


# A class that a newer version brings is registered or refused by somebody, not by chance.
def test_every_estimator_of_the_libraries_is_registered_or_refused_with_a_reason():
    assert len(estimators()) > 230
    experimental = {"IterativeImputer", "HalvingGridSearchCV", "HalvingRandomSearchCV"}
    known = set(registered().values())
    lost = [
        path
        for path, one in estimators().items()
        if one not in known and refusal_of(path) is None and one.__name__ not in experimental
    ]
    assert lost == []


def test_no_refused_class_is_built():
    for path in estimators():
        if (reason := refusal_of(path)) is not None:
            with pytest.raises(RetainError, match="may not be built") as caught:
                find_class("model", path)
            assert reason in str(caught.value)


def test_no_parameter_of_any_class_takes_a_path_a_host_or_a_function():
    tried = 0
    for path, target in registered().items():
        if library_of(target) == "retain":
            continue  # its texts are names of features, and it opens nothing
        for name in parameter_names(target):
            for value in HOSTILE:
                for given in (value, [value], {"a": value}):
                    with pytest.raises(RetainError):
                        check_parameter("model", target, name, given, 1)
                    tried += 1
        assert tried, path
    assert tried > 70_000


def test_a_parameter_is_refused_with_its_reason_or_takes_plain_values():
    for target in registered().values():
        library = library_of(target)
        refused = REFUSED.get(library, {})
        for name in parameter_names(target):
            own = lightgbm_aliases().get(name, name) if library == "lightgbm" else name
            if own in refused:
                with pytest.raises(RetainError, match="may not be set") as caught:
                    check_parameter("model", target, name, 1, 1)
                assert refused[own] in str(caught.value)
            elif own not in ("allow_writing_files", *THREADS):
                for value in (1, 0.5, True, None, "word", [1, 2], {"a": 1}):
                    check_parameter("model", target, name, value, 1)


# In these two a text may mean anything: what is not in the table is not let through.
@pytest.mark.parametrize("library", PLAIN)
def test_every_parameter_of_compiled_libraries_is_judged(library):
    for target in registered().values():
        if library_of(target) == library:
            names = parameter_names(target)
            own = {lightgbm_aliases().get(n, n) if library == "lightgbm" else n for n in names}
            assert own <= PLAIN[library] | set(REFUSED[library])
            assert not PLAIN[library] & set(REFUSED[library])


JUDGED = {
    "constant": "the class or number that a dummy foretells",
    "metric": "the name of a distance",
    "outlier_label": "a class",
    "scoring": "the name of one of scikit-learn's own",
    "threshold": "a number, or a factor of the mean or median",
}
"""Parameters of scikit-learn that take any text, and what the text is."""


# scikit-learn says of itself which parameters take any text at all; a new one is looked at.
def test_every_free_text_of_scikit_learn_is_judged():
    free = {
        name
        for target in registered().values()
        for name, kinds in getattr(target, "_parameter_constraints", {}).items()
        if kinds != "no_validation" and str in kinds
    }
    assert free - set(REFUSED["sklearn"]) == set(JUDGED)


@pytest.mark.parametrize("name", [*THREADS, "nthread", "nthreads", "num_thread"])
def test_no_config_asks_for_more_threads_than_the_run_has(name):
    for target in registered().values():
        if name in parameter_names(target):
            check_parameter("model", target, name, 2, 2)
            check_parameter("model", target, name, None, 1)
            for wrong in (3, 1000, -1, 0, 1.0, True, "2"):
                with pytest.raises(RetainError, match="expected 1 to 2"):
                    check_parameter("model", target, name, wrong, 2)


# LightGBM joins its parameters by blanks, so that one could hide another.
@pytest.mark.parametrize("text", ["binary machines=10.0.0.1", "binary\ttask", "x=y"])
def test_no_text_smuggles_a_parameter_into_lightgbm(text):
    with pytest.raises(RetainError, match=r"model\.objective.*plain word"):
        check_parameter("model", registered()["lightgbm.LGBMClassifier"], "objective", text, 1)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), [0] * 10_001, object(), b"x", [[[[[[[[[[[[1]]]]]]]]]]]]],
    ids=["nan", "inf", "many", "object", "bytes", "deep"],
)
def test_a_value_that_is_not_plain_is_refused(value):
    with pytest.raises(RetainError, match=r"model\.x"):
        check_plain("model.x", value)


def test_what_is_not_registered_is_not_even_imported():
    code = (
        "import sys\nfrom retain.errors import RetainError\n"
        "from retain.learning.registry import find_class\n"
        "for path in ('sklearn.datasets.x', 'lightgbm.dask.DaskLGBMClassifier', 'antigravity.x',\n"
        "             'retain.cli.run.main', 'sklearn', '', 'catboost.core.CatBoostClassifier'):\n"
        "    try: find_class('model', path)\n"
        "    except RetainError: continue\n"
        "    raise SystemExit(path)\n"
        "print(json := __import__('json').dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(json.loads(done.stdout)) & {"sklearn", "lightgbm", "catboost", "antigravity"}


FITTED = """
import os, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
from retain.learning.registry import find_class, registered_classes
from retain.learning.parameters import library_of
from retain.learning.forbidden_parameters import FIXED

classes = [find_class("model", path) for path in registered_classes()]
happened = []

def listen(event, arguments):
    # numbers are pipes that are open already; only a path or a mode to write is of interest
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        mode, flags = arguments[1], arguments[2]
        if (flags or 0) & (os.O_WRONLY | os.O_RDWR) or set(mode or "") & set("wax+"):
            happened.append((event, str(arguments[0])))
    elif event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn")):
        if arguments[0] != "lscpu":  # joblib counts the cores
            happened.append((event, str(arguments)[:100]))

random = np.random.default_rng(0)
X = random.random((40, 4))
y = (X[:, 0] + random.normal(0, 0.1, 40) > 0.7).astype(int)
SMALL = {"n_estimators": 3, "iterations": 3, "max_iter": 5, "n_components": 2, "n_clusters": 2}
QUIET = {"catboost": {"verbose": False}, "lightgbm": {"verbose": -1}}
sys.addaudithook(listen)
fitted = 0
for target in classes:
    own = getattr(target, "_get_param_names", lambda: ["iterations"])()
    given = {name: value for name, value in SMALL.items() if name in own}
    given |= QUIET.get(library_of(target), {})
    try:
        model = target(**given, **FIXED.get(library_of(target), {}))
        (model.fit_resample if hasattr(model, "fit_resample") else model.fit)(X, y)
        fitted += 1
    except Exception:
        pass  # wants an estimator within it, other columns or more customers
print(fitted, len(classes), happened, sorted(os.listdir(".")))
assert fitted > 0.75 * len(classes), fitted
assert not happened and not os.listdir(".")
"""


@pytest.mark.slow
def test_fitting_registered_classes_writes_no_file_and_opens_no_connection(tmp_path):
    command = [sys.executable, "-c", FITTED]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
