"""Corrections for choosing among many runs: the winner's mean, and which runs are lower.

The best mean of many is too high, since noise helped to choose it (Cawley & Talbot 2010). BBC-CV
(Tsamardinos, Greasidou & Borboudakis 2018) repeats the choice on bootstrap samples of customers
and measures each choice on the customers left out; a duplicate group is in or out as a whole. The
model confidence set (Hansen, Lunde & Nason
2011) drops runs while their means differ by more than equal runs would.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from retain.verdict.placements import Placements, Stratum
from retain.verdict.statistics import wilson_bounds

RESAMPLES = 1000
"""Bootstrap samples of up to ``MANY`` customers."""
MANY, RESAMPLES_OF_MANY = 20_000, 200
SIMULATIONS = 2000
"""Simulated sets of equal runs behind p."""
CHUNK_CELLS = 4_000_000
"""Bootstrap weights held at a time."""
_EPSILON = 1e-9


def count_resamples(n_customers: int) -> int:
    """Return the number of bootstrap samples, fewer of many customers to bound the time."""
    return RESAMPLES if n_customers <= MANY else RESAMPLES_OF_MANY


def correct_for_selection(
    placements: Placements, means: np.ndarray, *, resamples: int | None = None, seed: int = 0
) -> tuple[float, float, float]:
    """Return the ROC-AUC expected of the run with the best mean and its 95 % interval, by BBC-CV.

    ``means`` are the runs' mean ROC-AUC, shape (n_runs,). Duplicate groups of decliners, of stayers
    and of both are resampled apart, so that no sample lacks a class. The interval holds the central
    95 % of the values on customers left out.
    """
    every = [np.arange(len(means))]
    (left_out,) = left_out_areas(placements, means, every, resamples=resamples, seed=seed)
    values = np.clip(left_out, 0, 1)
    value = float(values.mean())
    low, high = np.quantile(values, [0.025, 0.975])
    if high - low < _EPSILON and min(value, 1 - value) < _EPSILON:  # a perfect ranking
        low, high = wilson_bounds(value, placements.degrees_of_freedom + 1)
    return value, float(low), float(high)


def left_out_areas(
    placements: Placements,
    means: np.ndarray,
    choices: Sequence[np.ndarray],
    *,
    resamples: int | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Return ROC-AUC on the customers left out of each sample, shape (len(choices), resamples).

    In each bootstrap sample of customers the best of each of ``choices`` (columns of runs) is
    chosen, so that areas of several choices are paired by customers.
    """
    if resamples is None:
        resamples = count_resamples(len(placements.declined))
    random = np.random.default_rng(seed)
    strata = placements.strata()
    size = max(1, CHUNK_CELLS // len(placements.declined))
    left_out = []
    for start in range(0, resamples, size):
        count = min(size, resamples - start)
        weights = [_draw_counts(random, count, one.n_groups) for one in strata]
        inside = means + sum(_weighted_means(weights, strata))
        chosen = np.array([among[inside[:, among].argmax(axis=1)] for among in choices])
        outside = means[chosen]
        for mean in _weighted_means([drawn == 0 for drawn in weights], strata):
            outside = outside + mean[np.arange(count), chosen]
        left_out.append(outside)
    return np.concatenate(left_out, axis=1)


def _draw_counts(random: np.random.Generator, count: int, n: int) -> np.ndarray:
    """Return how often each of ``n`` groups is in each of ``count`` bootstrap samples."""
    drawn = random.integers(0, n, (count, n)) + n * np.arange(count)[:, None]
    return np.bincount(drawn.ravel(), minlength=count * n).reshape(count, n)


def _weighted_means(
    weights: Sequence[np.ndarray], strata: Sequence[Stratum]
) -> Iterator[np.ndarray]:
    """Yield the weighted means of decliners and of stayers, shape (n_weights, n_runs).

    ``weights`` are those of the groups of each stratum; a class without any weight has mean 0.
    """
    for parts in ([one.declined for one in strata], [one.stayed for one in strata]):
        used = [(w, part) for w, part in zip(weights, parts, strict=True) if part is not None]
        sums = sum(w.astype(part.sums.dtype) @ part.sums for w, part in used)
        total = sum(w @ part.counts for w, part in used)
        yield np.asarray(sums / np.maximum(total, 1)[:, None])


def variance_factor(test_to_train: float) -> float:
    """Return the variance of a cross-validated mean over that of independent customers.

    Folds of one repeat have the correlation ρ = n_test/(n_test + n_train) of Nadeau & Bengio
    (2003), so 1/K becomes (1 + (K − 1)ρ)/K with K = 1/ρ folds: 2 − ρ. Further repeats do not lower
    it, since they have the same customers.

    >>> variance_factor(0.25)
    1.8
    """
    return 2 - test_to_train / (1 + test_to_train)


def confidence_set_p(
    means: np.ndarray,
    covariance: np.ndarray,
    degrees: int,
    *,
    simulations: int = SIMULATIONS,
    seed: int = 0,
) -> np.ndarray:
    """Return each run's p of being among the best, shape (n_runs,): the highest has 1.

    Model confidence set (Hansen, Lunde & Nason 2011, T_max): while runs are left, the largest
    (mean of all − own mean)/error is compared with its distribution for equal runs, and that run
    is dropped; p is the largest so far. All runs with p < α are lower at family-wise level α.
    The distribution is a multivariate t by ``degrees`` of freedom.

    >>> confidence_set_p(np.array([0.8, 0.79, 0.6]), np.eye(3) * 1e-4, 100).round(2).tolist()
    [1.0, 0.47, 0.0]
    """
    noise = _simulate_equal(covariance, degrees, simulations, seed)
    result, active, highest = np.ones(len(means)), np.arange(len(means)), 0.0
    total, row_sums = noise.sum(axis=0), covariance.sum(axis=1)
    while len(active) > 1:
        n = len(active)
        mean_row = row_sums[active] / n
        variance = covariance[active, active] - 2 * mean_row + mean_row.mean()
        error = np.sqrt(np.maximum(variance, 0))
        inverse = np.where(error > _EPSILON, 1 / np.maximum(error, _EPSILON), 0.0)
        inverse = inverse.astype(np.float32)
        gap = means[active].mean() - means[active]
        t = np.where((error > _EPSILON) | (gap < _EPSILON), gap * inverse, np.inf)
        worst = int(np.argmax(t))
        largest = ((total / n - noise[active]) * inverse[:, None]).max(axis=0)
        beyond = (1 + np.sum(largest >= t[worst])) / (1 + simulations)
        highest = max(highest, float(beyond))
        dropped = active[worst]
        result[dropped] = highest
        total, row_sums = total - noise[dropped], row_sums - covariance[dropped]
        active = np.delete(active, worst)
    return result


def _simulate_equal(
    covariance: np.ndarray, degrees: int, simulations: int, seed: int
) -> np.ndarray:
    """Return simulated means of equal runs, shape (n_runs, simulations)."""
    random = np.random.default_rng(seed)
    roots, vectors = np.linalg.eigh(covariance)
    normal = random.standard_normal((len(roots), simulations), np.float32)
    noise = (vectors * np.sqrt(np.maximum(roots, 0))).astype(np.float32) @ normal
    scale = np.sqrt(random.chisquare(degrees, simulations) / degrees)
    return np.asarray(noise / scale.astype(np.float32))
