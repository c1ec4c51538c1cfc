"""Models that grow: what is cut from a longer fit is what a shorter one gives, to the last bit."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import StandardScaler

from retain.learning.cross_validation import cross_validate
from retain.learning.cut_scores import CutScores
from retain.learning.growing import GROWING, find_growing
from retain.learning.pipeline import PipelineSpec
from retain.learning.scoring import TrainingSpec
from retain.learning.splitting import make_splits
from retain.schema.run import Calibration

FOREST, EXTRA, HIST, LIGHTGBM, CATBOOST, NEIGHBOURS = (
    "sklearn.ensemble.RandomForestClassifier",
    "sklearn.ensemble.ExtraTreesClassifier",
    "sklearn.ensemble.HistGradientBoostingClassifier",
    "lightgbm.LGBMClassifier",
    "catboost.CatBoostClassifier",
    "sklearn.neighbors.KNeighborsClassifier",
)
QUIET = {
    LIGHTGBM: {"verbose": -1, "deterministic": True, "force_row_wise": True, "n_jobs": 1},
    CATBOOST: {"verbose": False, "thread_count": 1},
}
OF_FORESTS = (
    {"min_samples_leaf": 3, "max_features": "sqrt", "n_jobs": 1},
    {"criterion": "entropy", "max_depth": 4, "class_weight": "balanced_subsample"},
    {"bootstrap": True, "max_samples": 0.5, "min_samples_split": 5, "ccp_alpha": 0.001},
    {"bootstrap": False, "max_features": 0.3, "max_leaf_nodes": 8},
    {"min_impurity_decrease": 0.001, "min_weight_fraction_leaf": 0.01},
)
CASES = {
    FOREST: OF_FORESTS,
    EXTRA: OF_FORESTS,
    HIST: (
        {"learning_rate": 0.05, "max_leaf_nodes": 15, "min_samples_leaf": 20},
        {"max_features": 0.5, "max_depth": 3, "class_weight": "balanced"},
        {"l2_regularization": 1.0, "max_bins": 32, "early_stopping": False},
        {"early_stopping": True, "learning_rate": 0.02},
    ),
    LIGHTGBM: (
        {"subsample": 0.8, "subsample_freq": 1, "colsample_bytree": 0.8, "num_leaves": 15},
        {"subsample": 0.5, "subsample_freq": 3, "learning_rate": 0.3, "min_child_samples": 2},
        {"class_weight": "balanced", "max_depth": 3, "reg_alpha": 0.1, "reg_lambda": 1.0},
        {"min_child_weight": 0.1, "min_split_gain": 0.001},
    ),
    CATBOOST: (
        {"learning_rate": 0.05, "depth": 4, "l2_leaf_reg": 1},
        {"learning_rate": 0.3, "bootstrap_type": "Bernoulli", "subsample": 0.7, "rsm": 0.5},
        {"learning_rate": 0.1, "auto_class_weights": "Balanced", "random_strength": 2},
        {"learning_rate": 0.1, "min_data_in_leaf": 5, "depth": 2},
    ),
    NEIGHBOURS: tuple(
        {"weights": weights, "p": p, "n_jobs": 1, **how}
        for weights in ("uniform", "distance")
        for p in (1, 2)
        for how in ({"algorithm": "brute"}, {"leaf_size": 5, "metric": "minkowski"})
    ),
}
"""Settings by class; together they have every parameter said to be proven."""
LENGTHS = {CATBOOST: ([1, 7, 199], [200, 201, 230])}


def table(rows=400, *, missing, seed=0):
    """Training rows, their target, and test rows; half of the columns have ties."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 8))
    x[:, ::2] = np.round(x[:, ::2] * 2)
    y = (x[:, 0] + x[:, 1] * x[:, 2] + random.normal(size=rows) > 0.5).astype(int)
    x[random.random(x.shape) < missing] = np.nan
    cut = rows * 4 // 5
    return x[:cut], y[:cut], x[cut:]


def build(target, length, **settings):
    module, _, name = target.rpartition(".")
    seeds = dict.fromkeys(GROWING[target].needed - {"learning_rate"}, 0)
    fixed = {**seeds, GROWING[target].length: length, **QUIET.get(target, {})}
    if target == CATBOOST:
        fixed["allow_writing_files"] = False
    return getattr(import_module(module), name)(**{**fixed, **settings})


@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize(
    ("target", "settings"), [(target, one) for target, cases in CASES.items() for one in cases]
)
def test_a_cut_is_the_shorter_fit_to_the_last_bit(target, settings, missing):
    train, y, test = table(missing=missing)
    if target == NEIGHBOURS:
        train, test = np.nan_to_num(train), np.nan_to_num(test)
    for *shorter, longest in LENGTHS.get(target, ([1, 2, 9, 24, 25],)):
        fitted = build(target, longest, **settings).fit(train, y)
        cuts = dict(GROWING[target].cut(fitted, test, shorter))
        assert list(cuts) == shorter
        for length, cut in cuts.items():
            alone = build(target, length, **settings).fit(train, y)
            assert np.array_equal(cut, alone.predict_proba(test)), length


# What is in the table without a case here was shown by nobody.
def test_every_parameter_said_to_be_proven_is_in_a_case():
    assert CASES.keys() == GROWING.keys()
    for target, growing in GROWING.items():
        tried = {name for case in (*CASES[target], QUIET.get(target, {})) for name in case}
        assert growing.proven - growing.needed <= tried


