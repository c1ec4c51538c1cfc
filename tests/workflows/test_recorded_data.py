"""Directories somebody else made: what a record may do, and what one broken run costs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retain.cli.campaign_settings import compose_compare
from retain.cli.overrides import Arguments
from retain.cli.run import run, run_command
from retain.errors import RetainError
from retain.record.directory import RunDirectory
from retain.record.document import identity, slug_of
from retain.storage.writing import hash_file
from retain.verdict.verdict import compare_runs
from retain.workflows.compare import select_winner
from retain.workflows.recorded_data import CHECKS, check_recorded, merge_recorded
from retain.workflows.runs import read_run_scores, select_runs

LINE = (
    "-m",
    "study.name=small",
    "model=logreg,tree,dummy",
    "data.customers=120",
    "validation.folds=2",
    "validation.repeats=1",
)
QUICK = ("study=small", "resamples=100")


@pytest.fixture(scope="module")
def once(tmp_path_factory, fork_server):
    folder = tmp_path_factory.mktemp("once")
    with contextlib.chdir(folder):
        assert run_command(run, LINE, "run") == 0
    return folder / "outputs"


@pytest.fixture
def study(once, here):
    """A copy of a finished study in an empty working directory."""
    shutil.copytree(once, "outputs")
    return Path("outputs/small")


def run_of(study, model):
    return RunDirectory(next(study.glob(f"{model}-*")))


def changed(run, change):
    """The record with something else in it."""
    tree = json.loads(run.record.read_text(encoding="utf-8"))
    change(tree)
    run.record.write_text(json.dumps(tree), encoding="utf-8")


def left_out(study):
    tree = json.loads((study / "verdict" / "verdict.json").read_text(encoding="utf-8"))
    return [one for one in tree["excluded_runs"] if one["state"] == "broken"]


def metric(key, value):
    return lambda tree: tree["metrics"]["roc_auc"].__setitem__(key, value)


BROKEN = {
    "empty": lambda run: run.record.write_bytes(b""),
    "truncated": lambda run: run.record.write_bytes(run.record.read_bytes()[:700]),
    "foreign": lambda run: run.record.write_text('{"colour": "red"}'),
    "no text": lambda run: run.record.write_bytes(b"\xff\xfe\x00"),
    "deep": lambda run: run.record.write_text('{"a":' * 100_000),
    "many digits": lambda run: run.record.write_text(f'{{"schema": {"9" * 5_000}}}'),
    "a pipe": lambda run: (run.record.unlink(), os.mkfifo(run.record)),
    "endless": lambda run: (run.record.unlink(), run.record.symlink_to("/dev/zero")),
    "other schema": lambda run: changed(run, lambda t: t.update(schema=99)),
    "other state": lambda run: changed(run, lambda t: t.update(state="almost")),
    "deep config": lambda run: changed(
        run, lambda t: t["config"]["model"].update(C=json.loads("[" * 90 + "]" * 90))
    ),
    "another id": lambda run: changed(run, lambda t: t.update(id="0123abcd")),
    "no data": lambda run: changed(run, lambda t: t["config"].pop("data")),
    "another config": lambda run: changed(run, lambda t: t["config"]["model"].update(C=3.0)),
    "no config": lambda run: changed(run, lambda t: t["config"].pop("sampler")),
    "another study": lambda run: changed(run, lambda t: t.update(study="other")),
    "fewer folds": lambda run: changed(run, metric("fold_values", [0.9])),
    "NaN": lambda run: changed(run, metric("value", float("nan"))),
    "another mean": lambda run: changed(run, metric("value", 0.5)),
    "outside its interval": lambda run: changed(run, metric("low", 0.999)),
    "no metrics": lambda run: changed(run, lambda t: t.update(metrics={})),
    "renamed": lambda run: run.path.rename(run.path.with_name("best-one")),
    "scores lost": lambda run: run.scores.unlink(),
    "scores cut": lambda run: run.scores.write_bytes(run.scores.read_bytes()[:-20]),
    "scores foreign": lambda run: run.scores.write_text("customer_id,probability\n1,0.5\n"),
}


@pytest.fixture
def judged(monkeypatch):
    """Comparisons that end with the verdict: the winner is not carried on, which takes a while."""
    monkeypatch.setattr("retain.workflows.training_data.CLOSED_MESSAGE", "closed by a test")
    monkeypatch.setattr("retain.cli.compare._with_sealed_test", closed)


def closed(config, found):
    return config.model_copy(update={"sealed_test": "closed"})


@pytest.fixture
def crowd(study):
    """A run for each way to be broken, by that way, beside three that are whole."""
    whole = run_of(study, "logreg")
    tree, broken = json.loads(whole.record.read_text(encoding="utf-8")), {}
    for number, way in enumerate(BROKEN, start=2):
        config = json.loads(json.dumps(tree["config"]))
        config["model"]["C"] = float(number)
        run = RunDirectory(study / f"logreg-{identity(config)}")
        shutil.copytree(whole.path, run.path)
        text = json.dumps({**tree, "id": identity(config), "config": config})
        run.record.write_text(text, encoding="utf-8")
        BROKEN[way](run)
        broken[way] = run
    return broken


# Whatever is wrong with it, and however many there are.
def test_a_broken_run_costs_itself_and_is_named(study, crowd, retain_compare, judged):
    code, output = retain_compare(*QUICK)
    assert code == 1, output
    result = {one["id"]: one["reason"] for one in left_out(study)}
    read = [way for way in BROKEN if not way.startswith("scores")]
    names = {"best-one" if way == "renamed" else crowd[way].path.name for way in read}
    assert names <= result.keys()
    assert all(result.values())
    for name in names:
        assert f"broken: {name}" in output
    assert f"{len(result)} runs are broken and left out" in " ".join(output.split())


def test_the_same_line_does_broken_runs_again(study, crowd, retain):
    values = ",".join(str(float(number)) for number, _ in enumerate(BROKEN, start=2))
    line = [word for word in LINE if not word.startswith("model=")]
    code, output = retain(*line, "model=logreg", f"model.C={values}", "dry_run=true")
    assert code == 0, output
    assert output.count("again: ") == len(BROKEN) - 1  # the one that was renamed is new
    assert "done before" not in output


@pytest.mark.parametrize("way", [way for way in BROKEN if way.startswith("scores")])
def test_where_the_winners_scores_are_lost_the_next_best_wins(study, way):
    winner = run_of(study, "logreg")
    found = select_runs(compose_compare(Arguments(("study=small",))))
    comparison = compose_compare(Arguments(("study=small",))).selection
    assert select_winner(found, comparison)[1].winner.config["model"]["name"] == "logreg"
    BROKEN[way](winner)
    left, verdict, _ = select_winner(found, comparison)
    assert verdict.winner.config["model"]["name"] != "logreg"
    assert [one.directory for one in left.broken] == [winner]


def test_a_verdict_is_not_made_once_for_each_winner_that_is_lost(study, monkeypatch):
    made = []
    compare = "retain.workflows.compare.compare_runs"
    monkeypatch.setattr(compare, lambda *given: made.append(given) or compare_runs(*given))
    config = compose_compare(Arguments(("study=small",)))
    runs = sorted(select_runs(config).runs, key=lambda one: -one[1].metrics["roc_auc"].value)
    for lost, _ in runs[:-1]:
        lost.scores.unlink()
    left, verdict, _ = select_winner(select_runs(config), config.selection)
    assert verdict.winner.id == runs[-1][1].id
    assert {one.directory.path for one in left.broken} == {lost.path for lost, _ in runs[:-1]}
    assert len(runs) > 2
    assert len(made) == 2


def test_a_broken_run_that_was_done_again_is_whole(study, retain, retain_compare, judged):
    run_of(study, "logreg").scores.unlink()
    run_of(study, "tree").record.write_text("{")
    code, output = retain(*LINE)
    assert code == 0, output
    assert "scores.parquet" in output
    assert "record.json is not JSON" in output
    assert "2 done, 0 failed, 0 not applicable, 1 done before" in output
    code, output = retain_compare(*QUICK)
    assert code == 0, output
    assert left_out(study) == []


def test_all_broken_runs_are_named_at_once_and_refused_where_nothing_is_left(study, retain_compare):
    for name in ("logreg", "tree", "dummy"):
        run_of(study, name).record.write_text("{")
    code, output = retain_compare(*QUICK)
    assert code == 2
    for name in ("logreg", "tree", "dummy"):
        assert f"{name}-" in output
    assert "All 3 runs are broken" in output


def test_a_copied_run_counts_once(study, retain_compare, judged):
    one = run_of(study, "logreg").path
    shutil.copytree(one, one.with_name(f"copy-{one.name}"))
    code, output = retain_compare(*QUICK)
    assert code == 1, output
    (result,) = left_out(study)
    assert "renamed or copied" in result["reason"]


SCORES = {
    "three rows": lambda t: t.slice(0, 3),
    "text": lambda t: t.set_column(4, "probability", pa.array(["x"] * len(t))),
    "NaN": lambda t: t.set_column(4, "probability", pa.array([float("nan")] * len(t))),
    "beyond 1": lambda t: t.set_column(4, "probability", pa.array([1.5] * len(t))),
    "other targets": lambda t: t.set_column(3, "target", pa.array([7] * len(t))),
    "other folds": lambda t: t.set_column(2, "fold", pa.array([5] * len(t))),
    "no ids": lambda t: t.set_column(0, "customer_id", pa.nulls(len(t), pa.int64())),
    "twice": lambda t: pa.concat_tables([t, t]),
    "another column": lambda t: t.rename_columns(["id", *t.column_names[1:]]),
}


def rewritten(run, change):
    """Other scores, of which the record says the right size and hash."""
    table = change(pq.read_table(run.scores))
    pq.write_table(table, run.scores)
    size, sha256 = run.scores.stat().st_size, hash_file(run.scores)
    changed(run, lambda tree: tree.update(scores_bytes=size, scores_sha256=sha256))


@pytest.mark.parametrize("way", SCORES)
def test_scores_that_disagree_with_their_record_are_refused(study, way):
    run = run_of(study, "logreg")
    read_run_scores(run, run.read())
    rewritten(run, SCORES[way])
    with pytest.raises(RetainError, match=r"scores\.parquet.*(Delete outputs/small|at most 708)"):
        read_run_scores(run, run.read())


def test_scores_that_were_edited_are_refused_whatever_their_size(study):
    run = run_of(study, "logreg")
    table = pq.read_table(run.scores)
    pq.write_table(table.set_column(4, "probability", pa.array([0.5] * len(table))), run.scores)
    changed(run, lambda tree: tree.update(scores_bytes=run.scores.stat().st_size))
    with pytest.raises(RetainError, match=r"is not the file record\.json speaks of"):
        read_run_scores(run, run.read())
    changed(run, lambda tree: tree.pop("scores_sha256"))  # an earlier record
    with pytest.raises(RetainError, match=r"its roc_auc is not that of record\.json beside it"):
        read_run_scores(run, run.read())


@pytest.mark.parametrize("metric", ["roc_auc", "brier"])
def test_a_record_whose_metrics_are_not_those_of_its_scores_is_broken(
    study, retain_compare, metric
):
    def edit(tree):
        found = tree["metrics"][metric]
        found["fold_values"] = [value - 0.01 for value in found["fold_values"]]
        for key in ("value", "low", "high"):
            found[key] -= 0.01

    run = run_of(study, "logreg")
    changed(run, edit)
    code, output = retain_compare(*QUICK)
    assert code == 1
    assert f"its {metric} is not that of record.json beside it" in " ".join(output.split())


def test_scores_of_an_earlier_record_have_no_hash(study):
    run = run_of(study, "logreg")
    changed(run, lambda tree: tree.pop("scores_sha256"))
    assert len(read_run_scores(run, run.read()).table)


def test_scores_of_foreign_customers_are_told(study, retain_compare):
    def foreign(table):
        ids = pa.array([f"stranger {n}" for n in range(len(table))])
        return table.set_column(0, "customer_id", ids)

    rewritten(run_of(study, "logreg"), foreign)
    code, output = retain_compare(*QUICK)
    assert code == 2
    assert "scores.parquet is of other customers" in " ".join(output.split())


# --- links ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["record.json", "scores.parquet", ""])
def test_what_leads_out_of_the_study_is_broken(study, tmp_path, name):
    run = run_of(study, "logreg").path
    outside = tmp_path / "elsewhere" / run.name
    outside.parent.mkdir()
    shutil.copytree(run, outside)
    if name:
        (run / name).unlink()
        (run / name).symlink_to(outside / name)
    else:
        shutil.rmtree(run)
        run.symlink_to(outside)
    config = compose_compare(Arguments(("study=small",)))
    (left, *_) = select_winner(select_runs(config), config.selection)
    (result,) = left.broken
    assert result.directory.path == run
    assert "leads out of" in result.reason


def test_a_run_that_leads_out_of_the_study_is_not_done_again_there(study, retain, tmp_path):
    run = run_of(study, "logreg").path
    shutil.move(run, tmp_path / "elsewhere")
    run.symlink_to(tmp_path / "elsewhere")
    code, output = retain(*LINE)
    assert code == 2
    assert "leads out of" in output


def test_a_study_that_leads_out_of_outputs_is_refused(study, retain_compare, judged, tmp_path):
    shutil.move("outputs/small", tmp_path / "elsewhere")
    Path("outputs/small").symlink_to(tmp_path / "elsewhere")
    code, output = retain_compare(*QUICK)
    assert code == 2
    assert "is a link that leads out of outputs" in output
    code, output = retain_compare(f"runs={tmp_path / 'elsewhere'}", "resamples=100")
    assert code == 0, output


@pytest.mark.parametrize("name", ["../small", "a/b", ".."])
def test_a_study_is_named_by_one_plain_name(study, retain_compare, name):
    code, output = retain_compare(f"study='{name}'")
    assert code == 2
    assert "expected one plain name" in output


# --- recorded data -------------------------------------------------------------------------------

LOG = {"_target_": "retain.customers.purchases.source.read", "engine": "duckdb", "cache": "/c"}
REFUSED = {
    "a server": {**LOG, "path": "postgresql://user@127.0.0.1:1/shop"},
    "a secret": {**LOG, "path": "postgresql://user:hunter2@127.0.0.1:1/shop?password=hunter2"},
    "a SQLite URL": {**LOG, "path": "sqlite:///log.db"},
    "Spark": {**LOG, "path": "log.csv", "engine": "spark"},
    "a NUL": {**LOG, "path": "log\0.csv"},
    "no text": {**LOG, "path": 7},
    "everything": {**LOG, "path": "/**/*.csv"},
    "another reader": {"_target_": "retain.customers.demo.figures"},
    "no reader": {},
    "too many": {"_target_": "retain.customers.demo.read", "customers": 10**12},
    "a URL as a table": {"_target_": "retain.customers.table.read", "path": "http://127.0.0.1:1/x"},
    "out of its folder": {
        "_target_": "retain.customers.contract.reader.read",
        "dir": "folder",
        "tables": {"money": {"file": "../log.csv"}},
    },
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_only_recorded_is_never_more_than_files(here, what):
    with pytest.raises(RetainError, match=r'type "?data|data=|expected') as error:
        check_recorded(REFUSED[what], ())
    assert "hunter2" not in str(error.value)


def test_files_a_record_names_may_be_databases_only_where_they_are_typed(here):
    import duckdb

    with duckdb.connect("shop.duckdb") as shop:
        shop.execute("CREATE TABLE log AS SELECT 1 AS a")
    node = {**LOG, "path": "shop.duckdb", "table": None}
    with pytest.raises(RetainError, match=r"names a DuckDB.*type data\.path=shop\.duckdb"):
        check_recorded(node, ())
    check_recorded(node, ("path",))


@pytest.mark.parametrize("target", CHECKS)
def test_every_reader_of_a_record_says_which_key_is_missing(here, target):
    with pytest.raises(RetainError, match=r"data\.|data="):
        check_recorded({"_target_": target}, ())


def test_tables_of_a_log_are_kept_where_this_command_says(here):
    Path("log.csv").write_text("a,b\n1,2\n")
    node = {**LOG, "path": "log.csv"}
    assert merge_recorded(node, {}, Path("mine"))["cache"] == "mine"
    assert merge_recorded(node, {"cache": "typed"}, Path("mine"))["cache"] == "typed"
    assert merge_recorded(node, {}, None)["cache"] is None


@pytest.fixture
def listener():
    """A server that counts who connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        messages, over = [], threading.Event()

        def listen():
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    messages.append(server.accept()[0].close())

        thread = threading.Thread(target=listen)
        thread.start()
        yield server.getsockname()[1], messages
        over.set()
        thread.join()


