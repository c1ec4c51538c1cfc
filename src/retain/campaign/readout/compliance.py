"""Who was contacted against the plan, and what contacting did to those it reached."""

from __future__ import annotations

from typing import Any

import numpy as np

from retain.campaign.assignment import Assignment
from retain.campaign.readout.effects import Subgroup, compare_declines, normal_quantile
from retain.campaign.readout.means import MIN_VALUES_PER_ARM, assign_strata, stratum_weights
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.shares import newcombe

MIN_FIRST_STAGE_F = 10.0
"""F of what the plan did to contacting below which no ratio is formed (Staiger & Stock 1997)."""


def summarise_compliance(assignment: Assignment, outcomes: Outcomes) -> dict[str, Any] | None:
    """Return contacted, not contacted and unknown by arm, and the effect on compliers."""
    if outcomes.contacted is None:
        return None
    arms = {"treatment": assignment.treated, "control": ~assignment.treated}
    told = {name: _count_contacts(outcomes.contacted[arm]) for name, arm in arms.items()}
    against = told["treatment"]["n_not_contacted"] + told["control"]["n_contacted"]
    return {
        **told,
        "n_against_plan": against,
        "complier_effect": estimate_complier_effect(assignment, outcomes),
    }


def _count_contacts(contacted: np.ndarray) -> dict[str, int]:
    said = {"n_contacted": contacted == 1, "n_not_contacted": contacted == 0}
    return {k: int(v.sum()) for k, v in {**said, "n_unknown": np.isnan(contacted)}.items()}


def estimate_complier_effect(assignment: Assignment, outcomes: Outcomes) -> dict[str, Any]:
    """Effect of contact on those who are contacted because the plan says so.

    Wald's ratio of the effect on the outcome to that on contacting, within strata (Imbens &
    Angrist 1994), which supposes that the plan works through contact alone; the interval is
    Fieller's. ``outcome, value, low, high, contact_rate_difference`` (between the arms), or
    ``reason``: ``as_planned`` where the ratio would tell nothing new, ``too_few`` where the plan
    hardly changed who was contacted.
    """
    declined, profit, contacted = outcomes.declined, outcomes.profit, outcomes.contacted
    named = ("declined", declined) if declined is not None else ("profit", profit)
    outcome, values = named
    if values is None or contacted is None:
        return {"reason": "too_few"}
    if outcome == "profit":
        values = values * assignment.assumptions.margin.value
    rows = np.isfinite(values) & np.isfinite(contacted)
    treated = assignment.treated[rows]
    if np.array_equal(contacted[rows] == 1, treated):
        return {"reason": "as_planned"}
    table = assignment.table.loc[rows]
    stratum = assign_strata(table["segment"], table["offer"], treated)
    found = _stratified_differences(np.stack([values[rows], contacted[rows]]), treated, stratum)
    bounds = None if found is None else fieller_interval(*found, normal_quantile(assignment.alpha))
    if bounds is None:
        return {"reason": "too_few"}
    value, low, high = bounds
    told = {"outcome": outcome, "value": value, "low": low, "high": high}
    return {**told, "contact_rate_difference": float(found[0][1]) if found is not None else None}


def fieller_interval(
    difference: np.ndarray, covariance: np.ndarray, z: float
) -> tuple[float, float, float] | None:
    """Ratio of the first to the second of two estimates, and its interval (Fieller 1954).

    None where the second is not clearly away from 0: the interval would have no end.

    >>> value, low, high = fieller_interval(np.array([2.0, 4.0]), np.diag([0.01, 0.04]), 1.96)
    >>> round(value, 2), round(low, 2), round(high, 2)
    (0.5, 0.44, 0.57)
    """
    (one, other), ((first, both), (_, second)) = difference, covariance
    if other**2 <= max(MIN_FIRST_STAGE_F, z * z) * second or other == 0:
        return None
    a = other**2 - z * z * second
    b = one * other - z * z * both
    c = one**2 - z * z * first
    root = float(np.sqrt(max(b * b - a * c, 0.0)))
    low, high = sorted(((b - root) / a, (b + root) / a))
    return float(one / other), float(low), float(high)


def _stratified_differences(
    values: np.ndarray, treated: np.ndarray, stratum: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Weighted differences of two values within strata, shape (2,), and their covariance."""
    size = int(stratum.max(initial=-1)) + 1
    arms = [np.bincount(stratum[arm], minlength=size) for arm in (treated, ~treated)]
    enough = np.minimum(*arms) >= MIN_VALUES_PER_ARM
    if not enough.any():
        return None
    share = stratum_weights(*(np.where(enough, arm, 0) for arm in arms))
    difference, covariance = np.zeros(2), np.zeros((2, 2))
    for code in np.flatnonzero(enough):
        for arm, sign in ((treated, 1.0), (~treated, -1.0)):
            part = values[:, arm & (stratum == code)]
            difference += sign * share[code] * part.mean(axis=1)
            covariance += share[code] ** 2 * np.cov(part) / part.shape[1]
    return difference, covariance


def summarise_attrition(assignment: Assignment, outcomes: Outcomes) -> dict[str, Any]:
    """Chosen customers without an outcome.

    ``treatment, control``: ``n_customers, n_missing``; ``difference`` of the missing shares with
    its interval, and ``p``; ``is_significant`` where that is no chance: then those observed are no
    longer alike. ``bounds`` where declines are known: the effect if all those missing had declined
    in one arm and none in the other (Horowitz & Manski 2000), ``low`` and ``high``, and the outer
    ends of their intervals.
    """
    known = outcomes.declined if outcomes.declined is not None else outcomes.profit
    if known is None:
        raise ValueError("outcomes hold declines or profit")  # read_outcomes refuses others
    gone, treated = np.isnan(known), assignment.treated
    counted = {
        name: {"n_customers": int(arm.sum()), "n_missing": int((gone & arm).sum())}
        for name, arm in (("treatment", treated), ("control", ~treated))
    }
    one, other = counted["treatment"], counted["control"]
    told = newcombe(
        *(one["n_missing"], one["n_customers"]),
        *(other["n_missing"], other["n_customers"]),
        z=normal_quantile(assignment.alpha),
    )
    return {
        **counted,
        "difference": {
            "value": float(told.value),
            "low": float(told.low),
            "high": float(told.high),
        },
        "p": float(told.p),
        "is_significant": bool(told.p < assignment.alpha),
        "bounds": _attrition_bounds(assignment, outcomes.declined),
    }


def _attrition_bounds(
    assignment: Assignment, declined: np.ndarray | None
) -> dict[str, float] | None:
    if declined is None or not np.isnan(declined).any():
        return None
    whole = Subgroup("overall", None, np.ones(len(declined), dtype=bool))
    gone, treated = np.isnan(declined), assignment.treated
    best = compare_declines(whole, assignment, np.where(gone, ~treated, declined))
    worst = compare_declines(whole, assignment, np.where(gone, treated, declined))
    return {
        "low": best["difference"]["value"],
        "high": worst["difference"]["value"],
        "interval_low": best["difference"]["low"],
        "interval_high": worst["difference"]["high"],
    }
