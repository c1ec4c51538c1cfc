"""Outcomes of customers by what a purchase log says that they did."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retain.campaign.assignment import Assignment
from retain.campaign.readout.outcomes import (
    OutcomeCustomers,
    Outcomes,
    check_both_arms,
    read_outcomes,
    read_outcomes_of,
)
from retain.customers.cells.numbers import truncate
from retain.customers.purchases.outcomes import LogOutcomes
from retain.errors import RetainError, examples
from retain.record.outcomes_log import OutcomesLogInfo
from retain.schema.readout import OutcomesFile

OutcomesSource = OutcomesFile | LogOutcomes
"""What outcomes are made of: a file with a row per customer, or a purchase log."""


def observe_campaign(source: OutcomesSource, assignment: Assignment) -> Outcomes:
    """Return the outcomes of a campaign.

    Raises
    ------
    RetainError
        As in ``observe``, or an arm has no outcome.
    """
    if isinstance(source, OutcomesFile):
        return read_outcomes(source, assignment)
    customers = OutcomeCustomers(assignment.table["customer_id"], "campaign", assignment.id)
    outcomes = observe(source, customers)
    check_both_arms(outcomes, assignment)
    return outcomes


def observe(source: OutcomesSource, customers: OutcomeCustomers) -> Outcomes:
    """Return the outcomes of customers; who is not in a log bought nothing.

    Raises
    ------
    RetainError
        The file is invalid, or none of the customers is in the log.
    """
    if isinstance(source, OutcomesFile):
        return read_outcomes_of(source, customers)
    row = pd.Index(source.table.index).get_indexer(pd.Index(customers.ids))
    is_known = row >= 0
    if not is_known.any():
        found, expected = (
            examples(map(truncate, ids[:3])) for ids in (source.table.index, customers.ids)
        )
        raise RetainError(
            f"none of the {len(row)} customers of {customers.kind} {customers.name} is in the log, "
            f"which has ids such as {found}; expected ids such as {expected}."
        )
    return Outcomes(
        in_file=np.ones(len(row), dtype=bool),
        declined=_take(source.table["declined"], row, absent=1.0),
        profit=_take(source.table["money"], row, absent=0.0) if source.has_money else None,
        contacted=None,
        cost=None,
        n_unknown_customers=0,
        log=OutcomesLogInfo(
            first_day=source.first_day.isoformat(),
            last_day=source.last_day.isoformat(),
            label=source.label,
            n_absent=int((~is_known).sum()),
        ),
    )


def _take(values: pd.Series, row: np.ndarray, *, absent: float) -> np.ndarray:
    """Return the values at rows, and ``absent`` at rows below zero."""
    return np.where(row >= 0, values.to_numpy()[np.maximum(row, 0)], absent)
