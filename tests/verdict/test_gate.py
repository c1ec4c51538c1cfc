import numpy as np
import pytest

from retain.errors import RetainError
from retain.verdict.gate import check_gate
from retain.verdict.verdict import compare_runs


def test_a_metric_is_held_to_its_own_direction(make_record, comparison):
    verdict = compare_runs([make_record(auc=(0.9,) * 6)], comparison)
    high, low = check_gate(verdict, {"roc_auc": 0.88, "brier": 0.05})
    assert high.passed
    assert high.missed_by == 0
    assert "roc_auc is 0.9000" in high.message
    assert "the threshold is at least 0.88: reached." in high.message
    assert not low.passed
    assert low.missed_by == pytest.approx(0.05)
    assert "the threshold is at most 0.05: missed by 0.0500." in low.message


def test_a_threshold_that_is_just_reached_is_reached(make_record, comparison):
    verdict = compare_runs([make_record(auc=(0.5,) * 6)], comparison)
    (check,) = check_gate(verdict, {"roc_auc": 0.5})
    assert check.passed


def test_a_metric_the_runs_do_not_have_is_refused(make_record, comparison):
    verdict = compare_runs([make_record()], comparison)
    with pytest.raises(RetainError, match=r"metric 'roc_auk' is not one of .*'roc_auc'\?"):
        check_gate(verdict, {"roc_auk": 0.9})


# The best of many runs of equal worth has a mean that it will not keep.
def test_the_gate_holds_against_the_mean_corrected_for_the_choice(make_record, comparison):
    random = np.random.default_rng(0)
    runs = [
        make_record(id=f"{i:08x}", auc=tuple(random.normal(0.8, 0.04, 6)), model={"name": f"m{i}"})
        for i in range(40)
    ]
    verdict = compare_runs(runs, comparison)
    raw = verdict.winner.metrics["roc_auc"].value
    (check,) = check_gate(verdict, {"roc_auc": raw - 0.005})
    assert not check.passed
    assert check.value == pytest.approx(0.8, abs=0.04)
    assert f"corrected for the choice of the winner from {raw:.4f}" in check.message
