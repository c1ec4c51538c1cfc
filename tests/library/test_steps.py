"""The door for Python: each step does what its command does."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import retain
from retain.cli.run import run, run_command
from retain.errors import RetainError

RNG = np.random.RandomState(0)


def DEMO():  # noqa: N802 - the customers of short cases
    return retain.demo(customers=60)


TREE = DecisionTreeClassifier(max_depth=2)
QUICK = {"validation__folds": 2, "validation__repeats": 1}
PLAN = {"explain": "none", "campaign__consent": "assume_given", "offers__costs": "accept"}


def make_store(n=260, seed=0):
    """A frame of customers whose visits say who will decline."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "Customer": np.arange(n) + 1000 * (seed + 1),
            "Visits a month": rng.poisson(6, n),
            "City": rng.choice(["Omsk", "Kazan, RT"], n),
            "Profit": rng.gamma(2, 50, n).round(2),
        }
    )
    chance = 1 / (1 + np.exp(frame["Visits a month"] - 5.0))
    return frame.assign(Left=np.where(rng.random(n) < chance, "yes", "no"))


def read(frame, outputs="outputs"):
    return retain.read_table(
        frame, id="Customer", target="Left", profit="Profit", profit_unit="euros", outputs=outputs
    )


@pytest.fixture
def shell(capsys, fork_server):
    """``retain`` with the words given; what was printed, if all is well."""

    def call(*words):
        assert run_command(run, words, "run") == 0
        return capsys.readouterr().out

    return call


@pytest.fixture(scope="module")
def home(tmp_path_factory, fork_server):
    """A folder with a study of two runs, compared and planned from Python."""
    folder = tmp_path_factory.mktemp("library")
    before = Path.cwd()
    os.chdir(folder)
    try:
        study = retain.sweep(
            read(make_store()), study="outputs/mine", model=["logreg", "tree"], quiet=True, **QUICK
        )
        verdict = retain.compare(study, **PLAN)
    finally:
        os.chdir(before)
    return folder, study, verdict


@pytest.fixture
def inside(home, monkeypatch):
    """The working directory of the study, with study and verdict."""
    monkeypatch.chdir(home[0])
    return home[1:]


def test_a_run_from_python_is_that_of_the_command(inside, shell):
    study, _ = inside
    ids = set(study.to_frame().index)
    words = [*study.overrides, "-m"]
    assert "2 done before" in shell(*words)
    assert {record.id for record in retain.load("outputs/mine").records} == ids


def test_what_a_shell_swept_python_compares(shell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = ("data.customers=150", "validation.folds=2", "validation.repeats=1")
    shell("-m", "study.name=shell", "model=logreg,tree", *small)
    again = retain.sweep(
        retain.demo(customers=150),
        study="outputs/shell",
        model=["logreg", "tree"],
        quiet=True,
        **QUICK,
    )
    assert len(again.records) == 2
    verdict = retain.compare("outputs/shell", explain="none")
    assert verdict.document.winner.id in again.to_frame().index


def test_evaluate_gives_the_bits_of_a_run(inside):
    study, _ = inside
    record = next(one for one in study.records if one.config["model"]["name"] == "logreg")
    found = retain.evaluate("logreg", read(make_store()), **QUICK)
    assert tuple(found.metrics["roc_auc"]["fold_values"]) == record.metrics["roc_auc"].fold_values
    assert found.to_frame().loc["roc_auc", "value"] == record.metrics["roc_auc"].value


def test_an_object_is_swept_and_the_shell_goes_on_with_it(shell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tree = DecisionTreeClassifier(max_depth=2)
    customers = retain.demo(customers=150)
    study = retain.sweep(
        customers, study="outputs/objects", model=["logreg", tree], quiet=True, **QUICK
    )
    assert set(study.to_frame()["state"]) == {"done"}
    swept = study.to_frame().loc[lambda runs: runs["run"].str.contains("tree"), "roc_auc"].item()
    assert retain.evaluate(TREE, customers, **QUICK).metrics["roc_auc"]["value"] == swept
    assert "2 done before" in shell("-m", "-cd", "outputs/objects/conf", *study.overrides)


def test_results_are_what_lies_on_disk(inside):
    study, verdict = inside
    loaded = retain.load("outputs/mine/verdict")
    assert loaded.document == verdict.document
    assert repr(loaded) == repr(verdict)
    assert list(loaded.to_frame()["id"]) == [row["id"] for row in loaded.document.leaderboard]
    assert loaded.segments["n_customers"].sum() == len(loaded.customers)
    plan = loaded.campaign
    assert (plan.to_frame()["arm"] == "control").sum() == plan.document.plan.n_control
    for result in (study, loaded, plan):
        page = result._repr_html_()
        assert "<script" not in page
        assert "<table" in page


def test_an_edited_table_is_not_believed(inside):
    _, verdict = inside
    table = verdict.path / "segments.csv"
    before = table.read_bytes()
    table.write_bytes(before + b"\n")
    try:
        with pytest.raises(RetainError, match="is not the file verdict"):
            _ = verdict.segments
    finally:
        table.write_bytes(before)


def test_objects_are_not_written_through_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "conf").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RetainError, match="it is a link"):
        retain.sweep(retain.demo(customers=60), study=tmp_path / "study", model=TREE)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_table_that_a_document_does_not_name_is_not_believed(inside):
    _, verdict = inside
    unnamed = verdict.document.model_copy(update={"files": {}})
    loaded = retain.load(verdict.path)
    vars(loaded)["document"] = unnamed
    with pytest.raises(RetainError, match="is not the file verdict"):
        _ = loaded.segments


