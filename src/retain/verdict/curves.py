"""Curves of a run's scores: ranking, precision, lift, captured profit, calibration.

Each repeat scores every training customer once, out of fold, and has a curve of its own; what is
shown is their mean, and between which values they lie. All are given on one grid of the horizontal
axis, so that they can be averaged and stay small however many customers there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from retain.learning.scores import Scores
from retain.verdict.statistics import wilson_interval

GRID = np.linspace(0, 1, 101)
BINS = 10
Curve = Callable[[np.ndarray, np.ndarray], np.ndarray]


def curves(scores: Scores, profit: pd.Series | None) -> dict[str, Any]:
    """Every curve of a run.

    Returns
    -------
    dict
        ``roc`` (recall over false positive rate), ``precision_recall``, ``lift`` and
        ``captured_profit`` (over the share of customers; None without profit), each ``{x, y,
        y_min, y_max}`` of equal length; ``calibration``: a list of bins.
    """
    parts = [part for _, part in scores.table.groupby("repeat", sort=True)]
    found: dict[str, Any] = {
        "roc": _average_curves(parts, _roc),
        "precision_recall": _average_curves(parts, _precision),
        "lift": _average_curves(parts, _lift, GRID[1:]),
        "captured_profit": None,
        "calibration": calibration(scores),
    }
    if profit is not None:
        found["captured_profit"] = _captured_profit(parts, profit)
    return found


def _average_curves(
    parts: list[pd.DataFrame], curve: Curve, x: np.ndarray = GRID
) -> dict[str, Any]:
    drawn = [curve(p["target"].to_numpy(), p["probability"].to_numpy()) for p in parts]
    return _summary(drawn, x)


def _summary(drawn: list[np.ndarray], x: np.ndarray) -> dict[str, Any]:
    return {
        "x": x.tolist(),
        "y": np.mean(drawn, axis=0).tolist(),
        "y_min": np.min(drawn, axis=0).tolist(),
        "y_max": np.max(drawn, axis=0).tolist(),
    }


def _count_top(target: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return counts of customers and decliners in the top, at each distinct probability."""
    order = np.argsort(-probability, kind="stable")
    lasts = np.flatnonzero(np.diff(probability[order], append=-np.inf))
    found = np.cumsum(target[order])[lasts]
    return np.concatenate([[0], lasts + 1]), np.concatenate([[0], found])


def _roc(target: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Share of decliners above the score, by the share of others above it."""
    top, found = _count_top(target, probability)
    return np.asarray(np.interp(GRID, (top - found) / (top - found)[-1], found / found[-1]))


def _precision(target: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Precision where each recall is first reached: no line between, since it would flatter.

    Davis & Goadrich (2006): precision does not change linearly between two points.
    """
    top, found = _count_top(target, probability)
    recall, precision = found[1:] / found[-1], found[1:] / top[1:]
    return np.asarray(precision[np.searchsorted(recall, GRID - 1e-12).clip(max=len(recall) - 1)])


def _lift(target: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Share of decliners among the top, over their share in all."""
    top, found = _count_top(target, probability)
    return np.asarray(np.interp(GRID[1:], top / top[-1], found / found[-1]) / GRID[1:])


def _captured_profit(parts: list[pd.DataFrame], profit: pd.Series) -> dict[str, Any] | None:
    """Share of the decliners' profit within the top; None where decliners bring none."""
    drawn = []
    for part in parts:
        worth = np.nan_to_num(profit.loc[part["customer_id"]].to_numpy(dtype=float)).clip(min=0)
        worth = worth * part["target"].to_numpy()
        if worth.sum() <= 0:
            return None
        top, money = _count_top(worth, part["probability"].to_numpy())
        drawn.append(np.interp(GRID, top / top[-1], money / money[-1]))
    return _summary(drawn, GRID)


def calibration(scores: Scores) -> list[dict[str, Any]]:
    """Observed share of decliners by predicted probability, in up to ten bins of equal count.

    Each customer counts once, with the mean of its probabilities. The interval of a bin's share
    is Wilson's (1927), 95 %.
    """
    table = scores.table.groupby("customer_id").agg({"target": "first", "probability": "mean"})
    table = table.sort_values("probability", kind="stable")
    place = pd.qcut(table["probability"], BINS, labels=False, duplicates="drop")
    if place.isna().all():  # one probability for all
        place = pd.Series(0, index=table.index)
    return [_bin(part) for _, part in table.groupby(place.to_numpy())]


def _bin(part: pd.DataFrame) -> dict[str, Any]:
    count, declined = len(part), int(part["target"].sum())
    low, high = wilson_interval(declined, count)
    return {
        "predicted": float(part["probability"].mean()),
        "observed": {"value": declined / count, "low": low, "high": high},
        "n_customers": count,
    }
