"""Effect of being assigned to treatment: overall, by segment, by offer.

Intention to treat: all customers count in the arm they were assigned to, contacted or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import special

from retain.campaign.assignment import Assignment
from retain.campaign.proportions import RateDifference, mantel_haenszel, newcombe, null_error
from retain.campaign.readout.means import estimate_mean_difference
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.readout.strata import (
    StratumCounts,
    assign_strata,
    count_arms,
    count_by_stratum,
    split_by_risk,
    standardise,
)
from retain.record.estimates import Estimate
from retain.record.readout_document import EffectRow, Outcome

MIN_CUSTOMERS = 20
"""Observed customers of both arms below which nothing is compared."""
MIN_OUTCOMES = 5
"""Customers with an event, and without one, in either arm below which strata are pooled."""
MIN_PROFITS_PER_ARM = 10
"""Customers in either arm below which mean profits are not compared."""
Scope = Literal["overall", "segment", "offer"]


@dataclass(frozen=True)
class Subgroup:
    """Subgroup of the chosen customers, as a mask over the campaign's rows."""

    scope: Scope
    name: str | None
    rows: np.ndarray


def iter_subgroups(assignment: Assignment) -> Iterator[Subgroup]:
    """Yield the whole campaign, its segments and its offers."""
    yield Subgroup("overall", None, np.ones(len(assignment.table), dtype=bool))
    scopes: tuple[Scope, ...] = ("segment", "offer")
    for scope in scopes:
        names = assignment.table[scope].to_numpy()
        for name in sorted(set(names)):
            yield Subgroup(scope, str(name), names == name)


def estimate_effects(assignment: Assignment, outcomes: Outcomes) -> list[EffectRow]:
    """Return one row per outcome and subgroup, without a conclusion (see gatekeeping.py)."""
    rows = []
    if outcomes.declined is not None:
        rows += [
            compare_declines(subgroup, assignment, outcomes.declined)
            for subgroup in iter_subgroups(assignment)
        ]
    if outcomes.profit is not None:
        profit = outcomes.profit * assignment.assumptions.margin.value
        rows += [
            compare_profits(subgroup, assignment, profit) for subgroup in iter_subgroups(assignment)
        ]
    n_outcomes = len({row.outcome for row in rows if row.p is not None})
    errors = detectable_standard_errors(assignment.alpha / max(n_outcomes, 1), assignment.power)
    return [_with_detectable_effect(row, errors) for row in rows]


def _with_detectable_effect(row: EffectRow, errors: float) -> EffectRow:
    """Return a row with what ``errors`` standard errors are, and whether it is adjusted."""
    if (
        row.difference is None
        or row.standard_error is None
        or row.treated_mean is None
        or row.control_mean is None
    ):
        return row
    detectable = errors * row.standard_error
    is_possible = row.outcome == "profit" or detectable <= 1
    plain = row.treated_mean - row.control_mean
    rounding = 1e-9 * (abs(row.treated_mean) + abs(row.control_mean))
    return row.model_copy(
        update={
            "minimum_detectable_effect": detectable if is_possible else None,
            "is_adjusted": abs(row.difference.value - plain) > rounding,
        }
    )


def compare_declines(subgroup: Subgroup, assignment: Assignment, declined: np.ndarray) -> EffectRow:
    """Compare decline rates: Mantel-Haenszel over the strata for all, Newcombe for a subgroup.

    Newcombe's is also that of a campaign too small for its strata, see ``pool_tiny_strata``, and
    that of a control group whose shares differ, see ``standardise``.
    """
    rows = subgroup.rows & np.isfinite(declined)
    treated, events = assignment.is_treated[rows], declined[rows]
    row = _describe_arms(subgroup, "declined", events, treated, assignment.weight[rows])
    if len(events) < MIN_CUSTOMERS or row.n_treated == 0 or row.n_control == 0:
        return row
    stratum, table = np.zeros(len(events), dtype=int), assignment.table.loc[rows]
    if subgroup.scope == "overall" or not assignment.has_one_share:
        stratum = assign_strata(table, treated)
        stratum = split_by_risk(stratum, table["risk"].to_numpy(), treated)
    z = normal_quantile(assignment.alpha)
    counts = count_by_stratum(events, treated, stratum, assignment.weight[rows])
    if assignment.has_one_share:
        counts = pool_tiny_strata(counts, z)
    else:
        counts = standardise(counts, count_arms(stratum, treated)[0])
    found = compare_arms(counts, z)
    value, low, high = (float(end) for end in (found.value, found.low, found.high))
    n_treated = int((subgroup.rows & assignment.is_treated).sum())
    saved = (0.0 - end * n_treated for end in (value, high, low))
    return row.model_copy(
        update={
            "difference": Estimate(value, low, high),
            "p": float(found.p),
            "standard_error": float(null_error(*counts)),
            "customers_saved": Estimate(*saved),
        }
    )


