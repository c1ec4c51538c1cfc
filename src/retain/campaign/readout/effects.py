"""Effect of being assigned to treatment: overall, by segment, by offer.

Intention to treat: all customers count in the arm they were assigned to, contacted or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import special

from retain.campaign.assignment import Assignment
from retain.campaign.readout.means import (
    BootstrapSettings,
    StratumCounts,
    assign_strata,
    count_by_stratum,
    estimate_mean_difference,
)
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.shares import Difference, mantel_haenszel, newcombe, null_error
from retain.verdict.paired import holm

MIN_PROFITS_PER_ARM = 10
"""Customers in either arm below which mean profits are not compared."""
Scope = Literal["overall", "segment", "offer"]
Conclusion = Literal["helped", "harmed", "inconclusive", "not_compared"]
Row = dict[str, Any]


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


def estimate_effects(
    assignment: Assignment, outcomes: Outcomes, settings: BootstrapSettings
) -> list[Row]:
    """Return one row per outcome and subgroup.

    ``scope, name, outcome`` (declined or profit), ``n_treated, n_control`` (customers observed),
    ``treated_mean, control_mean, difference`` (treatment − control: below 0 is good for declines,
    above for profit) with its interval, ``p`` and ``p_holm`` (Holm 1979, over the segments and over
    the offers), ``minimum_detectable_effect`` (with the campaign's power at these sizes),
    ``customers_saved`` (among those treated) with its interval, and the ``conclusion``.
    """
    rows = []
    if outcomes.declined is not None:
        rows += [
            compare_declines(subgroup, assignment, outcomes.declined)
            for subgroup in iter_subgroups(assignment)
        ]
    if outcomes.profit is not None:
        profit = outcomes.profit * assignment.assumptions.margin.value
        rows += [
            compare_profits(subgroup, assignment, profit, settings)
            for subgroup in iter_subgroups(assignment)
        ]
    for outcome in ("declined", "profit"):
        for scope in ("overall", "segment", "offer"):
            _conclude(
                [r for r in rows if (r["outcome"], r["scope"]) == (outcome, scope)],
                assignment.alpha,
            )
    return rows


def compare_declines(subgroup: Subgroup, assignment: Assignment, declined: np.ndarray) -> Row:
    """Compare decline rates: Mantel-Haenszel over the strata for all, Newcombe for a subgroup."""
    rows = subgroup.rows & np.isfinite(declined)
    treated, events = assignment.is_treated[rows], declined[rows]
    row = _empty_row(subgroup, "declined", events, treated)
    if row["n_treated"] == 0 or row["n_control"] == 0:
        return row
    stratum = np.zeros(len(events), dtype=int)
    if subgroup.scope == "overall":
        table = assignment.table.loc[rows]
        stratum = assign_strata(table["segment"], table["offer"], treated)
    counts = count_by_stratum(events, treated, stratum)
    interval = compare_arms(counts, normal_quantile(assignment.alpha))
    difference = {end: float(getattr(interval, end)) for end in ("value", "low", "high")}
    row |= {"difference": difference, "p": float(interval.p)}
    standard_errors = detectable_standard_errors(assignment)
    row["minimum_detectable_effect"] = standard_errors * float(null_error(*counts))
    n_treated = int((subgroup.rows & assignment.is_treated).sum())
    row["customers_saved"] = {
        "value": 0.0 - difference["value"] * n_treated,
        "low": 0.0 - difference["high"] * n_treated,
        "high": 0.0 - difference["low"] * n_treated,
    }
    return row


def compare_arms(counts: StratumCounts, z: float) -> Difference:
    """Return the difference of rates within strata, or of two rates for a single stratum."""
    if len(counts.treated) == 1:
        return Difference(*(values[0] for values in newcombe(*counts, z)))
    return mantel_haenszel(*counts, z)


def compare_profits(
    subgroup: Subgroup, assignment: Assignment, profit: np.ndarray, settings: BootstrapSettings
) -> Row:
    """Compare mean profits within strata by the bootstrap."""
    rows = subgroup.rows & np.isfinite(profit)
    treated = assignment.is_treated[rows]
    row = _empty_row(subgroup, "profit", profit[rows], treated)
    if min(row["n_treated"], row["n_control"]) < MIN_PROFITS_PER_ARM:
        return row
    table = assignment.table.loc[rows]
    stratum = assign_strata(table["segment"], table["offer"], treated)
    estimate = estimate_mean_difference(profit[rows], treated, stratum, settings)
    if estimate is not None:
        row["difference"] = {
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
        }
        row["p"] = estimate.p
        standard_errors = detectable_standard_errors(assignment)
        row["minimum_detectable_effect"] = standard_errors * estimate.standard_error
    return row


def normal_quantile(alpha: float) -> float:
    """Return the normal quantile of a two-sided test: 1.96 for .05."""
    return float(special.ndtri(1 - alpha / 2))


def detectable_standard_errors(assignment: Assignment) -> float:
    """Return the distance from 0, in standard errors, found with the power (Bloom 1995)."""
    return normal_quantile(assignment.alpha) + float(special.ndtri(assignment.power))


def _empty_row(subgroup: Subgroup, outcome: str, values: np.ndarray, treated: np.ndarray) -> Row:
    arms = {"treated": values[treated], "control": values[~treated]}
    means = {f"{arm}_mean": float(v.mean()) if len(v) else None for arm, v in arms.items()}
    empty = ("difference", "p", "p_holm", "minimum_detectable_effect", "customers_saved")
    return {
        "scope": subgroup.scope,
        "name": subgroup.name,
        "outcome": outcome,
        **{f"n_{arm}": len(v) for arm, v in arms.items()},
        **means,
        **dict.fromkeys(empty),
        "conclusion": "not_compared",
    }


def _conclude(family: list[Row], alpha: float) -> None:
    """Correct p for the number of comparisons, and set each conclusion."""
    compared = [row for row in family if row["p"] is not None]
    for row, p in zip(
        compared, holm(np.array([row["p"] for row in compared])).tolist(), strict=True
    ):
        is_good = (row["difference"]["value"] < 0) == (row["outcome"] == "declined")
        conclusion: Conclusion = "inconclusive" if p >= alpha else "helped" if is_good else "harmed"
        row |= {"p_holm": p, "conclusion": conclusion}
