"""Confidence intervals of a metric on one set of customers."""

from __future__ import annotations

import numpy as np
from scipy import special

Interval = tuple[float, float]
Z95 = float(special.ndtri(0.975))
"""Standard errors that a 95 % interval reaches."""


def delong(
    target: np.ndarray, score: np.ndarray, design_effect: float = 1.0
) -> tuple[float, float, float]:
    """Return ROC-AUC on a test set and its 95 % interval; at least two customers of each class.

    DeLong, DeLong & Clarke-Pearson (1988), by placements (Sun & Xu 2014), on the logit scale.
    Without any variance, as for a perfect ranking, Wilson's interval for as many trials as the
    smaller class has customers. ``design_effect`` is the variance over that of unrelated customers.

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
        trials = min(len(positive), len(negative)) / design_effect
        return float(auc), *wilson_bounds(float(auc), trials)
    reach = Z95 * np.sqrt(variance) / (auc * (1 - auc))
    logit, widened = np.log(auc / (1 - auc)), np.sqrt(design_effect)
    low, high = special.expit([logit - reach, logit + reach])
    return float(auc), float(auc - widened * (auc - low)), float(auc + widened * (high - auc))


def wilson_interval(count: int, total: int) -> Interval:
    """Return the 95 % interval of the share ``count / total``, also of 0 and 1.

    Wilson (1927), without continuity correction.

    >>> [round(bound, 3) for bound in wilson_interval(0, 20)]
    [0.0, 0.161]
    """
    return wilson_bounds(count / total, total)


def wilson_bounds(share: float, total: float) -> Interval:
    """Return Wilson's 95 % interval of a share of an effective, maybe fractional, number.

    >>> [round(bound, 3) for bound in wilson_bounds(0.0, 20)]
    [0.0, 0.161]
    """
    spread = Z95**2 / total
    centre = (share + spread / 2) / (1 + spread)
    reach = np.sqrt(share * (1 - share) * spread + spread**2 / 4) / (1 + spread)
    low, high = float(centre - reach), float(centre + reach)
    return max(min(low, share), 0.0), min(max(high, share), 1.0)


def mid_p(share: float, total: float, expected: float) -> float:
    """Return the two-sided binomial mid-p of a share of an effective, maybe fractional, number.

    >>> round(mid_p(0.5, 20, 0.3), 3)
    0.065
    """
    events = share * total
    upper = (_upper_tail(events, total, expected) + _upper_tail(events + 1, total, expected)) / 2
    return float(min(1.0, 2 * min(upper, 1 - upper)))


def _upper_tail(events: float, total: float, share: float) -> float:
    """Return the binomial probability of at least so many events, of any real numbers."""
    if events <= 0:
        return 1.0
    if events > total:
        return 0.0
    return float(special.betainc(events, total - events + 1, share))


def _placement_values(of: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Return the share of ``among`` below each value, in ascending order, ties counted half."""
    of, ordered = np.sort(of), np.sort(among)  # the look-up of sorted values is faster
    low = np.searchsorted(ordered, of, side="left")
    high = np.searchsorted(ordered, of, side="right")
    return (low + high) / (2 * len(among))


def mean_interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float, float]:
    """Return the mean of independent values and its t interval, a single point for one value.

    >>> [round(x, 3) for x in mean_interval(np.array([0.2, 0.4, 0.6]))]
    [0.4, -0.097, 0.897]
    """
    mean = float(values.mean())
    if len(values) < 2:
        return mean, mean, mean
    reach = special.stdtrit(len(values) - 1, (1 + level) / 2) * values.std(ddof=1)
    reach /= np.sqrt(len(values))
    return mean, float(mean - reach), float(mean + reach)