def pool_tiny_strata(counts: StratumCounts, z: float) -> StratumCounts:
    """Return the counts, in one stratum if they are too few for the interval of strata.

    Its normal approximation fails with fewer than ``MIN_OUTCOMES`` events, or customers without
    one, in an arm: where one arm has none, it covers .52 to .87 instead of .95.

    >>> one, none = np.array([7, 2]), np.array([0, 0])
    >>> tiny = StratumCounts(one, np.array([13, 2]), none, np.array([0, 1]))
    >>> [int(total[0]) for total in pool_tiny_strata(tiny, 1.96)]
    [9, 15, 0, 1]
    """
    totals = StratumCounts(*(np.array([count.sum()]) for count in counts))
    outcomes = (
        (totals.treated_events, totals.treated - totals.treated_events),
        (totals.control_events, totals.control - totals.control_events),
    )
    if np.min(outcomes) < MIN_OUTCOMES:
        return totals
    stratified = mantel_haenszel(*counts, z)
    return counts if stratified.low >= -1 and stratified.high <= 1 else totals


def compare_arms(counts: StratumCounts, z: float) -> RateDifference:
    """Return the difference of rates within strata, or of two rates for a single stratum."""
    if len(counts.treated) == 1:
        return RateDifference(*(values[0] for values in newcombe(*counts, z)))
    return mantel_haenszel(*counts, z)


def compare_profits(subgroup: Subgroup, assignment: Assignment, profit: np.ndarray) -> EffectRow:
    """Compare mean profits within strata, adjusted by the profit that the plan expected."""
    rows = subgroup.rows & np.isfinite(profit)
    treated = assignment.is_treated[rows]
    row = _describe_arms(subgroup, "profit", profit[rows], treated, assignment.weight[rows])
    if min(row.n_treated, row.n_control) < MIN_PROFITS_PER_ARM:
        return row
    table = assignment.table.loc[rows]
    found = estimate_mean_difference(
        profit[rows],
        treated,
        assign_strata(table, treated),
        assignment.alpha,
        expected_profit(assignment, assignment.table["risk"])[rows],
        propensity=None if assignment.has_one_share else assignment.propensity[rows],
    )
    if found is None:
        return row
    return row.model_copy(
        update={
            "difference": Estimate(found.value, found.low, found.high),
            "p": found.p,
            "standard_error": found.standard_error,
        }
    )


def expected_profit(assignment: Assignment, risk: np.ndarray | pd.Series) -> np.ndarray:
    """Return the profit that the plan expected of each customer at a risk of decline, shape (n,).

    A decline costs the value at stake, the loss fraction of the profit over the horizon: value at
    stake × (1 ÷ loss fraction − risk).
    """
    loss_fraction = assignment.assumptions.loss_fraction.value
    whole = 1 / loss_fraction if loss_fraction > 0 else 0.0
    return np.asarray(assignment.table["value_at_stake"].to_numpy() * (whole - np.asarray(risk)))


def normal_quantile(alpha: float) -> float:
    """Return the normal quantile of a two-sided test: 1.96 for .05."""
    return float(special.ndtri(1 - alpha / 2))


def detectable_standard_errors(alpha: float, power: float) -> float:
    """Return the distance from 0, in standard errors, found with the power (Bloom 1995).

    >>> round(detectable_standard_errors(0.05, 0.8), 2)
    2.8
    """
    return normal_quantile(alpha) + float(special.ndtri(power))


def _describe_arms(
    subgroup: Subgroup,
    outcome: Outcome,
    values: np.ndarray,
    treated: np.ndarray,
    weight: np.ndarray,
) -> EffectRow:
    """Return the sizes and means of both arms, not compared."""
    arms = treated, ~treated
    treated_mean, control_mean = (
        float(np.average(values[arm], weights=weight[arm])) if arm.any() else None for arm in arms
    )
    return EffectRow(
        scope=subgroup.scope,
        name=subgroup.name,
        outcome=outcome,
        n_treated=int(treated.sum()),
        n_control=int((~treated).sum()),
        treated_mean=treated_mean,
        control_mean=control_mean,
    )
