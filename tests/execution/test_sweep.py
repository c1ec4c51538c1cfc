import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest


def test_failures_of_every_kind_leave_the_sweep_alive(retain, tiny, odd_models, records):
    models = "model=raises,kills,exits,tree,dummy"
    code, output = retain(*odd_models, *tiny, "-m", models, "workers=2")
    assert code == 1
    assert "2 done, 3 failed" in output
    found = records("adhoc")
    assert {name: r["state"] for name, r in found.items()} == {
        "raises": "failed",
        "kills": "failed",
        "exits": "failed",
        "tree": "done",
        "dummy": "done",
    }
    assert found["raises"]["reason"] == "Odd: cannot be unpickled"
    assert "odd_models.py" in found["raises"]["traceback"]
    assert found["kills"]["reason"] == "the worker process died: SIGKILL"
    assert found["exits"]["reason"] == "SystemExit: 7"
    assert "sys.exit(7)" in found["exits"]["traceback"]
    log = next(Path("outputs/adhoc").glob("raises-*")) / "run.log"
    assert "Odd: cannot be unpickled" in log.read_text()


def test_a_failed_run_runs_again_and_finished_ones_do_not(retain, tiny, odd_models):
    line = (*odd_models, *tiny, "-m", "model=raises,tree", "workers=1")
    retain(*line)
    code, output = retain(*line)
    assert code == 1
    assert "0 done, 1 failed, 0 not applicable, 1 done before and skipped" in output


def test_a_package_nobody_trusts_is_not_built(retain, tiny, odd_models, monkeypatch):
    monkeypatch.delenv("RETAIN_TRUST")
    code, output = retain(*odd_models, *tiny, "model=exits")
    assert code == 2
    assert "export RETAIN_TRUST=PACKAGE" in output


def test_after_an_interrupt_the_same_line_runs_only_what_is_missing(
    launch, retain, odd_models, tiny, records, monkeypatch
):
    line = (*odd_models, *tiny, "-m", "model=tree,slow,dummy", "workers=1")
    process = launch(*line)
    waited = time.monotonic() + 60
    while not list(Path("outputs/adhoc").glob("tree-*/record.json")) and time.monotonic() < waited:
        time.sleep(0.05)
    while not list(Path("outputs/adhoc").glob("slow-*/.hydra")) and time.monotonic() < waited:
        time.sleep(0.05)
    # A terminal signals every process of the group, and impatient people press twice.
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.3)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "The same command continues" in out
    assert "Traceback" not in err
    assert json.loads(Path("outputs/adhoc/status.json").read_text())["state"] == "interrupted"
    assert set(records("adhoc")) == {"tree"}
    first = records("adhoc")["tree"]["finished_at"]
    assert "interrupted" in retain(*line, "dry_run=true")[1]
    monkeypatch.setenv("RETAIN_SLOW", "0")
    code, output = retain(*line)
    assert code == 0, output
    assert "2 done, 0 failed, 0 not applicable, 1 done before and skipped" in output
    assert records("adhoc")["tree"]["finished_at"] == first


def test_the_first_interrupt_lets_a_run_end_and_begins_no_other(
    launch, odd_models, tiny, records, monkeypatch
):
    monkeypatch.setenv("RETAIN_SLOW", "0.7")
    line = (*odd_models, *tiny, "-m", "model=slow,dummy", "workers=1")
    process = launch(*line)
    waited = time.monotonic() + 60
    while not list(Path("outputs/adhoc").glob("slow-*/.hydra")) and time.monotonic() < waited:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Ctrl-C again stops them" in out
    assert {name: record["state"] for name, record in records("adhoc").items()} == {"slow": "done"}


@pytest.mark.parametrize(
    ("model", "limit", "message"),
    [
        ("hangs", "limits.seconds=1", r"stopped after 1\.\d s: limits\.seconds is 1"),
        ("hungry", "limits.memory_mb=700", r"stopped at [\d,]+ MiB of memory: limits\.memory_mb"),
    ],
)
def test_a_run_beyond_its_limit_fails_alone(
    retain, tiny, odd_models, records, model, limit, message
):
    line = (*odd_models, *tiny, "-m", f"model={model},tree", limit, "workers=2")
    code, _ = retain(*line)
    assert code == 1
    found = records("adhoc")
    assert re.search(message, found[model]["reason"])
    assert found["tree"]["state"] == "done"


def test_a_limit_holds_for_a_run_by_itself(retain, tiny, odd_models, records):
    code, _ = retain(*odd_models, *tiny, "model=hangs", "limits.seconds=0.5")
    assert code == 1
    assert "limits.seconds is 0.5" in records("adhoc")["hangs"]["reason"]


# Otherwise one heavy run would be held against all light ones its worker does after it.
def test_a_run_answers_for_its_own_memory_only(retain, tiny, odd_models, records, monkeypatch):
    monkeypatch.setenv("RETAIN_HELD", "0")
    retain(*odd_models, *tiny, "-m", "model=hungry,tree", "workers=1")
    peaks = {name: record["peak_memory_mb"] for name, record in records("adhoc").items()}
    assert peaks["hungry"] > 800
    assert peaks["tree"] < peaks["hungry"] - 400


# Workers, threads and order of work are no part of a result.
def test_scores_are_the_same_bits_with_any_number_of_workers(retain, tiny):
    line = (*tiny, "-m", "model=logreg,tree,random_forest", "model.random_state=0")
    scores = []
    for workers in (1, 2):
        retain(*line, f"workers={workers}", f"outputs=with_{workers}")
        files = sorted(Path(f"with_{workers}").rglob("scores.parquet"))
        scores.append([(path.parent.name, path.read_bytes()) for path in files])
    assert len(scores[0]) == 3
    assert scores[0] == scores[1]


# It would take a second to import them and the memory of one more worker to hold them.
@pytest.mark.slow
def test_the_launching_process_does_without_pandas_and_scikit_learn(here, tiny):
    words = ["-m", *tiny, "model=tree,dummy"]
    script = f"""
import sys
from retain.cli.run import run_command, run

if __name__ == "__main__":
    code = run_command(run, {words}, "run")
    heavy = {{"numpy", "pandas", "sklearn", "scipy", "pyarrow"}}
    print("imported", sorted(heavy & set(sys.modules)))
    sys.exit(code)
"""
    Path("launch.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "launch.py"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "imported []" in done.stdout


def test_workers_leave_no_process_and_no_file_behind(retain, tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "temporary").mkdir()
    before = psutil.Process().children(recursive=True)  # the server of workers; a browser, say
    retain(*tiny, "-m", "model=tree,dummy", "workers=2")
    assert set(psutil.Process().children(recursive=True)) <= set(before)
    assert not list((tmp_path / "temporary").glob("retain-*"))


def test_a_killed_launch_leaves_no_worker_and_the_next_tidies_up(
    launch, retain, odd_models, tiny, here, monkeypatch
):
    monkeypatch.setenv("TMPDIR", str(here))
    monkeypatch.setattr("tempfile.tempdir", None)
    process = launch(*odd_models, *tiny, "-m", "model=hangs")
    waited = time.monotonic() + 60
    while not list(Path("outputs/adhoc").glob("hangs-*/.hydra")) and time.monotonic() < waited:
        time.sleep(0.05)
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    assert psutil.wait_procs(family, timeout=10)[1] == []
    assert list(here.glob("retain-scratch-*"))
    retain(*tiny, "-m", "model=tree")
    assert not list(here.glob("retain-scratch-*"))