def test_the_winner_takes_raw_rows(inside):
    _, verdict = inside
    raw = make_store()
    features = read(raw).features
    probability = verdict.model.predict_proba(raw.drop(columns="Left"))
    assert np.array_equal(probability, verdict.model.predict_proba(features))
    assert verdict.model.classes_.tolist() == [0, 1]
    assert list(verdict.model.feature_names_in_) == ["visits_a_month", "city"]


def test_new_customers_and_a_second_campaign(inside):
    _, verdict = inside
    scores = retain.score(verdict, make_store(seed=1).drop(columns="Left"))
    assert len(scores.to_frame()) == 260
    plan = verdict.campaign
    rng = np.random.default_rng(0)
    table = plan.to_frame()
    declined = rng.random(len(table)) < np.where(table["arm"] == "control", 0.9, 0.4)
    readout = retain.readout(plan, table[["customer_id"]].assign(declined=declined))
    overall = readout.to_frame().loc[lambda rows: rows["scope"] == "overall"]
    assert overall["difference"].item() == pytest.approx(-0.5, abs=0.2)
    effects = retain.learn_effects(readout, "mean")
    following = retain.plan_campaign(verdict, effects=effects)
    assert following.document.effects is not None
    assert following.document.id != plan.document.id
    assert retain.load("outputs/mine/verdict").campaign.document.id == following.document.id


def test_numbers_of_numpy_and_nested_objects_are_swept(tmp_path, fork_server):
    from sklearn.ensemble import VotingClassifier

    models = [LogisticRegression(C=c) for c in np.logspace(-1, 1, 2)]
    models.append(
        VotingClassifier([("tree", TREE), ("logreg", LogisticRegression())], voting="soft")
    )
    study = retain.sweep(
        retain.demo(customers=150),
        study=tmp_path / "np",
        model=models,
        seed=np.arange(2),
        quiet=True,
        **QUICK,
    )
    assert (study.to_frame()["state"] == "done").sum() == 6


def test_an_earlier_readout_keeps_its_numbers(inside):
    _, verdict = inside
    plan = verdict.campaign
    ids = plan.to_frame()[["customer_id"]]
    rng = np.random.default_rng(1)
    first = retain.readout(plan, ids.assign(declined=rng.random(len(ids)) < 0.5))
    before = first.to_frame()
    second = retain.readout(plan, ids.assign(declined=rng.random(len(ids)) < 0.2))
    pd.testing.assert_frame_equal(first.to_frame(), before)
    assert not second.to_frame().equals(before)


def test_an_index_that_is_a_column_too_is_told(tmp_path):
    frame = make_store().set_index("Customer", drop=False)
    with pytest.raises(RetainError, match="the index is named 'Customer'"):
        read(frame, tmp_path)


def test_any_trial_in_a_frame(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"mail": rng.choice(["none", "letter"], 600), "age": rng.integers(20, 70, 600)}
    )
    frame["bought"] = rng.random(600) < np.where(frame["mail"] == "letter", 0.5, 0.3)
    readout = retain.readout(
        frame, treatment="mail", control="none", outcome="bought", name="letters"
    )
    assert readout.path == Path("outputs/letters/trial")
    assert readout.to_frame()["difference"].iloc[0] == pytest.approx(0.2, abs=0.12)
    assert retain.load(readout.path).document == readout.document


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: retain.evaluate("logrg", retain.demo(customers=60)), "Did you mean 'logreg'"),
        (lambda: retain.evaluate("logreg", retain.demo(customers=60), fold=3), "key 'fold'"),
        (lambda: retain.evaluate(LogisticRegression, retain.demo(customers=60)), "the class Logi"),
        (lambda: retain.evaluate("logreg", retain.demo(customers=60), seed=object), "it is a type"),
        (lambda: retain.read_table("nowhere.csv"), "nowhere.csv"),
        (lambda: retain.read_table(pd.DataFrame({"a": [1, "x"]})), "cannot be written as Parquet"),
        (lambda: retain.read_table(pd.Series([1])), "it is a Series"),
        (lambda: retain.evaluate("logreg", pd.DataFrame({"a": [1]})), "retain.read_table"),
        (lambda: retain.audit(None), "retain.read_table"),
        (lambda: retain.score(None), "it is a NoneType"),
        (lambda: retain.learn_effects("x"), "what retain.readout returns"),
        (lambda: retain.load(None), "it is a NoneType"),
        (lambda: retain.evaluate(TREE, DEMO(), model__max_depth=3), "model is an object"),
        (lambda: retain.evaluate("tree", DEMO(), limits__seconds=1), "nothing of one evaluation"),
        (lambda: retain.sweep(DEMO(), study="x", outputs="y", model="tree"), "study=FOLDER"),
        (
            lambda: retain.sweep(DEMO(), study="x", model=DecisionTreeClassifier(random_state=RNG)),
            "no config can hold",
        ),
        (lambda: retain.load("."), "holds neither runs nor"),
        (lambda: retain.compare("outputs/none"), "none"),
    ],
)
def test_bad_input_is_told_in_a_sentence(call, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RetainError, match=message):
        call()


