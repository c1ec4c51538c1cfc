"""Arms that were assigned to too few customers to learn from."""

from __future__ import annotations

import numpy as np

from retain.campaign.trial.trial import Trial

MIN_ARM_CUSTOMERS = 20
"""Customers with an outcome, in an arm and in its control group each, below which nothing is
learned of the arm."""


def find_small_arms(trial: Trial) -> tuple[str, ...]:
    """Return the arms with few customers, or with few in the control group who could get them."""
    possible = (
        np.isfinite(trial.y)[:, None] & (trial.propensity > 0) & (trial.propensity[:, [0]] > 0)
    )
    return tuple(
        name
        for index, name in enumerate(trial.arms[1:], start=1)
        if min(np.bincount(trial.arm[possible[:, index]], minlength=len(trial.arms))[[0, index]])
        < MIN_ARM_CUSTOMERS
    )
