"""Registered metrics, features and calibrations in a run."""

import numpy as np
import pandas as pd
import pytest

import retain
from retain import plugins
from retain.errors import RetainError

FAST = {"folds": 2, "repeats": 1}


@pytest.fixture(scope="module")
def customers():
    return retain.demo(customers=300)


def evaluate(customers, **keys):
    return retain.evaluate(
        keys.pop("model", "logreg"),
        customers,
        **{f"validation.{k}": v for k, v in FAST.items()},
        **keys,
    )


# --- metrics -------------------------------------------------------------------------------------


def test_a_metric_of_a_set_and_of_each_customer(registered, customers):
    @plugins.metric("gini", higher_is_better=True, bounds=(-1, 1))
    def gini(target, probability):
        from retain.learning.metrics import roc_auc

        return 2 * roc_auc(target, probability) - 1

    @plugins.metric("square", higher_is_better=False, bounds=(0, 1), per_customer=True)
    def square(target, probability):
        return (target - probability) ** 2

    found = evaluate(customers, **{"metrics.plugins": ["gini", "square"]}).metrics
    area = np.array(found["roc_auc"]["fold_values"])
    assert found["gini"]["fold_values"] == pytest.approx(2 * area - 1)
    assert found["gini"]["higher_is_better"]
    assert found["square"]["fold_values"] == pytest.approx(found["brier"]["fold_values"])
    assert not found["square"]["higher_is_better"]


def test_a_metric_of_profit_is_left_out_without_profit(registered, customers):
    @plugins.metric("lost", higher_is_better=False, per_customer=True, profit=True)
    def lost(target, probability, profit):
        return target * np.nan_to_num(profit)

    table = customers.features.assign(left=customers.y).reset_index()
    plain = retain.read_table(table, id="customer_id", target="left")
    assert "lost" in evaluate(customers, **{"metrics.plugins": ["lost"]}).metrics
    assert "lost" not in evaluate(plain, **{"metrics.plugins": ["lost"]}).metrics


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda y, p: 2.0, "is 2.0 on a sample of 40 customers; expected a number from 0 to 1"),
        (lambda y, p: np.nan, "is nan on a sample"),
        (lambda y, p: p, "gives an array of shape \\(40,\\); expected one number"),
        (lambda y, p: "high", "gives no number"),
        (lambda y, p: 1 / 0, "fails on a sample of 40 customers: ZeroDivisionError"),
    ],
)
def test_a_metric_that_does_not_work_is_refused_before_any_fit(
    registered, customers, monkeypatch, made, said
):
    monkeypatch.setattr("sklearn.linear_model.LogisticRegression.fit", None)
    plugins.metric("mine", higher_is_better=True, bounds=(0, 1))(made)
    with pytest.raises(RetainError, match=said):
        evaluate(customers, **{"metrics.plugins": ["mine"]})


@pytest.mark.parametrize("name", ["roc_auc", "lift_20", "captured_profit_10"])
def test_a_metric_with_the_name_of_another(registered, customers, name):
    plugins.metric(name, higher_is_better=False)(lambda y, p: 0.5)
    with pytest.raises(RetainError, match=f"'{name}' is a metric of retain's own"):
        evaluate(customers, **{"metrics.plugins": [name]})


@pytest.mark.parametrize("key", ["metrics.plugins", "features.plugins"])
def test_a_name_twice(registered, customers, key):
    with pytest.raises(RetainError, match="expected each name once"):
        evaluate(customers, **{key: ["mine", "mine"]})


# --- features ------------------------------------------------------------------------------------


def test_a_feature_of_a_row_is_one_of_the_table(registered, customers):
    @plugins.feature("speed", inputs=["pages_per_visit", "minutes_current"], group="site")
    def speed(table):
        return table["pages_per_visit"] / table["minutes_current"]

    run = {"features.plugins": ["speed"], "features.derived": False}
    alone = {f"features.{group}": False for group in ("communication", "product", "purchase")}
    with_it = evaluate(customers, **run, **alone).scores.table
    without = evaluate(customers, **{"features.derived": False}, **alone).scores.table
    added = customers.features.assign(speed=lambda t: t["pages_per_visit"] / t["minutes_current"])
    by_hand = evaluate_on(customers, added, ["speed"], alone)
    assert (with_it["probability"] != without["probability"]).any()
    assert with_it["probability"].to_numpy() == pytest.approx(by_hand["probability"].to_numpy())


def evaluate_on(customers, features, names, toggles):
    from dataclasses import replace

    from retain.customers.customers import Column

    columns = {**customers.columns, **{name: Column(name, "site", "number") for name in names}}
    by_hand = replace(
        customers, features=features, columns=columns, derived_features=(), overrides=()
    )
    return evaluate(by_hand, **{"features.derived": False}, **toggles).scores.table


