"""A gate for CI: thresholds of the winner's out-of-fold metrics, corrected for its choice."""

from __future__ import annotations

from collections.abc import Mapping

from retain.errors import RetainError
from retain.record.comparison_document import GateResult
from retain.verdict.verdict import Verdict
from retain.wording import format_ci


def check_gate(verdict: Verdict, thresholds: Mapping[str, float]) -> list[GateResult]:
    """Compare the winner's corrected means with each threshold, in the metric's direction.

    Raises
    ------
    RetainError
        When the runs do not have a metric.
    """
    for name in thresholds:
        if name not in verdict.winner.metrics:
            raise RetainError.unknown("gate: metric", name, list(verdict.winner.metrics))
    return [_check_threshold(verdict, name, threshold) for name, threshold in thresholds.items()]


def _check_threshold(verdict: Verdict, name: str, threshold: float) -> GateResult:
    raw, mean = verdict.winner.metrics[name], verdict.corrected.metrics[name]
    short = threshold - mean.value if raw.higher_is_better else mean.value - threshold
    missed = max(short, 0.0)
    bound = "at least" if raw.higher_is_better else "at most"
    choice = ""
    if verdict.corrected.method != "one_candidate":
        choice = f", corrected for the choice of the winner from {raw.value:.4f}"
    result = (
        f"{name} is {mean.value:.4f} ({format_ci(mean.low, mean.high, '.4f')}{choice}), "
        f"the threshold is {bound} {threshold:g}"
    )
    message = f"{result}: missed by {missed:.4f}." if missed else f"{result}: reached."
    return GateResult(
        name=name,
        threshold=threshold,
        value=mean.value,
        missed_by=missed,
        passed=not missed,
        message=message,
    )
