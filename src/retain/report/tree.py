"""Parts of a verdict in the order and number of the page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

from retain.record.comparison_document import ExcludedRun
from retain.record.document import DataInfo, SplitInfo
from retain.record.documents import to_tree
from retain.record.estimates import Estimate, PartialEstimate
from retain.record.explanations_document import (
    DependencePoint,
    ExplanationsDocument,
    FeatureInfo,
    Level,
)
from retain.record.segments_document import SegmentInfo
from retain.record.verdict_document import VerdictDocument
from retain.schema.parsing import Config

METRIC = "roc_auc"
MAX_EXCLUDED_LISTED = 100
"""Maximum number of runs per reason; verdict.json has all of them."""

T = TypeVar("T")


def present(part: T | None) -> T:
    """Return a part of a verdict that a sentence or a chart is about."""
    if part is None:
        raise ValueError("there is nothing to say about a missing part")
    return part


@dataclass(frozen=True)
class LeftOut:
    """Runs outside the leaderboard with one state and reason, and their path in the verdict."""

    state: str
    reason: str
    runs: Sequence[ExcludedRun]
    n_runs: int
    path: str

    @property
    def more(self) -> bool:
        """True if not all of them are listed."""
        return self.n_runs > MAX_EXCLUDED_LISTED


def left_out(verdict: VerdictDocument) -> list[LeftOut]:
    """Return runs outside the leaderboard by state and reason, failures first."""

    def group(run: ExcludedRun) -> tuple[str, str]:
        return run.state, run.reason or ""

    runs = sorted(verdict.excluded_runs, key=group)
    return [
        _left_out(state, reason, list(members))
        for (state, reason), members in groupby(runs, key=group)
    ]


def _left_out(state: str, reason: str, runs: Sequence[ExcludedRun]) -> LeftOut:
    selector = json.dumps({"state": state, "reason": reason}, ensure_ascii=False)
    path = f"excluded_runs {selector}"
    return LeftOut(state, reason, runs[:MAX_EXCLUDED_LISTED], len(runs), path)


def flatten(tree: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Return the leaves of a nested tree with their dotted paths; a plain list is one leaf.

    >>> flatten({"a": {"b": 1}, "c": [2, 3]})
    [('a.b', 1), ('c', [2, 3])]
    """
    below = _branches(tree)
    if below is None:
        return [(prefix, tree)]
    return [
        leaf
        for key, value in below
        for leaf in flatten(value, f"{prefix}.{key}" if prefix else str(key))
    ]


def _branches(tree: Any) -> list[tuple[Any, Any]] | None:
    """Return the branches of a tree; None for a leaf."""
    if isinstance(tree, Config):
        tree = to_tree(tree)
    if isinstance(tree, Mapping):
        return list(tree.items())
    if isinstance(tree, list) and any(isinstance(value, Mapping) for value in tree):
        return list(enumerate(tree, 1))
    return None


def excludes_zero(found: PartialEstimate) -> bool:
    """Return whether an interval excludes zero."""
    low, high = found.low, found.high
    return low is not None and high is not None and (low > 0 or high < 0)


def top_features(explanations: ExplanationsDocument | None, most: int) -> list[FeatureInfo]:
    """Return the ``most`` most important features of the winner."""
    if explanations is None:
        return []
    return [one for one in explanations.features if one.mean_abs_shap is not None][:most]


def column_values(rows: Sequence[Any], *path: str) -> list[Any]:
    """Return the values at a path of each row that has it.

    >>> from types import SimpleNamespace as Row
    >>> column_values([Row(risk=Row(value=1.5)), Row(risk=None)], "risk", "value")
    [1.5]
    """
    values: list[Any] = list(rows)
    for key in path:
        values = [getattr(one, key) for one in values if one is not None]
    return [one for one in values if one is not None]


def by_name(explanations: ExplanationsDocument) -> dict[str, FeatureInfo]:
    """Return every feature by its name."""
    return {one.name: one for one in explanations.features}


def compared_features(explanations: ExplanationsDocument | None, most: int) -> list[FeatureInfo]:
    """Return at most ``most`` features whose two classes were compared."""
    if explanations is None:
        return []
    return [one for one in explanations.features if one.distribution is not None][:most]


L = TypeVar("L", Level, DependencePoint)


def frequent_levels(levels: Sequence[L], most: int) -> list[L]:
    """Return the ``most`` most frequent levels of a category, in their own order."""
    often = sorted(range(len(levels)), key=lambda at: -levels[at].n_customers)[:most]
    return [levels[at] for at in sorted(often)]


BEESWARM_ROWS = 20


def out_of_fold(data: DataInfo, split: SplitInfo) -> tuple[int, int]:
    """Return the numbers of declined and of all rows behind the curves."""
    days = set(split.test_snapshots)
    if data.label is None or not days:
        return data.n_positives, data.n_rows
    at = [one for one in data.label.snapshots if one.snapshot in days]
    return sum(one.n_declined for one in at), sum(one.n_rows for one in at)


def n_skipped(verdict: VerdictDocument) -> int:
    """Return the number of rows left out because their label was not yet observed."""
    label, split = verdict.data.label, verdict.split
    last = max(split.test_snapshots, default=None)
    if label is None or last is None:
        return 0
    return sum(
        one.n_rows for one in label.snapshots if last < one.snapshot != split.sealed_snapshot
    )


def has_profit(segments: Sequence[SegmentInfo]) -> bool:
    """Return whether segments have a profit at risk."""
    return any(one.expected_profit_at_risk is not None for one in segments)


def has_observed_profit(segments: Sequence[SegmentInfo]) -> bool:
    """Return whether segments have the profit at risk of customers who declined."""
    return any(one.observed_profit_at_risk is not None for one in segments)


def segments_by_risk(segments: Sequence[SegmentInfo]) -> list[tuple[SegmentInfo, Estimate]]:
    """Return segments with their profit at risk, or else risk, and its interval; most first.

    The profit at risk is the observed one, of customers without outcomes the expected one.
    Segments with too few customers for an interval are left out.
    """
    key = "expected_profit_at_risk" if has_profit(segments) else "risk"
    key = "observed_profit_at_risk" if has_observed_profit(segments) else key
    estimates = ((one, complete(getattr(one, key))) for one in segments)
    measured = [(one, its) for one, its in estimates if its is not None]
    return sorted(measured, key=lambda pair: -pair[1].value)


def complete(estimate: PartialEstimate | None) -> Estimate | None:
    """Return an estimate with its interval, None if a part is missing."""
    if estimate is None or None in (estimate.value, estimate.low, estimate.high):
        return None
    return Estimate(*map(present, (estimate.value, estimate.low, estimate.high)))
