"""New customers through a saved winner."""

import json
import re
import shutil
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retain.campaign.assignment import read_assignment
from retain.campaign.audience import OpenCampaigns
from retain.cli.campaign_settings import campaign_settings, compose_compare
from retain.cli.overrides import Arguments
from retain.cli.readout import readout
from retain.cli.run import run, run_command
from retain.cli.score import score
from retain.customers.contract.reader import read
from retain.customers.demo import write as write_store
from retain.errors import RetainError
from retain.execution.dataset import clear_cache
from retain.execution.shared_memory import share
from retain.learning.features import select_model_columns
from retain.schema.parsing import parse
from retain.schema.scoring import CampaignSettings, Score
from retain.verdict.document import ComparisonExtras, as_json, document
from retain.verdict.model_file import load_model, save_model
from retain.verdict.verdict import compare_runs
from retain.workflows.campaign import plan_campaign
from retain.workflows.runs import read_run_scores, select_runs
from retain.workflows.saved_winner import load_winner
from retain.workflows.score import begin_after_snapshot
from retain.workflows.training_data import share_training_data
from retain.workflows.winner_evaluation import evaluate_winner

from ..campaign.readout.simulated_campaign import shipped, write_campaign


def verdict_of(folder, data, *settings):
    """The verdict folder of one run, by the very functions a comparison's workers call."""
    clear_cache()
    quick = ("validation.folds=2", "validation.repeats=2", f"outputs={folder}")
    assert run_command(run, (*data, *quick), "run") == 0
    line = Arguments(("study=adhoc", "explain=none", f"outputs={folder}", *settings))
    config = compose_compare(line)
    found = select_runs(config)
    ((directory, winner),) = found.runs
    rests_on = campaign_settings(line, config, winner)
    found.output_dir.verdict.mkdir()
    shared = share(read_run_scores(directory, winner), folder / "scores")
    data = share_training_data(config, (directory, winner), shared, folder)
    carried = evaluate_winner(config, rests_on, found.output_dir, winner, data, 1).result
    offered = plan_campaign(
        config,
        rests_on,
        (data.dataset, data.scores),
        carried.test_scores,
        None,
        "shown",
        OpenCampaigns(),
    )
    offered.write(found.output_dir)
    files = {"model": carried.model, "reference": carried.reference}
    extras = ComparisonExtras(
        studies=found.studies,
        question=found.question,
        interrupted=0,
        commands=(),
        gate=None,
        diffs=(),
        curves=None,
        sealed=carried.sealed_test,
        customer_results=offered.results.model_copy(update=files),
        explanations=None,
    )
    made = document(compare_runs(found.records, config.selection), extras)
    named = made.winner.model_copy(update={"name": "a model"})
    text = as_json(made.model_copy(update={"winner": named}))
    found.output_dir.verdict_json.write_text(text, encoding="utf-8")
    return found.output_dir.verdict


@pytest.fixture(scope="module")
def kept(tmp_path_factory, fork_server):
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
def retain_score(here, capsys, fork_server):
    """``retain-score`` with the words given; the exit code and what was printed."""

    def called(*words):
        code = run_command(score, ("verdict=verdict", *words), "score")
        output = capsys.readouterr()
        return code, output.out + output.err

    return called


FILES = {"scores.csv", "not_scored.csv", "drift.csv", "segments.csv", "score.json"}
CAMPAIGN = {"offers.csv", "campaign.csv", "campaign.json", "contacts.csv", "approval.csv"}
CAMPAIGN |= {"customers.parquet", "manifest.json"}
CAMPAIGN |= {"do_not_contact.csv", "outcomes_template.csv", "columns.csv", "README.txt"}
if find_spec("openpyxl") is not None:  # with the extra excel
    FILES, CAMPAIGN = FILES | {"scores.xlsx"}, CAMPAIGN | {"campaign.xlsx"}
STORE = ("data=one_click", "data.dir=new")


def only_folder(outputs="."):
    (folder,) = Path(outputs, "scores").iterdir()
    return folder


