"""Two means held against each other within strata, by the bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

MIN_STRATUM_CUSTOMERS = 5
"""Observed customers in either arm below which strata are read together."""


class StratumCounts(NamedTuple):
    """Events and customers by stratum and arm, each of shape (strata,)."""

    treated_events: np.ndarray
    treated: np.ndarray
    control_events: np.ndarray
    control: np.ndarray


def assign_strata(segment: pd.Series, offer: pd.Series, treated: np.ndarray) -> np.ndarray:
    """Stratum of each customer, 0, 1 …, shape (n,): segment × offer, the small ones as one.

    Strata of fewer than ``MIN_STRATUM_CUSTOMERS`` in an arm are collapsed (Cochran 1977, 5A.12).
    Every customer had the same chance to be in the control group, so this adds no bias.

    >>> many, few = ["a"] * 10, ["b", "c"]
    >>> treated = np.array([True, False] * 6)
    >>> assign_strata(pd.Series(many + few), pd.Series(many + few), treated).tolist()
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    """
    pairs = pd.DataFrame({"segment": segment.to_numpy(), "offer": offer.to_numpy()})
    codes = pairs.groupby(["segment", "offer"], sort=True).ngroup().to_numpy()
    size = int(codes.max(initial=-1)) + 1
    arms = [np.bincount(codes[arm], minlength=size) for arm in (treated, ~treated)]
    enough = np.minimum(*arms) >= MIN_STRATUM_CUSTOMERS
    renamed = np.where(enough, np.cumsum(enough), 0)
    return np.asarray(renamed[codes])


def count_by_stratum(events: np.ndarray, treated: np.ndarray, stratum: np.ndarray) -> StratumCounts:
    """What happened in each stratum and arm; ``events`` are 1 and 0.

    >>> treated = np.array([True, True, False])
    >>> count_by_stratum(np.array([1, 0, 1]), treated, np.zeros(3, int)).treated
    array([2.])
    """
    size = int(stratum.max(initial=-1)) + 1
    sums = [
        np.bincount(stratum[arm], weights=weights[arm], minlength=size)
        for arm in (treated, ~treated)
        for weights in (events, np.ones(len(events)))
    ]
    return StratumCounts(*sums)


def stratum_weights(treated: np.ndarray, control: np.ndarray) -> np.ndarray:
    """Weight of each stratum in a difference, in all 1: treated × control ÷ both.

    >>> stratum_weights(np.array([80, 8]), np.array([20, 2])).round(3).tolist()
    [0.909, 0.091]
    """
    weight = treated * control / np.maximum(treated + control, 1)
    return np.asarray(weight / weight.sum())


CHUNK_VALUES = 2_000_000
"""Values drawn before they are added up: what is held in memory is bounded."""
MAX_RESAMPLED_VALUES = 2_000
"""Values above which a resample's mean and mean square are drawn from the normal they come to."""
MIN_VALUES_PER_ARM = 2
"""Values in either arm without which a stratum has no spread."""


@dataclass(frozen=True)
class BootstrapSettings:
    """How often and from what seed is resampled, for intervals of level 1 − ``alpha``."""

    alpha: float
    n_resamples: int
    seed: int


@dataclass(frozen=True)
class MeanDifference:
    """Treatment − control per customer, its interval (±inf: unbounded), p, standard error."""

    value: float
    low: float
    high: float
    p: float
    standard_error: float


@dataclass(frozen=True)
class _StratumArm:
    """One arm of a stratum: its values about their mean, and its sign and weight."""

    mean: float
    deviations: np.ndarray
    weight: float

    @property
    def variance(self) -> float:
        """Of the mean, times the weight squared."""
        return self.weight**2 * float(self.deviations @ self.deviations) / len(self.deviations) ** 2


