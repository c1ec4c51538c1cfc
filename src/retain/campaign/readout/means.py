"""Strata of a campaign, and the comparison of two means within them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

MIN_STRATUM_CUSTOMERS = 5
"""Observed customers in either arm below which strata are merged."""
MIN_RISK_GROUP_CUSTOMERS = 20
"""Observed customers in the smaller arm of each risk group of a stratum, on average."""
MAX_RISK_GROUPS = 5
"""Most risk groups of a stratum; five remove about nine tenths of the variance (Cochran 1968)."""


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
    segments, (offers, names) = pd.factorize(segment)[0], pd.factorize(offer)
    codes = np.unique(segments * len(names) + offers, return_inverse=True)[1]
    is_large = np.minimum(*count_arms(codes, treated)) >= MIN_STRATUM_CUSTOMERS
    merged = np.where(is_large, np.cumsum(is_large), 0)
    return np.asarray(merged[codes])


def split_by_risk(stratum: np.ndarray, risk: np.ndarray, treated: np.ndarray) -> np.ndarray:
    """Return strata divided by planned risk into groups of about equal size, shape (n,).

    Post-stratification (Miratrix, Sekhon & Yu 2013) by what was known when the campaign was
    planned: the difference is compared among customers of like risk. A stratum is divided only as
    far as ``MIN_RISK_GROUP_CUSTOMERS`` allows.

    >>> treated = np.arange(80) % 2 == 0
    >>> groups = split_by_risk(np.zeros(80, int), np.linspace(0, 1, 80), treated)
    >>> np.bincount(groups).tolist(), groups[[0, -1]].tolist()
    ([40, 40], [0, 1])
    """
    counts = count_arms(stratum, treated)
    sizes = counts[0] + counts[1]
    n_groups = np.clip(np.minimum(*counts) // MIN_RISK_GROUP_CUSTOMERS, 1, MAX_RISK_GROUPS)
    order = np.lexsort((risk, stratum))
    rank = np.empty(len(stratum), dtype=int)
    rank[order] = np.arange(len(stratum)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    group = rank * n_groups[stratum] // sizes[stratum]
    return np.asarray((np.cumsum(n_groups) - n_groups)[stratum] + group)


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


MIN_VALUES_PER_ARM = 2
"""Values in either arm below which a stratum has no variance."""
MIN_RESIDUALS_PER_ARM = 6
"""Values per arm beyond one per stratum, below which no regression is fitted."""
MIN_RESIDUAL_SHARE = 0.05
"""Smallest 1 − leverage a residual is divided by."""
NEGLIGIBLE_SHARE = 1e-12
"""Standard error taken as rounding, as a share of the largest value."""


@dataclass(frozen=True)
class MeanDifference:
    """Treatment − control per customer: interval, p and standard error."""

    value: float
    low: float
    high: float
    p: float
    standard_error: float


def estimate_mean_difference(
    values: np.ndarray,
    treated: np.ndarray,
    stratum: np.ndarray,
    alpha: float,
    expected: np.ndarray | None = None,
) -> MeanDifference | None:
    """Estimate the weighted difference of means within strata; None if no stratum has two per arm.

    ``expected`` (n,) is what the plan expected of each customer without a contact. The values are
    regressed on it within strata, with a slope for either arm (Lin 2013), so that chance
    differences between the arms that the plan foresaw do not count. The variance is HC3 (MacKinnon
    & White 1985) with Welch-Satterthwaite degrees of freedom. The t statistic is corrected for the
    skewness of the estimate (Johnson 1978; Hall 1992), with the third moment of both arms pooled:
    that of a small control group alone is not known well enough. p is that of the same test: below
    α only if the interval leaves out 0.

    >>> values = np.array([1.0, 2.0, 3.0, 4.0, 2.0, 3.0, 4.0, 5.0])
    >>> found = estimate_mean_difference(values, np.arange(8) > 3, np.zeros(8, int), 0.05)
    >>> found.value, round(found.low, 1), round(found.p, 2)
    (1.0, -1.6, 0.38)
    """
    is_large = np.minimum(*count_arms(stratum, treated)) >= MIN_VALUES_PER_ARM
    rows = is_large[stratum]
    if not rows.any():
        return None
    stratum = (np.cumsum(is_large) - 1)[stratum[rows]]
    design = _build_design(treated[rows], stratum, None if expected is None else expected[rows])
    return design.estimate(values[rows], alpha)


@dataclass(frozen=True)
class _Design:
    """A weighted difference of adjusted means as a linear combination of n values.

    Attributes
    ----------
    treated, cell
        Arm, and stratum × arm, of each value.
    coefficient
        The difference is the sum of coefficient × value.
    regressor
        Deviation of the expected value from the mean of its cell; 0 without regression.
    leverage
        Diagonal of the hat matrix.
    third_moment_weight
        The third central moment of the difference is the sum of this × residual³.
    degrees_of_freedom
        Of the residuals of treated and control.
    """

    treated: np.ndarray
    cell: np.ndarray
    coefficient: np.ndarray
    regressor: np.ndarray
    leverage: np.ndarray
    third_moment_weight: np.ndarray
    degrees_of_freedom: list[int]

    def estimate(self, values: np.ndarray, alpha: float) -> MeanDifference:
        """Return the difference of ``values``, shape (n,), with interval and test."""
        centred = values - values.mean()
        value = float(self.coefficient @ centred)
        residual = self._residuals(centred)
        squares = (self.coefficient * residual / (1 - self.leverage)) ** 2
        variances = [float(squares[arm].sum()) for arm in (self.treated, ~self.treated)]
        error = sum(variances) ** 0.5
        if error <= NEGLIGIBLE_SHARE * float(np.abs(values).max()):
            return MeanDifference(value, value, value, float(value == 0), 0.0)
        cubes = (residual / np.sqrt(1 - self.leverage)) ** 3
        skewness = float(self.third_moment_weight @ cubes) / error**3
        skewness = float(np.clip(skewness, -MAX_SKEWNESS, MAX_SKEWNESS))
        shares = zip(variances, self.degrees_of_freedom, strict=True)
        freedom = error**4 / sum(variance**2 / df for variance, df in shares)
        quantile = float(special.stdtrit(freedom, 1 - alpha / 2))
        low, high = (
            value - error * _from_symmetric(end, skewness) for end in (quantile, -quantile)
        )
        p = 2 * float(special.stdtr(freedom, -abs(_to_symmetric(value / error, skewness))))
        return MeanDifference(value, low, high, p, error)

    def _residuals(self, values: np.ndarray) -> np.ndarray:
        """Return deviations from the cell's mean, less the regression within each arm."""
        residual = np.asarray(values - _cell_means(values, self.cell)[self.cell])
        for arm in (self.treated, ~self.treated):
            regressor = self.regressor[arm]
            spread = float(regressor @ regressor)
            if spread > 0:
                residual[arm] -= regressor * float(regressor @ residual[arm]) / spread
        return residual


