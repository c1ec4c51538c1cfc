"""Confidence intervals of a metric on one set of customers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special, stats

Interval = tuple[float, float]


def delong(
    target: np.ndarray, score: np.ndarray, level: float = 0.95
) -> tuple[float, float, float]:
    """ROC-AUC on one test set and its interval; two customers of each class at least.

    DeLong, DeLong & Clarke-Pearson (1988), by placements (Sun & Xu 2014), on the logit scale so
    that it stays within (0, 1); a perfect ranking has no variance and gives (1, 1).

    >>> target, score = np.array([0, 0, 1, 1, 0, 1]), np.array([0.1, 0.4, 0.35, 0.8, 0.2, 0.7])
    >>> [round(number, 3) for number in delong(target, score)]
    [0.889, 0.261, 0.995]
    """
    positive, negative = score[target == 1], score[target == 0]
    over = _placement_values(positive, negative)
    under = 1 - _placement_values(negative, positive)
    auc = over.mean()
    variance = over.var(ddof=1) / len(over) + under.var(ddof=1) / len(under)
    if variance == 0 or auc in (0.0, 1.0):
        return float(auc), float(auc), float(auc)
    reach = special.ndtri((1 + level) / 2) * np.sqrt(variance) / (auc * (1 - auc))
    logit = np.log(auc / (1 - auc))
    low, high = special.expit([logit - reach, logit + reach])
    return float(auc), float(low), float(high)


def delong_interval(target: np.ndarray, score: np.ndarray, level: float = 0.95) -> Interval:
    """Interval of ROC-AUC on one test set, as ``delong`` gives it."""
    return delong(target, score, level)[1:]


def wilson_interval(count: int, total: int, level: float = 0.95) -> Interval:
    """Interval of the share ``count`` of ``total``; of any share, 0 and 1 included.

    Wilson (1927), without a correction for continuity.

    >>> [round(bound, 3) for bound in wilson_interval(0, 20)]
    [0.0, 0.161]
    """
    found = stats.binomtest(count, total).proportion_ci(level, method="wilson")
    return float(found.low), float(found.high)


def _placement_values(of: np.ndarray, among: np.ndarray) -> np.ndarray:
    """For each value, in ascending order, the share of ``among`` below it, ties counted half."""
    of, ordered = np.sort(of), np.sort(among)  # a million sorted values are looked up in no time
    low = np.searchsorted(ordered, of, side="left")
    high = np.searchsorted(ordered, of, side="right")
    return (low + high) / (2 * len(among))


def bootstrap_interval(
    compute: Callable[[np.ndarray], float],
    target: np.ndarray,
    *,
    resamples: int,
    seed: int,
    bounds: Interval = (-np.inf, np.inf),
) -> Interval:
    """95 % interval of a number computed on rows: itself ± 1.96 bootstrap standard errors.

    Efron & Tibshirani (1993), ch. 13. ``compute`` takes row positions, shape (n,). Resampled
    within each class, so that no resample lacks one. Centred on the number, since resampling
    pushes distances such as the calibration error upwards: their percentiles may lie beside it.
    """
    random = np.random.default_rng(seed)
    classes = [np.flatnonzero(target == label) for label in (0, 1)]
    values = [
        compute(np.concatenate([random.choice(rows, len(rows)) for rows in classes]))
        for _ in range(resamples)
    ]
    value, reach = compute(np.arange(len(target))), special.ndtri(0.975) * np.std(values, ddof=1)
    low, high = np.clip([value - reach, value + reach], *bounds)
    return float(low), float(high)


def mean_interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float, float]:
    """Mean of independent values and its t interval; a single value has none but itself.

    >>> [round(x, 3) for x in mean_interval(np.array([0.2, 0.4, 0.6]))]
    [0.4, -0.097, 0.897]
    """
    mean = float(values.mean())
    if len(values) < 2:
        return mean, mean, mean
    reach = special.stdtrit(len(values) - 1, (1 + level) / 2) * values.std(ddof=1)
    reach /= np.sqrt(len(values))
    return mean, float(mean - reach), float(mean + reach)
