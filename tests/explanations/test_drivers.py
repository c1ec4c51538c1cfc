"""Folds put together: every customer once, by what did not see it, as the record has it."""

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.neighbors import KNeighborsClassifier

from retain.explanations.drivers import combine_folds, rank_agreement
from retain.explanations.fold import explain_fold, permutation_importance
from retain.explanations.reference_values import top_drivers, typical_ranges
from retain.explanations.shap_profile import strengths
from retain.learning.cross_validation import cross_validate
from retain.learning.splitting import make_splits

BOOSTED = LGBMClassifier(n_estimators=30, min_child_samples=5, verbose=-1, n_jobs=1)


@pytest.fixture
def drivers(scoring, experiment, three_folds, shop, ample):
    def made(model=BOOSTED, repeats=1, shuffles=0, customers=None):
        customers = shop() if customers is None else customers
        rows, splits = scoring(customers, model)
        recorded = cross_validate(experiment(model), customers, splits).scores
        folds = [
            explain_fold(rows, fold, ample, shuffles)
            for fold in splits.folds
            if fold.repeat < repeats
        ]
        return combine_folds(folds, recorded, ample.background), rows

    return made


@pytest.mark.slow
def test_each_training_customer_is_explained_once(drivers, shop, three_folds):
    found, _ = drivers()
    assert list(found.contributions.ids) == list(make_splits(shop(), three_folds).ids)
    assert found.repeats == 1


# Were the models other ones than those of the record, their reasons would be too.
def test_the_models_explained_are_those_of_the_record(drivers):
    assert drivers()[0].difference < 1e-9


def test_of_several_repeats_a_customer_has_the_mean(drivers):
    one, two = drivers(repeats=1)[0], drivers(repeats=2)[0]
    assert two.repeats == 2
    assert list(one.contributions.ids) == list(two.contributions.ids)
    assert not np.allclose(one.contributions.log_odds, two.contributions.log_odds)
    gap = np.abs(one.contributions.log_odds - two.contributions.log_odds).mean()
    assert gap < np.abs(one.contributions.log_odds).mean()


@pytest.mark.slow
def test_sampled_drivers_say_how_far_they_may_be_off(drivers):
    found, _ = drivers(KNeighborsClassifier(9))
    assert found.kind == "sampled"
    assert found.background == 10
    assert found.error > 0
    assert drivers()[0].error is drivers()[0].background is None


def test_shuffling_what_drives_costs_and_shuffling_noise_does_not(drivers):
    found, _ = drivers(shuffles=3)
    result = found.permutation(0.5)
    place = {name: j for j, name in enumerate(found.contributions.features)}
    assert found.losses.shape == (len(place), 3)
    assert result.low[place["pages"]] > 0
    assert abs(result.mean[place["category"]]) < 0.02


def test_a_shuffled_column_is_all_that_moves():
    class Sum:
        def predict_proba(self, table):
            first = 1 / (1 + np.exp(-table["a"].to_numpy()))
            return np.column_stack([1 - first, first])

    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(500, 2)), columns=["a", "b"])
    target = (table["a"].to_numpy() > 0).astype(int)
    lost = permutation_importance(Sum(), table, target, 4, random)
    assert lost[0] == pytest.approx(0.5, abs=0.06)
    assert lost[1] == 0.0


def test_two_orders_that_run_against_each_other_disagree():
    assert rank_agreement([4, 3, 2, 1], [0.1, 0.2, 0.3, 0.4]).agree is False
    assert rank_agreement([4, 3, 2, 1], [0.4, 0.3, 0.2, 0.1]).agree is True
    assert rank_agreement([1.0, 1.0], [0.2, 0.1]) is None
    assert rank_agreement([], []) is rank_agreement([1.0], [0.2]) is None


# The percentile interval of a mean must hold the truth about as often as it says.
def test_the_interval_of_a_strength_covers_the_truth():
    random = np.random.default_rng(0)
    covered = 0
    for seed in range(100):
        sizes = random.exponential(1.0, (300, 1))
        (one,) = strengths(sizes, pd.Series(range(300)), resamples=200, seed=seed)
        covered += one.low <= 1.0 <= one.high
    assert 88 <= covered <= 99


def test_copies_of_a_customer_add_no_certainty():
    sizes = np.random.default_rng(0).exponential(1.0, (100, 1))
    (alone,) = strengths(sizes, pd.Series(range(100)), resamples=500, seed=0)
    copied = np.repeat(sizes, 3, axis=0)
    (together,) = strengths(copied, pd.Series(np.repeat(range(100), 3)), resamples=500, seed=0)
    assert together.value == pytest.approx(alone.value)
    assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.01)


def test_bundles_leave_the_interval_as_it_is(monkeypatch):
    sizes = np.random.default_rng(0).exponential(1.0, (5000, 1))
    twins = pd.Series(range(5000))
    (each,) = strengths(sizes, twins, resamples=500, seed=0)
    monkeypatch.setattr("retain.explanations.shap_profile.MAX_BOOTSTRAP_UNITS", 500)
    (bundled,) = strengths(sizes, twins, resamples=500, seed=0)
    assert bundled.value == pytest.approx(each.value)
    assert bundled.high - bundled.low == pytest.approx(each.high - each.low, rel=0.2)


def test_the_strongest_drivers_stand_beside_what_is_usual(drivers, shop):
    customers = shop()
    found, rows = drivers(customers=customers)
    usually = typical_ranges(rows.table, rows.labels)
    result = top_drivers(found.contributions, rows.table, usually, 3)
    assert list(result.groupby("customer_id").size().unique()) == [3]
    sizes = result["log_odds"].abs().to_numpy().reshape(-1, 3)
    assert (np.diff(sizes, axis=1) <= 0).all()
    stayed = rows.table[rows.labels == 0]
    pages = result[result["feature"] == "pages"]
    assert (pages["typical_low"] == stayed["pages"].quantile(0.25)).all()
    own = rows.table["pages"].loc[pages["customer_id"]]
    assert (pages["value"].to_numpy() == own.to_numpy()).all()
    kinds = result[result["feature"] == "category"]
    shares = kinds["level"].map(stayed["category"].value_counts(normalize=True))
    assert kinds["typical_share"].to_numpy() == pytest.approx(shares.to_numpy())
    assert kinds["value"].isna().all()


def test_a_value_that_is_not_known_is_told_as_such():
    table = pd.DataFrame({"a": [1.0, np.nan, 3.0, np.nan], "b": [np.nan] * 4})
    known = typical_ranges(table, np.array([0, 0, 0, 1]))
    assert known["a"].unknown == pytest.approx(1 / 3)
    assert known["b"].low is None
