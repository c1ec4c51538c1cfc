"""The margin of a support vector machine on the way from one customer to another."""

import numpy as np
import pytest
from sklearn.svm import SVC, NuSVC

from retain.explanations.explainers import walk_rows
from retain.explanations.kernel_margin import KernelMargin

MACHINES = {
    "rbf": SVC(gamma=0.3),
    "scale": SVC(class_weight="balanced"),
    "linear": SVC(kernel="linear"),
    "poly": SVC(kernel="poly", degree=2, coef0=0.5, gamma="auto"),
    "sigmoid": SVC(kernel="sigmoid", gamma=0.01),
    "nu": NuSVC(nu=0.2),
}


@pytest.fixture
def fitted(scoring, shop):
    """A pipeline that ends in a machine, and its rows with categories and missing cells."""

    def made(machine):
        customers = shop()
        customers.features.loc[::5, "pages"] = np.nan
        rows, splits = scoring(customers, machine)
        fold = splits.folds[0]
        inner = rows.fit_fold(fold).calibrated_classifiers_[0].estimator
        return inner, rows.table.iloc[fold.train], rows.table.iloc[fold.test]

    return made


@pytest.mark.parametrize("block", [300, 250_000])
@pytest.mark.parametrize("name", MACHINES)
def test_each_step_has_the_margin_of_the_machine_itself(fitted, monkeypatch, name, block):
    monkeypatch.setattr("retain.explanations.kernel_margin.BLOCK_NUMBERS", block)
    model, train, test = fitted(MACHINES[name])
    table, background = test[:6], train[:5]
    assert table.isna().any(axis=None)
    order = np.random.default_rng(0).permuted(
        np.broadcast_to(np.arange(table.shape[1]), (6, 5, table.shape[1])), axis=2
    )
    walked = KernelMargin.of(model, background).walk(table, order)
    wanted = walk_rows(model.decision_function, background, table, order)
    assert walked == pytest.approx(wanted, abs=1e-10)


def test_a_kernel_of_the_users_has_no_such_margin(fitted):
    model, train, _ = fitted(SVC(kernel=lambda one, other: one @ other.T))
    assert KernelMargin.of(model, train[:5]) is None


def test_a_machine_with_another_margin_is_left_to_itself(fitted, monkeypatch):
    model, train, _ = fitted(SVC())
    monkeypatch.setattr(type(model[-1]), "decision_function", lambda self, rows: rows[:, 0])
    assert KernelMargin.of(model, train[:5]) is None
