"""Two launches of one study at the same time: no run twice, none half-written, one leaderboard."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

LINE = ("-m", "model=logreg,tree,knn,dummy,svc", "seed=0,1,2", "study.name=shared")


@pytest.fixture
def launch(here, tiny):
    def started(*words):
        command = [sys.executable, "-m", "retain", *tiny, *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)

    return started


def counted(said):
    return int(re.search(r"(\d+) done, 0 failed", said).group(1))


def test_two_launches_share_the_work_and_agree(launch, retain_compare):
    processes = [launch(*LINE, "launcher.workers=2") for _ in range(2)]
    said = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    paths = list(Path("outputs/shared").glob("*/record.json"))
    records = [json.loads(path.read_text()) for path in paths]
    assert len(records) == 15
    assert {record["state"] for record in records} == {"done"}
    # A run done twice would have been started after the other launch had finished it.
    logs = [Path(path.parent, "run.log").read_text() for path in paths]
    assert all(log.count("roc_auc") == 1 for log in logs)
    assert all(1 <= counted(out) <= 15 for out, _ in said)
    boards = []
    for _ in range(2):
        retain_compare("study=shared", "resamples=100")
        boards.append(Path("outputs/shared/verdict/leaderboard.csv").read_bytes())
    assert boards[0] == boards[1]


def test_a_run_another_launch_has_is_waited_for_and_not_done_again(
    launch, retain, odd_models, tiny, records
):
    words = (*odd_models, "-m", "model=slow", "study.name=shared")
    first = launch(*words)
    waited = time.monotonic() + 60
    while not list(Path("outputs/shared").glob("slow-*/.hydra")) and time.monotonic() < waited:
        time.sleep(0.05)
    _, listed = retain(*tiny, *words, "dry_run=true")
    assert "running elsewhere" in listed
    code, said = retain(*tiny, *words)
    assert code == 0
    assert "1 done, 0 failed" in said
    assert first.wait(60) == 0
    out = first.communicate()[0]
    assert "1 done, 0 failed" in out
    record = records("shared")["slow"]
    log = next(Path("outputs/shared").glob("slow-*/run.log")).read_text()
    assert log.count("roc_auc") == 1
    assert record["state"] == "done"


def test_a_run_by_itself_waits_too(launch, retain, odd_models, tiny, records):
    words = (*odd_models, "model=slow", "study.name=shared")
    first = launch(*words)
    waited = time.monotonic() + 60
    while not list(Path("outputs/shared").glob("slow-*/.hydra")) and time.monotonic() < waited:
        time.sleep(0.05)
    finished_before = records("shared")
    code, _ = retain(*tiny, *words)
    assert code == 0
    assert finished_before == {}
    assert first.wait(60) == 0
    assert records("shared")["slow"]["state"] == "done"
