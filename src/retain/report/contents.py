"""What a verdict holds, with its optional parts spelt out, and lists the page shows in its order.

May import: errors; report.numbers, report.names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from retain.errors import RetainError
from retain.report.names import Tree

SCHEMA = 3
METRIC = "roc_auc"
LISTED = 100
"""Runs named under one reason; verdict.json holds them all."""

OPTIONAL: dict[str, Any] = {
    "campaign": None,
    "question": None,
    "cautions": [],
    "chance": None,
    "choice": None,
    "curves": None,
    "diffs": [],
    "effects": [],
    "environment": None,
    "folds": {},
    "gate": None,
    "git": None,
    "in_time": [],
    "not_in_the_leaderboard": [],
    "reasons": None,
    "scored": None,
    "sealed_test": None,
    "segments": None,
    "t_quantiles": {},
    "unfinished": 0,
    "commands": [],
    "checks": [],
}
"""Parts a verdict may lack, and what their absence means."""


def whole(tree: Tree) -> dict[str, Any]:
    """The verdict with every optional part in place.

    Raises
    ------
    RetainError
        When the tree has another schema than the page is drawn from.
    """
    if tree.get("schema") != SCHEMA:
        raise RetainError(
            f"this verdict has schema {tree.get('schema')!r}; the page is drawn from schema "
            f"{SCHEMA}. Run retain-compare again."
        )
    return {**OPTIONAL, **tree}


def planned(tree: Tree) -> Tree | None:
    """The campaign, where one was planned."""
    campaign: Tree | None = tree["campaign"]
    return None if campaign is None or campaign.get("missing") else campaign


def left_out(tree: Tree) -> list[dict[str, Any]]:
    """Runs that are not in the leaderboard, by state and reason, failures first."""

    def group(run: Tree) -> tuple[str, str]:
        return str(run["state"]), str(run["reason"] or "")

    runs = sorted(tree["not_in_the_leaderboard"], key=group)
    return [
        _reason(state, reason, list(members))
        for (state, reason), members in groupby(runs, key=group)
    ]


def _reason(state: str, reason: str, runs: Sequence[Tree]) -> dict[str, Any]:
    which = json.dumps({"state": state, "reason": reason}, ensure_ascii=False)
    return {
        "state": state,
        "reason": reason,
        "runs": runs[:LISTED],
        "count": len(runs),
        "path": f"not_in_the_leaderboard {which}",
        "more": len(runs) > LISTED,
    }


def flat(tree: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Leaves of a nested tree with their dotted path; a list of plain values is one leaf.

    >>> flat({"a": {"b": 1}, "c": [2, 3]})
    [('a.b', 1), ('c', [2, 3])]
    """
    below = _below(tree)
    if below is None:
        return [(prefix, tree)]
    return [
        leaf
        for key, value in below
        for leaf in flat(value, f"{prefix}.{key}" if prefix else str(key))
    ]


def _below(tree: Any) -> list[tuple[Any, Any]] | None:
    """What a tree branches into; None for a leaf."""
    if isinstance(tree, Mapping):
        return list(tree.items())
    if isinstance(tree, list) and any(isinstance(value, Mapping) for value in tree):
        return list(enumerate(tree, 1))
    return None
