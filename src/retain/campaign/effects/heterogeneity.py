"""Evidence that effects differ between customers, and the shrinkage of learned effects by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from retain.campaign.effects.simultaneous import simultaneous_estimates
from retain.record.estimates import Estimate
from retain.verdict.paired import holm

FOLD_DEPENDENCE = 2.0
"""Variance of a slope pooled over folds, as a multiple of what independent folds would give.

Each pair of folds counts twice, as what is learned from the one agrees with the other and the
reverse; for a linear learner the two are the same number.
"""
LEVEL = 0.05


@dataclass(frozen=True)
class Shrinkage:
    """Learned effects drawn to the mean: mean + factor · (effect − centre), each (arms,).

    ``mean`` is the arm's mean effect, ``centre`` the mean of what was predicted; ``relative_error``
    is the standard error of the slope behind the factor, as a share of it, 0 where the factor is 0.
    """

    mean: np.ndarray
    factor: np.ndarray
    centre: np.ndarray
    relative_error: np.ndarray

    def apply(self, effects: np.ndarray) -> np.ndarray:
        """Return the shrunk effects, shape (n, arms)."""
        return np.asarray(self.mean + self.factor * (effects - self.centre))

    def limit(self, shown: np.ndarray) -> Shrinkage:
        """Return the same without differences in the arms (arms,) for which none is shown."""
        factor, error = (np.where(shown, one, 0.0) for one in (self.factor, self.relative_error))
        return replace(self, factor=factor, relative_error=error)


@dataclass(frozen=True)
class ArmHeterogeneity:
    """Evidence that an arm's effect differs between customers.

    Attributes
    ----------
    slope
        Of the contrasts on the effects predicted from earlier folds: 1 if the predicted
        differences are right, 0 if there are none.
    autoc
        Area under the curve of the targeting operator: how much larger the effect is on those
        ranked first than on all, averaged over the share of customers ranked first.
    p, autoc_p
        One-sided, of no heterogeneity, corrected for the number of arms.
    """

    arm: str
    slope: Estimate
    p: float
    autoc: Estimate
    autoc_p: float


def fit_shrinkage(
    contrasts: np.ndarray, effects: np.ndarray, fold: np.ndarray, alpha: float = LEVEL
) -> Shrinkage:
    """Return the shrinkage of effects (n, arms), predicted out of fold, by their calibration.

    The factor is the slope b of the best linear predictor (Chernozhukov et al. 2018, generic
    machine learning inference), clipped to [0, 1], times 1 − 1 ÷ z² (James & Stein 1961), z being
    the slope over its standard error. It is 0 where the slope is not above 0 at level ``alpha``.
    """
    factor, centre, relative_error = (np.zeros(effects.shape[1]) for _ in range(3))
    for arm in range(1, effects.shape[1]):
        rows = np.isfinite(contrasts[:, arm]) & np.isfinite(effects[:, arm])
        centre[arm] = effects[:, arm].mean()
        slope, error = calibration_slope(contrasts[rows, arm], effects[rows, arm], fold[rows])
        z = slope / (error * np.sqrt(FOLD_DEPENDENCE)) if error > 0 else 0.0
        if z > special.ndtri(1 - alpha):
            factor[arm] = min(slope, 1.0) * (1 - 1 / z**2)
            relative_error[arm] = 1 / z
    return Shrinkage(np.nanmean(contrasts, axis=0), factor, centre, relative_error)


def calibration_slope(
    contrasts: np.ndarray, effects: np.ndarray, fold: np.ndarray | None = None
) -> tuple[float, float]:
    """Return the slope of contrasts on effects, and its HC3 error; 0 and 0 for equal effects.

    Means are taken within folds: an effect predicted from the other folds is high where the
    fold's own mean is low by chance.

    >>> calibration_slope(np.array([5.0, 7.0, 9.0]), np.array([0.0, 1.0, 2.0]))
    (2.0, 0.0)
    """
    fold = np.zeros(len(effects), dtype=int) if fold is None else fold
    counts = np.maximum(np.bincount(fold), 1)
    x, y = (v - (np.bincount(fold, v) / counts)[fold] for v in (effects, contrasts))
    spread = float(x @ x)
    if spread <= len(x) * (1e-9 * np.abs(effects).max(initial=0.0)) ** 2:
        return 0.0, 0.0
    slope = float(x @ y) / spread
    leverage = x**2 / spread + 1 / counts[fold]
    residual = (y - slope * x) / np.maximum(1 - leverage, 1e-6)
    return slope, float(np.sqrt(x**2 @ residual**2)) / spread


def targeting_area(contrasts: np.ndarray, effects: np.ndarray) -> tuple[float, float]:
    """Return AUTOC of a ranking by predicted effect, and its standard error.

    The rank-weighted average effect with weights −log(u) − 1, u being the share of customers
    ranked as high (Yadlowsky et al. 2025). The error is that of its influence function, in which
    the ranks vary, too, scaled as in HC3. Equal effects share their weights: a constant has area 0.
    """
    n = len(effects)
    order = np.argsort(-effects, kind="stable")
    group = np.cumsum(np.diff(effects[order], prepend=effects[order][0]) != 0)
    size = np.bincount(group)
    harmonic = np.cumsum(1 / np.arange(n, 0, -1))[::-1]
    weight = (np.bincount(group, harmonic) / size)[group] - 1
    gain = contrasts[order] - contrasts.mean()
    area = float(weight @ gain) / n
    level = (np.bincount(group, gain) / size)[group] / np.arange(1, n + 1)
    tail = np.cumsum(level[::-1])[::-1]
    influence = weight * gain - tail
    leverage = weight**2 / max(float(weight @ weight), 1e-300) + 1 / n
    influence = (influence - influence.mean()) / np.maximum(1 - leverage, 1e-6)
    return area, float(np.sqrt(influence @ influence)) / n


Statistic = Callable[[np.ndarray, np.ndarray], tuple[float, float]]


def measure_heterogeneity(
    arms: Sequence[str],
    contrasts: np.ndarray,
    effects: np.ndarray,
    fold: np.ndarray,
) -> tuple[ArmHeterogeneity, ...]:
    """Return the tests of each arm, from effects predicted by models of earlier folds alone."""
    found = []
    for arm in range(1, len(arms)):
        rows = np.isfinite(contrasts[:, arm]) & np.isfinite(effects[:, arm])
        columns = contrasts[rows, arm], effects[rows, arm], fold[rows]
        slope, p = combine_folds(calibration_slope, *columns)
        autoc, autoc_p = combine_folds(targeting_area, *columns)
        found.append(ArmHeterogeneity(arms[arm], slope, p, autoc, autoc_p))
    adjusted = (holm(np.array([getattr(one, p) for one in found])) for p in ("p", "autoc_p"))
    return tuple(
        replace(one, p=float(p), autoc_p=float(autoc_p))
        for one, p, autoc_p in zip(found, *adjusted, strict=True)
    )


def combine_folds(
    statistic: Statistic, contrasts: np.ndarray, effects: np.ndarray, fold: np.ndarray
) -> tuple[Estimate, float]:
    """Return a statistic over the folds with its 95 % interval, and a one-sided p value.

    Folds are no independent samples, as each learns from the others. Predicted from earlier folds
    only, the t statistics are martingale differences, and their sum over the root of their number
    is standard normal without heterogeneity (Wager 2024, sequential validation).
    """
    found = [
        statistic(contrasts[rows], effects[rows]) for rows in (fold == k for k in np.unique(fold))
    ]
    values, errors = np.array(found).T
    t = np.divide(values, errors, out=np.zeros(len(values)), where=errors > 0)
    z = float(t.sum() / np.sqrt(len(t)))
    weight = np.divide(1.0, errors**2, out=np.zeros(len(errors)), where=errors > 0)
    if not weight.any():
        return Estimate(0.0, 0.0, 0.0), 1.0
    value, reach = float(weight @ values / weight.sum()), 1.96 / np.sqrt(weight.sum())
    return Estimate(value, float(value - reach), float(value + reach)), float(special.ndtr(-z))


@dataclass(frozen=True)
class SubgroupEffect:
    """Mean effect of an arm on the ``n`` customers of a subgroup."""

    subgroup: str
    arm: str
    n: int
    effect: Estimate


def estimate_subgroup_effects(
    arms: Sequence[str], contrasts: np.ndarray, subgroup: np.ndarray, alpha: float = LEVEL
) -> list[SubgroupEffect]:
    """Return the mean contrast of each arm in each subgroup; all intervals hold together.

    ``subgroup`` (n,) is a name known before the campaign, or a band of effects out of fold: by
    these the means show the calibration of the effects. Customers who could not get an arm do not
    count, and nor do subgroups with fewer than two others.
    """
    cells, gains = [], []
    for name in np.unique(subgroup):
        for arm in range(1, len(arms)):
            rows = (subgroup == name) & np.isfinite(contrasts[:, arm])
            if rows.sum() > 1:
                mean = contrasts[rows, arm].mean()
                cells.append((str(name), arms[arm], int(rows.sum())))
                deviation = np.where(rows, contrasts[:, arm] - mean, 0.0)
                gains.append(mean + deviation * len(rows) / rows.sum())
    estimates = simultaneous_estimates(np.column_stack(gains), alpha) if gains else []
    return [SubgroupEffect(*cell, one) for cell, one in zip(cells, estimates, strict=True)]
