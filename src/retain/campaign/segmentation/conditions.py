"""A condition of a rule: its evaluation, and its shares as bounds."""

from __future__ import annotations

import math
import sys

import numpy as np
import pandas as pd
from pandas.arrays import BooleanArray

from retain.campaign.audience import Audience
from retain.schema.campaign import Condition
from retain.schema.names import RESERVED

BOUNDS = {
    "at_least": np.greater_equal,
    "above": np.greater,
    "at_most": np.less_equal,
    "below": np.less,
}
NUMBER = (*BOUNDS, "top", "bottom")
CATEGORY = ("one_of", "none_of")


def values_of(name: str, audience: Audience) -> pd.Series:
    """Return a feature, risk or money by name; money is missing if the source has none."""
    if name in RESERVED and name not in audience.table:
        return pd.Series(np.nan, index=audience.table.index, name=name)
    return audience.values_of(name)


def evaluate_condition(condition: Condition, values: pd.Series) -> BooleanArray:
    """Return where a condition is true, shape (n,).

    For a missing value it is neither true nor false, except with ``observed``.

    >>> values = pd.Series([1.0, 3.0, np.nan])
    >>> evaluate_condition(Condition(above=2), values).tolist()
    [False, True, <NA>]
    """
    numbers = values.to_numpy() if values.dtype == np.float64 else None
    observed = values.notna().to_numpy() if numbers is None else ~np.isnan(numbers)
    true, false = np.ones(len(values), dtype=bool), np.zeros(len(values), dtype=bool)
    for part in _evaluate_parts(resolve_quantiles(condition, values), values):
        true &= part & observed
        false |= ~part & observed
    if condition.observed is not None:
        true &= observed == condition.observed
        false |= observed != condition.observed
    return BooleanArray(true, ~(true | false))


def resolve_quantiles(condition: Condition, values: pd.Series) -> Condition:
    """Return the condition with ``top`` and ``bottom`` as bounds among these values.

    >>> resolve_quantiles(Condition(top=0.5), pd.Series([1.0, 2.0, 3.0, 4.0])).at_least
    3.0
    """
    if condition.top is None and condition.bottom is None:
        return condition
    numbers, bounds = values.to_numpy(dtype=float), dict[str, float]()
    if condition.top is not None:
        low = -_quantile_bound(-numbers, condition.top)
        bounds["at_least"] = low if condition.at_least is None else max(low, condition.at_least)
    if condition.bottom is not None:
        high = _quantile_bound(numbers, condition.bottom)
        bounds["at_most"] = high if condition.at_most is None else min(high, condition.at_most)
    return condition.model_copy(update={"top": None, "bottom": None, **bounds})


def _evaluate_parts(condition: Condition, values: pd.Series) -> list[np.ndarray]:
    """Return masks of the parts of a condition except ``observed``, arbitrary where missing."""
    parts = []
    if condition.one_of is not None:
        parts.append(values.isin(condition.one_of).to_numpy())
    if condition.none_of is not None:
        parts.append(~values.isin(condition.none_of).to_numpy())
    bounds = [(compare, getattr(condition, key)) for key, compare in BOUNDS.items()]
    bounds = [(compare, bound) for compare, bound in bounds if bound is not None]
    if bounds:
        numbers = values.to_numpy(dtype=float)
        parts += [compare(numbers, bound) for compare, bound in bounds]
    return parts


def _quantile_bound(numbers: np.ndarray, share: float) -> float:
    """Return the upper bound of the lowest ``share`` of the observed numbers.

    For an empty share it is the lowest float, as JSON has no infinity.
    """
    observed = numbers[~np.isnan(numbers)]
    count = math.ceil(share * len(observed) - 1e-9)  # .1 of 30 is 3, despite rounding
    return float(np.partition(observed, count - 1)[count - 1]) if count else -sys.float_info.max
