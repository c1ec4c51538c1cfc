"""Tuning as a user asks for it: composed, refused, recorded, told of."""

import json
import re
import sys
from pathlib import Path

import pytest

from retain.cli.compose import Composer
from retain.cli.overrides import Arguments
from retain.cli.terminal.progress import format_tuning
from retain.execution.scheduling import CostGroup, CostModel
from retain.record.directory import RunDirectory
from retain.record.tuning import TuningInfo
from retain.storage.paths import conf_dir
from retain.verdict.config_keys import differing_keys

FEW = ("tuning=optuna", "tuning.trials=3", "tuning.folds=2")

FACTS = TuningInfo.of(
    {
        "folds": [],
        "agreement": {
            "C": {"min": 0.01, "median": 0.125, "max": 12.0},
            "gamma": {"mode": "scale", "share": 0.6},
        },
        "inner_score": 0.9124,
        "outer_score": 0.9051,
        "optimism": {"value": 0.0073, "low": -0.0102, "high": 0.0248},
    },
)


def composed(*overrides):
    with Composer(Arguments(overrides, multirun=True), "run") as composer:
        return composer.runs()


def config_and_id(*overrides):
    (run,) = composed(*overrides)
    return run.config, run.id


# Somebody's other range must not make runs that nobody tunes look like others, or run them again.
@pytest.mark.parametrize("model", ["logreg", "blend"])
def test_a_search_space_is_no_part_of_a_run_that_is_not_tuned(model):
    key = {"logreg": "model.search.C.high", "blend": "model.members.logreg.search.C.high"}[model]
    words = (f"model={model}",)
    assert config_and_id(*words) == config_and_id(*words, f"{key}=10.0")
    assert "search" not in json.dumps(config_and_id(*words)[0]["model"])


def test_a_search_space_is_part_of_a_run_that_is_tuned():
    one, other = (config_and_id(*FEW, *more) for more in ((), ("model.search.C.high=10.0",)))
    assert one[1] != other[1]
    assert one[0]["model"]["search"]["C"] == {"low": 0.001, "high": 100.0, "log": True}
    threads = config_and_id(*FEW, "threads=2")
    assert threads[1] == one[1]


def test_only_tuned_runs_are_told_apart_by_their_search_space():
    runs = [run.config for run in composed("model=logreg,tree", "tuning=none,optuna")]
    keys = differing_keys(runs)
    assert keys["tuning"] == ["none", "optuna"] * 2
    assert not any("search" in key for key in keys)
    runs += [run.config for run in composed("tuning=optuna", "model.search.C.high=10.0")]
    assert differing_keys(runs)["model.search.C.high"] == [None, 100.0, None, None, 10.0]


NOT_TUNED = ("dummy", "blend", "recency_rule", "bg_nbd", "pareto_nbd")
"""Models without a parameter to look for."""


@pytest.mark.parametrize(
    "path", sorted((conf_dir() / "model").glob("*.yaml")), ids=lambda p: p.stem
)
def test_every_model_with_something_to_tune_says_where_to_look(path):
    (run,) = composed(f"model={path.stem}", "tuning=optuna")
    assert bool(run.run.model.get("search")) == (path.stem not in NOT_TUNED)


def test_a_tuned_run_records_what_it_found_and_the_launch_tells_of_it(retain, tiny, records):
    code, output = retain(*tiny, *FEW, "model=tree", "calibration=sigmoid")
    assert code == 0
    record = records("adhoc")["tree"]
    found = record["tuning"]
    assert [(fold["repeat"], fold["fold"]) for fold in found["folds"]] == [(0, 0), (0, 1)]
    assert set(found["folds"][0]["parameters"]) == {"max_depth", "min_samples_leaf"}
    assert found["outer_score"] == pytest.approx(record["metrics"]["roc_auc"]["value"])
    assert record["seconds"]["tune"] > 0
    assert record["environment"]["packages"]["optuna"]
    (directory,) = Path("outputs/adhoc").glob("tree-sigmoid-optuna-*")
    read = RunDirectory(directory).read().tuning
    assert read.agreement["max_depth"].min <= read.agreement["max_depth"].median
    assert re.search(
        rf"^  tuned .*model=tree.*: {re.escape(format_tuning(read))}$", output, re.MULTILINE
    )


def test_a_run_that_is_not_tuned_records_nothing_of_it(retain, tiny, records):
    _, output = retain(*tiny, "model=tree")
    record = records("adhoc")["tree"]
    assert record["tuning"] is None
    assert "tune" not in record["seconds"]
    assert "optuna" not in record["environment"]["packages"]
    assert "optimism" not in output


