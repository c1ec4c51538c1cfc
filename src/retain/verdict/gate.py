"""A gate for CI: what the winner must reach out of fold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from retain.errors import RetainError
from retain.record import Record
from retain.wording import format_ci


@dataclass(frozen=True)
class GateResult:
    """One metric against its threshold; ``missed_by`` is 0 where it is reached."""

    name: str
    threshold: float
    value: float
    missed_by: float
    passed: bool
    message: str


def check_gate(winner: Record, thresholds: Mapping[str, float]) -> list[GateResult]:
    """Each threshold held against the winner's mean over folds, in the metric's own direction.

    Raises
    ------
    RetainError
        When a threshold is set for a metric that the runs do not have.
    """
    for name in thresholds:
        if name not in winner.metrics:
            raise RetainError.unknown("gate: metric", name, list(winner.metrics))
    return [_check_threshold(winner, name, threshold) for name, threshold in thresholds.items()]


def _check_threshold(winner: Record, name: str, threshold: float) -> GateResult:
    metric = winner.metrics[name]
    short = threshold - metric.value if metric.higher_is_better else metric.value - threshold
    missed = max(short, 0.0)
    wanted = "at least" if metric.higher_is_better else "at most"
    result = (
        f"{name} is {metric.value:.4f} ({format_ci(metric.low, metric.high, '.4f')}), "
        f"the threshold is {wanted} {threshold:g}"
    )
    message = f"{result}: missed by {missed:.4f}." if missed else f"{result}: reached."
    return GateResult(name, threshold, metric.value, missed, not missed, message)
