"""Scored customers that tests of segments start from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from retain.campaign.audience import Audience
from retain.learning.features import feature_matrix
from retain.schema.run import Features


@pytest.fixture
def scored(shop) -> Callable[..., Audience]:
    """Customers of the invented store with a risk that rises as pages fall."""

    def make(n: int = 240, *, seed: int = 0, profit: bool = True) -> Audience:
        customers = shop(n, seed)
        features = feature_matrix(customers, Features(derived=True, max_categories=30))
        noise = np.random.default_rng(seed).normal(0, 0.5, n)
        risk = 1 / (1 + np.exp(features["pages"].to_numpy() - 8 + noise))
        columns = {"score": risk, "origin": "out_of_fold", "risk": risk}
        table = pd.DataFrame(columns, index=features.index)
        table["contactable"] = customers.contactable
        if profit:
            table["profit"] = customers.profit
            table["value_at_stake"] = 3 * customers.profit
            table["profit_at_risk"] = table["risk"] * table["value_at_stake"]
        described = customers.column_info(features)
        return Audience(table, features, described, "roubles" if profit else None)

    return make
