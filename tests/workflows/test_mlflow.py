"""Finished records in a real MLflow store, read back by MLflow's own client."""

import contextlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from retain.cli.run import run, run_command
from retain.errors import RetainError
from retain.record.directory import RunDirectory
from retain.record.document import Git, MetricSummary
from retain.schema.compare import Tracking
from retain.workflows.mlflow import check_tracking, flatten_params, log_runs

pytestmark = pytest.mark.slow  # the tables of a store alone take MLflow seconds

MLFLOW = Tracking(name="mlflow")
CONFIG = {
    "model": {"name": "svc", "C": 1.0, "gamma": None},
    "data": {"name": "demo", "tables": {"behaviour": {"file": "a.csv"}}, "derived": {"x": {}}},
    "metrics": {"name": "default", "top_shares": [0.1]},
    "threads": 2,
    "outputs": "elsewhere",
}


@pytest.fixture(scope="session")
def blank(tmp_path_factory):
    """A store without runs; to make its tables takes MLflow seconds."""
    outputs = tmp_path_factory.mktemp("blank")
    assert log_runs([], MLFLOW, outputs).startswith("0 runs logged")
    return outputs / "mlflow.db"


@pytest.fixture
def outputs(blank, here):
    """An outputs folder with a blank store in an empty working directory."""
    Path("outputs").mkdir()
    shutil.copy(blank, "outputs/mlflow.db")
    return Path("outputs")


@pytest.fixture
def ended(make_record, outputs):
    """A run that has ended: its directory and its record."""

    def made(**changes):
        record = make_record(**{"config": CONFIG, **changes})
        run = RunDirectory(outputs / record.study / f"svc-{record.id}")
        run.finish(record)
        run.log.write_text("all that was logged\n")
        return run, record

    return made


@pytest.fixture
def client():
    """MLflow's own client for a file."""

    def opened(file):
        from mlflow.tracking import MlflowClient

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return MlflowClient(tracking_uri=f"sqlite+pysqlite:///{Path(file).resolve()}")

    return opened


@pytest.fixture
def read(client):
    """The runs of an experiment, in MLflow's words."""

    def found(experiment="models", file="outputs/mlflow.db", view=1):
        store = client(file)
        id_ = store.get_experiment_by_name(experiment).experiment_id
        return list(store.search_runs([id_], run_view_type=view))

    return found


def test_a_record_is_found_again_in_mlflow(ended, outputs, read, client):
    run, record = ended(git=Git(commit="f00d", dirty=True))
    assert log_runs([(run, record)], MLFLOW, outputs) == (
        "1 runs logged to outputs/mlflow.db, 0 were there already; "
        "look: mlflow ui --backend-store-uri sqlite:///outputs/mlflow.db"
    )
    (found,) = read()
    assert found.info.run_name == "svc-0123abcd"
    assert found.info.status == "FINISHED"
    assert found.info.end_time - found.info.start_time == 2000
    assert found.data.params == {
        "model.name": "svc",
        "model.C": "1.0",
        "model.gamma": "null",
        "data.name": "demo",
        "metrics.name": "default",
        "metrics.top_shares": "[0.1]",
    }
    metric, metrics = record.metrics["roc_auc"], found.data.metrics
    assert metrics["roc_auc"] == metric.value
    assert (metrics["roc_auc_low"], metrics["roc_auc_high"]) == (metric.low, metric.high)
    assert (metrics["seconds_fit"], metrics["peak_memory_mb"]) == (1.5, 100)
    folds = client("outputs/mlflow.db").get_metric_history(found.info.run_id, "roc_auc_by_fold")
    assert [(one.step, one.value) for one in folds] == list(enumerate(metric.fold_values))
    assert found.data.tags["retain.id"] == record.id
    assert found.data.tags["retain.data"] == record.data.fingerprint
    assert found.data.tags["retain.split"] == record.split.fingerprint
    assert found.data.tags["retain.code_sha256"] == record.environment.code_sha256
    assert found.data.tags["retain.git"] == "f00d and changes"


def test_artefacts_are_copies_of_what_the_run_left(ended, outputs, read, client):
    run, record = ended()
    log_runs([(run, record)], MLFLOW, outputs)
    (found,) = read()
    kept = client("outputs/mlflow.db").list_artifacts(found.info.run_id)
    assert {one.path for one in kept} == {"record.json", "run.log"}
    (copy,) = (outputs / "mlflow-artefacts").rglob("record.json")
    assert copy.read_bytes() == run.record.read_bytes()


def test_without_artefacts_nothing_is_copied(ended, outputs, read):
    log_runs([ended()], Tracking(name="mlflow", log_artifacts=False), outputs)
    assert len(read()) == 1
    assert sorted(path.name for path in outputs.iterdir()) == ["mlflow.db", "models"]


