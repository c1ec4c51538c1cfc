"""One fold of a winner explained: its test rows, by a model fitted on all the others.

May import: errors, customers, learning.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.learning.scoring import Scoring
from retain.learning.splits import Fold
from retain.reasons.budget import Budget
from retain.reasons.explain import Explained, explain
from retain.reasons.permutation import losses


@dataclass(frozen=True)
class FoldExplained:
    """What a fold's test rows told.

    ``losses`` are ROC-AUC lost for each feature when it is shuffled, shape (n_features,); None
    where nobody asked.
    """

    repeat: int
    fold: int
    explained: Explained
    losses: np.ndarray | None


def explain_fold(scoring: Scoring, fold: Fold, budget: Budget, shuffles: int) -> FoldExplained:
    """The test rows of ``fold`` explained, and each feature shuffled ``shuffles`` times.

    Raises
    ------
    NotApplicable
        When the rows cannot be explained within the budget.
    """
    model = scoring.fitted(fold)
    train, test = scoring.table.iloc[fold.train], scoring.table.iloc[fold.test]
    explained = explain(model, train, test, budget)
    if not shuffles:
        return FoldExplained(fold.repeat, fold.fold, explained, None)
    random = np.random.default_rng((budget.seed, fold.repeat, fold.fold))
    lost = losses(model, test, scoring.labels[fold.test], shuffles, random)
    return FoldExplained(fold.repeat, fold.fold, explained, lost)
