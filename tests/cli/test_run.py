import json
import re
from pathlib import Path

import pandas as pd
import pytest

from retain.learning.scores import COLUMNS


def test_one_run_leaves_the_directory_the_design_draws(retain, tiny, records):
    code, output = retain(*tiny, "model=tree")
    assert code == 0
    assert "1 done, 0 failed" in output
    status, directory = sorted(Path("outputs/adhoc").iterdir())
    assert status.name == "status.json"
    assert directory.name.startswith("tree-")
    files = {path.relative_to(directory).as_posix() for path in directory.rglob("*.*")}
    expected = {"record.json", "scores.parquet", "run.log", ".hydra", ".lock"}
    assert files == expected | {f".hydra/{n}.yaml" for n in ("config", "hydra", "overrides")}
    scores = pd.read_parquet(directory / "scores.parquet")  # the store has copies of customers
    assert tuple(scores.columns) == (*COLUMNS, "duplicate_group")
    record = records("adhoc")["tree"]
    assert record["state"] == "done"
    assert [step["name"] for step in record["data"]["funnel"]] == ["newcomers", "outlier"]
    assert "roc_auc" in (directory / "run.log").read_text()


def test_a_finished_run_is_skipped(retain, tiny):
    retain(*tiny, "model=tree")
    code, output = retain(*tiny, "model=tree")
    assert code == 0
    assert "0 done, 0 failed, 0 not applicable, 1 done before and skipped" in output


def test_the_same_config_is_the_same_run_however_it_was_typed(retain, tiny):
    retain(*tiny)
    _, output = retain(*tiny, "model=logreg", "+seed=0", "threads=2", "workers=1")
    assert "1 done before and skipped" in output


def test_a_run_whose_data_changed_is_redone_and_says_so(retain, here, tiny_table):
    line = ("data=table", f"data.path={tiny_table}", "data.id=id", "data.target=left")
    folds = ("validation.folds=2", "validation.repeats=1")
    retain(*line, *folds)
    table = pd.read_csv(tiny_table)
    table["pages"] += 1
    table.to_csv(tiny_table, index=False)
    _, output = retain(*line, *folds)
    assert "the data changed" in output
    assert "1 done, 0 failed" in output


@pytest.fixture
def tiny_table(here, shop):
    customers = shop(120)
    table = customers.features.assign(left=customers.target).reset_index(names="id")
    table.to_csv(here / "my.csv", index=False)
    return "my.csv"


def test_another_seed_is_another_run_on_the_same_folds(retain, tiny):
    retain(*tiny, "-m", "seed=0,1", "model=tree", "workers=1")
    runs = [json.loads(p.read_text()) for p in Path("outputs/adhoc").glob("*/record.json")]
    assert len(runs) == 2
    assert len({run["split"]["fingerprint"] for run in runs}) == 1
    scored = [set(pd.read_parquet(p)["customer_id"]) for p in Path("outputs").rglob("*.parquet")]
    assert scored[0] == scored[1]


def test_a_combination_without_meaning_is_neither_failed_nor_done(retain, tiny, records):
    off = [f"features.{g}=false" for g in ("communication", "product", "purchase", "site")]
    code, output = retain(*tiny, *off)
    assert code == 0
    assert "every feature group of these customers is switched off" in output
    assert records("adhoc")["logreg"]["state"] == "not_applicable"


def test_a_dry_run_lists_states_and_writes_nothing(retain, tiny):
    line = (*tiny, "-m", "model=tree,logreg,dummy")
    retain(*tiny, "model=tree")
    before = sorted(Path("outputs").rglob("*"))
    code, output = retain(*line, "dry_run=true")
    assert code == 0
    assert sorted(Path("outputs").rglob("*")) == before
    states = dict(re.findall(r"│ model=(\w+) +│ \w+ │ (\w+)", output))
    assert states == {"tree": "done", "logreg": "new", "dummy": "new"}


