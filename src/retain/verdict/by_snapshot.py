"""The ranking of a run by snapshot."""

from __future__ import annotations

from dataclasses import dataclass

from retain.learning.metrics import corrected_interval
from retain.record import Record, SnapshotFacts
from retain.verdict.paired import METRIC
from retain.verdict.sealed_test import SealedTest


@dataclass(frozen=True)
class SnapshotScore:
    """ROC-AUC at one snapshot with its 95 % interval.

    Attributes
    ----------
    n_rows, decline_rate
        Customers at the snapshot, and the share of them that declined.
    low, high
        None where a race left one fold.
    n_folds
        Over how many folds it is the mean; 0 for the sealed snapshot, scored once.
    """

    snapshot: str
    is_sealed_test: bool
    n_rows: int
    decline_rate: float
    roc_auc: float
    low: float | None
    high: float | None
    n_folds: int


def score_by_snapshot(record: Record, sealed: SealedTest | None) -> list[SnapshotScore]:
    """ROC-AUC by snapshot, the earliest first; empty where rows have no days.

    The intervals out of fold are corrected ones (Nadeau & Bengio 2003) over the folds at that
    snapshot, that of the sealed one DeLong's.
    """
    if record.data.label is None:
        return []
    at = {one.snapshot: one for one in record.data.label.snapshots}
    values: dict[str, list[float]] = {}
    for day, value in zip(
        record.split.test_snapshots, record.metrics[METRIC].fold_values, strict=False
    ):
        values.setdefault(day, []).append(value)
    found = [_out_of_fold(at[day], values[day], record) for day in sorted(values)]
    if sealed is not None and record.split.sealed_snapshot is not None:
        one = sealed.metrics[METRIC]
        found.append(
            _score_at(at[record.split.sealed_snapshot], (one["value"], one["low"], one["high"]), 0)
        )
    return found


def _out_of_fold(at: SnapshotFacts, values: list[float], record: Record) -> SnapshotScore:
    """Return the mean over the folds at a snapshot; one alone has no interval."""
    low, high = None, None
    if len(values) > 1:
        low, high = corrected_interval(values, record.split.test_to_train, (0.0, 1.0))
    return _score_at(at, (sum(values) / len(values), low, high), len(values))


def _score_at(
    at: SnapshotFacts, found: tuple[float, float | None, float | None], folds: int
) -> SnapshotScore:
    return SnapshotScore(
        at.snapshot, folds == 0, at.n_rows, at.n_declined / at.n_rows, *found, folds
    )
