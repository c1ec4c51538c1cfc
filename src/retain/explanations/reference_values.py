"""Typical values of customers who stay, and each customer's strongest drivers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from retain.explanations.drivers import ShapContributions


@dataclass(frozen=True)
class TypicalRange:
    """One feature among customers whose activity stayed.

    Attributes
    ----------
    low, high
        First and third quartile of a number; None where nobody's is known.
    levels
        Share of each level of a category.
    unknown
        Share of those whose value is not known.
    """

    low: float | None
    high: float | None
    levels: dict[str, float]
    unknown: float


def typical_ranges(table: pd.DataFrame, target: np.ndarray) -> dict[str, TypicalRange]:
    """Each feature among the rows of ``table`` whose ``target`` is 0.

    >>> one = typical_ranges(pd.DataFrame({"pages": [1.0, 5.0, 6.0, 7.0]}), np.array([1, 0, 0, 0]))
    >>> one["pages"].low, one["pages"].high
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
    found: ShapContributions, table: pd.DataFrame, usually: dict[str, TypicalRange], count: int
) -> pd.DataFrame:
    """Return the strongest drivers of each customer, beside its own value and what is usual.

    Returns
    -------
    DataFrame
        A row a customer and driver, customers in the order of ``found``, drivers strongest first:
        ``customer_id, rank, feature, value`` (a number's), ``level`` (a category's), ``typical_low,
        typical_high, typical_share`` (of the same level, or of values that are not known either),
        ``log_odds, probability_points``. Features that move nothing are no drivers.
    """
    values = table.loc[found.ids, list(found.features)]
    size = np.abs(found.log_odds)
    order = np.argsort(-size, axis=1, kind="stable")[:, :count]
    rows = np.repeat(np.arange(len(size)), order.shape[1])
    chosen = order.ravel()
    rank = np.tile(np.arange(1, order.shape[1] + 1), len(size))
    moves = size[rows, chosen] > 0
    rows, chosen, rank = rows[moves], chosen[moves], rank[moves]
    told = pd.DataFrame(
        {
            "customer_id": found.ids.to_numpy()[rows],
            "rank": rank,
            "feature": np.array(found.features, dtype=object)[chosen],
            "log_odds": found.log_odds[rows, chosen],
            "probability_points": found.points[rows, chosen],
        }
    )
    return pd.concat([told, _with_reference(values, usually, rows, chosen)], axis=1)


def _with_reference(
    values: pd.DataFrame, usually: dict[str, TypicalRange], rows: np.ndarray, chosen: np.ndarray
) -> pd.DataFrame:
    """Return a customer's own value of the chosen feature, and what is usual."""
    numbers = ("value", "typical_low", "typical_high", "typical_share")
    beside = pd.DataFrame(np.nan, index=range(len(rows)), columns=list(numbers))
    level = np.full(len(rows), None, dtype=object)
    for j, name in enumerate(values):
        mine = np.flatnonzero(chosen == j)
        own, known = values[name].iloc[rows[mine]], usually[str(name)]
        if pd.api.types.is_numeric_dtype(own):
            beside.loc[mine, "value"] = own.to_numpy(dtype=float)
            ends = (known.low, known.high)
            beside.loc[mine, ["typical_low", "typical_high"]] = np.array(ends, dtype=float)
            share = np.where(own.isna(), known.unknown, np.nan)
        else:
            level[mine] = own.astype(object).where(own.notna(), None)
            share = own.map(known.levels).astype(float).fillna(0.0).to_numpy()
            share = np.where(own.isna(), known.unknown, share)
        beside.loc[mine, "typical_share"] = share
    return beside.assign(level=pd.Series(level, dtype="str"))