REFUSED = {
    ("+model.dpth=3",): r"model\.dpth: logreg has no parameter 'dpth'\. 'depth' is a parameter of",
    ("model=tree", "+model.dpth=3"): r"Did you mean model\.max_depth\?",
    ("model=lightgbm", "model.num_leafs=5"): r"Did you mean model\.num_leaves\?",
    ("modle=svc",): r"key 'modle' is unknown\. Did you mean 'model'\?",
    ("model=lightgmb",): r"model 'lightgmb' is not one of .* Did you mean 'lightgbm'\?",
    ("features.sight=false",): r"features\.sight switches no feature group.*'site'",
    ("data.dir=nowhere",): r"data\.dir: demo has no parameter 'dir'\. .* data=one_click",
    ("data=one_click", "data.dir=nowhere"): "nowhere",
    ("data=one_click",): r"the config lacks data\.dir; add data\.dir=VALUE",
    ("validation.folds=five",): r"validation\.folds is 'five'; expected integer",
    ("validation.folds=1",): r"validation\.folds is 1; expected greater than or equal to 2",
    ("study=models",): "this line asks for 12 runs; add -m to sweep them",
    ("model=svc,tree",): "this line asks for 2 runs; add -m",
    ("~seed",): "the config cannot be resolved",
    ("seed=-1",): "seed is -1; expected greater than or equal to 0",
    ("model._target_=os.system",): r"only sklearn, .* may be built",
    ("model._target_=sklearn.svm.SVX",): r"sklearn\.svm has no 'SVX'\. Did you mean 'SV",
    ("model._target_=sklearn.nothing.X",): "which is not registered",
    ("model._target_=lightgbm.LGBMClasifier",): r"Did you mean .lightgbm\.LGBMClassifier",
    ("model._target_=sklearn.base.warnings",): "which is not registered",
    ("model._target_=sklearn.cluster.KMeans",): "which is no model",
    ("model._target_=sklearn.preprocessing.StandardScaler",): "which is no model",
    ("sampler._target_=sklearn.svm.SVC",): "which is no sampler",
    ("+model._args_=[1]",): r"key '_args_' is not allowed",
    ("~model._target_",): "key '_target_' is missing",
    ("data._target_=sklearn.datasets.fetch_openml",): r"expected one of retain\.customers",
    ("model=blend", "model.members.logreg.CC=1"): r"model\.members\.logreg\.CC",
    ("model=blend", "model.members.logreg._target_=os.system"): r"may be built",
    ("data.customers=50", "validation.folds=30"): "need at least 60 customers of each class",
    ("audit.allow=[duplicate_customer]",): r"duplicate_customer.*'duplicate_customers'",
}


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_what_is_wrong_is_refused_before_any_fit_with_the_nearest_name(retain, words):
    code, output = retain(*words)
    assert code == 2
    assert re.search(REFUSED[words], output), output
    assert "Traceback" not in output
    assert not Path("outputs").exists()


def test_outputs_that_cannot_be_written_are_named(retain, here, tiny):
    (here / "outputs").write_text("no folder")
    code, output = retain(*tiny, "model=tree")
    assert code == 2
    assert "outputs/adhoc cannot be written: Not a directory. Move away what lies there" in output


def test_a_full_disk_is_named(retain, tiny, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("retain.execution.runner.execute", full)
    code, output = retain(*tiny, "model=tree")
    assert code == 2
    assert "outputs/adhoc cannot be written: No space left on device. Free some space" in output


def test_a_sweep_with_one_wrong_run_fits_none(retain, tiny):
    code, _ = retain(*tiny, "-m", "model=tree,lightgbm", "model.num_leaves=5")
    assert code == 2
    assert not Path("outputs").exists()


def test_unshuffled_folds_on_a_file_sorted_by_label_are_refused_with_numbers(retain):
    code, output = retain("validation.shuffle=false")
    assert code == 2
    assert "audit.allow=[order_predicts_target]" in output


def test_an_identifier_as_a_feature_is_refused_with_its_auc(retain):
    code, output = retain("data.tables.behaviour.columns.customer_id.role=feature")
    assert code == 2
    assert "audit.allow=[id_predicts_target]" in output


def test_what_the_audit_refuses_can_be_allowed_by_name(retain, tiny, records):
    words = (
        "validation.shuffle=false",
        "audit.allow=[order_predicts_target]",
        "data.customers=400",
    )
    retain(*tiny, *words, "validation.folds=2")
    (check,) = [
        c for c in records("adhoc")["logreg"]["checks"] if c["code"] == "order_predicts_target"
    ]
    assert check["outcome"] == "failed"


def test_help_names_every_choice(retain):
    code, output = retain("--help")
    assert code == 0
    for word in ("lightgbm", "smotenc", "one_click", "study=models", "Exit codes"):
        assert word in output


def test_hydras_flags_are_answered_by_hydra(here, capsys, monkeypatch):
    from retain.cli.run import run, run_command

    monkeypatch.setattr("sys.argv", ["retain", "--cfg", "job", "model=svc"])
    assert run_command(run, ["--cfg", "job", "model=svc"], "run") == 0
    assert "sklearn.svm.SVC" in capsys.readouterr().out
