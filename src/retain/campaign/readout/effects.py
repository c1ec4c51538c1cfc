"""Effect of having been chosen to be contacted: overall, by segment, by offer.

Intention to treat: everyone counts in the arm he was drawn into, whoever was in fact contacted.
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
"""Customers in either arm without whom a mean of money is not compared."""
Scope = Literal["overall", "segment", "offer"]
Conclusion = Literal["helped", "harmed", "inconclusive", "not_compared"]
Row = dict[str, Any]


@dataclass(frozen=True)
class Subgroup:
    """Some of the chosen customers, as a mask over the campaign's rows."""

    scope: Scope
    name: str | None
    rows: np.ndarray


def iter_subgroups(assignment: Assignment) -> Iterator[Subgroup]:
    """The whole campaign, its segments, its offers."""
    yield Subgroup("overall", None, np.ones(len(assignment.table), dtype=bool))
    kinds: tuple[Scope, ...] = ("segment", "offer")
    for of in kinds:
        names = assignment.table[of].to_numpy()
        for name in sorted(set(names)):
            yield Subgroup(of, str(name), names == name)


def estimate_effects(
    assignment: Assignment, outcomes: Outcomes, draws: BootstrapSettings
) -> list[Row]:
    """One row an outcome and part.

    ``scope, name, outcome`` (declined or profit), ``n_treated, n_control`` (customers observed),
    ``treated_mean, control_mean, difference`` (treatment − control: below 0 is good for
    declines, above for profit) with its interval, ``p`` and ``p_holm`` (Holm 1979, over the
    segments and over the offers), ``minimum_detectable_effect`` (the smallest difference the
    campaign's power would have found with so many customers), ``customers_saved`` with its
    interval, and the ``conclusion``.
    """
    rows = []
    if outcomes.declined is not None:
        rows += [
            compare_declines(part, assignment, outcomes.declined)
            for part in iter_subgroups(assignment)
        ]
    if outcomes.profit is not None:
        money = outcomes.profit * assignment.assumptions.margin.value
        rows += [
            compare_profits(part, assignment, money, draws) for part in iter_subgroups(assignment)
        ]
    for outcome in ("declined", "profit"):
        for of in ("overall", "segment", "offer"):
            _conclude(
                [r for r in rows if (r["outcome"], r["scope"]) == (outcome, of)], assignment.alpha
            )
    return rows


def compare_declines(part: Subgroup, assignment: Assignment, declined: np.ndarray) -> Row:
    """Shares that declined: Mantel-Haenszel over the strata for all, Newcombe for a part."""
    rows = part.rows & np.isfinite(declined)
    treated, events = assignment.treated[rows], declined[rows]
    row = _empty_row(part, "declined", events, treated)
    if row["n_treated"] == 0 or row["n_control"] == 0:
        return row
    stratum = np.zeros(len(events), dtype=int)
    if part.scope == "overall":
        table = assignment.table.loc[rows]
        stratum = assign_strata(table["segment"], table["offer"], treated)
    found = count_by_stratum(events, treated, stratum)
    told = compare_arms(found, normal_quantile(assignment.alpha))
    difference = {"value": float(told.value), "low": float(told.low), "high": float(told.high)}
    row |= {"difference": difference, "p": float(told.p)}
    standard_errors = detectable_standard_errors(assignment)
    row["minimum_detectable_effect"] = standard_errors * float(null_error(*found))
    contacted = int((part.rows & assignment.treated).sum())
    row["customers_saved"] = {
        "value": 0.0 - difference["value"] * contacted,
        "low": 0.0 - difference["high"] * contacted,
        "high": 0.0 - difference["low"] * contacted,
    }
    return row


def compare_arms(found: StratumCounts, z: float) -> Difference:
    """Difference of shares within strata, or of two plain shares where there is one stratum."""
    if len(found.treated) == 1:
        return Difference(*(part[0] for part in newcombe(*found, z)))
    return mantel_haenszel(*found, z)


def compare_profits(
    part: Subgroup, assignment: Assignment, profit: np.ndarray, draws: BootstrapSettings
) -> Row:
    """Means of profit, within strata, by the bootstrap."""
    rows = part.rows & np.isfinite(profit)
    treated = assignment.treated[rows]
    row = _empty_row(part, "profit", profit[rows], treated)
    if min(row["n_treated"], row["n_control"]) < MIN_PROFITS_PER_ARM:
        return row
    table = assignment.table.loc[rows]
    stratum = assign_strata(table["segment"], table["offer"], treated)
    found = estimate_mean_difference(profit[rows], treated, stratum, draws)
    if found is not None:
        row["difference"] = {"value": found.value, "low": found.low, "high": found.high}
        row["p"] = found.p
        standard_errors = detectable_standard_errors(assignment)
        row["minimum_detectable_effect"] = standard_errors * found.standard_error
    return row


def normal_quantile(alpha: float) -> float:
    """The normal quantile of a two-sided test: 1.96 for .05."""
    return float(special.ndtri(1 - alpha / 2))


def detectable_standard_errors(assignment: Assignment) -> float:
    """Standard errors an effect must be away from 0 to be found with the power (Bloom 1995)."""
    return normal_quantile(assignment.alpha) + float(special.ndtri(assignment.power))


def _empty_row(part: Subgroup, outcome: str, values: np.ndarray, treated: np.ndarray) -> Row:
    arms = {"treated": values[treated], "control": values[~treated]}
    means = {f"{arm}_mean": float(v.mean()) if len(v) else None for arm, v in arms.items()}
    empty = ("difference", "p", "p_holm", "minimum_detectable_effect", "customers_saved")
    return {
        "scope": part.scope,
        "name": part.name,
        "outcome": outcome,
        **{f"n_{arm}": len(found) for arm, found in arms.items()},
        **means,
        **dict.fromkeys(empty),
        "conclusion": "not_compared",
    }


def _conclude(family: list[Row], alpha: float) -> None:
    """Correct p for how many are compared, and choose each one's word."""
    messages = [row for row in family if row["p"] is not None]
    for row, p in zip(
        messages, holm(np.array([row["p"] for row in messages])).tolist(), strict=True
    ):
        good = (row["difference"]["value"] < 0) == (row["outcome"] == "declined")
        word: Conclusion = "inconclusive" if p >= alpha else "helped" if good else "harmed"
        row |= {"p_holm": p, "conclusion": word}
