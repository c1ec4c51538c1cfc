"""Differences of two runs: config, metrics, and the customers whose scores change most."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retain.learning.scores import Scores
from retain.record.comparison_document import (
    KeyChange,
    MetricDifference,
    RunDifference,
    ScoreChange,
)
from retain.record.document import MetricSummary, Record
from retain.record.estimates import Estimate
from retain.verdict.config_keys import check_comparable, differing_keys
from retain.verdict.paired import compare_paired

MAX_CHANGES = 10
"""Maximum number of customers named."""


def compare_pair(
    a: Record,
    b: Record,
    scores: tuple[Scores | None, Scores | None] = (None, None),
    *,
    requested: bool = False,
) -> RunDifference:
    """Compare two finished runs on the same customers and folds.

    Raises
    ------
    RetainError
        When they differ in rows, target, splits or metrics.
    """
    check_comparable([a, b])
    one, other = scores
    config = differing_keys([a.config, b.config])
    return RunDifference(
        a=a.id,
        b=b.id,
        config=tuple(KeyChange(key=key, a=one, b=two) for key, (one, two) in config.items()),
        metrics=tuple(
            _metric(name, metric, b.metrics[name], a.split.test_to_train)
            for name, metric in a.metrics.items()
        ),
        largest_changes=None if one is None or other is None else largest_changes(one, other),
        requested=requested,
    )


def _metric(
    name: str, a: MetricSummary, b: MetricSummary, test_to_train: float
) -> MetricDifference:
    shared = min(
        len(a.fold_values), len(b.fold_values)
    )  # a run stopped early has only the first folds
    one, two = np.array(a.fold_values[:shared]), np.array(b.fold_values[:shared])
    gap = compare_paired((two - one)[None], test_to_train)
    return MetricDifference(
        name=name,
        a=float(one.mean()),
        b=float(two.mean()),
        difference=Estimate(float(gap.mean[0]), float(gap.low[0]), float(gap.high[0])),
        p=float(gap.p[0]),
    )


def largest_changes(a: Scores, b: Scores) -> tuple[ScoreChange, ...]:
    """Return the customers of both runs whose mean probability differs most, the most first."""
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
        ScoreChange(customer_id=str(id_), a=float(row["a"]), b=float(row["b"]))
        for id_, row in both.loc[order].iterrows()
    )
