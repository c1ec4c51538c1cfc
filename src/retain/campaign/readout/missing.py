"""Customers whose outcome nobody knows: how many in each arm, and what they could change.

May import: campaign.assignment, campaign.readout.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from retain.campaign.assignment import Assignment
from retain.campaign.readout.effects import Part, declines, quantile
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.shares import newcombe


def missing(assignment: Assignment, outcomes: Outcomes) -> dict[str, Any]:
    """Chosen customers without an outcome.

    ``treatment, control``: ``customers, missing``; ``difference`` in the missing shares with
    ``low, high, p``; ``differs`` where that is no chance: then those observed are no longer
    alike. ``bounds`` where declines are known: the effect if all those missing had declined in
    one arm and none in the other (Horowitz & Manski 2000), ``low`` and ``high``, and the outer
    ends of their intervals.
    """
    known = outcomes.declined if outcomes.declined is not None else outcomes.profit
    if known is None:
        raise ValueError("outcomes hold declines or profit")  # read_outcomes refuses others
    gone, treated = np.isnan(known), assignment.treated
    counted = {
        name: {"customers": int(arm.sum()), "missing": int((gone & arm).sum())}
        for name, arm in (("treatment", treated), ("control", ~treated))
    }
    one, other = counted["treatment"], counted["control"]
    told = newcombe(
        *(one["missing"], one["customers"]),
        *(other["missing"], other["customers"]),
        z=quantile(assignment.alpha),
    )
    return {
        **counted,
        "difference": float(told.value),
        "low": float(told.low),
        "high": float(told.high),
        "p": float(told.p),
        "differs": bool(told.p < assignment.alpha),
        "bounds": _bounds(assignment, outcomes.declined),
    }


def _bounds(assignment: Assignment, declined: np.ndarray | None) -> dict[str, float] | None:
    if declined is None or not np.isnan(declined).any():
        return None
    whole = Part("overall", None, np.ones(len(declined), dtype=bool))
    gone, treated = np.isnan(declined), assignment.treated
    best = declines(whole, assignment, np.where(gone, ~treated, declined))
    worst = declines(whole, assignment, np.where(gone, treated, declined))
    return {
        "low": best["difference"],
        "high": worst["difference"],
        "interval_low": best["low"],
        "interval_high": worst["high"],
    }