def only_campaign():
    (folder,) = Path("campaigns").iterdir()
    return folder


def test_four_new_files_are_scored_placed_and_held_against_training(store, retain_score):
    code, output = retain_score(*STORE)
    assert code == 0, output
    folder = only_folder()
    assert {path.name for path in folder.iterdir()} == FILES
    assert {path.name for path in only_campaign().iterdir()} == CAMPAIGN
    scores = pd.read_csv(folder / "scores.csv", index_col="customer_id")
    left_out = pd.read_csv(folder / "not_scored.csv", index_col="customer_id")
    assert len(scores) + len(left_out) == 200
    assert set(left_out["reason"].str.split(":").str[0]) == {"newcomer", "outlier"}
    assert scores["score"].between(0, 1).all()
    assert scores["risk"].corr(scores["score"], method="spearman") > 0.95  # profit may tell more
    assert scores["profit_at_risk"].to_numpy() == pytest.approx(
        scores["risk"] * scores["profit"].clip(lower=0) * 3
    )
    tree = json.loads((folder / "score.json").read_text())
    assert tree["campaign_id"] == only_campaign().name
    assert tree["data"]["n_customers"] == len(scores)
    assert sum(one["n_customers"] for one in tree["segments"]) == len(scores)
    assert "Drift compared with" in output
    assert "not scored" in output
    assert "Drivers are not computed for new customers" in output


# The bands of value were quantiles of the comparison's customers and are amounts by now: new
# customers' own quantiles are not asked.
def test_customers_are_placed_by_the_cut_offs_of_the_comparison(store, retain_score):
    retain_score(*STORE)
    scores = pd.read_csv(only_folder() / "scores.csv")
    cuts = json.loads(Path("verdict/verdict.json").read_text())["fitted_thresholds"]["segmentation"]
    expected = [
        f"{band(cuts['risk'], risk)} risk · {band(cuts['value'], profit)} value"
        for risk, profit in zip(scores["risk"], scores["profit"], strict=True)
    ]
    assert scores["segment"].tolist() == expected


def band(bands, number):
    """The name of the highest band that begins at or below a number, else of the lowest."""
    ordered = sorted(bands["bands"].items(), key=lambda one: one[1])
    return next((name for name, begin in reversed(ordered) if begin <= number), ordered[0][0])


def test_the_scores_are_those_of_the_model_whatever_the_rows_at_a_time(store, retain_score):
    retain_score(*STORE, "output_dir=whole")
    retain_score(*STORE, "output_dir=parts", "rows=64")
    whole, parts = (
        pd.read_csv(only_folder(name) / "scores.csv", index_col="customer_id")
        for name in ("whole", "parts")
    )
    assert whole["score"].to_numpy() == pytest.approx(parts["score"].to_numpy(), abs=1e-12)
    saved = load_winner(Path("verdict/verdict.json"))
    keys = ("tables", "profit_unit", "cleaning", "derived")
    node = {key: saved.winner.config["data"][key] for key in keys}
    customers = read(dir="new", has_target=False, **node)
    model = load_model(saved.folder / saved.model_file.file, saved.model_file.sha256)
    bare = model.predict_proba(select_model_columns(customers, saved.reference.kinds))[:, 1]
    found = whole["score"].loc[customers.features.index].to_numpy()
    assert found == pytest.approx(bare, abs=1e-12)


# The same customers as the model scores them must be those the comparison's own tables tell of.
def test_a_customer_of_the_sealed_test_gets_the_score_it_got_there(store, retain_score):
    write_store(Path("same"), customers=300, seed=0)
    path = Path("same/market_file.csv")
    rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for name in ("market_file.csv", "market_money.csv", "market_time.csv", "money.csv"):
        drop_customer(Path("same", name), rows[-1].split(",")[0])
    code, output = retain_score("data=one_click", "data.dir=same")
    assert code == 0, output
    before = pd.read_csv("verdict/customers.csv", index_col="customer_id")
    now = pd.read_csv(only_folder() / "scores.csv", index_col="customer_id")
    sealed = before[before["origin"] == "sealed_test"].index.intersection(now.index)
    assert len(sealed) > 40
    assert now.loc[sealed, "score"].to_numpy() == pytest.approx(before.loc[sealed, "score"])
    assert now.loc[sealed, "risk"].to_numpy() == pytest.approx(before.loc[sealed, "risk"])
    assert now.loc[sealed, "segment"].tolist() == before.loc[sealed, "segment"].tolist()
    assert re.search(r"29\d of these ids are in the\s+comparison too", output)


