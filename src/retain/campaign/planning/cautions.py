"""What a reader of a campaign should know before believing it, by code.

May import: nothing of the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Tree = Mapping[str, Any]


def cautions(campaign: Tree) -> list[dict[str, Any]]:
    """What there is to say of a campaign's tree, each with a ``code`` and its numbers."""
    return [{"code": code, **found} for code, look in LOOKS.items() if (found := look(campaign))]


def _no_consent_column(tree: Tree) -> dict[str, Any] | None:
    return {"customers": tree["customers"]} if tree["consent"] == "not_stated" else None


def _control_none(tree: Tree) -> dict[str, Any] | None:
    plan = tree["plan"]
    return {"chosen": plan["chosen"]} if plan["chosen"] and not plan["control"] else None


def _calibration_poor(tree: Tree) -> dict[str, Any] | None:
    """Scores that were no probabilities before they were recalibrated."""
    found = tree["calibration"]
    apart = not found["slope_low"] <= 1 <= found["slope_high"]
    return {"slope": found["slope"]} if apart else None


def _nothing_pays(tree: Tree) -> dict[str, Any] | None:
    return {"customers": tree["customers"]} if tree["plan"]["chosen"] == 0 else None


def _may_lose(tree: Tree) -> dict[str, Any] | None:
    """A plan that may cost more than it saves, its assumptions being what they are."""
    net = tree["plan"]["net"]
    return {"low": net["low"]} if tree["plan"]["chosen"] and net["low"] < 0 else None


LOOKS = {
    "no_consent_column": _no_consent_column,
    "nothing_pays": _nothing_pays,
    "control_none": _control_none,
    "calibration_poor": _calibration_poor,
    "may_lose": _may_lose,
}
