"""``retain-compare trees=[MAIN,BRANCH]``: trees that differ in one planted way are named rightly.

Each pair of trees is compared by the command, from files on disk.
"""

import contextlib
import hashlib
import json
import re
import shutil
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest

from retain.cli.compare import compare
from retain.cli.run import run, run_command
from retain.customers.demo import write
from retain.learning.metrics import roc_auc
from retain.record.document import identity, slug_of
from retain.record.study import StudyDirectory

SHAPE = ("validation.folds=4", "validation.repeats=2")
TREES = "trees=[main,branch]"


def sweep(folder, *words):
    """Sweep a study in a folder of its own, and return its tree."""
    folder.mkdir()
    with contextlib.chdir(folder):
        assert run_command(run, words, "run") == 0
    return folder / "outputs"


@pytest.fixture(scope="module")
def trees(tmp_path_factory, fork_server):
    """Swept trees by what their branch has of its own, which nobody may change."""
    root = tmp_path_factory.mktemp("trees")
    line = (*SHAPE, "-m", "study.name=small")
    demo = (*line, "data.customers=300", "sampler=random_under", "model=logreg,tree,svc")
    few = [f"features.{name}=false" for name in ("site", "purchase")]
    write(root / "store", customers=300, seed=0)
    own = (*line, "data=one_click", f"data.dir={root / 'store'}", "model=logreg,tree")
    found = {
        "main": sweep(root / "main", *demo),
        "seed": sweep(root / "seed", *demo, "seed=1"),
        "fewer features": sweep(root / "few", *demo, *few),
        "store": sweep(root / "before", *own),
    }
    table = root / "store" / "market_file.csv"
    rows = table.read_text(encoding="utf-8").replace(",724,", ",725,", 1)
    table.write_text(rows, encoding="utf-8")
    return {**found, "store with another row": sweep(root / "after", *own)}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def judged(trees, tmp_path_factory, without_charts):
    """The tree ``main`` with its verdict."""
    folder = tmp_path_factory.mktemp("judged")
    shutil.copytree(trees["main"], folder / "outputs")
    words = ("study=small", "resamples=100", "explain=none", "--quiet")
    with contextlib.chdir(folder), without_charts():
        assert run_command(compare, words, "compare") == 0
    return folder / "outputs"


@pytest.fixture
def planted(trees, here):
    """The tree ``main`` and a copy ``branch``, whose records a function changes."""

    def plant(change=None, main="main", branch="main"):
        for name, tree in (("main", main), ("branch", branch)):
            shutil.copytree(trees[tree], name)
        if change is not None:
            for path in sorted(Path("branch").glob("small/*/record.json")):
                rewrite(path, change)

    return plant


@pytest.fixture
def said(capsys):
    """The exit code of a comparison, and the document that it printed."""

    def call(*words):
        capsys.readouterr()
        code = run_command(compare, (*(words or (TREES,)), "--json"), "compare")
        return code, json.loads(capsys.readouterr().out)

    return call


def rewrite(path, change):
    """Change a record; where that is its ROC-AUC, the scores beside it are moved with it."""
    record = json.loads(path.read_text(encoding="utf-8"))
    before = json.dumps(record["metrics"].get("roc_auc"))
    change(record)
    if record["metrics"] and json.dumps(record["metrics"]["roc_auc"]) != before:
        move_scores(path.with_name("scores.parquet"), record)
    path.write_text(json.dumps(record, indent=1), encoding="utf-8")


