import numpy as np
import pytest

from retain.verdict.paired import compare_paired
from retain.verdict.trees.movement import find_moves

NOISE = np.array([0.004, -0.003, 0.002, -0.004, 0.003, -0.002])
FOLDS = np.array([0.90, 0.91, 0.89, 0.92, 0.90, 0.88])


def test_a_fall_beyond_noise_is_named_in_the_direction_of_the_metric(make_record):
    (found,) = find_moves([(make_record(), make_record(auc=tuple(FOLDS - 0.1 + NOISE)))], 0.05)
    assert {move.metric: move.is_better for move in found.moves} == {
        "roc_auc": False,
        "brier": False,
    }
    assert found.difference.value == pytest.approx(-0.1)


def test_noise_moves_nothing(make_record):
    (found,) = find_moves([(make_record(), make_record(auc=tuple(FOLDS + NOISE)))], 0.05)
    assert found.moves == ()
    assert found.difference.low < 0 < found.difference.high


# A p of .01 is beyond noise alone, and not among two metrics of thirty pairs.
def test_p_counts_all_metrics_of_all_pairs(make_record):
    shift = 0.0222
    pair = make_record(), make_record(auc=tuple(FOLDS + shift + 2 * NOISE))
    p = compare_paired((shift + 2 * NOISE)[None], 0.5).p[0]
    assert 0.05 / 60 < p < 0.05 / 3
    assert find_moves([pair], 0.05)[0].moves
    same = make_record(), make_record()
    assert not any(one.moves for one in find_moves([pair, *[same] * 29], 0.05))


def test_a_run_that_a_race_stopped_is_compared_over_its_folds(make_record):
    short = make_record(auc=tuple(FOLDS[:3] - 0.1), stopped_early=True)
    (found,) = find_moves([(make_record(), short)], 0.05)
    assert found.difference.value == pytest.approx(-0.1)


def test_runs_on_other_folds_are_compared_without_pairs(make_record):
    main = make_record()
    split = main.split.model_copy(update={"fingerprint": "e" * 64})
    (found,) = find_moves([(main, make_record(split=split))], 0.05)
    assert found.difference.value == 0
    assert found.difference.high > 0.01


def test_a_metric_of_one_run_alone_is_left_out(make_record):
    branch = make_record()
    branch.metrics.pop("ece")
    (found,) = find_moves([(make_record(), branch)], 0.05)
    assert found.difference.value == 0


def test_no_pairs_move_nothing():
    assert find_moves([], 0.05) == []
