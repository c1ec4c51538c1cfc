"""Explanations of one fold of a winner: its test rows by the model of its training rows."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from retain.explanations.explain import Explained, explain
from retain.explanations.time_budget import TimeBudget
from retain.learning.metrics import roc_auc
from retain.learning.scoring import FoldScorer
from retain.learning.splits import Fold

CHUNK_ROWS = 200_000
"""Rows scored at a time."""


def permutation_importance(
    model: BaseEstimator,
    table: pd.DataFrame,
    target: np.ndarray,
    rounds: int,
    random: np.random.Generator,
) -> np.ndarray:
    """Return the ROC-AUC lost by shuffling each column of ``table``, shape (n_features,).

    Mean of ``rounds`` shuffles; higher is more important, and it may be negative.
    """
    whole = roc_auc(target, model.predict_proba(table)[:, 1])
    orders = [(name, random.permutation(len(table))) for name in table for _ in range(rounds)]
    step = max(1, CHUNK_ROWS // len(table))
    scores = [
        roc_auc(target, probability)
        for at in range(0, len(orders), step)
        for probability in _shuffled(model, table, orders[at : at + step])
    ]
    return np.asarray(whole - np.reshape(scores, (table.shape[1], rounds)).mean(axis=1))


def _shuffled(
    model: BaseEstimator, table: pd.DataFrame, orders: list[tuple[Hashable, np.ndarray]]
) -> np.ndarray:
    """Return probabilities with one column in another order, shape (n_orders, n_rows)."""
    copies = [table.assign(**{str(name): table[name].array.take(order)}) for name, order in orders]
    probability = model.predict_proba(pd.concat(copies, ignore_index=True))[:, 1]
    return np.asarray(probability.reshape(len(orders), len(table)))


@dataclass(frozen=True)
class FoldExplained:
    """The explanation of a fold's test rows.

    ``losses`` is the permutation importance of each feature, shape (n_features,); None if not
    requested.
    """

    repeat: int
    fold: int
    explained: Explained
    losses: np.ndarray | None


def explain_fold(
    scoring: FoldScorer, fold: Fold, budget: TimeBudget, shuffles: int
) -> FoldExplained:
    """Explain the test rows of ``fold``, and shuffle each feature ``shuffles`` times.

    Raises
    ------
    NotApplicable
        The rows cannot be explained within the budget.
    """
    model = scoring.fit_fold(fold)
    train, test = scoring.table.iloc[fold.train], scoring.table.iloc[fold.test]
    explained = explain(model, train, test, budget)
    if not shuffles:
        return FoldExplained(fold.repeat, fold.fold, explained, None)
    random = np.random.default_rng((budget.seed, fold.repeat, fold.fold))
    lost = permutation_importance(model, test, scoring.labels[fold.test], shuffles, random)
    return FoldExplained(fold.repeat, fold.fold, explained, lost)
