import pytest

from retain.errors import RetainError
from retain.verdict.comparable import refuse_unlike
from retain.verdict.leaderboard import differing, leaderboard
from retain.verdict.verdict import as_json, judge

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


def test_the_best_mean_stands_first_and_what_the_test_cannot_tell_apart_is_tied(three):
    table = leaderboard(three)
    assert table["model"].tolist() == ["svc", "knn", "tree"]
    assert table["tied"].tolist() == [True, True, False]
    assert table["p"].iloc[0] == 1
    assert table["difference"].iloc[2] == pytest.approx(-0.312, abs=0.01)


# Recalibration leaves the ranking as it is: what it does to the probabilities must then decide.
def test_of_runs_that_rank_alike_the_better_calibrated_stands_first(make_record):
    bent = make_record(id="00000001", model=named("svc", C=1.0))
    better = bent.metrics["brier"].model_copy(update={"mean": 0.01})
    mended = bent.model_copy(
        update={"id": "00000002", "metrics": {**bent.metrics, "brier": better}}
    )
    assert leaderboard([bent, mended])["id"].tolist() == ["00000002", "00000001"]


def test_only_keys_that_differ_are_shown(make_record):
    svc = [
        make_record(id=i, model=named("svc", C=c, kernel="rbf"))
        for i, c in (("1", 1.0), ("2", 2.0))
    ]
    knn = make_record(id="3", model=named("knn", k=5))
    assert set(differing([r.config for r in [*svc, knn]])) == {"model", "model.C"}
    assert differing([knn.config]) == {}


def test_what_cannot_change_a_result_is_no_difference():
    assert differing([{"threads": 1, "seed": 0}, {"threads": 2, "seed": 0}]) == {}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"data": {"fingerprint": "f" * 64}}, r"customers: 100 rows, fingerprint aaaaaaaaaaaa"),
        ({"data": {"positives": 7}}, r"target: 40 declined .* against 7 declined"),
        ({"split": {"fingerprint": "f" * 64}}, r"splits: 3 folds × 2, bbbbbbbbbbbb"),
    ],
)
def test_unlike_runs_are_refused_and_the_difference_is_named(make_record, change, told):
    record = make_record()
    ((part, update),) = change.items()
    other = record.model_copy(
        update={"id": "ffffffff", part: getattr(record, part).model_copy(update=update)}
    )
    with pytest.raises(RetainError, match=told):
        refuse_unlike([record, other])


def test_other_metrics_are_refused(make_record):
    record = make_record()
    fewer = record.model_copy(update={"metrics": {"roc_auc": record.metrics["roc_auc"]}})
    with pytest.raises(RetainError, match=r"metrics: roc_auc, brier, ece .* against roc_auc"):
        refuse_unlike([record, fewer])


def test_the_verdict_names_the_winner_and_the_tied(three):
    verdict = judge(three)
    assert verdict.winner.id == "00000001"
    assert verdict.tied == ("00000001", "00000003")
    assert "svc (00000001) has the best mean ROC-AUC, 0.920" in verdict.sentence
    assert "1 of the other 2 runs cannot be told from it, 1 score lower" in verdict.sentence


def test_a_winner_alone_is_said_to_be_alone(three):
    assert "0 of the other 1 runs cannot be told from it" in judge(three[:2]).sentence


def test_a_winner_on_resampled_rows_is_cautioned_unless_recalibrated(make_record):
    smote = {"name": "smote"}
    (caution,) = judge([make_record(sampler=smote)]).cautions
    assert "resampled by smote and was not recalibrated" in caution
    assert judge([make_record(sampler=smote, calibration={"name": "sigmoid"})]).cautions == []


def test_a_winner_that_may_be_chance_is_said_to_be(make_record):
    noise = make_record(auc=(0.45, 0.55, 0.52, 0.48, 0.51, 0.53))
    assert "nothing is shown to beat chance" in judge([noise]).cautions[0]


def test_failed_runs_are_told_and_not_ranked(three, make_record):
    failed = make_record(id="00000009", state="failed", reason="boom", metrics={})
    verdict = judge([*three, failed])
    assert verdict.others == (failed,)
    assert '"reason": "boom"' in as_json(verdict, None, {})


def test_runs_without_the_metrics_a_verdict_needs_are_refused(make_record):
    record = make_record()
    fewer = record.model_copy(update={"metrics": {"roc_auc": record.metrics["roc_auc"]}})
    with pytest.raises(RetainError, match="these runs lack the metrics brier, ece"):
        judge([fewer])


def test_nothing_done_is_refused_with_what_there_is(make_record):
    failed = make_record(state="failed", reason="boom", metrics={})
    with pytest.raises(RetainError, match="no run is done: found 1 failed"):
        judge([failed])
    with pytest.raises(RetainError, match="found no runs at all"):
        judge([])
