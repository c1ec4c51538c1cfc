import pytest

from retain.errors import RetainError
from retain.verdict.config_keys import check_comparable, differing_keys, get_key
from retain.verdict.leaderboard import leaderboard
from retain.verdict.verdict import compare_runs

GOOD = (0.92, 0.93, 0.91, 0.94, 0.92, 0.90)
CLOSE = (0.93, 0.92, 0.91, 0.93, 0.92, 0.90)
BAD = (0.60, 0.62, 0.61, 0.63, 0.60, 0.59)


def named(name, **parameters):
    return {"name": name, "_target_": f"x.{name}", **parameters}


@pytest.fixture
def three(make_record):
    return [
        make_record(id="00000002", auc=BAD, model=named("tree", depth=3)),
        make_record(id="00000001", auc=GOOD, model=named("svc", C=1.0)),
        make_record(id="00000003", auc=CLOSE, model=named("knn", k=5)),
    ]


def test_the_best_mean_stands_first_and_what_the_test_cannot_tell_apart_is_tied(three, comparison):
    table = leaderboard(three, comparison)
    assert table["model"].tolist() == ["svc", "knn", "tree"]
    assert table["tied"].tolist() == [True, True, False]
    assert table["p"].iloc[0] == 1
    assert table["difference"].iloc[2] == pytest.approx(-0.312, abs=0.01)


# Recalibration leaves the ranking as it is: what it does to the probabilities must then decide.
def test_of_runs_that_rank_alike_the_better_calibrated_stands_first(make_record, comparison):
    bent = make_record(id="00000001", model=named("svc", C=1.0))
    better = bent.metrics["brier"].model_copy(update={"value": 0.01})
    mended = bent.model_copy(
        update={"id": "00000002", "metrics": {**bent.metrics, "brier": better}}
    )
    assert leaderboard([bent, mended], comparison)["id"].tolist() == ["00000002", "00000001"]


def test_only_keys_that_differ_are_shown(make_record):
    svc = [
        make_record(id=i, model=named("svc", C=c, kernel="rbf"))
        for i, c in (("1", 1.0), ("2", 2.0))
    ]
    knn = make_record(id="3", model=named("knn", k=5))
    assert set(differing_keys([r.config for r in [*svc, knn]])) == {"model", "model.C"}
    assert differing_keys([knn.config]) == {}


# Otherwise a study begun without a race and gone on with in one would show a column for it.
def test_whether_there_was_a_race_is_no_difference_between_runs():
    whole = {
        "validation": {"name": "repeated", "folds": 5, "early_stopping": False, "min_folds": 3}
    }
    raced = {"validation": {**whole["validation"], "early_stopping": True, "min_folds": 4}}
    assert differing_keys([whole, raced]) == {}
    assert differing_keys([whole, {"validation": {**raced["validation"], "folds": 4}}]) == {
        "validation.folds": [5, 4]
    }


def test_the_value_of_a_key_is_found_as_the_leaderboard_names_it():
    config = {"model": {"name": "svc", "C": 1.0}, "features": {"site": False}, "seed": 0}
    keys = ("model", "model.C", "features.site", "seed", "sampler", "model.C.deeper")
    assert [get_key(config, key) for key in keys] == ["svc", 1.0, False, 0, None, None]


def test_what_cannot_change_a_result_is_no_difference():
    assert differing_keys([{"threads": 1, "seed": 0}, {"threads": 2, "seed": 0}]) == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": {"fingerprint": "f" * 64}}, r"customers: 100 rows, fingerprint aaaaaaaaaaaa"),
        ({"data": {"n_positives": 7}}, r"target: 40 declined .*; 7 declined"),
        ({"split": {"fingerprint": "f" * 64}}, r"splits: 3 folds × 2, bbbbbbbbbbbb"),
    ],
)
def test_unlike_runs_are_refused_and_the_difference_is_named(make_record, change, message):
    record = make_record()
    ((part, update),) = change.items()
    other = record.model_copy(
        update={"id": "ffffffff", part: getattr(record, part).model_copy(update=update)}
    )
    with pytest.raises(RetainError, match=message):
        check_comparable([record, other])


