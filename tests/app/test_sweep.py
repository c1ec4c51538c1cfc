import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def test_failures_of_every_kind_leave_the_sweep_alive(retain, tiny, odd_models, records):
    models = "model=raises,kills,exits,tree,dummy"
    code, said = retain(*odd_models, *tiny, "-m", models, "launcher.workers=2")
    assert code == 1
    assert "2 done, 3 failed" in said
    found = records("runs")
    assert {name: r["state"] for name, r in found.items()} == {
        "raises": "failed",
        "kills": "failed",
        "exits": "failed",
        "tree": "done",
        "dummy": "done",
    }
    assert found["raises"]["reason"] == "Odd: cannot be unpickled"
    assert "odd_models.py" in found["raises"]["traceback"]
    assert found["kills"]["reason"] == "the worker process died: SIGKILL(-9)"
    assert "unexpectedly terminated" in found["kills"]["traceback"]
    assert found["exits"]["reason"] == "SystemExit: 7"
    assert "sys.exit(7)" in found["exits"]["traceback"]
    log = next(Path("outputs/runs").glob("raises-*")) / "run.log"
    assert "Odd: cannot be unpickled" in log.read_text()


def test_a_failed_run_runs_again_and_finished_ones_do_not(retain, tiny, odd_models):
    line = (*odd_models, *tiny, "-m", "model=raises,tree", "launcher.workers=1")
    retain(*line)
    code, said = retain(*line)
    assert code == 1
    assert "0 done, 1 failed, 0 not applicable, 1 done before and skipped" in said


def test_a_package_nobody_trusts_is_not_built(retain, tiny, odd_models, monkeypatch):
    monkeypatch.delenv("RETAIN_TRUST")
    code, said = retain(*odd_models, *tiny, "model=exits")
    assert code == 2
    assert "export RETAIN_TRUST=PACKAGE" in said


def launched(*words):
    command = [sys.executable, "-m", "retain", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def test_after_an_interrupt_the_same_line_runs_only_what_is_missing(odd_models, tiny, records):
    line = (*odd_models, *tiny, "-m", "model=tree,slow,dummy", "launcher.workers=1")
    process = launched(*line)
    waited = time.monotonic() + 60
    while not list(Path("outputs/runs").glob("tree-*/record.json")) and time.monotonic() < waited:
        time.sleep(0.05)
    while not list(Path("outputs/runs").glob("slow-*/.hydra")) and time.monotonic() < waited:
        time.sleep(0.05)
    # A terminal signals every process of the group, and impatient people press twice.
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "The same line continues" in out
    assert "Traceback" not in err
    assert json.loads(Path("outputs/runs/status.json").read_text())["state"] == "interrupted"
    assert set(records("runs")) == {"tree"}
    first = records("runs")["tree"]["finished"]
    dry = launched(*line, "dry_run=true").communicate(timeout=60)[0]
    assert "interrupted" in dry
    again = launched(*line)
    out, err = again.communicate(timeout=60)
    assert again.returncode == 0, err
    assert "2 done, 0 failed, 0 not applicable, 1 done before and skipped" in out
    assert records("runs")["tree"]["finished"] == first


# Workers, threads and order of work are no part of a result.
def test_scores_are_the_same_bits_with_any_number_of_workers(retain, tiny):
    line = (*tiny, "-m", "model=logreg,tree,random_forest", "model.random_state=0")
    scores = []
    for workers in (1, 2):
        retain(*line, f"launcher.workers={workers}", f"outputs=with_{workers}")
        files = sorted(Path(f"with_{workers}").rglob("scores.parquet"))
        scores.append([(path.parent.name, path.read_bytes()) for path in files])
    assert len(scores[0]) == 3
    assert scores[0] == scores[1]


def test_workers_leave_no_process_behind(retain, tiny):
    retain(*tiny, "-m", "model=tree,dummy", "launcher.workers=2")
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    if children.exists():
        alive = [int(pid) for pid in children.read_text().split()]
        names = [Path(f"/proc/{pid}/cmdline").read_text() for pid in alive]
        assert not [name for name in names if "popen_loky" in name]
