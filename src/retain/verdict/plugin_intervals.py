"""Intervals of registered metrics, of which nothing is known but that they can be computed."""

from __future__ import annotations

import numpy as np
from scipy import special

from retain.errors import RetainError
from retain.learning.metric_selection import Metric
from retain.verdict.statistics import wilson_bounds

N_PARTS = 50
"""Parts of the customers, each of which is left out once."""


def plugin_interval(
    metric: Metric,
    target: np.ndarray,
    probability: np.ndarray,
    profit: np.ndarray | None,
    design_effect: float = 1.0,
) -> tuple[float, float, float]:
    """Return a registered metric and its 95 % interval, all arrays of shape (n,).

    By the delete-a-group jackknife (Kott 2001, Journal of Official Statistics 17) over ``N_PARTS``
    random parts: it holds for metrics that change smoothly with
    their customers, such as means, ratios and counts of pairs. A value without variance gets
    Wilson's bounds between those of the metric, if it has both.

    >>> from retain.learning.metrics import roc_auc
    >>> area = Metric("area", True, lambda y, p, _: roc_auc(y, p))
    >>> target = np.tile([0, 0, 1], 100)
    >>> probability = np.linspace(0.2, 0.6, 300) + 0.1 * target
    >>> [round(number, 2) for number in plugin_interval(area, target, probability, None)]
    [0.72, 0.66, 0.79]
    """
    columns = (target, probability) if profit is None else (target, probability, profit)

    def compute(kept: np.ndarray) -> float:
        y, p, *money = (column[kept] for column in columns)
        return metric.compute(y, p, money[0] if money else None)

    count, everyone = min(N_PARTS, len(target)), np.ones(len(target), dtype=bool)
    part = np.random.default_rng(0).permutation(np.arange(len(target)) % count)
    value = compute(everyone)
    without = np.array([compute(part != one) for one in range(count)])
    low, high = metric.bounds
    if not np.isfinite(without).all():
        raise RetainError(
            f"the metric {metric.name!r} is {value:g} and no number without some of the customers; "
            "so it has no interval. Leave it out of metrics.plugins."
        )
    variance = (count - 1) / count * ((without - without.mean()) ** 2).sum() * design_effect
    if variance > 0:
        reach = float(special.stdtrit(count - 1, 0.975) * np.sqrt(variance))
        return value, max(value - reach, low), min(value + reach, high)
    if not np.isfinite(high - low):
        return value, value, value
    share = (value - low) / (high - low)
    bounds = wilson_bounds(share, len(target) / design_effect)
    least, most = (low + (high - low) * bound for bound in bounds)
    return value, least, most
