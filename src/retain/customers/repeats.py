"""Features that repeat what no model may see: the id, the target or the profit.

May import: customers.customers, separation.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from retain.customers.customers import Customers
from retain.customers.separation import FEWEST, order, same_order

CORRELATED = 0.9999
"""Pearson's r of a figure with itself in other units, rounded to the cent."""


def of_id(customers: Customers) -> tuple[str, ...]:
    """Features that are the id, or rise or fall strictly with it."""
    ids = order(customers.features.index)
    features = customers.features
    distinct = (name for name in features if features[name].dropna().is_unique)
    return tuple(str(name) for name in distinct if same_order(order(features[name]), ids))


def is_id(customers: Customers, name: str) -> bool:
    """Whether a feature holds the ids themselves, not only their order (a date may do that)."""
    ids, values = customers.features.index.to_series(), customers.features[name]
    if pd.api.types.is_numeric_dtype(values) and pd.api.types.is_numeric_dtype(ids):
        return np.array_equal(values.to_numpy(dtype=float), ids.to_numpy(dtype=float))
    return np.array_equal(values.astype(str).to_numpy(), ids.astype(str).to_numpy())


def of_target(customers: Customers) -> tuple[str, ...]:
    """Features of two values, missing being one, that part customers as the target does."""
    if customers.target is None or len(customers) < FEWEST or customers.target.nunique() < 2:
        return ()
    target = customers.target.to_numpy()
    found = []
    for name, values in customers.features.items():
        codes = pd.factorize(values, use_na_sentinel=False)[0]
        if np.array_equal(codes, target) or np.array_equal(codes, 1 - target):
            found.append(str(name))
    return tuple(found)


def of_profit(customers: Customers) -> tuple[str, ...]:
    """Features that rise or fall strictly with profit, or as good as linearly."""
    if customers.profit is None:
        return ()
    profit = customers.profit.reset_index(drop=True)
    places = order(profit)
    return tuple(
        str(name)
        for name, values in customers.features.items()
        if same_order(order(values), places) or _linear(values, profit)
    )


def _linear(values: pd.Series, profit: pd.Series) -> bool:
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return False
    one, other = values.to_numpy(dtype=float), profit.to_numpy(dtype=float)
    known = np.isfinite(one) & np.isfinite(other)
    one, other = one[known], other[known]
    if len(one) < FEWEST or not (one.std() and other.std()):
        return False
    return bool(abs(np.corrcoef(one, other)[0, 1]) > CORRELATED)
