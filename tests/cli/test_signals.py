"""A launch that is asked to end, and runs whose models start processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

PARENTS = """
import multiprocessing, subprocess, sys, time
from sklearn.linear_model import LogisticRegression

def leave():
    multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,)).start()
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])

class Waits(LogisticRegression):
    def fit(self, X, y):
        leave()
        time.sleep(600)

class Dies(LogisticRegression):
    def fit(self, X, y):
        leave()
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)

class Leaves(LogisticRegression):
    def fit(self, X, y):
        leave()
        return super().fit(X, y)
"""


@pytest.fixture
def parents(here, monkeypatch):
    """Models that start processes and leave them running; returns the flag to add."""
    (here / "parent_models.py").write_text(PARENTS)
    folder = here / "theirs" / "model"
    folder.mkdir(parents=True)
    for name in ("Waits", "Dies", "Leaves"):
        text = f"name: {name.lower()}\n_target_: parent_models.{name}\nC: 1.0\n"
        (folder / f"{name.lower()}.yaml").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(here))
    monkeypatch.syspath_prepend(str(here))
    monkeypatch.setenv("RETAIN_TRUST", "parent_models")
    return ("-cd", "theirs")


def under_way(model):
    until = time.monotonic() + 90
    while not list(Path("outputs/adhoc").glob(f"{model}-*/.hydra/overrides.yaml")):
        assert time.monotonic() < until
        time.sleep(0.05)


def still_there(folder):
    return [one for one in psutil.process_iter(["cwd"]) if one.info["cwd"] == str(folder)]


def alone(folder):
    """Whether this process alone is in the folder, when those that were killed had a moment."""
    until = time.monotonic() + 10
    while len(still_there(folder)) > 1 and time.monotonic() < until:
        time.sleep(0.1)
    return [one.pid for one in still_there(folder)] == [os.getpid()]


# What a scheduler sends, and a terminal that is closed; alone in this process or in workers.
@pytest.mark.parametrize("words", [("model=slow",), ("-m", "model=slow,tree")], ids=len)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_launch_asked_to_end_does_and_the_same_line_continues(
    launch, odd_models, tiny, here, retain, monkeypatch, words, number
):
    monkeypatch.setenv("TMPDIR", str(here / "temporary"))
    (here / "temporary").mkdir()
    line = (*odd_models, *tiny, *words, "workers=1")
    process = launch(*line)
    under_way("slow")
    process.send_signal(number)
    time.sleep(0.1)
    process.send_signal(number)  # who is impatient sends it twice
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    assert err == f"ended by {number.name}\n"
    assert "The same command continues" in out
    assert json.loads(Path("outputs/adhoc/status.json").read_text())["state"] == "interrupted"
    assert not list(Path("outputs/adhoc").glob("slow-*/record.json"))
    assert not list((here / "temporary").iterdir())
    assert alone(here)
    monkeypatch.setenv("RETAIN_SLOW", "0.1")
    code, output = retain(*line)
    assert code == 0, output


@pytest.mark.slow
def test_a_terminal_that_is_closed_ends_the_launch_without_a_word(odd_models, tiny, here):
    ours, theirs = os.openpty()
    # A leader of a new session that opens a terminal gets signals from it.
    shell = f'exec "$0" "$@" <>{os.ttyname(theirs)} >&0 2>err'
    command = ["sh", "-c", shell, sys.executable, "-m", "retain", *odd_models, *tiny]
    process = subprocess.Popen([*command, "-m", "model=slow"], start_new_session=True)
    os.close(theirs)
    under_way("slow")
    os.close(ours)
    assert process.wait(60) == 128 + signal.SIGHUP, Path("err").read_text()
    assert Path("err").read_text() == "ended by SIGHUP\n"
    assert alone(here)
    assert not list(Path("outputs/adhoc").glob("slow-*/record.json"))


# What a killed worker started would hold the claim on its run, and its memory, for ever.
def test_what_a_run_started_ends_with_it(retain, parents, tiny, records, here):
    line = (*parents, *tiny, "-m", "model=waits,dies,leaves", "workers=1")
    code, output = retain(*line, "limits.seconds=2.5")
    assert code == 1, output
    found = records("adhoc")
    assert "limits.seconds is 2.5" in found["waits"]["reason"]
    assert found["dies"]["reason"] == "the worker process died: SIGKILL"
    assert found["leaves"]["state"] == "done"
    _, listed = retain(*line, "dry_run=true")
    assert "running elsewhere" not in listed
    assert not [one for one in still_there(here) if "sleep(600)" in " ".join(one.cmdline())]
    assert len(still_there(here)) <= 4  # this one and the server that it forks workers from
