"""The label audit: change from one period to the next, by label."""

from __future__ import annotations

from dataclasses import dataclass

from retain.customers.checks.label_audit import Decrease, compare_periods, find_successive_periods
from retain.customers.customers import Customers, DisplayName
from retain.verdict.statistics import wilson_interval

STORES_OWN = "communication"


@dataclass(frozen=True, slots=True)
class ClassFell:
    """Customers of a class with both figures known; the share whose last is below (Wilson, 95 %).

    ``change`` is the median of last ÷ before − 1; None unless most had something before.
    """

    customers: int
    fell: int
    share: float
    low: float
    high: float
    change: float | None


@dataclass(frozen=True, slots=True)
class LabelAudit:
    """One figure in two successive periods, by class.

    ``z`` is positive where those labelled as declined fell more often; ``agrees`` where they did
    so beyond chance.
    """

    before: DisplayName
    last: DisplayName
    derived: DisplayName
    declined: ClassFell
    stayed: ClassFell
    z: float
    agrees: bool


def label_audit(customers: Customers) -> list[LabelAudit]:
    """Return the label against every derived slope and difference of periods.

    In the order of the derived features. A figure that is known for one class alone says nothing
    and is left out; so is what the store does (``communication``), not the customer.
    """
    audits = []
    for derived, before, last in find_successive_periods(customers):
        if derived.group == STORES_OWN:
            continue
        change = compare_periods(customers, before, last)
        if change.is_observed:
            labels = (customers.columns[before].label, customers.columns[last].label)
            sides = (_side(change.declined), _side(change.stayed))
            audits.append(
                LabelAudit(*labels, derived.column.label, *sides, change.z, change.is_consistent)
            )
    return audits


def _side(one: Decrease) -> ClassFell:
    low, high = wilson_interval(one.n_decreased, one.n_customers)
    return ClassFell(one.n_customers, one.n_decreased, one.share, low, high, one.change)
