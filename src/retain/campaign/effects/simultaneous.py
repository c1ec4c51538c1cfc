"""Intervals of several means that hold together."""

from __future__ import annotations

import numpy as np

from retain.record.estimates import Estimate

N_MULTIPLIERS = 20_000
"""Samples of the multiplier bootstrap."""
CHUNK = 2_000
SEED = 0
"""Seed of the bootstrap: the same input gives the same intervals."""


def simultaneous_estimates(gains: np.ndarray, alpha: float) -> list[Estimate]:
    """Return the mean of each column of (n, m) with intervals that hold all means at 1 − α.

    The multiplier bootstrap of the largest t statistic (Chernozhukov, Chetverikov & Kato 2013).
    With normal multipliers the statistics are normal with the columns' correlation, from which
    they are sampled. A constant column has no width.

    >>> columns = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [2.0, 0.0]])
    >>> first, second = simultaneous_estimates(columns, 0.05)
    >>> round(first.low, 1), round(first.high, 1), second.high
    (1.2, 2.8, 0.0)
    """
    mean = gains.mean(axis=0)
    covariance = np.atleast_2d(np.cov(gains, rowvar=False))
    error = np.sqrt(np.diag(covariance).clip(0.0))
    varies = error > 1e-12 * np.abs(gains).max(axis=0, initial=0.0)
    reach = np.zeros(len(mean))
    if varies.any():
        correlation = covariance[np.ix_(varies, varies)] / np.outer(error[varies], error[varies])
        critical = _max_t_quantile(correlation, alpha)
        reach[varies] = critical * error[varies] / np.sqrt(len(gains))
    ends = zip(mean, mean - reach, mean + reach, strict=True)
    return [Estimate(*map(float, three)) for three in ends]


def _max_t_quantile(correlation: np.ndarray, alpha: float) -> float:
    """Return the 1 − α quantile of the largest of several normal statistics, in absolute value."""
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(values.clip(0.0))
    random = np.random.default_rng(SEED)
    largest = [
        np.abs(random.standard_normal((CHUNK, len(root))) @ root.T).max(axis=1)
        for _ in range(N_MULTIPLIERS // CHUNK)
    ]
    return float(np.quantile(np.concatenate(largest), 1 - alpha))
