"""Tests of random assignment: the shares of the arms, and the balance of covariates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy import special, stats

from retain.campaign.trial.covariates import Encoded
from retain.campaign.trial.trial import Trial

MIN_EXPECTED = 10
"""Expected customers in each arm below which the test of their shares is an exact one."""
N_TREES, N_LEAVES, MIN_LEAF = 30, 8, 20
MAX_TRAINING_ROWS = 20_000
"""Customers of a half to whom a model is fitted at most."""
MIN_HALF = 20
"""Customers in each half below which balance is not tested."""
ROUNDING, MIN_SKEWNESS = 1e-9, 1e-3
MIN_LOSS_SHARE = 0.2
TWO = 2
RIDGE = 1e-3
"""Penalty on standardised covariates, as a share of the number of customers."""


def sample_ratio_p(trial: Trial, propensity: np.ndarray) -> float:
    """Return the p-value that customers were assigned with these probabilities, shape (n, arms).

    Of the totals and of the totals by stratum the smaller p-value counts, twice. Each is of
    Pearson's χ², with the covariance of the counts for probabilities that vary, or exact for few
    customers, Bonferroni over the arms.

    >>> import pandas as pd
    >>> arm = np.repeat([0, 1], [40, 60])
    >>> trial = Trial(pd.RangeIndex(100), ("a", "b"), arm, np.full((100, 2), 0.5),
    ...     np.zeros(100, int), {}, pd.DataFrame(index=range(100)), np.zeros(2))
    >>> round(sample_ratio_p(trial, trial.propensity), 3)
    0.046
    """
    total = _share_p(trial.arm, propensity)
    codes = np.unique(trial.stratum)
    if len(codes) == 1:
        return total
    rows = (trial.stratum == code for code in codes)
    tests = [_share_statistic(trial.arm[one], propensity[one]) for one in rows]
    if min(test.least_expected for test in tests) >= MIN_EXPECTED:
        df, statistic = sum(test.df for test in tests), sum(test.statistic for test in tests)
        within = float(special.chdtrc(df, statistic))
    else:
        rows = (trial.stratum == code for code in codes)
        within = len(codes) * min(_share_p(trial.arm[one], propensity[one]) for one in rows)
    return min(1.0, 2 * min(total, within))


def _share_p(arm: np.ndarray, propensity: np.ndarray) -> float:
    test, n_arms = _share_statistic(arm, propensity), propensity.shape[1]
    if test.least_expected >= MIN_EXPECTED:
        return float(special.chdtrc(test.df, test.statistic))
    tests = (
        stats.binomtest(int((arm == one).sum()), len(arm), float(propensity[:, one].mean())).pvalue
        for one in range(n_arms)
    )
    return float(min(1.0, (n_arms if n_arms > TWO else 1) * min(tests)))


class _ShareTest(NamedTuple):
    """χ² of the counts of the arms, its degrees of freedom, and the smallest expected count."""

    statistic: float
    df: int
    least_expected: float


def _share_statistic(arm: np.ndarray, propensity: np.ndarray) -> _ShareTest:
    """Return the test of the arms that some of these customers could get."""
    expected = propensity.sum(axis=0)
    covariance = np.diag(expected) - propensity.T @ propensity
    tested = np.flatnonzero(expected > 0)[1:]
    gap = (np.bincount(arm, minlength=len(expected)) - expected)[tested]
    statistic = float(gap @ np.linalg.solve(covariance[np.ix_(tested, tested)], gap))
    return _ShareTest(statistic, len(tested), float(expected[expected > 0].min()))


class BalanceTest(NamedTuple):
    """A classifier two-sample test.

    Attributes
    ----------
    p
        Its p-value.
    auc
        ROC-AUC of the arm that is best told apart, in customers to whom the model was not fitted.
    """

    p: float
    auc: float


def run_balance_test(trial: Trial, encoded: Encoded, *, seed: int = 0) -> BalanceTest | None:
    """Test whether the covariates tell who was assigned to which arm (Lopez-Paz & Oquab 2017).

    Two models, a linear and a boosted one, are fitted to one half of the customers and applied to
    the other half, and the other way round. In a half the scores do not depend on the assignment
    there, so that the rank sum of an arm, within strata, is that of any assignment that was as
    likely. The smallest p-value counts, Bonferroni over halves, models and arms, as the halves
    depend on each other. None without covariates or with few customers.
    """
    n = len(trial.arm)
    if encoded.matrix.shape[1] == 0 or n < 2 * MIN_HALF:
        return None
    random = np.random.default_rng(seed)
    is_first = random.permutation(n) < n // 2
    results: list[tuple[float, float]] = []
    for train in (is_first, ~is_first):
        for arm in _tested_arms(trial):
            for predict in _fit_models(trial, encoded.matrix, train, arm, random):
                rows = ~train & (trial.propensity[:, arm] > 0)
                results.append(_test_ranks(predict(encoded.matrix[rows]), trial, rows, arm))
    p, auc = min(results)
    return BalanceTest(min(1.0, len(results) * p), auc)


def rank_tellers(trial: Trial, encoded: Encoded, *, seed: int = 0) -> list[str]:
    """Return the covariates that tell the arm, the strongest first.

    Those without which, permuted, a boosted model loses a fifth or more of what the strongest
    takes from it.
    """
    random = np.random.default_rng(seed)
    train = random.permutation(len(trial.arm)) < len(trial.arm) // 2
    loss = dict.fromkeys(encoded.covariate, 0.0)
    for arm in _tested_arms(trial):
        *_, predict = _fit_models(trial, encoded.matrix, train, arm, random)
        applied = encoded.matrix[~train]
        residual = (trial.arm[~train] == arm) - trial.propensity[~train, arm]
        whole = float(predict(applied) @ residual)
        for name in loss:
            columns = [index for index, one in enumerate(encoded.covariate) if one == name]
            permuted = applied.copy()
            permuted[:, columns] = random.permutation(applied[:, columns])
            loss[name] += whole - float(predict(permuted) @ residual)
    least = MIN_LOSS_SHARE * max(loss.values())
    ordered = sorted(loss, key=lambda name: -loss[name])
    return [name for name in ordered if loss[name] >= least]


def _tested_arms(trial: Trial) -> range:
    n_arms = len(trial.arms)
    return range(1 if n_arms == TWO else 0, n_arms)


Predict = Callable[[np.ndarray], np.ndarray]


def _fit_models(
    trial: Trial, matrix: np.ndarray, train: np.ndarray, arm: int, random: np.random.Generator
) -> Iterator[Predict]:
    """Yield a linear and a boosted model of an arm: functions from covariates to scores.

    What is fitted is assignment less its probability, which is noise if assignment was random.
    """
    from lightgbm import LGBMRegressor

    rows = np.flatnonzero(train)
    if len(rows) > MAX_TRAINING_ROWS:
        rows = random.choice(rows, MAX_TRAINING_ROWS, replace=False)
    fitted = matrix[rows]
    residual = (trial.arm[rows] == arm) - trial.propensity[rows, arm]
    yield _fit_ridge(fitted, residual)
    model = LGBMRegressor(
        n_estimators=N_TREES,
        num_leaves=N_LEAVES,
        min_child_samples=MIN_LEAF,
        n_jobs=1,
        random_state=0,
        verbose=-1,
    )
    booster = model.fit(fitted, residual).booster_
    yield lambda applied: np.asarray(booster.predict(applied, num_threads=1))


def _fit_ridge(fitted: np.ndarray, residual: np.ndarray) -> Predict:
    mean, spread = fitted.mean(axis=0), fitted.std(axis=0)
    scale = np.where(spread > 0, spread, np.inf)
    standardised = (fitted - mean) / scale
    gram = standardised.T @ standardised + RIDGE * len(fitted) * np.eye(fitted.shape[1])
    slope = np.linalg.solve(gram, standardised.T @ (residual - residual.mean()))
    return lambda applied: np.asarray((applied - mean) / scale @ slope)


def _test_ranks(score: np.ndarray, trial: Trial, rows: np.ndarray, arm: int) -> tuple[float, float]:
    """Return the one-sided p-value that an arm has higher scores, and its ROC-AUC.

    Moments of the rank sum are those of assignments permuted within strata (Mann & Whitney 1947;
    van Elteren 1960), or of independent ones where probabilities vary within them.
    """
    in_arm, propensity = trial.arm[rows] == arm, trial.propensity[rows, arm]
    stratum = np.unique(trial.stratum[rows], return_inverse=True)[1]
    rank = stats.rankdata(score)
    n, n_arm = len(rank), int(in_arm.sum())
    if n_arm in (0, n):
        return 1.0, 0.5
    auc = float((rank[in_arm].mean() - (n_arm + 1) / 2) / (n - n_arm))
    noise = propensity * (1 - propensity)
    centred = rank - _stratum_mean(rank, noise, stratum)
    if _varies(propensity, stratum):
        moments = centred**2 @ noise, centred**3 @ (noise * (1 - 2 * propensity))
        return _upper_tail(float(centred @ (in_arm - propensity)), *moments), auc
    size, count = np.bincount(stratum), np.bincount(stratum, in_arm)
    second = count * (size - count) / np.maximum(size * (size - 1), 1)
    third = second * (size - 2 * count) / np.maximum(size - 2, 1)
    moments = second @ np.bincount(stratum, centred**2), third @ np.bincount(stratum, centred**3)
    return _upper_tail(float(centred[in_arm].sum()), *moments), auc


def _upper_tail(value: float, variance: float, third_moment: float) -> float:
    """Return the probability of a value as high; a long tail above 0 counts, one below does not."""
    if variance <= 0:
        return 1.0
    z, skewness = value / variance**0.5, third_moment / variance**1.5
    normal = float(special.ndtr(-z))
    if skewness < MIN_SKEWNESS:
        return normal
    return max(normal, float(stats.pearson3.sf(z, skewness)))


def _stratum_mean(values: np.ndarray, weight: np.ndarray, stratum: np.ndarray) -> np.ndarray:
    """Return the weighted mean of each customer's stratum."""
    mean = np.bincount(stratum, weight * values) / np.bincount(stratum, weight)
    return np.asarray(mean[stratum])


def _varies(propensity: np.ndarray, stratum: np.ndarray) -> bool:
    mean = _stratum_mean(propensity, np.ones(len(stratum)), stratum)
    return bool((np.abs(propensity - mean) > ROUNDING).any())
