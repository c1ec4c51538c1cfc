"""Tuning of a model's parameters by Optuna within its training rows."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from retain.errors import RetainError
from retain.learning import compatibility
from retain.learning.fold_data import FoldData, prepare_fold
from retain.learning.metrics import roc_auc
from retain.learning.pipeline import PipelineSpec
from retain.learning.search_space import (
    Space,
    check_search_space,
    default_parameters,
    suggest_parameters,
)
from retain.learning.splits import DuplicateAwareKFold
from retain.record.tuning import Parameters
from retain.schema.run import Tuning

if TYPE_CHECKING:
    from optuna import Study, Trial


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tuned:
    """An unfitted estimator with the best parameters, and a summary of the search.

    Attributes
    ----------
    parameters
        Of the best trial; the configured ones if no other trial is better.
    inner
        Mean ROC-AUC of the best trial over the inner folds; optimistic, as it is the best of many.
    trials, pruned, failed
        Numbers of started, pruned and failed trials.
    seconds
        Wall time.
    """

    model: BaseEstimator
    parameters: Parameters
    inner: float
    trials: int
    pruned: int
    failed: int
    seconds: float


def import_optuna() -> ModuleType:
    """Return Optuna, or raise an error with the command to install it."""
    try:
        import optuna
    except ImportError:
        message = "tuning=optuna needs Optuna; type: pip install 'retain[tune]'"
        raise RetainError(message) from None
    return optuna


def tune(
    model: BaseEstimator,
    spec: PipelineSpec,
    table: pd.DataFrame,
    target: np.ndarray,
    folds: DuplicateAwareKFold,
) -> Tuned:
    """Return ``model`` with the best parameters of ``spec.search`` for these training rows.

    The configured model is the first trial. The search is deterministic unless
    ``spec.tuning.seconds`` ends it.

    Parameters
    ----------
    model
        The result of ``pipeline.assemble``; in a calibrated one the inner model is tuned.
    folds
        The inner folds; their seed is also that of the search.

    Raises
    ------
    NotApplicable
        The pipeline is not applicable to the training rows of an inner fold.
    RetainError
        Optuna is not installed, or all trials failed.
    """
    start = time.perf_counter()
    optuna = import_optuna()
    check_search_space(spec.search, spec.model, tuned=True)
    inner = _inner_rows(_pipeline(model), spec, table, target, folds)
    objective = _Objective(spec.model, spec.search, inner)
    with _silence(optuna):
        study = _study(optuna, spec.tuning, folds.seed)
        study.enqueue_trial(default_parameters(spec.search, spec.model))
        study.optimize(objective, 1, catch=(_TrialFailed,))  # regardless of the time limit
        trials, left = _remaining_budget(spec.tuning, time.perf_counter() - start)
        study.optimize(objective, trials, left, catch=(_TrialFailed,))
    return _to_tuned(model, objective, study, time.perf_counter() - start)


def _pipeline(model: BaseEstimator) -> Pipeline:
    """Return the pipeline of an assembled estimator, calibrated or not."""
    return model if isinstance(model, Pipeline) else model.estimator


@dataclass(frozen=True)
class _InnerRows:
    """Training and test rows of one inner fold, with the test target."""

    rows: FoldData
    test_target: np.ndarray


def _inner_rows(
    pipeline: Pipeline,
    spec: PipelineSpec,
    table: pd.DataFrame,
    target: np.ndarray,
    folds: DuplicateAwareKFold,
) -> list[_InnerRows]:
    """Return the preprocessed rows of each inner fold, shared by all trials."""
    inner = []
    for train, test in folds.split(table, target):
        compatibility.check_compatible(spec, table, target[train])
        rows = prepare_fold(pipeline, table.iloc[train], target[train], table.iloc[test])
        inner.append(_InnerRows(rows, target[test]))
    return inner


class _TrialFailed(Exception):  # noqa: N818 - the result of one trial
    """The parameters of a trial give no scores."""


@dataclass
class _Objective:
    """The mean ROC-AUC of a trial's parameters over the inner folds."""

    model: BaseEstimator
    space: Space
    inner: list[_InnerRows]
    parameters: dict[int, Parameters] = field(default_factory=dict)
    first_scores: dict[int, float] = field(default_factory=dict)
    failure: str = ""

    def __call__(self, trial: Trial) -> float:
        """Return the mean ROC-AUC, unless the trial is pruned."""
        import optuna

        parameters = self.parameters[trial.number] = suggest_parameters(trial, self.space)
        above: list[float] = []
        values: list[float] = []
        for step, fold in enumerate(self.inner):
            values.append(self._score_fold(parameters, fold))
            # The pruner uses a trial's best step, so folds are compared with the first trial's.
            above.append(values[-1] - self.first_scores.setdefault(step, values[-1]))
            trial.report(float(np.mean(above)), step)
            if step + 1 < len(self.inner) and trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(values))

    def _score_fold(self, parameters: Parameters, fold: _InnerRows) -> float:
        try:
            model = clone(self.model).set_params(**parameters)
            scores = _rank_scores(model.fit(fold.rows.train, fold.rows.target), fold.rows.test)
            value = roc_auc(fold.test_target, scores)
        except Exception as error:
            self._fail(parameters, f"{type(error).__name__}: {error}")
            raise _TrialFailed from error
        if not (np.isfinite(value) and np.isfinite(scores).all()):
            self._fail(parameters, "its scores or their ROC-AUC are not finite")
            raise _TrialFailed
        return value

    def _fail(self, parameters: Parameters, reason: str) -> None:
        self.failure = f"{parameters}: {reason}"
        log.warning("tuning: a trial failed with %s", self.failure)