def move_scores(path, record):
    """Give the scores the nearest ROC-AUC of each fold that they can have, and the record theirs.

    Customers whose scores are next to each other change places, pair by pair.
    """
    scores = pd.read_parquet(path)
    wished = record["metrics"]["roc_auc"]["fold_values"]
    found = {"roc_auc": [], "brier": []}
    for (_, fold), area in zip(scores.groupby(["repeat", "fold"]), wished, strict=True):
        part = fold.sort_values("probability", kind="stable")
        rows, hit = part.index.to_numpy().copy(), part["target"].to_numpy().copy()
        distinct = part["probability"].to_numpy() * (1 - 1e-6) + np.arange(len(part)) * 1e-9
        pairs = hit.sum() * (1 - hit).sum()
        steps = round(area * pairs) - int((np.cumsum(1 - hit) * hit).sum())
        for _ in range(abs(steps)):
            order = (1, 0) if steps > 0 else (0, 1)
            at = next(i for i in range(len(hit) - 1) if (hit[i], hit[i + 1]) == order)
            hit[[at, at + 1]], rows[[at, at + 1]] = hit[[at + 1, at]], rows[[at + 1, at]]
        scores.loc[rows, "probability"] = distinct
        found["roc_auc"].append(roc_auc(hit, distinct))
        found["brier"].append(float(np.mean((distinct - hit) ** 2)))
    for name, folds in found.items():
        metric = record["metrics"][name]
        moved = float(np.mean(folds)) - metric["value"]
        metric.update(fold_values=folds, value=float(np.mean(folds)))
        metric.update(low=metric["low"] + moved, high=metric["high"] + moved)
    scores.to_parquet(path, index=False)
    content = path.read_bytes()
    record.update(scores_bytes=len(content), scores_sha256=hashlib.sha256(content).hexdigest())


def summary(document):
    (study,) = document["studies"]
    return study["summary"]


def test_equal_trees_are_the_same(planted, said):
    planted()
    code, document = said()
    assert code == 0
    assert summary(document) == "small: the same, all 3 runs have equal results in both trees."
    assert document["studies"][0]["largest_changes"] == []


def test_another_code_with_equal_results_is_named(planted, said):
    planted(lambda record: record["environment"].update(code_sha256="0" * 64))
    _, document = said()
    assert re.fullmatch(
        "small: the same, all 3 runs have equal results in both trees; results are equal although "
        "there are differences: code [0-9a-f]{8} → 00000000.",
        summary(document),
    )


def shift_folds(record, by):
    """Ask for another ROC-AUC of each fold, as other code would give."""
    metric = record["metrics"]["roc_auc"]
    metric.update(fold_values=(np.array(metric["fold_values"]) + by).tolist())


NOISE = np.array([0.01, -0.01, 0.004, -0.008, 0.007, -0.003, 0.002, -0.001])


def test_metric_noise_without_a_cause_is_no_loss_and_has_no_reason(planted, said):
    planted(lambda record: shift_folds(record, NOISE / 4))
    _, document = said()
    sentence = summary(document)
    assert sentence.startswith("small: not worse by more than 0.01, ROC-AUC of the best run (")
    assert "metrics of 3 runs differ, none beyond noise" in sentence
    assert sentence.endswith(
        "the records hold no reason: data, folds, code, packages, config, metrics and seed are the "
        "same."
    )


def test_other_code_that_loses_is_worse_and_the_code_is_named(planted, said):
    def change(record):
        record["environment"].update(code_sha256="0" * 64)
        shift_folds(record, NOISE / 4 - 0.06)

    planted(change)
    code, document = said()
    assert code == 0
    assert re.fullmatch(
        r"small: worse, ROC-AUC of the best run \(\w+\), corrected for its choice, "
        r"changed by −0\.0\d+ \(95\u00a0% CI "
        r"−0\.\d+ to −0\.0\d+\); metrics of 3 runs differ beyond noise: ROC-AUC \(better in 0, "
        r"worse in 3\); what differs: code [0-9a-f]{8} → 00000000\.",
        summary(document),
    )


def test_another_version_of_a_package_is_named(planted, said):
    def change(record):
        record["environment"]["packages"]["scikit-learn"] = "9.9.9"
        shift_folds(record, NOISE / 4)

    planted(change)
    assert re.search(r"what differs: scikit-learn [\d.]+ → 9\.9\.9\.$", summary(said()[1]))


def test_another_seed_is_named_and_no_loss(planted, said):
    planted(branch="seed")
    _, document = said()
    (study,) = document["studies"]
    assert study["conclusion"] in ("not_worse", "unclear")
    assert len(study["runs"]) == 3
    assert study["summary"].endswith("what differs: seed 0 → 1.")
    assert study["best"]["is_paired"]
    moves = [abs(one["b"] - one["a"]) for one in study["largest_changes"]]
    assert len(moves) == 10
    assert moves == sorted(moves, reverse=True)


