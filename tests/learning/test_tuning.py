import importlib
import json
import logging
import sys
import warnings
from dataclasses import replace

import numpy as np
import optuna
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from retain.errors import NotApplicable, RetainError
from retain.learning import tuning, tuning_report
from retain.learning.blend import Blend
from retain.learning.cross_validation import cross_validate, fit
from retain.learning.features import feature_matrix
from retain.learning.pipeline import PipelineSpec, assemble
from retain.learning.scoring import TrainingSpec
from retain.learning.splits import DuplicateAwareKFold
from retain.learning.splitting import make_splits
from retain.learning.tuning import tune
from retain.schema.run import Calibration, SearchRange, Tuning

TREE = {"max_depth": SearchRange(low=1, high=8), "min_samples_leaf": SearchRange(low=1, high=40)}
MARGINS = {"C": SearchRange(low=0.01, high=10.0, log=True)}


def settings(trials=6, **changes):
    return Tuning(name="optuna", trials=trials, **{"folds": 2, "patience": 5, **changes})


@pytest.fixture
def make(all_features, some_metrics):
    """An experiment that tunes a small tree, or another model in another space."""

    def experiment(model=None, search=None, how=None, *, sampler=None, method=None):
        recipe = PipelineSpec(
            model=model or DecisionTreeClassifier(max_depth=3, random_state=0),
            sampler=sampler,
            scaling=StandardScaler(),
            calibration=Calibration(name=method or "none", method=method),
            max_categories=30,
            tuning=how or settings(),
            search=TREE if search is None else search,
        )
        return TrainingSpec(recipe, all_features, some_metrics, seed=0)

    return experiment


@pytest.fixture
def tuned(make):
    """What tuning finds on all of a shop's customers."""

    def found(customers, *args, seed=0, **how):
        experiment = make(*args, **how)
        table = feature_matrix(customers, experiment.features)
        model = assemble(experiment.pipeline, table, customers.duplicate_groups, seed)
        folds = DuplicateAwareKFold(
            experiment.pipeline.tuning.folds, customers.duplicate_groups, seed
        )
        return tune(model, experiment.pipeline, table, customers.target.to_numpy(), folds)

    return found


def test_the_best_parameters_are_set_in_an_unfitted_estimator(tuned, shop):
    found = tuned(shop())
    model = found.model.named_steps["model"]
    assert {name: getattr(model, name) for name in TREE} == found.parameters
    assert not hasattr(model, "tree_")
    assert found.trials == 6
    assert found.seconds > 0


# A search that begins with the configured model cannot end below it.
@pytest.mark.parametrize("trials", [1, 8])
def test_the_model_as_configured_is_the_first_trial(tuned, shop, trials):
    alone = tuned(shop(), how=settings(trials=1))
    assert alone.parameters == {"max_depth": 3, "min_samples_leaf": 1}
    assert tuned(shop(), how=settings(trials=trials)).inner >= alone.inner


def test_the_same_seed_finds_the_same_and_another_tries_others(tuned, shop):
    one, two, other = (tuned(shop(), seed=seed) for seed in (0, 0, 1))
    assert (one.parameters, one.inner, one.pruned) == (two.parameters, two.inner, two.pruned)
    assert (one.parameters, one.inner) != (other.parameters, other.inner)


def test_a_time_budget_ends_the_search_after_the_configured_model(tuned, shop):
    found = tuned(shop(), how=settings(trials=500, seconds=1e-6))
    assert found.trials == 1
    assert found.parameters["max_depth"] == 3


def test_a_pruner_ends_trials_early_and_without_one_none_ends(tuned, shop):
    ends, never = (
        tuned(shop(), how=settings(trials=25, folds=3, pruner=pruner, patience=2))
        for pruner in ("median", None)
    )
    assert ends.pruned > 0
    assert never.pruned == 0
    assert ends.trials == never.trials == 25


# An estimator may refuse what its ranges hold together, here neighbours beyond the rows there are.
def test_a_trial_the_estimator_refuses_is_counted_and_told(tuned, shop, caplog):
    space = {"n_neighbors": SearchRange(low=5, high=5000, log=True)}
    with caplog.at_level(logging.WARNING):
        found = tuned(shop(120), KNeighborsClassifier(5), space, settings(trials=15))
    assert 0 < found.failed < 15
    assert "a trial failed with {'n_neighbors': " in caplog.text
    assert found.parameters["n_neighbors"] < 100


class NotFinite(LogisticRegression):
    def predict_proba(self, X):
        return super().predict_proba(X) * np.nan


@pytest.mark.parametrize(
    ("model", "space", "why"),
    [
        (
            KNeighborsClassifier(900),
            {"n_neighbors": SearchRange(low=800, high=1000)},
            r"all 6 trials failed .* ValueError: Expected n_neighbors",
        ),
        (NotFinite(), MARGINS, "are not finite"),
    ],
)
def test_a_search_without_any_score_fails_the_run_and_says_why(tuned, shop, model, space, why):
    with pytest.raises(RetainError, match=why):
        tuned(shop(120), model, space)