def drop_customer(path, id_):
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith((f"{id_},", f"{id_};"))]
    assert len(kept) < len(lines)
    path.write_text("".join(kept), encoding="utf-8", newline="")


def test_the_customers_of_the_comparison_are_no_new_ones(store, retain_score):
    write_store(Path("same"), customers=300, seed=0)
    code, output = retain_score("data=one_click", "data.dir=same")
    assert code == 2
    assert "these are the 298 customers of the comparison" in output
    assert not Path("scores").exists()


def test_offers_keep_consent_limits_and_the_control_group(store, retain_score):
    code, output = retain_score(*STORE, "campaign.budget=20", "campaign.control_share=0.5")
    assert code == 0, output
    folder = only_folder()
    scores = pd.read_csv(folder / "scores.csv", index_col="customer_id")
    arms = pd.read_csv(only_campaign() / "campaign.csv", index_col="customer_id")
    offers = pd.read_csv(only_campaign() / "offers.csv", index_col="customer_id")
    tree = json.loads((only_campaign() / "campaign.json").read_text())
    assert (tree["plan"]["budget"], tree["control_group"]["share"]) == (20, 0.5)
    assert 0 < offers["expected_cost"].sum() <= 20
    assert set(offers.index) == set(arms.index[arms["arm"] == "treatment"])
    asks = {o["name"] for o in tree["offers"] if o["needs_consent"]}
    assert scores.loc[offers.index[offers["offer"].isin(asks)], "contactable"].all()
    settings = json.loads((folder / "score.json").read_text())["settings"]
    saved = json.loads(Path("verdict/verdict.json").read_text())
    assert settings["campaign"] == {
        **saved["settings"]["campaign"],
        "budget": 20,
        "control_share": 0.5,
    }
    assert settings["offers"] == saved["fitted_thresholds"]["offers"]


def test_a_campaign_of_none_scores_and_places_alone(store, retain_score):
    code, output = retain_score(*STORE, "campaign=none")
    assert code == 0, output
    assert {path.name for path in only_folder().iterdir()} == FILES
    assert not Path("campaigns").exists()


def test_another_catalogue_can_be_named(store, retain_score):
    code, output = retain_score(*STORE, "offers=general")
    assert code == 0, output
    settings = json.loads((only_folder() / "score.json").read_text())["settings"]
    assert settings["offers"]["name"] == "general"


def test_scored_again_the_folder_is_replaced_whole(store, retain_score):
    retain_score(*STORE, "output_dir=there")
    (only_folder("there") / "older.txt").write_text("of an earlier scoring")
    code, _ = retain_score(*STORE, "output_dir=there")
    assert code == 0
    assert {path.name for path in only_folder("there").iterdir()} == FILES
    assert {path.name for path in Path("there").iterdir()} == {".lock", "scores", "campaigns"}


# Whoever was sent an offer must not change arms because the same customers were scored again.
def test_as_json_a_scoring_is_its_document_and_quiet_it_prints_nothing(store, retain_score):
    code, output = retain_score(*STORE, "--json")
    written = (only_folder() / "score.json").read_text("utf-8")
    assert (code, json.loads(output)) == (0, json.loads(written))
    assert retain_score(*STORE, "--quiet") == (0, "")


