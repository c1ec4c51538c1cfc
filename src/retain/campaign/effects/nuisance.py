"""Doubly robust scores of a randomised campaign, cross-fitted (Chernozhukov et al. 2018).

With the propensities e known by design, the score of customer i and arm a is

    Γ_ia = m_a(x_i) + 1{A_i = a} ÷ e_ia · (y_i − m_a(x_i))

(Robins, Rotnitzky & Zhao 1994), where the outcome model m is fitted without the customer's fold.
Its mean over any customers is their mean outcome had they all got arm a, however wrong the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.dummy import DummyRegressor

from retain.campaign.effects.spec import EffectsSpec
from retain.campaign.trial.trial import Trial
from retain.errors import NotApplicable
from retain.learning.fold_data import prepare_fold
from retain.learning.pipeline import PipelineSpec, build_pipeline, categories
from retain.learning.regression import regression_counterpart


@dataclass(frozen=True)
class DoublyRobustScores:
    """Scores of all customers of a trial.

    Attributes
    ----------
    values
        Γ in the unit of the outcome, shape (n, arms); NaN where an arm had probability 0.
    outcome_model
        Expected outcome with each arm, out of fold, shape (n, arms).
    fold
        Fold of each customer, 0, 1 …, shape (n,).
    """

    values: np.ndarray
    outcome_model: np.ndarray
    fold: np.ndarray

    @property
    def contrasts(self) -> np.ndarray:
        """Γ_a − Γ_0: scores of the effects, shape (n, arms); 0 for the control arm."""
        return np.asarray(self.values - self.values[:, :1])

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return int(self.fold.max()) + 1


def drop_missing_outcomes(trial: Trial) -> Trial:
    """Return the trial with the customers whose first outcome is observed."""
    rows = np.isfinite(trial.y)
    return trial if rows.all() else trial.take(rows)


def hash_ids(ids: pd.Index, seed: int) -> np.ndarray:
    """Return a number for each id that orders customers at random, shape (n,)."""
    texts = ids.astype(str).to_numpy(dtype=object)
    return pd.util.hash_array(texts, hash_key=f"{seed % 10**16:016d}", categorize=False)


def assign_folds(trial: Trial, n_folds: int, seed: int) -> np.ndarray:
    """Return the fold of each customer, shape (n,): shares of stratum × arm are equal in all.

    It depends on ids and seed, not on the order of customers or the names of arms.

    Raises
    ------
    NotApplicable
        An arm has fewer customers than there are folds.
    """
    sizes = np.bincount(trial.arm, minlength=len(trial.arms))
    if sizes.min() < n_folds:
        small = trial.arms[int(sizes.argmin())]
        raise NotApplicable(
            f"arm {small!r} has {sizes.min()} customers, fewer than {n_folds} folds"
        )
    keys = hash_ids(trial.ids, seed)
    cell = np.unique(trial.stratum * len(trial.arms) + trial.arm, return_inverse=True)[1]
    first = np.full(cell.max() + 1, keys.max())
    np.minimum.at(first, cell, keys)
    order = np.lexsort((keys, cell, first[cell]))
    fold = np.empty(len(order), dtype=np.intp)
    fold[order] = np.arange(len(order)) % n_folds
    return fold


def estimate_scores(trial: Trial, spec: EffectsSpec) -> DoublyRobustScores:
    """Return the doubly robust scores of the trial's first outcome, all of it observed.

    The weights 1{A = a} ÷ e add up to the number of customers within each fold (Hájek 1971), so
    that without covariates the score's mean is the arm's mean.
    """
    fold = assign_folds(trial, spec.n_folds, spec.seed)
    y, expected = trial.y, np.empty(trial.propensity.shape)
    table = covariate_table(trial.covariates)
    for k in range(spec.n_folds):
        rows, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        train = PreparedRows.prepare(spec.outcome, table, rows, test)
        for arm in range(len(trial.arms)):
            chosen = trial.arm[rows] == arm
            expected[test, arm] = train.fit_predict(chosen, y[rows], is_binary=is_binary(trial))
    is_arm = trial.arm[:, None] == np.arange(len(trial.arms))
    weight = np.divide(is_arm, trial.propensity, out=np.zeros(expected.shape), where=is_arm)
    for k in range(spec.n_folds):
        total = weight[fold == k].sum(axis=0) / (trial.propensity[fold == k] > 0).sum(axis=0)
        weight[fold == k] /= total
    values = expected + weight * (y[:, None] - expected)
    return DoublyRobustScores(np.where(trial.propensity > 0, values, np.nan), expected, fold)


def is_binary(trial: Trial) -> bool:
    """Return whether the first outcome is modelled as a probability."""
    return trial.outcome.kind == "binary"


def covariate_table(covariates: pd.DataFrame) -> pd.DataFrame:
    """Return covariates as the pipeline takes them: numbers as float64, categories as text."""
    named = set(categories(covariates))
    columns = {
        str(name): covariates[name].astype(object).where(covariates[name].notna(), np.nan)
        if str(name) in named
        else covariates[name].astype(float)
        for name in covariates
    }
    return pd.DataFrame(columns, index=covariates.index)


@dataclass(frozen=True)
class PreparedRows:
    """Preprocessed covariates of training and test rows, for several models of the same rows."""

    model: BaseEstimator
    train: np.ndarray
    test: np.ndarray

    @classmethod
    def prepare(
        cls, spec: PipelineSpec, table: pd.DataFrame, train: np.ndarray, test: np.ndarray
    ) -> PreparedRows:
        """Return the rows at positions ``train`` and ``test``, with preprocessing fitted on train.

        Without covariates every model is a mean.
        """
        if table.shape[1] == 0:
            return cls(DummyRegressor(), np.zeros((len(train), 1)), np.zeros((len(test), 1)))
        first = table.iloc[train]
        pipeline = build_pipeline(spec, spec.model, first)
        data = prepare_fold(pipeline, first, np.zeros(len(train)), table.iloc[test])
        return cls(spec.model, data.train, data.test)

    def fit_predict(
        self, chosen: np.ndarray, target: np.ndarray, *, is_binary: bool = False
    ) -> np.ndarray:
        """Return the expected target of the test rows by a model of the chosen training rows."""
        y = target[chosen]
        model = select_model(self.model, y, is_binary=is_binary)
        return predict(model.fit(self.train[chosen], y), self.test)


def select_model(model: BaseEstimator, y: np.ndarray, *, is_binary: bool) -> BaseEstimator:
    """Return an unfitted model of a target: the classifier, its regression, or a constant."""
    if y.min() == y.max() or isinstance(model, DummyRegressor):
        return DummyRegressor()
    if is_binary and hasattr(model, "predict_proba"):
        return clone(model)
    return clone(model) if is_regressor(model) else regression_counterpart(model)


def predict(fitted: BaseEstimator, rows: np.ndarray | pd.DataFrame) -> np.ndarray:
    """Return the expected target of some rows, shape (n,)."""
    if hasattr(fitted, "predict_proba"):
        return np.asarray(fitted.predict_proba(rows)[:, 1])
    return np.asarray(fitted.predict(rows))
