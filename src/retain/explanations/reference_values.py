"""Typical values of stayers, and each customer's strongest drivers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retain.explanations.drivers import ShapContributions


@dataclass(frozen=True)
class TypicalRange:
    """The values of a feature among stayers.

    Attributes
    ----------
    low, high
        First and third quartile of a number; None without observed values.
    levels
        Share of each level of a category.
    unknown
        Share of missing values.
    """

    low: float | None
    high: float | None
    levels: dict[str, float]
    unknown: float


def typical_ranges(table: pd.DataFrame, target: np.ndarray) -> dict[str, TypicalRange]:
    """Return the range of each feature among the rows of ``table`` with ``target`` 0.

    >>> table = pd.DataFrame({"pages": [1.0, 5.0, 6.0, 7.0]})
    >>> pages = typical_ranges(table, np.array([1, 0, 0, 0]))["pages"]
    >>> pages.low, pages.high
    (5.5, 6.5)
    """
    stayed = table[target == 0]
    return {str(name): _typical_range(stayed[name]) for name in stayed}


def _typical_range(values: pd.Series) -> TypicalRange:
    unknown = float(values.isna().mean())
    if not pd.api.types.is_numeric_dtype(values):
        levels = values.value_counts(normalize=True, dropna=True) * (1 - unknown)
        return TypicalRange(None, None, {str(k): float(v) for k, v in levels.items()}, unknown)
    if unknown == 1:
        return TypicalRange(None, None, {}, unknown)
    low, high = values.quantile([0.25, 0.75])
    return TypicalRange(float(low), float(high), {}, unknown)


def top_drivers(
    shap: ShapContributions,
    table: pd.DataFrame,
    typical: dict[str, TypicalRange],
    count: int,
    addressed: Collection[str] = (),
) -> pd.DataFrame:
    """Return the strongest drivers of each customer with own and typical values.

    Of the features ``addressed`` by offers, those that raise the risk are listed however weak.

    Returns
    -------
    DataFrame
        One row per customer and driver, customers in the order of ``shap``, strongest drivers
        first: ``customer_id, rank, feature, value`` (of a number), ``level`` (of a category),
        ``typical_low, typical_high, typical_share`` (of the same level, or of missing values),
        ``log_odds, probability_points``. Features without an effect are left out.
    """
    values = table.loc[shap.ids, list(shap.features)]
    size = np.abs(shap.log_odds)
    order = np.argsort(-size, axis=1, kind="stable")
    wanted = np.array([name in addressed for name in shap.features], dtype=bool)
    ordered = np.take_along_axis(shap.log_odds, order, axis=1)
    listed = (np.arange(order.shape[1]) < count) & (ordered != 0)
    rows, place = np.nonzero(listed | (wanted[order] & (ordered > 0)))
    chosen, rank = order[rows, place], place + 1
    drivers = pd.DataFrame(
        {
            "customer_id": shap.ids.to_numpy()[rows],
            "rank": rank,
            "feature": np.array(shap.features, dtype=object)[chosen],
            "log_odds": shap.log_odds[rows, chosen],
            "probability_points": shap.points[rows, chosen],
        }
    )
    return pd.concat([drivers, _with_reference(values, typical, rows, chosen)], axis=1)


def _with_reference(
    values: pd.DataFrame,
    typical_values: dict[str, TypicalRange],
    rows: np.ndarray,
    chosen: np.ndarray,
) -> pd.DataFrame:
    """Return the customer's value and the typical values of each chosen feature."""
    numbers = ("value", "typical_low", "typical_high", "typical_share")
    reference = pd.DataFrame(np.nan, index=range(len(rows)), columns=list(numbers))
    level = np.full(len(rows), None, dtype=object)
    for j, name in enumerate(values):
        mine = np.flatnonzero(chosen == j)
        own, typical = values[name].iloc[rows[mine]], typical_values[str(name)]
        if pd.api.types.is_numeric_dtype(own):
            reference.loc[mine, "value"] = own.to_numpy(dtype=float)
            ends = (typical.low, typical.high)
            reference.loc[mine, ["typical_low", "typical_high"]] = np.array(ends, dtype=float)
            share = np.where(own.isna(), typical.unknown, np.nan)
        else:
            level[mine] = own.astype(object).where(own.notna(), None)
            share = own.map(typical.levels).astype(float).fillna(0.0).to_numpy()
            share = np.where(own.isna(), typical.unknown, share)
        reference.loc[mine, "typical_share"] = share
    return reference.assign(level=pd.Series(level, dtype="str"))
