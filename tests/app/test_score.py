"""New customers through a saved winner."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retain.app.command_line import Line
from retain.app.planning import plan
from retain.app.prepared import forget
from retain.app.run import answer, run
from retain.app.saved import opened
from retain.app.score import score
from retain.app.settled import composed, settled
from retain.app.studies import compared, scores_of
from retain.app.winner import follow
from retain.customers.contracted import read
from retain.customers.demo import write as write_store
from retain.learning.features import as_learnt
from retain.verdict.document import as_json


def verdict_of(folder, data, *settings):
    """The verdict folder of one run, by the very functions a comparison's workers call."""
    forget()
    quick = ("validation.folds=2", "validation.repeats=2", f"outputs={folder}")
    assert answer(run, (*data, *quick), "run") == 0
    line = Line(("study=runs", "reasons=none", f"outputs={folder}", *settings))
    config = composed(line)
    found = compared(config)
    ((directory, winner),) = found.runs
    rests_on = settled(line, config, winner)
    carried = follow(config, rests_on, found.home, directory, winner).carried
    scores = (scores_of(directory), carried.scores)
    offered = plan(config, winner, rests_on, scores, None)
    offered.write(found.home)
    tree = {
        "schema": 2,
        "winner": {"id": winner.id, "name": "a model", "config": winner.config},
        "model": carried.model,
        "reference": carried.reference,
        **offered.tree,
    }
    found.home.verdict_json.write_text(as_json(tree), encoding="utf-8")
    return found.home.verdict


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Verdicts that tests copy before they use them."""
    return tmp_path_factory.mktemp("verdicts")


@pytest.fixture(scope="module")
def store_verdict(kept):
    return verdict_of(kept / "store", ("data.customers=300", "model=logreg"))


@pytest.fixture(scope="module")
def table_verdict(kept, shop):
    path = kept / "train.csv"
    shop_file(shop(300), path)
    data = ("data=table", f"data.path={path}", "data.id=id", "data.target=left", "data.profit=p")
    groups = "data.groups={site:[pages],product:[category]}"
    more = ("data.profit_unit=roubles", "data.consent=agreed", groups)
    return verdict_of(kept / "table", (*data, *more, "model=tree"), "segmentation=tree")


def shop_file(customers, path, **columns):
    table = customers.features.assign(
        p=customers.profit,
        agreed=customers.contactable.map({True: "yes", False: "no"}),
        left=customers.target,
    )
    table.assign(**columns).reset_index(names="id").to_csv(path, index=False)
    return path


@pytest.fixture
def store(here, store_verdict):
    """A copy of the store's verdict in an empty working directory, with four new files."""
    write_store(Path("new"), customers=200, seed=5)
    return shutil.copytree(store_verdict, here / "verdict")


@pytest.fixture
def table(here, table_verdict):
    return shutil.copytree(table_verdict, here / "verdict")


@pytest.fixture
def retain_score(here, capsys):
    """``retain-score`` with the words given; the exit code and what was printed."""

    def called(*words):
        code = answer(score, ("verdict=verdict", *words), "score")
        said = capsys.readouterr()
        return code, said.out + said.err

    return called


STORE = ("data=one_click", "data.dir=new")


def only_folder():
    (folder,) = Path("verdict").glob("score-*")
    return folder


def test_four_new_files_are_scored_placed_and_held_against_training(store, retain_score):
    code, said = retain_score(*STORE)
    assert code == 0, said
    folder = only_folder()
    assert sorted(path.name for path in folder.iterdir()) == [
        "drift.csv",
        "not_scored.csv",
        "score.json",
        "scores.csv",
    ]
    scores = pd.read_csv(folder / "scores.csv", index_col="customer_id")
    left_out = pd.read_csv(folder / "not_scored.csv", index_col="customer_id")
    assert len(scores) + len(left_out) == 200
    assert set(left_out["reason"].str.split(":").str[0]) == {"newcomer", "outlier"}
    assert scores["score"].between(0, 1).all()
    assert scores["risk"].corr(scores["score"], method="spearman") == pytest.approx(1)
    assert scores["profit_at_risk"].to_numpy() == pytest.approx(
        scores["risk"] * scores["profit"].clip(lower=0) * 3
    )
    tree = json.loads((folder / "score.json").read_text())
    assert tree["data"]["scored"] == len(scores)
    assert sum(one["customers"] for one in tree["segments"]) == len(scores)
    assert "Drift against" in said
    assert "not scored" in said
    assert max(len(line) for line in said.splitlines() if "verdict/score-" not in line) <= 200


# The segments of a comparison are amounts by now; new customers' own quantiles are not asked.
def test_customers_are_placed_by_the_cut_offs_of_the_comparison(store, retain_score):
    retain_score(*STORE)
    scores = pd.read_csv(only_folder() / "scores.csv")
    cuts = json.loads(Path("verdict/verdict.json").read_text())["cuts"]
    begins = sorted(cuts["value"]["bands"].values())
    band = np.searchsorted(begins, scores["profit"], side="right").clip(1)
    told_ = scores["segment"].str.split(" · ").str[1]
    assert scores.groupby(band)["segment"].count().sum() == len(scores)
    assert len(set(zip(band, told_, strict=True))) == len(set(band))
    one = scores.iloc[[0]]
    single = Path("one")
    write_store(single, customers=200, seed=5)
    assert one["segment"].iloc[0] in set(scores["segment"])


def test_the_scores_are_those_of_the_model_whatever_the_rows_at_a_time(store, retain_score):
    retain_score(*STORE, "outputs=whole")
    retain_score(*STORE, "outputs=parts", "rows=7")
    assert Path("whole/scores.csv").read_bytes() == Path("parts/scores.csv").read_bytes()
    from retain.app.saved import opened
    from retain.customers.contracted import read
    from retain.learning.features import as_learnt

    saved = opened("verdict")
    node = {
        k: v
        for k, v in saved.winner.config["data"].items()
        if k in ("tables", "profit_unit", "cleaning", "derived")
    }
    customers = read(dir="new", labelled=False, **node)
    bare = saved.model().predict_proba(as_learnt(customers, saved.reference.kinds))[:, 1]
    scores = pd.read_csv("whole/scores.csv", index_col="customer_id")["score"]
    assert scores.loc[customers.features.index].to_numpy() == pytest.approx(bare, abs=1e-12)