def estimate_mean_difference(
    values: np.ndarray, treated: np.ndarray, stratum: np.ndarray, draws: BootstrapSettings
) -> MeanDifference | None:
    """Weighted difference of means within strata; None where no stratum has two in each arm.

    The interval is the symmetric studentised bootstrap's (Hall 1992, ch. 3), resampled within
    stratum and arm: of skewed money it holds more often than an equal-tailed one, or ± 1.96
    standard errors. p is that of the same test: below α only where the interval leaves out 0.

    >>> values = np.array([1.0, 2.0, 3.0, 4.0, 2.0, 3.0, 4.0, 5.0])
    >>> settings = BootstrapSettings(0.05, 999, 0)
    >>> found = estimate_mean_difference(values, np.arange(8) > 3, np.zeros(8, int), settings)
    >>> found.value, found.low < 0 < found.high
    (1.0, True)
    """
    cells = _split_stratum_arms(values, treated, stratum)
    if not cells:
        return None
    value = sum(cell.weight * cell.mean for cell in cells)
    error = sum(cell.variance for cell in cells) ** 0.5
    if error == 0:
        return MeanDifference(value, value, value, float(value == 0), 0.0)
    drawn = np.abs(
        _resample_t_statistics(cells, draws.n_resamples, np.random.default_rng(draws.seed))
    )
    reach = float(np.quantile(drawn, 1 - draws.alpha, method="inverted_cdf")) * error
    p = (1 + float(np.sum(drawn >= abs(value) / error))) / (1 + draws.n_resamples)
    return MeanDifference(value, value - reach, value + reach, p, error)


def _split_stratum_arms(
    values: np.ndarray, treated: np.ndarray, stratum: np.ndarray
) -> list[_StratumArm]:
    """Both arms of every stratum that has enough of them; the control group's weight is below 0."""
    size = int(stratum.max(initial=-1)) + 1
    arms = [np.bincount(stratum[arm], minlength=size) for arm in (treated, ~treated)]
    enough = np.minimum(*arms) >= MIN_VALUES_PER_ARM
    if not enough.any():
        return []
    share = stratum_weights(*(np.where(enough, arm, 0) for arm in arms))
    cells = []
    for code in np.flatnonzero(enough):
        here = stratum == code
        for arm, sign in ((treated, 1.0), (~treated, -1.0)):
            part = values[here & arm]
            mean = float(part.mean())
            scale = np.sqrt(len(part) / (len(part) - 1))  # the variance of a sample, unbiased
            cells.append(_StratumArm(mean, (part - mean) * scale, sign * float(share[code])))
    return cells


def _resample_t_statistics(
    cells: list[_StratumArm], resamples: int, random: np.random.Generator
) -> np.ndarray:
    """(difference resampled − difference) ÷ its standard error, shape (resamples,)."""
    moved, variance = np.zeros(resamples), np.zeros(resamples)
    for cell in cells:
        mean, mean_square = _resample_moments(cell.deviations, resamples, random)
        moved += cell.weight * mean
        variance += cell.weight**2 * (mean_square - mean**2) / (len(cell.deviations) - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = moved / np.sqrt(np.maximum(variance, 0.0))
    return np.nan_to_num(drawn, nan=0.0, posinf=np.inf, neginf=-np.inf)


def _resample_moments(
    about: np.ndarray, resamples: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and mean square of each resample, some at a time."""
    size = len(about)
    if size > MAX_RESAMPLED_VALUES:
        return _sample_normal_moments(about, resamples, random)
    step = max(1, CHUNK_VALUES // size)
    means, squares = np.empty(resamples), np.empty(resamples)
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        drawn = about[random.integers(0, size, (stop - start, size), dtype=np.uint32)]
        means[start:stop] = drawn.mean(axis=1)
        squares[start:stop] = np.einsum("ij,ij->i", drawn, drawn) / size
    return means, squares


def _sample_normal_moments(
    about: np.ndarray, resamples: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and mean square of resamples so large that both are normal; skewness ties them."""
    second, third, fourth = (float(np.mean(about**power)) for power in (2, 3, 4))
    spread = np.array([[second, third], [third, fourth - second**2]]) / len(about)
    means, squares = random.multivariate_normal((0.0, second), spread, resamples).T
    return means, squares
