from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import ADASYN, SMOTE, SMOTENC, RandomOverSampler
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from retain.errors import NotApplicable, RetainError
from retain.learning.blend import Blend
from retain.learning.cross_validation import cross_validate, fit, score_test
from retain.learning.pipeline import PipelineSpec
from retain.learning.score_file import write_scores
from retain.learning.scores import COLUMNS, Scores
from retain.learning.scoring import TrainingSpec
from retain.learning.splitting import make_splits
from retain.schema.run import Calibration


@pytest.fixture
def make(all_features, some_metrics):
    def experiment(model=None, sampler=None, method=None, **features):
        recipe = PipelineSpec(
            model=model or LogisticRegression(max_iter=500),
            sampler=sampler,
            scaling=StandardScaler(),
            calibration=Calibration(name=method or "none", method=method),
            max_categories=30,
        )
        toggled = all_features.model_copy(update=features)
        toggled.__pydantic_extra__.update(features)
        return TrainingSpec(recipe, toggled, some_metrics, seed=0)

    return experiment


@pytest.fixture
def run(make, three_folds):
    def evaluated(customers, *, repeats=three_folds.repeats, **how):
        folds = three_folds.model_copy(update={"repeats": repeats})
        return cross_validate(make(**how), customers, make_splits(customers, folds))

    return evaluated


def test_each_training_customer_is_scored_once_a_repeat(run, shop, three_folds):
    customers = shop()
    scores = run(customers).scores
    ids = make_splits(customers, three_folds).ids
    counts = scores.table.groupby("customer_id").size()
    assert scores.origin == "out_of_fold"
    assert sorted(counts.index) == list(ids)
    assert set(counts) == {three_folds.repeats}


def test_metrics_are_those_of_the_scores_of_each_fold(run, shop):
    outcome = run(shop())
    parts = outcome.scores.table.groupby(["repeat", "fold"])
    expected = [roc_auc_score(part["target"], part["probability"]) for _, part in parts]
    metric = outcome.metrics["roc_auc"]
    assert metric["fold_values"] == pytest.approx(expected)
    assert metric["low"] < metric["value"] < metric["high"]


def test_the_same_run_twice_gives_the_same_bits(run, shop):
    one, two = (run(shop(), sampler=SMOTE(random_state=0)).scores.table for _ in range(2))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_a_target_of_pure_noise_is_predicted_no_better_than_by_chance(run, shop):
    outcome = run(shop(400, noise=1000.0))
    assert outcome.metrics["roc_auc"]["low"] < 0.5 < outcome.metrics["roc_auc"]["high"]


class Spy(ClassifierMixin, BaseEstimator):
    """Notes how many rows it is shown."""

    fitted: list = []  # noqa: RUF012 - shared by clones on purpose
    asked: list = []  # noqa: RUF012

    def fit(self, X, y):
        Spy.fitted.append(len(X))
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, X):
        Spy.asked.append(len(X))
        return np.column_stack([1 - X[:, 0] * 0 - 0.5, X[:, 0] * 0 + 0.5])


# A sampler outside the fold would copy test customers into training.
def test_samplers_see_training_rows_only(run, shop, three_folds):
    Spy.fitted, Spy.asked = [], []
    customers = shop()
    run(customers, model=Spy(), sampler=RandomOverSampler(random_state=0))
    splits = make_splits(customers, three_folds)
    target = customers.target.loc[splits.ids]
    larger = [2 * target.iloc[f.train].value_counts().max() for f in splits.folds]
    assert Spy.fitted == larger
    assert Spy.asked == [len(f.test) for f in splits.folds]


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibration_mends_probabilities_that_resampling_bent(run, shop, method):
    customers = shop(600, seed=3)
    rare = customers.rows((customers.target == 0) | (np.arange(600) % 4 == 0))
    bent = run(rare, sampler=RandomOverSampler(random_state=0), repeats=1)
    mended = run(rare, sampler=RandomOverSampler(random_state=0), method=method, repeats=1)
    assert mended.metrics["brier"]["value"] < bent.metrics["brier"]["value"]


def test_a_temperature_leaves_the_ranking_and_tames_confidence(run, shop):
    bold = LogisticRegression(C=1e6, max_iter=2000)
    customers = shop(120, noise=2.0)
    plain = run(customers, model=bold, repeats=1)
    tamed = run(customers, model=bold, method="temperature", repeats=1)
    assert tamed.metrics["log_loss"]["value"] < plain.metrics["log_loss"]["value"]
    assert tamed.metrics["roc_auc"]["value"] == pytest.approx(plain.metrics["roc_auc"]["value"])


def test_a_model_without_probabilities_is_given_a_logistic_curve(run, shop):
    metrics = run(shop(), model=SVC()).metrics
    assert metrics["roc_auc"]["value"] > 0.7
    assert metrics["log_loss"]["value"] < 0.7


@pytest.mark.slow
@pytest.mark.parametrize("average", ["probability", "rank"])
def test_a_blend_is_about_as_good_as_its_members(run, shop, average):
    members = {"logreg": LogisticRegression(max_iter=500), "svc": SVC()}
    customers = shop(300)
    blended = run(customers, model=Blend(members, average), repeats=1).metrics
    alone = run(customers, repeats=1).metrics
    assert blended["roc_auc"]["value"] == pytest.approx(alone["roc_auc"]["value"], abs=0.03)
    assert blended["log_loss"]["value"] < 0.65


