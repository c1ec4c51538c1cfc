"""Models that read features of their own: what they see, and what they refuse."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.preprocessing import StandardScaler

from retain.customers.customers import Column
from retain.errors import NotApplicable
from retain.explanations.ablation import refit_without
from retain.explanations.context import build_context
from retain.explanations.explain import explain
from retain.explanations.time_budget import TimeBudget
from retain.learning.bg_nbd import BgNbd, ParetoNbd
from retain.learning.blend import Blend
from retain.learning.cross_validation import cross_validate, fit, score_new, score_test
from retain.learning.features import select_model_columns
from retain.learning.pipeline import PipelineSpec
from retain.learning.recency_rule import RecencyRule, best_threshold
from retain.learning.scoring import TrainingSpec
from retain.learning.splitting import make_splits
from retain.schema.run import Calibration
from retain.verdict.model_file import load_model, save_model

MODELS = pytest.mark.parametrize(
    "model", [RecencyRule(), BgNbd(), ParetoNbd()], ids=lambda one: one.name
)


@pytest.fixture
def regulars(shop):
    """Customers of the invented store who bought on dated days; who is long gone declined."""
    customers = shop(400)
    random = np.random.default_rng(3)
    tenure = random.integers(200, 400, 400)
    orders = random.integers(1, 12, 400)
    since = np.where(orders > 1, (tenure * random.beta(1, 4, 400)).astype(int), tenure)
    dated = {"days_since_order": since, "tenure_days": tenure, "order_days": orders}
    dated["orders_needed"] = np.maximum(orders * 30 // tenure, 1)
    table = customers.features.assign(**{name: v.astype(float) for name, v in dated.items()})
    columns = {name: Column(name, "purchase", "number") for name in dated}
    declined = (since + random.normal(0, 30, 400) > 60).astype(int)
    return replace(
        customers,
        features=table,
        columns={**customers.columns, **columns},
        target=pd.Series(declined, index=table.index, name="target"),
    )


@pytest.fixture
def make(all_features, some_metrics):
    def experiment(model, **toggles):
        recipe = PipelineSpec(
            model, None, StandardScaler(), Calibration(name="none", method=None), 30
        )
        features = all_features.model_copy()
        features.__pydantic_extra__.update(toggles)
        return TrainingSpec(recipe, features, some_metrics, seed=0)

    return experiment


@MODELS
def test_it_sees_its_features_alone_and_unscaled(make, regulars, three_folds, model):
    experiment, splits = make(model), make_splits(regulars, three_folds)
    assert list(experiment.feature_table(regulars)) == list(model.required_features)
    fitted = fit(experiment, regulars, splits.ids)
    met = fitted[:-1].transform(experiment.feature_table(regulars))
    assert (met == regulars.features[list(model.required_features)].to_numpy()).all()
    evaluation = cross_validate(experiment, regulars, splits)
    assert evaluation.metrics["roc_auc"]["value"] > 0.7


@MODELS
def test_it_is_saved_read_back_and_scores_new_customers_alike(
    make, regulars, three_folds, model, tmp_path
):
    experiment, splits = make(model), make_splits(regulars, three_folds)
    fitted = fit(experiment, regulars, splits.ids)
    again = load_model(tmp_path / "m.skops", save_model(fitted, tmp_path / "m.skops"))
    before = score_test([fitted], experiment, regulars, splits)
    after = score_test([again], experiment, regulars, splits)
    pd.testing.assert_frame_equal(before.table, after.table, check_exact=True)
    kinds = dict.fromkeys(model.required_features, "number")
    new = score_new(again, select_model_columns(regulars, kinds).loc[splits.test_ids])
    assert (new.table["probability"] == before.table["probability"]).all()


@MODELS
def test_it_is_explained_by_sampling(make, regulars, three_folds, model):
    experiment, splits = make(model), make_splits(regulars, three_folds)
    table, fitted = experiment.feature_table(regulars), fit(experiment, regulars, splits.ids)
    budget = TimeBudget(seconds=60.0, rows=40, background=20, seed=0)
    found = explain(fitted, table.loc[splits.ids], table.loc[splits.ids[:20]], budget)
    assert found.features == model.required_features
    result = build_context(regulars, experiment, splits)
    assert result.model_features == model.required_features
    assert result.active_groups == ("purchase",)
    assert {"pages", "category"} <= set(result.columns)


@MODELS
def test_what_it_reads_and_is_not_there_is_named(make, shop, regulars, three_folds, model):
    lacking = f"model {model.name} reads .*days_since_order.*, which these customers lack"
    with pytest.raises(NotApplicable, match=lacking):
        cross_validate(make(model), shop(), make_splits(shop(), three_folds))
    with pytest.raises(NotApplicable, match=f"model {model.name} reads .*group is switched off"):
        make(model, purchase=False).feature_table(regulars)
    splits = make_splits(regulars, three_folds)
    assert isinstance(refit_without(make(model), regulars, splits, "purchase"), NotApplicable)


def test_a_blend_gives_each_member_what_it_reads(make, shop, regulars, three_folds):
    blend = Blend({"rule": RecencyRule(), "logreg": LogisticRegression()}, folds=2)
    evaluation = cross_validate(make(blend), regulars, make_splits(regulars, three_folds))
    assert evaluation.metrics["roc_auc"]["value"] > 0.7
    with pytest.raises(NotApplicable, match="model recency_rule reads days_since_order, which"):
        cross_validate(make(blend), shop(), make_splits(shop(), three_folds))


def test_features_of_other_names_can_be_read(make, regulars):
    table = regulars.features.rename(columns={"days_since_order": "recency"})
    columns = regulars.columns
    renamed = replace(
        regulars,
        features=table,
        columns={n: columns.get(n, Column(n, "purchase", "number")) for n in table},
    )
    assert list(make(RecencyRule(days="recency")).feature_table(renamed)) == ["recency"]


def test_the_best_number_of_days_is_where_youdens_index_is_greatest():
    random = np.random.default_rng(0)
    days = random.integers(0, 50, 500).astype(float)
    declined = random.random(500) < days / 60
    false, true, at = roc_curve(declined, days, drop_intermediate=False)
    best, index = best_threshold(days, declined)
    assert index == pytest.approx((true - false).max(), abs=1e-12)
    assert best == at[np.argmax(true - false)] or index == pytest.approx((true - false).max())
    rule = RecencyRule().fit(days[:, None], declined.astype(int))
    found = rule.predict(days[:, None])
    assert found[declined].mean() - found[~declined].mean() == pytest.approx(index)


def test_the_rule_ranks_as_the_days_do_and_its_shares_are_right():
    random = np.random.default_rng(1)
    days = random.integers(0, 200, 1_000).astype(float)
    declined = (random.random(1_000) < 0.1 + days / 400).astype(int)
    probability = RecencyRule().fit(days[:, None], declined).predict_proba(days[:, None])
    assert roc_auc_score(declined, probability[:, 1]) == roc_auc_score(declined, days)
    assert probability[:, 1].mean() == pytest.approx(declined.mean(), abs=1e-4)
    assert probability.sum(axis=1) == pytest.approx(1)


# A rule that is wrong about a store must look wrong, not be turned round in silence.
def test_where_the_lately_gone_decline_less_the_order_of_the_rule_stays():
    days = np.arange(100.0)[:, None]
    probability = RecencyRule().fit(days, (np.arange(100) < 50).astype(int)).predict_proba(days)
    assert (np.diff(probability[:, 1]) > 0).all()
    assert probability[:, 1].mean() == pytest.approx(0.5, abs=1e-3)
