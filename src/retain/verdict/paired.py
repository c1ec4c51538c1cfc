"""Paired tests of two runs on the same folds.

Folds share training rows, so their differences are not independent. The variance of their mean,
s²/J for J independent ones, is taken as (1/J + n_test/n_train)·s² (Nadeau & Bengio 2003; Bouckaert
& Frank 2004). The Bayesian test (Benavoli, Corani, Demšar & Zaffalon 2017, eq. 7) has the same
variance, since its correlation ρ = n_test/(n_test + n_train) gives ρ/(1 − ρ) = n_test/n_train.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from retain.record.document import Record

METRIC = "roc_auc"
"""The metric that ranks runs."""


def fold_scores(records: Sequence[Record], metric: str = METRIC) -> np.ndarray:
    """Return a metric by run and fold, shape (n_runs, J); NaN for missing folds."""
    folds = [record.metrics[metric].fold_values for record in records]
    scores = np.full((len(folds), max(map(len, folds))), np.nan)
    for row, values in zip(scores, folds, strict=True):
        row[: len(values)] = values
    return scores


EPSILON = np.finfo(float).eps


@dataclass(frozen=True)
class Paired:
    """Mean differences with the results of two tests. All arrays have shape (n,).

    Attributes
    ----------
    mean, low, high
        Mean difference over folds and its 95 % interval.
    t, p
        Corrected resampled t and its two-sided p.
    worse, equivalent, better
        Posterior probabilities that the difference lies below, within and above the region of
        practical equivalence; they add up to 1.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    t: np.ndarray
    p: np.ndarray
    worse: np.ndarray
    equivalent: np.ndarray
    better: np.ndarray


def compare_paired(
    differences: np.ndarray, test_to_train: float, *, rope: float = 0.01, level: float = 0.95
) -> Paired:
    """Apply both tests to each row of ``differences``, shape (n, J); NaN for missing folds.

    ``rope`` is half the width of the region of practical equivalence, in units of the metric.
    Rows without variance are compared by their mean.

    >>> differences = np.array([[0.02, 0.01, 0.03, 0.0, 0.02], [0.0] * 5])
    >>> two = compare_paired(differences, test_to_train=0.25)
    >>> two.t.round(3).tolist(), two.p.round(3).tolist(), two.equivalent.round(3).tolist()
    ([2.092, 0.0], [0.105, 1.0], [0.225, 1.0])
    """
    count = np.isfinite(differences).sum(axis=1)
    mean = np.nanmean(differences, axis=1)
    scale = np.sqrt((1 / count + test_to_train) * np.nanvar(differences, axis=1, ddof=1))
    free, flat = count - 1, scale < EPSILON
    safe = np.where(flat, 1.0, scale)
    gap = np.where(np.abs(mean) < EPSILON, 0.0, np.copysign(np.inf, mean))
    t = np.where(flat, gap, mean / safe)
    reach = np.where(flat, 0.0, special.stdtrit(free, (1 + level) / 2) * scale)
    below = _probability_below(-rope, mean, safe, free, flat)
    above = 1 - _probability_below(rope, mean, safe, free, flat)
    return Paired(
        mean=mean,
        low=mean - reach,
        high=mean + reach,
        t=t,
        p=2 * special.stdtr(free, -np.abs(t)),
        worse=below,
        equivalent=np.clip(1 - below - above, 0, 1),
        better=above,
    )


def _probability_below(
    bound: float, mean: np.ndarray, scale: np.ndarray, free: np.ndarray, flat: np.ndarray
) -> np.ndarray:
    """Return the posterior probability that the true difference is below ``bound``."""
    certain = np.where(mean < bound, 1.0, 0.0) if bound < 0 else np.where(mean <= bound, 1.0, 0.0)
    return np.asarray(np.where(flat, certain, special.stdtr(free, (bound - mean) / scale)))


def corrected_resampled_t(
    differences: Sequence[float], test_to_train: float
) -> tuple[float, float]:
    """Return t and two-sided p of a zero mean difference, with J − 1 degrees of freedom.

    Equal scores everywhere give t = 0, p = 1.

    >>> t, p = corrected_resampled_t([0.02, 0.01, 0.03, 0.00, 0.02], test_to_train=0.25)
    >>> round(t, 3), round(p, 3)
    (2.092, 0.105)
    """
    one = compare_paired(np.asarray(differences, dtype=float)[None], test_to_train)
    return float(one.t[0]), float(one.p[0])


def holm(p: np.ndarray) -> np.ndarray:
    """Return p of several tests adjusted for their number, shape (n,).

    Step-down (Holm 1979): the k-th smallest of n is multiplied by n − k + 1, and kept monotone.
    The probability of any false rejection is at most α, for any dependence of the tests.

    >>> holm(np.array([0.01, 0.04, 0.03, 0.005])).tolist()
    [0.03, 0.06, 0.06, 0.02]
    """
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted


CHANCE = 0.5
"""ROC-AUC of random scores."""


def find_constant_runs(records: Sequence[Record], tied: Sequence[str]) -> tuple[str, ...]:
    """Return the ids among ``tied`` of runs with .5 in every fold, which rank nobody."""
    constant = {r.id for r in records if set(r.metrics[METRIC].fold_values) == {CHANCE}}
    return tuple(id_ for id_ in tied if id_ in constant)
