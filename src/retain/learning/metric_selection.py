"""The metrics of a run: those of ``learning.metrics``, and registered ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from retain.errors import RetainError
from retain.learning.metrics import (
    average_precision,
    captured_profit,
    expected_calibration_error,
    lift,
    log_loss,
    roc_auc,
)
from retain.plugins.registry import Plugin, require
from retain.schema.run import Metrics

SAMPLE = 40
"""Customers for whom a registered metric is tried before anything is fitted."""


@dataclass(frozen=True)
class Metric:
    """A metric of predicted probabilities.

    ``compute(target, probability, profit)`` takes three arrays of shape (n,); ``profit`` is None
    for sources without profit. ``share`` is that of the top, of a metric that has one;
    ``is_plugin`` marks a registered metric.
    """

    name: str
    higher_is_better: bool
    compute: Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]
    bounds: tuple[float, float] = (0.0, 1.0)
    share: float | None = None
    is_plugin: bool = False


def select_metrics(metrics: Metrics, *, with_profit: bool) -> list[Metric]:
    """Return the configured metrics in print order, those of profit only ``with_profit``.

    Registered ones come last.
    """
    selected = [
        Metric("roc_auc", True, lambda y, p, _: roc_auc(y, p)),
        Metric("average_precision", True, lambda y, p, _: average_precision(y, p)),
        Metric("log_loss", False, lambda y, p, _: log_loss(y, p), (0, np.inf)),
        Metric("brier", False, lambda y, p, _: float(np.mean((p - y) ** 2))),
        Metric("ece", False, lambda y, p, _: expected_calibration_error(y, p)),
    ]
    for share in metrics.top_shares:
        tail = f"{100 * share:g}"
        compute = partial(lift, share)
        selected.append(Metric(f"lift_{tail}", True, compute, (0, np.inf), share))
    for share in metrics.top_shares if with_profit else ():
        compute = partial(captured_profit, share)
        name = f"captured_profit_{100 * share:g}"
        selected.append(Metric(name, True, compute, share=share))
    own = {metric.name for metric in selected}
    if taken := [name for name in metrics.plugins if name in own]:
        raise RetainError(f"metrics.plugins: {taken[0]!r} is a metric of retain's own.")
    return selected + _registered(metrics.plugins, with_profit=with_profit)


def _registered(names: Sequence[str], *, with_profit: bool) -> list[Metric]:
    found = [require("metric", name, "metrics.plugins") for name in names]
    return [_to_metric(one) for one in found if with_profit or not one.keywords["profit"]]


def check_plugin_metrics(metrics: Metrics) -> None:
    """Raise for a metric that is not registered, or gives no number of a sample within its bounds.

    Raises
    ------
    RetainError
        As said.
    """
    chosen = [one for one in select_metrics(metrics, with_profit=True) if one.is_plugin]
    if not chosen:
        return
    random = np.random.default_rng(0)
    target = np.repeat([0, 1], SAMPLE // 2)
    probability, profit = random.uniform(0.1, 0.9, SAMPLE), random.uniform(-5.0, 100.0, SAMPLE)
    for metric in chosen:
        try:
            value = metric.compute(target.copy(), probability.copy(), profit.copy())
        except RetainError:
            raise
        except Exception as error:
            raise RetainError(
                f"the metric {metric.name!r} fails on a sample of {SAMPLE} customers: "
                f"{type(error).__name__}: {error}"
            ) from error
        low, high = metric.bounds
        if not low <= value <= high:
            raise RetainError(
                f"the metric {metric.name!r} is {value} on a sample of {SAMPLE} customers; "
                f"expected a number from {low} to {high}."
            )


def _to_metric(plugin: Plugin) -> Metric:
    facts = plugin.keywords

    def compute(target: np.ndarray, probability: np.ndarray, profit: np.ndarray | None) -> float:
        inputs = (target, probability, profit) if facts["profit"] else (target, probability)
        return _to_number(plugin, plugin.target(*inputs), len(target))

    return Metric(plugin.name, facts["higher_is_better"], compute, facts["bounds"], is_plugin=True)


def _to_number(plugin: Plugin, value: Any, count: int) -> float:
    expected = (count,) if plugin.keywords["per_customer"] else ()
    try:
        numbers = np.asarray(value, dtype=float)
    except (TypeError, ValueError) as error:
        raise RetainError(f"the metric {plugin.name!r} gives no number: {error}.") from None
    if numbers.shape != expected:
        wanted = f"an array of shape ({count},)" if expected else "one number"
        raise RetainError(
            f"the metric {plugin.name!r} gives an array of shape {numbers.shape}; "
            f"expected {wanted}."
        )
    return float(numbers.mean())
