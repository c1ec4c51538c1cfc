"""How a run's ranking holds up from one snapshot to the next.

May import: errors, schema, record, customers, learning.
"""

from __future__ import annotations

from dataclasses import dataclass

from retain.learning.metrics import corrected_interval
from retain.record import Record
from retain.verdict.folds import METRIC
from retain.verdict.sealed import SealedTest


@dataclass(frozen=True)
class AtSnapshot:
    """ROC-AUC at one snapshot with its 95 % interval.

    Attributes
    ----------
    rows, declined
        Customers at the snapshot, and the share of them that declined.
    folds
        Over how many folds it is the mean; 0 for the sealed snapshot, scored once.
    """

    snapshot: str
    sealed: bool
    rows: int
    declined: float
    roc_auc: float
    low: float
    high: float
    folds: int


def in_time(record: Record, sealed: SealedTest | None) -> list[AtSnapshot]:
    """ROC-AUC by snapshot, the earliest first; empty where rows have no days.

    The intervals out of fold are corrected ones (Nadeau & Bengio 2003) over the folds at that
    snapshot, that of the sealed one DeLong's.
    """
    if record.data.label is None:
        return []
    counts = {one.snapshot: one for one in record.data.label.snapshots}
    values: dict[str, list[float]] = {}
    for day, value in zip(record.split.tested, record.metrics[METRIC].folds, strict=False):
        values.setdefault(day, []).append(value)
    found = []
    for day in sorted(values):
        low, high = corrected_interval(values[day], record.split.test_to_train, (0.0, 1.0))
        mean = sum(values[day]) / len(values[day])
        at = counts[day]
        found.append(
            AtSnapshot(
                day, False, at.rows, at.declined / at.rows, mean, low, high, len(values[day])
            )
        )
    if sealed is not None and record.split.sealed_at is not None:
        at, one = counts[record.split.sealed_at], sealed.metrics[METRIC]
        share = at.declined / at.rows
        last = (one["value"], one["low"], one["high"])
        found.append(AtSnapshot(at.snapshot, True, at.rows, share, *last, 0))
    return found
