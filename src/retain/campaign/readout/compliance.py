"""Compliance with the plan, the effect of contact itself, and attrition."""

from __future__ import annotations

from typing import Any

import numpy as np

from retain.campaign.assignment import Assignment
from retain.campaign.proportions import newcombe
from retain.campaign.readout.effects import Subgroup, compare_declines, normal_quantile
from retain.campaign.readout.means import (
    MIN_VALUES_PER_ARM,
    assign_strata,
    count_arms,
    stratum_weights,
)
from retain.campaign.readout.outcomes import Outcomes

MIN_FIRST_STAGE_F = 10.0
"""F of the plan's effect on contact below which no ratio is formed (Staiger & Stock 1997)."""


def summarise_compliance(assignment: Assignment, outcomes: Outcomes) -> dict[str, Any] | None:
    """Return contacted, not contacted and unknown by arm, and the effect on compliers."""
    if outcomes.contacted is None:
        return None
    arms = {"treatment": assignment.is_treated, "control": ~assignment.is_treated}
    counts = {name: _count_contacts(outcomes.contacted[arm]) for name, arm in arms.items()}
    against = counts["treatment"]["n_not_contacted"] + counts["control"]["n_contacted"]
    return {
        **counts,
        "n_against_plan": against,
        "complier_effect": estimate_complier_effect(assignment, outcomes),
    }


def _count_contacts(contacted: np.ndarray) -> dict[str, int]:
    return {
        "n_contacted": int((contacted == 1).sum()),
        "n_not_contacted": int((contacted == 0).sum()),
        "n_unknown": int(np.isnan(contacted).sum()),
    }


def estimate_complier_effect(assignment: Assignment, outcomes: Outcomes) -> dict[str, Any]:
    """Estimate the effect of contact on customers whose contact follows the plan.

    Wald's ratio of the effect on the outcome to that on contacting, within strata (Imbens & Angrist
    1994), which assumes that the plan works through contact alone; the interval is Fieller's. An
    effect on declines is bounded to −1 and 1, beyond which a share cannot change.
    ``outcome, value, low, high, contact_rate_difference`` (between the arms), or ``reason``:
    ``as_planned`` if the ratio would be the effect itself, ``too_few`` if the plan
    hardly changed who was contacted.
    """
    declined, profit, contacted = outcomes.declined, outcomes.profit, outcomes.contacted
    outcome, values = ("declined", declined) if declined is not None else ("profit", profit)
    if values is None or contacted is None:
        return {"reason": "too_few"}
    if outcome == "profit":
        values = values * assignment.assumptions.margin.value
    rows = np.isfinite(values) & np.isfinite(contacted)
    treated = assignment.is_treated[rows]
    if np.array_equal(contacted[rows] == 1, treated):
        return {"reason": "as_planned"}
    table = assignment.table.loc[rows]
    stratum = assign_strata(table["segment"], table["offer"], treated)
    estimates = _stratified_differences(np.stack([values[rows], contacted[rows]]), treated, stratum)
    if estimates is None:
        return {"reason": "too_few"}
    interval = fieller_interval(*estimates, normal_quantile(assignment.alpha))
    if interval is None:
        return {"reason": "too_few"}
    reach = 1.0 if outcome == "declined" else np.inf
    value, low, high = np.clip(interval, -reach, reach).tolist()
    ratio = {"outcome": outcome, "value": value, "low": low, "high": high}
    return {**ratio, "contact_rate_difference": float(estimates[0][1])}


def fieller_interval(
    difference: np.ndarray, covariance: np.ndarray, z: float
) -> tuple[float, float, float] | None:
    """Return the ratio of two estimates and its interval (Fieller 1954).

    None if the second is not clearly different from 0: the interval would be unbounded.

    >>> value, low, high = fieller_interval(np.array([2.0, 4.0]), np.diag([0.01, 0.04]), 1.96)
    >>> round(value, 2), round(low, 2), round(high, 2)
    (0.5, 0.44, 0.57)
    """
    first, second = difference
    (first_variance, shared), (_, second_variance) = covariance
    if second**2 <= max(MIN_FIRST_STAGE_F, z * z) * second_variance or second == 0:
        return None
    a = second**2 - z * z * second_variance
    b = first * second - z * z * shared
    c = first**2 - z * z * first_variance
    root = float(np.sqrt(max(b * b - a * c, 0.0)))
    low, high = sorted(((b - root) / a, (b + root) / a))
    return float(first / second), float(low), float(high)


def _stratified_differences(
    values: np.ndarray, treated: np.ndarray, stratum: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return weighted differences of two values within strata, shape (2,), and their covariance."""
    counts = count_arms(stratum, treated)
    is_large = np.minimum(*counts) >= MIN_VALUES_PER_ARM
    if not is_large.any():
        return None
    weights = stratum_weights(*(np.where(is_large, count, 0) for count in counts))
    difference, covariance = np.zeros(2), np.zeros((2, 2))
    for code in np.flatnonzero(is_large):
        for in_arm, sign in ((treated, 1.0), (~treated, -1.0)):
            selected = values[:, in_arm & (stratum == code)]
            difference += sign * weights[code] * selected.mean(axis=1)
            covariance += weights[code] ** 2 * np.cov(selected) / selected.shape[1]
    return difference, covariance


def summarise_attrition(assignment: Assignment, outcomes: Outcomes) -> dict[str, Any]:
    """Return the number of chosen customers without an outcome, by arm.

    ``treatment, control``: ``n_customers, n_missing``; ``difference`` of the missing shares with
    its interval, and ``p``; if it ``is_significant``, the observed arms are no longer comparable.
    ``bounds``, if declines are known: the effect if all missing customers had declined in one arm
    and none in the other (Horowitz & Manski 2000), ``low`` and ``high``, and the outer ends of
    their intervals.
    """
    outcome_values = outcomes.declined if outcomes.declined is not None else outcomes.profit
    if outcome_values is None:
        raise ValueError("outcomes hold declines or profit")  # read_outcomes raises for others
    is_missing, treated = np.isnan(outcome_values), assignment.is_treated
    by_arm = {
        name: {"n_customers": int(arm.sum()), "n_missing": int((is_missing & arm).sum())}
        for name, arm in (("treatment", treated), ("control", ~treated))
    }
    first, second = by_arm["treatment"], by_arm["control"]
    difference = newcombe(
        *(first["n_missing"], first["n_customers"]),
        *(second["n_missing"], second["n_customers"]),
        z=normal_quantile(assignment.alpha),
    )
    return {
        **by_arm,
        "difference": {
            "value": float(difference.value),
            "low": float(difference.low),
            "high": float(difference.high),
        },
        "p": float(difference.p),
        "is_significant": bool(difference.p < assignment.alpha),
        "bounds": _attrition_bounds(assignment, outcomes.declined),
    }


def _attrition_bounds(
    assignment: Assignment, declined: np.ndarray | None
) -> dict[str, float] | None:
    if declined is None or not np.isnan(declined).any():
        return None
    everyone = Subgroup("overall", None, np.ones(len(declined), dtype=bool))
    is_missing, treated = np.isnan(declined), assignment.is_treated
    lowest = compare_declines(everyone, assignment, np.where(is_missing, ~treated, declined))
    highest = compare_declines(everyone, assignment, np.where(is_missing, treated, declined))
    return {
        "low": lowest["difference"]["value"],
        "high": highest["difference"]["value"],
        "interval_low": lowest["difference"]["low"],
        "interval_high": highest["difference"]["high"],
    }