def test_a_feature_that_reads_other_rows_is_refused(registered, customers):
    plugins.feature("rank", inputs=["minutes_current"], group="site")(
        lambda table: table["minutes_current"].rank()
    )
    with pytest.raises(RetainError, match="'rank' of a customer changes with the other rows"):
        evaluate(customers, **{"features.plugins": ["rank"]})


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda table: 1.0, "gives an array of shape \\(\\) for"),
        (lambda table: table.assign(other=0), "gives an array of shape"),
        (lambda table: ["a"] * len(table), "gives no numbers"),
    ],
)
def test_a_feature_that_is_no_number_a_row(registered, customers, made, said):
    plugins.feature("mine", inputs=["minutes_current"], group="site")(made)
    with pytest.raises(RetainError, match=said):
        evaluate(customers, **{"features.plugins": ["mine"]})


def test_a_feature_of_what_the_customers_lack(registered, customers):
    plugins.feature("mine", inputs=["minute_current"], group="site")(lambda table: table)
    with pytest.raises(RetainError, match=r"reads minute_current.*Did you mean 'minutes_current'"):
        evaluate(customers, **{"features.plugins": ["mine"]})


@pytest.mark.parametrize("name", ["minutes_current", "minutes_change", "popular_category"])
def test_a_feature_with_the_name_of_one_of_the_customers(registered, customers, name):
    plugins.feature(name, inputs=["minutes_current"], group="site")(lambda table: table)
    with pytest.raises(RetainError, match=f"have a feature '{name}' of their own"):
        evaluate(customers, **{"features.plugins": [name]})


class Rate:
    """The decline rate of each level; keeps what it was fitted on."""

    fits = []  # noqa: RUF012

    def fit(self, values, target):
        self.fits.append((values, target))
        self.rates = pd.Series(target, values.astype(str).to_numpy()).groupby(level=0).mean()
        return self

    def transform(self, values):
        return values.astype(str).map(self.rates).fillna(0.5).to_frame()


def test_a_fitted_feature_sees_training_rows_alone(registered, customers):
    plugins.feature("rate", inputs=["popular_category"])(Rate)
    Rate.fits.clear()
    found = evaluate(customers, **{"features.plugins": ["rate"]})
    table = found.scores.table
    assert len(Rate.fits) == 2
    for (values, target), (_, tested) in zip(Rate.fits, table.groupby("fold"), strict=True):
        assert not set(values.index) & set(tested["customer_id"])
        assert len(values) + len(tested) == len(table)
        assert customers.y.loc[values.index].to_numpy().tolist() == target.tolist()
    without = evaluate(customers).scores.table
    assert (table["probability"].to_numpy() != without["probability"].to_numpy()).any()


def test_a_fitted_feature_is_off_with_its_input(registered, customers):
    plugins.feature("rate", inputs=["popular_category"])(Rate)
    Rate.fits.clear()
    evaluate(customers, **{"features.plugins": ["rate"], "features.product": False})
    assert Rate.fits == []


def test_a_fitted_feature_is_explained_as_its_input(registered, customers):
    from retain.learning.columns import column_origins
    from retain.learning.cross_validation import fit
    from retain.library.training import training_of

    plugins.feature("rate", inputs=["popular_category"])(Rate)
    training = training_of({"model": "logreg"}, {"features.plugins": ["rate"]})
    model = fit(training, customers, customers.features.index)
    names = column_origins(model)
    assert "rate" not in names
    assert len(names) == model[-1].n_features_in_


# --- calibration ---------------------------------------------------------------------------------


class Halved:
    """Halves every probability."""

    def fit(self, probability, target):
        self.seen = len(probability)
        return self

    def predict(self, probability):
        return probability / 2


@pytest.mark.parametrize("model", ["logreg", "svc"])
def test_a_calibration_maps_probabilities(registered, customers, model):
    plugins.calibration("halved")(Halved)
    plain = evaluate(customers, model=model).scores.table["probability"]
    halved = evaluate(customers, model=model, calibration="halved").scores.table["probability"]
    assert halved.to_numpy() == pytest.approx(plain.to_numpy() / 2)


def test_a_calibration_that_gives_no_probabilities(registered, customers):
    @plugins.calibration("doubled")
    class Doubled(Halved):
        def predict(self, probability):
            return 1 + probability

    with pytest.raises(RetainError, match=r"'doubled' gives .* expected .* probabilities, 0 to 1"):
        evaluate(customers, calibration="doubled")