def test_scored_again_with_other_limits_the_older_scores_keep_their_campaign(store, retain_score):
    retain_score(*STORE)
    before, campaign = (only_folder() / "score.json").read_bytes(), only_campaign()
    code, output = retain_score(*STORE, "campaign.budget=5")
    assert code == 2
    assert f"points to campaign {campaign.name} and still does" in output
    assert (only_folder() / "score.json").read_bytes() == before
    code, output = retain_score(*STORE, "campaign.budget=5", "campaign.replace=true")
    assert code == 0, output
    assert json.loads((only_folder() / "score.json").read_text())["campaign_id"] != campaign.name
    assert {path.name for path in campaign.iterdir()} == CAMPAIGN


def test_a_verdict_that_lies_in_no_study_needs_a_folder_for_the_scores(store, retain_score):
    shutil.move("verdict", "copied")
    assert "output_dir=FOLDER" in refused(retain_score, *STORE, "verdict=copied")
    code, output = retain_score(*STORE, "verdict=copied", "output_dir=there")
    assert code == 0, output
    assert only_folder("there").is_dir()


# --- one table -----------------------------------------------------------------------------------


@pytest.fixture
def new_table(table, shop):
    """Writes a table of other customers of the shop, with some columns changed."""

    def written(n=80, seed=1, **columns):
        return shop_file(shop(n, seed=seed), "new.csv", **columns)

    return written


NEW = ("data.path=new.csv",)


def scored():
    return pd.read_csv(only_folder() / "scores.csv", index_col="customer_id")


def shifts():
    found = pd.read_csv(only_folder() / "drift.csv").set_index("name")
    return found["shift"]


def test_a_table_is_read_as_the_winners_was_but_for_the_target(new_table, retain_score):
    new_table()
    code, output = retain_score(*NEW)
    assert code == 0, output
    names = ["score", "risk", "segment", "profit", "contactable"]
    assert scored()[names].notna().all(axis=None)
    segments = pd.read_csv(only_folder() / "segments.csv")
    before = pd.read_csv("verdict/segments.csv")
    assert set(segments["segment"]) <= set(before["segment"])
    assert set(shifts()) <= {"none", "chance"}
    assert "Drift compared with" in output


def test_a_target_in_the_file_changes_nothing(new_table, retain_score, shop):
    path = new_table()
    retain_score(*NEW, "output_dir=with")
    pd.read_csv(path).drop(columns="left").to_csv(path, index=False)
    retain_score(*NEW, "output_dir=without")
    with_, without = (only_folder(name) / "scores.csv" for name in ("with", "without"))
    assert with_.read_bytes() == without.read_bytes()


def test_customers_who_moved_are_warned_of(new_table, retain_score, shop):
    new_table(pages=shop(80, seed=1).features["pages"] + 5, category="garden")
    code, output = retain_score(*NEW)
    assert code == 0
    assert shifts()[["pages", "category"]].tolist() == ["strong", "strong"]
    tree = json.loads((only_folder() / "score.json").read_text())
    assert set(tree["drift"]["strong"]) >= {"pages", "category"}
    assert any(one.startswith("category has shifted since training") for one in tree["cautions"])
    assert "(other): 0% → 100%" in output


@pytest.mark.parametrize("n", [1, 3])
def test_a_handful_of_customers_alike_is_scored_without_alarm(new_table, retain_score, n):
    new_table()
    few = pd.read_csv("new.csv").head(n).assign(contacts=2, category="toys")
    few.to_csv("new.csv", index=False)
    code, output = retain_score(*NEW)
    assert code == 0, output
    assert len(scored()) == n
    assert "has shifted" not in output


def test_a_cell_that_cannot_be_read_costs_one_customer_the_score(new_table, retain_score):
    path = new_table()
    table = pd.read_csv(path, dtype="str")
    table.loc[3, "pages"] = "=HYPERLINK(0)"
    table.to_csv(path, index=False)
    code, output = retain_score(*NEW)
    assert code == 0, output
    left_out = pd.read_csv(only_folder() / "not_scored.csv")
    assert left_out["customer_id"].tolist() == [int(table.loc[3, "id"])]
    assert "cannot be read: column 'pages': 1 cell is not a number" in left_out["reason"][0]
    assert len(scored()) == len(table) - 1
    assert "1 customer not scored, see not_scored.csv" in output