def test_customers_made_by_hand_are_evaluated_and_not_swept(tmp_path):
    from dataclasses import replace

    by_hand = replace(retain.demo(customers=150), overrides=())
    assert retain.evaluate("tree", by_hand, **QUICK).metrics
    with pytest.raises(RetainError, match="made by hand"):
        retain.sweep(by_hand, study=tmp_path / "x", model="tree")


def test_a_class_of_ones_own_is_evaluated_here_and_refused_in_workers(tmp_path):
    class Own(LogisticRegression):
        pass

    customers = retain.demo(customers=150)
    assert retain.evaluate(Own(), customers, **QUICK).name == "Own"
    with pytest.raises(RetainError, match="may be built"):
        retain.sweep(customers, study=tmp_path / "own", model=Own())


class Reversed(LogisticRegression):
    """A classifier whose classes are in another order."""

    def fit(self, rows, target):
        super().fit(rows, target)
        self.classes_ = self.classes_[::-1]
        return self

    def predict_proba(self, rows):
        return super().predict_proba(rows)[:, ::-1]


class Unbounded(LogisticRegression):
    """A classifier that gives no probabilities."""

    def predict_proba(self, rows):
        return super().predict_proba(rows) * 900


class Missing(LogisticRegression):
    """A classifier that does not know."""

    def predict_proba(self, rows):
        return super().predict_proba(rows) * np.nan


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Reversed, "its classes_ are"),
        (Unbounded, "expected probabilities"),
        (Missing, "nan to nan"),
    ],
)
def test_a_classifier_that_gives_something_else_is_told(kind, message):
    with pytest.raises(RetainError, match=message):
        retain.evaluate(kind(), retain.demo(customers=150), **QUICK)


SCRIPT = """
import retain

study = retain.sweep(retain.demo(customers=150), study="outputs/script", model=["logreg", "tree"],
                     validation__folds=2, validation__repeats=1{more})
print(study)
"""


@pytest.mark.slow
def test_a_script_needs_no_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(more=""), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("done  2") == 1


@pytest.mark.slow
def test_ctrl_c_stops_a_script_and_leaves_no_process(tmp_path):
    script = tmp_path / "script.py"
    more = ', **{"model.max_iter": list(range(1000, 1400))}'
    text = SCRIPT.format(more=more).replace('["logreg", "tree"]', '"logreg"')
    script.write_text(textwrap.dedent(text), encoding="utf-8")
    started = subprocess.Popen(
        [sys.executable, script],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    seen = ""
    while "best so far" not in seen:
        line = started.stdout.readline()
        assert line, started.stderr.read()
        seen += line
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert "KeyboardInterrupt" in err
    assert "1 done" in seen + out
    import psutil

    left = [one for one in psutil.process_iter(["cwd"]) if one.info["cwd"] == str(tmp_path)]
    assert left == []


def test_the_door_names_what_it_has():
    assert set(dir(retain)) == set(retain.__all__)
    for name in retain.__all__:
        assert getattr(retain, name).__doc__ or name == "__version__"


@pytest.mark.parametrize(
    "ids",
    [
        np.uint64(2**63) + np.arange(260, dtype="uint64"),
        pd.array([2**60 + n for n in range(259)] + [None], dtype="Int64"),
        np.arange(260, dtype="uint16"),
    ],
)
def test_an_id_keeps_every_digit_whatever_its_type(ids, tmp_path):
    frame = make_store().assign(Customer=ids)
    read_ids = read(frame.dropna(subset="Customer"), tmp_path).features.index
    assert read_ids.astype(str).tolist() == [str(one) for one in ids if one is not pd.NA]


# multiprocessing ends with an AssertionError there, after the customers were read.
def test_a_sweep_in_a_daemonic_process_says_how_to_start_one(here, monkeypatch):
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    with pytest.raises(RetainError, match="daemonic, which may start none; start it with daemon="):
        retain.sweep(DEMO(), study="outputs/mine", model="dummy", **QUICK)
