"""Families of runs that differ in their length alone: one is fitted, the others are cut."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from retain.execution.families import share_fits
from retain.execution.inputs import SharedInputs
from retain.execution.scheduling import CostGroup, CostModel
from retain.execution.shared_memory import SharedValue
from retain.execution.task import Rung
from retain.learning.growing import GROWING

FOREST = ("model=random_forest,extra_trees", "model.n_estimators=3,5,8", "sampler=none,smote")
ALONE = "limits.seconds=1000"
"""With a limit every run is fitted by itself."""


def left(outputs="outputs"):
    """What each run leaves that may not depend on what was shared, by its directory."""
    found = {}
    for path in sorted(Path(outputs).glob("*/*/record.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        scores = path.with_name("scores.parquet")
        content = scores.read_bytes() if scores.is_file() else None
        facts = (record["id"], record["state"], record["stopped_early"], record["metrics"])
        found[path.parent.name] = (*facts, record["warnings"], content)
    return found


def seconds(outputs="outputs"):
    """The phases of each run, by its model and the number of trees."""
    paths = Path(outputs).glob("*/*/record.json")
    records = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    return {
        (one["config"]["model"]["name"], *_trees(one), one["config"]["sampler"]["name"]): one[
            "seconds"
        ].keys()
        for one in records
    }


def _trees(record):
    names = {"n_estimators", "iterations", "max_iter", "n_neighbors"}
    return [value for name, value in record["config"]["model"].items() if name in names]


@pytest.fixture
def family(make_task):
    """Tasks of one forest with the given numbers of trees."""

    def made(*lengths, limits=None, shared=True, **changes):
        inputs = SharedInputs(SharedValue(Path("rows"), b"", ()), 0, Path("cache"))
        tasks = []
        for length in lengths:
            task = make_task(f"{length:08x}", "random_forest")
            model = {
                "name": "random_forest",
                "_target_": "sklearn.ensemble.RandomForestClassifier",
                "n_estimators": length,
                "random_state": 0,
            }
            limit = {"seconds": limits, "memory_mb": None}
            fixed = {
                "limits": limit,
                "tuning": {"trials": None},
                "calibration": {"name": "none", "method": None},
            }
            config = {**task.config, **fixed, "model": {**model, **changes}}
            tasks.append(replace(task, config=config, shared=inputs if shared else None))
        return tasks

    return made


def cuts(tasks):
    return {
        task.config["model"]["n_estimators"]: (task.cut_from, task.shared.cut_to)
        for task in share_fits(tasks)
    }


def test_the_others_are_cut_from_the_longest(family):
    assert cuts(family(5, 9, 2)) == {
        5: ("00000009", ()),
        9: (None, (2, 5)),
        2: ("00000009", ()),
    }


def test_runs_that_differ_in_more_are_families_of_their_own(family):
    mixed = [*family(5, 9), *family(3, 4, max_depth=2), *family(7, max_depth=3)]
    found = cuts(mixed)
    assert found[5] == ("00000009", ())
    assert found[4] == (None, (3,))
    assert found[7] == (None, ())


def test_nothing_is_shared_with_limits_or_by_runs_that_share_no_folder(family):
    assert set(cuts(family(5, 9, limits=60.0)).values()) == {(None, ())}
    apart = family(5, 9, shared=False)
    assert share_fits(apart) == apart


# A race cuts the next fold of those still in it, whoever was the longest before.
def test_in_a_race_the_longest_of_those_with_the_same_next_folds_is_fitted(family):
    two, five, nine = share_fits(family(2, 5, 9))
    next_fold = [replace(task, rung=Rung(4)) for task in (two, five)]
    out = replace(nine, rung=Rung(3, is_final=True))
    assert cuts([*next_fold, out]) == {2: ("00000005", ()), 5: (None, (2,)), 9: (None, ())}


def test_a_run_waits_for_the_one_it_is_cut_from_and_then_goes_first(family, make_task):
    other = make_task("ffffffff", "svc")
    queue = CostModel().make_queue(share_fits([*family(5, 9, 2), other]))
    assert (len(queue), queue.n_ready) == (4, 2)
    assert queue.pop().id == "00000009"
    queue.release("00000009")
    assert [queue.pop().id for _ in range(3)] == ["00000005", "00000002", "ffffffff"]
    queue.release("00000005")
    assert len(queue) == 0


def test_a_run_whose_longest_is_not_in_the_queue_waits_for_nothing(family):
    two, _ = share_fits(family(2, 9))
    queue = CostModel().make_queue([two])
    assert queue.pop() == two


def test_the_cost_of_a_run_that_was_cut_says_nothing_of_one_that_is_fitted(family, record_of):
    two, five, nine = share_fits(family(2, 5, 9))
    fitted = record_of(nine, seconds=8.0)
    cut = record_of(five).model_copy(update={"seconds": {"prepare": 0.01, "cut": 0.01}})
    costs = CostModel([fitted, cut])
    assert CostGroup.of(fitted) == CostGroup.of(nine)
    assert CostGroup.of(cut) == CostGroup.of(five)
    assert costs.expected_cost(two) == pytest.approx(0.02)
    assert costs.similar_cost(CostGroup.of(nine)) == 8.0


@pytest.mark.slow
def test_a_sweep_leaves_what_each_run_leaves_alone(retain, tiny):
    assert retain(*tiny, "-m", *FOREST, "workers=2")[0] == 0
    assert retain(*tiny, "-m", *FOREST, "workers=2", "outputs=apart", ALONE)[0] == 0
    assert left() == left("apart")
    assert len(left()) == 12
    for (_, trees, _), phases in seconds().items():
        assert ("fit" in phases) == (trees == 8)
        assert "cut" in phases
    assert all("cut" not in phases for phases in seconds("apart").values())
    # and one run by itself, in the launching process
    words = ("model=random_forest", "model.n_estimators=3", "sampler=smote", "outputs=single")
    assert retain(*tiny, *words)[0] == 0
    (name,) = left("single")
    assert left("single")[name] == left()[name]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "lengths", "fitted"),
    [
        ("lightgbm", "model.n_estimators=4,10,25", {25}),
        ("hist_gradient_boosting", "model.max_iter=4,10,25", {25}),
        ("catboost", "model.iterations=4,10,25,200,203", {25, 203}),
        ("knn", "model.n_neighbors=4,10,25", {4, 25}),  # some customer's fifth is as near
    ],
)
def test_boosting_and_neighbours_leave_what_each_run_leaves_alone(
    retain, tiny, model, lengths, fitted
):
    customers = "data.customers=400"  # with few, LightGBM has rounds that leave no tree
    line = (customers, *tiny[1:], "-m", f"model={model}", lengths, "workers=2")
    assert retain(*line)[0] == 0
    assert retain(*line, "outputs=apart", ALONE)[0] == 0
    assert left() == left("apart")
    assert fitted == {length for (_, length, _), phases in seconds().items() if "fit" in phases}


GROWS = """
import os, signal

