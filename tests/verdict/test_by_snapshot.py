"""The winner from one snapshot to the next."""

import pytest

from retain.record.comparison_document import SealedMetric
from retain.record.document import LabelInfo, SnapshotFacts
from retain.verdict.by_snapshot import score_by_snapshot
from retain.verdict.sealed_test import SealedTest

DAYS = ("2025-04-01", "2025-05-01")


def dated(record):
    """A record of six folds, three at each of two snapshots, and a sealed third one."""
    label = LabelInfo(
        horizon_days=90,
        snapshots=tuple(
            SnapshotFacts(snapshot=day, n_rows=200, n_declined=50) for day in (*DAYS, "2025-08-01")
        ),
        variants=(),
    )
    one = record(auc=(0.90, 0.92, 0.91, 0.80, 0.84, 0.82))
    return one.model_copy(
        update={
            "data": one.data.model_copy(update={"label": label}),
            "split": one.split.model_copy(
                update={
                    "test_snapshots": (DAYS[0],) * 3 + (DAYS[1],) * 3,
                    "sealed_snapshot": "2025-08-01",
                }
            ),
        }
    )


def sealed(value):
    metric = SealedMetric(value=value, low=value - 0.05, high=value + 0.05, higher_is_better=True)
    return SealedTest(200, {"roc_auc": metric}, ())


def test_each_snapshot_has_the_mean_of_its_own_folds(make_record):
    first, second, last = score_by_snapshot(dated(make_record), sealed(0.79))
    assert [one.snapshot for one in (first, second, last)] == [*DAYS, "2025-08-01"]
    assert first.roc_auc.value == pytest.approx(0.91)
    assert second.roc_auc.value == pytest.approx(0.82)
    assert first.roc_auc.low < 0.91 < first.roc_auc.high
    assert (first.n_rows, first.decline_rate, first.n_folds) == (200, 0.25, 3)
    assert last.is_sealed_test
    assert (last.roc_auc.value, last.roc_auc.low) == (0.79, pytest.approx(0.74))


def test_an_unopened_sealed_test_has_no_line(make_record):
    assert [one.snapshot for one in score_by_snapshot(dated(make_record), None)] == list(DAYS)


def test_a_run_that_a_race_stopped_tells_of_the_folds_it_had(make_record):
    one = dated(make_record)
    metric = one.metrics["roc_auc"]
    short = metric.model_copy(update={"fold_values": metric.fold_values[:4]})
    stopped = one.model_copy(update={"metrics": {"roc_auc": short}, "stopped_early": True})
    assert [at.n_folds for at in score_by_snapshot(stopped, None)] == [3, 1]


def test_rows_without_days_have_no_snapshots(make_record):
    assert score_by_snapshot(make_record(), None) == []