def test_a_blend_predicts_the_likelier_class(make, shop):
    customers = shop()
    members = {"logreg": LogisticRegression(max_iter=500)}
    model = fit(make(model=Blend(members)), customers, customers.features.index)
    from retain.learning.features import feature_matrix

    table = feature_matrix(customers, make().features)
    likelier = (model.predict_proba(table)[:, 1] > 0.5).astype(int)
    assert model.predict(table).tolist() == likelier.tolist()


def test_smotenc_makes_no_customer_between_two_categories(run, shop):
    sampler = SMOTENC(categorical_features="auto", random_state=0)
    assert run(shop(), sampler=sampler).metrics["roc_auc"]["value"] > 0.7


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (
            {"sampler": SMOTENC(categorical_features="auto"), "product": False},
            "needs a category feature",
        ),
        (
            {
                "sampler": SMOTENC(categorical_features="auto"),
                **dict.fromkeys(("site", "communication", "purchase"), False),
            },
            "needs a number feature",
        ),
        ({"sampler": SMOTE(k_neighbors=500)}, "looks at 500 neighbours"),
        ({"sampler": ADASYN()}, "balanced already"),
    ],
)
def test_what_cannot_be_combined_is_not_applicable_with_a_reason(run, shop, how, reason):
    customers = shop(300)
    if isinstance(how["sampler"], ADASYN):
        target = pd.Series(np.arange(300) % 2, index=customers.features.index)
        customers = replace(customers, target=target)
    with pytest.raises(NotApplicable, match=reason):
        run(customers, **how)


def test_a_metric_that_is_no_number_fails_the_run(run, shop):
    customers = shop()
    customers = replace(customers, profit=customers.profit * 0)
    with pytest.raises(RetainError, match=r"captured_profit_10 is nan in repeat 0, fold 0"):
        run(customers)


def test_sealed_customers_are_scored_by_a_model_fitted_on_the_others(make, shop, three_folds):
    customers = shop()
    splits = make_splits(customers, three_folds)
    experiment = make(model=KNeighborsClassifier(1))
    model = fit(experiment, customers, splits.ids)
    scores = score_test([model], experiment, customers, splits)
    assert scores.origin == "sealed_test"
    assert list(scores.table["customer_id"]) == list(splits.test_ids)
    # One neighbour knows its own rows by heart, so new ones give it away.
    assert roc_auc_score(scores.table["target"], scores.table["probability"]) < 0.95


def test_a_dummy_ranks_nobody(run, shop):
    assert run(shop(), model=DummyClassifier()).metrics["roc_auc"]["value"] == 0.5


def test_a_table_that_is_no_table_of_scores_is_a_bug():
    with pytest.raises(ValueError, match="scores need the columns"):
        Scores(pd.DataFrame({"a": [1]}), "new")


def test_a_probability_above_one_is_a_bug():
    row = pd.DataFrame(
        [(1, 0, 0, 1, 1.5)], columns=["customer_id", "repeat", "fold", "target", "probability"]
    )
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        Scores(row, "new")


# A race scores a few folds at a time, with other runs in between.
@pytest.mark.parametrize("sampler", [None, SMOTE(random_state=0)], ids=["plain", "sampled"])
def test_folds_scored_in_several_goes_are_the_same_bits(make, shop, three_folds, sampler):
    customers = shop()
    splits = make_splits(customers, three_folds)
    experiment = make(sampler=sampler)
    whole, part = cross_validate(experiment, customers, splits), None
    for folds in (2, 3, 6):
        part = cross_validate(experiment, customers, splits, begun=part, upto=folds)
        assert len(part.metrics["roc_auc"]["fold_values"]) == folds
        assert (
            part.metrics["roc_auc"]["fold_values"]
            == whole.metrics["roc_auc"]["fold_values"][:folds]
        )
    pd.testing.assert_frame_equal(part.scores.table, whole.scores.table, check_exact=True)
    assert part.metrics == whole.metrics


def test_seconds_of_several_goes_add_up(make, shop, three_folds):
    customers = shop()
    splits = make_splits(customers, three_folds)
    first = cross_validate(make(), customers, splits, upto=2)
    slow = replace(first, seconds={"fit": 1000.0})
    assert (
        1000 < cross_validate(make(), customers, splits, begun=slow, upto=3).seconds["fit"] < 1100
    )
    same = cross_validate(make(), customers, splits, begun=slow, upto=2)
    assert same.seconds["fit"] == 1000
    assert same.metrics == first.metrics


def test_scores_say_who_is_a_copy(tmp_path):
    rows = [(f"c{k}", 0, k % 2, k // 4 % 2, 0.1 * k) for k in range(8)]
    scores = Scores(pd.DataFrame(rows, columns=list(COLUMNS)), "out_of_fold")
    groups = pd.Series([5, 5, 7, 8, 9, 10, 11, 12, 99], index=[*(f"c{k}" for k in range(8)), "x"])
    write_scores(tmp_path / "copies", scores, groups)
    write_scores(tmp_path / "alone", scores, pd.Series(range(8), groups.index[:8]))
    assert pd.read_parquet(tmp_path / "copies")["duplicate_group"].nunique() == 7
    assert tuple(pd.read_parquet(tmp_path / "alone").columns) == COLUMNS
