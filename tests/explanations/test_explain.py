"""Each row explained by a model that did not see it, exactly where the model allows it."""

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier
from imblearn.over_sampling import SMOTE, SMOTENC
from lightgbm import LGBMClassifier
from scipy.special import expit
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from retain.errors import NotApplicable
from retain.explanations.explain import explain
from retain.explanations.explainers import library
from retain.explanations.time_budget import TimeBudget
from retain.learning.blend import Blend
from retain.learning.columns import transformed_columns

BOOSTING = {
    "lightgbm": LGBMClassifier(n_estimators=20, min_child_samples=5, verbose=-1, n_jobs=1),
    "catboost": CatBoostClassifier(
        iterations=20, verbose=False, allow_writing_files=False, thread_count=1
    ),
    "hist_gradient_boosting": HistGradientBoostingClassifier(max_iter=20, min_samples_leaf=5),
}
FORESTS = {
    "tree": DecisionTreeClassifier(max_depth=3),
    "random_forest": RandomForestClassifier(20, random_state=0),
    "extra_trees": ExtraTreesClassifier(20, random_state=0),
}
LINEAR = {"logreg": LogisticRegression(max_iter=500), "linear_svc": SVC(kernel="linear")}
OTHERS = {
    "svc": SVC(),
    "knn": KNeighborsClassifier(5, weights="distance"),
    "mlp": MLPClassifier([8], max_iter=200, early_stopping=True, random_state=0),
    "bayes": GaussianNB(),
    "blend": Blend({"logreg": LogisticRegression(max_iter=500), "knn": KNeighborsClassifier()}),
    "dummy": DummyClassifier(),
}
EXPLAINERS = {
    **dict.fromkeys((*BOOSTING, *FORESTS), "tree"),
    **dict.fromkeys(LINEAR, "linear"),
    **dict.fromkeys(OTHERS, "sampled"),
}
MODELS = {**BOOSTING, **FORESTS, **LINEAR, **OTHERS}


def margin_of(model, table):
    """What the last step adds up on, by its own library."""
    inner = model.calibrated_classifiers_[0].estimator if hasattr(model, "cv") else model
    columns, last = transformed_columns(inner, table), inner[-1]
    if isinstance(last, LGBMClassifier):
        return last.predict(columns, raw_score=True)
    if isinstance(last, CatBoostClassifier):
        return last.predict(columns, prediction_type="RawFormulaVal")
    if hasattr(last, "decision_function"):
        return last.decision_function(columns)
    return last.predict_proba(columns)[:, 1]


@pytest.fixture
def explained(scoring, shop, ample):
    """The first fold of a model on the invented shop: model, test rows, explanation."""

    def made(name, customers=None, **how):
        rows, splits = scoring(customers or shop(), MODELS[name], **how)
        fold = splits.folds[0]
        model = rows.fit_fold(fold)
        train, test = rows.table.iloc[fold.train], rows.table.iloc[fold.test]
        return model, test, explain(model, train, test, ample)

    return made


# The definition of SHAP: a row's values lead from the base to the model's own output.
@pytest.mark.parametrize("name", [*BOOSTING, *FORESTS, *LINEAR])
def test_base_and_values_add_up_to_the_margin_out_of_fold(explained, name):
    model, test, found = explained(name)
    assert np.abs(found.margin - margin_of(model, test)).max() < 1e-6


