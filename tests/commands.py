"""Fixtures that call the commands as a user does, in an empty folder."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import pytest

from retain.cli.compare import compare
from retain.cli.run import run, run_command
from retain.execution.plan import PlannedRun, SweepPlan
from retain.execution.task import Task
from retain.record.directory import RunDirectory
from retain.record.study import StudyDirectory

from .launching import Launch

TINY = ("data.customers=120", "validation.folds=2", "validation.repeats=1")
"""Overrides that make a run on demo customers as quick as it can be."""

ODD = """
import os, signal, sys, time
from sklearn.linear_model import LogisticRegression

class Odd(Exception):
    def __init__(self, one, two):
        super().__init__(one + two)

class Raises(LogisticRegression):
    def fit(self, X, y):
        raise Odd("cannot be", " unpickled")

class Kills(LogisticRegression):
    def fit(self, X, y):
        os.kill(os.getpid(), signal.SIGKILL)

class Exits(LogisticRegression):
    def fit(self, X, y):
        sys.exit(7)

class Hungry(LogisticRegression):
    def fit(self, X, y):
        self.held_ = bytearray(800 * 2**20)
        time.sleep(float(os.environ.get("RETAIN_HELD", "5")))
        return super().fit(X, y)

class Hangs(LogisticRegression):
    def fit(self, X, y):
        time.sleep(600)

class Slow(LogisticRegression):
    def fit(self, X, y):
        time.sleep(float(os.environ.get("RETAIN_SLOW", "1.5")))
        return super().fit(X, y)

class Fells(LogisticRegression):
    # takes the process above the worker along, as an ending job or node would
    def fit(self, X, y):
        job = int(os.environ["SUBMITIT_LOCAL_JOB_ID"])
        for child in open(f"/proc/{job}/task/{job}/children").read().split():
            os.kill(int(child), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

class Stays(LogisticRegression):
    # tells where it is, and stays there as long as the environment says
    def fit(self, X, y):
        with open('raylets', 'a') as file:
            file.write(os.environ.get('RAY_RAYLET_PID', 'here') + "\\n")
        time.sleep(float(os.environ.get("RETAIN_STAY", "0.5")))
        return super().fit(X, y)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def launch(fork_server, tmp_path_factory):
    """A command as a process of its own, in the current folder: ``launch(*words, VARIABLE=…)``."""

    def start(*words, command="run", **environment):
        logs = tmp_path_factory.mktemp("launch")
        return Launch(command, words, os.environ | environment, logs)

    return start


@pytest.fixture
def retain(here, capsys, fork_server):
    """``retain`` with the words given; the exit code and what was printed."""

    def call(*words):
        code = run_command(run, words, "run")
        output = capsys.readouterr()
        return code, output.out + output.err

    return call


@pytest.fixture
def with_charts():
    """Asks for comparisons that draw their page and pictures."""


@pytest.fixture
def retain_compare(here, capsys, without_charts, request, fork_server):
    """``retain-compare`` with the words given; the exit code and what was printed.

    Explanations, campaigns and drawings take longer than the rest: who wants them asks for them.
    """
    drawing = (
        contextlib.nullcontext() if "with_charts" in request.fixturenames else without_charts()
    )

    def call(*words):
        omitted = [
            f"{part}=none"
            for part in ("explain", "campaign")
            if not any(word.startswith(part) for word in words)
        ]
        code = run_command(compare, (*words, *omitted), "compare")
        output = capsys.readouterr()
        return code, output.out + output.err

    with drawing:
        yield call


@pytest.fixture(scope="session")
def tiny():
    return TINY


@pytest.fixture
def records():
    """The records of a study as plain JSON, by model name."""

    def read(study):
        paths = sorted(Path("outputs", study).glob("*/record.json"))
        trees = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        return {tree["config"]["model"]["name"]: tree for tree in trees}

    return read


@pytest.fixture
def odd_models(here, monkeypatch):
    """Models that fail in every way, trusted by this process; returns the flag to add."""
    (here / "odd_models.py").write_text(ODD)
    folder = here / "mine" / "model"
    folder.mkdir(parents=True)
    for name in ("Raises", "Kills", "Exits", "Hungry", "Hangs", "Slow", "Fells", "Stays"):
        text = f"name: {name.lower()}\n_target_: odd_models.{name}\nC: 1.0\n"
        (folder / f"{name.lower()}.yaml").write_text(text)
    monkeypatch.syspath_prepend(str(here))
    monkeypatch.setenv("PYTHONPATH", str(here), prepend=os.pathsep)
    monkeypatch.setenv("RETAIN_TRUST", "odd_models")
    return ("-cd", "mine")


@pytest.fixture(scope="session")
def make_task(make_record):
    """A task of a model by name that would leave ``make_record``'s record."""

    def make(id_="0123abcd", model="logreg", sampler="none", *, rows=100, study="models"):
        record = make_record(id=id_, model={"name": model}, sampler={"name": sampler})
        tree = {**record.config, "study": {"name": study}, "workers": 2, "threads": 1}
        return Task(
            id=id_,
            directory=RunDirectory(Path("outputs", study, f"{model}-{id_}")),
            config=tree,
            recorded_config=tree,
            overrides=(f"model={model}", f"sampler={sampler}"),
            hydra={},
            data=record.data.model_copy(update={"n_rows": rows}),
            split=record.split,
            checks=(),
            environment=record.environment,
            git=record.git,
        )

    return make


@pytest.fixture(scope="session")
def record_of(make_record):
    """The record a task leaves: how it ended, its seconds and its ROC-AUC by fold."""

    def make(task, state="done", *, seconds=1.0, **changes):
        done = state == "done"
        facts = {
            "id": task.id,
            "state": state,
            "reason": None if done else "because",
            "config": task.config,
            "data": task.data,
            "split": task.split,
            "seconds": {"prepare": seconds / 4, "fit": seconds * 3 / 4} if done else {},
        }
        record = make_record(**{**facts, **changes})
        return record if done else record.model_copy(update={"metrics": {}})

    return make


@pytest.fixture(scope="session")
def make_plan():
    """A plan of tasks, those done before with their records, in the working directory."""

    def make(tasks, done=()):
        before = {record.id: record for record in done}
        runs = [
            PlannedRun(task, before.get(task.id), None if task.id in before else "new")
            for task in tasks
        ]
        return SweepPlan(StudyDirectory(Path("outputs", "models")), tuple(runs), ())

    return make


@pytest.fixture
def results():
    """What the runs of an outputs folder came to, in all that may not depend on the engine."""

    def read(outputs):
        paths = sorted(Path(outputs).rglob("record.json"))
        by_run = {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in paths}
        same = ("state", "metrics", "data", "split", "checks", "environment", "warnings")
        return {
            name: (
                *(record[key] for key in same),
                (Path(outputs) / record["study"] / name / "scores.parquet").read_bytes()
                if record["state"] == "done"
                else record["reason"],
            )
            for name, record in by_run.items()
        }

    return read
