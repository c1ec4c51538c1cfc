"""Compliance with the plan, the effect of contact itself, and attrition."""

from __future__ import annotations

import numpy as np

from retain.campaign.assignment import Assignment
from retain.campaign.proportions import RateDifference, newcombe
from retain.campaign.readout.effects import Subgroup, compare_declines, normal_quantile
from retain.campaign.readout.means import MIN_VALUES_PER_ARM
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.readout.strata import (
    assign_strata,
    count_arms,
    count_standardised,
    stratum_weights,
)
from retain.record.estimates import PartialEstimate
from retain.record.readout_document import (
    ArmAttrition,
    Attrition,
    AttritionBounds,
    Compliance,
    ComplierEffect,
    ContactCounts,
    Outcome,
)

MIN_FIRST_STAGE_F = 10.0
"""F of the plan's effect on contact below which no ratio is formed (Staiger & Stock 1997)."""


def summarise_compliance(assignment: Assignment, outcomes: Outcomes) -> Compliance | None:
    """Return contacted, not contacted and unknown by arm, and the effect on compliers."""
    if outcomes.contacted is None:
        return None
    arms = {"treatment": assignment.is_treated, "control": ~assignment.is_treated}
    counts = {name: _count_contacts(outcomes.contacted[arm]) for name, arm in arms.items()}
    return Compliance(
        **counts,
        n_against_plan=counts["treatment"].n_not_contacted + counts["control"].n_contacted,
        complier_effect=estimate_complier_effect(assignment, outcomes),
    )


def _count_contacts(contacted: np.ndarray) -> ContactCounts:
    return ContactCounts(
        n_contacted=int((contacted == 1).sum()),
        n_not_contacted=int((contacted == 0).sum()),
        n_unknown=int(np.isnan(contacted).sum()),
    )


def estimate_complier_effect(assignment: Assignment, outcomes: Outcomes) -> ComplierEffect:
    """Estimate the effect of contact on customers whose contact follows the plan.

    Wald's ratio of the effect on the outcome to that on contacting, within strata (Imbens & Angrist
    1994), which assumes that the plan works through contact alone; the interval is Fieller's. An
    effect on declines is bounded to −1 and 1, beyond which a share cannot change.
    """
    declined, profit, contacted = outcomes.declined, outcomes.profit, outcomes.contacted
    outcome: Outcome = "profit" if declined is None else "declined"
    values = profit if declined is None else declined
    if values is None or contacted is None:
        return ComplierEffect(reason="too_few")
    if outcome == "profit":
        values = values * assignment.assumptions.margin.value
    rows = np.isfinite(values) & np.isfinite(contacted)
    treated = assignment.is_treated[rows]
    if np.array_equal(contacted[rows] == 1, treated):
        return ComplierEffect(reason="as_planned")
    table = assignment.table.loc[rows]
    stratum = assign_strata(table, treated)
    estimates = _stratified_differences(
        np.stack([values[rows], contacted[rows]]),
        treated,
        stratum,
        by_treated=not assignment.has_one_share,
    )
    if estimates is None:
        return ComplierEffect(reason="too_few")
    interval = fieller_interval(*estimates, normal_quantile(assignment.alpha))
    if interval is None:
        return ComplierEffect(reason="too_few")
    reach = 1.0 if outcome == "declined" else np.inf
    value, low, high = np.clip(interval, -reach, reach).tolist()
    return ComplierEffect(
        outcome=outcome,
        value=value,
        low=low,
        high=high,
        contact_rate_difference=float(estimates[0][1]),
    )


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
    values: np.ndarray, treated: np.ndarray, stratum: np.ndarray, *, by_treated: bool
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return weighted differences of two values within strata, shape (2,), and their covariance.

    Strata are weighted as in ``stratum_weights``, or ``by_treated`` customers.
    """
    counts = count_arms(stratum, treated)
    is_large = np.minimum(*counts) >= MIN_VALUES_PER_ARM
    if not is_large.any():
        return None
    n_treated, n_control = (np.where(is_large, count, 0) for count in counts)
    weights = stratum_weights(n_treated, n_control)
    if by_treated:
        weights = n_treated / n_treated.sum()
    difference, covariance = np.zeros(2), np.zeros((2, 2))
    for code in np.flatnonzero(is_large):
        for in_arm, sign in ((treated, 1.0), (~treated, -1.0)):
            selected = values[:, in_arm & (stratum == code)]
            difference += sign * weights[code] * selected.mean(axis=1)
            covariance += weights[code] ** 2 * np.cov(selected) / selected.shape[1]
    return difference, covariance


def summarise_attrition(assignment: Assignment, outcomes: Outcomes) -> Attrition:
    """Return the number of chosen customers without an outcome, by arm."""
    outcome_values = outcomes.declined if outcomes.declined is not None else outcomes.profit
    if outcome_values is None:
        raise ValueError("outcomes hold declines or profit")  # read_outcomes raises for others
    is_missing, treated = np.isnan(outcome_values), assignment.is_treated
    treatment, control = (
        ArmAttrition(n_customers=int(arm.sum()), n_missing=int((is_missing & arm).sum()))
        for arm in (treated, ~treated)
    )
    counts = count_standardised(is_missing, assignment, np.ones(len(treated), dtype=bool))
    found = newcombe(*counts, z=normal_quantile(assignment.alpha))
    difference = RateDifference(*(values[0] for values in found))
    ends = (finite_or_none(end) for end in (difference.value, difference.low, difference.high))
    return Attrition(
        treatment=treatment,
        control=control,
        difference=PartialEstimate(*ends),
        p=finite_or_none(difference.p),
        is_significant=bool(difference.p < assignment.alpha),
        bounds=_attrition_bounds(assignment, outcomes.declined),
    )


def finite_or_none(value: np.ndarray) -> float | None:
    """Return a number, None for one that is not finite."""
    return float(value) if np.isfinite(value) else None


def _attrition_bounds(
    assignment: Assignment, declined: np.ndarray | None
) -> AttritionBounds | None:
    if declined is None or not np.isnan(declined).any():
        return None
    everyone = Subgroup("overall", None, np.ones(len(declined), dtype=bool))
    is_missing, treated = np.isnan(declined), assignment.is_treated
    lowest, highest = (
        compare_declines(everyone, assignment, np.where(is_missing, worst, declined)).difference
        for worst in (~treated, treated)
    )
    if lowest is None or highest is None:
        return None
    return AttritionBounds(
        low=lowest.value,
        high=highest.value,
        interval_low=lowest.low,
        interval_high=highest.high,
    )
