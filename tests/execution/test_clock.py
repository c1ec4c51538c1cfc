"""Clocks that are set while runs are under way: by an hour back, by a day ahead."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from retain.execution.task import RunOutcome, finish

LIBRARY = Path("/usr/lib")
NEEDED = os.environ.get("RETAIN_REQUIRE_FAKETIME") == "1"


# It waits in a way that the library that sets clocks does not meddle with.
WAITING = """
import select
from sklearn.linear_model import LogisticRegression

class Waiting(LogisticRegression):
    def fit(self, X, y):
        select.select([], [], [], 1.5)
        return super().fit(X, y)
"""


@pytest.fixture
def waiting(here, monkeypatch):
    """A model during which the clock can be set; returns the flag to add."""
    (here / "waiting_model.py").write_text(WAITING)
    folder = here / "ours" / "model"
    folder.mkdir(parents=True)
    (folder / "waiting.yaml").write_text("name: waiting\n_target_: waiting_model.Waiting\n")
    monkeypatch.setenv("PYTHONPATH", str(here))
    monkeypatch.syspath_prepend(str(here))
    monkeypatch.setenv("RETAIN_TRUST", "waiting_model")
    return ("-cd", "ours")


@pytest.fixture
def clock(here, monkeypatch):
    """A function that sets the wall clock of the launches to come and of those under way."""
    found = sorted(LIBRARY.glob("*/faketime/libfaketime.so.1"))
    if not found and not NEEDED:
        pytest.skip("the wall clock cannot be set: libfaketime is missing (apt-get install it)")
    file = here / "clock"

    def set_by(offset):
        file.with_suffix(".new").write_text(f"{offset}\n")
        file.with_suffix(".new").replace(file)

    set_by("+0")
    monkeypatch.setenv("LD_PRELOAD", str(found[0]))
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(file))
    monkeypatch.setenv("FAKETIME_NO_CACHE", "1")
    monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")  # the one that no one can set
    return set_by


def launch(*words):
    command = [sys.executable, "-m", "retain", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def took(record):
    """Seconds from a run's start to its end, by what its record says."""
    return (
        datetime.fromisoformat(record["finished_at"]) - datetime.fromisoformat(record["started_at"])
    ).total_seconds()


@pytest.mark.parametrize(("offset", "seconds"), [("-1h", -3600), ("+1d", 86400)])
def test_a_clock_that_jumps_changes_no_duration_and_no_state(
    clock, waiting, retain, tiny, records, offset, seconds
):
    line = (*waiting, *tiny, "-m", "model=waiting,tree,dummy", "workers=1")
    line = (*line, "limits.seconds=60")
    process = launch(*line)
    until = time.monotonic() + 90
    while not list(Path("outputs/adhoc").glob("waiting-*/run.log")):
        assert time.monotonic() < until
        time.sleep(0.05)
    status = Path("outputs/adhoc/status.json")
    clock(offset)
    to_go = []
    while process.poll() is None:
        to_go.append(json.loads(status.read_text())["eta_seconds"])
        time.sleep(0.1)
    out, err = process.communicate()
    assert (process.returncode, err) == (0, ""), out
    assert "3 done, 0 failed" in out
    assert all(0 <= one < 60 for one in to_go if one is not None)
    found = records("adhoc")
    assert 0 < took(found["waiting"]) < 60
    assert all(0 <= spent < 60 for r in found.values() for spent in r["seconds"].values())
    # The clock really was set while the first ran.
    later = max(datetime.fromisoformat(record["finished_at"]) for record in found.values())
    earlier = min(datetime.fromisoformat(record["finished_at"]) for record in found.values())
    assert later - earlier > timedelta(seconds=abs(seconds) - 100)
    _, output = retain(*line)  # by the clock of this process, which nobody has set
    assert "0 done, 0 failed, 0 not applicable, 3 done before and skipped" in output


# The same without the library that sets clocks.
def test_a_run_ends_after_it_began_whatever_the_clock_says(here, make_task, monkeypatch):
    began = datetime(2026, 1, 1, 12, tzinfo=UTC)
    monkeypatch.setattr("retain.execution.task.now", began.isoformat)
    task = make_task()
    task = replace(task, config={**task.config, "seed": 0}).mark_started()
    monkeypatch.setattr("retain.execution.task.now", (began - timedelta(hours=1)).isoformat)
    record = finish(task, RunOutcome("failed", reason="because"))
    assert 0 <= took(record.model_dump()) < 10
