"""Scoring of the folds of a run one at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from retain.customers.customers import Customers
from retain.errors import RetainError
from retain.learning import compatibility, tuning_report
from retain.learning.columns import select_model_columns
from retain.learning.cut_scores import CutScores
from retain.learning.features import feature_matrix
from retain.learning.fold_data import FoldData, PreparedFoldCache, prepare_fold, preprocessing_key
from retain.learning.pipeline import PipelineSpec, assemble, with_population
from retain.learning.scores import COLUMNS, Scores
from retain.learning.splits import DuplicateAwareKFold, Fold, Splits
from retain.learning.tuning import Tuned, tune
from retain.schema.run import Features, Metrics


@dataclass(frozen=True)
class TrainingSpec:
    """The settings of a run apart from customers and splits."""

    pipeline: PipelineSpec
    features: Features
    metrics: Metrics
    seed: int

    def feature_table(self, customers: Customers) -> pd.DataFrame:
        """Return the features of these customers for the estimator.

        Raises
        ------
        NotApplicable
            All groups are switched off, or a required feature is missing.
        """
        return select_model_columns(
            self.pipeline.model, feature_matrix(customers, self.features), customers.columns
        )


class Stopwatch:
    """Wall seconds by phase, added to those given.

    >>> watch = Stopwatch({})
    >>> with watch.phase("fit"):
    ...     pass
    >>> list(watch.seconds)
    ['fit']
    """

    def __init__(self, seconds: Mapping[str, float]) -> None:
        self.seconds = dict(seconds)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the wall time of the context to ``name``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = time.perf_counter() - start
            self.seconds[name] = round(self.seconds.get(name, 0.0) + elapsed, 6)


@dataclass(frozen=True)
class FoldScores:
    """The scored customers of one fold, and the ``fold_summary`` of its tuning."""

    fold: Fold
    ids: pd.Index
    target: np.ndarray
    probability: np.ndarray
    tuning: dict[str, Any] | None = None


class FoldScorer:
    """Scorer of the folds of one run.

    Attributes
    ----------
    table, labels
        Features and target of the training customers, in the order of ``splits.ids``.

    Raises
    ------
    NotApplicable
        The training spec is not applicable to these customers.
    """

    def __init__(
        self,
        training: TrainingSpec,
        customers: Customers,
        splits: Splits,
        cache: PreparedFoldCache | None,
        cuts: CutScores | None = None,
    ) -> None:
        self._experiment, self._customers, self._splits = training, customers, splits
        self.table = training.feature_table(customers).loc[splits.ids]
        self.labels = customers.y.loc[splits.ids].to_numpy()
        for fold in splits.folds:
            compatibility.check_compatible(training.pipeline, self.table, self.labels[fold.train])
        pipeline = with_population(training.pipeline, customers.panel)
        self._model = assemble(pipeline, self.table, customers.duplicate_groups, training.seed)
        self._cache, self._cuts = cache, cuts
        self._content = _cache_key(customers, splits, self.table, self._model)

    def score_fold(self, fold: Fold, watch: Stopwatch) -> FoldScores:
        """Score a fold's test rows with a model tuned and fitted on its training rows.

        Raises
        ------
        NotApplicable
            The rows are too few for the sampler or the model.
        """
        tuned = self._tune(fold, watch) if self._experiment.pipeline.tuning.on else None
        model = self._model if tuned is None else tuned.model
        by = self._score_prepared if isinstance(model, Pipeline) else self._score_table
        summary = None if tuned is None else tuning_report.fold_summary(fold, tuned)
        with compatibility.raise_not_applicable():
            probability = by(model, fold, watch)
        return self._to_fold_scores(fold, clip_probabilities(probability), summary)

    def fit_fold(self, fold: Fold) -> BaseEstimator:
        """Return the whole model of a fold, fitted on its training rows."""
        tuning = self._experiment.pipeline.tuning.on
        model = self._tune(fold, Stopwatch({})).model if tuning else self._model
        return clone(model).fit(self.table.iloc[fold.train], self.labels[fold.train])

    def restore_folds(self, scores: Scores, tuning: Mapping[str, Any] | None) -> list[FoldScores]:
        """Return earlier scores as the first folds, in the order of the splits."""
        left = scores.table["probability"].to_numpy()
        parts: list[FoldScores] = []
        while len(left):
            fold = self._splits.folds[len(parts)]
            probability, left = np.split(left, [len(fold.test)])
            summary = None if tuning is None else tuning["folds"][len(parts)]
            parts.append(self._to_fold_scores(fold, probability, summary))
        return parts

    def _to_fold_scores(
        self, fold: Fold, probability: np.ndarray, tuned: dict[str, Any] | None
    ) -> FoldScores:
        return FoldScores(
            fold, self._splits.ids[fold.test], self.labels[fold.test], probability, tuned
        )

    def _tune(self, fold: Fold, watch: Stopwatch) -> Tuned:
        with watch.phase("tune"):
            inner = inner_folds(self._experiment, self._customers, fold)
            train, target = self.table.iloc[fold.train], self.labels[fold.train]
            return tune(self._model, self._experiment.pipeline, train, target, inner)

    def _score_prepared(self, model: Pipeline, fold: Fold, watch: Stopwatch) -> np.ndarray:
        """Return probabilities of a fold's test rows from cached preprocessed rows."""
        cuts, key = self._cuts, self._key(fold)
        if cuts is not None and key is not None:
            with watch.phase("cut"):
                found = cuts.take(model[-1], key)
            if found is not None:
                return found
        with watch.phase("prepare"):
            rows = self._fold_data(fold)
        with watch.phase("fit"):
            fitted = clone(model[-1]).fit(rows.train, rows.target)
        with watch.phase("predict"):
            probability = predict_decline(fitted, rows.test)
        if cuts is not None and cuts.lengths and key is not None:
            with watch.phase("cut"):
                cuts.leave(fitted, rows.test, key)
        return probability

    def _score_table(self, model: BaseEstimator, fold: Fold, watch: Stopwatch) -> np.ndarray:
        """Return probabilities of a fold's test rows by a model that preprocesses by itself."""
        with watch.phase("fit"):
            fitted = clone(model).fit(self.table.iloc[fold.train], self.labels[fold.train])
        with watch.phase("predict"):
            return predict_decline(fitted, self.table.iloc[fold.test])

    def _fold_data(self, fold: Fold) -> FoldData:
        def prepare() -> FoldData:
            train, test = self.table.iloc[fold.train], self.table.iloc[fold.test]
            return prepare_fold(self._model, train, self.labels[fold.train], test)

        key = self._key(fold)
        if self._cache is None or key is None:
            return prepare()
        return self._cache.load(key, prepare)

    def _key(self, fold: Fold) -> str | None:
        """Return a text that is equal for equal preprocessed rows, None if there is none."""
        return None if self._content is None else f"{self._content}/{fold.repeat}/{fold.fold}"


