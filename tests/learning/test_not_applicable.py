"""What too few rows allow nobody is not applicable: every sampler, every model, together."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from retain.cli.compose import Composer
from retain.cli.overrides import parse_args
from retain.errors import NotApplicable
from retain.learning.compatibility import raise_not_applicable
from retain.learning.components import build_training_spec
from retain.learning.cross_validation import cross_validate
from retain.learning.registry import find_class, registered_classes
from retain.learning.splitting import make_splits
from retain.storage.paths import conf_dir

SAMPLERS = sorted(path.stem for path in (conf_dir() / "sampler").glob("*.yaml"))
NEEDS_PURCHASES = ("bg_nbd", "pareto_nbd", "recency_rule")
MODELS = sorted(
    path.stem for path in (conf_dir() / "model").glob("*.yaml") if path.stem not in NEEDS_PURCHASES
)
LIBRARY = sorted(
    path
    for path in registered_classes()
    if path.startswith("imblearn") and not path.endswith("SMOTENC")
    if hasattr(find_class("sampler", path), "fit_resample")
)


def compose(*words):
    with Composer(parse_args(["data=demo", "validation.repeats=1", *words]), "run") as composer:
        return composer.runs()[0].run


@pytest.fixture
def skewed(shop):
    """Few customers, fewer of whom declined."""

    def make(n, n_declined):
        customers = shop(n)
        declined = pd.Series(np.arange(n) < n_declined, index=customers.features.index)
        shuffled = declined.sample(frac=1, random_state=0).set_axis(declined.index)
        return replace(customers, target=shuffled.astype("int64").rename("target"))

    return make


def outcome(customers, *words):
    """Return ``done`` or ``not applicable``; any other end of a run is an error of the test."""
    run = compose("validation.folds=2", *words)
    try:
        splits = make_splits(customers, run.validation)
        cross_validate(build_training_spec(run), customers, splits)
    except NotApplicable:
        return "not applicable"
    return "done"


@pytest.mark.parametrize("path", LIBRARY)
@pytest.mark.parametrize(("n", "n_declined"), [(12, 2), (40, 3), (60, 1)])
@pytest.mark.filterwarnings("ignore")
def test_a_sampler_of_the_library_with_too_few_rows_is_not_applicable(path, n, n_declined):
    rows = np.random.default_rng(0).normal(size=(n, 3))
    target = (np.arange(n) < n_declined).astype(int)
    with suppress(NotApplicable), raise_not_applicable():
        find_class("sampler", path)().fit_resample(rows, target)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("words", [(), ("calibration=isotonic",)])
@pytest.mark.filterwarnings("ignore")
def test_every_sampler_on_a_tiny_fold_is_done_or_not_applicable(skewed, sampler, words):
    customers = skewed(40, 6)
    expected = "done" if sampler in ("none", "random_over", "random_under") else "not applicable"
    assert outcome(customers, f"sampler={sampler}", *words) == (
        "not applicable" if words else expected
    )


@pytest.mark.parametrize("sampler", [one for one in SAMPLERS if one != "none"])
@pytest.mark.parametrize("ratio", [0.05, 0.9])
@pytest.mark.filterwarnings("ignore")
def test_a_ratio_that_cannot_be_reached_is_not_applicable(skewed, sampler, ratio):
    customers, plus = skewed(120, 40), "" if sampler.startswith("smote_") else "+"
    found = outcome(customers, f"sampler={sampler}", f"{plus}sampler.sampling_strategy={ratio}")
    assert found == ("not applicable" if ratio < 0.5 else "done")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.filterwarnings("ignore")
def test_every_model_on_a_tiny_fold_is_done_or_not_applicable(skewed, model):
    assert outcome(skewed(30, 6), f"model={model}") in ("done", "not applicable")


@pytest.mark.filterwarnings("ignore")
def test_more_neighbours_than_rows_are_not_applicable(skewed):
    customers = skewed(60, 20)
    assert outcome(customers, "model=knn", "model.n_neighbors=500") == "not applicable"
    assert outcome(customers, "model=knn", "model.n_neighbors=5") == "done"


@pytest.mark.parametrize("sampler", ["smote_enn", "smote_tomek"])
@pytest.mark.filterwarnings("ignore")
def test_the_neighbours_within_a_combined_sampler_have_keys(skewed, sampler):
    customers = skewed(40, 6)
    assert outcome(customers, f"sampler={sampler}", "sampler.smote.k_neighbors=1") == "done"
