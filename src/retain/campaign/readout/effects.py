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
from retain.campaign.readout.means import Counts, Draws, counts, mean_difference, strata
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.shares import Difference, mantel_haenszel, newcombe, null_error
from retain.verdict.paired import holm

FEWEST_MEANS = 10
"""Customers in either arm without whom a mean of money is not compared."""
Of = Literal["overall", "segment", "offer"]
Conclusion = Literal["helped", "harmed", "inconclusive", "not_compared"]
Row = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """Some of the chosen customers, as a mask over the campaign's rows."""

    of: Of
    name: str | None
    rows: np.ndarray


def parts(assignment: Assignment) -> Iterator[Part]:
    """The whole campaign, its segments, its offers."""
    yield Part("overall", None, np.ones(len(assignment.table), dtype=bool))
    kinds: tuple[Of, ...] = ("segment", "offer")
    for of in kinds:
        names = assignment.table[of].to_numpy()
        for name in sorted(set(names)):
            yield Part(of, str(name), names == name)


def effects(assignment: Assignment, outcomes: Outcomes, draws: Draws) -> list[Row]:
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
        rows += [declines(part, assignment, outcomes.declined) for part in parts(assignment)]
    if outcomes.profit is not None:
        money = outcomes.profit * assignment.assumptions.margin.value
        rows += [profits(part, assignment, money, draws) for part in parts(assignment)]
    for outcome in ("declined", "profit"):
        for of in ("overall", "segment", "offer"):
            _judge(
                [r for r in rows if (r["outcome"], r["scope"]) == (outcome, of)], assignment.alpha
            )
    return rows


def declines(part: Part, assignment: Assignment, declined: np.ndarray) -> Row:
    """Shares that declined: Mantel-Haenszel over the strata for all, Newcombe for a part."""
    rows = part.rows & np.isfinite(declined)
    treated, events = assignment.treated[rows], declined[rows]
    row = _row(part, "declined", events, treated)
    if row["n_treated"] == 0 or row["n_control"] == 0:
        return row
    stratum = np.zeros(len(events), dtype=int)
    if part.of == "overall":
        table = assignment.table.loc[rows]
        stratum = strata(table["segment"], table["offer"], treated)
    found = counts(events, treated, stratum)
    told = compare_arms(found, quantile(assignment.alpha))
    difference = {"value": float(told.value), "low": float(told.low), "high": float(told.high)}
    row |= {"difference": difference, "p": float(told.p)}
    row["minimum_detectable_effect"] = reach(assignment) * float(null_error(*found))
    contacted = int((part.rows & assignment.treated).sum())
    row["customers_saved"] = {
        "value": 0.0 - difference["value"] * contacted,
        "low": 0.0 - difference["high"] * contacted,
        "high": 0.0 - difference["low"] * contacted,
    }
    return row


def compare_arms(found: Counts, z: float) -> Difference:
    """Difference of shares within strata, or of two plain shares where there is one stratum."""
    if len(found.treated) == 1:
        return Difference(*(part[0] for part in newcombe(*found, z)))
    return mantel_haenszel(*found, z)


def profits(part: Part, assignment: Assignment, profit: np.ndarray, draws: Draws) -> Row:
    """Means of profit, within strata, by the bootstrap."""
    rows = part.rows & np.isfinite(profit)
    treated = assignment.treated[rows]
    row = _row(part, "profit", profit[rows], treated)
    if min(row["n_treated"], row["n_control"]) < FEWEST_MEANS:
        return row
    table = assignment.table.loc[rows]
    stratum = strata(table["segment"], table["offer"], treated)
    found = mean_difference(profit[rows], treated, stratum, draws)
    if found is not None:
        row["difference"] = {"value": found.value, "low": found.low, "high": found.high}
        row["p"] = found.p
        row["minimum_detectable_effect"] = reach(assignment) * found.error
    return row


def quantile(alpha: float) -> float:
    """The normal quantile of a two-sided test: 1.96 for .05."""
    return float(special.ndtri(1 - alpha / 2))


def reach(assignment: Assignment) -> float:
    """Standard errors an effect must be away from 0 to be found with the power (Bloom 1995)."""
    return quantile(assignment.alpha) + float(special.ndtri(assignment.power))


def _row(part: Part, outcome: str, values: np.ndarray, treated: np.ndarray) -> Row:
    arms = {"treated": values[treated], "control": values[~treated]}
    means = {f"{arm}_mean": float(v.mean()) if len(v) else None for arm, v in arms.items()}
    empty = ("difference", "p", "p_holm", "minimum_detectable_effect", "customers_saved")
    return {
        "scope": part.of,
        "name": part.name,
        "outcome": outcome,
        **{f"n_{arm}": len(found) for arm, found in arms.items()},
        **means,
        **dict.fromkeys(empty),
        "conclusion": "not_compared",
    }


def _judge(family: list[Row], alpha: float) -> None:
    """Correct p for how many are compared, and choose each one's word."""
    messages = [row for row in family if row["p"] is not None]
    for row, p in zip(
        messages, holm(np.array([row["p"] for row in messages])).tolist(), strict=True
    ):
        good = (row["difference"]["value"] < 0) == (row["outcome"] == "declined")
        word: Conclusion = "inconclusive" if p >= alpha else "helped" if good else "harmed"
        row |= {"p_holm": p, "conclusion": word}
