import pytest

from retain.errors import RetainError
from retain.verdict.gate import check_gate


def test_a_metric_is_held_to_its_own_direction(make_record):
    record = make_record(auc=(0.9,) * 6)
    high, low = check_gate(record, {"roc_auc": 0.88, "brier": 0.05})
    assert high.passed
    assert high.missed_by == 0
    assert "roc_auc is 0.9000" in high.message
    assert "the threshold is at least 0.88: reached." in high.message
    assert not low.passed
    assert low.missed_by == pytest.approx(0.05)
    assert "the threshold is at most 0.05: missed by 0.0500." in low.message


def test_a_threshold_that_is_just_reached_is_reached(make_record):
    (check,) = check_gate(make_record(auc=(0.5,) * 6), {"roc_auc": 0.5})
    assert check.passed


def test_a_metric_the_runs_do_not_have_is_refused(make_record):
    with pytest.raises(RetainError, match=r"metric 'roc_auk' is not one of .*'roc_auc'\?"):
        check_gate(make_record(), {"roc_auk": 0.9})
