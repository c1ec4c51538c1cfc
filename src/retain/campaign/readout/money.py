"""What the campaign brought against what it cost.

May import: campaign.assignment, campaign.readout.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from retain.campaign.assignment import Assignment
from retain.campaign.readout.effects import FEWEST_MEANS
from retain.campaign.readout.means import Draws, MeanDifference, mean_difference
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.readout.strata import strata


def money(assignment: Assignment, outcomes: Outcomes, draws: Draws) -> dict[str, Any] | None:
    """Gain, cost and net value of the campaign in its unit; None where too few are known.

    ``basis``: ``observed`` where the profit is (times the plan's margin), or ``assumed``: what a
    decline was taken to cost at planning, for each who did not decline. ``per_customer`` and
    ``gain`` (of all to be contacted, those without an outcome taken to be like the others) and
    ``net`` are ``value, low, high``; an end no resample bounds is None. ``cost_basis`` is
    ``stated`` where the file says what was spent, else ``expected``: the plan's, of those who
    were contacted. ``verdict``: paid, lost or too_small, as the interval of ``net`` leaves out 0.
    """
    basis, values = _values(assignment, outcomes)
    rows = np.isfinite(values)
    treated = assignment.treated[rows]
    if min(treated.sum(), (~treated).sum()) < FEWEST_MEANS:
        return None
    table = assignment.table.loc[rows]
    stratum = strata(table["segment"], table["offer"], treated)
    found = mean_difference(values[rows], treated, stratum, draws)
    if found is None:
        return None
    cost_basis, cost = _cost(assignment, outcomes)
    contacted = int(assignment.treated.sum())
    expected = float(assignment.table.loc[assignment.treated, "expected_net"].sum())
    told = {
        "basis": basis,
        "per_customer": _scaled(found, 1, 0.0),
        "treated": contacted,
        "gain": _scaled(found, contacted, 0.0),
        "cost": cost,
        "cost_basis": cost_basis,
        "net": _scaled(found, contacted, cost),
        "expected_net": expected,
    }
    return {**told, "verdict": _word(found.low * contacted - cost, found.high * contacted - cost)}


def _values(assignment: Assignment, outcomes: Outcomes) -> tuple[str, np.ndarray]:
    """Money each customer kept, as far as it is known; differences alone have a meaning."""
    if outcomes.profit is not None:
        return "observed", outcomes.profit * assignment.value.margin.value
    if outcomes.declined is None:
        raise ValueError("outcomes hold declines or profit")  # read_outcomes refuses others
    return "assumed", -outcomes.declined * assignment.table["at_stake"].to_numpy()


def _cost(assignment: Assignment, outcomes: Outcomes) -> tuple[str, float]:
    """What was spent; where nothing is said of a customer, what the plan expected."""
    expected = assignment.table["cost"].to_numpy()
    if outcomes.contacted is not None:
        expected = np.where(outcomes.contacted == 0, 0.0, expected)
    if outcomes.cost is None:
        return "expected", float(expected.sum())
    return "stated", float(np.where(np.isnan(outcomes.cost), expected, outcomes.cost).sum())


def _scaled(found: MeanDifference, times: int, cost: float) -> dict[str, float | None]:
    ends = {"value": found.value, "low": found.low, "high": found.high}
    scaled = {name: end * times - cost for name, end in ends.items()}
    return {name: end if np.isfinite(end) else None for name, end in scaled.items()}


def _word(low: float, high: float) -> str:
    return "paid" if low > 0 else "lost" if high < 0 else "too_small"
