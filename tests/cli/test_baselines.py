"""The models that a source has in every leaderboard, whatever a sweep asks for."""

import pytest

from retain.cli.compose import Composer
from retain.cli.overrides import parse_args
from retain.errors import RetainError
from retain.learning.components import build_source

pytestmark = [pytest.mark.slow, pytest.mark.no_cover]

LOG = ("data=purchases", "data.path=log.csv", "data.columns.customer=who", "data.columns.time=at")
AXES = ("sampler=none,smote", "scaling=none,robust", "calibration=none,sigmoid", "tuning=none")


def runs(*words):
    with Composer(parse_args(words), "run") as composer:
        return composer.runs()


def models(found):
    return [run.config["model"]["name"] for run in found]


def test_every_sweep_of_the_source_runs_its_baselines_too():
    found = runs("-m", *LOG, "model=logreg,tree")
    assert models(found) == ["logreg", "tree", "recency_rule", "bg_nbd", "pareto_nbd"]
    assert found[-1].overrides[-1] == "model=pareto_nbd"


def test_a_run_without_sweep_and_another_source_have_none():
    assert models(runs(*LOG, "model=logreg")) == ["logreg"]
    assert models(runs("-m", "model=logreg,tree")) == ["logreg", "tree"]
    assert models(runs("-m", *LOG, "model=logreg", "data.baselines=[]")) == ["logreg"]
    assert models(runs("-m", *LOG, "model=logreg", "data.baselines=null")) == ["logreg"]


def test_what_is_of_a_model_asks_for_no_more_of_them():
    toggles = ("features.site=true,false", "model.C=1,2", "features.derived=true,false")
    found = runs("-m", *LOG, "model=logreg", *AXES, *toggles)
    assert len(found) == 2**6 + 3
    for run in found[-3:]:
        assert run.config["sampler"]["name"] == "none"
        assert "C" not in run.config["model"]
        assert run.run.features.on("site")


def test_each_leaderboard_has_its_own():
    boards = ("data.label.horizon=60,90", "seed=0,1", "validation.folds=3,5")
    found = runs("-m", *LOG, "model=logreg", *boards, "sampler=none,smote")
    mine = [run for run in found if run.config["model"]["name"] == "recency_rule"]
    kept = {
        (run.config["data"]["label"]["horizon"], run.run.seed, run.run.validation.folds)
        for run in mine
    }
    assert len(mine) == len(kept) == 8
    assert len(found) == 8 * 2 + 8 * 3


def test_sources_swept_beside_each_other_keep_theirs_apart():
    found = runs("-m", *LOG[1:], "data=purchases,demo", "model=logreg", "data.customers=90")
    pairs = {(run.config["data"]["name"], run.config["model"]["name"]) for run in found}
    assert pairs == {
        ("purchases", "logreg"),
        ("purchases", "recency_rule"),
        ("purchases", "bg_nbd"),
        ("purchases", "pareto_nbd"),
        ("demo", "logreg"),
    }


def test_one_that_the_sweep_has_anyway_runs_once():
    found = runs("-m", *LOG, "model=recency_rule,logreg")
    assert models(found) == ["recency_rule", "logreg", "bg_nbd", "pareto_nbd"]


def test_a_study_of_several_sweeps_runs_them_once():
    found = runs("-m", *LOG, "study=samplers")
    assert models(found).count("bg_nbd") == models(found).count("recency_rule") == 1
    assert {run.run.study.name for run in found} == {"samplers"}


def test_a_source_of_ones_own_names_any_model(tmp_path):
    (tmp_path / "data").mkdir()
    text = "# Mine.\ndefaults: [table, _self_]\nname: mine\nbaselines: [dummy, tree]\n"
    (tmp_path / "data" / "mine.yaml").write_text(text, encoding="utf-8")
    mine = ("-cd", str(tmp_path), "data=mine", "data.path=x.csv", "data.target=left", "data.id=id")
    assert models(runs("-m", *mine, "model=logreg")) == ["logreg", "dummy", "tree"]


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (
            "[recency_rul]",
            "data.baselines: model 'recency_rul' is not one of .*'recency_rule'",
        ),
        ("recency_rule", r"data.baselines is 'recency_rule'; expected a list of models"),
    ],
)
def test_a_baseline_that_is_no_model_is_refused(typed, message):
    with pytest.raises(RetainError, match=message):
        runs("-m", *LOG, "model=logreg", f"data.baselines={typed}")


def test_no_reader_is_told_of_baselines():
    node = {"name": "mine", "_target_": "retain.customers.table.read", "baselines": ["dummy"]}
    with pytest.raises(RetainError, match=r"data cannot be built: .*missing.*argument"):
        build_source(node)()


# They change where and how fast a table is built, never the table.
@pytest.mark.parametrize(
    "typed", ["engine=spark", "memory_limit=2GB", "cache=null", "baselines=[dummy]"]
)
def test_what_changes_no_table_changes_no_run(typed):
    assert runs(*LOG, f"data.{typed}")[0].id == runs(*LOG)[0].id
    assert runs(*LOG, "data.windows=[30]")[0].id != runs(*LOG)[0].id