def test_a_record_is_logged_once(ended, outputs, read):
    one, other = ended(), ended(id="89abcdef")
    log_runs([one], MLFLOW, outputs)
    result = log_runs([one, other], MLFLOW, outputs)
    assert result.startswith("1 runs logged to outputs/mlflow.db, 1 were there already")
    assert log_runs([one, other], MLFLOW, outputs).startswith("0 runs logged")
    assert {run.info.run_name for run in read()} == {"svc-0123abcd", "svc-89abcdef"}


def test_a_run_that_was_redone_takes_the_place_of_the_older(ended, outputs, read):
    log_runs([ended()], MLFLOW, outputs)
    again = ended(finished_at="2026-02-02T00:00:02+00:00")
    assert log_runs([again], MLFLOW, outputs).startswith("1 runs logged")
    (found,) = read()
    assert found.data.tags["retain.finished_at"] == "2026-02-02T00:00:02+00:00"
    (older,) = read(view=2)
    assert older.data.tags["retain.finished_at"] == "2026-01-01T00:00:02+00:00"


# MLflow shows no reason of its own: without the tag, a failure would be a row without numbers.
@pytest.mark.parametrize(
    ("state", "status"), [("failed", "FAILED"), ("not_applicable", "FINISHED")]
)
def test_runs_without_metrics_tell_their_reason(ended, outputs, read, state, status):
    log_runs([ended(state=state, reason="no category", metrics={})], MLFLOW, outputs)
    (found,) = read()
    assert found.info.status == status
    assert found.data.tags["retain.state"] == state
    assert found.data.tags["retain.reason"] == "no category"
    assert "roc_auc" not in found.data.metrics


def test_a_run_half_logged_is_logged_again_and_strangers_stay(ended, outputs, read, client):
    one = ended()
    log_runs([one], MLFLOW, outputs)
    store = client("outputs/mlflow.db")
    (half,) = read()
    store.update_run(half.info.run_id, status="RUNNING")
    store.create_run(half.info.experiment_id, run_name="somebody else's")
    assert log_runs([one], MLFLOW, outputs).startswith("1 runs logged")
    names = {run.info.run_name: run.info.run_id for run in read()}
    assert set(names) == {"svc-0123abcd", "somebody else's"}
    assert names["svc-0123abcd"] != half.info.run_id


def test_studies_in_one_experiment_are_kept_apart(ended, outputs, read):
    together = Tracking(name="mlflow", experiment="all of them")
    runs = [ended(), ended(study="samplers")]
    assert log_runs(runs, together, outputs).startswith("2 runs logged")
    assert log_runs(runs, together, outputs).startswith("0 runs logged")
    studies = {run.data.tags["retain.study"] for run in read("all of them")}
    assert studies == {"models", "samplers"}


def test_what_is_too_much_for_mlflow_is_cut(ended, outputs, read):
    wide = {f"p{i}": i for i in range(250)}
    config = {"model": {"name": "svc", "text": "x" * 7000, "что это (?)": 1, **wide}}
    folds = tuple(i / 1000 for i in range(1100))
    metric = MetricSummary(value=0.5, low=0.4, high=0.6, higher_is_better=True, fold_values=folds)
    run = ended(config=config, metrics={"roc_auc": metric}, reason="y" * 9000)
    assert log_runs([run], MLFLOW, outputs).startswith("1 runs logged")
    (found,) = read()
    assert len(found.data.params) == 252
    assert found.data.params["model.text"] == "x" * 5999 + "…"
    assert len(found.data.tags["retain.reason"]) == 8000
    assert "model.что это (?)" not in flatten_params(config)


# MLflow takes such an address apart in several places, not all of which read its escapes.
def test_a_folder_may_have_any_name(ended, blank, here, read, client):
    folder = here / "мои данные 100% a?b#c"
    folder.mkdir()
    shutil.copy(blank, folder / "mlflow.db")
    run = ended()
    before = set(here.iterdir())
    assert log_runs([run], MLFLOW, folder).startswith("1 runs logged")
    assert set(here.iterdir()) == before
    assert [path.name for path in sorted(folder.iterdir())] == ["mlflow-artefacts", "mlflow.db"]
    assert len(list(folder.rglob("record.json"))) == 1
    shutil.copy(folder / "mlflow.db", "plain.db")
    (found,) = read(file="plain.db")
    kept = client("plain.db").list_artifacts(found.info.run_id)
    assert {one.path for one in kept} == {"record.json", "run.log"}


