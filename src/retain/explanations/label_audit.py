"""The label audit: changes from one period to the next, by label."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from retain.customers.checks.label_audit import Decrease, compare_periods, find_successive_periods
from retain.customers.customers import Customers, DisplayName
from retain.verdict.statistics import wilson_interval

STORE_ACTIONS_GROUP = "communication"


@dataclass(frozen=True, slots=True)
class ClassDecrease:
    """Customers of a class with both figures observed; the share that decreased (Wilson, 95 %).

    ``median_change`` is the median of current ÷ previous − 1; None unless most had a positive
    figure in the previous period.
    """

    n_customers: int
    n_decreased: int
    decreased_share: float
    low: float
    high: float
    median_change: float | None


@dataclass(frozen=True, slots=True)
class LabelAudit:
    """One figure in two successive periods, by class.

    ``z`` is positive if customers labelled as declined decreased more often; ``is_consistent``
    where they did so beyond chance.
    """

    previous: DisplayName
    current: DisplayName
    derived: DisplayName
    declined: ClassDecrease
    stayed: ClassDecrease
    z: float
    is_consistent: bool


def label_audit_json(one: LabelAudit) -> dict[str, Any]:
    """Return one figure of the label audit as ``verdict.json`` has it."""
    sides = {"declined": _side_json(one.declined), "stayed": _side_json(one.stayed)}
    return {**asdict(one), **sides}


def _side_json(side: ClassDecrease) -> dict[str, Any]:
    return {
        "n_customers": side.n_customers,
        "n_decreased": side.n_decreased,
        "decreased_share": {"value": side.decreased_share, "low": side.low, "high": side.high},
        "median_change": side.median_change,
    }


def label_audit(customers: Customers) -> list[LabelAudit]:
    """Return the audit of the label by every derived slope and difference of periods.

    Figures observed in only one class are left out, and so are actions of the store
    (``communication``).
    """
    audits = []
    for derived, before, last in find_successive_periods(customers):
        if derived.group == STORE_ACTIONS_GROUP:
            continue
        change = compare_periods(customers, before, last)
        if change.is_observed:
            labels = (customers.columns[before].label, customers.columns[last].label)
            sides = (_side(change.declined), _side(change.stayed))
            audits.append(
                LabelAudit(*labels, derived.column.label, *sides, change.z, change.is_consistent)
            )
    return audits


def _side(one: Decrease) -> ClassDecrease:
    low, high = wilson_interval(one.n_decreased, one.n_customers)
    return ClassDecrease(one.n_customers, one.n_decreased, one.share, low, high, one.change)
