"""Differences of two runs: config, metrics, and the customers whose scores change most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from retain.learning.scores import Scores
from retain.record.document import MetricSummary, Record
from retain.verdict.config_keys import check_comparable, differing_keys
from retain.verdict.paired import compare_paired

MAX_CHANGES = 10
"""Maximum number of customers named."""


@dataclass(frozen=True)
class Difference:
    """The difference of run ``b`` to run ``a``; positive where ``b`` has the larger value.

    Attributes
    ----------
    config
        ``{key, a, b}`` for each config key that differs.
    metrics
        ``{name, a, b, difference: {value, low, high}, p}``: means over the common folds, the
        mean difference with its corrected 95 % interval, and the corrected p.
    largest_changes
        ``{customer_id, a, b}`` for the customers whose mean out-of-fold probability changed most;
        None if a run's scores are missing.
    requested
        Whether ``diff=[A,B]`` named the two.
    """

    a: str
    b: str
    config: tuple[dict[str, Any], ...]
    metrics: tuple[dict[str, Any], ...]
    largest_changes: tuple[dict[str, Any], ...] | None
    requested: bool = False


def compare_pair(
    a: Record,
    b: Record,
    scores: tuple[Scores | None, Scores | None] = (None, None),
    *,
    requested: bool = False,
) -> Difference:
    """Compare two finished runs on the same customers and folds.

    Raises
    ------
    RetainError
        When they differ in rows, target, splits or metrics.
    """
    check_comparable([a, b])
    one, other = scores
    config = differing_keys([a.config, b.config])
    return Difference(
        a=a.id,
        b=b.id,
        config=tuple({"key": key, "a": one, "b": two} for key, (one, two) in config.items()),
        metrics=tuple(
            _metric(name, metric, b.metrics[name], a.split.test_to_train)
            for name, metric in a.metrics.items()
        ),
        largest_changes=None if one is None or other is None else _largest_changes(one, other),
        requested=requested,
    )


def _metric(name: str, a: MetricSummary, b: MetricSummary, test_to_train: float) -> dict[str, Any]:
    shared = min(
        len(a.fold_values), len(b.fold_values)
    )  # a run stopped early has only the first folds
    one, two = np.array(a.fold_values[:shared]), np.array(b.fold_values[:shared])
    gap = compare_paired((two - one)[None], test_to_train)
    return {
        "name": name,
        "a": float(one.mean()),
        "b": float(two.mean()),
        "difference": {
            "value": float(gap.mean[0]),
            "low": float(gap.low[0]),
            "high": float(gap.high[0]),
        },
        "p": float(gap.p[0]),
    }


def _largest_changes(a: Scores, b: Scores) -> tuple[dict[str, Any], ...]:
    one, other = a.per_customer(), b.per_customer()
    shared = one.index.intersection(other.index)  # ids of two types are not sortable
    both = pd.DataFrame({"a": one.loc[shared], "b": other.loc[shared]})
    order = (
        (both["b"] - both["a"])
        .abs()
        .sort_values(ascending=False, kind="stable")
        .index[:MAX_CHANGES]
    )
    return tuple(
        {"customer_id": str(id_), "a": float(row["a"]), "b": float(row["b"])}
        for id_, row in both.loc[order].iterrows()
    )
