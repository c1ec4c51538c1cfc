import contextlib
import io
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from retain.cli.compare import compare
from retain.cli.run import run, run_command
from retain.record.document import identity, slug_of
from retain.record.study import StudyDirectory
from retain.verdict.model_file import load_model

TINY = ("validation.folds=2", "validation.repeats=1")
SPARED = ("explain=none", "campaign=none")


@pytest.fixture(scope="module")
def once(tmp_path_factory, fork_server):
    """A small finished study of the demo store, swept once for all these tests."""
    folder = tmp_path_factory.mktemp("once")
    line = (*TINY, "-m", "study.name=small", "model=logreg,tree,dummy", "data.customers=240")
    with contextlib.chdir(folder):
        assert run_command(run, line, "run") == 0
    return folder / "outputs"


@pytest.fixture
def swept(once, here):
    """A copy of that study in an empty working directory."""
    shutil.copytree(once, "outputs")
    return Path("outputs/small")


@pytest.fixture(scope="module")
def judged(once, tmp_path_factory, without_charts, fork_server):
    """That study with its verdict, which nobody may change, and what the comparison printed."""
    folder, output = tmp_path_factory.mktemp("judged"), io.StringIO()
    shutil.copytree(once, folder / "outputs")
    with contextlib.chdir(folder), contextlib.redirect_stdout(output), without_charts():
        assert run_command(compare, ("study=small", "resamples=100", *SPARED), "compare") == 0
    return folder / "outputs" / "small", output.getvalue()


@pytest.fixture
def again(judged, here):
    """A copy of that study and its verdict in an empty working directory."""
    shutil.copytree(judged[0], "outputs/small")
    return Path("outputs/small")


@pytest.fixture
def verdict():
    def read(study):
        return json.loads((study / "verdict" / "verdict.json").read_text(encoding="utf-8"))

    return read


def test_a_comparison_picks_the_best_and_segments_its_customers(judged, verdict):
    study, output = judged
    assert "has the best mean ROC-AUC" in output
    assert "The sealed test was opened once." in output
    found = verdict(study)
    board = pd.read_csv(study / "verdict" / "leaderboard.csv")
    assert board["id"].iloc[0] == found["winner"]["id"]
    assert set(board["model"]) == {"logreg", "tree", "dummy"}
    assert board["roc_auc"].is_monotonic_decreasing
    sealed = found["sealed_test"]["metrics"]["roc_auc"]
    assert sealed["low"] < sealed["value"] <= sealed["high"]


def test_segments_add_up_to_every_customer_of_the_source(judged, verdict):
    study, _ = judged
    found = verdict(study)
    segments = pd.read_csv(study / "verdict" / "segments.csv")
    assert segments["n_customers"].sum() == found["data"]["n_rows"]
    assert found["data"]["n_rows"] == sum(found["n_scored"].values())
    assert found["n_scored"]["sealed_test"] == found["split"]["n_sealed_test"]
    assert segments["share"].sum() == pytest.approx(1)


def test_the_saved_model_is_the_one_the_verdict_speaks_of(judged, verdict):
    study, _ = judged
    model = verdict(study)["model"]
    path = study / "verdict" / model["file"]
    assert hasattr(load_model(path, model["sha256"]), "predict_proba")
    # Customer ids are nobody's business who is handed a model.
    assert b"customer_id" not in path.read_bytes()


def test_the_same_comparison_twice_says_the_same_and_opens_nothing_anew(
    again, retain_compare, verdict
):
    files = ("verdict/leaderboard.csv", "verdict/segments.csv", "ledger.jsonl")
    before = [(again / name).read_bytes() for name in files], verdict(again)
    retain_compare("study=small", "resamples=100")
    after = [(again / name).read_bytes() for name in files], verdict(again)
    for output in (before[1], after[1]):
        del output["model"]["sha256"]  # a model file carries the time it was written
        del output["files"]["model.skops"]
    assert after == before


def test_a_new_winner_opens_the_sealed_test_again_and_that_is_said(again, retain_compare):
    winner = json.loads((again / "verdict" / "verdict.json").read_text())["winner"]["id"]
    shutil.rmtree(next(again.glob(f"*-{winner}")))
    _, output = retain_compare("study=small", "resamples=100")
    assert "The sealed test was opened 2 times, for different winners" in " ".join(output.split())


def test_outputs_of_another_machine_give_a_leaderboard_and_ask_for_the_data(
    retain, retain_compare, here, shop, verdict
):
    customers = shop(150)
    table = customers.features.assign(left=customers.target).reset_index(names="id")
    (here / "there").mkdir()
    table.to_csv("there/my.csv", index=False)
    line = ("data=table", "data.path=there/my.csv", "data.id=id", "data.target=left")
    retain(*line, "validation.folds=2", "validation.repeats=1", "study.name=far")
    Path("there/my.csv").rename("moved.csv")
    code, output = retain_compare("study=far")
    assert code == 0
    assert "my.csv" in output
    assert "need the customers with fingerprint" in " ".join(output.split())
    found = verdict(Path("outputs/far"))
    assert found["sealed_test"] is None
    assert len(found["leaderboard"]) == 1
    given = ("data=table", "data.path=moved.csv", "data.id=id", "data.target=left")
    code, output = retain_compare("study=far", *given, "resamples=100")
    assert code == 0, output
    assert verdict(Path("outputs/far"))["sealed_test"] is not None
    other = table.assign(pages=0.5)
    other.loc[::2, "pages"] = 1.0
    other.to_csv("moved.csv", index=False)
    code, output = retain_compare("study=far", *given)
    assert code == 2
    assert re.search("these runs were trained on customers with fingerprint .*; found", output)