def _build_design(treated: np.ndarray, stratum: np.ndarray, expected: np.ndarray | None) -> _Design:
    n_treated, n_control = count_arms(stratum, treated)
    weights = stratum_weights(n_treated, n_control)
    cell = 2 * stratum + treated
    size = np.bincount(cell)[cell]
    moment = weights**3 * (1 / n_treated**2 - 1 / n_control**2) / (n_treated + n_control)
    design = _Design(
        treated=treated,
        cell=cell,
        coefficient=np.where(treated, 1.0, -1.0) * weights[stratum] / size,
        regressor=np.zeros(len(cell)),
        leverage=1 / size,
        third_moment_weight=moment[stratum],
        degrees_of_freedom=[int(arm.sum()) - len(weights) for arm in (treated, ~treated)],
    )
    if expected is not None and min(design.degrees_of_freedom) >= MIN_RESIDUALS_PER_ARM:
        _add_regression(design, stratum, expected)
    return design


def _add_regression(design: _Design, stratum: np.ndarray, expected: np.ndarray) -> None:
    """Adjust the means of either arm to the stratum's mean of ``expected``, in place."""
    deviation = expected - _cell_means(expected, design.cell)[design.cell]
    missing = _cell_means(expected, stratum)[stratum] - expected
    rounding = NEGLIGIBLE_SHARE * float(np.abs(expected).max())
    for index, arm in enumerate((design.treated, ~design.treated)):
        spread = float(deviation[arm] @ deviation[arm])
        if spread <= rounding**2:
            continue
        gap = float(design.coefficient[arm] @ missing[arm])
        design.regressor[arm] = deviation[arm]
        design.coefficient[arm] += gap * deviation[arm] / spread
        design.leverage[arm] += deviation[arm] ** 2 / spread
        design.degrees_of_freedom[index] -= 1
    np.minimum(design.leverage, 1 - MIN_RESIDUAL_SHARE, out=design.leverage)


def _cell_means(values: np.ndarray, cell: np.ndarray) -> np.ndarray:
    return np.asarray(np.bincount(cell, values) / np.maximum(np.bincount(cell), 1))


MAX_SKEWNESS = 1.0
"""That of a sum of which one value makes the whole error; a larger estimate is no skewness."""
MIN_SKEWNESS = 1e-4
"""Skewness below which nothing is corrected."""


def _to_symmetric(t: float, skewness: float) -> float:
    """Return Hall's (1992) transformation of a t statistic, which removes its skewness."""
    if abs(skewness) < MIN_SKEWNESS:
        return t
    return ((1 + skewness * t / 3) ** 3 - 1) / skewness + skewness / 6


def _from_symmetric(quantile: float, skewness: float) -> float:
    """Return the inverse of ``_to_symmetric``.

    >>> round(_from_symmetric(_to_symmetric(1.3, 0.4), 0.4), 6)
    1.3
    """
    if abs(skewness) < MIN_SKEWNESS:
        return quantile
    return 3 * (float(np.cbrt(1 + skewness * (quantile - skewness / 6))) - 1) / skewness