def test_optimism_and_agreement_are_told_in_one_line():
    assert format_tuning(FACTS) == (
        "ROC-AUC in the search 0.912, in cross-validation 0.905, optimism +0.007 "
        "(95 % CI \u22120.010 to +0.025); chosen in the folds: "
        "C 0.01 to 12 (median 0.125), gamma scale (60% of them)"
    )


# The budget is one of trials, so neither the machine nor its load decides what is found.
def test_any_number_of_workers_finds_the_same(retain, tiny, results, records):
    line = ("-m", *tiny, *FEW, "model=logreg,lightgbm")
    found = {}
    for workers in (1, 2):
        retain(*line, f"workers={workers}", f"outputs={workers}")
        tunings = [
            json.loads(p.read_text())["tuning"] for p in Path(f"{workers}").rglob("record.json")
        ]
        for fold in (fold for tuning in tunings for fold in tuning["folds"]):
            del fold["seconds"]
        found[workers] = results(str(workers)), sorted(map(json.dumps, tunings))
    assert found[1] == found[2]


@pytest.mark.parametrize("model", ["dummy", "blend"])
def test_a_model_with_nothing_to_tune_is_not_applicable_and_says_what_to_add(
    retain, tiny, records, model
):
    code, output = retain(*tiny, *FEW, f"model={model}")
    assert code == 0
    record = records("adhoc")[model]
    assert record["state"] == "not_applicable"
    assert record["reason"] in output
    assert re.search(r"add search: \{PARAMETER|tune one alone", record["reason"])


def test_a_space_of_ones_own_may_be_typed(retain, tiny, records):
    space = "min_samples_split: {low: 2, high: 40}, criterion: {choices: [gini, entropy]}"
    retain(*tiny, *FEW, "model=tree", f"model.search={{{space}}}")
    found = records("adhoc")["tree"]["tuning"]
    assert {"min_samples_split", "criterion"} <= set(found["agreement"])


def test_the_winner_is_tuned_again_on_all_training_customers(retain, retain_compare, tiny):
    retain(*tiny, *FEW, "model=tree")
    code, output = retain_compare("study=adhoc", "resamples=100")
    assert code == 0, output
    assert "Sealed test" in output


REFUSED = {
    ("model=lightgbm", "model.search.num_leafs.low=3"): (
        r"model\.search\.num_leafs may not be set: .* Did you mean 'num_leaves'\?"
    ),
    ("model.search.C.hihg=3",): r"model\.search\.C: key 'hihg' is unknown\. Did you mean 'high'\?",
    ("model.search.C.low=200.0",): r"model\.search\.C: low is 200\.0 and high is 100\.0",
    ("model.search.C.low=often",): r"model\.search\.C\.low is 'often'; expected",
    ("model.search.C.log=3",): r"model\.search\.C\.log is 3; expected boolean",
    ("model.search.C=3",): r"model\.search\.C: it is 3; expected \{low: NUMBER",
    ("model.search=3",): r"model\.search: it is 3; expected \{PARAMETER: ",
    ("tuning=optuna", "model.C=1000"): r"0\.001 to 100\.0 leaves out model\.C=1000, tried",
    ("tuning=optuna", "tuning.trials=0"): r"tuning\.trials is 0; expected greater than or equal",
    ("tuning=optuna", "tuning.folds=1"): r"tuning\.folds is 1; expected greater than or equal to 2",
    ("tuning=optuna", "tuning.pruner=medan"): r"tuning\.pruner is 'medan'; expected 'median'",
    ("tuning=optuna", "tuning.trails=3"): r"tuning: key 'trails' is unknown\. .* 'trials'\?",
    ("tuning=optun",): r"tuning 'optun' is not one of none, optuna\. Did you mean 'optuna'\?",
}


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_what_is_wrong_is_refused_before_any_fit(retain, words):
    code, output = retain(*words)
    assert code == 2
    assert re.search(REFUSED[words], output), output
    assert not Path("outputs").exists()


def test_without_optuna_the_extra_is_named_before_any_fit(retain, tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    code, output = retain(*tiny, *FEW)
    assert code == 2
    assert output == "tuning=optuna needs Optuna; type: pip install 'retain[tune]'\n"
    assert not Path("outputs").exists()


# A tuned run takes many times what the same run takes untuned: neither is a measure for the other.
def test_what_runs_cost_is_learnt_apart_for_those_that_are_tuned(make_task, record_of):
    task = make_task(model="svc")
    tuned = make_task("89abcdef", model="svc")
    tuned.config["tuning"] = {"name": "optuna", "trials": 20}
    costs = CostModel([record_of(task, seconds=1.0), record_of(tuned, seconds=60.0)])
    assert CostGroup.of(tuned).trials == 20
    assert [costs.similar_cost(CostGroup.of(one)) for one in (task, tuned)] == [1.0, 60.0]
