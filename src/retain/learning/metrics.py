"""What a set of scores is worth: each metric with its direction, each mean with its interval.

May import: errors, schema, customers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import stats
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    roc_auc_score,
)

from retain.schema import Metrics

BINS = 10


@dataclass(frozen=True)
class Metric:
    """A number for a vector of probabilities.

    ``compute(target, probability, profit)``: three arrays of shape (n,); ``profit`` is None for
    sources without one, and such a metric then is left out.
    """

    name: str
    higher_is_better: bool
    compute: Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]
    bounds: tuple[float, float] = (0.0, 1.0)


def chosen(metrics: Metrics, *, with_profit: bool) -> list[Metric]:
    """The configured metrics that these customers allow, in the order they are printed."""
    found = [
        Metric("roc_auc", True, lambda y, p, _: float(roc_auc_score(y, p))),
        Metric("average_precision", True, lambda y, p, _: float(average_precision_score(y, p))),
        Metric(
            "log_loss", False, lambda y, p, _: float(log_loss(y, p, labels=[0, 1])), (0, np.inf)
        ),
        Metric("brier", False, lambda y, p, _: float(brier_score_loss(y, p, labels=[0, 1]))),
        Metric("ece", False, lambda y, p, _: expected_calibration_error(y, p)),
    ]
    for share in metrics.fractions:
        tail = f"{100 * share:g}"
        compute = partial(_lift, share)
        found.append(Metric(f"lift_{tail}", True, compute, (0, np.inf)))
    for share in metrics.fractions if with_profit else ():
        compute = partial(_captured, share)
        found.append(Metric(f"captured_profit_{100 * share:g}", True, compute))
    return found


def expected_calibration_error(target: np.ndarray, probability: np.ndarray) -> float:
    """Mean |observed share − mean probability| over ten bins of equal count; lower is better.

    Naeini, Cooper & Hauskrecht (2015), with equal-count bins; equal probabilities share a bin.

    >>> expected_calibration_error(np.array([0, 1] * 10), np.full(20, 0.5))
    0.0
    """
    edges = np.quantile(probability, np.linspace(0, 1, BINS + 1)[1:-1])
    place = np.searchsorted(edges, probability, side="right")
    gap = np.bincount(place, target - probability, minlength=BINS)
    return float(np.abs(gap).sum() / len(probability))


def top_weights(probability: np.ndarray, share: float) -> np.ndarray:
    """How much of each row lies in the top ``share`` of scores; ties at the edge are shared.

    >>> top_weights(np.array([0.9, 0.5, 0.5, 0.1]), 0.5).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    wanted = share * len(probability)
    edge = np.sort(probability)[::-1][max(int(np.ceil(wanted)) - 1, 0)]
    above, tied = probability > edge, probability == edge
    return np.asarray(above + tied * (wanted - above.sum()) / tied.sum())


def _lift(share: float, target: np.ndarray, probability: np.ndarray, _: object) -> float:
    """Share of decliners within the top, over their share in all."""
    weights = top_weights(probability, share)
    return float((weights @ target) / weights.sum() / target.mean())


def _captured(
    share: float, target: np.ndarray, probability: np.ndarray, profit: np.ndarray | None
) -> float:
    """Share of the decliners' profit that lies within the top; a loss counts as nothing."""
    worth = np.clip(np.nan_to_num(np.asarray(profit, dtype=float)), 0, None) * target
    total = worth.sum()
    return float(top_weights(probability, share) @ worth / total) if total > 0 else np.nan


def corrected_interval(
    values: Sequence[float],
    test_to_train: float,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    level: float = 0.95,
) -> tuple[float, float]:
    """Interval of a mean over repeated folds, whose scores are not independent.

    The variance s²/J of J independent scores becomes (1/J + n_test/n_train)·s²: Nadeau & Bengio
    (2003), Machine Learning 52, eq. for the corrected resampled t; J − 1 degrees of freedom.

    >>> low, high = corrected_interval([0.90, 0.92, 0.91, 0.89, 0.93], test_to_train=0.25)
    >>> round(low, 3), round(high, 3)
    (0.881, 0.939)
    """
    scores = np.asarray(values, dtype=float)
    count = len(scores)
    spread = np.sqrt((1 / count + test_to_train) * scores.var(ddof=1))
    reach = stats.t.ppf((1 + level) / 2, count - 1) * spread
    low, high = np.clip([scores.mean() - reach, scores.mean() + reach], *bounds)
    return float(low), float(high)