def _rank_scores(model: BaseEstimator, rows: np.ndarray) -> np.ndarray:
    """Return scores for ranking: probabilities, or margins of a model without them."""
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(rows)[:, 1])
    return np.asarray(model.decision_function(rows))


def _study(optuna: ModuleType, tuning: Tuning, seed: int) -> Study:
    pruner = (
        optuna.pruners.NopPruner()
        if tuning.pruner is None
        else optuna.pruners.MedianPruner(n_startup_trials=tuning.patience)
    )
    sampler = optuna.samplers.TPESampler(seed=seed)
    study: Study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    return study


def _remaining_budget(tuning: Tuning, spent: float) -> tuple[int, float | None]:
    """Return the trials and seconds left after the first trial.

    >>> _remaining_budget(Tuning(name="optuna", trials=20, seconds=60.0), spent=61.5)
    (19, 0.0)
    """
    seconds = None if tuning.seconds is None else max(tuning.seconds - spent, 0.0)
    return (tuning.trials or 1) - 1, seconds


def _to_tuned(model: BaseEstimator, objective: _Objective, study: Study, seconds: float) -> Tuned:
    counts = dict.fromkeys(("COMPLETE", "PRUNED", "FAIL"), 0)
    for trial in study.trials:
        counts[trial.state.name] += 1
    if not counts["COMPLETE"]:
        raise RetainError(
            f"tuning: all {len(study.trials)} trials failed on a fold's training rows, the last "
            f"with {objective.failure}. Mend the model's parameters, or its search."
        )
    best = study.best_trial
    parameters = objective.parameters[best.number]
    tuned = clone(model)
    _pipeline(tuned).named_steps["model"].set_params(**parameters)
    return Tuned(
        model=tuned,
        parameters=parameters,
        inner=float(best.value or 0.0),
        trials=len(study.trials),
        pruned=counts["PRUNED"],
        failed=counts["FAIL"],
        seconds=round(seconds, 6),
    )


@contextmanager
def _silence(optuna: ModuleType) -> Iterator[None]:
    """Silence Optuna's log and the warnings of models in trials."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(before)
