"""The whole read-out of a campaign as one plain tree, which is ``readout.json``.

schema, campaign_id, campaign_sha256, profit_unit, alpha, power, seed, n_resamples
n_planned, n_observed   customers in treatment and control
n_unknown               customers of the file whom the campaign did not choose
attrition               customers without an outcome, see compliance.py
compliance              who was contacted, see compliance.py
effects                 rows, see effects.py
money                   gain, cost and net value, see ``money``
qini                    see qini.py
save_rates              rows, see save_rates.py
catalogue               name of the new catalogue; null where nobody knows who declined
cautions                [{code, …numbers}], what a reader must know before he believes the rest
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
from retain.schema import Catalogue


def estimate_money(
    assignment: Assignment, outcomes: Outcomes, draws: BootstrapSettings
) -> dict[str, Any] | None:
    """Gain, cost and net value of the campaign in its unit; None where too few are known.

    ``basis``: ``observed`` where the profit is (times the plan's margin), or ``assumed``: what a
    decline was taken to cost at planning, for each who did not decline. ``per_customer`` and
    ``gain`` (of all to be contacted, those without an outcome taken to be like the others) and
    ``net`` are ``value, low, high``; an end no resample bounds is None. ``cost_basis`` is
    ``stated`` where the file says what was spent, else ``expected``: the plan's, of those who
    were contacted. ``conclusion``: paid, lost or inconclusive, as the interval of ``net`` leaves
    out 0.
    """
    basis, values = _money_values(assignment, outcomes)
    rows = np.isfinite(values)
    treated = assignment.treated[rows]
    if min(treated.sum(), (~treated).sum()) < MIN_PROFITS_PER_ARM:
        return None
    table = assignment.table.loc[rows]
    stratum = assign_strata(table["segment"], table["offer"], treated)
    found = estimate_mean_difference(values[rows], treated, stratum, draws)
    if found is None:
        return None
    cost_basis, cost = _total_cost(assignment, outcomes)
    contacted = int(assignment.treated.sum())
    expected = float(assignment.table.loc[assignment.treated, "expected_net"].sum())
    told = {
        "basis": basis,
        "per_customer": _scale_interval(found, 1, 0.0),
        "n_treated": contacted,
        "gain": _scale_interval(found, contacted, 0.0),
        "cost": cost,
        "cost_basis": cost_basis,
        "net": _scale_interval(found, contacted, cost),
        "expected_net": expected,
    }
    return {
        **told,
        "conclusion": _conclude(found.low * contacted - cost, found.high * contacted - cost),
    }


def _money_values(assignment: Assignment, outcomes: Outcomes) -> tuple[str, np.ndarray]:
    """Money each customer kept, as far as it is known; differences alone have a meaning."""
    if outcomes.profit is not None:
        return "observed", outcomes.profit * assignment.assumptions.margin.value
    if outcomes.declined is None:
        raise ValueError("outcomes hold declines or profit")  # read_outcomes refuses others
    return "assumed", -outcomes.declined * assignment.table["value_at_stake"].to_numpy()


def _total_cost(assignment: Assignment, outcomes: Outcomes) -> tuple[str, float]:
    """What was spent; where nothing is said of a customer, what the plan expected."""
    expected = assignment.table["expected_cost"].to_numpy()
    if outcomes.contacted is not None:
        expected = np.where(outcomes.contacted == 0, 0.0, expected)
    if outcomes.cost is None:
        return "expected", float(expected.sum())
    return "stated", float(np.where(np.isnan(outcomes.cost), expected, outcomes.cost).sum())


def _scale_interval(found: MeanDifference, times: int, cost: float) -> dict[str, float | None]:
    ends = {"value": found.value, "low": found.low, "high": found.high}
    scaled = {name: end * times - cost for name, end in ends.items()}
    return {name: end if np.isfinite(end) else None for name, end in scaled.items()}


def _conclude(low: float, high: float) -> str:
    return "paid" if low > 0 else "lost" if high < 0 else "inconclusive"


SCHEMA = 2
"""Counts up when the meaning of a key changes."""


@dataclass(frozen=True)
class ReadoutResult:
    """What was found, and the offers with what is known of them now."""

    tree: dict[str, Any]
    catalogue: Catalogue | None


def build_readout(assignment: Assignment, outcomes: Outcomes, *, resamples: int) -> ReadoutResult:
    """Everything that the outcomes say of the campaign; the same inputs give the same tree."""
    draws = BootstrapSettings(assignment.alpha, resamples, assignment.seed)
    rates = estimate_save_rates(assignment, outcomes)
    new = None if outcomes.declined is None else update_catalogue(assignment.catalogue, rates)
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
        "effects": estimate_effects(assignment, outcomes, draws),
        "money": estimate_money(assignment, outcomes, draws),
        "qini": compute_qini(assignment, outcomes, draws),
        "save_rates": rates,
        "catalogue": None if new is None else new.name,
    }
    return ReadoutResult(_to_json_values({**tree, "cautions": list(find_cautions(tree))}), new)


def find_cautions(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What must be known before the rest is believed, each with its code and numbers."""
    gone, contact = tree["attrition"], tree["compliance"]
    arms = {name: gone[name]["n_missing"] for name in ("treatment", "control")}
    if gone["is_significant"]:
        yield {"code": "attrition_differs", **arms, "p": gone["p"]}
    elif any(arms.values()):
        yield {"code": "attrition", **arms}
    if contact is not None and contact["n_against_plan"]:
        reached, spared = contact["control"]["n_contacted"], contact["treatment"]["n_not_contacted"]
        yield {
            "code": "against_plan",
            "n_control_contacted": reached,
            "n_not_contacted": spared,
        }
    if tree["n_unknown"]:
        yield {"code": "unknown_customers", "n_customers": tree["n_unknown"]}
    for row in tree["effects"]:
        if row["conclusion"] == "harmed":
            yield {"code": "harm", **{key: row[key] for key in ("scope", "name", "outcome")}}


def _count_customers(assignment: Assignment, outcomes: Outcomes) -> dict[str, Any]:
    arms = {"treatment": assignment.treated, "control": ~assignment.treated}
    return {
        "n_planned": {name: int(arm.sum()) for name, arm in arms.items()},
        "n_observed": {name: int((arm & outcomes.in_file).sum()) for name, arm in arms.items()},
        "n_unknown": outcomes.n_unknown_customers,
    }


def _to_json_values(node: Any) -> Any:
    """The same tree of plain Python values, null for what has no end."""
    if isinstance(node, dict):
        return {key: _to_json_values(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_to_json_values(value) for value in node]
    if isinstance(node, np.generic):
        node = node.item()
    return None if isinstance(node, float) and not math.isfinite(node) else node
