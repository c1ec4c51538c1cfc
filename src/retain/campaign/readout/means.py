"""Comparison of two means within strata, by the bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

MIN_STRATUM_CUSTOMERS = 5
"""Observed customers in either arm below which strata are merged."""


class StratumCounts(NamedTuple):
    """Events and customers by stratum and arm, each of shape (strata,)."""

    treated_events: np.ndarray
    treated: np.ndarray
    control_events: np.ndarray
    control: np.ndarray


def assign_strata(segment: pd.Series, offer: pd.Series, treated: np.ndarray) -> np.ndarray:
    """Return the stratum of each customer, 0, 1 …, shape (n,): segment × offer, small ones merged.

    Strata of fewer than ``MIN_STRATUM_CUSTOMERS`` in an arm are collapsed (Cochran 1977, 5A.12).
    All customers had the same chance to be in the control group, so this adds no bias.

    >>> many, few = ["a"] * 10, ["b", "c"]
    >>> treated = np.array([True, False] * 6)
    >>> assign_strata(pd.Series(many + few), pd.Series(many + few), treated).tolist()
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    """
    pairs = pd.DataFrame({"segment": segment.to_numpy(), "offer": offer.to_numpy()})
    codes = pairs.groupby(["segment", "offer"], sort=True).ngroup().to_numpy()
    is_large = np.minimum(*count_arms(codes, treated)) >= MIN_STRATUM_CUSTOMERS
    merged = np.where(is_large, np.cumsum(is_large), 0)
    return np.asarray(merged[codes])


def count_arms(stratum: np.ndarray, treated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of treated and of control customers in each stratum."""
    size = int(stratum.max(initial=-1)) + 1
    return (
        np.bincount(stratum[treated], minlength=size),
        np.bincount(stratum[~treated], minlength=size),
    )


def count_by_stratum(events: np.ndarray, treated: np.ndarray, stratum: np.ndarray) -> StratumCounts:
    """Count events, which are 1 or 0, and customers in each stratum and arm.

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
    """Return the weight of each stratum in a difference, in total 1: treated × control ÷ both.

    >>> stratum_weights(np.array([80, 8]), np.array([20, 2])).round(3).tolist()
    [0.909, 0.091]
    """
    weight = treated * control / np.maximum(treated + control, 1)
    return np.asarray(weight / weight.sum())


CHUNK_VALUES = 2_000_000
"""Values resampled at once, to bound memory."""
MAX_RESAMPLED_VALUES = 2_000
"""Values above which a resample's mean and mean square are sampled from their normal limit."""
MIN_VALUES_PER_ARM = 2
"""Values in either arm below which a stratum has no variance."""


@dataclass(frozen=True)
class BootstrapSettings:
    """Number of resamples and seed of intervals of level 1 − ``alpha``."""

    alpha: float
    n_resamples: int
    seed: int


@dataclass(frozen=True)
class MeanDifference:
    """Treatment − control per customer: interval (±inf: unbounded), p and standard error."""

    value: float
    low: float
    high: float
    p: float
    standard_error: float


@dataclass(frozen=True)
class _StratumArm:
    """One arm of a stratum: mean, deviations from it, and signed weight."""

    mean: float
    deviations: np.ndarray
    weight: float

    @property
    def variance(self) -> float:
        """Variance of the mean, times the squared weight."""
        return self.weight**2 * float(self.deviations @ self.deviations) / len(self.deviations) ** 2


def estimate_mean_difference(
    values: np.ndarray, treated: np.ndarray, stratum: np.ndarray, settings: BootstrapSettings
) -> MeanDifference | None:
    """Estimate the weighted difference of means within strata; None if no stratum has two per arm.

    The interval is the symmetric studentised bootstrap's (Hall 1992, ch. 3), resampled within
    stratum and arm: for skewed money it holds the truth more often than an equal-tailed one, or ±
    1.96 standard errors. p is that of the same test: below α only if the interval leaves out 0.

    >>> values = np.array([1.0, 2.0, 3.0, 4.0, 2.0, 3.0, 4.0, 5.0])
    >>> settings = BootstrapSettings(0.05, 999, 0)
    >>> found = estimate_mean_difference(values, np.arange(8) > 3, np.zeros(8, int), settings)
    >>> found.value, found.low < 0 < found.high
    (1.0, True)
    """
    arms = _split_stratum_arms(values, treated, stratum)
    if not arms:
        return None
    value = sum(arm.weight * arm.mean for arm in arms)
    error = sum(arm.variance for arm in arms) ** 0.5
    if error == 0:
        return MeanDifference(value, value, value, float(value == 0), 0.0)
    samples = np.abs(
        _resample_t_statistics(arms, settings.n_resamples, np.random.default_rng(settings.seed))
    )
    reach = float(np.quantile(samples, 1 - settings.alpha, method="inverted_cdf")) * error
    p = (1 + float(np.sum(samples >= abs(value) / error))) / (1 + settings.n_resamples)
    return MeanDifference(value, value - reach, value + reach, p, error)


def _split_stratum_arms(
    values: np.ndarray, treated: np.ndarray, stratum: np.ndarray
) -> list[_StratumArm]:
    """Return both arms of every large enough stratum; the weight of the control is negative."""
    counts = count_arms(stratum, treated)
    is_large = np.minimum(*counts) >= MIN_VALUES_PER_ARM
    if not is_large.any():
        return []
    weights = stratum_weights(*(np.where(is_large, count, 0) for count in counts))
    arms = []
    for code in np.flatnonzero(is_large):
        in_stratum = stratum == code
        for in_arm, sign in ((treated, 1.0), (~treated, -1.0)):
            selected = values[in_stratum & in_arm]
            mean = float(selected.mean())
            scale = np.sqrt(len(selected) / (len(selected) - 1))  # for the unbiased variance
            arms.append(_StratumArm(mean, (selected - mean) * scale, sign * float(weights[code])))
    return arms


def _resample_t_statistics(
    arms: list[_StratumArm], resamples: int, random: np.random.Generator
) -> np.ndarray:
    """Return (resampled difference − difference) ÷ its standard error, shape (resamples,)."""
    difference, variance = np.zeros(resamples), np.zeros(resamples)
    for arm in arms:
        mean, mean_square = _resample_moments(arm.deviations, resamples, random)
        difference += arm.weight * mean
        variance += arm.weight**2 * (mean_square - mean**2) / (len(arm.deviations) - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        samples = difference / np.sqrt(np.maximum(variance, 0.0))
    return np.nan_to_num(samples, nan=0.0, posinf=np.inf, neginf=-np.inf)


def _resample_moments(
    deviations: np.ndarray, resamples: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and mean square of each resample, chunk by chunk."""
    size = len(deviations)
    if size > MAX_RESAMPLED_VALUES:
        return _sample_normal_moments(deviations, resamples, random)
    step = max(1, CHUNK_VALUES // size)
    means, squares = np.empty(resamples), np.empty(resamples)
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        samples = deviations[random.integers(0, size, (stop - start, size), dtype=np.uint32)]
        means[start:stop] = samples.mean(axis=1)
        squares[start:stop] = np.einsum("ij,ij->i", samples, samples) / size
    return means, squares


def _sample_normal_moments(
    deviations: np.ndarray, resamples: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Sample mean and mean square of large resamples, which are jointly normal."""
    second, third, fourth = (float(np.mean(deviations**power)) for power in (2, 3, 4))
    spread = np.array([[second, third], [third, fourth - second**2]]) / len(deviations)
    means, squares = random.multivariate_normal((0.0, second), spread, resamples).T
    return means, squares
