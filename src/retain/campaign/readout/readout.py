"""Readout of a campaign: the content of ``readout.json``.

schema, campaign_id, campaign_sha256, profit_unit, alpha, power, seed, n_resamples
n_planned, n_observed   customers in treatment and control
n_unknown               customers of the file that are not in the campaign
attrition, compliance   see compliance.py
n_looks, looks          readouts of this campaign with other outcomes, this one included, and the
                        hashes of their outcomes
effects                 rows, see effects.py and gatekeeping.py
heterogeneity           tests that the effect is the same in all segments, and with all offers
money                   see ``estimate_money``
qini                    see qini.py
save_rates              rows, see save_rates.py
catalogue               name of the new catalogue; null if declines are unknown
cautions                [{code, …numbers}], warnings about the rest
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retain.campaign.assignment import Assignment
from retain.campaign.audience import COUNTED
from retain.campaign.readout.compliance import summarise_attrition, summarise_compliance
from retain.campaign.readout.effects import (
    MIN_PROFITS_PER_ARM,
    Row,
    estimate_effects,
    expected_profit,
)
from retain.campaign.readout.gatekeeping import conclude
from retain.campaign.readout.means import MeanDifference, assign_strata, estimate_mean_difference
from retain.campaign.readout.outcomes import Outcomes, hash_outcomes
from retain.campaign.readout.qini import BootstrapSettings, compute_qini
from retain.campaign.readout.save_rates import estimate_save_rates, update_catalogue
from retain.schema.campaign import Catalogue


def estimate_money(
    assignment: Assignment, outcomes: Outcomes, effects: list[Row]
) -> dict[str, Any] | None:
    """Return gain, cost and net value of the campaign in its unit; None if too few are observed.

    None too where each customer counted as one, as no cost can be subtracted from customers.
    ``basis``: ``observed`` profit (times the plan's margin), or ``assumed``: the profit that
    the plan expected of customers who stay and of those who decline. ``per_customer``, ``gain`` (of
    all treated, those without an outcome taken to be like the others) and ``net`` are ``value, low,
    high``.
    ``cost_basis`` is ``stated`` if the file has costs, else ``expected``: the plan's, of those
    contacted. ``conclusion``: paid, lost or inconclusive, as the interval of ``net`` excludes 0;
    that a campaign paid is concluded only if its ``effects`` say that it helped, and that a free
    campaign lost only if they say that it harmed, so that money adds no false findings.
    """
    if assignment.unit == COUNTED:
        return None
    basis, values = _money_values(assignment, outcomes)
    rows = np.isfinite(values)
    treated = assignment.is_treated[rows]
    if min(treated.sum(), (~treated).sum()) < MIN_PROFITS_PER_ARM:
        return None
    table = assignment.table.loc[rows]
    stratum = assign_strata(table["segment"], table["offer"], treated)
    expected = expected_profit(assignment, assignment.table["risk"])[rows]
    estimate = estimate_mean_difference(values[rows], treated, stratum, assignment.alpha, expected)
    if estimate is None:
        return None
    cost_basis, cost = _total_cost(assignment, outcomes)
    n_treated = int(assignment.is_treated.sum())
    expected_net = float(assignment.table.loc[assignment.is_treated, "expected_net"].sum())
    net = _scale_interval(estimate, n_treated, cost)
    return {
        "basis": basis,
        "per_customer": _scale_interval(estimate, 1, 0.0),
        "n_treated": n_treated,
        "gain": _scale_interval(estimate, n_treated, 0.0),
        "cost": cost,
        "cost_basis": cost_basis,
        "net": net,
        "expected_net": expected_net,
        "conclusion": _conclude_money(net, effects, is_free=cost == 0),
    }


def _money_values(assignment: Assignment, outcomes: Outcomes) -> tuple[str, np.ndarray]:
    """Return the basis, and the money each customer brought, NaN if unknown."""
    if outcomes.profit is not None:
        return "observed", outcomes.profit * assignment.assumptions.margin.value
    if outcomes.declined is None:
        raise ValueError("outcomes hold declines or profit")  # read_outcomes raises for others
    return "assumed", expected_profit(assignment, outcomes.declined)


def _total_cost(assignment: Assignment, outcomes: Outcomes) -> tuple[str, float]:
    """Return the total cost, with the plan's expected cost of customers without a stated one."""
    expected = assignment.table["expected_cost"].to_numpy()
    if outcomes.contacted is not None:
        expected = np.where(outcomes.contacted == 0, 0.0, expected)
    if outcomes.cost is None:
        return "expected", float(expected.sum())
    return "stated", float(np.where(np.isnan(outcomes.cost), expected, outcomes.cost).sum())


def _scale_interval(estimate: MeanDifference, times: int, cost: float) -> dict[str, float]:
    ends = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return {name: end * times - cost for name, end in ends.items()}


def _conclude_money(net: dict[str, float], effects: list[Row], *, is_free: bool) -> str:
    """Return the conclusion about ``net``, held by those about the overall effects."""
    *_, overall = (row["conclusion"] for row in effects if row["scope"] == "overall")
    if net["low"] > 0 and overall == "helped":
        return "paid"
    if net["high"] < 0 and (overall == "harmed" or not is_free):
        return "lost"
    return "inconclusive"


SCHEMA = 2
"""Version of the document, raised when the meaning of a key changes."""


@dataclass(frozen=True)
class ReadoutResult:
    """Content of ``readout.json``, and the catalogue with updated save rates."""

    tree: dict[str, Any]
    catalogue: Catalogue | None


def build_readout(
    assignment: Assignment, outcomes: Outcomes, *, resamples: int, looks: Sequence[str] = ()
) -> ReadoutResult:
    """Return the readout of a campaign; the same inputs give the same result.

    ``looks`` are hashes of the outcomes of earlier readouts of this campaign.
    """
    settings = BootstrapSettings(assignment.alpha, resamples, assignment.seed)
    save_rates = estimate_save_rates(assignment, outcomes)
    catalogue = (
        None if outcomes.declined is None else update_catalogue(assignment.catalogue, save_rates)
    )
    looks = list(dict.fromkeys([*looks, hash_outcomes(outcomes)]))
    effects = estimate_effects(assignment, outcomes)
    tests = conclude(effects, assignment.alpha)
    tree = {
        "schema": SCHEMA,
        "campaign_id": assignment.id,
        "campaign_sha256": assignment.fingerprint,
        "profit_unit": assignment.unit,
        "alpha": assignment.alpha,
        "power": assignment.power,
        "seed": assignment.seed,
        "n_resamples": resamples,
        "n_looks": len(looks),
        "looks": looks,
        **_count_customers(assignment, outcomes),
        "attrition": summarise_attrition(assignment, outcomes),
        "compliance": summarise_compliance(assignment, outcomes),
        "effects": effects,
        "heterogeneity": tests,
        "money": estimate_money(assignment, outcomes, effects),
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
    if tree["n_looks"] > 1:
        yield {
            "code": "looks",
            "n_looks": tree["n_looks"],
            "alpha": tree["alpha"],
            "error_rate": repeated_error_rate(tree["alpha"], tree["n_looks"]),
        }
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
    for rate in tree["save_rates"]:
        if rate["is_conflict"]:
            yield {"code": "prior_conflict", "offer": rate["offer"]}
    for row in tree["effects"]:
        if row["conclusion"] == "harmed":
            yield {"code": "harm", **{key: row[key] for key in ("scope", "name", "outcome")}}


def repeated_error_rate(alpha: float, n_looks: int) -> float:
    """Return the largest probability of a false finding in ``n_looks`` looks at one campaign.

    Each look is a test of level ``alpha``. Šidák's (1967) bound 1 − (1 − α)ⁿ holds for normal test
    statistics of any correlation; four looks at equal intervals come to .126 (Armitage, McPherson &
    Rowe 1969).

    >>> [round(repeated_error_rate(0.05, n), 3) for n in (1, 2, 4)]
    [0.05, 0.098, 0.185]
    """
    return 1 - (1 - alpha) ** n_looks


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