def test_the_customers_whose_risk_moved_most_are_listed(planted, capsys):
    planted(branch="seed")
    assert run_command(compare, (TREES,), "compare") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "customers whose risk by the best run differs most" in text


def test_a_row_that_changed_is_named_and_not_paired(planted, said):
    planted(main="store", branch="store with another row")
    _, document = said()
    (study,) = document["studies"]
    assert study["conclusion"] not in ("better", "worse", "same")
    assert not study["best"]["is_paired"]
    assert "not paired: customers or folds differ)" in study["summary"]
    assert re.search(r"what differs: customers \w{8} → \w{8}\.$", study["summary"])


def test_more_features_are_a_gain(planted, said):
    planted(main="fewer features")
    _, document = said()
    (study,) = document["studies"]
    assert study["conclusion"] == "better"
    assert study["best"]["difference"]["low"] > 0
    assert [len(study[key]) for key in ("runs", "new_runs", "gone_runs")] == [0, 3, 3]
    assert "in place of" in study["summary"]


def test_a_missing_run_is_named(planted, said):
    planted()
    (folder,) = Path("branch").glob("small/tree-*")
    shutil.rmtree(folder)
    sentence = summary(said()[1])
    assert sentence.endswith("with an equal ROC-AUC in every fold; 1 run is gone: tree.")


def test_a_missing_best_run_is_a_loss_of_the_best(planted, said):
    planted()
    _, document = said()
    best = document["studies"][0]["best"]["main"]["name"]
    (folder,) = Path("branch").glob(f"small/{best}-*")
    shutil.rmtree(folder)
    (study,) = said()[1]["studies"]
    assert study["conclusion"] in ("worse", "unclear")
    assert f"in place of {best})" in study["summary"]
    assert study["summary"].endswith(f"1 run is gone: {best}.")


def test_another_default_of_the_config_is_named(planted, said):
    planted()
    (path,) = Path("branch").glob("small/logreg-*/record.json")

    def change(record):
        record["config"]["model"]["C"] = 2.0
        record["id"] = identity(record["config"])
        shift_folds(record, NOISE / 4)

    rewrite(path, change)
    record = json.loads(path.read_text(encoding="utf-8"))
    path.parent.rename(path.parents[1] / f"{slug_of(record['config'])}-{record['id']}")
    code, document = said()
    assert code == 0
    assert len(document["studies"][0]["runs"]) == 3
    assert summary(document).endswith("what differs: model.C=2.0 in place of 1.0.")


def test_a_branch_that_adds_runs_to_an_equal_best_run_is_not_worse(planted, said):
    planted()
    records = {
        path: json.loads(path.read_text()) for path in Path("main").glob("small/*/record.json")
    }
    best = max(records, key=lambda path: records[path]["metrics"]["roc_auc"]["value"])
    for path in records.keys() - {best}:
        shutil.rmtree(path.parent)
    code, document = said(TREES, "trees_gate=unclear")
    assert code == 0
    (study,) = document["studies"]
    assert (study["conclusion"], len(study["new_runs"])) == ("not_worse", 2)
    assert {study["best"]["difference"][key] for key in ("value", "low", "high")} == {0}


def test_other_folds_are_named(trees, planted, said, tmp_path):
    planted()
    line = (*SHAPE, "-m", "study.name=small", "data.customers=300", "sampler=random_under")
    shutil.rmtree("branch")
    sweep(tmp_path / "folds", *line, "model=logreg,tree,svc", "validation.seed=5").rename("branch")
    _, document = said()
    assert len(document["studies"][0]["runs"]) == 3
    assert "what differs: folds " in summary(document)
    assert summary(document).endswith("validation.seed=5 in place of 0.")