def test_features_that_are_missing_are_named_at_once(new_table, retain_score):
    path = new_table()
    table = pd.read_csv(path).drop(columns=["contacts", "revenue_current"])
    table.to_csv(path, index=False)
    output = refused(retain_score, *NEW, "data.groups=null")
    assert "these customers lack features 'contacts', 'revenue_current'" in output


def test_text_ids_and_hostile_levels_stay_text(new_table, retain_score):
    path = new_table()
    table = pd.read_csv(path)
    table["id"] = [f"=cmd|{n}" for n in range(len(table))]
    table["category"] = ["[bold]", '"', "=1", "a,b"] * (len(table) // 4)
    table.to_csv(path, index=False)
    code, output = retain_score(*NEW)
    assert code == 0, output
    assert scored().index.str.startswith("'=cmd|").all()


def test_without_profit_all_are_placed_and_each_counts_as_one(new_table, retain_score):
    new_table()
    code, output = retain_score(*NEW, "data.profit=null", "data.profit_unit=null")
    assert code == 0, output
    assert "Each customer counts as one" in output
    assert "profit" not in scored()


def test_segments_of_value_cannot_be_told_without_profit(store, retain_score):
    path = "verdict/verdict.json"
    tree = json.loads(Path(path).read_text())
    profit = tree["winner"]["config"]["data"]["tables"]["profit"]["columns"]
    assert any(column["role"] == "profit" for column in profit.values())
    words = [
        f"data.tables.profit.columns.{name}.role=feature"
        for name, column in profit.items()
        if column["role"] == "profit"
    ]
    output = refused(retain_score, *STORE, *words)
    assert "these customers carry no profit" in output


def test_consent_can_be_vouched_for_only_where_nobody_states_it(new_table, retain_score):
    new_table()
    output = refused(retain_score, *NEW, "campaign.consent=assume_given")
    assert "state their consent" in output
    code, _ = retain_score(*NEW, "campaign.consent=assume_given", "data.consent=null")
    assert code == 0
    assert scored()["contactable"].all()


# --- the real store ------------------------------------------------------------------------------


def real_half(folder, into):
    """The rows of every second real customer, without the answer; returns their ids and profit."""
    into.mkdir()
    for path in folder.glob("*.csv"):
        mark = ";" if path.name == "money.csv" else ","
        cells = pd.read_csv(path, sep=mark, dtype="str", encoding="utf-8-sig")
        cells = cells[cells["id"].astype(int) % 2 == 0]
        answer = [name for name in cells if name.startswith("Покупательская")]
        cells.drop(columns=answer).to_csv(into / path.name, sep=mark, index=False)
        if path.name == "money.csv":
            found = cells.set_index(cells["id"].astype(int))["Прибыль"].str.replace(",", ".")
    return found.astype(float)


def test_half_of_the_real_store_reconciles_with_its_files(one_click_dir, here, retain_score):
    folder = verdict_of(here / "adhoc", ("data=one_click", f"data.dir={one_click_dir}"))
    shutil.copytree(folder, "verdict")
    profit = real_half(one_click_dir, here / "half")
    code, output = retain_score("data.dir=half")
    assert code == 0, output
    left_out = pd.read_csv(only_folder() / "not_scored.csv")["customer_id"]
    assert sorted([*scored().index, *left_out]) == sorted(profit.index)
    assert scored()["profit"].sum() == pytest.approx(profit.drop(left_out).sum())
    before = pd.read_csv("verdict/customers.csv", index_col="customer_id")
    sealed = before.index[before["origin"] == "sealed_test"].intersection(scored().index)
    names = ["score", "risk", "profit_at_risk"]
    pd.testing.assert_frame_equal(scored().loc[sealed, names], before.loc[sealed, names])
    assert set(shifts()) == {"none"}
    money = pd.read_csv(only_folder() / "segments.csv")["expected_profit_at_risk"].sum()
    assert money == pytest.approx(scored()["profit_at_risk"].sum())


# --- what is refused -----------------------------------------------------------------------------


def refused(retain_score, *words):
    """What is said of a line that is refused, in one sentence and with nothing written."""
    before = {*Path().rglob("*"), Path(".lock")}
    code, output = retain_score(*words)
    assert code == 2, output
    assert {*Path().rglob("*"), Path(".lock")} == before
    assert "Traceback" not in output
    return output.strip()


@pytest.mark.parametrize("name", ["model.skops", "reference.json"])
def test_a_file_that_was_touched_is_refused(store, retain_score, name):
    with (store / name).open("ab") as file:
        file.write(b" ")
    output = refused(retain_score, *STORE)
    assert re.search(rf"verdict/{name} is not the file verdict\.json speaks of: .*", output)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tree: tree["model"].update(file="../../etc/passwd"), "model.file"),
        (lambda tree: tree["model"].update(sha256="0"), "model.sha256"),
        (lambda tree: tree["recalibration"].update(slope="steep"), "recalibration"),
        (
            lambda tree: tree["fitted_thresholds"]["segmentation"].update(kind="python"),
            "fitted_thresholds.segmentation.kind",
        ),
        (
            lambda tree: tree["settings"]["assumptions"].update(simulations=1),
            "settings.assumptions.simulations",
        ),
        (lambda tree: tree["winner"].pop("config"), "winner: key 'config' is missing"),
        (lambda tree: tree.pop("winner"), "key 'winner' is missing"),
        (lambda tree: tree.pop("model"), "holds no model to score with"),
    ],
)
def test_a_verdict_that_was_edited_is_refused_in_a_sentence(store, change, message):
    path = store / "verdict.json"
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree))
    with pytest.raises(RetainError, match=re.escape(message)) as caught:
        load_winner(Path("verdict/verdict.json"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000, "\x00\xff"])