def test_other_metrics_are_refused(make_record):
    record = make_record()
    fewer = record.model_copy(update={"metrics": {"roc_auc": record.metrics["roc_auc"]}})
    with pytest.raises(RetainError, match=r"metrics: roc_auc, brier, ece .*; roc_auc"):
        check_comparable([record, fewer])


def test_the_verdict_names_the_winner_and_the_tied(three, comparison):
    verdict = compare_runs(three, comparison)
    assert verdict.winner.id == "00000001"
    assert verdict.tied == ("00000001", "00000003")
    assert "svc (00000001) has the best mean ROC-AUC: 0.920" in verdict.sentence
    assert "1 other run is tied with it, 1 run scores significantly lower" in verdict.sentence


def test_a_winner_alone_is_said_to_be_alone(three, comparison):
    assert (
        "no other run is tied with it, 1 run scores significantly lower"
        in compare_runs(three[:2], comparison).sentence
    )


def test_a_winner_on_resampled_rows_is_cautioned_unless_recalibrated(make_record, comparison):
    smote = {"name": "smote"}
    (caution,) = compare_runs([make_record(sampler=smote)], comparison).cautions
    assert caution.code == "resampled_not_recalibrated"
    assert "resampled by smote and was not recalibrated" in caution.sentence
    mended = make_record(sampler=smote, calibration={"name": "sigmoid"})
    assert compare_runs([mended], comparison).cautions == []


def test_failed_runs_are_told_and_not_ranked(three, make_record, comparison):
    failed = make_record(id="00000009", state="failed", reason="boom", metrics={})
    verdict = compare_runs([*three, failed], comparison)
    assert verdict.others == (failed,)


def test_runs_without_the_metrics_a_verdict_needs_are_refused(make_record, comparison):
    record = make_record()
    fewer = record.model_copy(update={"metrics": {"roc_auc": record.metrics["roc_auc"]}})
    with pytest.raises(RetainError, match="these runs lack the metrics brier, ece"):
        compare_runs([fewer], comparison)


def test_nothing_done_is_refused_with_what_there_is(make_record, comparison):
    failed = make_record(state="failed", reason="boom", metrics={})
    with pytest.raises(RetainError, match="no run is done: found 1 failed"):
        compare_runs([failed], comparison)
    with pytest.raises(RetainError, match="found no runs at all"):
        compare_runs([], comparison)


# A race stops what is behind: its mean over fewer folds may look better than it is.
def test_a_run_that_a_race_stopped_stands_behind_all_others(three, comparison):
    knn = three[2]
    short = {
        n: m.model_copy(update={"value": 0.99, "fold_values": m.fold_values[:3]})
        for n, m in knn.metrics.items()
    }
    raced = knn.model_copy(update={"metrics": short, "stopped_early": True})
    table = leaderboard([*three[:2], raced], comparison)
    assert table["model"].tolist() == ["svc", "tree", "knn"]
    assert table["n_folds"].tolist() == [6, 6, 3]
    assert table["tied"].tolist() == [True, False, False]
    assert table["difference"].iloc[2] == pytest.approx((0.01 - 0.01 + 0) / 3)


def test_runs_that_were_all_stopped_have_no_winner(make_record, comparison):
    raced = make_record(stopped_early=True)
    with pytest.raises(RetainError, match="stopped by a race whose leader is not here"):
        compare_runs([raced], comparison)


def test_the_simplest_of_the_tied_can_be_chosen(three, comparison):
    simple = comparison.model_copy(update={"rule": "simplest_tied"})
    best, chosen = compare_runs(three, comparison), compare_runs(three, simple)
    assert best.winner.config["model"]["name"] == best.best.config["model"]["name"] == "svc"
    assert "The simplest of the tied runs is knn (00000003)." in best.sentence
    assert chosen.winner.config["model"]["name"] == "knn"
    assert chosen.best.config["model"]["name"] == "svc"
    assert "The simplest of the tied runs is chosen: knn (00000003)." in chosen.sentence


def test_a_run_recorded_in_two_studies_counts_once(three, comparison):
    again = three[1].model_copy(update={"study": "samplers"})
    assert len(compare_runs([*three, again], comparison).table) == 3
