"""What a reviewer asks of a comparison: gates, two runs, several studies, noise."""

import contextlib
import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retain.cli.compare import compare
from retain.cli.run import run, run_command

LINE = ("validation.folds=2", "validation.repeats=2", "data.customers=240", "-m")
QUICK = ("resamples=100",)
SPARED = ("explain=none", "campaign=none")


@pytest.fixture(scope="module")
def once(tmp_path_factory, fork_server):
    """Two small finished studies of the same store, swept once for all these tests."""
    folder = tmp_path_factory.mktemp("once")
    one = ("study.name=small", "model=logreg,tree", "features.site=true,false")
    two = ("study.name=other", "model=tree,dummy")
    with contextlib.chdir(folder):
        assert run_command(run, (*LINE, *one), "run") == 0
        assert run_command(run, (*LINE, *two), "run") == 0
    return folder / "outputs"


@pytest.fixture
def swept(once, here):
    """A copy of these studies in an empty working directory."""
    shutil.copytree(once, "outputs")
    return Path("outputs")


@pytest.fixture(scope="module")
def judged(once, tmp_path_factory, fork_server):
    """The same with a verdict on the first, which nobody may change, and what was printed."""
    folder, output = tmp_path_factory.mktemp("judged"), io.StringIO()
    shutil.copytree(once, folder / "outputs")
    with contextlib.chdir(folder), contextlib.redirect_stdout(output):
        assert run_command(compare, ("study=small", *QUICK, *SPARED), "compare") == 0
    return folder / "outputs", output.getvalue()


@pytest.fixture
def again(judged, here):
    """A copy of these studies and the verdict in an empty working directory."""
    shutil.copytree(judged[0], "outputs")
    return Path("outputs")


def verdict(folder):
    return json.loads((folder / "verdict" / "verdict.json").read_text(encoding="utf-8"))


def ids(study):
    paths = sorted(study.glob("*/record.json"))
    return {json.loads(p.read_text())["id"]: p.parent for p in paths}


def test_a_gate_that_is_missed_exits_with_3_and_says_by_how_much(swept, retain_compare):
    code, output = retain_compare("study=small", *QUICK, "gate.roc_auc=0.999", "gate.brier=0.9")
    assert code == 3
    output = " ".join(output.split())
    assert re.search(r"gate: roc_auc is 0\.\d+ .* at least 0.999: missed by 0\.\d+\.", output)
    assert re.search(r"gate: brier is 0\.\d+ .* at most 0.9: reached\.", output)
    found = verdict(swept / "small")["gate"]
    assert not found["passed"]
    assert [check["passed"] for check in found["metrics"]] == [False, True]


def test_a_gate_that_is_met_is_silent_to_ci(swept, retain_compare):
    code, _ = retain_compare("study=small", *QUICK, "gate.roc_auc=0.6")
    assert code == 0
    assert verdict(swept / "small")["gate"]["passed"]


def test_a_gate_for_a_metric_there_is_not_is_refused_before_anything_is_written(
    swept, retain_compare
):
    code, output = retain_compare("study=small", "gate.roc_auk=0.9")
    assert code == 2
    assert "Did you mean 'roc_auc'?" in output
    assert not (swept / "small" / "verdict").exists()


def test_the_launch_of_a_missing_study_is_typed_as_it_works(swept, retain_compare):
    for name, command in (
        ("models", "retain -m study=models"),
        ("small2", "retain -m study.name=small2 model=logreg,tree"),
    ):
        code, output = retain_compare(f"study={name}")
        assert code == 2
        assert f"To launch it: {command}" in " ".join(output.split())


def test_several_studies_are_judged_together(swept, retain_compare):
    code, output = retain_compare("study=[small,other]", *QUICK)
    assert code == 0, output
    found = verdict(swept / "small+other")
    assert found["studies"] == ["small", "other"]
    # The tree with all features is in both studies and counts once.
    assert len(found["leaderboard"]) == 4 + 2 - 1
    commands = found["commands"]
    assert commands[0].startswith("retain -m ")
    assert "study.name=other" in commands[1]
    assert (
        commands[-1]
        == "retain-compare 'study=[small,other]' resamples=100 explain=none campaign=none"
    )