@pytest.mark.parametrize("store", ["runs.db", "sqlite:///runs.db", "sqlite:///a%20b/runs.db"])
def test_a_store_may_lie_elsewhere(ended, outputs, blank, store):
    file = Path(store.removeprefix("sqlite:///").replace("%20", " "))
    file.parent.mkdir(exist_ok=True)
    shutil.copy(blank, file)
    result = log_runs([ended()], Tracking(name="mlflow", store=store), outputs)
    assert result.startswith(f"1 runs logged to {file}")
    assert file.with_name("runs-artefacts").is_dir()


@pytest.mark.parametrize(
    "store",
    ["http://there:5000", "https://there", "databricks://x", "postgresql://u@h/d", "sqlite://", ""],
)
def test_nothing_is_sent_anywhere(store):
    with pytest.raises(RetainError, match=r"tracking.store: it is .*; expected a local file"):
        check_tracking(Tracking(name="mlflow", store=store))


def test_a_folder_is_no_store(here):
    with pytest.raises(RetainError, match=r"tracking.store: it is '.'"):
        check_tracking(Tracking(name="mlflow", store="."))


@pytest.fixture
def compared(one_run, here, retain_compare):
    """``retain-compare`` of a study of one run, with words added."""
    shutil.copytree(one_run, "outputs")

    def called(*words):
        return retain_compare("study=small", "resamples=100", *words)

    return called


@pytest.fixture(scope="module")
def one_run(tmp_path_factory, fork_server):
    """The outputs folder of a study of one run."""
    line = ("data.customers=240", "validation.folds=2", "validation.repeats=1", "study.name=small")
    with contextlib.chdir(tmp_path_factory.mktemp("one")):
        assert run_command(run, line, "run") == 0
        return Path("outputs").resolve()


def test_a_comparison_logs_its_runs(compared, blank, read):
    shutil.copy(blank, "outputs/mlflow.db")
    code, output = compared("tracking=mlflow")
    assert code == 0, output
    assert "1 runs logged to outputs/mlflow.db, 0 were there already" in output
    (found,) = read("small")
    record = json.loads(next(Path("outputs").glob("small/*/record.json")).read_text())
    assert found.data.metrics["roc_auc"] == record["metrics"]["roc_auc"]["value"]
    code, output = compared()
    assert code == 0
    assert "mlflow" not in output


def test_a_package_that_is_missing_is_said_before_anything_is_done(compared, monkeypatch):
    look = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "mlflow" else look(name)
    )
    code, output = compared("tracking=mlflow")
    assert code == 2
    assert re.search(
        r"tracking=mlflow needs mlflow-skinny, .*pip install 'retain\[track\]'", output
    )
    assert not Path("outputs/small/verdict").exists()


def test_a_key_that_nothing_reads_is_refused(compared):
    code, output = compared("tracking.store=runs.db")
    assert code == 2
    assert "tracking.store is set, but nothing tracks: tracking=mlflow" in output


def test_what_mlflow_cannot_do_costs_a_sentence(compared):
    Path("outputs/mlflow.db").write_text("no database, whatever its name says")
    code, output = compared("tracking=mlflow")
    assert code == 0
    assert "MLflow did not take all runs (" in output
    assert "file is not a database" in output
    assert "The verdict stands; the same line again logs what is missing." in output
    assert Path("outputs/small/verdict/verdict.json").is_file()


ALONE = """
import socket, sys

connect = socket.socket.connect

def refused(self, address):
    if self.family == socket.AF_UNIX:  # a worker of our own, on this machine
        return connect(self, address)
    raise AssertionError(f"it calls {address}")

socket.socket.connect = socket.socket.connect_ex = refused
from retain.cli.run import run_command
from retain.cli.compare import compare
code = run_command(compare, ["study=small", "resamples=100", "tracking=mlflow"], "compare")
from mlflow.telemetry import get_telemetry_client
assert get_telemetry_client() is None
sys.exit(code)
"""


# In a process of its own, since MLflow's telemetry is off wherever it sees pytest or CI.
def test_mlflow_is_quiet_calls_nobody_and_leaves_nothing_lying_about(compared, here):
    known = ("CI", "PYTEST_CURRENT_TEST", "GITHUB_ACTIONS", "MLFLOW_DISABLE_TELEMETRY")
    env = {name: value for name, value in os.environ.items() if name not in known}
    env |= {"HOME": str(here / "home"), "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    (here / "home").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", ALONE], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "1 runs logged to outputs/mlflow.db" in " ".join(done.stdout.split())
    assert {path.name for path in here.iterdir()} == {"outputs", "home"}
    assert {path.name for path in Path("outputs").iterdir()} == {
        "small",
        "mlflow.db",
        "mlflow-artefacts",
    }
    assert not list((here / "home").rglob("*mlflow*"))
