"""The ranking of a run by snapshot."""

from __future__ import annotations

from retain.learning.metrics import corrected_interval
from retain.record.comparison_document import SnapshotScore
from retain.record.document import Record, SnapshotFacts
from retain.record.estimates import PartialEstimate
from retain.verdict.paired import METRIC
from retain.verdict.sealed_test import SealedTest


def score_by_snapshot(record: Record, sealed: SealedTest | None) -> list[SnapshotScore]:
    """Return ROC-AUC by snapshot, earliest first; empty if rows have no days.

    Out-of-fold intervals are corrected (Nadeau & Bengio 2003) over the folds at a snapshot; the
    sealed one's is DeLong's.
    """
    if record.data.label is None:
        return []
    at = {one.snapshot: one for one in record.data.label.snapshots}
    values: dict[str, list[float]] = {}
    for day, value in zip(
        record.split.test_snapshots, record.metrics[METRIC].fold_values, strict=False
    ):
        values.setdefault(day, []).append(value)
    scores = [_out_of_fold(at[day], values[day], record) for day in sorted(values)]
    if sealed is not None and record.split.sealed_snapshot is not None:
        one = sealed.metrics[METRIC]
        estimate = PartialEstimate(one.value, one.low, one.high)
        scores.append(_score_at(at[record.split.sealed_snapshot], estimate, 0))
    return scores


def _out_of_fold(at: SnapshotFacts, values: list[float], record: Record) -> SnapshotScore:
    """Return the mean over the folds at a snapshot; a single fold has no interval."""
    low, high = None, None
    if len(values) > 1:
        trials = min(at.n_declined, at.n_rows - at.n_declined)
        low, high = corrected_interval(values, record.split.test_to_train, (0.0, 1.0), trials)
    return _score_at(at, PartialEstimate(sum(values) / len(values), low, high), len(values))


def _score_at(at: SnapshotFacts, estimate: PartialEstimate, folds: int) -> SnapshotScore:
    return SnapshotScore(
        snapshot=at.snapshot,
        is_sealed_test=folds == 0,
        n_rows=at.n_rows,
        decline_rate=at.n_declined / at.n_rows,
        roc_auc=estimate,
        n_folds=folds,
    )