def test_what_is_no_verdict_is_refused(store, text):
    (store / "verdict.json").write_text(text, encoding="latin-1")
    refused = r"verdict\.json (is not JSON|holds no object|is not UTF-8 text)"
    with pytest.raises(RetainError, match=refused) as caught:
        load_winner(Path("verdict/verdict.json"))
    assert "\n" not in str(caught.value)


# A verdict is somebody else's until its hashes say otherwise, and nothing in it is ever called.
def test_a_verdict_cannot_name_what_reads_the_customers(store, retain_score):
    path = store / "verdict.json"
    tree = json.loads(path.read_text())
    tree["winner"]["config"]["data"] = {"name": "demo", "_target_": "os.system", "command": "true"}
    path.write_text(json.dumps(tree))
    output = refused(retain_score, "data.command=touch")
    assert "the record names the reader 'os.system', which is not called" in output


def test_a_folder_without_a_verdict_is_refused(store, retain_score):
    output = refused(retain_score, *STORE, "verdict=verdct")
    assert "verdict=verdct holds no verdict.json" in output
    assert "Did you mean 'verdict'?" in output


def test_a_study_may_be_named_instead_of_its_verdict(store, retain_score):
    Path("study").mkdir()
    shutil.move("verdict", "study/verdict")
    code, output = retain_score(*STORE, "verdict=study")
    assert code == 0, output
    assert only_folder("study").is_dir()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name the new customers"),
        (("data=one_click",), "data.dir"),
        ((*STORE, "campaign.budgt=5"), "campaign: key 'budgt' is unknown. Did you mean 'budget'?"),
        ((*STORE, "campaign.budget=-5"), "campaign.budget is -5"),
        ((*STORE, "rows=0"), "rows is 0"),
        ((*STORE, "vrdict=x"), "key 'vrdict' is unknown. Did you mean 'verdict'?"),
        (("data=one_click", "data.dir=nowhere"), "nowhere"),
        ((*STORE, "campaign.min_contacts={nobody: 3}"), "campaign.min_contacts: segment 'nobody'"),
    ],
)
def test_what_cannot_be_meant_is_refused(store, retain_score, words, message):
    assert message in refused(retain_score, *words)