def test_a_record_whose_metrics_are_not_those_of_its_scores_is_named(planted, said):
    planted()
    (path,) = Path("branch").glob("small/logreg-*/record.json")
    record = json.loads(path.read_text(encoding="utf-8"))
    for key in ("value", "low", "high"):
        record["metrics"]["roc_auc"][key] -= 0.1
    record["metrics"]["roc_auc"]["fold_values"] = [
        area - 0.1 for area in record["metrics"]["roc_auc"]["fold_values"]
    ]
    path.write_text(json.dumps(record), encoding="utf-8")
    code, document = said()
    assert code == 1
    (unreadable,) = document["studies"][0]["unreadable"]
    assert unreadable["folder"] == path.parent.name
    assert "its roc_auc is not that of record.json beside it" in unreadable["reason"]


def best_of(tree):
    """The folder of the best run of a tree."""
    records = {
        path: json.loads(path.read_text()) for path in Path(tree).glob("small/*/record.json")
    }
    return max(records, key=lambda path: records[path]["metrics"]["roc_auc"]["value"]).parent


@pytest.mark.parametrize("tree", ["main", "branch"])
@pytest.mark.parametrize("lost", ["scores.parquet", "record.json"])
def test_without_what_the_best_run_rests_on_nothing_is_concluded(planted, said, tree, lost):
    planted(lambda record: shift_folds(record, NOISE / 4 - 0.06))
    (best_of(tree) / lost).write_text("{", encoding="utf-8")
    code, document = said(TREES, "trees_gate=unclear")
    (study,) = document["studies"]
    assert (code, study["conclusion"], study["obstacle"]) == (3, "incomparable", "best_unread")
    assert "one that is or may be the best has no result or cannot be believed" in summary(document)


@pytest.mark.parametrize("tree", ["main", "branch"])
def test_nothing_is_concluded_where_the_best_run_lies_in_a_renamed_folder(planted, said, tree):
    planted(lambda record: shift_folds(record, NOISE / 4 - 0.06))
    best_of(tree).rename(Path(tree) / "small" / "foo")
    code, document = said(TREES, "trees_gate=unclear")
    (study,) = document["studies"]
    assert (code, study["conclusion"], study["obstacle"]) == (3, "incomparable", "best_unread")
    assert (study["gone_runs"], study["new_runs"]) == ([], [])
    assert f"{tree} foo (record.json: its folder should end in " in summary(document)


def test_a_copy_in_a_renamed_folder_hides_no_conclusion(planted, said):
    planted()
    shutil.copytree(best_of("branch"), "branch/small/foo")
    (study,) = said()[1]["studies"]
    assert (study["conclusion"], study["obstacle"]) == ("not_worse", None)
    assert [one["folder"] for one in study["unreadable"]] == ["foo"]


def test_a_cause_of_some_runs_that_changed_has_their_number(planted, said):
    def change(record):
        if record["config"]["model"]["name"] == "tree":
            record["environment"].update(code_sha256="0" * 64)
        shift_folds(record, NOISE / 4)

    planted(change)
    assert summary(said()[1]).endswith("→ 00000000 (in 1 of 3 runs).")


def test_seeds_beyond_what_is_read_are_no_reason_to_conclude_nothing(planted, said, monkeypatch):
    planted()
    for tree in ("main", "branch"):  # the third best run is a seed of the best
        records = (json.loads(path.read_text()) for path in Path(tree).glob("small/*/record.json"))
        means = sorted(record["metrics"]["roc_auc"]["value"] for record in records)
        lower = 1.5 * (means[-1] - means[-2])
        best = best_of(tree)
        text = (best / "record.json").read_text(encoding="utf-8")
        record = json.loads(re.sub(r'"(seed|random_state)": 0', r'"\1": 7', text))
        for key in ("data", "validation"):
            record["config"][key] = json.loads(text)["config"][key]
        metric = record["metrics"]["roc_auc"]
        metric["fold_values"] = [value - lower for value in metric["fold_values"]]
        for key in ("value", "low", "high"):
            metric[key] -= lower
        record["id"] = identity(record["config"])
        other = best.with_name(f"{slug_of(record['config'])}-{record['id']}")
        shutil.copytree(best, other)
        (other / "record.json").write_text(json.dumps(record), encoding="utf-8")
    monkeypatch.setattr("retain.workflows.run_placements.MAX_RUNS", 1)
    monkeypatch.setattr("retain.workflows.run_placements.MAX_ROWS", 1)
    _, document = said()
    (study,) = document["studies"]
    assert (study["conclusion"], study["obstacle"]) == ("same", None)


