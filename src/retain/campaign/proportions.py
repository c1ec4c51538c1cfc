"""Comparison of two shares: difference, interval and p-value."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

Counts = np.ndarray | int


class RateDifference(NamedTuple):
    """Treatment − control, its interval, and the p-value of no difference."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray


def wilson(events: Counts, total: Counts, z: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of a share, without continuity correction (Wilson 1927).

    >>> [round(float(bound), 3) for bound in wilson(0, 20, 1.96)]
    [0.0, 0.161]
    """
    events, total = np.asarray(events, dtype=float), np.asarray(total, dtype=float)
    share, spread = events / total, z * z / total
    centre = (share + spread / 2) / (1 + spread)
    reach = np.sqrt(share * (1 - share) * spread + spread**2 / 4) / (1 + spread)
    return np.maximum(centre - reach, 0.0), np.minimum(centre + reach, 1.0)


def newcombe(
    treated_events: Counts, treated: Counts, control_events: Counts, control: Counts, z: float
) -> RateDifference:
    """Return the difference of two independent shares (Newcombe 1998, method 10, hybrid score).

    p inverts the interval: it is below α if and only if the interval of level 1 − α excludes 0.

    >>> difference = newcombe(56, 70, 48, 80, 1.959964)
    >>> [round(float(number), 4) for number in difference]
    [0.2, 0.0524, 0.3339, 0.0081]
    """
    counts = (treated_events, treated, control_events, control)
    a, m, b, n = (np.asarray(count, dtype=float) for count in counts)
    value = a / m - b / n
    below, above = _lower_distance(a, m, b, n, z), _lower_distance(b, n, a, m, z)
    return RateDifference(value, value - below, value + above, _p_value(a, m, b, n))


def _lower_distance(
    a: np.ndarray, m: np.ndarray, b: np.ndarray, n: np.ndarray, z: np.ndarray | float
) -> np.ndarray:
    """Return the distance of the interval's lower end below the difference."""
    return np.asarray(np.hypot(a / m - wilson(a, m, z)[0], wilson(b, n, z)[1] - b / n))


def _p_value(a: np.ndarray, m: np.ndarray, b: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return the p-value at which the interval ends at 0, by ever finer grids of z."""
    a, m, b, n = np.broadcast_arrays(a, m, b, n)
    falls = a * n < b * m  # the upper end reaches 0, so swap the shares
    a, b = np.where(falls, b, a), np.where(falls, a, b)
    m, n = np.where(falls, n, m), np.where(falls, m, n)
    a, m, b, n = (counts[..., None] for counts in (a, m, b, n))
    value, low, step = a / m - b / n, np.zeros(a.shape), 40.0
    for _ in range(5):
        step /= 512
        reaches = _lower_distance(a, m, b, n, low + step * np.arange(1, 513)) >= value
        low = low + step * (~reaches).sum(axis=-1, keepdims=True)
    p = np.where(value == 0, 1.0, 2 * special.ndtr(-(low + step)))
    return np.asarray(p[..., 0])


def mantel_haenszel(
    treated_events: np.ndarray,
    treated: np.ndarray,
    control_events: np.ndarray,
    control: np.ndarray,
    z: float,
) -> RateDifference:
    """Return the difference of shares within strata (last axis).

    Weights are treated × control ÷ (treated + control).
    These weights are efficient if the differences are equal, are nearly proportional to the sizes
    of strata with equal control shares, and are 0 for a stratum that lacks an arm. The interval
    inverts the test with Sato's (1989) variance, which is valid for few large and for many small
    strata (Klingenberg 2014).

    >>> one, both = np.array([10, 4]), np.array([50, 40])
    >>> [round(float(x), 3) for x in mantel_haenszel(one, both, one + 8, both, 1.96)]
    [-0.178, -0.296, -0.052, 0.006]
    """
    arrays = (treated_events, treated, control_events, control)
    x, m, y, n = (np.asarray(count, dtype=float) for count in arrays)
    both = np.maximum(m + n, 1.0)
    weight = (m * n / both).sum(axis=-1)
    value = ((x * n - y * m) / both).sum(axis=-1) / weight
    slope = (m**2 * y - n**2 * x + m * n * (n - m) / 2) / both**2
    fixed = (x * (n - y) + y * (m - x)) / (2 * both)
    slope, fixed = (part.sum(axis=-1) / weight**2 for part in (slope, fixed))
    middle = value + z * z * slope / 2
    reach = np.sqrt(np.maximum(middle**2 - value**2 + z * z * fixed, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where(value == 0, 1.0, 2 * special.ndtr(-np.abs(value) / np.sqrt(fixed)))
    return RateDifference(value, middle - reach, middle + reach, p)


def null_error(
    treated_events: np.ndarray, treated: np.ndarray, control_events: np.ndarray, control: np.ndarray
) -> np.ndarray:
    """Return the standard error of the weighted difference under no effect, by stratum.

    The pooled share has half a case added to either outcome, so that the error is above 0.
    """
    arrays = (treated_events, treated, control_events, control)
    x, m, y, n = (np.asarray(count, dtype=float) for count in arrays)
    both = np.maximum(m + n, 1.0)
    share = (x + y + 0.5) / (both + 1)
    weight = m * n / both
    return np.asarray(np.sqrt((weight * share * (1 - share)).sum(axis=-1)) / weight.sum(axis=-1))
