import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from retain.cli.terminal.sweep import SweepView
from retain.execution.progress import SweepProgress
from retain.execution.scheduling import CostModel
from retain.execution.status import Status, StatusWriter


def read(path="outputs/models/status.json"):
    return json.loads(Path(path).read_text(encoding="utf-8"))


@pytest.fixture
def tasks(here, make_task):
    return [make_task(f"{n:08x}", model) for n, model in enumerate(("svc", "tree", "knn"))]


@pytest.fixture
def quick(monkeypatch):
    """Writes come a hundred times as often."""
    monkeypatch.setattr("retain.execution.status.MIN_INTERVAL_SECONDS", 0.01)
    monkeypatch.setattr("retain.execution.status.MAX_INTERVAL_SECONDS", 0.1)


def soon(holds):
    """Whether something comes to hold within a while."""
    limit = time.monotonic() + 20
    while not holds() and time.monotonic() < limit:
        time.sleep(0.01)
    return holds()


def test_a_sweep_leaves_its_status_with_the_best_run(retain, tiny, records):
    retain(*tiny, "-m", "model=tree,dummy", "workers=1")
    status = read("outputs/adhoc/status.json")
    tree = records("adhoc")["tree"]
    assert status["state"] == "finished"
    assert (status["n_runs"], status["n_done"], status["n_left"]) == (2, 2, 0)
    assert status["eta_seconds"] == 0
    assert status["best"] == {
        "id": tree["id"],
        "name": "model=tree",
        "metric": "roc_auc",
        **{key: tree["metrics"]["roc_auc"][key] for key in ("value", "low", "high")},
    }
    Status.model_validate_json(Path("outputs/adhoc/status.json").read_text())


def test_others_see_what_runs_and_what_ended_without_waiting_for_more(
    quick, make_plan, tasks, record_of
):
    costs = CostModel()
    with SweepView(Console(quiet=True), make_plan(tasks), costs, workers=2) as view:
        assert (read()["state"], read()["n_left"], read()["eta_seconds"]) == ("running", 3, None)
        view.on_start(tasks[0])
        view.on_start(tasks[1])
        assert soon(lambda: read()["running"] == ["model=svc", "model=tree"])
        record = record_of(tasks[0], seconds=40.0)
        costs.add(record)
        view.on_end(record)
        assert soon(lambda: read()["running"] == ["model=tree"])
        assert read()["n_done"] == 1
        assert 30 < read()["eta_seconds"] <= 40


def test_a_status_nobody_changes_is_rewritten_now_and_then(quick, make_plan, tasks):
    with SweepView(Console(quiet=True), make_plan(tasks), CostModel()):
        first = read()["updated_at"]
        assert soon(lambda: read()["updated_at"] > first)


def test_many_changes_make_few_writes(monkeypatch, tmp_path):
    monkeypatch.setattr("retain.execution.status.MIN_INTERVAL_SECONDS", 0.2)
    asked = []

    def status(state):
        asked.append(state)
        return empty(state)

    begun = time.monotonic()
    with StatusWriter(tmp_path / "status.json", status, pytest.fail) as file:
        for _ in range(1000):
            file.request_update()
            time.sleep(0.0005)
    assert 3 <= len(asked) <= 3 + (time.monotonic() - begun) / 0.2


# Ray is started from the folder of the package, whose files are the identity of the code.
def test_the_file_stays_where_it_was_though_the_folder_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with StatusWriter(Path("status.json"), empty, pytest.fail) as file:
        monkeypatch.chdir("elsewhere")
        file.request_update()
    assert read(tmp_path / "status.json")["state"] == "finished"
    assert not list((tmp_path / "elsewhere").iterdir())


