"""The label audit: change from one period to the next, by label."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from retain.customers.checks.label_audit import Decrease, compare_periods, find_successive_periods
from retain.customers.customers import Customers, DisplayName
from retain.verdict.statistics import wilson_interval

STORES_OWN = "communication"


@dataclass(frozen=True, slots=True)
class ClassFell:
    """Customers of a class with both figures known; the share whose last is below (Wilson, 95 %).

    ``median_change`` is the median of current ÷ previous − 1; None unless most had something in
    the previous period.
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

    ``z`` is positive where those labelled as declined decreased more often; ``is_consistent``
    where they did so beyond chance.
    """

    previous: DisplayName
    current: DisplayName
    derived: DisplayName
    declined: ClassFell
    stayed: ClassFell
    z: float
    is_consistent: bool


def label_audit_json(one: LabelAudit) -> dict[str, Any]:
    """Return one figure of the label audit as ``verdict.json`` has it."""
    sides = {"declined": _side_json(one.declined), "stayed": _side_json(one.stayed)}
    return {**asdict(one), **sides}


def _side_json(side: ClassFell) -> dict[str, Any]:
    return {
        "n_customers": side.n_customers,
        "n_decreased": side.n_decreased,
        "decreased_share": {"value": side.decreased_share, "low": side.low, "high": side.high},
        "median_change": side.median_change,
    }


def label_audit(customers: Customers) -> list[LabelAudit]:
    """Return the label against every derived slope and difference of periods.

    In the order of the derived features. A figure that is known for one class alone says nothing
    and is left out; so is what the store does (``communication``), not the customer.
    """
    found = []
    for derived, before, last in find_successive_periods(customers):
        if derived.group == STORES_OWN:
            continue
        moved = compare_periods(customers, before, last)
        if moved.is_observed:
            labels = (customers.columns[before].label, customers.columns[last].label)
            sides = (_side(moved.declined), _side(moved.stayed))
            found.append(
                LabelAudit(*labels, derived.column.label, *sides, moved.z, moved.is_consistent)
            )
    return found


def _side(one: Decrease) -> ClassFell:
    low, high = wilson_interval(one.n_decreased, one.n_customers)
    return ClassFell(one.n_customers, one.n_decreased, one.share, low, high, one.change)
