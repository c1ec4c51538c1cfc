"""One fold of a winner explained: its test rows, by a model fitted on all the others."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from retain.explanations.budget import TimeBudget
from retain.explanations.explain import Explained, explain
from retain.learning.metrics import roc_auc
from retain.learning.scoring import FoldScorer
from retain.learning.splits import Fold

ROWS = 200_000
"""Rows that are scored at a time."""


def permutation_importance(
    model: BaseEstimator,
    table: pd.DataFrame,
    target: np.ndarray,
    rounds: int,
    random: np.random.Generator,
) -> np.ndarray:
    """ROC-AUC lost for each column of ``table``, mean of ``rounds`` shuffles; higher matters more.

    A fitted model's loss on rows that it did not see, shape (n_features,); it may be below zero.
    """
    whole = roc_auc(target, model.predict_proba(table)[:, 1])
    orders = [(name, random.permutation(len(table))) for name in table for _ in range(rounds)]
    step = max(1, ROWS // len(table))
    scores = [
        roc_auc(target, probability)
        for at in range(0, len(orders), step)
        for probability in _shuffled(model, table, orders[at : at + step])
    ]
    return np.asarray(whole - np.reshape(scores, (table.shape[1], rounds)).mean(axis=1))


def _shuffled(
    model: BaseEstimator, table: pd.DataFrame, orders: list[tuple[Hashable, np.ndarray]]
) -> np.ndarray:
    """Probabilities of the rows with one column in another order, shape (n_orders, n_rows)."""
    copies = [table.assign(**{str(name): table[name].array.take(order)}) for name, order in orders]
    probability = model.predict_proba(pd.concat(copies, ignore_index=True))[:, 1]
    return np.asarray(probability.reshape(len(orders), len(table)))


@dataclass(frozen=True)
class FoldExplained:
    """The explanation of a fold's test rows.

    ``losses`` are ROC-AUC lost for each feature when it is shuffled, shape (n_features,); None
    where nobody asked.
    """

    repeat: int
    fold: int
    explained: Explained
    losses: np.ndarray | None


def explain_fold(
    scoring: FoldScorer, fold: Fold, budget: TimeBudget, shuffles: int
) -> FoldExplained:
    """Return the test rows of ``fold`` explained, and each feature shuffled ``shuffles`` times.

    Raises
    ------
    NotApplicable
        When the rows cannot be explained within the budget.
    """
    model = scoring.fit_fold(fold)
    train, test = scoring.table.iloc[fold.train], scoring.table.iloc[fold.test]
    explained = explain(model, train, test, budget)
    if not shuffles:
        return FoldExplained(fold.repeat, fold.fold, explained, None)
    random = np.random.default_rng((budget.seed, fold.repeat, fold.fold))
    lost = permutation_importance(model, test, scoring.labels[fold.test], shuffles, random)
    return FoldExplained(fold.repeat, fold.fold, explained, lost)
