"""Runs of a sweep raced fold by fold, by the command as a user types it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retain.cli.run import run, run_command
from retain.record.directory import RunDirectory

DATA = ("data.customers=120", "validation.folds=2", "validation.repeats=3")
"""Six folds, of which each run has three before it may be stopped."""
RACE = "validation.early_stopping=true"
LINE = (*DATA, "-m", "model=logreg,tree,knn,dummy", "sampler=none,smote", "workers=2")


def records(outputs="outputs", study="adhoc"):
    """Records of a study by the name of their directory."""
    paths = sorted(Path(outputs, study).glob("*/record.json"))
    return {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def folds(outputs="outputs"):
    """How many folds each run has that was done."""
    return {
        name: len(record["metrics"]["roc_auc"]["fold_values"])
        for name, record in records(outputs).items()
        if record["state"] == "done"
    }


def left(outputs="outputs"):
    """How each run stands: what may not depend on how the race went on."""
    return {
        name: (
            record["state"],
            record["stopped_early"],
            record["metrics"],
            Path(outputs, "adhoc", name, "scores.parquet").read_bytes(),
        )
        for name, record in records(outputs).items()
    }


def soon(holds):
    until = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture(scope="module")
def raced(tmp_path_factory, fork_server):
    """The outputs of a race of eight runs, which nobody may change, and what it said."""
    folder = tmp_path_factory.mktemp("race")
    output = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(output):
        code = run_command(run, [*LINE, RACE], "run")
    assert code == 0, output.getvalue()
    return folder / "outputs", output.getvalue()


def test_runs_that_are_worse_are_stopped_and_say_so(raced):
    outputs, output = raced
    found = records(outputs)
    stopped = {name for name, record in found.items() if record["stopped_early"]}
    assert {name.split("-")[0] for name in stopped} == {"dummy"}
    assert {record["state"] for record in found.values()} == {"done"}
    assert {folds(outputs)[name] for name in stopped} == {3}
    assert {folds(outputs)[name] for name in found.keys() - stopped} == {6}
    assert re.search(r"done model=dummy sampler=none .*, stopped after 3 of 6 folds", output)
    assert "8 done, 0 failed" in output
    assert "Early stopping ended 2 runs" in output
    assert "saved 6 of 48 fits" in output
    status = json.loads((outputs / "adhoc" / "status.json").read_text())
    assert (status["n_done"], status["n_stopped_early"], status["n_left"]) == (8, 2, 0)
    assert status["running"] == []
    assert status["eta_seconds"] == 0


def test_a_raced_run_has_the_scores_of_the_folds_it_had(raced):
    outputs, _ = raced
    name, record = next((n, r) for n, r in records(outputs).items() if r["stopped_early"])
    scores = pd.read_parquet(outputs / "adhoc" / name / "scores.parquet")
    assert [tuple(pair) for pair in scores[["repeat", "fold"]].drop_duplicates().to_numpy()] == [
        (0, 0),
        (0, 1),
        (1, 0),
    ]
    found = record["metrics"]["roc_auc"]
    assert found["value"] == pytest.approx(sum(found["fold_values"]) / 3)
    assert record["split"]["n_repeats"] == 3


# The race decides how far a run goes and nothing else.
def test_a_run_that_stays_to_the_end_is_the_same_bits_as_without_a_race(raced, retain):
    retain(*LINE, "outputs=whole")
    whole, race = left("whole"), left(raced[0])
    assert whole.keys() == race.keys()
    for name, (_, stopped, metrics, scores) in race.items():
        had = folds(raced[0])[name]
        assert metrics["roc_auc"]["fold_values"] == whole[name][2]["roc_auc"]["fold_values"][:had]
        if not stopped:
            assert (metrics, scores) == whole[name][2:]
    assert not list(raced[0].glob("*/*/folds.parquet"))


def test_the_race_is_the_same_with_any_number_of_workers(raced, retain):
    retain(*LINE, RACE, "workers=1", "outputs=alone")
    assert left("alone") == left(raced[0])


def test_raced_runs_are_done_with_a_race_and_done_in_full_without(raced, retain):
    shutil.copytree(raced[0], "outputs")
    code, output = retain(*LINE, RACE)
    assert (code, "0 done, 0 failed, 0 not applicable, 8 done before" in output) == (0, True)
    assert retain(*LINE, RACE, "dry_run=true")[1].count("stopped early") == 2
    output = retain(*LINE, "validation.early_stopping=false")[1]
    assert "again: it was stopped after 3 of 6 folds" in output
    assert "2 done, 0 failed, 0 not applicable, 6 done before" in output
    assert set(folds().values()) == {6}
    assert not any(record["stopped_early"] for record in records().values())


# The best of the line may have been done before; the others must not be held to a weaker one.
def test_runs_done_before_take_part(retain):
    retain(*DATA, "model=logreg")
    before = records()
    line = (*DATA, "-m", "model=dummy,logreg", RACE)
    _, output = retain(*line)
    assert "1 done, 0 failed, 0 not applicable, 1 done before" in output
    assert sorted(folds().values()) == [3, 6]
    assert before.items() <= records().items()


def test_a_single_run_has_nobody_to_race_against(retain):
    retain(*DATA, "model=dummy", RACE)
    retain(*DATA, "-m", "model=tree", RACE)
    assert set(folds().values()) == {6}
    assert not any(record["stopped_early"] for record in records().values())


# Folds of other seeds hold other customers: a difference between them says nothing.
def test_runs_on_other_splits_are_not_compared(retain):
    retain(*DATA, "-m", "model=logreg", "validation.seed=1", "study.name=both", RACE)
    retain(*DATA, "-m", "model=dummy", "validation.seed=1,2", "study.name=both", RACE)
    assert {record["stopped_early"] for record in records(study="both").values()} == {False}


def test_a_race_is_refused_where_runs_are_sent_away(retain):
    for launcher in ("submitit_local", "ray"):
        code, output = retain(*DATA, "-m", "model=tree,dummy", RACE, f"hydra/launcher={launcher}")
        assert code == 2
        assert f"got hydra/launcher={launcher}. Leave one of the two out." in output
    assert not Path("outputs").exists()


def test_failures_and_the_inapplicable_leave_the_race(retain, odd_models):
    models = "model=raises,kills,exits,logreg,dummy"
    code, output = retain(*odd_models, *DATA, "-m", models, RACE, "workers=2")
    assert code == 1, output
    assert "2 done, 3 failed" in output
    assert sorted(folds().values()) == [3, 6]
    off = [f"features.{name}=false" for name in ("communication", "product", "purchase")]
    _, output = retain(*DATA, "-m", *off, "features.site=true,false", "study.name=no", RACE)
    assert "1 done, 0 failed, 1 not applicable" in output


def test_a_limit_of_time_counts_every_leg(retain, odd_models, monkeypatch):
    monkeypatch.setenv("RETAIN_SLOW", "0.8")
    line = (*odd_models, *DATA, "-m", "model=slow,logreg", RACE, "limits.seconds=3.9")
    code, output = retain(*line, "workers=2")
    assert code == 1, output
    (slow,) = (record for name, record in records().items() if name.startswith("slow"))
    assert re.match(r"stopped after [34]\.\d s: limits\.seconds is 3\.9", slow["reason"])
    assert (
        "waits for the race with 3 of 6 folds"
        in next(Path("outputs/adhoc").glob("slow-*/run.log")).read_text()
    )


def folds_kept(outputs):
    return list(Path(outputs).glob("*/*/folds.parquet"))


def kill(launch, *words, when):
    """Launch, and kill the launching process when it has come so far; its workers end with it."""
    process = launch(*words)
    soon(when)
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    psutil.wait_procs(family, timeout=10)


@pytest.fixture(scope="module")
def cut_short(tmp_path_factory, launch):
    """The outputs of the same race, killed when some of its runs had three of their folds."""
    folder = tmp_path_factory.mktemp("cut_short")
    with contextlib.chdir(folder):
        kill(
            launch,
            *(*LINE, RACE),
            when=lambda: len(folds_kept("outputs")) >= 4 and list(folder.rglob("dummy-*/folds.*")),
        )
    return folder / "outputs"


def test_a_race_killed_on_the_way_ends_as_one_that_was_not(launch, raced, cut_short, retain):
    shutil.copytree(cut_short, "outputs")
    assert folds_kept("outputs")
    kill(launch, *LINE, RACE, when=lambda: len(folds_kept("outputs")) >= 6)
    assert folds_kept("outputs")
    code, output = retain(*LINE, RACE)
    assert code == 0, output
    assert "0 failed" in output
    assert left() == left(raced[0])
    assert not folds_kept("outputs")


def test_after_an_interrupt_the_race_goes_on_from_the_folds_there_are(
    launch, odd_models, retain, monkeypatch
):
    monkeypatch.setenv("RETAIN_SLOW", "0.5")
    line = (*odd_models, *DATA, "-m", "model=slow,dummy", RACE, "workers=1")
    process = launch(*line)
    soon(lambda: list(Path("outputs/adhoc").glob("slow-*/.hydra/overrides.yaml")))
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert records() == {}
    assert len(list(Path("outputs/adhoc").glob("slow-*/folds.parquet"))) == 1
    monkeypatch.setenv("RETAIN_SLOW", "0")
    _, output = retain(*line)
    assert "2 done" in output
    log = next(Path("outputs/adhoc").glob("slow-*/run.log")).read_text()
    assert log.count("with 3 of 6 folds") == 1


def test_two_races_at_once_share_the_work_and_agree(launch, raced, here):
    line = (*LINE, RACE, "outputs=shared", "workers=1")
    processes = [launch(*line) for _ in range(2)]
    output = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], output
    assert left("shared") == left(raced[0])


def test_a_tuned_run_tells_what_every_fold_chose(retain):
    tuned = ("tuning=optuna", "tuning.trials=2", "tuning.folds=2")
    code, output = retain(*DATA, "-m", "model=tree,logreg", *tuned, RACE)
    assert code == 0, output
    for record in records().values():
        had = len(record["metrics"]["roc_auc"]["fold_values"])
        assert [(fold["repeat"], fold["fold"]) for fold in record["tuning"]["folds"]] == [
            (n // 2, n % 2) for n in range(had)
        ]


@pytest.mark.slow
def test_the_launching_process_stays_light_in_a_race(here):
    words = [*DATA, "-m", "model=logreg,dummy", RACE, "workers=1"]
    script = f"""
