"""A gate for CI: thresholds of the winner's out-of-fold metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from retain.errors import RetainError
from retain.record.facts import Record
from retain.wording import format_ci


@dataclass(frozen=True)
class GateResult:
    """One metric against its threshold; ``missed_by`` is 0 if it is reached."""

    name: str
    threshold: float
    value: float
    missed_by: float
    passed: bool
    message: str


def check_gate(winner: Record, thresholds: Mapping[str, float]) -> list[GateResult]:
    """Compare the winner's mean over folds with each threshold, in the metric's direction.

    Raises
    ------
    RetainError
        When the runs do not have a metric.
    """
    for name in thresholds:
        if name not in winner.metrics:
            raise RetainError.unknown("gate: metric", name, list(winner.metrics))
    return [_check_threshold(winner, name, threshold) for name, threshold in thresholds.items()]


def _check_threshold(winner: Record, name: str, threshold: float) -> GateResult:
    metric = winner.metrics[name]
    short = threshold - metric.value if metric.higher_is_better else metric.value - threshold
    missed = max(short, 0.0)
    bound = "at least" if metric.higher_is_better else "at most"
    result = (
        f"{name} is {metric.value:.4f} ({format_ci(metric.low, metric.high, '.4f')}), "
        f"the threshold is {bound} {threshold:g}"
    )
    message = f"{result}: missed by {missed:.4f}." if missed else f"{result}: reached."
    return GateResult(name, threshold, metric.value, missed, not missed, message)
