"""Curves of a run's scores: ranking, precision, lift, captured profit, calibration.

Each repeat scores every training customer once, out of fold, and has its own curve; the result is
their mean and range on a common grid of x, of the same size for any number of customers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from retain.learning.scores import Scores
from retain.record.comparison_document import CalibrationBin, Curves, MeanCurve
from retain.record.estimates import Estimate
from retain.verdict.paired import holm
from retain.verdict.sealed_intervals import find_design_effect
from retain.verdict.statistics import mid_p, wilson_bounds

GRID = np.linspace(0, 1, 101)
BINS = 10
CALIBRATION_LEVEL = 0.05
"""Of the test of all bins of the calibration together."""
Curve = Callable[[np.ndarray, np.ndarray], np.ndarray]


def curves(
    scores: Scores, profit: pd.Series | None, duplicate_groups: pd.Series | None = None
) -> Curves:
    """Return every curve of a run; without ``duplicate_groups`` nobody has copies."""
    return Curves(
        **mean_curves(scores),
        captured_profit=None if profit is None else _captured_profit(_repeats(scores), profit),
        calibration=calibration(scores, duplicate_groups),
    )


def mean_curves(scores: Scores) -> dict[str, MeanCurve]:
    """Return the curves of a run that need nothing but its scores, by name."""
    parts = _repeats(scores)
    return {
        "roc": _average_curves(parts, _roc),
        "precision_recall": _average_curves(parts, _precision),
        "lift": _average_curves(parts, _lift, GRID[1:]),
    }


def _repeats(scores: Scores) -> list[pd.DataFrame]:
    return [part for _, part in scores.table.groupby("repeat", sort=True)]


def _average_curves(parts: list[pd.DataFrame], curve: Curve, x: np.ndarray = GRID) -> MeanCurve:
    values = [curve(p["target"].to_numpy(), p["probability"].to_numpy()) for p in parts]
    return _summary(values, x)


def _summary(values: list[np.ndarray], x: np.ndarray) -> MeanCurve:
    return MeanCurve(
        x=tuple(x.tolist()),
        y=tuple(np.mean(values, axis=0).tolist()),
        y_min=tuple(np.min(values, axis=0).tolist()),
        y_max=tuple(np.max(values, axis=0).tolist()),
    )


def _count_top(target: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return counts of customers and decliners in the top, at each distinct probability."""
    order = np.argsort(-probability, kind="stable")
    lasts = np.flatnonzero(np.diff(probability[order], append=-np.inf))
    declined = np.cumsum(target[order])[lasts]
    return np.concatenate([[0], lasts + 1]), np.concatenate([[0], declined])


def _roc(target: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Return recall by false positive rate."""
    top, declined = _count_top(target, probability)
    return np.asarray(
        np.interp(GRID, (top - declined) / (top - declined)[-1], declined / declined[-1])
    )


def _precision(target: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Return precision where each recall is first reached.

    Not interpolated, which would be optimistic (Davis & Goadrich 2006).
    """
    top, declined = _count_top(target, probability)
    recall, precision = declined[1:] / declined[-1], declined[1:] / top[1:]
    return np.asarray(precision[np.searchsorted(recall, GRID - 1e-12).clip(max=len(recall) - 1)])


def _lift(target: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Return the share of decliners in the top over their share in all."""
    top, declined = _count_top(target, probability)
    return np.asarray(np.interp(GRID[1:], top / top[-1], declined / declined[-1]) / GRID[1:])


def _captured_profit(parts: list[pd.DataFrame], profit: pd.Series) -> MeanCurve | None:
    """Return the share of the decliners' profit in the top; None if they bring none."""
    values = []
    for part in parts:
        worth = np.nan_to_num(profit.loc[part["customer_id"]].to_numpy(dtype=float)).clip(min=0)
        worth = worth * part["target"].to_numpy()
        if worth.sum() <= 0:
            return None
        top, money = _count_top(worth, part["probability"].to_numpy())
        values.append(np.interp(GRID, top / top[-1], money / money[-1]))
    return _summary(values, GRID)


def calibration(
    scores: Scores, duplicate_groups: pd.Series | None = None
) -> tuple[CalibrationBin, ...]:
    """Return the observed share of decliners by probability, in up to ten bins of equal count.

    Each customer counts once, with its mean probability, and copies by their effective number
    (Kish 1965). The 95 % interval is Wilson's (1927). ``p`` is the mid-p of the observed share if
    the probability is right, corrected over the bins (Holm 1979); below ``CALIBRATION_LEVEL`` a bin
    ``is_miscalibrated``.
    """
    table = scores.table.groupby("customer_id").agg({"target": "first", "probability": "mean"})
    groups = pd.Series(range(len(table)), table.index)
    table["group"] = groups if duplicate_groups is None else duplicate_groups.loc[table.index]
    table = table.sort_values("probability", kind="stable")
    bins = pd.qcut(table["probability"], BINS, labels=False, duplicates="drop")
    if bins.isna().all():  # one probability for all
        bins = pd.Series(0, index=table.index)
    found = [_bin(part) for _, part in table.groupby(bins.to_numpy())]
    corrected = holm(np.array([one.p for one in found]))
    return tuple(
        one.model_copy(update={"p": float(p), "is_miscalibrated": bool(p < CALIBRATION_LEVEL)})
        for one, p in zip(found, corrected, strict=True)
    )


def _bin(part: pd.DataFrame) -> CalibrationBin:
    """Return a bin with its p uncorrected."""
    count, predicted = len(part), float(part["probability"].mean())
    observed = float(part["target"].mean())
    effective = count / find_design_effect(part["group"].to_numpy())
    low, high = wilson_bounds(observed, effective)
    return CalibrationBin(
        predicted=predicted,
        observed=Estimate(observed, low, high),
        n_customers=count,
        p=mid_p(observed, effective, predicted),
        is_miscalibrated=False,
    )
