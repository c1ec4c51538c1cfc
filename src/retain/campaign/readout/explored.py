"""The effects of offers that were drawn at random, against no offer and each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from retain.campaign.assignment import Assignment
from retain.campaign.readout.arm_effects import estimate_arm_effects
from retain.campaign.readout.campaign_trial import build_campaign_trial
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.trial.covariates import encode_covariates
from retain.errors import NotApplicable
from retain.record.trial_document import ArmEffect


def read_explored(assignment: Assignment, outcomes: Outcomes) -> tuple[ArmEffect, ...] | None:
    """Return the effects of the offers on the customers who explored; None if they are few.

    An offer is compared with the control group among those who could draw it, and with another
    among those who could draw both, at the assignment's level in all.
    """
    rows = assignment.explores
    if not rows.any():
        return None
    explorers = replace(assignment, table=assignment.table[rows].reset_index(drop=True))
    unknown = pd.DataFrame(index=explorers.table.index)
    try:
        trial = build_campaign_trial(explorers, _select(outcomes, rows), unknown).trial
    except NotApplicable:
        return None
    encoded = encode_covariates(trial.covariates)
    return estimate_arm_effects(trial, encoded, alpha=assignment.alpha, power=assignment.power)


def _select(outcomes: Outcomes, rows: np.ndarray) -> Outcomes:
    """Return the outcomes of a mask of customers."""

    def pick(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[rows]

    return replace(
        outcomes,
        in_file=outcomes.in_file[rows],
        declined=pick(outcomes.declined),
        profit=pick(outcomes.profit),
        contacted=pick(outcomes.contacted),
        cost=pick(outcomes.cost),
    )
