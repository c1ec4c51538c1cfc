"""A campaign that retain planned as a trial: its control group, and an arm for each offer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from retain.campaign.assignment import Assignment
from retain.campaign.assignment_table import CONTROL, list_possible
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
    """Return a campaign as a trial.

    A customer could get the one offer that the plan chose, or any of those that it was drawn from,
    or none. ``features`` are what was known of the customers, in the order of the assignment. The
    primary outcome is that a customer did not decline, if that is known, else the profit. Customers
    of offers with few customers are left out, and so are those who could not be in the control
    group.

    Raises
    ------
    NotApplicable
        All offers have few customers.
    """
    measured = list(_list_outcomes(outcomes, assignment))
    arms = _Arms.of(assignment, np.isfinite(measured[0].values))
    rows = np.flatnonzero(arms.is_random(assignment))
    table, treated = assignment.table.iloc[rows], assignment.is_treated[rows]
    cost = np.zeros(len(arms.offers) + 1)
    cost[1:] = table[treated].groupby("offer")["expected_cost"].mean().loc[arms.offers]
    if assignment.unit == COUNTED:  # from which no cost can be subtracted
        cost[:] = 0.0
    covariates = features.iloc[rows].assign(**{RISK: table[RISK].to_numpy()})
    drawn = np.where(assignment.explores[rows], "", table["offer"])
    trial = Trial(
        ids=pd.Index(table["customer_id"]),
        arms=(CONTROL, *arms.offers),
        arm=np.where(treated, arms.offers.get_indexer(pd.Index(table["offer"])) + 1, 0),
        propensity=arms.propensity[rows],
        stratum=table.groupby([table["segment"].to_numpy(), drawn]).ngroup().to_numpy(),
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
        small_arms=tuple(sorted({*assignment.table["offer"]} - {*arms.offers})),
    )


@dataclass(frozen=True)
class _Arms:
    """The offers with enough customers, and the chances of the arms.

    ``propensity`` is of shape (n, 1 + offers), the control group first: as if there had been no
    other offers. 0 in all for a customer who could get none of them.
    """

    offers: pd.Index
    propensity: np.ndarray

    @classmethod
    def of(cls, assignment: Assignment, observed: np.ndarray) -> _Arms:
        """Return the arms; ``observed`` is a mask of the customers with an outcome."""
        table, treated = assignment.table, assignment.is_treated
        names = pd.Index(sorted({*table["offer"]}))
        possible = _mark_possible(table, names)
        own = names.get_indexer(pd.Index(table["offer"]))
        counted = observed & (assignment.propensity < 1)
        n_treated = np.bincount(own[counted & treated], minlength=len(names))
        n_control = possible[counted & ~treated].sum(axis=0)
        is_large = np.minimum(n_treated, n_control) >= MIN_ARM_CUSTOMERS
        if not is_large.any():
            raise NotApplicable(
                f"no offer has {MIN_ARM_CUSTOMERS} customers with an outcome, contacted and in the "
                "control group each"
            )
        chances = possible * table["propensity"].to_numpy(dtype=float)[:, None]
        chances = np.column_stack([1 - assignment.propensity, chances[:, is_large]])
        chances[~chances[:, 1:].any(axis=1)] = 0.0
        total = chances.sum(axis=1, keepdims=True)
        return cls(names[is_large], chances / np.where(total > 0, total, 1.0))

    def is_random(self, assignment: Assignment) -> np.ndarray:
        """Return a mask of the customers who could be in the control group, and are in an arm."""
        own = self.offers.get_indexer(pd.Index(assignment.table["offer"]))
        is_in_arm = ~assignment.is_treated | (own >= 0)
        could_get_one = self.propensity[:, 1:].any(axis=1)
        return np.asarray(is_in_arm & could_get_one & (self.propensity[:, 0] > 0))


def _mark_possible(table: pd.DataFrame, names: pd.Index) -> np.ndarray:
    """Return True for the offers that each customer could get, shape (n, names)."""
    possible = np.zeros((len(table), len(names)), dtype=bool)
    place = {name: index for index, name in enumerate(names)}
    for row, offers in enumerate(list_possible(table)):
        possible[row, [place[name] for name in offers if name in place]] = True
    return possible


def _list_outcomes(outcomes: Outcomes, assignment: Assignment) -> Iterator[Outcome]:
    """Yield what is known of declines, turned round, and of profit, as money."""
    if outcomes.declined is not None:
        yield Outcome("no declined", "binary", 1 - outcomes.declined, is_reversed=True)
    if outcomes.profit is not None:
        margin = assignment.assumptions.margin.value
        yield Outcome("profit", "money", outcomes.profit * margin)