# Kinds of trees that LightGBM does not explain, and CatBoost only with a base known afterwards.
@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (LGBMClassifier(n_estimators=10, linear_tree=True, verbose=-1, n_jobs=1), "sampled"),
        (
            CatBoostClassifier(
                iterations=10,
                grow_policy="Lossguide",
                verbose=False,
                allow_writing_files=False,
                thread_count=1,
            ),
            "tree",
        ),
    ],
)
def test_what_shap_half_knows_is_explained_all_the_same(scoring, shop, ample, model, kind):
    rows, splits = scoring(shop(), model)
    fold = splits.folds[0]
    fitted, test = rows.fit_fold(fold), rows.table.iloc[fold.test]
    found = explain(fitted, rows.table.iloc[fold.train], test, ample)
    assert found.kind == kind
    points = (found.shapley * found.scale.points[:, None]).sum(axis=1)
    assert found.scale.base + points == pytest.approx(fitted.predict_proba(test)[:, 1], abs=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_each_model_has_its_explainer_and_adds_up_in_probability(explained, name):
    model, test, found = explained(name)
    assert found.kind == EXPLAINERS[name]
    points = (found.shapley * found.scale.points[:, None]).sum(axis=1)
    assert found.scale.base + points == pytest.approx(model.predict_proba(test)[:, 1], abs=1e-9)
    assert (found.errors is None) == (found.kind != "sampled")


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
@pytest.mark.parametrize("name", ["lightgbm", "random_forest", "logreg", "svc"])
def test_a_calibrated_model_is_explained_in_its_calibrated_probability(explained, name, method):
    model, test, found = explained(name, method=method)
    assert found.kind == EXPLAINERS[name]
    points = (found.shapley * found.scale.points[:, None]).sum(axis=1)
    assert found.scale.base + points == pytest.approx(model.predict_proba(test)[:, 1], abs=1e-9)


# A logistic curve is a line in log-odds, on which nothing is rounded off.
@pytest.mark.parametrize("name", [*BOOSTING, "logreg"])
def test_log_odds_are_those_of_the_model(explained, name):
    model, test, found = explained(name)
    result = expit(np.log(found.scale.base / (1 - found.scale.base)) + found.log_odds.sum(axis=1))
    assert result == pytest.approx(model.predict_proba(test)[:, 1], abs=1e-9)


# A feature's one-hot columns and its missing indicator are one feature to whoever reads.
@pytest.mark.parametrize("sampler", [None, SMOTE(random_state=0), SMOTENC([2], random_state=0)])
@pytest.mark.filterwarnings("ignore:LightGBM binary classifier")
def test_columns_are_folded_back_to_the_features_they_came_from(explained, sampler):
    model, test, found = explained("lightgbm", sampler=sampler)
    assert found.features == tuple(test)
    plain = library().TreeExplainer(model[-1]).shap_values(transformed_columns(model, test))
    assert plain.shape[1] > len(found.features)
    assert found.shapley.sum(axis=1) == pytest.approx(plain.sum(axis=1))


def test_a_feature_that_no_model_can_use_has_no_share(explained, shop):
    customers = shop()
    customers.features["pages"] = 1.0
    _, test, found = explained("lightgbm", customers)
    assert (found.shapley[:, list(test).index("pages")] == 0).all()


def test_what_takes_too_long_is_not_begun_in_full(scoring, shop, monkeypatch):
    monkeypatch.setattr("retain.explanations.time_budget.MIN_TIMED_SECONDS", 0.0)
    rows, splits = scoring(shop(), KNeighborsClassifier(5))
    fold, tight = splits.folds[0], TimeBudget(seconds=0.5, rows=10**6, background=400, seed=0)
    model, table = rows.fit_fold(fold), rows.table
    with pytest.raises(NotApplicable, match=r"no exact .* KNeighborsClassifier for 1,000,000 cust"):
        explain(model, table.iloc[fold.train], table.iloc[fold.test], tight)


def test_the_same_seed_samples_the_same(explained):
    one, two = (explained("knn")[2] for _ in range(2))
    assert np.array_equal(one.shapley, two.shapley)


def test_global_random_numbers_are_left_alone(explained):
    np.random.seed(7)  # noqa: NPY002 - the global state is what must not move
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    explained("knn")
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_missing_values_and_rare_categories_are_explained_too(explained, shop):
    customers = shop()
    levels = [f"level {i}" for i in range(len(customers))]
    customers.features["category"] = pd.Series(levels, customers.features.index, dtype="str")
    customers.features.loc[customers.features.index[::3], "pages"] = np.nan
    for name in ("lightgbm", "logreg", "knn"):
        model, test, found = explained(name, customers)
        points = (found.shapley * found.scale.points[:, None]).sum(axis=1)
        assert found.scale.base + points == pytest.approx(model.predict_proba(test)[:, 1])