def test_a_model_that_gives_margins_only_is_ranked_by_them(tuned, shop):
    found = tuned(shop(), SVC(), MARGINS)
    assert found.inner > 0.7
    assert found.parameters["C"] == found.model.estimator.named_steps["model"].C


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_a_calibrated_model_is_tuned_within_and_calibrated_as_ever(make, shop, method):
    customers = shop()
    experiment = make(method=method)
    model = fit(experiment, customers, customers.features.index)
    inner = model.calibrated_classifiers_[0].estimator.named_steps["model"]
    assert model.method == method
    assert inner.get_params()["max_depth"] == model.estimator.named_steps["model"].max_depth
    assert inner.tree_.node_count > 1


# Optuna itself takes no lists.
def test_a_choice_may_be_a_list(tuned, shop):
    sizes = {"hidden_layer_sizes": SearchRange(choices=((4,), (8,), (4, 2)))}
    model = MLPClassifier([8], max_iter=20, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = tuned(shop(120), model, sizes, settings(trials=4))
    assert found.parameters["hidden_layer_sizes"] in [[4], [8], [4, 2]]


def test_nothing_of_optunas_log_or_of_the_trials_warnings_is_heard(tuned, shop, capfd):
    before = optuna.logging.get_verbosity()
    tuned(shop(120), LogisticRegression(max_iter=1), MARGINS)  # ConvergenceWarning in every trial
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == before


@pytest.fixture
def met(monkeypatch):
    """The customers that inner folds are trained on and asked about, fold by fold."""
    found = []

    def spy(pipeline, table, target, test):
        found.append((set(table.index), set(test.index)))
        return real(pipeline, table, target, test)

    real = tuning.prepare_fold
    monkeypatch.setattr(tuning, "prepare_fold", spy)
    return found


def test_copies_of_a_customer_stay_together_in_the_inner_folds(tuned, shop, met):
    customers = shop()
    pairs = pd.Series(np.arange(240) // 2, index=customers.features.index, name="twins")
    tuned(replace(customers, duplicate_groups=pairs), how=settings(folds=4))
    assert len(met) == 4
    for train, test in met:
        assert not set(pairs.loc[list(train)]) & set(pairs.loc[list(test)])


def test_no_test_row_and_no_sealed_row_enters_tuning(make, shop, three_folds, met):
    customers = shop()
    splits = make_splits(customers, three_folds)
    cross_validate(make(), customers, splits)
    folds = [fold for fold in splits.folds for _ in range(2)]
    assert len(met) == len(folds)
    for fold, (train, test) in zip(folds, met, strict=True):
        assert train | test == set(splits.ids[fold.train])


# What is chosen must not depend on what happened to the customers it is judged by.
def test_other_outcomes_in_the_test_fold_change_no_choice(make, shop, three_folds):
    customers = shop()
    splits = make_splits(customers, three_folds)
    first = splits.folds[0]
    other = customers.target.copy()
    mixed = np.random.default_rng(0).permutation(other.loc[splits.ids[first.test]])
    other.loc[splits.ids[first.test]] = mixed
    one, two = (
        cross_validate(make(), replace(customers, target=target), splits)
        for target in (customers.target, other)
    )
    chosen = [found.tuning["folds"][0] for found in (one, two)]
    assert chosen[0] | {"seconds": 0} == chosen[1] | {"seconds": 0}
    assert one.metrics["roc_auc"]["fold_values"][0] != two.metrics["roc_auc"]["fold_values"][0]


# Were the candidates the same in all folds, folds would agree on one of few.
def test_every_fold_has_trials_of_its_own(make, shop, three_folds, monkeypatch):
    tried, real = [], tuning.suggest_parameters

    def spy(trial, space):
        tried.append(real(trial, space))
        return tried[-1]

    monkeypatch.setattr(tuning, "suggest_parameters", spy)
    customers = shop()
    experiment = make(search={"max_depth": SearchRange(low=1, high=8)}, how=settings(trials=2))
    cross_validate(experiment, customers, make_splits(customers, three_folds))
    assert [found["max_depth"] for found in tried[::2]] == [3] * 6
    assert len({found["max_depth"] for found in tried[1::2]}) > 1


def test_a_run_tells_every_folds_choice_their_agreement_and_the_optimism(make, shop, three_folds):
    customers = shop()
    outcome = cross_validate(make(), customers, make_splits(customers, three_folds))
    result = outcome.tuning
    assert [(fold["repeat"], fold["fold"]) for fold in result["folds"]] == [
        (repeat, fold) for repeat in range(2) for fold in range(3)
    ]
    assert all(fold["n_trials"] == 6 for fold in result["folds"])
    depths = [fold["parameters"]["max_depth"] for fold in result["folds"]]
    assert result["agreement"]["max_depth"]["min"] == min(depths)
    assert result["agreement"]["max_depth"]["max"] == max(depths)
    assert result["outer_score"] == pytest.approx(outcome.metrics["roc_auc"]["value"])
    optimism = result["optimism"]
    assert optimism["value"] == pytest.approx(result["inner_score"] - result["outer_score"])
    assert optimism["low"] < optimism["value"] < optimism["high"]
    assert outcome.seconds["tune"] > 0


# A race tunes a few folds at a time, and keeps of each what was found.
def test_folds_tuned_in_several_goes_tell_the_same(make, shop, three_folds):
    customers = shop()
    splits = make_splits(customers, three_folds)
    whole = cross_validate(make(), customers, splits)
    begun = cross_validate(make(), customers, splits, upto=2)
    kept = replace(begun, tuning=json.loads(json.dumps(begun.tuning)))
    ended = cross_validate(make(), customers, splits, begun=kept)
    pd.testing.assert_frame_equal(ended.scores.table, whole.scores.table, check_exact=True)
    for message in (ended.tuning, whole.tuning):
        for fold in message["folds"]:
            fold["seconds"] = 0.0
    assert ended.tuning == whole.tuning


# The best of many scores on noise is above one half; scores of new customers are not.
@pytest.mark.slow
def test_on_pure_noise_the_inner_best_flatters(make, shop, three_folds):
    customers = shop(300, noise=1000.0)
    experiment = make(how=settings(trials=40, folds=2))
    result = cross_validate(experiment, customers, make_splits(customers, three_folds)).tuning
    assert result["inner_score"] > 0.53
    assert result["optimism"]["value"] > 0.03


def test_a_run_that_is_not_tuned_tells_nothing_of_tuning(make, shop, three_folds):
    customers = shop()
    experiment = make(how=Tuning(name="none", trials=None))
    outcome = cross_validate(experiment, customers, make_splits(customers, three_folds))
    assert outcome.tuning is None
    assert "tune" not in outcome.seconds


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (DummyClassifier(), r"for parameters of DummyClassifier: add search: \{PARAMETER"),
        (Blend({"tree": DecisionTreeClassifier()}), "members are not tuned within it"),
    ],
)
def test_a_model_with_nothing_to_tune_is_not_applicable(make, shop, three_folds, model, reason):
    customers = shop()
    with pytest.raises(NotApplicable, match=reason):
        cross_validate(make(model, {}), customers, make_splits(customers, three_folds))


