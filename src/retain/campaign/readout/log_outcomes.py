"""Outcomes of customers by what a purchase log says that they did."""

from __future__ import annotations

import math

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
"""The sources of outcomes: a file with a row per customer, or a purchase log."""

MIN_IN_LOG = 0.95
"""Share of the customers whom a log of the same store knows, as they bought before."""
MIN_BUYERS = 0.01
"""Share of the customers who buy in the horizon, unless ids changed; of at least these many:"""
MIN_CUSTOMERS = 20


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
        The file is invalid, or the log is not one of these customers before and after that day.
    """
    if isinstance(source, OutcomesFile):
        return read_outcomes_of(source, customers)
    row = pd.Index(source.table.index).get_indexer(pd.Index(customers.ids))
    is_known = row >= 0
    _check_known(is_known, source, customers)
    _check_bought(row[is_known], source, customers)
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


def _check_known(is_known: np.ndarray, source: LogOutcomes, customers: OutcomeCustomers) -> None:
    """Raise if too few of the customers are anywhere in a log: all of them bought before."""
    least = MIN_IN_LOG if source.min_known_share is None else source.min_known_share
    share = float(is_known.mean())
    if is_known.any() and share >= least:
        return
    n_known, rounded = int(is_known.sum()), math.floor(1000 * share) / 1000
    known, missing = source.table.index[:3], customers.ids[~is_known][:3]
    found, expected = (examples(map(truncate, ids)) for ids in (known, missing))
    way_out = f" If they are gone for good: outcomes.min_known_share={rounded:g}" if n_known else ""
    raise RetainError(
        f"{n_known or 'none'} of the {len(is_known)} customers of {customers.kind} "
        f"{customers.name} are in the log, which has ids such as {found}; expected ids such as "
        f"{expected}. All of them bought before, so the log lacks rows, or writes ids "
        f"otherwise.{way_out}"
    )


def _check_bought(row: np.ndarray, source: LogOutcomes, customers: OutcomeCustomers) -> None:
    """Raise if the store sold on, and none of many customers bought: ids changed on that day."""
    bought = source.table["bought"].to_numpy()
    if len(row) < MIN_CUSTOMERS or bought[row].mean() >= MIN_BUYERS or not bought.any():
        return
    others = examples(map(truncate, source.table.index[bought == 1][:3]))
    raise RetainError(
        f"{int(bought[row].sum())} of {len(row)} customers of {customers.kind} {customers.name} "
        f"bought from {source.first_day} on, and {int(bought.sum())} customers of the log did, "
        f"such as {others}: ids seem to be written otherwise from that day on; expected one way of "
        "writing ids in the whole log. If it is true, type outcomes=FILE with a row per customer."
    )


def _take(values: pd.Series, row: np.ndarray, *, absent: float) -> np.ndarray:
    """Return the values at rows, and ``absent`` at rows below zero."""
    return np.where(row >= 0, values.to_numpy()[np.maximum(row, 0)], absent)