# The customers are the same, and so are those that were sealed.
def test_an_opening_in_another_study_of_the_same_customers_counts(again, retain_compare):
    _, output = retain_compare("study=other", *QUICK)
    found = verdict(again / "other")
    assert len(found["sealed_test"]["accesses"]) == 2
    assert {opening["study"] for opening in found["sealed_test"]["accesses"]} == {"small", "other"}
    assert [caution["code"] for caution in found["cautions"]] == ["sealed_reopened"]
    assert "The sealed test was opened 2 times" in " ".join(output.split())


def test_two_runs_of_a_study_are_told_apart_in_table_and_verdict(swept, retain_compare):
    one, other = list(ids(swept / "small"))[:2]
    code, output = retain_compare("study=small", *QUICK, f"diff=[{one},{other}]")
    assert code == 0
    assert "Customers whose risk differs most" in output
    asked = [diff for diff in verdict(swept / "small")["diffs"] if diff["requested"]]
    assert [(diff["a"], diff["b"]) for diff in asked] == [(one, other)]
    (auc,) = [metric for metric in asked[0]["metrics"] if metric["name"] == "roc_auc"]
    assert auc["difference"]["value"] == pytest.approx(auc["b"] - auc["a"])
    assert len(asked[0]["largest_changes"]) == 10


def test_two_runs_anywhere_are_told_apart_without_a_verdict(swept, retain_compare):
    (one, path), (other, _) = list(ids(swept / "small").items())[:2]
    code, by_id = retain_compare(f"diff=[{one},{other}]")
    assert code == 0, by_id
    assert not (swept / "small" / "verdict").exists()
    code, by_path = retain_compare(f"diff=['{path}',{other}]")
    assert (code, by_path) == (0, by_id)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("diff=[one]",), "diff names 1 runs; expected two"),
        (("diff=[nowhere,there]",), r"'nowhere' is not a run; expected its id, or a folder"),
        (("study=small", "diff=[nowhere,there]"), r"'nowhere' is not a run"),
        (("study=[small,othr]",), r"there are no runs of study 'othr'.* 'other'\?"),
        (("study=[]",), r"study=\[\] names no study"),
        (("study=small", "selection.rule=cheap"), "selection.rule is 'cheap'"),
        (("study=small", "report.language=de"), "report.language is 'de'"),
        (("study=small", "--force"), "flag '--force' is unknown"),
    ],
)
def test_what_is_asked_wrongly_is_refused(swept, retain_compare, words, message):
    code, output = retain_compare(*words)
    assert code == 2
    assert re.search(message, output), output


def test_the_simplest_of_the_tied_can_be_carried_on(swept, retain_compare):
    code, _ = retain_compare(
        "study=[small,other]", *QUICK, "selection.rule=simplest_tied", "selection.alpha=0.0001"
    )
    assert code == 0
    found = verdict(swept / "small+other")
    assert found["winner"]["id"] == found["selection"]["simplest_tied"]["id"]
    assert found["selection"]["simplest_tied"]["id"] in found["tied"]


def test_what_moved_the_metric_is_told(judged):
    outputs, output = judged
    assert "Effect of each setting on ROC-AUC" in output
    effects = {effect["factor"]: effect for effect in verdict(outputs / "small")["main_effects"]}
    assert set(effects) == {"model", "features.site"}
    assert effects["features.site"]["levels"][0]["n_pairs"] == 2


# The seed once moved the folds too, and the comparison of such a sweep was refused.
def test_a_sweep_over_seeds_has_one_row_per_configuration(retain, retain_compare, here):
    sweep = ("model=logreg,tree", "seed=0,1", "study.name=seeds")
    code, output = retain(*(word for word in LINE if word != "-m"), *sweep, "-m")
    assert code == 0, output
    code, output = retain_compare("study=seeds", *QUICK, *SPARED)
    assert code == 0, output
    found = verdict(here / "outputs" / "seeds")
    assert [row["n_seeds"] for row in found["leaderboard"]] == [2, 2]
    assert found["key_columns"] == ["model"]
    assert found["winner"]["seeds"] == [0, 1]
    assert found["winner"]["config"]["seed"] == 0
    assert found["selection"]["corrected"]["method"] == "bbc_cv"
    assert found["selection"]["corrected"]["n_scored"] == 2
    assert "4 runs are 2 configurations" in " ".join(output.split())


def test_a_sweep_over_the_seed_of_the_folds_is_refused(retain, retain_compare, here):
    sweep = ("model=logreg", "validation.seed=0,1", "study.name=folds")
    code, _ = retain(*(word for word in LINE if word != "-m"), *sweep, "-m")
    assert code == 0
    code, output = retain_compare("study=folds", *QUICK, *SPARED)
    assert code == 2
    assert "validation.seed=0,1 moves the folds" in " ".join(output.split())


