"""Drivers: out-of-fold SHAP values of every training customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from retain.explanations.explain import Explained
from retain.explanations.explainers import Kind
from retain.explanations.fold import FoldExplained
from retain.learning.scores import Scores
from retain.verdict.paired import Paired, compare_paired

MIN_AGREEMENT_TAU = 0.5
"""Kendall's τ from which two orders agree: three of four pairs have the same order."""


@dataclass(frozen=True)
class ShapContributions:
    """SHAP values of customers on interpretable scales.

    Attributes
    ----------
    ids
        Shape (n,).
    features
        Names, shape (p,).
    log_odds
        SHAP values in log-odds, shape (n, p); above 0 means a higher risk.
    points
        SHAP values in probability, shape (n, p).
    probability
        Probability of decline, shape (n,).
    """

    ids: pd.Index
    features: tuple[str, ...]
    log_odds: np.ndarray
    points: np.ndarray
    probability: np.ndarray


def to_contributions(explained: Explained) -> ShapContributions:
    """Return SHAP values in log-odds and in probability."""
    return ShapContributions(
        ids=explained.ids,
        features=explained.features,
        log_odds=explained.log_odds,
        points=explained.shapley * explained.scale.points[:, None],
        probability=explained.probability,
    )


@dataclass(frozen=True)
class Drivers:
    """Out-of-fold SHAP values of all training customers, and their reliability.

    Attributes
    ----------
    kind
        The explainer.
    repeats
        Number of models that explain each customer.
    background
        Number of background customers for sampled values, else None.
    error
        Mean standard error of a value in log-odds; None for exact values.
    difference
        Largest difference between a recomputed and a recorded probability.
    losses
        ROC-AUC lost by shuffling each feature, one column per fold; None if not requested.
    """

    kind: Kind
    contributions: ShapContributions
    repeats: int
    background: int | None
    error: float | None
    difference: float
    losses: np.ndarray | None

    def permutation(self, test_to_train: float) -> Paired | None:
        """Return the permutation importance of each feature with its corrected interval."""
        return None if self.losses is None else compare_paired(self.losses, test_to_train)


def combine_folds(folds: Sequence[FoldExplained], recorded: Scores, background: int) -> Drivers:
    """Return the folds combined; with several repeats, means by customer.

    ``recorded`` are the scores of the winner's run, for comparison.
    """
    parts = [to_contributions(one.explained) for one in folds]
    repeats = len({one.repeat for one in folds})
    ids = parts[0].ids.append([part.ids for part in parts[1:]])
    order = ids.unique().sort_values()
    index = order.get_indexer(ids)
    errors = [
        float((one.explained.errors * np.abs(one.explained.scale.log_odds[:, None])).mean())
        for one in folds
        if one.explained.errors is not None
    ]
    lost = [one.losses for one in folds if one.losses is not None]
    return Drivers(
        kind=folds[0].explained.kind,
        contributions=ShapContributions(
            ids=order,
            features=parts[0].features,
            log_odds=_mean([part.log_odds for part in parts], index, repeats),
            points=_mean([part.points for part in parts], index, repeats),
            probability=_mean([part.probability[:, None] for part in parts], index, repeats)[:, 0],
        ),
        repeats=repeats,
        background=background if errors else None,
        error=float(np.mean(errors)) if errors else None,
        difference=max(_difference(one, recorded) for one in folds),
        losses=np.stack(lost, axis=1) if lost else None,
    )


def _mean(parts: Sequence[np.ndarray], indices: np.ndarray, repeats: int) -> np.ndarray:
    """Return the mean over repeats by customer."""
    rows = np.concatenate(parts)
    if repeats == 1:
        ordered = np.empty_like(rows)
        ordered[indices] = rows
        return ordered
    sums = np.zeros((int(indices.max()) + 1, rows.shape[1]))
    np.add.at(sums, indices, rows)
    return np.asarray(sums / repeats)


def _difference(one: FoldExplained, recorded: Scores) -> float:
    table = recorded.table
    rows = table[(table["repeat"] == one.repeat) & (table["fold"] == one.fold)]
    probability = rows.set_index("customer_id")["probability"].reindex(one.explained.ids)
    return float(np.abs(probability.to_numpy() - one.explained.probability).max())


@dataclass(frozen=True)
class RankAgreement:
    """Kendall's τ of two orders of the features, its p-value, and whether they agree."""

    tau: float
    p: float
    agree: bool


def rank_agreement(strength: Sequence[float], permuted: Sequence[float]) -> RankAgreement | None:
    """Return the rank correlation of SHAP and permutation importance; None if one is constant.

    >>> rank_agreement([0.9, 0.5, 0.1], [0.03, 0.02, 0.01]).tau
    1.0
    """
    if min(np.ptp(order) if len(order) else 0.0 for order in (strength, permuted)) == 0:
        return None
    kendall = stats.kendalltau(strength, permuted)
    tau = float(kendall.statistic)
    return RankAgreement(tau, float(kendall.pvalue), tau >= MIN_AGREEMENT_TAU)