# Types are checked, but not every number that compiled code takes for granted.
def test_a_model_that_crashes_costs_the_process_that_calls_it_alone(table, retain_score, new_table):
    new_table()
    path = table / "verdict.json"
    tree = json.loads(path.read_text())
    model = load_model(table / "model.skops", tree["model"]["sha256"])
    grown = next(step for _, step in model.steps if hasattr(step, "tree_")).tree_
    state = grown.__getstate__()
    inner = state["nodes"]["left_child"] != -1
    assert inner.any()
    for side in ("left_child", "right_child"):
        state["nodes"][side][inner] = 2**40
    grown.__setstate__(state)
    tree["model"]["sha256"] = save_model(model, table / "model.skops")
    path.write_text(json.dumps(tree))
    assert "the process that scores the customers died" in refused(retain_score, *NEW)


def test_reasons_are_russian_in_russian_files(store, retain_score):
    code, output = retain_score(*STORE, "export.dialect=ru")
    assert code == 0, output
    assert "newcomer: no positive" in output
    left_out = pd.read_csv(only_folder() / "not_scored.csv", sep=";", encoding="utf-8-sig")
    assert left_out["Причина"].str.startswith("показатель ").all()


@pytest.fixture
def read_out_scores(store, retain_score, capsys):
    """``retain-readout scores=…`` of the new store's scores, with everybody declined or not."""
    assert retain_score(*STORE)[0] == 0
    folder = only_folder()
    scores = pd.read_csv(folder / "scores.csv", encoding="utf-8-sig")
    declined = np.random.default_rng(0).random(len(scores)) < scores["risk"]
    scores.assign(declined=declined.astype(int))[["customer_id", "declined"]].to_csv("o.csv")

    def called(*words):
        line = (f"scores={folder}", "outcomes=o.csv", *words)
        code = run_command(readout, line, "readout")
        output = capsys.readouterr()
        return code, output.out + output.err

    capsys.readouterr()
    return called


def test_scores_are_held_against_the_outcomes_that_came(read_out_scores):
    code, output = read_out_scores("--json")
    assert code == 0, output
    found = json.loads(output)
    assert found == json.loads((only_folder() / "readout/score_readout.json").read_text())
    campaign = pd.read_csv(only_campaign() / "campaign.csv", encoding="utf-8-sig")
    arms = campaign["arm"].value_counts()
    assert found["n_contacted"] == arms["treatment"]
    assert found["n_control"] == arms["control"]
    assert found["n_observed"] == found["n_scored"] - arms["treatment"]
    assert found["roc_auc"]["low"] > 0.5
    low, high = found["money"]["at_risk"]["low"], found["money"]["at_risk"]["high"]
    assert 0 < low < found["money"]["lost"] < high
    code, output = read_out_scores()
    assert "ROC-AUC of the scores" in output
    assert "left out" in output


def test_customers_whom_another_campaign_contacted_are_left_out_too(read_out_scores):
    assert read_out_scores()[0] == 0
    before = json.loads((only_folder() / "readout/score_readout.json").read_text())
    path = only_folder() / "score.json"
    tree = json.loads(path.read_text())
    tree |= {"campaign_id": None, "campaign_sha256": None}
    tree["settings"]["campaign"]["start"] = "2025-02-01"
    path.write_text(json.dumps(tree))
    campaign = only_campaign()
    other = read_assignment(campaign)
    start = json.loads((campaign / "campaign.json").read_text())["settings"]
    start["campaign"]["start"] = "2025-02-10"
    shutil.rmtree(campaign)
    again = Path.cwd().parent / f"{Path.cwd().name}_other" / "campaigns" / "any"
    write_campaign(again, other, settings=parse(CampaignSettings, start))
    id_ = json.loads((again / "campaign.json").read_text())["id"]
    again = again.rename(again.with_name(id_))
    (again / "readout").mkdir()
    (again / "readout" / "readout.json").write_text("{}")
    code, output = read_out_scores()
    found = json.loads((only_folder() / "readout/score_readout.json").read_text())
    shutil.rmtree(again.parents[1])
    assert code == 0, output
    assert "to contact in other campaigns of this horizon are left out" in " ".join(output.split())
    assert found["n_contacted_by_others"] == before["n_contacted"]
    assert found["overall"] == before["overall"]