# A run whose scores cannot be read stays in the leaderboard, and is compared by its folds.
def test_an_unreadable_loser_takes_no_part_in_the_correction(again, retain_compare):
    loser = verdict(again / "small")["leaderboard"][-1]["id"]
    (ids(again / "small")[loser] / "scores.parquet").write_bytes(b"no parquet")
    code, _ = retain_compare("study=small", *QUICK, *SPARED)
    assert code == 0
    found = verdict(again / "small")
    assert len(found["leaderboard"]) == 4
    assert found["selection"]["corrected"]["n_candidates"] == 4
    assert found["selection"]["corrected"]["n_scored"] == 3


# Resampled as so many customers, copies made the interval of the winner half as wide.
def test_copies_do_not_narrow_the_interval_of_the_winner(retain, retain_compare, here, shop):
    customers = shop(150)
    table = customers.features.assign(left=customers.y).reset_index(names="id")
    copies = [table.assign(id=table["id"].astype(str) + f"/{k}") for k in range(4)]
    widths = []
    for name, rows in {"once": table, "often": pd.concat(copies)}.items():
        rows.to_csv(f"{name}.csv", index=False)
        line = ("data=table", f"data.path={name}.csv", "data.id=id", "data.target=left")
        code, output = retain(*line, "model=dummy,logreg,tree", f"study.name={name}", "-m")
        assert code == 0, output
        code, output = retain_compare(f"study={name}", *QUICK, *SPARED)
        assert code == 0, output
        mean = verdict(Path("outputs") / name)["selection"]["corrected"]["metrics"]["roc_auc"]
        widths.append(mean["high"] - mean["low"])
    assert widths[1] > 0.75 * widths[0]


# A target that nothing tells: whoever leads does so by luck, and the verdict must say so.
def test_on_noise_the_winner_is_not_shown_to_beat_chance(retain, retain_compare, here, shop):
    customers = shop(200)
    noise = np.random.default_rng(1).permutation(np.resize(["yes", "no"], 200))
    customers.features.assign(left=noise).reset_index(names="id").to_csv("noise.csv", index=False)
    line = ("data=table", "data.path=noise.csv", "data.id=id", "data.target=left")
    models = "model=dummy,logreg,tree,knn,svc"
    code, output = retain(*line, models, "study.name=noise", "-m")
    assert code == 0, output
    code, output = retain_compare("study=noise", *QUICK)
    assert code == 0
    assert "is not shown to rank customers better than chance" in " ".join(output.split())
    found = verdict(Path("outputs/noise"))
    dummy = next(row["id"] for row in found["leaderboard"] if row["model"] == "dummy")
    assert dummy in found["tied"]
    assert found["versus_random"]["status"] == "not_shown"
    assert found["versus_random"]["level"] == 0.025


def test_what_a_loser_wrote_does_not_cost_the_verdict(again, retain_compare):
    loser = verdict(again / "small")["leaderboard"][-1]["id"]
    (ids(again / "small")[loser] / "scores.parquet").write_bytes(b"no parquet")
    code, _ = retain_compare("study=small", *QUICK)
    assert code == 0
    diffs = {diff["b"]: diff["largest_changes"] for diff in verdict(again / "small")["diffs"]}
    assert diffs[loser] is None


# What is written belongs together: an older verdict stays whole where a newer one fails.
def test_a_verdict_that_fails_leaves_the_older_one_as_it_was(again, retain_compare, with_charts):
    folder = again / "small" / "verdict"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert folder / "report.html" in before
    words = ("study=small", *QUICK, "selection.alpha=0.2", "campaign.min_contacts={nobodies: 3}")
    code, output = retain_compare(*words)
    assert code == 2
    assert "segment 'nobodies' is not one of" in output
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_name_that_a_spreadsheet_would_run_is_in_no_table(swept, retain_compare):
    for path in (swept / "small").glob("*/record.json"):
        record = json.loads(path.read_text())
        record["config"]["model"]["name"] = "=HYPERLINK(0)"
        path.write_text(json.dumps(record))
    code, output = retain_compare("study=small", *QUICK)
    assert code == 2
    assert "All 4 runs are broken" in output
    assert not (swept / "small" / "verdict" / "leaderboard.csv").exists()