def test_runs_in_any_folder_can_be_compared(swept, retain_compare):
    shutil.copytree(swept, "copied")
    code, output = retain_compare("runs=copied", "resamples=100")
    assert code == 0, output
    assert Path("copied/verdict/verdict.json").is_file()


def test_unlike_runs_are_refused(swept, retain, retain_compare, tiny):
    retain(*tiny, "study.name=small", "data.customers=200", "model=tree")
    code, output = retain_compare("study=small")
    assert code == 2
    assert "cannot be compared in one table" in output
    assert "customers:" in output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("study=smal",), r"there are no runs of study 'smal': outputs holds small.*'small'\?"),
        ((), "name what to compare: study=NAME, or runs=DIR"),
        (("study=small", "runs=x"), "one of the two"),
        (("runs=nowhere",), "runs=nowhere is not a folder"),
        (("study=small", "resample=9"), r"key 'resample' is unknown. Did you mean 'resamples'\?"),
        (("-m", "study=small"), "no -m and no lists"),
    ],
)
def test_what_cannot_be_compared_is_refused(swept, retain_compare, words, message):
    code, output = retain_compare(*words)
    assert code == 2
    assert re.search(message, output), output


def test_a_study_that_is_not_there_says_how_to_launch_it(retain_compare):
    code, output = retain_compare("study=models")
    assert code == 2
    assert "outputs holds nothing" in output
    assert "retain -m study=models" in output


# A record is another's file: re-running its config must not build what the list does not name.
def rewritten(path, record):
    """A record with another config, whose id and folder agree with it; an attacker's would."""
    id_ = identity(record["config"])
    path.write_text(json.dumps({**record, "id": id_}))
    path.parent.rename(path.parent.with_name(f"{slug_of(record['config'])}-{id_}"))


def test_a_record_cannot_have_a_stranger_built(swept, retain_compare):
    for path in swept.glob("*/record.json"):
        record = json.loads(path.read_text())
        record["config"]["model"]["_target_"] = "os.system"
        rewritten(path, record)
    code, output = retain_compare("study=small")
    assert code == 2
    assert "may be built" in output


def test_a_record_whose_config_is_no_config_is_left_out_by_name(swept, retain_compare):
    path = next(swept.glob("tree-*/record.json"))
    record = json.loads(path.read_text())
    del record["config"]["sampler"]
    path.write_text(json.dumps(record))
    code, output = retain_compare("study=small", "resamples=100")
    assert code == 1
    assert re.search(r"tree-.*record\.json: config: key 'sampler' is missing", output), output


def test_a_verdict_that_cannot_be_written_is_named(swept, retain_compare):
    (swept / "verdict").write_text("no folder")
    code, output = retain_compare("study=small", "resamples=100")
    assert code == 2
    assert "cannot be written: Not a directory (outputs/small/verdict)" in output


def test_scores_that_are_no_scores_are_refused(swept, retain_compare):
    for path in swept.glob("*/scores.parquet"):
        path.write_bytes(b"no parquet")
    code, output = retain_compare("study=small", "resamples=100")
    assert code == 2
    assert "scores.parquet' is not a complete Parquet file" in output
    assert "All 3 runs are broken" in output


def test_interrupted_and_failed_runs_are_told(swept, retain, retain_compare, tiny):
    off = [f"features.{g}=false" for g in ("communication", "product", "purchase", "site")]
    retain(*tiny, *off, "study.name=small", "data.customers=240")
    (next(swept.glob("dummy-*")) / "record.json").unlink()
    _, output = retain_compare("study=small", "resamples=100")
    output = " ".join(output.split())
    assert "1 run was interrupted and not compared" in output
    assert "not applicable:" in output


def test_help_of_the_comparison(retain_compare):
    code, output = retain_compare("--help")
    assert code == 0
    assert "retain-compare runs=DIR" in output
    assert "3 a gate was not met" in output
    assert "risk_value" in output


def test_a_long_leaderboard_is_cut_in_the_terminal_alone(swept, retain_compare, here):
    study = StudyDirectory(here / "outputs" / "long")
    (source,) = Path("outputs/small").glob("logreg-*")
    record = json.loads((source / "record.json").read_text())
    for i in range(30):
        model = {**record["config"]["model"], "C": 1.0 + i}
        config = record["config"] | {"model": model, "study": {"name": "long", "question": "?"}}
        target = study.run("logreg", identity(config))
        shutil.copytree(source, target.path)
        changed = {**record, "id": identity(config), "study": "long", "config": config}
        target.record.write_text(json.dumps(changed))
    code, output = retain_compare("study=long", "data=table", "data.path=nowhere.csv")
    assert code == 2
    code, output = retain_compare("study=long", "resamples=100")
    assert "5 more in leaderboard.csv" in output