def empty(state):
    parts = ("runs", "done", "failed", "not_applicable", "skipped", "left")
    counts = {f"n_{part}": 0 for part in parts}
    return Status(
        study="models",
        state=state,
        started_at="",
        updated_at="",
        running=(),
        eta_seconds=None,
        best=None,
        **counts,
    )


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError])
def test_a_sweep_that_stops_half_way_is_interrupted(make_plan, tasks, record_of, stop):
    def half(view):
        view.on_start(tasks[0])
        view.on_end(record_of(tasks[0]))
        view.on_start(tasks[1])
        raise stop

    with pytest.raises(stop), SweepView(Console(quiet=True), make_plan(tasks), CostModel()) as view:
        half(view)
    status = read()
    assert (status["state"], status["n_done"], status["n_left"]) == ("interrupted", 1, 2)
    assert status["running"] == []
    assert status["eta_seconds"] is None


def test_a_status_that_cannot_be_written_costs_one_warning_and_no_run(retain, tiny):
    Path("outputs/adhoc/status.json").mkdir(parents=True)
    code, output = retain(*tiny, "-m", "model=tree,dummy", "workers=1")
    assert code == 0
    assert output.count("status.json cannot be written: [Errno 21] Is a directory") == 1
    assert "2 done, 0 failed" in output
    assert not list(Path("outputs/adhoc").glob(".status*"))


def test_a_run_by_itself_has_a_status_and_a_dry_run_has_none(retain, tiny):
    retain(*tiny, "model=tree", "dry_run=true")
    assert not Path("outputs").exists()
    retain(*tiny, "model=tree")
    assert read("outputs/adhoc/status.json")["n_done"] == 1


def test_a_clock_that_jumps_changes_what_is_shown_and_nothing_else(
    quick, monkeypatch, make_plan, tasks, record_of
):
    class Jumping:
        @staticmethod
        def now(zone):
            jump = next(jumps, timedelta(days=-9))
            return datetime(2026, 1, 1, tzinfo=UTC) + jump

    jumps = iter([timedelta(0), timedelta(days=400), timedelta(days=-400)])
    monkeypatch.setattr("retain.execution.task.datetime", Jumping)
    costs = CostModel()
    with SweepView(Console(quiet=True), make_plan(tasks), costs) as view:
        costs.add(record_of(tasks[0], seconds=40.0))
        view.on_end(record_of(tasks[0]))
        assert soon(lambda: read()["updated_at"] < read()["started_at"])
        assert 70 < read()["eta_seconds"] <= 80
    assert read()["state"] == "finished"


def test_nobody_reads_half_a_status(monkeypatch, tmp_path):
    monkeypatch.setattr("retain.execution.status.MIN_INTERVAL_SECONDS", 0.0)
    path = tmp_path / "status.json"
    over = threading.Event()

    def hurry(file):
        while not over.is_set():
            file.request_update()

    with StatusWriter(path, empty, pytest.fail) as file:
        hurrying = threading.Thread(target=hurry, args=(file,))
        hurrying.start()
        states = {read(path)["state"] for _ in range(300)}
        over.set()
        hurrying.join()
    assert states == {"running"}


@given(states=st.lists(st.sampled_from(["done", "failed", "not_applicable"]), max_size=8))
def test_the_counts_add_up_to_the_total(sweep_of_nine, record_of, states):
    plan, tasks = sweep_of_nine
    tally = SweepProgress(plan, CostModel(), workers=1)
    for task, state in zip(tasks, states, strict=False):
        tally.record_start(task)
        tally.record_end(record_of(task, state))
        result = tally.status("running").model_dump()
        parts = ("done", "failed", "not_applicable", "skipped", "left")
        assert sum(result[f"n_{part}"] for part in parts) == result["n_runs"] == 9
        assert result["running"] == ()


@pytest.fixture(scope="session")
def sweep_of_nine(make_plan, make_task, record_of):
    """A plan of which the last run was done before, and the tasks to do."""
    tasks = [make_task(f"{n:08x}") for n in range(9)]
    return make_plan(tasks, [record_of(tasks[-1])]), tasks[:-1]
