import pytest

from retain.record.estimates import Estimate
from retain.verdict.trees.study_change import StudyRuns, TreeTests, compare_study, conclude

TESTS = TreeTests(margin=0.01, alpha=0.05)


@pytest.fixture
def study(scored):
    """A study of runs as ``scored`` makes them."""

    def make(runs, **changes):
        found = scored(runs)
        for record in found.records:
            record.config.update(data={"name": "demo"}, seed=0)
        records = tuple(found.records)
        facts = {"verdict": None, "unreadable": (), "n_unfinished": 0}
        return StudyRuns(records, found, **{**facts, **changes})

    return make


RUNS = {"svc": (1, 1.0), "tree": (2, 0.6)}


@pytest.mark.parametrize(
    ("ends", "conclusion"),
    [
        ((0.001, 0.02), "better"),
        ((-0.02, -0.001), "worse"),
        ((-0.009, 0.02), "not_worse"),
        ((0.0, 0.0), "not_worse"),
        ((-0.011, 0.02), "unclear"),
        ((-0.01, 0.02), "unclear"),
    ],
)
def test_an_interval_is_put_in_a_word(ends, conclusion):
    assert conclude(Estimate(sum(ends) / 2, *ends), margin=0.01) == conclusion


def test_equal_studies_are_the_same(study):
    found = compare_study("x", study(RUNS), study(RUNS), TESTS)
    assert (found.conclusion, found.n_same, found.n_changed) == ("same", 2, 0)
    assert [run.name for run in found.runs] == ["svc", "tree"]


def test_a_study_with_runs_under_way_is_not_called_the_same(study):
    found = compare_study("x", study(RUNS), study(RUNS, n_unfinished=1), TESTS)
    assert (found.conclusion, found.n_unfinished) == ("not_worse", (0, 1))


def test_runs_of_one_tree_are_new_or_gone(study):
    found = compare_study("x", study(RUNS), study({"svc": (1, 1.0), "knn": (3, 0.5)}), TESTS)
    assert [run.name for run in found.gone_runs] == ["tree"]
    assert [run.name for run in found.new_runs] == ["knn"]
    assert found.conclusion == "not_worse"
    assert found.best.is_same_run


def test_the_best_run_of_each_tree_is_named(study):
    found = compare_study("x", study(RUNS), study({"svc": (1, 0.1), "tree": (2, 0.6)}), TESTS)
    assert (found.best.main.name, found.best.branch.name) == ("svc", "tree")
    assert not found.best.is_same_run
    assert [(one.metric, one.n_better, one.n_worse) for one in found.metrics][-1] == (
        "roc_auc",
        0,
        1,
    )


def test_studies_of_other_sources_are_not_compared(study):
    branch = study({"svc": (8, 1.0)})
    for record in branch.records:
        record.config["data"] = {"name": "purchases"}
    found = compare_study("x", study(RUNS), branch, TESTS)
    assert (found.conclusion, found.obstacle, found.best) == ("incomparable", "other_source", None)


def test_a_study_without_a_finished_run_is_not_compared(study):
    main = study(RUNS)
    failed = tuple(
        one.model_copy(update={"state": "failed", "metrics": {}}) for one in main.records
    )
    found = compare_study("x", main, StudyRuns(failed, None, None, (), 0), TESTS)
    assert found.obstacle == "no_finished_run"
    assert [run.states for run in found.runs] == [("done", "failed")] * 2
    assert [run.difference for run in found.runs] == [None, None]


def test_a_study_without_scores_is_not_compared(study):
    main = study(RUNS)
    found = compare_study("x", main, StudyRuns(main.records, None, None, (), 0), TESTS)
    assert found.conclusion == "same"
    assert found.obstacle == "no_scores"


def test_causes_are_counted_over_the_runs_that_changed(study):
    branch = study({"svc": (1, 1.0), "tree": (4, 0.6)})
    environment = branch.records[0].environment.model_copy(update={"code_sha256": "d" * 64})
    records = tuple(one.model_copy(update={"environment": environment}) for one in branch.records)
    changed = StudyRuns(records, branch.scored, None, (), 0)
    found = compare_study("x", study(RUNS), changed, TESTS)
    assert [(one.cause.aspect, one.n_runs) for one in found.causes] == [("code", 1)]
    assert [run.is_same for run in found.runs] == [True, False]