def test_the_gate_of_scores_decides_the_exit_code(read_out_scores):
    assert read_out_scores("gate.roc_auc=0.5")[0] == 0
    code, output = read_out_scores("gate.roc_auc=0.999")
    assert code == 3
    assert "the threshold is at least 0.999: missed by" in " ".join(output.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("gate.brier=0.1",), "gate: metric 'brier'"),
        (("monitoring=once",), "it says nothing of scores"),
        (("scores=elsewhere",), "none is there"),
        (("outcomes.id=nothing",), "nothing"),
    ],
)
def test_scores_that_cannot_be_read_out_are_refused(read_out_scores, words, said):
    code, output = read_out_scores(*words)
    assert code == 2
    assert said in output


def test_scores_that_were_changed_are_refused(read_out_scores):
    path = only_folder() / "scores.csv"
    text = path.read_text(encoding="utf-8-sig")
    path.write_text(text.replace("0.", "7.", 3), encoding="utf-8")
    code, output = read_out_scores()
    assert code == 2
    assert "scores.csv is not the file score.json speaks of" in " ".join(output.split())


def test_scores_of_an_earlier_version_are_read_out_and_told_apart(read_out_scores):
    path, readout_json = only_folder() / "score.json", "readout/score_readout.json"
    assert "nobody can tell" not in read_out_scores()[1]
    assert json.loads((only_folder() / readout_json).read_text())["scores_sha256"] is not None
    tree = json.loads(path.read_text())
    assert tree["files"].keys() >= {"scores.csv", "segments.csv", "drift.csv", "not_scored.csv"}
    path.write_text(json.dumps({key: tree[key] for key in tree if key != "files"}))
    code, output = read_out_scores()
    assert code == 0
    assert "nobody can tell whether a score was changed" in " ".join(output.split())
    assert json.loads((only_folder() / readout_json).read_text())["scores_sha256"] is None


def test_scores_of_another_campaign_are_refused(read_out_scores):
    path = only_folder() / "score.json"
    tree = json.loads(path.read_text())
    path.write_text(json.dumps({**tree, "campaign_sha256": "0" * 64}))
    code, output = read_out_scores()
    assert code == 2
    assert "is not the campaign that these scores were planned with" in " ".join(output.split())


# --- the day a campaign begins -------------------------------------------------------------------


def begun(start, snapshot, typed=None):
    """The start of a plan for customers of a snapshot, with that of the comparison or one typed."""
    groups = {"segmentation": "risk_value", "assumptions": "default", "offers": "general"}
    tree = {group: shipped(group, name) for group, name in groups.items()}
    tree["campaign"] = {**shipped("campaign", "default"), "start": start}
    settings, config = (
        parse(CampaignSettings, tree),
        Score.model_construct(campaign=typed and {"start": typed}),
    )
    day = snapshot and date.fromisoformat(snapshot)
    return begin_after_snapshot(settings, config, day).campaign.start


def test_a_start_of_the_comparison_before_the_new_snapshot_is_not_inherited():
    assert begun("2025-02-01", "2025-02-02") is None
    assert begun("2025-02-02", "2025-02-02") == "2025-02-02"
    assert begun("2025-02-01", None) == "2025-02-01"


def test_a_start_typed_before_the_snapshot_is_refused():
    with pytest.raises(RetainError, match=r"scored at; .*such as campaign\.start=2025-02-02"):
        begun("2025-02-01", "2025-02-02", typed="2025-02-01")
    assert begun("2025-03-01", "2025-02-02", typed="2025-03-01") == "2025-03-01"
