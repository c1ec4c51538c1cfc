"""Rows prepared once and shared: the same scores, fewer preparations, within bounds."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE, SMOTENC
from lightgbm import LGBMClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import RobustScaler, StandardScaler

from retain.learning import fold_data
from retain.learning.cross_validation import cross_validate
from retain.learning.fold_data import FoldData, PreparedFoldCache
from retain.learning.pipeline import PipelineSpec
from retain.learning.scoring import TrainingSpec
from retain.learning.splitting import make_splits
from retain.schema.run import Calibration

MODELS = [
    LogisticRegression(max_iter=500),
    KNeighborsClassifier(),
    LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1),
]


@pytest.fixture
def experiment(all_features, some_metrics):
    def made(model=MODELS[0], sampler=None, scaling=None, *, categories=True):
        scaling = scaling or StandardScaler()
        recipe = PipelineSpec(model, sampler, scaling, Calibration(name="none", method=None), 30)
        toggles = all_features.model_copy()
        if not categories:
            toggles.__pydantic_extra__.update(product=False)
        return TrainingSpec(recipe, toggles, some_metrics, seed=0)

    return made


@pytest.fixture
def cache(tmp_path):
    return PreparedFoldCache(tmp_path, limit=2**30)


@pytest.fixture
def prepared(monkeypatch):
    """How often rows were prepared, as a list that grows."""
    calls = []

    def counted(*arguments):
        calls.append(arguments)
        return made(*arguments)

    made = fold_data.prepare_fold
    monkeypatch.setattr("retain.learning.scoring.prepare_fold", counted)
    return calls


# Who computed the rows, and whether they lie in memory or in a mapped file, may not show.
@pytest.mark.slow
@pytest.mark.parametrize("large", [1, 2**20])
@pytest.mark.parametrize("sampler", [None, SMOTE(random_state=0), SMOTENC([0], random_state=0)])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_scores_are_the_same_to_the_last_bit(
    experiment, shop, three_folds, tmp_path, monkeypatch, model, sampler, large
):
    monkeypatch.setattr(fold_data, "MMAP_BYTES", large)
    customers = shop()
    splits = make_splits(customers, three_folds)
    asked = experiment(model, sampler, StandardScaler())
    alone = cross_validate(asked, customers, splits).scores.table
    for _ in range(2):
        first, second = PreparedFoldCache(tmp_path, 2**30), PreparedFoldCache(tmp_path, 2**30)
        for cache in (first, second, first):
            shared = cross_validate(asked, customers, splits, cache).scores.table
            assert shared["probability"].tolist() == alone["probability"].tolist()


def test_models_that_prepare_alike_share_rows(experiment, shop, three_folds, cache, prepared):
    customers = shop()
    splits = make_splits(customers, three_folds)
    for model in MODELS:
        cross_validate(experiment(model), customers, splits, cache)
    assert len(prepared) == len(splits.folds)


def test_another_process_finds_them(experiment, shop, three_folds, tmp_path, prepared):
    customers = shop()
    splits = make_splits(customers, three_folds)
    for _ in range(2):
        cross_validate(experiment(), customers, splits, PreparedFoldCache(tmp_path, 2**30))
    assert len(prepared) == len(splits.folds)


@pytest.mark.parametrize(
    "other",
    [
        {"scaling": RobustScaler()},
        {"scaling": StandardScaler(with_mean=False)},
        {"sampler": SMOTE(random_state=1)},
        {"sampler": SMOTE(random_state=1, k_neighbors=3)},
        {"categories": False},
    ],
    ids=str,
)
def test_what_prepares_otherwise_shares_nothing(
    experiment, shop, three_folds, cache, prepared, other
):
    customers = shop()
    splits = make_splits(customers, three_folds)
    cross_validate(experiment(sampler=SMOTE(random_state=0)), customers, splits, cache)
    cross_validate(
        experiment(**{"sampler": SMOTE(random_state=0), **other}), customers, splits, cache
    )
    assert len(prepared) == 2 * len(splits.folds)


def test_other_customers_and_other_folds_share_nothing(
    experiment, shop, three_folds, cache, prepared
):
    for seed, which in ((0, 0), (0, 1), (1, 0)):
        customers = shop(seed=seed)
        cross_validate(
            experiment(),
            customers,
            make_splits(customers, three_folds.model_copy(update={"seed": which})),
            cache,
        )
    assert len(prepared) == 3 * 6


def test_what_no_text_can_describe_is_not_shared(experiment, shop, three_folds, cache, prepared):
    customers = shop()
    splits = make_splits(customers, three_folds)
    drawn = np.random.RandomState(0)
    for _ in range(2):
        cross_validate(experiment(sampler=SMOTE(random_state=drawn)), customers, splits, cache)
    assert len(prepared) == 2 * len(splits.folds)


def rows_of(number, size=1000):
    return FoldData(*(np.full(size, float(number)) for _ in range(3)))


def test_the_folder_stays_within_its_limit_and_drops_what_was_used_longest_ago(tmp_path):
    cache = PreparedFoldCache(tmp_path, limit=4 * rows_of(0).nbytes)
    for number in range(10):
        PreparedFoldCache(tmp_path, limit=2**30).load("kept", lambda: rows_of(99))
        assert cache.load(str(number), lambda n=number: rows_of(n)).test[0] == number
    files = list(tmp_path.rglob("*.npy"))
    assert sum(path.stat().st_size for path in files) <= 4 * rows_of(0).nbytes
    kept = PreparedFoldCache(tmp_path, limit=2**30).load("kept", lambda: rows_of(0))
    assert kept.train[0] == 99


def test_a_folder_that_cannot_be_written_costs_the_sharing_only(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    rows = PreparedFoldCache(tmp_path, limit=2**30).load("a", lambda: rows_of(7))
    assert rows.train[0] == 7
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]


def test_shared_rows_cannot_be_changed(tmp_path):
    rows = PreparedFoldCache(tmp_path, limit=2**30).load(
        "a",
        lambda: fold_data.FoldData(
            *map(fold_data._read_only_contiguous, (np.ones(3), np.ones(3), np.ones(3)))
        ),
    )
    with pytest.raises(ValueError, match="read-only"):
        rows.train[0] = 5


# Preparing takes several times the memory of what it leaves, and a core that could be fitting.
def test_who_wants_rows_that_are_being_made_waits_for_them(tmp_path):
    made = []

    def slow():
        made.append(1)
        time.sleep(0.3)
        return rows_of(5)

    with ThreadPoolExecutor(2) as threads:
        caches = [PreparedFoldCache(tmp_path, 2**30) for _ in range(2)]
        found = list(threads.map(lambda cache: cache.load("a", slow), caches))
    assert made == [1]
    assert [rows.test[0] for rows in found] == [5, 5]
