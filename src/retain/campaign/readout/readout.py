"""Readout of a campaign: the content of ``readout.json``.

schema, campaign_id, campaign_sha256, profit_unit, alpha, power, seed, n_resamples
n_planned, n_observed   customers in treatment and control
n_unknown               customers of the file that are not in the campaign
attrition, compliance   see compliance.py
effects                 rows, see effects.py
money                   see ``estimate_money``
qini                    see qini.py
save_rates              rows, see save_rates.py
catalogue               name of the new catalogue; null if declines are unknown
cautions                [{code, …numbers}], warnings about the rest
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from retain.campaign.assignment import Assignment
from retain.campaign.readout.compliance import summarise_attrition, summarise_compliance
from retain.campaign.readout.effects import MIN_PROFITS_PER_ARM, estimate_effects
from retain.campaign.readout.means import (
    BootstrapSettings,
    MeanDifference,
    assign_strata,
    estimate_mean_difference,
)
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.readout.qini import compute_qini
from retain.campaign.readout.save_rates import estimate_save_rates, update_catalogue
from retain.schema.campaign import Catalogue


def estimate_money(
    assignment: Assignment, outcomes: Outcomes, settings: BootstrapSettings
) -> dict[str, Any] | None:
    """Return gain, cost and net value of the campaign in its unit; None if too few are observed.

    ``basis``: ``observed`` profit (times the plan's margin), or ``assumed``: the value at stake of
    the plan for each customer who did not decline. ``per_customer``, ``gain`` (of all treated,
    those without an outcome taken to be like the others) and ``net`` are ``value, low, high``; an
    unbounded end is None. ``cost_basis`` is ``stated`` if the file has costs, else ``expected``:
    the plan's, of those contacted. ``conclusion``: paid, lost or inconclusive, as the interval of
    ``net`` excludes 0.
    """
    basis, values = _money_values(assignment, outcomes)
    rows = np.isfinite(values)
    treated = assignment.is_treated[rows]
    if min(treated.sum(), (~treated).sum()) < MIN_PROFITS_PER_ARM:
        return None
    table = assignment.table.loc[rows]
    stratum = assign_strata(table["segment"], table["offer"], treated)
    estimate = estimate_mean_difference(values[rows], treated, stratum, settings)
    if estimate is None:
        return None
    cost_basis, cost = _total_cost(assignment, outcomes)
    n_treated = int(assignment.is_treated.sum())
    expected = float(assignment.table.loc[assignment.is_treated, "expected_net"].sum())
    return {
        "basis": basis,
        "per_customer": _scale_interval(estimate, 1, 0.0),
        "n_treated": n_treated,
        "gain": _scale_interval(estimate, n_treated, 0.0),
        "cost": cost,
        "cost_basis": cost_basis,
        "net": _scale_interval(estimate, n_treated, cost),
        "expected_net": expected,
        "conclusion": _conclude(estimate.low * n_treated - cost, estimate.high * n_treated - cost),
    }


def _money_values(assignment: Assignment, outcomes: Outcomes) -> tuple[str, np.ndarray]:
    """Return the money each customer kept, NaN if unknown; only differences have a meaning."""
    if outcomes.profit is not None:
        return "observed", outcomes.profit * assignment.assumptions.margin.value
    if outcomes.declined is None:
        raise ValueError("outcomes hold declines or profit")  # read_outcomes raises for others
    return "assumed", -outcomes.declined * assignment.table["value_at_stake"].to_numpy()


def _total_cost(assignment: Assignment, outcomes: Outcomes) -> tuple[str, float]:
    """Return the total cost, with the plan's expected cost of customers without a stated one."""
    expected = assignment.table["expected_cost"].to_numpy()
    if outcomes.contacted is not None:
        expected = np.where(outcomes.contacted == 0, 0.0, expected)
    if outcomes.cost is None:
        return "expected", float(expected.sum())
    return "stated", float(np.where(np.isnan(outcomes.cost), expected, outcomes.cost).sum())


def _scale_interval(estimate: MeanDifference, times: int, cost: float) -> dict[str, float | None]:
    ends = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    scaled = {name: end * times - cost for name, end in ends.items()}
    return {name: end if np.isfinite(end) else None for name, end in scaled.items()}


def _conclude(low: float, high: float) -> str:
    return "paid" if low > 0 else "lost" if high < 0 else "inconclusive"


SCHEMA = 2
"""Version of the document, raised when the meaning of a key changes."""


@dataclass(frozen=True)
class ReadoutResult:
    """Content of ``readout.json``, and the catalogue with updated save rates."""

    tree: dict[str, Any]
    catalogue: Catalogue | None


def build_readout(assignment: Assignment, outcomes: Outcomes, *, resamples: int) -> ReadoutResult:
    """Return the readout of a campaign; the same inputs give the same result."""
    settings = BootstrapSettings(assignment.alpha, resamples, assignment.seed)
    save_rates = estimate_save_rates(assignment, outcomes)
    catalogue = (
        None if outcomes.declined is None else update_catalogue(assignment.catalogue, save_rates)
    )
    tree = {
        "schema": SCHEMA,
        "campaign_id": assignment.id,
        "campaign_sha256": assignment.fingerprint,
        "profit_unit": assignment.unit,
        "alpha": assignment.alpha,
        "power": assignment.power,
        "seed": assignment.seed,
        "n_resamples": resamples,
        **_count_customers(assignment, outcomes),
        "attrition": summarise_attrition(assignment, outcomes),
        "compliance": summarise_compliance(assignment, outcomes),
        "effects": estimate_effects(assignment, outcomes, settings),
        "money": estimate_money(assignment, outcomes, settings),
        "qini": compute_qini(assignment, outcomes, settings),
        "save_rates": save_rates,
        "catalogue": None if catalogue is None else catalogue.name,
    }
    return ReadoutResult(
        _to_json_values({**tree, "cautions": list(find_cautions(tree))}), catalogue
    )


def find_cautions(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the warnings about a readout, each with its code and numbers."""
    attrition, compliance = tree["attrition"], tree["compliance"]
    arms = {name: attrition[name]["n_missing"] for name in ("treatment", "control")}
    if attrition["is_significant"]:
        yield {"code": "attrition_differs", **arms, "p": attrition["p"]}
    elif any(arms.values()):
        yield {"code": "attrition", **arms}
    if compliance is not None and compliance["n_against_plan"]:
        yield {
            "code": "against_plan",
            "n_control_contacted": compliance["control"]["n_contacted"],
            "n_not_contacted": compliance["treatment"]["n_not_contacted"],
        }
    if tree["n_unknown"]:
        yield {"code": "unknown_customers", "n_customers": tree["n_unknown"]}
    for row in tree["effects"]:
        if row["conclusion"] == "harmed":
            yield {"code": "harm", **{key: row[key] for key in ("scope", "name", "outcome")}}


def _count_customers(assignment: Assignment, outcomes: Outcomes) -> dict[str, Any]:
    arms = {"treatment": assignment.is_treated, "control": ~assignment.is_treated}
    return {
        "n_planned": {name: int(arm.sum()) for name, arm in arms.items()},
        "n_observed": {name: int((arm & outcomes.in_file).sum()) for name, arm in arms.items()},
        "n_unknown": outcomes.n_unknown_customers,
    }


def _to_json_values(value: Any) -> Any:
    """Return the same tree of plain Python values, null for infinite ones."""
    if isinstance(value, dict):
        return {key: _to_json_values(value) for key, value in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json_values(value) for value in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
