"""Customers whom no campaign contacts: the permanent control group, and those of open campaigns."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.schema.campaign import CampaignConfig

HASH_KEY = "permanentcontrol"
"""Key of the hash of customer ids; always the same, so that the group is."""


def in_permanent_control(ids: pd.Index, share: float) -> np.ndarray:
    """Return whether each customer is in the permanent control group, shape (n,).

    By a hash of the id alone, so that it is the same in every campaign. A larger share holds the
    customers of a smaller one.

    >>> in_permanent_control(pd.Index(range(10_000)), 0.1).mean().round(2)
    np.float64(0.1)
    """
    texts = ids.astype(str).to_numpy(dtype=object)
    number = pd.util.hash_array(texts, hash_key=HASH_KEY, categorize=False)
    return np.asarray(number < share * 2.0**64)


def find_left_alone(audience: Audience, policies: CampaignConfig | None) -> np.ndarray:
    """Return whether no campaign may contact each customer now, shape (n,)."""
    left_alone = np.asarray(audience.open_campaign != "", dtype=bool)
    if policies is not None and policies.permanent_control:
        left_alone |= in_permanent_control(audience.table.index, policies.permanent_control)
    return left_alone
