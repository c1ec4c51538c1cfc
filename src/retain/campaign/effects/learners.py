"""Effects of each arm on each customer, learned from a randomised campaign.

``mean``: the same effect for everybody. ``t_learner``: the difference of two models of the outcome
(Künzel et al. 2019). ``dr_learner``: a regression of the doubly robust contrasts Γ_a − Γ_0 on the
covariates (Kennedy 2023). Learned effects are then drawn to their arm's mean, see ``shrinkage``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from retain.campaign.effects.heterogeneity import (
    ArmHeterogeneity,
    Shrinkage,
    fit_shrinkage,
    measure_heterogeneity,
)
from retain.campaign.effects.nuisance import (
    DoublyRobustScores,
    PreparedRows,
    covariate_table,
    drop_missing_outcomes,
    estimate_scores,
    is_binary,
    predict,
    select_model,
)
from retain.campaign.effects.spec import EffectsSpec, LearnerName
from retain.campaign.trial.trial import Trial
from retain.errors import NotApplicable
from retain.learning.pipeline import PipelineSpec, build_pipeline


@dataclass(frozen=True)
class FittedEffects:
    """Effects for customers of later campaigns.

    Attributes
    ----------
    arms
        Names of the arms, the control arm first.
    models
        Fitted pipelines: of each arm's outcome (``t_learner``), of each arm's effect but the
        control's (``dr_learner``), or none (``mean``).
    shrinkage
        Mean effects, and how far learned effects may differ from them.
    """

    learner: LearnerName
    arms: tuple[str, ...]
    models: tuple[BaseEstimator, ...]
    shrinkage: Shrinkage

    def predict(self, covariates: pd.DataFrame) -> np.ndarray:
        """Return the effect of each arm on the expected outcome, shape (n, arms); control is 0."""
        table = covariate_table(covariates)
        raw = np.zeros((len(table), len(self.arms)))
        if self.models:
            found = np.column_stack([predict(model, table) for model in self.models])
            raw[:, -found.shape[1] :] = found
            raw -= raw[:, :1]
        return self.shrinkage.apply(raw)


@dataclass(frozen=True)
class LearnedEffects:
    """Effects learned from a trial, out of fold, with the evidence that they differ.

    Attributes
    ----------
    trial
        The customers whose outcome is observed.
    raw
        Effects out of fold before shrinkage, shape (n, arms).
    effects
        Effects out of fold, shape (n, arms): how they differ, and how far that is believed, was
        learned without a customer's fold; their means are those of all customers.
    heterogeneity
        One row per arm but the control; empty for the learner ``mean``.
    fitted
        Effects for other customers, learned from all folds.
    """

    trial: Trial
    spec: EffectsSpec
    scores: DoublyRobustScores
    raw: np.ndarray
    effects: np.ndarray
    heterogeneity: tuple[ArmHeterogeneity, ...]
    fitted: FittedEffects

    @property
    def is_heterogeneous(self) -> bool:
        """True if effects are shown to differ between customers, all arms considered."""
        return any(test.p < self.spec.alpha for test in self.heterogeneity)

    def predict(self, covariates: pd.DataFrame, fold: np.ndarray) -> np.ndarray:
        """Return the effect of each arm on customers of a later campaign, shape (n, arms).

        ``fold`` (n,) is the fold that a customer was in, −1 for others. Whoever was in the trial is
        judged by models without that fold: models know the chance in outcomes they were fitted to.
        """
        effects = self.fitted.predict(covariates)
        if not self.fitted.shrinkage.factor.any():
            return effects
        folds = _FoldEffects(self.trial, self.spec, self.scores)
        for k in np.unique(fold[fold >= 0]):
            models = folds.fit(self.scores.fold != k)
            rows = np.flatnonzero(fold == k)
            effects[rows] = replace(self.fitted, models=models).predict(covariates.iloc[rows])
        return effects


def learn_effects(trial: Trial, spec: EffectsSpec) -> LearnedEffects:
    """Learn the effects of each arm on the trial's first outcome.

    Raises
    ------
    NotApplicable
        The trial has too few customers in an arm, or some who could not be in the control arm.
    """
    trial = drop_missing_outcomes(trial)
    if trial.propensity[:, 0].min() <= 0:
        raise NotApplicable("some customers had no chance to be in the control arm")
    if spec.learner != "mean" and trial.covariates.shape[1] == 0:
        raise NotApplicable(f"learner {spec.learner} needs covariates, and the trial has none")
    scores = estimate_scores(trial, spec)
    folds = _FoldEffects(trial, spec, scores)
    raw = folds.predict_out_of_fold()
    tests: tuple[ArmHeterogeneity, ...] = ()
    if spec.learner != "mean":
        earlier = folds.predict_from_earlier(raw)
        tests = measure_heterogeneity(trial.arms, scores.contrasts, earlier, scores.fold)
    shown = np.array([False, *(test.p < spec.alpha for test in tests)])
    shrinkage = fit_shrinkage(scores.contrasts, raw, scores.fold, spec.alpha)
    if tests:
        shrinkage = shrinkage.limit(shown)
    effects = folds.shrink(raw, shrinkage.mean)
    fitted = FittedEffects(
        spec.learner, trial.arms, folds.fit(np.ones(len(trial.ids), dtype=bool)), shrinkage
    )
    return LearnedEffects(trial, spec, scores, raw, effects, tests, fitted)


@dataclass(frozen=True)
class _Target:
    """A target to learn: the arm, a mask of the customers to learn from, all customers' values."""

    arm: int
    rows: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class _FoldEffects:
    """Effects by models of some of a trial's folds on customers of the others."""

    trial: Trial
    spec: EffectsSpec
    scores: DoublyRobustScores

    @cached_property
    def _table(self) -> pd.DataFrame:
        return covariate_table(self.trial.covariates)

    @property
    def _pipeline(self) -> PipelineSpec:
        is_outcome = self.spec.learner == "t_learner"
        return self.spec.outcome if is_outcome else self.spec.effect

    @property
    def _is_binary(self) -> bool:
        return self.spec.learner == "t_learner" and is_binary(self.trial)

    def _targets(self, train: np.ndarray) -> Iterator[_Target]:
        """Yield what is learned from the training rows, a mask over the trial."""
        n_arms = len(self.trial.arms)
        if self.spec.learner == "t_learner":
            y = self.trial.y
            for arm in range(n_arms):
                yield _Target(arm, train & (self.trial.arm == arm), y)
        elif self.spec.learner == "dr_learner":
            contrasts = self.scores.contrasts
            for arm in range(1, n_arms):
                yield _Target(arm, train & np.isfinite(contrasts[:, arm]), contrasts[:, arm])

    def predict(self, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Return effects on the test rows learned from the training rows, masks over the trial."""
        found = np.zeros((int(test.sum()), len(self.trial.arms)))
        if self.spec.learner == "mean":
            return found
        rows = PreparedRows.prepare(
            self._pipeline, self._table, np.flatnonzero(train), np.flatnonzero(test)
        )
        for target in self._targets(train):
            found[:, target.arm] = rows.fit_predict(
                target.rows[train], target.y[train], is_binary=self._is_binary
            )
        return np.asarray(found - found[:, :1])

    def predict_out_of_fold(self) -> np.ndarray:
        """Return effects on each fold learned from the others; a t-learner has its models yet."""
        expected, fold = self.scores.outcome_model, self.scores.fold
        if self.spec.learner == "t_learner":
            return np.asarray(expected - expected[:, :1])
        return self._fill(range(self.scores.n_folds), lambda k: (fold != k, fold == k))

    def predict_from_earlier(self, raw: np.ndarray) -> np.ndarray:
        """Return effects on each fold learned from the folds before it; NaN in the first.

        The last fold's are those of ``raw``, learned from all others.
        """
        fold, last = self.scores.fold, self.scores.n_folds - 1
        found = self._fill(range(1, last), lambda k: (fold < k, fold == k))
        found[fold == last] = raw[fold == last]
        return found

    def _fill(
        self, folds: Iterable[int], split: Callable[[int], tuple[np.ndarray, np.ndarray]]
    ) -> np.ndarray:
        found = np.full(self.trial.propensity.shape, np.nan)
        for k in folds:
            train, test = split(k)
            found[test] = self.predict(train, test)
        return found

    def shrink(self, raw: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Return effects out of fold, drawn to the mean as far as the other folds show.

        What the other folds show of one another is learned without the fold at hand, too. Only the
        mean effects are those of all customers: if they were the other folds', the plans of folds
        would differ by chance alone where two arms are nearly equal, and their values would depend
        on one another. What is best of a few arms is corrected for by simultaneous intervals.
        """
        fold, contrasts = self.scores.fold, self.scores.contrasts
        others = [np.full(raw.shape, np.nan) for _ in range(self.scores.n_folds)]
        for j, k in combinations(range(self.scores.n_folds), 2):
            test = (fold == j) | (fold == k)
            found = self.predict(~test, test)
            others[k][fold == j], others[j][fold == k] = (
                found[fold[test] == j],
                found[fold[test] == k],
            )
        effects = np.empty(raw.shape)
        for k, predicted in enumerate(others):
            test, rest = fold == k, fold != k
            shrinkage = fit_shrinkage(contrasts[rest], predicted[rest], fold[rest], self.spec.alpha)
            shrinkage = replace(shrinkage, mean=mean, centre=raw[test].mean(axis=0))
            effects[test] = shrinkage.apply(raw[test])
        return effects

    def fit(self, train: np.ndarray) -> tuple[BaseEstimator, ...]:
        """Return the pipelines fitted to the training rows, a mask over the trial."""
        models = []
        for target in self._targets(train):
            y = target.y[target.rows]
            model = select_model(self._pipeline.model, y, is_binary=self._is_binary)
            rows = self._table[target.rows]
            models.append(build_pipeline(self._pipeline, model, rows).fit(rows, y))
        return tuple(models)