import sys
from retain.cli.run import run_command, run

if __name__ == "__main__":
    run_command(run, {words}, "run")
    heavy = {{"numpy", "pandas", "sklearn", "scipy", "pyarrow"}}
    print("imported", sorted(heavy & set(sys.modules)))
"""
    Path("launch.py").write_text(script)
    command = [sys.executable, "launch.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "Early stopping ended 1 run " in done.stdout, done.stderr
    assert "imported []" in done.stdout


@pytest.fixture
def begun(raced, cut_short, here):
    """The directory of a run that was interrupted with three of its folds, the others done."""
    shutil.copytree(raced[0], "outputs")
    before = min(cut_short.glob("adhoc/dummy-*/folds.parquet")).parent
    after = Path("outputs/adhoc", before.name)
    shutil.rmtree(after)
    shutil.copytree(before, after)
    return RunDirectory(after)


# What other code scored must not be mixed with what this code scores.
def test_folds_of_another_world_are_not_gone_on_with(begun, retain):
    table = pq.read_table(begun.folds)
    facts = json.loads(table.schema.metadata[b"retain"])
    same = pa.array([0.25] * len(table))
    table = table.set_column(4, "probability", same)
    for made_by in ({**facts["made_by"], "code": "f" * 64}, None):
        result = json.dumps({**facts, "made_by": made_by})
        pq.write_table(table.replace_schema_metadata({"retain": result}), begun.folds)
        code, output = retain(*LINE, RACE)
        assert code == 0, output
        scores = pd.read_parquet(begun.scores)
        assert not (scores["probability"] == 0.25).any()
        begun.record.unlink()


def test_a_file_that_holds_no_folds_costs_nothing_but_them(begun, retain):
    begun.folds.write_bytes(b"PAR1 and no more")
    code, output = retain(*LINE, RACE)
    assert code == 0, output
    assert begun.read().state == "done"