# Inner folds have fewer rows than those a combination was judged by.
def test_a_sampler_without_enough_neighbours_in_an_inner_fold_is_not_applicable(tuned, shop):
    customers = shop(120)
    fewer = int(customers.target.sum()) - 2
    with pytest.raises(NotApplicable, match=f"looks at {fewer} neighbours"):
        tuned(customers, sampler=SMOTE(k_neighbors=fewer))


@pytest.mark.parametrize(
    ("search", "why"),
    [
        (
            {"max_dept": SearchRange(low=1, high=3)},
            r"model\.search\.max_dept: .* no value of 'max_dept' .* Did you mean 'max_depth'\?",
        ),
        ({"max_depth": SearchRange(low=5, high=3)}, r"low is 5 and high is 3; expected low ≤ high"),
        ({"max_depth": SearchRange(low=1)}, "neither choices nor both low and high"),
        ({"max_depth": SearchRange(low=0, high=3, log=True)}, r"log is true and low is 0.*low > 0"),
        ({"max_depth": SearchRange(low=1, choices=(1, 3))}, "both choices and a range"),
        ({"max_depth": SearchRange(low=5, high=9)}, r"5 to 9 leaves out model\.max_depth=3"),
        (
            {"max_depth": SearchRange(choices=(1, 2))},
            r"one of \[1, 2\] leaves out model\.max_depth",
        ),
        ({"splitter": SearchRange(low=1, high=2)}, r"1 to 2 leaves out model\.splitter='best'"),
    ],
)
def test_a_search_space_without_meaning_is_refused_by_name(tuned, shop, search, why):
    with pytest.raises(RetainError, match=why):
        tuned(shop(120), search=search)


def test_without_optuna_the_extra_is_named(tuned, shop, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(RetainError, match=r"needs Optuna; type: pip install 'retain\[tune\]'"):
        tuned(shop(120))


def test_nothing_imports_optuna_before_it_is_asked_for():
    for name in ("retain.learning.tuning", "retain.learning.search_space"):
        assert not hasattr(importlib.import_module(name), "optuna")


def test_equally_common_choices_are_told_in_the_order_configured():
    where = SearchRange(choices=("sqrt", 0.5))
    assert tuning_report.parameter_agreement(where, [0.5, "sqrt"]) == {
        "mode": "sqrt",
        "share": 0.5,
    }
