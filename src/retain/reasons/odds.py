"""A model's own scale brought to log-odds and probability, for shares of a score as for the score.

May import: nothing of the package.

Shares on one scale become shares on another by one factor a row, the difference of the two ends on
the new scale over that on the old (the rescale rule; Shrikumar, Greenside & Kundaje 2017, eq. 5),
so that they still add up. Where the two scales differ by a straight line, that is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

EXACT = 1e-6
"""Difference of two probabilities that counts as none."""
FLAT = 1e-9
"""Distance from the base, in units of the largest, that counts as none."""


@dataclass(frozen=True)
class Scaled:
    """What turns a row's shares of its margin into shares of log-odds and of probability.

    Attributes
    ----------
    log_odds, points
        A factor for each row, shape (n,).
    base
        Probability at the base, one number.
    """

    log_odds: np.ndarray
    points: np.ndarray
    base: float


def scaled(margin: np.ndarray, base: float, probability: np.ndarray, edge: float) -> Scaled:
    """The factors of rows with these margins and probabilities, explained from one base.

    ``edge`` is the least distance of a probability from 0 and 1 that the rows learnt from can
    tell, such as half a customer of them: log-odds have no end, and what was learnt has.

    >>> margin = np.array([-1.0, 2.0])
    >>> found = scaled(margin, 0.0, special.expit(margin), edge=1e-9)
    >>> found.log_odds.round(6).tolist(), round(found.base, 6)
    ([1.0, 1.0], 0.5)
    """
    line = _line(margin, probability)
    if line is not None:
        slope, shift = line
        at_base = float(special.expit(slope * base + shift))
        factor = np.full(len(margin), slope)
    else:
        at_base = _read_off(margin, base, probability)
        ends = special.logit(np.clip(probability, edge, 1 - edge))
        factor = _factor(margin - base, ends - special.logit(np.clip(at_base, edge, 1 - edge)))
    return Scaled(factor, _factor(margin - base, probability - at_base), at_base)


def _line(margin: np.ndarray, probability: np.ndarray) -> tuple[float, float] | None:
    """Slope and shift of log-odds over the margin where they lie on a line, else None.

    So do a booster's, a linear model's, and either's behind a logistic curve.
    """
    inside = (probability > FLAT) & (probability < 1 - FLAT)
    if _alike(margin, probability) or not inside.any() or np.ptp(margin[inside]) == 0:
        return None
    x, y = margin[inside], special.logit(probability[inside])
    low, high = np.argmin(x), np.argmax(x)
    slope = float((y[high] - y[low]) / (x[high] - x[low]))
    shift = float(y[low] - slope * x[low])
    straight = _alike(special.expit(slope * margin + shift), probability)
    return (slope, shift) if straight else None


def _read_off(margin: np.ndarray, base: float, probability: np.ndarray) -> float:
    """The probability at the base: the base itself if it is one, else between those of rows."""
    if _alike(margin, probability):
        return float(base)
    order = np.argsort(margin)
    return float(np.interp(base, margin[order], probability[order]))


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.abs(one - other).max() < EXACT)


def _factor(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """New distance over old; for a row at the base itself, that of the rows in the mean."""
    far = np.abs(old) > FLAT * max(float(np.abs(old).max(initial=0.0)), FLAT)
    if not far.any():
        return np.zeros(len(old))
    usual = float(np.abs(new[far]).sum() / np.abs(old[far]).sum())
    return np.where(far, new / np.where(far, old, 1.0), usual)