def test_a_best_run_that_is_unfinished_is_not_gone(planted, said):
    planted()
    (best_of("branch") / "record.json").unlink()
    _, document = said()
    (study,) = document["studies"]
    assert (study["obstacle"], study["gone_runs"]) == ("best_unread", [])
    assert study["n_unfinished"] == [0, 1]


def test_metrics_that_scores_contradict_are_not_compared(planted, said):
    planted()
    (path,) = Path("branch").glob("small/tree-*/record.json")
    record = json.loads(path.read_text(encoding="utf-8"))
    brier = record["metrics"]["brier"]
    for key in ("value", "low", "high"):
        brier[key] += 0.2
    brier["fold_values"] = [value + 0.2 for value in brier["fold_values"]]
    path.write_text(json.dumps(record), encoding="utf-8")
    _, document = said()
    (study,) = document["studies"]
    assert (study["metrics"], study["obstacle"], len(study["runs"])) == ([], "best_unread", 2)
    assert study["gone_runs"] == []


def test_a_ratio_that_its_folds_cannot_have_is_not_believed(planted, said):
    planted(lambda record: record["split"].update(test_to_train=1e-9))
    code, document = said()
    assert code == 1
    assert {one["reason"].rpartition(": ")[2] for one in document["studies"][0]["unreadable"]} == {
        "its split has a test_to_train that its folds cannot have."
    }


def test_scores_that_moved_under_equal_metrics_are_named(planted, said):
    planted()
    path = best_of("branch") / "scores.parquet"
    scores = pd.read_parquet(path)
    for _, fold in scores[scores["target"] == 1].groupby(["repeat", "fold"]):
        scores.loc[fold.index, "probability"] = fold["probability"].to_numpy()[::-1]
    scores.to_parquet(path, index=False)
    content = path.read_bytes()
    hashed = {"scores_bytes": len(content), "scores_sha256": hashlib.sha256(content).hexdigest()}
    rewrite(path.with_name("record.json"), lambda record: record.update(hashed))
    _, document = said()
    (study,) = document["studies"]
    assert (study["conclusion"], study["n_same"], study["n_other_scores"]) == ("not_worse", 3, 1)
    assert "scores of 1 run differ although its metrics are equal" in summary(document)
    assert study["largest_changes"]


