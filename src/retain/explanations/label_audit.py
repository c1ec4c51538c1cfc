"""The label audit: changes from one period to the next, by label."""

from __future__ import annotations

from retain.customers.checks.label_audit import Decrease, compare_periods, find_successive_periods
from retain.customers.customers import Customers
from retain.record.estimates import Estimate
from retain.record.explanations_document import ClassDecrease, LabelAudit
from retain.verdict.statistics import wilson_interval

STORE_ACTIONS_GROUP = "communication"


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
            audits.append(
                LabelAudit(
                    previous=customers.columns[before].label,
                    current=customers.columns[last].label,
                    derived=derived.column.label,
                    declined=_side(change.declined),
                    stayed=_side(change.stayed),
                    z=change.z,
                    is_consistent=change.is_consistent,
                )
            )
    return audits


def _side(one: Decrease) -> ClassDecrease:
    low, high = wilson_interval(one.n_decreased, one.n_customers)
    return ClassDecrease(
        n_customers=one.n_customers,
        n_decreased=one.n_decreased,
        decreased_share=Estimate(one.share, low, high),
        median_change=one.change,
    )