def _cache_key(
    customers: Customers, splits: Splits, table: pd.DataFrame, model: BaseEstimator
) -> str | None:
    """Return a text that is equal for runs with the same preprocessed rows, or None."""
    spec = preprocessing_key(model) if isinstance(model, Pipeline) else None
    if spec is None:
        return None
    features = f"{[*table]} {customers.derived_features}"
    return f"{customers.fingerprint} {splits.fingerprint} {features} {spec}"


def inner_folds(
    training: TrainingSpec, customers: Customers, fold: Fold | None = None
) -> DuplicateAwareKFold:
    """Return the inner folds for tuning within an outer fold, or within all rows.

    Each has its own seed: with the same first trials everywhere, folds would agree too easily.
    """
    spawn_key = () if fold is None else (fold.repeat, fold.fold)
    (seed,) = np.random.SeedSequence(training.seed, spawn_key=spawn_key).generate_state(1)
    return DuplicateAwareKFold(
        training.pipeline.tuning.folds, customers.duplicate_groups, int(seed)
    )


ROUNDING = 1e-6
"""The distance from 0 and 1 that rounding may give a probability."""


def predict_decline(model: BaseEstimator, rows: Any) -> np.ndarray:
    """Return a fitted model's probability of class 1, shape (n,).

    Raises
    ------
    RetainError
        The model's classes are not 0 and 1 in order, or it gives no probabilities.
    """
    classes = np.asarray(getattr(model, "classes_", (0, 1))).tolist()
    found = np.asarray(model.predict_proba(rows), dtype=float)
    if classes != [0, 1] or found.shape != (len(rows), 2):
        problem = f"its classes_ are {classes}, its predict_proba has the shape {found.shape}"
        raise RetainError.at("model", problem, f"expected [0, 1] and {(len(rows), 2)}")
    probability = found[:, 1]
    if not ((probability >= -ROUNDING) & (probability <= 1 + ROUNDING)).all():
        problem = f"its predict_proba gives {probability.min():g} to {probability.max():g}"
        raise RetainError.at("model", problem, "expected probabilities, 0 to 1")
    return probability


def clip_probabilities(probability: np.ndarray) -> np.ndarray:
    """Return probabilities clipped to [0, 1]: sums in some models exceed it by rounding."""
    return np.asarray(np.clip(probability, 0, 1))


def concat_folds(parts: list[FoldScores]) -> pd.DataFrame:
    """Return the parts as one table of scores."""
    counts = [len(part.ids) for part in parts]
    ids = parts[0].ids.append([part.ids for part in parts[1:]])
    columns = (
        ids,
        np.repeat([part.fold.repeat for part in parts], counts),
        np.repeat([part.fold.fold for part in parts], counts),
        np.concatenate([part.target for part in parts]),
        np.concatenate([part.probability for part in parts]),
    )
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
