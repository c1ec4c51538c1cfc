"""The comparison of two means within strata, with covariates."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from retain.campaign.readout.strata import count_arms, stratum_weights

MIN_VALUES_PER_ARM = 2
"""Values in either arm below which a stratum has no variance."""
MIN_RESIDUALS_PER_ARM = 6
"""Values per arm beyond one per stratum, below which no regression is fitted."""
MIN_VALUES_PER_COVARIATE = 10
"""Values per arm that each further covariate needs."""
COLLINEAR_SHARE = 1e-6
"""Length of a direction of the covariates as a share of the longest, below which it is none."""
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


def estimate_mean_difference(  # noqa: PLR0913 - what was seen, and what was known before
    values: np.ndarray,
    treated: np.ndarray,
    stratum: np.ndarray,
    alpha: float,
    expected: np.ndarray | None = None,
    *,
    propensity: np.ndarray | None = None,
) -> MeanDifference | None:
    """Estimate the weighted difference of means within strata, None if its error is unknown.

    That is where no stratum has two values in either arm, or these are all alike.

    ``expected`` is what was expected of each customer without a contact, shape (n,), or covariates,
    shape (n, p). The values are regressed on it within strata, with a slope for either arm (Lin
    2013), so that chance differences between the arms that it foretells do not count. The variance
    is HC3 (MacKinnon & White 1985) with Welch-Satterthwaite degrees of freedom. The t statistic is
    corrected for the skewness of the estimate (Johnson 1978; Hall 1992), with the third moment of
    both arms pooled: that of a small control group alone is not known well enough. p is that of the
    same test: below α only if the interval leaves out 0.

    ``propensity`` is the probability of treatment, shape (n,), where it differs. The difference is
    then that among the treated: strata are weighted by them, and the control group within strata by
    the odds of treatment. Third moments are then those of each arm: the shares differ with the
    risk, and where nearly all decline without a contact the arms are most unlike.

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
    expected, propensity = (None if x is None else x[rows] for x in (expected, propensity))
    design = _build_design(treated[rows], stratum, expected, propensity)
    return design.estimate(values[rows], alpha)


@dataclass(frozen=True)
class _Design:
    """A weighted difference of adjusted means as a linear combination of n values.

    Attributes
    ----------
    treated, cell
        Arm, and stratum × arm, of each value.
    weight
        Weight of each value in the mean of its cell.
    coefficient
        The difference is the sum of coefficient × value.
    regressor
        Orthonormal basis, in either arm, of deviations of covariates from the mean of their cell,
        shape (n, p); p is 0 without regression.
    leverage
        Diagonal of the hat matrix.
    third_moment_weight
        The third central moment of the difference is the sum of this × residual³.
    degrees_of_freedom
        Of the residuals of treated and control.
    """

    treated: np.ndarray
    cell: np.ndarray
    weight: np.ndarray
    coefficient: np.ndarray
    regressor: np.ndarray
    leverage: np.ndarray
    third_moment_weight: np.ndarray
    degrees_of_freedom: list[int]

    def estimate(self, values: np.ndarray, alpha: float) -> MeanDifference | None:
        """Return the difference of ``values``, shape (n,), with interval and test."""
        centred = values - values.mean()
        value = float(self.coefficient @ centred)
        residual = self._residuals(centred)
        squares = (self.coefficient * residual / (1 - self.leverage)) ** 2
        variances = [float(squares[arm].sum()) for arm in (self.treated, ~self.treated)]
        error = sum(variances) ** 0.5
        if error <= NEGLIGIBLE_SHARE * float(np.abs(values).max()):
            return None  # alike within each arm: no error is known, which is not an error of 0
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
        residual = np.asarray(values - _cell_means(values, self.cell, self.weight)[self.cell])
        for arm in (self.treated, ~self.treated):
            basis = self.regressor[arm]
            residual[arm] -= basis @ (basis.T @ residual[arm])
        return residual


def _build_design(
    treated: np.ndarray,
    stratum: np.ndarray,
    expected: np.ndarray | None,
    propensity: np.ndarray | None,
) -> _Design:
    n_treated, n_control = count_arms(stratum, treated)
    weights, weight = stratum_weights(n_treated, n_control), np.ones(len(stratum))
    if propensity is not None:
        weights = n_treated / n_treated.sum()
        weight[~treated] = propensity[~treated] / (1 - propensity[~treated])
    cell = 2 * stratum + treated
    share = weight / np.bincount(cell, weight)[cell]
    coefficient = np.where(treated, 1.0, -1.0) * weights[stratum] * share
    moment = weights**3 * (1 / n_treated**2 - 1 / n_control**2) / (n_treated + n_control)
    design = _Design(
        treated=treated,
        cell=cell,
        weight=weight,
        coefficient=coefficient,
        regressor=np.empty((len(cell), 0)),
        leverage=share,
        third_moment_weight=moment[stratum] if propensity is None else coefficient**3,
        degrees_of_freedom=[int(arm.sum()) - len(weights) for arm in (treated, ~treated)],
    )
    if expected is not None:
        covariates = expected.reshape(len(cell), -1)
        needed = MIN_RESIDUALS_PER_ARM + MIN_VALUES_PER_COVARIATE * (covariates.shape[1] - 1)
        if covariates.shape[1] > 0 and min(design.degrees_of_freedom) >= needed:
            return _add_regression(design, stratum, covariates, propensity)
    return design


def _add_regression(
    design: _Design, stratum: np.ndarray, covariates: np.ndarray, propensity: np.ndarray | None
) -> _Design:
    """Return the design with the means of either arm adjusted to the stratum's mean covariates."""
    everyone = np.ones(len(stratum)) if propensity is None else propensity
    deviation = covariates - _cell_means(covariates, design.cell, design.weight)[design.cell]
    missing = _cell_means(covariates, stratum, everyone)[stratum] - covariates
    rounding = NEGLIGIBLE_SHARE * float(np.abs(covariates).max())
    coefficient, leverage = design.coefficient.copy(), design.leverage.copy()
    regressor, freedom = np.zeros(covariates.shape), list(design.degrees_of_freedom)
    for index, arm in enumerate((design.treated, ~design.treated)):
        basis, length, axes = np.linalg.svd(deviation[arm], full_matrices=False)
        is_used = length > max(rounding, COLLINEAR_SHARE * length[0])
        basis = basis[:, is_used]
        gap = axes[is_used] @ (design.coefficient[arm] @ missing[arm]) / length[is_used]
        coefficient[arm] += basis @ gap
        leverage[arm] += (basis**2).sum(axis=1)
        regressor[arm, : basis.shape[1]] = basis
        freedom[index] -= basis.shape[1]
    return replace(
        design,
        coefficient=coefficient,
        regressor=regressor,
        leverage=np.minimum(leverage, 1 - MIN_RESIDUAL_SHARE),
        degrees_of_freedom=freedom,
    )


def _cell_means(values: np.ndarray, cell: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the mean of each cell, of values of shape (n,) or of each column of (n, p)."""
    columns = values.reshape(len(cell), -1).T
    sums = np.stack([np.bincount(cell, weight * column) for column in columns], axis=1)
    totals = np.bincount(cell, weight)
    means = sums / np.where(totals > 0, totals, 1.0)[:, None]
    return np.asarray(means[:, 0] if values.ndim == 1 else means)


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
