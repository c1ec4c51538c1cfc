"""Contribution of a feature group: the ROC-AUC that is lost when the group is left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from retain.customers.customers import Customers
from retain.errors import NotApplicable
from retain.learning.experiment import cross_validate
from retain.learning.scoring import TrainingSpec
from retain.learning.splits import Splits
from retain.verdict.main_effects import MainEffect
from retain.verdict.paired import compare_paired

CHANCE = 0.5
"""ROC-AUC of what has nothing to learn from."""


@dataclass(frozen=True)
class Contribution:
    """ROC-AUC lost without a group, mean over the folds, and its corrected 95 % interval.

    Above 0 the group helps. ``source``: ``sweep``, the mean over the ``pairs`` of runs that differ
    in this group alone; ``refit``, the winner itself, fitted again without the group.
    """

    loss: float
    low: float
    high: float
    source: Literal["sweep", "refit"]
    pairs: int | None = None


def from_sweep(effects: Iterable[MainEffect]) -> dict[str, Contribution]:
    """Contributions by group, as far as a sweep switched groups on and off."""
    return {
        effect.axis.removeprefix("features."): Contribution(
            loss=level.mean, low=level.low, high=level.high, source="sweep", pairs=level.pairs
        )
        for effect in effects
        if effect.axis.startswith("features.") and effect.reference is False
        for level in effect.levels
        if level.level is True
    }


def refit_without(
    training: TrainingSpec, customers: Customers, splits: Splits, group: str
) -> tuple[float, ...]:
    """ROC-AUC by fold of the same experiment without a feature group.

    Where nothing is left to learn from, that of chance.

    Raises
    ------
    NotApplicable
        When the experiment has no meaning without the group.
    """
    rest = replace(training, features=training.features.without(group))
    try:
        rest.feature_table(customers)
    except NotApplicable:
        return (CHANCE,) * len(splits.folds)
    found = cross_validate(rest, customers, splits)
    return tuple(found.metrics["roc_auc"]["fold_values"])


def from_refit(whole: Sequence[float], rest: Sequence[float], test_to_train: float) -> Contribution:
    """Return the contribution of a group by ROC-AUC with and without it, on the same folds.

    >>> one = from_refit([0.9, 0.92, 0.91], [0.85, 0.88, 0.86], test_to_train=0.5)
    >>> round(one.loss, 4), one.low < one.loss < one.high
    (0.0467, True)
    """
    gap = compare_paired(np.subtract(whole, rest)[None], test_to_train)
    return Contribution(float(gap.mean[0]), float(gap.low[0]), float(gap.high[0]), "refit")
