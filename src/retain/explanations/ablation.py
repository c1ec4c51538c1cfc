"""Ablation of a feature group: the loss of ROC-AUC without the group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from retain.customers.customers import Customers
from retain.errors import NotApplicable
from retain.learning.cross_validation import cross_validate
from retain.learning.scoring import TrainingSpec
from retain.learning.splits import Splits
from retain.record.comparison_document import MainEffect
from retain.record.estimates import Estimate
from retain.record.explanations_document import Ablation
from retain.verdict.paired import compare_paired

MISSING_REASONS = {
    "not_seen": "the winner does not see it",
    "no_feature_left": "without it no feature is left to compare with",
    "not_refitted": "no two runs of the sweep differ in it alone; explain=full fits the winner "
    "again without it",
}
"""Reasons for no contribution of a group, by the code of their translation."""


def from_sweep(effects: Iterable[MainEffect]) -> dict[str, Ablation]:
    """Return the contributions of the groups that a sweep switched on and off."""
    return {
        effect.factor.removeprefix("features."): Ablation(
            auc_loss=level.difference, source="sweep", n_pairs=level.n_pairs
        )
        for effect in effects
        if effect.factor.startswith("features.") and effect.reference is False
        for level in effect.levels
        if level.level is True
    }


def refit_without(
    training: TrainingSpec, customers: Customers, splits: Splits, group: str
) -> tuple[float, ...] | NotApplicable:
    """Return the ROC-AUC by fold without a feature group.

    Where no feature is left, ROC-AUC − .5 would be the worth of all features, not of this group.
    """
    without = replace(training, features=training.features.without(group))
    try:
        without.feature_table(customers)
    except NotApplicable:
        return NotApplicable(MISSING_REASONS["no_feature_left"])
    result = cross_validate(without, customers, splits)
    return tuple(result.metrics["roc_auc"]["fold_values"])


def from_refit(whole: Sequence[float], rest: Sequence[float], test_to_train: float) -> Ablation:
    """Return the contribution of a group from ROC-AUC with and without it on the same folds.

    >>> one = from_refit([0.9, 0.92, 0.91], [0.85, 0.88, 0.86], test_to_train=0.5)
    >>> round(one.auc_loss.value, 4), one.auc_loss.low < 0.05 < one.auc_loss.high
    (0.0467, True)
    """
    gap = compare_paired(np.subtract(whole, rest)[None], test_to_train)
    return Ablation(
        auc_loss=Estimate(float(gap.mean[0]), float(gap.low[0]), float(gap.high[0])),
        source="refit",
        n_pairs=None,
    )