# A round of few rows in which no leaf can be split leaves no tree, and later trees move up.
def test_nothing_is_cut_from_boosting_with_rounds_that_left_no_tree():
    train, y, test = table(60, missing=0.0)
    settings = {"subsample": 0.8, "subsample_freq": 1, "colsample_bytree": 0.8}
    fitted = build(LIGHTGBM, 200, **settings).fit(train, y)
    assert fitted.booster_.num_trees() < 200
    assert list(GROWING[LIGHTGBM].cut(fitted, test, [50])) == []
    alone = build(LIGHTGBM, 50, **settings).fit(train, y).predict_proba(test)
    assert not np.array_equal(fitted.predict_proba(test, num_iteration=50), alone)


def test_nothing_is_cut_from_boosting_that_stopped_by_itself():
    train, y, test = table(missing=0.0)
    fitted = build(HIST, 300, early_stopping=True, learning_rate=0.5).fit(train, y)
    assert fitted.n_iter_ < 300
    assert list(GROWING[HIST].cut(fitted, test, [2])) == []


# Of equally near neighbours the search takes any.
def test_neighbours_are_not_cut_where_one_more_is_as_near():
    random = np.random.default_rng(0)
    train = random.integers(0, 3, size=(200, 2)).astype(float)
    test = random.normal(size=(20, 2))
    y = (train[:, 0] > 1).astype(int)
    fitted = build(NEIGHBOURS, 40).fit(train, y)
    assert dict(GROWING[NEIGHBOURS].cut(fitted, test, [5, 12])) == {}


def test_neighbours_are_not_cut_among_few_rows_where_they_are_sought_in_another_way():
    train, y, test = table(60, missing=0.0)
    fitted = build(NEIGHBOURS, 25, weights="distance").fit(train, y)
    assert dict(GROWING[NEIGHBOURS].cut(fitted, test, [2, 5])) == {}


def config(model, *, trials=None, method=None, threads=1):
    return {
        "model": model,
        "tuning": {"name": "none", "trials": trials},
        "calibration": {"name": "none", "method": method},
        "threads": threads,
    }


FOREST_NODE = {"name": "f", "_target_": FOREST, "n_estimators": 9, "random_state": 0}
CATBOOST_NODE = {"_target_": CATBOOST, "iterations": 9, "learning_rate": 0.1, "random_seed": 0}


def test_a_model_grows_by_the_parameter_that_counts_its_trees():
    assert find_growing(config(FOREST_NODE)).length == "n_estimators"
    assert find_growing(config(CATBOOST_NODE)).length == "iterations"


@pytest.mark.parametrize(
    "refused",
    [
        config({"_target_": "sklearn.svm.SVC", "C": 1.0}),
        config(FOREST_NODE, trials=20),
        config(FOREST_NODE, method="isotonic"),
        config(FOREST_NODE, threads=2),
        config({**FOREST_NODE, "random_state": None}),
        config({**FOREST_NODE, "n_estimators": "9"}),
        config({**FOREST_NODE, "oob_score": True}),
        config({**CATBOOST_NODE, "learning_rate": None}),
        config({k: v for k, v in CATBOOST_NODE.items() if k != "learning_rate"}),
        config(
            {"_target_": LIGHTGBM, "n_estimators": 9, "random_state": 0, "boosting_type": "dart"}
        ),
    ],
)
def test_what_was_not_shown_to_grow_is_fitted_by_itself(refused):
    assert find_growing(refused) is None


@pytest.fixture
def spec(all_features, some_metrics):
    """A training spec of a model, with a sampler."""

    def made(model):
        calibration = Calibration(name="none", method=None)
        pipeline = PipelineSpec(model, SMOTE(random_state=0), StandardScaler(), calibration, 30)
        return TrainingSpec(pipeline, all_features, some_metrics, seed=0)

    return made


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (RandomForestClassifier(random_state=0, n_jobs=1), FOREST),
        (LGBMClassifier(random_state=0, n_jobs=1, verbose=-1), LIGHTGBM),
    ],
)
def test_a_run_takes_what_a_longer_one_left_instead_of_a_fit(
    spec, shop, three_folds, tmp_path, model, target
):
    customers = shop()
    splits, growing = make_splits(customers, three_folds), GROWING[target]
    short, long = (spec(clone(model).set_params(n_estimators=n)) for n in (5, 12))
    alone = cross_validate(short, customers, splits)
    whole = cross_validate(long, customers, splits, cuts=CutScores(tmp_path, growing, (5,)))
    assert len([*tmp_path.iterdir()]) == len(splits.folds)
    cut = cross_validate(short, customers, splits, cuts=CutScores(tmp_path, growing))
    assert cut.scores.table.equals(alone.scores.table)
    assert cut.metrics == alone.metrics
    assert whole.metrics == cross_validate(long, customers, splits).metrics
    assert "fit" in whole.seconds
    assert "fit" not in cut.seconds
    assert [*tmp_path.iterdir()] == []
    again = cross_validate(short, customers, splits, cuts=CutScores(tmp_path, growing))
    assert again.metrics == alone.metrics
    assert "fit" in again.seconds


# What fails beside a fit is not the failure of the fit.
def test_a_fit_does_not_fail_where_nothing_can_be_left(spec, shop, three_folds, tmp_path):
    customers = shop()
    splits, long = make_splits(customers, three_folds), spec(RandomForestClassifier(12))
    (tmp_path / "file").write_text("no folder")
    cuts = CutScores(tmp_path / "file", GROWING[FOREST], (5,))
    assert cross_validate(long, customers, splits, cuts=cuts).metrics