def test_other_metrics_alone_leave_runs_the_same(planted, said):
    planted()
    for path in list(Path("branch").glob("small/*/record.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        record["config"]["metrics"]["top_shares"] = [0.1]
        record["overrides"].append("metrics.top_shares=[0.1]")
        for name in [name for name in record["metrics"] if name.endswith(("_20", "_30"))]:
            del record["metrics"][name]
        record["id"] = identity(record["config"])
        path.write_text(json.dumps(record, indent=1), encoding="utf-8")
        path.parent.rename(path.parents[1] / f"{slug_of(record['config'])}-{record['id']}")
    _, document = said()
    assert document["studies"][0]["n_same"] == 3
    assert "metrics.top_shares=[0.1] in place of [0.1, 0.2, 0.3]" in summary(document)
    assert "not computed" not in summary(document)


def test_a_run_that_failed_has_its_reason(planted, said):
    planted()
    path = best_of("branch") / "record.json"
    lost = {"scores_bytes": None, "scores_sha256": None, "metrics": {}}
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(record | lost | {"state": "failed", "reason": "boom"}))
    path.with_name("scores.parquet").unlink()
    _, document = said()
    assert "1 run ended in another state: " in summary(document)
    assert "(boom)" in summary(document)
    assert "hold no reason" not in summary(document)


def test_a_copy_of_a_run_is_no_new_run(planted, said):
    planted()
    best = best_of("branch")
    shutil.copytree(best, best.with_name(f"aaa-{best.name[-8:]}"))
    code, document = said()
    (study,) = document["studies"]
    assert (code, study["new_runs"], study["obstacle"]) == (1, [], None)
    assert study["unreadable"][0]["reason"].endswith(f"it is a copy of {best.name}.")


def test_the_end_of_a_hash_tells_codes_apart(planted, said):
    def change(record):
        code = record["environment"]["code_sha256"]
        record["environment"]["code_sha256"] = code[:-4] + ("0000" if code[-4] != "0" else "1111")

    planted(change)
    _, document = said()
    assert re.search(r"differences: code \S+ → …\d{4}\.$", summary(document))


def test_a_tree_and_its_own_study_lead_to_no_line_that_compares_it_with_itself(planted, capsys):
    planted()
    assert run_command(compare, ("trees=[main,main/small]",), "compare") == 2
    assert "retain-compare trees=" not in capsys.readouterr().err


def test_records_of_code_with_another_key_are_compared(planted, said):
    planted()
    for path in list(Path("branch").glob("small/*/record.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        record["config"]["novelty"] = {"depth": 3}
        record["id"] = identity(record["config"])
        path.write_text(json.dumps(record, indent=1), encoding="utf-8")
        path.parent.rename(path.parents[1] / f"{slug_of(record['config'])}-{record['id']}")
    code, document = said()
    assert code == 0
    assert summary(document) == (
        "small: the same, all 3 runs have equal results in both trees; results are equal although "
        "there are differences: novelty.depth=3 in place of null."
    )


def test_a_folder_that_cannot_be_read_is_named(planted, capsys, monkeypatch):
    planted()
    refused = PermissionError(13, "Permission denied", "branch/small")
    monkeypatch.setattr(StudyDirectory, "read", Mock(side_effect=refused))
    assert run_command(compare, (TREES,), "compare") == 2
    assert "branch/small cannot be read: Permission denied" in capsys.readouterr().err


def test_the_strict_gate_fails_where_a_study_is_gone(planted, said):
    planted()
    shutil.copytree("main/small", "main/only")
    assert said(TREES, "trees_gate=worse")[0] == 0
    assert said(TREES, "trees_gate=unclear")[0] == 3


def test_a_config_that_was_edited_is_not_believed(planted, said):
    planted(lambda record: record["config"]["model"].update(planted=2))
    code, document = said()
    assert code == 1
    assert "3 files or folders cannot be believed" in summary(document)
    assert "its id is" in document["studies"][0]["unreadable"][0]["reason"]


def test_the_gate_fails_on_a_loss(planted, said):
    planted(lambda record: shift_folds(record, NOISE / 4 - 0.06))
    for gate in ("worse", "any_worse", "unclear"):
        assert said(TREES, f"trees_gate={gate}")[0] == 3
    assert said(TREES)[0] == 0


def test_a_gate_fails_on_the_loss_of_a_run_that_is_not_the_best(planted, said):
    planted()
    best = said()[1]["studies"][0]["best"]["main"]["name"]

    def change(record):
        if record["config"]["model"]["name"] != best:
            shift_folds(record, NOISE / 4 - 0.06)

    shutil.rmtree("main")
    shutil.rmtree("branch")
    planted(change)
    assert said(TREES, "trees_gate=worse")[0] == 0
    assert said(TREES, "trees_gate=any_worse")[0] == 3


def test_the_strict_gate_fails_on_what_is_not_shown(planted, said):
    planted(lambda record: shift_folds(record, NOISE))
    assert said(TREES, "trees_gate=worse")[0] == 0
    assert said(TREES, "trees_gate=unclear", "selection.rope=0.001")[0] == 3
    assert said(TREES, "trees_gate=unclear", "selection.rope=0.2")[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("trees=[main]",), r"trees: it names 1 folders; expected two: trees=\[MAIN,BRANCH\]"),
        (("trees=[main,nowhere]",), "'nowhere' is not a folder"),
        (("trees=[main,empty]",), "'empty' holds no run"),
        ((TREES, "study=small"), "'study' has no effect with trees="),
        ((TREES, "gate.roc_auc=0.5"), "'gate.roc_auc' has no effect with trees="),
        (("trees_gate=worse",), "trees_gate needs two trees"),
        (("trees=[main,branch/small]",), "two studies of any names: retain-compare trees="),
        ((TREES, "trees_gate=better"), "trees_gate is 'better'; expected"),
    ],
)
def test_what_cannot_be_compared_is_refused(planted, capsys, words, message):
    planted()
    Path("empty").mkdir()
    assert run_command(compare, words, "compare") == 2
    assert re.search(message, " ".join(capsys.readouterr().err.split()))


def test_studies_of_any_name_are_compared_if_they_are_named(planted, said):
    planted()
    Path("branch/small").rename("branch/other")
    code, document = said("trees=[main/small,branch/other]")
    assert code == 0
    assert summary(document).startswith("small: the same")


def test_several_studies_have_a_sentence_each_and_cover_at_once(planted, said):
    planted(lambda record: shift_folds(record, NOISE / 4))
    for tree in ("main", "branch"):
        shutil.copytree(f"{tree}/small", f"{tree}/zweite")
    shutil.copytree("main/small", "main/only")
    code, document = said()
    assert [study["study"] for study in document["studies"]] == ["small", "zweite"]
    assert document["gone_studies"] == ["only"]
    assert document["studies"][0]["best"]["level"] == pytest.approx(0.975)
    assert "simultaneous 95\u00a0% CI" in document["studies"][0]["summary"]
    assert code == 0


def test_nothing_is_written(planted, said, here):
    planted()
    before = {path: path.stat().st_mtime_ns for path in here.rglob("*")}
    said()
    assert {path: path.stat().st_mtime_ns for path in here.rglob("*")} == before


def test_links_and_broken_records_are_named(planted, said, tmp_path):
    planted()
    (tree,) = Path("branch").glob("small/tree-*")
    (tree / "record.json").write_text("{", encoding="utf-8")
    (logreg,) = Path("branch").glob("small/logreg-*")
    shutil.move(logreg, "elsewhere")
    logreg.symlink_to(Path("elsewhere").resolve())
    Path("branch/outside").symlink_to(Path.cwd())
    code, document = said()
    (study,) = document["studies"]
    assert code == 1
    assert {one["folder"].partition("-")[0] for one in study["unreadable"]} == {"tree", "logreg"}
    assert [one["folder"] for one in document["outside"]] == ["outside"]
    assert "2 files or folders cannot be believed: branch logreg-" in study["summary"]


def test_hostile_texts_stay_on_one_line_without_control_characters(planted, capsys):
    def change(record):
        hostile = {"numpy": "1\x07\n2" + "9" * 1_000_000, "\x1b[2J\n[red]": "1"}
        record["environment"]["packages"].update(hostile)
        shift_folds(record, NOISE / 4)

    planted(change)
    assert run_command(compare, (TREES, "--markdown", "x.md", "--junit", "x.xml"), "compare") == 0
    out = capsys.readouterr().out
    assert "\x1b[2J" not in out
    assert "\x07" not in out
    assert len(out) < 5_000
    assert out.splitlines()[0].startswith("small: not worse")
    assert "9…" in out.splitlines()[0]
    assert len(Path("x.md").read_text(encoding="utf-8")) < 5_000


def test_a_reason_of_a_million_characters_is_cut(planted, said):
    def change(record):
        if record["config"]["model"]["name"] == "tree":
            record.update(state="failed", reason="x" * 1_000_000, metrics={}, scores_bytes=None)

    planted(change)
    _, document = said()
    assert len(json.dumps(document)) < 50_000
    assert "1 run ended in another state: tree" in summary(document)


def test_scores_that_were_edited_are_named(planted, said):
    planted()
    (folder,) = Path("branch").glob("small/tree-*")
    path = folder / "scores.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"2")
    code, document = said()
    assert code == 1
    assert "1 file or folder cannot be believed: branch tree-" in summary(document)


def test_a_tree_without_scores_says_what_it_lacks(planted, said):
    planted()
    for path in Path("branch").glob("small/*/scores.parquet"):
        path.unlink()
    code, document = said()
    assert code == 1
    assert document["studies"][0]["obstacle"] == "no_scores"
    assert "no scores.parquet that can be read" in summary(document)


def test_russian_says_the_same(planted, capsys):
    planted(lambda record: shift_folds(record, NOISE / 4 - 0.06))
    assert run_command(compare, (TREES, "report.language=ru"), "compare") == 0
    assert capsys.readouterr().out.startswith("small: хуже, ROC-AUC лучшей модели (")


def test_markdown_and_junit_have_the_sentence(planted):
    planted(lambda record: shift_folds(record, NOISE / 4 - 0.06))
    files = ("--markdown", "x.md", "--junit", "x.xml", "--quiet")
    assert run_command(compare, (TREES, "trees_gate=worse", *files), "compare") == 3
    page, cases = (Path(name).read_text(encoding="utf-8") for name in ("x.md", "x.xml"))
    assert "**small: worse, ROC-AUC of the best run" in page
    assert '<failure message="small: worse, ' in cases


def test_equal_verdicts_are_the_same(judged, here, capsys):
    for tree in ("main", "branch"):
        shutil.copytree(judged, tree)
    assert run_command(compare, (TREES,), "compare") == 0
    (_, verdict) = capsys.readouterr().out.splitlines()
    assert verdict == "small: the verdicts are the same: winner, tied runs, segments and plan"


def test_what_differs_between_verdicts_is_named(judged, here, capsys):
    for tree in ("main", "branch"):
        shutil.copytree(judged, tree)
    path = Path("branch/small/verdict/verdict.json")
    verdict = json.loads(path.read_text(encoding="utf-8"))
    loser = verdict["leaderboard"][-1]["id"]
    tied = verdict["tied"]
    verdict["tied"] = [id_ for id_ in tied if id_ != loser] if loser in tied else [*tied, loser]
    verdict["segments"][0]["n_customers"] += 1
    plan, offer = verdict["campaign"]["plan"], verdict["campaign"]["offers"][0]
    plan["n_treated"] += 5
    offer["n_treated"] += 5
    path.write_text(json.dumps(verdict), encoding="utf-8")
    assert run_command(compare, (TREES,), "compare") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert re.search("tied with the best: (logreg|tree|svc)", text)
    assert "1 segment has other customers or another profit at risk" in text
    assert f"the plan treats {plan['n_treated']} customers in place of" in text
    assert f"{offer['name']} {offer['n_treated'] - 5} → {offer['n_treated']}" in text


def test_a_verdict_that_is_older_than_its_runs_is_named(judged, here, capsys):
    for tree in ("main", "branch"):
        shutil.copytree(judged, tree)
    for path in Path("branch").glob("small/*/record.json"):
        rewrite(path, lambda record: shift_folds(record, NOISE))
    assert run_command(compare, (TREES,), "compare") == 0
    assert "the verdict of the second tree is older than its runs" in capsys.readouterr().out


def test_a_verdict_is_older_than_any_run_that_changed_or_came(judged, here, capsys):
    for tree in ("main", "branch"):
        shutil.copytree(judged, tree)
    winner = json.loads(Path("branch/small/verdict/verdict.json").read_text())["winner"]["id"]
    path = next(
        path for path in Path("branch").glob("small/*/record.json") if winner not in str(path)
    )
    record = json.loads(path.read_text(encoding="utf-8"))
    record["config"]["limits"]["seconds"] = 5.0
    path.write_text(json.dumps(record), encoding="utf-8")
    shutil.rmtree(next(path for path in Path("main").glob("small/*-*/") if winner not in str(path)))
    assert run_command(compare, (TREES,), "compare") == 0
    text = capsys.readouterr().out
    assert "the verdict of the first tree is older than its runs" in text
    assert "the verdict of the second tree is older than its runs" in text


def test_a_verdict_that_cannot_be_read_is_named(judged, here, said):
    for tree in ("main", "branch"):
        shutil.copytree(judged, tree)
    Path("branch/small/verdict/verdict.json").write_text("[]", encoding="utf-8")
    code, document = said()
    assert code == 1
    assert [one["folder"] for one in document["studies"][0]["unreadable"]] == ["verdict"]