from sklearn.ensemble import RandomForestClassifier

from retain.learning.growing import GROWING

class Grows(RandomForestClassifier):
    # a forest whose worker is killed, or which raises, where it is the longest
    def fit(self, X, y):
        if self.n_estimators == 8:
            if os.environ["RETAIN_FATE"] == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            raise MemoryError("eight trees are too many")
        return super().fit(X, y)

GROWING["grows.Grows"] = GROWING["sklearn.ensemble.RandomForestClassifier"]
"""


@pytest.mark.slow
@pytest.mark.parametrize("fate", ["killed", "raises"])
def test_where_the_longest_fails_the_others_are_fitted(retain, tiny, here, monkeypatch, fate):
    (here / "grows.py").write_text(GROWS)
    (here / "mine" / "model").mkdir(parents=True)
    node = "name: grows\n_target_: grows.Grows\nn_estimators: 8\nrandom_state: 0\n"
    (here / "mine" / "model" / "grows.yaml").write_text(node)
    monkeypatch.syspath_prepend(str(here))
    for name, value in (("PYTHONPATH", str(here)), ("RETAIN_TRUST", "grows")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RETAIN_FATE", fate)
    forest = GROWING["sklearn.ensemble.RandomForestClassifier"]
    monkeypatch.setitem(GROWING, "grows.Grows", forest)
    line = ("-cd", "mine", *tiny, "-m", "model=grows", "model.n_estimators=3,8,5", "workers=2")
    code, output = retain(*line)
    assert code == 1, output
    assert "2 done, 1 failed" in output
    assert retain(*line, "outputs=apart", ALONE)[0] == 1
    done = {name for name, facts in left().items() if facts[1] == "done"}
    assert len(done) == 2
    assert all(left()[name] == left("apart")[name] for name in done)
    assert all("fit" in phases for (_, trees, _), phases in seconds().items() if trees < 8)


LOST = (("random_forest", 8), ("random_forest", 3), ("extra_trees", 5))
"""Runs without a record, as a sweep that was killed may leave them."""


@pytest.mark.slow
def test_a_family_that_was_half_done_is_completed_with_the_same_scores(retain, tiny):
    line = (*tiny, "-m", *FOREST[:2], "workers=1")
    assert retain(*line)[0] == 0
    whole = left()
    for path in Path("outputs").glob("*/*/record.json"):
        config = json.loads(path.read_text(encoding="utf-8"))["config"]["model"]
        if (config["name"], config["n_estimators"]) in LOST:
            shutil.rmtree(path.parent)
    code, output = retain(*line)
    assert code == 0
    assert "3 done, 0 failed, 0 not applicable, 3 done before and skipped" in output
    assert left() == whole


@pytest.mark.slow
def test_a_race_stops_the_same_runs_whether_fits_are_shared_or_not(retain):
    data = ("data.customers=120", "validation.folds=2", "validation.repeats=3")
    race = "validation.early_stopping=true"
    line = (*data, race, "-m", "model=random_forest,extra_trees", "model.n_estimators=1,6,20")
    assert retain(*line, "workers=2")[0] == 0
    assert retain(*line, "workers=2", "outputs=apart", ALONE)[0] == 0
    assert left() == left("apart")
    assert any("fit" not in phases for phases in seconds().values())
