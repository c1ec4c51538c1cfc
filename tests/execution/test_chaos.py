"""A sweep whose workers and whose launching process are killed ends as if nobody had."""

from __future__ import annotations

import io
import json
import os
import random
import threading
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

LINE = (
    "-m",
    "model=slowish,logreg,tree",
    "sampler=none,random_over,random_under,smote",
    "seed=1,2,3,4,5",
    "workers=2",
)
RUNS = 60
SLOWISH = """
import time
from sklearn.linear_model import LogisticRegression

class Slowish(LogisticRegression):
    def fit(self, X, y):
        time.sleep(0.15)
        return super().fit(X, y)
"""


@pytest.fixture
def line(here, tiny, monkeypatch):
    """The words of a sweep of 60 runs, a third of them of a model slow enough to be met at it."""
    (here / "slowish_model.py").write_text(SLOWISH)
    folder = here / "mine" / "model"
    folder.mkdir(parents=True)
    (folder / "slowish.yaml").write_text("name: slowish\n_target_: slowish_model.Slowish\n")
    (here / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(here / "temporary"))
    monkeypatch.setenv("PYTHONPATH", str(here))
    monkeypatch.setenv("RETAIN_TRUST", "slowish_model")
    return ("-cd", "mine", *tiny, *LINE)


def workers(process):
    """Processes that do runs: those started by the server that the launch started."""
    try:
        started = psutil.Process(process.pid).children()
        return [one for server in started for one in server.children()]
    except psutil.NoSuchProcess:
        return []


class Watcher(threading.Thread):
    """Reads every record while others write; ``broken`` tells of those that were not whole."""

    def __init__(self, outputs):
        super().__init__(daemon=True)
        self.outputs, self.over = outputs, threading.Event()
        self.looks, self.broken = set(), []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def run(self):
        while not self.over.wait(0.02):
            for path in self.outputs.glob("*/*/record.json"):
                self.look(path)

    def look(self, path):
        scores = path.parent / "scores.parquet"
        try:
            files = (path, path.stat().st_mtime_ns, scores.exists() and scores.stat().st_mtime_ns)
            if files in self.looks:
                return
            if json.loads(path.read_bytes())["state"] == "done":
                pd.read_parquet(io.BytesIO(scores.read_bytes()))
            self.looks.add(files)
        except Exception as error:  # noqa: BLE001 - whatever it is, the record was not whole
            if path.exists():  # otherwise the run began again meanwhile
                self.broken.append(f"{path}: {error!r}")


def sweeping(process):
    """Whether the launch does runs by now: before, what was killed would be reading the data."""
    status = Path("wild", "adhoc", "status.json")
    return status.exists() and json.loads(status.read_text())["pid"] == process.pid


def disturb(process, chance, until):
    """Kill a worker every now and then until ``until`` says so; how many were killed."""
    killed = 0
    while process.poll() is None and not sweeping(process):
        time.sleep(0.05)
    while process.poll() is None and not until():
        time.sleep(chance.uniform(0.2, 0.5))
        if found := workers(process):
            chance.choice(found).kill()
            killed += 1
    return killed


def records(outputs):
    return list(Path(outputs, "adhoc").glob("*/record.json"))


def tree(outputs):
    """What must not depend on what happened: ids, states, metrics as text, scores as bytes."""
    found = {}
    for path in records(outputs):
        record = json.loads(path.read_text())
        metrics = json.dumps(record["metrics"])
        scores = path.with_name("scores.parquet").read_bytes()
        found[path.parent.name] = (record["id"], record["state"], metrics, scores)
    return found


def reasons(outputs):
    return [json.loads(path.read_text())["reason"] for path in records(outputs)]


def killed_at_random(launch, line, chance):
    """Launch three times, the first two killed on the way, workers killed all along; how many."""
    killed = 0
    for part in (1 / 4, 1 / 2):
        process = launch(*line)
        killed += disturb(process, chance, lambda part=part: len(records("wild")) > RUNS * part)
        time.sleep(chance.uniform(0, 0.3))
        assert process.poll() is None, process.communicate()
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        assert "Traceback" not in str(process.communicate())
        assert psutil.wait_procs(family, timeout=10)[1] == []
    process = launch(*line)
    killed += disturb(process, chance, lambda: False)
    output = process.communicate()
    assert process.returncode in {0, 1}, output
    assert "Traceback" not in str(output)
    return killed


def processes_left(folder, seconds=10):
    """The processes in a folder, once those that are about to end had time to."""
    ends = time.monotonic() + seconds
    while True:
        found = [one.pid for one in psutil.process_iter(["cwd"]) if one.info["cwd"] == str(folder)]
        if len(found) <= 1 or time.monotonic() > ends:
            return found
        time.sleep(0.1)


@pytest.mark.first
def test_a_sweep_killed_again_and_again_ends_as_an_undisturbed_one(launch, line, here):
    calm = launch(*line, "outputs=calm")
    with Watcher(here / "wild") as watcher:
        killed = killed_at_random(launch, (*line, "outputs=wild"), random.Random(7))  # noqa: S311
        # Enough kills hit a run for this to prove something.
        assert killed >= 10
        assert reasons("wild").count("the worker process died: SIGKILL") >= 2
        process = launch(*line, "outputs=wild")
        output = process.communicate(timeout=120)
    calm.communicate(timeout=120)
    assert process.returncode == 0, output
    assert watcher.broken == []
    assert len(watcher.looks) >= RUNS
    assert len(tree("calm")) == RUNS
    assert tree("wild") == tree("calm")
    assert {state for _, state, _, _ in tree("wild").values()} == {"done"}
    assert not [*Path("wild").glob("*/*/.unfinished-*"), *Path("temporary").glob("retain-*")]
    assert processes_left(here) == [os.getpid()]
