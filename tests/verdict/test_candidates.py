import numpy as np
import pytest

from retain.errors import RetainError
from retain.verdict.candidates import group_by_seed
from retain.verdict.config_keys import check_comparable
from retain.verdict.verdict import compare_runs

GOOD = (0.92, 0.93, 0.91, 0.94, 0.92, 0.90)


def seeded(make_record, seed, auc=GOOD, id_=None, **model):
    base = make_record(
        id=id_ or f"{seed:08x}", auc=auc, model={"name": "tree", "random_state": seed, **model}
    )
    config = {**base.config, "seed": seed}
    return base.model_copy(update={"config": config, "seed": seed})


@pytest.fixture
def sweep(make_record):
    """Two configurations with three seeds each; the second one's last seed was the luckiest."""
    lower = tuple(np.array(GOOD) - 0.03)
    return [
        *(seeded(make_record, k, tuple(np.array(GOOD) + 0.01 * k), f"a{k}") for k in range(3)),
        *(seeded(make_record, k, lower, f"b{k}", depth=3) for k in range(2)),
        seeded(make_record, 2, tuple(np.array(GOOD) + 0.04), "b2", depth=3),
    ]


# The luckiest of many seeds is no better configuration.
def test_runs_that_differ_only_in_seed_are_one_candidate(sweep, comparison):
    verdict = compare_runs(sweep, comparison)
    assert verdict.table["id"].tolist() == ["a0", "b0"]
    assert verdict.winner.id == "a0"
    assert verdict.winner.seed == 0
    assert verdict.winner.metrics["roc_auc"].value == pytest.approx(np.mean(GOOD) + 0.01)
    assert verdict.table["n_seeds"].tolist() == [3, 3]
    assert verdict.table["seed_sd"].iloc[0] == pytest.approx(0.01)
    assert "seed" not in verdict.keys
    assert "model.random_state" not in verdict.keys


def test_the_spread_between_seeds_and_the_run_used_are_said(sweep, comparison):
    sentence = compare_runs(sweep, comparison).sentence
    assert "6 runs are 2 configurations" in sentence
    assert "the standard deviation of ROC-AUC is 0.0100; the run with seed 0 is used" in sentence


def test_the_mean_over_seeds_is_taken_fold_by_fold(sweep):
    (first, second) = group_by_seed(sweep)
    assert first.record.metrics["roc_auc"].fold_values == pytest.approx(np.array(GOOD) + 0.01)
    assert [run.id for run in second.runs] == ["b0", "b1", "b2"]
    metric = first.record.metrics["roc_auc"]
    assert metric.low < metric.value < metric.high


def test_another_value_that_equals_the_seed_is_another_configuration(make_record):
    runs = [seeded(make_record, k, id_=f"a{k}", C=k) for k in (1, 2)]
    assert len(group_by_seed(runs)) == 2


def test_one_seed_alone_changes_nothing(sweep, comparison):
    verdict = compare_runs(sweep[:1], comparison)
    assert verdict.winner is sweep[0]
    assert verdict.seed_sentence == ""
    assert np.isnan(verdict.table["seed_sd"].iloc[0])


def test_seeds_that_a_race_stopped_do_not_count(sweep):
    stopped = sweep[2].model_copy(update={"stopped_early": True})
    (candidate,) = group_by_seed([*sweep[:2], stopped])
    assert [run.id for run in candidate.runs] == ["a0", "a1"]
    assert not candidate.record.stopped_early


def test_other_folds_by_the_seed_of_the_validation_are_refused(make_record):
    runs = [make_record(id=f"{k}") for k in range(2)]
    for k, run in enumerate(runs):
        run.config["validation"] = {"name": "repeated", "seed": k}
    with pytest.raises(RetainError, match=r"validation.seed=0,1 moves the folds.*seed=0,1"):
        check_comparable(runs)
