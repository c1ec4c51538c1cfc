"""The verdict's tree with optional parts filled in, and lists in the order of the page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from retain.report.text.names import Tree
from retain.storage.schemas import check_schema
from retain.verdict.document import SCHEMA

METRIC = "roc_auc"
MAX_EXCLUDED_LISTED = 100
"""Maximum number of runs per reason; verdict.json has all of them."""

OPTIONAL: dict[str, Any] = {
    "campaign": None,
    "question": None,
    "cautions": [],
    "selection": None,
    "versus_random": None,
    "curves": None,
    "diffs": [],
    "main_effects": [],
    "environment": None,
    "fold_values": {},
    "gate": None,
    "git": None,
    "by_snapshot": [],
    "excluded_runs": [],
    "explanations": None,
    "n_scored": None,
    "recalibration": None,
    "calibration_check": None,
    "sealed_test": None,
    "segments": None,
    "dominant_segment": None,
    "fitted_thresholds": None,
    "t_quantiles": {},
    "n_interrupted": 0,
    "n_running": 0,
    "commands": [],
    "checks": [],
}
"""Defaults of a verdict's optional parts."""


def fill_defaults(tree: Tree) -> dict[str, Any]:
    """Return the verdict with every optional part in place.

    Raises
    ------
    RetainError
        When the tree has another schema.
    """
    check_schema(tree.get("schema"), SCHEMA, "this verdict")
    return {**OPTIONAL, **tree}


def campaign_or_none(tree: Tree) -> Tree | None:
    """Return the campaign, None if none was planned."""
    campaign: Tree | None = tree["campaign"]
    return None if campaign is None or campaign.get("reason") else campaign


def left_out(tree: Tree) -> list[dict[str, Any]]:
    """Return runs outside the leaderboard by state and reason, failures first."""

    def group(run: Tree) -> tuple[str, str]:
        return str(run["state"]), str(run["reason"] or "")

    runs = sorted(tree["excluded_runs"], key=group)
    return [
        _reason(state, reason, list(members))
        for (state, reason), members in groupby(runs, key=group)
    ]


def _reason(state: str, reason: str, runs: Sequence[Tree]) -> dict[str, Any]:
    selector = json.dumps({"state": state, "reason": reason}, ensure_ascii=False)
    return {
        "state": state,
        "reason": reason,
        "runs": runs[:MAX_EXCLUDED_LISTED],
        "n_runs": len(runs),
        "path": f"excluded_runs {selector}",
        "more": len(runs) > MAX_EXCLUDED_LISTED,
    }


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
    if isinstance(tree, Mapping):
        return list(tree.items())
    if isinstance(tree, list) and any(isinstance(value, Mapping) for value in tree):
        return list(enumerate(tree, 1))
    return None


def excludes_zero(found: Tree) -> bool:
    """Return whether an interval excludes zero."""
    return found["low"] is not None and (found["low"] > 0 or found["high"] < 0)


def measured_levels(effect: Tree) -> list[Tree]:
    """Return the levels of an axis that have a pair of runs."""
    return [level for level in effect["levels"] if level["difference"]["value"] is not None]


def top_features(explanations: Tree | None, most: int) -> list[Tree]:
    """Return the ``most`` most important features of the winner."""
    if explanations is None:
        return []
    return [one for one in explanations["features"] if one["mean_abs_shap"] is not None][:most]


def column_values(rows: Sequence[Tree], *path: str) -> list[Any]:
    """Return the values at a path of each row that has it.

    >>> column_values([{"risk": {"value": 1.5}}, {"risk": None}], "risk", "value")
    [1.5]
    """
    values: list[Any] = list(rows)
    for key in path:
        values = [one[key] for one in values if one is not None]
    return [one for one in values if one is not None]


def by_name(explanations: Tree) -> dict[str, Tree]:
    """Return every feature by its name."""
    return {one["name"]: one for one in explanations["features"]}


def compared_features(explanations: Tree | None, most: int) -> list[Tree]:
    """Return at most ``most`` features whose two classes were compared."""
    if explanations is None:
        return []
    return [one for one in explanations["features"] if one["distribution"] is not None][:most]


def frequent_levels(levels: Sequence[Tree], most: int) -> list[Tree]:
    """Return the ``most`` most frequent levels of a category, in their own order.

    >>> [one["x"] for one in frequent_levels([{"x": i, "n_customers": i % 3} for i in range(5)], 2)]
    [1, 2]
    """
    often = sorted(range(len(levels)), key=lambda at: -int(levels[at]["n_customers"]))[:most]
    return [levels[at] for at in sorted(often)]


BEESWARM_ROWS = 20


def out_of_fold(tree: Tree) -> tuple[int, int]:
    """Return the numbers of declined and of all rows behind the curves.

    >>> at = [{"snapshot": day, "n_rows": 10, "n_declined": n} for day, n in (("a", 1), ("b", 4))]
    >>> data = {"n_positives": 5, "n_rows": 20, "label": {"snapshots": at}}
    >>> out_of_fold({"data": data, "split": {"test_snapshots": ["b", "b"]}})
    (4, 10)
    """
    data, label = tree["data"], tree["data"].get("label")
    days = set(tree["split"].get("test_snapshots") or ())
    if label is None or not days:
        return data["n_positives"], data["n_rows"]
    at = [one for one in label["snapshots"] if one["snapshot"] in days]
    return sum(one["n_declined"] for one in at), sum(one["n_rows"] for one in at)


def n_skipped(tree: Tree) -> int:
    """Return the number of rows left out because their label was not yet observed.

    >>> at = [{"snapshot": day, "n_rows": 10, "n_declined": 1} for day in ("a", "b", "c", "d")]
    >>> split = {"test_snapshots": ["b"], "sealed_snapshot": "d"}
    >>> n_skipped({"data": {"label": {"snapshots": at}}, "split": split})
    10
    """
    label, split = tree["data"].get("label"), tree["split"]
    last = max(split.get("test_snapshots") or (), default=None)
    if label is None or last is None:
        return 0
    between = (
        one["n_rows"]
        for one in label["snapshots"]
        if last < one["snapshot"] != split.get("sealed_snapshot")
    )
    return sum(between)


def has_profit(segments: Sequence[Tree]) -> bool:
    """Return whether segments have a profit at risk."""
    return any(one["expected_profit_at_risk"] is not None for one in segments)


def has_observed_profit(segments: Sequence[Tree]) -> bool:
    """Return whether segments have the profit at risk of customers who declined."""
    return any(one["observed_profit_at_risk"] is not None for one in segments)


def segments_by_risk(segments: Sequence[Tree]) -> list[tuple[Tree, dict[str, float]]]:
    """Return segments with their profit at risk, or else risk, and its interval; most first.

    The profit at risk is the observed one, of customers without outcomes the expected one.
    Segments with too few customers for an interval are left out.
    """
    key = "expected_profit_at_risk" if has_profit(segments) else "risk"
    key = "observed_profit_at_risk" if has_observed_profit(segments) else key
    found = ((one, one[key]) for one in segments)
    messages = [(one, dict(its)) for one, its in found if its and its["low"] is not None]
    return sorted(messages, key=lambda pair: -pair[1]["value"])
