"""Contrasts: the features in which a segment differs most from other customers.

Numbers and levels stand on one scale. Cliff's δ of a number is how much oftener a customer inside
has a higher value than one outside than a lower one; of a feature that is 0 or 1 it is the
difference of the two shares, which is what is told of a level.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import special, stats

from retain.campaign.shares import newcombe

MOST_LEVELS = 30
"""Levels of a category that are looked at, most frequent first."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """The difference between a segment and other customers in one feature.

    Attributes
    ----------
    level
        Of a category, the level whose share differs most.
    inside, elsewhere
        Means of a number, shares of a level, among customers whose value is known.
    effect, low, high
        Cliff's δ or the difference of shares, within −1 and 1, with its 95 % interval.
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
        """The measure of ``effect``."""
        return "cliffs_delta" if self.level is None else "difference_of_shares"

    @property
    def direction(self) -> Literal["higher", "lower"]:
        """True if those inside have the higher values, or the level oftener."""
        return "higher" if self.effect > 0 else "lower"


def segment_contrasts(
    features: pd.DataFrame, segments: np.ndarray, most: int = 3
) -> dict[str, list[Contrast]]:
    """Return the ``most`` largest contrasts of each segment, largest first.

    Only those whose interval leaves out 0 and, of numbers, whose means lie in the direction of the
    effect: what is told beside it must not contradict it.

    Parameters
    ----------
    segments
        Segment of each row, shape (n,).

    >>> pages = pd.DataFrame({"pages": [1.0, 2.0, 3.0, 4.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0]})
    >>> found = segment_contrasts(pages, np.repeat(["few", "many"], [4, 6]))["few"][0]
    >>> found.effect, found.direction, found.in_segment, found.high < 0
    (-1.0, 'lower', 2.5, True)
    """
    codes, names = pd.factorize(segments, sort=True)
    found: dict[str, list[Contrast]] = {str(name): [] for name in names}
    for name in features:
        number = pd.api.types.is_numeric_dtype(features[name])
        message = _number_contrasts if number else _level_contrasts
        for place, one in message(str(name), features[name], codes, len(names)):
            if one.low > 0 or one.high < 0:
                found[str(names[place])].append(one)
    return {
        name: sorted(ones, key=lambda one: -abs(one.effect))[:most] for name, ones in found.items()
    }


# --- numbers -------------------------------------------------------------------------------------


def _number_contrasts(
    name: str, values: pd.Series, codes: np.ndarray, segments: int
) -> Iterator[tuple[int, Contrast]]:
    numbers = values.to_numpy(dtype=float)
    known = np.isfinite(numbers)
    numbers, codes = numbers[known], codes[known]
    inside = np.bincount(codes, minlength=segments)
    outside = len(numbers) - inside
    places = np.flatnonzero((inside >= 2) & (outside >= 2))
    ranks = np.bincount(codes, weights=stats.rankdata(numbers), minlength=segments)
    sums = np.bincount(codes, weights=numbers, minlength=segments)
    n, m = inside[places], outside[places]
    auc = (ranks[places] - n * (n + 1) / 2) / (n * m)
    means = sums[places] / n, (numbers.sum() - sums[places]) / m
    low, high = auc_interval(auc, n, m)
    for at in np.flatnonzero((means[0] - means[1]) * (auc - 0.5) > 0):
        message = (means[0], means[1], 2 * auc - 1, 2 * low - 1, 2 * high - 1)
        yield int(places[at]), Contrast(name, None, *(float(one[at]) for one in message))


def auc_interval(auc: np.ndarray, n: np.ndarray, m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """95 % intervals of how often one of ``n`` values is above one of ``m``, ties counted half.

    Newcombe (2006), method 5: the bounds are those θ from which the number found lies 1.96 of
    their own standard errors away, so that the interval of 0 or 1 has a width too, whereas that of
    DeLong et al. has none.

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
    """Yield the level whose share differs most; of equal ones the more frequent inside."""
    found, levels = pd.factorize(values, sort=True)
    known = found >= 0
    cells = np.bincount(found[known] * segments + codes[known], minlength=len(levels) * segments)
    counts = cells.reshape(len(levels), segments)
    inside, totals = counts.sum(axis=0), counts.sum(axis=1)
    looked = np.argsort(-totals, kind="stable")[:MOST_LEVELS]
    for place in np.flatnonzero((inside >= 2) & (inside.sum() - inside >= 2)):
        here, all_here = counts[looked, place], inside[place]
        others, all_others = totals[looked] - here, inside.sum() - all_here
        shares = np.round(here / all_here - others / all_others, 12)
        at = max(range(len(looked)), key=lambda one: (abs(shares[one]), shares[one]))
        message = _compare_shares(int(here[at]), int(all_here), int(others[at]), int(all_others))
        yield int(place), Contrast(name, str(levels[looked[at]]), *message)


def _compare_shares(
    inside: int, all_inside: int, outside: int, all_outside: int
) -> tuple[float, float, float, float, float]:
    """Both shares, their difference and its interval (Newcombe 1998, method 10)."""
    found = newcombe(inside, all_inside, outside, all_outside, float(special.ndtri(0.975)))
    value, low, high = (float(one) for one in found[:3])
    return inside / all_inside, outside / all_outside, value, low, high
