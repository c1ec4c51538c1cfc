"""A campaign that retain planned as a trial: its control group, and an arm for each offer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from retain.campaign.assignment import CONTROL, Assignment
from retain.campaign.audience import COUNTED
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.trial.arm_sizes import MIN_ARM_CUSTOMERS
from retain.campaign.trial.from_table import TrialTable
from retain.campaign.trial.trial import Outcome, Trial
from retain.errors import NotApplicable

RISK = "risk"
"""The covariate that a plan adds to the features."""


def build_campaign_trial(
    assignment: Assignment, outcomes: Outcomes, features: pd.DataFrame
) -> TrialTable:
    """Return a campaign as a trial in which each customer could get one offer or none.

    ``features`` are what was known of the customers, in the order of the assignment. The primary
    outcome is that a customer did not decline, if that is known, else the profit. Customers of
    offers with few customers are left out, and so are those who could not be in the control group.

    Raises
    ------
    NotApplicable
        All offers have few customers.
    """
    measured = list(_list_outcomes(outcomes, assignment))
    table, treated = assignment.table, assignment.is_treated
    is_random = assignment.propensity < 1
    is_observed = np.isfinite(measured[0].values) & is_random
    counts = pd.crosstab(table.loc[is_observed, "offer"], treated[is_observed])
    smaller = counts.reindex(columns=[False, True], fill_value=0).min(axis=1)
    offers = pd.Index(smaller[smaller >= MIN_ARM_CUSTOMERS].index)
    if offers.empty:
        raise NotApplicable(
            f"no offer has {MIN_ARM_CUSTOMERS} customers with an outcome, contacted and in the "
            "control group each"
        )
    rows = np.flatnonzero(table["offer"].isin(offers).to_numpy() & is_random)
    table, treated = table.iloc[rows], treated[rows]
    offer = offers.get_indexer(pd.Index(table["offer"])) + 1
    share = assignment.propensity[rows]
    propensity = np.zeros((len(rows), len(offers) + 1))
    propensity[:, 0], propensity[np.arange(len(rows)), offer] = 1 - share, share
    cost = np.zeros(len(offers) + 1)
    cost[1:] = table[treated].groupby("offer")["expected_cost"].mean().loc[offers]
    if assignment.unit == COUNTED:  # from which no cost can be subtracted
        cost[:] = 0.0
    covariates = features.iloc[rows].assign(**{RISK: table[RISK].to_numpy()})
    trial = Trial(
        ids=pd.Index(table["customer_id"]),
        arms=(CONTROL, *offers),
        arm=np.where(treated, offer, 0),
        propensity=propensity,
        stratum=table.groupby(["segment", "offer"]).ngroup().to_numpy(),
        outcomes={one.name: replace(one, values=np.take(one.values, rows)) for one in measured},
        covariates=covariates,
        cost=cost if measured[0].kind == "money" else np.zeros_like(cost),
    )
    contacted = outcomes.contacted
    return TrialTable(
        trial=trial,
        shares_are_typed=True,
        value={one.name: 1.0 for one in measured if one.kind == "money"},
        cost=cost,
        contacted=None if contacted is None else contacted[rows],
        typed_outcomes=tuple(trial.outcomes),
        labels={str(name): str(name) for name in covariates},
        n_without_arm=len(assignment.table) - len(rows),
        small_arms=tuple(sorted({*assignment.table["offer"]} - {*offers})),
    )


def _list_outcomes(outcomes: Outcomes, assignment: Assignment) -> Iterator[Outcome]:
    """Yield what is known of declines, turned round, and of profit, as money."""
    if outcomes.declined is not None:
        yield Outcome("no declined", "binary", 1 - outcomes.declined, is_reversed=True)
    if outcomes.profit is not None:
        margin = assignment.assumptions.margin.value
        yield Outcome("profit", "money", outcomes.profit * margin)