def test_a_comparison_connects_to_nothing_a_record_names(study, retain_compare, listener):
    port, messages = listener
    for path in study.glob("*/record.json"):
        tree = json.loads(path.read_text(encoding="utf-8"))
        url = f"postgresql://user@127.0.0.1:{port}/shop"
        tree["config"]["data"] = {**LOG, "name": "purchases", "path": url, "table": None}
        tree["id"] = identity(tree["config"])
        path.write_text(json.dumps(tree), encoding="utf-8")
        path.parent.rename(path.parent.with_name(f"{slug_of(tree['config'])}-{tree['id']}"))
    code, output = retain_compare(*QUICK)
    text = " ".join(output.split())
    assert code == 0, output
    assert f"type data.path=postgresql://user@127.0.0.1:{port}/shop" in text
    assert messages == []
    code, output = retain_compare(*QUICK, "data.table=log")
    assert code == 2
    assert "type data.path=" in " ".join(output.split())
    assert messages == []


@pytest.mark.parametrize(
    "words",
    [
        ("data=purchases", "data.columns.customer=a", "data.columns.time=b"),
        ("data=table",),
    ],
)
def test_a_password_that_was_typed_stands_nowhere(here, retain, words):
    for url in (
        "postgresql://u:hunter2@127.0.0.1:1/s",
        "postgresql://u@127.0.0.1:1/s?password=hunter2",
    ):
        code, output = retain(*words, f'data.path="{url}"')
        assert code == 2
        assert "hunter2" not in output
    kept = [path for path in here.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert kept == []


def test_a_password_in_the_environment_stands_nowhere(here, retain, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    words = ("data=purchases", "data.columns.customer=a", "data.columns.time=b")
    code, output = retain(*words, "data.path=postgresql://u@127.0.0.1:1/s")
    assert code == 2
    assert "cannot be reached" in output
    assert "hunter2" not in output
    kept = [path for path in here.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert kept == []


# --- running -------------------------------------------------------------------------------------


def test_runs_that_are_being_done_are_called_running(study, retain_compare, judged):
    busy = run_of(study, "dummy")
    busy.record.unlink()
    with busy.hold_lock() as mine:
        assert mine
        code, output = retain_compare(*QUICK)
    assert code == 0, output
    assert "1 run is still running and not compared" in output
    assert "interrupted" not in output
    tree = json.loads((study / "verdict" / "verdict.json").read_text(encoding="utf-8"))
    assert (tree["n_interrupted"], tree["n_running"]) == (0, 1)


def test_the_sealed_test_is_opened_during_a_sweep_only_when_asked_for(study, retain_compare):
    busy = run_of(study, "dummy")
    busy.record.unlink()
    with busy.hold_lock():
        code, output = retain_compare(*QUICK)
        assert code == 0, output
        assert "The sealed test stays closed" in output
        assert not (study / "verdict" / "ledger.jsonl").exists()
        code, output = retain_compare(*QUICK, "sealed_test=open")
    assert code == 0, output
    assert "opened once" in output


def test_the_sealed_test_stays_closed_when_that_is_typed(study, retain_compare):
    code, output = retain_compare(*QUICK, "sealed_test=closed")
    assert code == 0, output
    assert "type sealed_test=open" in " ".join(output.split())
    tree = json.loads((study / "verdict" / "verdict.json").read_text(encoding="utf-8"))
    assert tree["sealed_test"] is None
