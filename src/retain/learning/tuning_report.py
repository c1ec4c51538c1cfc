"""A summary of tuning over folds: agreement of parameters, and optimism."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from retain.learning.metrics import corrected_interval
from retain.learning.search_space import Space, model_choices
from retain.learning.splits import Fold
from retain.learning.tuning import Tuned
from retain.schema.run import SearchRange


def summarise_tuning(
    folds: Sequence[dict[str, Any]], space: Space, outer: Sequence[float], test_to_train: float
) -> dict[str, Any]:
    """Return each fold's result, the agreement on each parameter, and the optimism.

    Parameters
    ----------
    folds
        ``fold_summary`` of each fold.
    outer
        ROC-AUC of the same folds on their test rows.
    """
    inner = [fold["inner_score"] for fold in folds]
    chosen = {name: [fold["parameters"][name] for fold in folds] for name in space}
    return {
        "folds": list(folds),
        "agreement": {
            name: parameter_agreement(where, chosen[name]) for name, where in space.items()
        },
        "inner_score": float(np.mean(inner)),
        "outer_score": float(np.mean(outer)),
        "optimism": optimism(inner, outer, test_to_train),
    }


def fold_summary(fold: Fold, tuned: Tuned) -> dict[str, Any]:
    """Return the tuning result of a fold as plain values."""
    return {
        "repeat": fold.repeat,
        "fold": fold.fold,
        "parameters": tuned.parameters,
        "inner_score": tuned.inner,
        "n_trials": tuned.trials,
        "n_pruned": tuned.pruned,
        "n_failed": tuned.failed,
        "seconds": tuned.seconds,
    }


def parameter_agreement(where: SearchRange, values: Sequence[Any]) -> dict[str, Any]:
    """Return range and median of numeric parameters, mode and share of the others.

    >>> parameter_agreement(SearchRange(low=2, high=9), [4, 5, 9])
    {'min': 4.0, 'median': 5.0, 'max': 9.0}
    >>> parameter_agreement(SearchRange(choices=("sqrt", 0.5)), ["sqrt", "sqrt", 0.5, "sqrt"])
    {'mode': 'sqrt', 'share': 0.75}
    """
    if where.choices:
        most = max(model_choices(where), key=values.count)
        return {"mode": most, "share": values.count(most) / len(values)}
    low, median, high = (float(number) for number in np.quantile(values, [0, 0.5, 1]))
    return {"min": low, "median": median, "max": high}


def optimism(
    inner: Sequence[float], outer: Sequence[float], test_to_train: float
) -> dict[str, float]:
    """Return the mean of best inner minus outer ROC-AUC with its corrected 95 % interval.

    >>> difference = optimism([0.92, 0.93, 0.94], [0.90, 0.92, 0.91], test_to_train=0.5)
    >>> round(difference["value"], 3)
    0.02
    """
    gaps = np.subtract(inner, outer)
    low, high = corrected_interval(list(gaps), test_to_train)
    return {"value": float(gaps.mean()), "low": low, "high": high}
