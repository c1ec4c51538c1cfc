"""Formulas of metrics, and means with their interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

BINS = 10


def roc_auc(target: np.ndarray, probability: np.ndarray) -> float:
    """Return the share of pairs of a decliner and a stayer in the right order.

    Ties count half (Mann & Whitney, 1947, by ranks); NaN where a class is missing.

    >>> roc_auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    declined = target == 1
    pairs = declined.sum() * (~declined).sum()
    from scipy.stats import rankdata

    ranks = rankdata(probability)[declined]
    above = ranks.sum() - len(ranks) * (len(ranks) + 1) / 2
    return float(above / pairs) if pairs else np.nan


def average_precision(target: np.ndarray, probability: np.ndarray) -> float:
    """Return the precision at each distinct probability, weighted by the recall it adds.

    NaN without decliners.

    >>> round(average_precision(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])), 3)
    0.833
    """
    order = np.argsort(-probability, kind="stable")
    hits = np.cumsum(target[order] == 1)
    lasts = np.flatnonzero(np.diff(probability[order], append=-np.inf))
    if not hits[-1]:
        return np.nan
    precision, recall = hits[lasts] / (lasts + 1), hits[lasts] / hits[-1]
    return float(precision @ np.diff(recall, prepend=0))


def log_loss(target: np.ndarray, probability: np.ndarray) -> float:
    """Return the mean −log of the probability of the observed class; lower is better.

    Probabilities are clipped by one rounding error from 0 and 1.

    >>> round(log_loss(np.array([1, 0]), np.array([0.9, 0.2])), 4)
    0.1643
    """
    return float(log_losses(target, probability).mean())


def log_losses(target: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Return −log of the probability of the observed class, clipped from 0 and 1, by row."""
    error = np.finfo(probability.dtype).eps
    given = np.clip(np.where(target == 1, probability, 1 - probability), error, 1 - error)
    return np.asarray(-np.log(given))


def expected_calibration_error(target: np.ndarray, probability: np.ndarray) -> float:
    """Return the mean |decline rate − mean probability| over ten bins; lower is better.

    Naeini, Cooper & Hauskrecht (2015), with equal-count bins; equal probabilities share a bin.

    >>> expected_calibration_error(np.array([0, 1] * 10), np.full(20, 0.5))
    0.0
    """
    gap = np.bincount(calibration_bins(probability), target - probability, minlength=BINS)
    return float(np.abs(gap).sum() / len(probability))


def calibration_bins(probability: np.ndarray) -> np.ndarray:
    """Return the bin of each row, from 0, of ``BINS`` bins of equal count."""
    edges = np.quantile(probability, np.linspace(0, 1, BINS + 1)[1:-1])
    return np.asarray(np.searchsorted(edges, probability, side="right"))


def top_weights(probability: np.ndarray, share: float) -> np.ndarray:
    """Return the weight (0 to 1) of each row in the top ``share``; ties at the cut share it.

    >>> top_weights(np.array([0.9, 0.5, 0.5, 0.1]), 0.5).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    wanted = share * len(probability)
    edge = np.sort(probability)[::-1][max(int(np.ceil(wanted)) - 1, 0)]
    above, tied = probability > edge, probability == edge
    return np.asarray(above + tied * (wanted - above.sum()) / tied.sum())


def lift(share: float, target: np.ndarray, probability: np.ndarray, _: object = None) -> float:
    """Return the decline rate of the top share over the overall decline rate."""
    weights = top_weights(probability, share)
    return float((weights @ target) / weights.sum() / target.mean())


def captured_profit(
    share: float, target: np.ndarray, probability: np.ndarray, profit: np.ndarray | None
) -> float:
    """Return the top's share of the decliners' profit; a loss counts as 0."""
    gains = np.clip(np.nan_to_num(np.asarray(profit, dtype=float)), 0, None) * target
    total = gains.sum()
    return float(top_weights(probability, share) @ gains / total) if total > 0 else np.nan


def corrected_interval(
    values: Sequence[float],
    test_to_train: float,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    trials: float | None = None,
) -> tuple[float, float]:
    """Return the 95 % interval of a mean over repeated folds, whose scores are not independent.

    The variance s²/J of J independent scores becomes (1/K + n_test/n_train)·s², with J − 1 degrees
    of freedom: Nadeau & Bengio (2003), Machine Learning 52, the corrected resampled t, for the K
    folds of one repeat. Their 1/J for all repeats covers too seldom with many repeats, which test
    the same customers again.

    Where every fold has the best or worst score, 1 or 0, folds have no variance: then the interval
    is Wilson's for ``trials``, the number of unrelated customers of the smaller class.

    >>> low, high = corrected_interval([0.90, 0.92, 0.91, 0.89, 0.93], test_to_train=0.25)
    >>> round(low, 3), round(high, 3)
    (0.881, 0.939)
    """
    scores = np.asarray(values, dtype=float)
    count, z = len(scores), special.ndtri(0.975)
    if trials and scores[0] in bounds and scores[0] in (0.0, 1.0) and np.ptp(scores) == 0:
        reach = z**2 / (trials + z**2)
        return (1 - reach, 1.0) if scores[0] else (0.0, reach)
    one_repeat = max(1 / count, test_to_train / (1 + test_to_train))
    spread = np.sqrt((one_repeat + test_to_train) * scores.var(ddof=1))
    reach = special.stdtrit(count - 1, 0.975) * spread
    low, high = np.clip([scores.mean() - reach, scores.mean() + reach], *bounds)
    return float(low), float(high)
