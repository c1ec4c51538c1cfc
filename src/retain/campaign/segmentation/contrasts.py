"""Contrasts: the features in which a segment differs most from other customers.

Numbers have Cliff's δ, levels the difference of shares. Both are on one scale: Cliff's δ of a
feature with values 0 and 1 is the difference of shares.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import special, stats

from retain.campaign.proportions import newcombe

MOST_LEVELS = 30
"""Number of levels of a category considered, most frequent first."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """The difference between a segment and other customers in one feature.

    Attributes
    ----------
    level
        The level of a category with the largest difference of shares.
    in_segment, elsewhere
        Means of a number or shares of a level, among observed values.
    effect, low, high
        Cliff's δ or the difference of shares, within [−1, 1], with its 95 % interval.
    """

    feature: str
    level: str | None
    in_segment: float
    elsewhere: float
    effect: float
    low: float
    high: float

    @property
    def measure(self) -> Literal["cliffs_delta", "difference_of_shares"]:
        """Measure of ``effect``."""
        return "cliffs_delta" if self.level is None else "difference_of_shares"

    @property
    def direction(self) -> Literal["higher", "lower"]:
        """Direction of the values, or of the share of the level, in the segment."""
        return "higher" if self.effect > 0 else "lower"


def segment_contrasts(
    features: pd.DataFrame, segments: np.ndarray, most: int = 3
) -> dict[str, list[Contrast]]:
    """Return the ``most`` largest contrasts of each segment, largest first.

    Only contrasts whose interval excludes 0 and, for numbers, whose means differ in the direction
    of the effect, so that the displayed means do not contradict it.

    Parameters
    ----------
    segments
        Segment of each row, shape (n,).

    >>> pages = pd.DataFrame({"pages": [1.0, 2.0, 3.0, 4.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0]})
    >>> few = segment_contrasts(pages, np.repeat(["few", "many"], [4, 6]))["few"][0]
    >>> few.effect, few.direction, few.in_segment, few.high < 0
    (-1.0, 'lower', 2.5, True)
    """
    codes, names = pd.factorize(segments, sort=True)
    by_segment: dict[str, list[Contrast]] = {str(name): [] for name in names}
    for name in features:
        number = pd.api.types.is_numeric_dtype(features[name])
        contrasts = _number_contrasts if number else _level_contrasts
        for segment, one in contrasts(str(name), features[name], codes, len(names)):
            if one.low > 0 or one.high < 0:
                by_segment[str(names[segment])].append(one)
    return {
        name: sorted(ones, key=lambda one: -abs(one.effect))[:most]
        for name, ones in by_segment.items()
    }


# --- numbers -------------------------------------------------------------------------------------


def _number_contrasts(
    name: str, values: pd.Series, codes: np.ndarray, segments: int
) -> Iterator[tuple[int, Contrast]]:
    numbers = values.to_numpy(dtype=float)
    observed = np.isfinite(numbers)
    numbers, codes = numbers[observed], codes[observed]
    inside = np.bincount(codes, minlength=segments)
    outside = len(numbers) - inside
    large = np.flatnonzero((inside >= 2) & (outside >= 2))
    ranks = np.bincount(codes, weights=stats.rankdata(numbers), minlength=segments)
    sums = np.bincount(codes, weights=numbers, minlength=segments)
    n, m = inside[large], outside[large]
    auc = (ranks[large] - n * (n + 1) / 2) / (n * m)
    means = sums[large] / n, (numbers.sum() - sums[large]) / m
    low, high = auc_interval(auc, n, m)
    for index in np.flatnonzero((means[0] - means[1]) * (auc - 0.5) > 0):
        estimates = (means[0], means[1], 2 * auc - 1, 2 * low - 1, 2 * high - 1)
        yield int(large[index]), Contrast(name, None, *(float(one[index]) for one in estimates))


def auc_interval(auc: np.ndarray, n: np.ndarray, m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return 95 % intervals of the AUC of ``n`` against ``m`` values, ties counted half.

    Newcombe (2006), method 5: the AUC is 1.96 standard errors of the bound away from each bound.
    So the interval of an AUC of 0 or 1 has a positive width, unlike that of DeLong et al.

    >>> [round(float(bound[0]), 3) for bound in auc_interval(np.ones(1), np.array([5]), 20)]
    [0.761, 1.0]
    """
    bounds = []
    for end in (0.0, 1.0):
        outer, inner = np.full(auc.shape, end), auc.copy()
        for _ in range(50):
            middle = (outer + inner) / 2
            far = np.abs(auc - middle) > special.ndtri(0.975) * _auc_error(middle, n, m)
            outer, inner = np.where(far, middle, outer), np.where(far, inner, middle)
        bounds.append(outer)
    return bounds[0], bounds[1]


def _auc_error(auc: np.ndarray, n: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Return standard errors of AUC (Hanley & McNeil 1982, mean sizes in the numerator)."""
    size = (n + m) / 2 - 1
    spread = 1 + size * ((1 - auc) / (2 - auc) + auc / (1 + auc))
    return np.asarray(np.sqrt(auc * (1 - auc) * spread / (n * m)))


# --- levels --------------------------------------------------------------------------------------


def _level_contrasts(
    name: str, values: pd.Series, codes: np.ndarray, segments: int
) -> Iterator[tuple[int, Contrast]]:
    """Yield the level with the largest difference of shares; of ties the more frequent inside."""
    own, levels = pd.factorize(values, sort=True)
    observed = own >= 0
    cells = np.bincount(
        own[observed] * segments + codes[observed], minlength=len(levels) * segments
    )
    counts = cells.reshape(len(levels), segments)
    inside, totals = counts.sum(axis=0), counts.sum(axis=1)
    frequent = np.argsort(-totals, kind="stable")[:MOST_LEVELS]
    for segment in np.flatnonzero((inside >= 2) & (inside.sum() - inside >= 2)):
        count, size = counts[frequent, segment], inside[segment]
        others, all_others = totals[frequent] - count, inside.sum() - size
        shares = np.round(count / size - others / all_others, 12)
        top = max(range(len(frequent)), key=lambda one: (abs(shares[one]), shares[one]))
        estimates = _compare_shares(int(count[top]), int(size), int(others[top]), int(all_others))
        yield int(segment), Contrast(name, str(levels[frequent[top]]), *estimates)


def _compare_shares(
    inside: int, all_inside: int, outside: int, all_outside: int
) -> tuple[float, float, float, float, float]:
    """Return both shares, their difference and its interval (Newcombe 1998, method 10)."""
    interval = newcombe(inside, all_inside, outside, all_outside, float(special.ndtri(0.975)))
    value, low, high = (float(one) for one in interval[:3])
    return inside / all_inside, outside / all_outside, value, low, high
