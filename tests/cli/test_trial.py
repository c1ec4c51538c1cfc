"""``retain-readout data=table``: any randomised campaign, as a user reads it out."""

import contextlib
import json
import re
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from retain.campaign.trial.saved_trial import read_trial
from retain.cli.readout import readout
from retain.cli.run import run_command
from retain.errors import RetainError
from retain.record.documents import content_id
from retain.record.trial_directory import TrialDirectory
from retain.report.render import Drawings
from retain.storage.writing import hash_file

DRAW = "retain.report.page.trial_page.render_trial_charts"


def table(n=600, seed=0):
    """A randomised e-mail that a third more customers answer by a visit."""
    random = np.random.default_rng(seed)
    arm = random.choice(["No mail", "Mail A", "Mail B"], n)
    visit = random.random(n) < np.where(arm == "No mail", 0.2, 0.5)
    return pd.DataFrame(
        {
            "who": [f"c{k}" for k in range(n)],
            "group": arm,
            "age": random.integers(18, 80, n),
            "city": random.choice(["Köln", "Bonn"], n),
            "visit": np.where(visit, "ja", "nein"),
            "spend": np.round(visit * random.lognormal(3, 0.5, n), 2),
        }
    )


@pytest.fixture(autouse=True)
def pictures(request):
    """Pages are written without pictures, which take longest, but where a test asks for them."""
    asked = "with_charts" in request.fixturenames
    with contextlib.nullcontext() if asked else mock.patch(DRAW, return_value=Drawings()):
        yield


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The table as a German spreadsheet writes it, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    table().to_csv("mail.csv", index=False, sep=";", decimal=",", encoding="cp1252")
    return tmp_path


WORDS = (
    *("data=table", "data.path=mail.csv", "data.id=who", "treatment=group", "control=no mail"),
    "outcome=[spend,visit]",
)


def called(*words, positive=("positive.visit=ja",)):
    return run_command(readout, [*WORDS, *positive, *words], "readout")


def tree(name="mail"):
    return json.loads(Path(f"outputs/{name}/trial/trial.json").read_text(encoding="utf-8"))


def test_a_table_is_read_out_into_a_folder_of_its_name(file, capsys, with_charts):
    assert called("cost.mail_a=2", "propensity=equal") == 0
    names = {path.name for path in Path("outputs/mail/trial").iterdir()}
    assert names == {
        *("report.html", "trial.json", "trial.parquet"),
        *("effects.csv", "subgroups.csv", "balance.csv"),
    }
    document = tree()
    assert [arm["name"] for arm in document["arms"]] == ["No mail", "Mail A", "Mail B"]
    assert [one["kind"] for one in document["outcomes"]] == ["money", "binary"]
    assert document["arms"][1]["cost"] == 2
    effects = pd.read_csv("outputs/mail/trial/effects.csv")
    assert list(effects["role"]) == ["primary"] * 2 + ["between"] + ["secondary"] * 2
    spend = table().groupby("group")["spend"].mean()
    assert effects["difference"][0] == pytest.approx(spend["Mail A"] - spend["No mail"])
    assert effects["conclusion"][0] == "helped"
    net = document["net"][0]
    assert net["net"]["value"] == pytest.approx(net["gain"]["value"] - 2)
    output = capsys.readouterr().out
    assert "the arms have the planned shares up to chance" in output
    assert "2 covariates do not tell the arm" in output


def test_effects_by_subgroup_are_told_only_where_they_differ(file, capsys):
    frame = table(2000, seed=1)
    assert called() == 0
    assert "No covariate is shown to change the effect (2 tested, the smallest p is" in (
        capsys.readouterr().out
    )
    in_bonn = (frame["city"] == "Bonn") & (frame["group"] == "Mail A")
    frame["spend"] += 40.0 * in_bonn
    frame.to_csv("mail.csv", index=False)
    assert called("name=bonn") == 0
    output = capsys.readouterr().out
    assert "The effect of Mail A differs by city (p <0.001, corrected)." in output
    assert "Mail A − No mail, spend by city" in output
    assert "Mail B − No mail, spend by city" not in output
    assert "Δ adj.: adjusted by the covariates, beside the plain means. The intervals" in " ".join(
        output.split()
    )
    written = pd.read_csv("outputs/bonn/trial/subgroups.csv")
    shown = written[written["is_shown"]]
    assert list(zip(shown["arm"], shown["subgroup"], strict=True)) == [
        ("Mail A", "Bonn"),
        ("Mail A", "Köln"),
    ]
    assert list(written[written["covariate"] == "age"]["kind"]) == ["band"] * 6
    document = tree("bonn")["subgroups"]
    assert document["rows"][0]["difference"]["value"] == pytest.approx(written["difference"][0])


def test_what_was_written_is_read_back_as_the_same_trial(file):
    assert called("cost.mail_a=2", "strata=city") == 0
    trial, document = read_trial(TrialDirectory(Path("outputs/mail/trial")))
    before = table()
    assert trial.arms == ("No mail", "Mail A", "Mail B")
    assert list(trial.ids) == list(before["who"])
    assert [trial.arms[k] for k in trial.arm] == list(before["group"])
    assert np.array_equal(trial.outcome.values, before["spend"])
    assert list(trial.covariates["age"]) == list(before["age"])
    assert list(trial.covariates["city"]) == list(before["city"])
    assert trial.cost.tolist() == [0, 2, 0]
    assert len(np.unique(trial.stratum)) == 2
    assert document.n_customers == 600


def test_a_table_that_was_changed_is_not_read_back(file):
    assert called() == 0
    directory = TrialDirectory(Path("outputs/mail/trial"))
    frame = pd.read_parquet(directory.table)
    frame.assign(outcome_0=0.0).to_parquet(directory.table)
    with pytest.raises(RetainError, match=r"is not the file trial\.json speaks of"):
        read_trial(directory)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"customer_id": "c1"}, "an id is repeated"),
        ({"arm": "Mail C"}, "an arm is not one of"),
        ({"stratum": 10**15}, "a stratum is below 0 or above"),
        ({"propensity_0": -1.0}, "propensities are below 0, or not 1"),
        (
            {"propensity_0": 0.0, "propensity_1": 1.0, "propensity_2": 0.0},
            "in an arm of propensity 0",
        ),
        ({"outcome_0": np.inf}, "an outcome is infinite"),
        ({"outcome_1": "yes"}, "could not convert"),
    ],
)
def test_a_table_that_fits_its_hash_and_not_its_document_is_not_read_back(file, columns, message):
    assert called() == 0
    directory = TrialDirectory(Path("outputs/mail/trial"))
    pd.read_parquet(directory.table).assign(**columns).to_parquet(directory.table)
    document = tree()
    document["table"]["sha256"] = hash_file(directory.table)
    write_with_id(document)
    with pytest.raises(RetainError, match=message):
        read_trial(directory)


EDITS = [
    (lambda one: one.update(n_customers=599), "another number of customers"),
    (lambda one: one["arms"][1].update(n_customers=9), "another number of customers in an arm"),
    (lambda one: one["arms"][1]["n_missing"].update(spend=9), "customers without an outcome"),
    (lambda one: one["outcomes"][0].update(kind="binary"), "calls outcome 'spend' binary"),
    (lambda one: one["outcomes"][0].update(kind="count"), "calls outcome 'spend' count"),
    (lambda one: one["outcomes"][0].update(value=9.0), None),
    (lambda one: one["outcomes"][1].update(is_reversed=True), None),
]
"""Changes of ``trial.json``, and what the rows say against them, None if nothing."""


def write_with_id(document):
    """Write ``trial.json`` as somebody does who knows how its id is made."""
    document["id"] = content_id(document)
    path = TrialDirectory(Path("outputs/mail/trial")).trial_json
    path.write_text(json.dumps(document), encoding="utf-8")


def test_a_document_that_was_changed_is_not_believed(file, capsys):
    assert called() == 0
    directory = TrialDirectory(Path("outputs/mail/trial"))
    written = directory.trial_json.read_text("utf-8")
    for edit, message in EDITS:
        document = json.loads(written)
        edit(document)
        directory.trial_json.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(RetainError, match=r"was changed .* Put back the file as it was"):
            read_trial(directory)
        write_with_id(document)
        if message is not None:
            with pytest.raises(RetainError, match=message):
                read_trial(directory)
    del document["id"]
    directory.trial_json.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(RetainError, match="its id and its content disagree"):
        read_trial(directory)
    assert called() == 2  # looks are counted by it too
    assert "It does not say how often this campaign was read out" in " ".join(
        capsys.readouterr().err.split()
    )


def test_a_file_that_grows_has_intervals_that_hold_at_every_look(file, capsys):
    plan = ("planned_customers=1200", "monitoring=always_valid", "expected_effect=2")
    for n in (400, 800):
        table(800).head(n).to_csv("mail.csv", index=False)
        assert called(*plan) == 0
    output = " ".join(capsys.readouterr().out.split())
    assert "Intervals and p hold at every look together: this is look 2, with 6" in output
    assert "With outcomes of" in output
    assert "more customers, an effect of 2.0 is shown in 4 of 5 such campaigns" in output
    assert not any(caution["code"] == "looks" for caution in tree()["cautions"])
    document = tree()
    assert (document["n_planned"], document["n_looks"]) == (1200, 2)
    assert [round(look["information"], 1) for look in document["looks"]] == [0.3, 0.7]
    page = Path("outputs/mail/trial/report.html").read_text(encoding="utf-8")
    assert "intervals and p hold at every look together" in page
    assert "an effect of" in page
    assert called("planned_customers=1300") == 2
    error = " ".join(capsys.readouterr().err.split())
    assert "planned_customers: it is 1,300, and the looks so far are measured by 1,200" in error
    assert called() == 0  # the plan is remembered
    assert tree()["n_planned"] == 1200


def test_outcomes_that_were_turned_round_are_read_back(file):
    frame = table().assign(spend=lambda one: one["spend"].round())
    frame.to_csv("mail.csv", index=False)
    assert called("lower_is_better=[spend,visit]", "kind.spend=count") == 0
    trial, document = read_trial(TrialDirectory(Path("outputs/mail/trial")))
    assert [one.is_reversed for one in document.outcomes] == [True, True]
    assert trial.y.max() == 0


def test_other_outcomes_under_the_same_name_are_a_look_and_other_arms_an_error(file, capsys):
    table(700).head(600).to_csv("mail.csv", index=False)
    assert called() == 0
    assert called() == 0
    assert tree()["n_looks"] == 1
    table(700).to_csv("mail.csv", index=False)
    assert called() == 0
    assert tree()["n_looks"] == 2
    assert "This is look 2" in capsys.readouterr().out
    assert [look["method"] for look in tree()["looks"]] == ["once", "always_valid"]
    table().replace("Mail B", "Mail C").to_csv("mail.csv", index=False)
    assert called() == 2
    assert "another name for this one: name=NAME" in capsys.readouterr().err
    assert called("name=other") == 0


def test_what_changed_since_the_last_look_is_told_until_the_next_one(file, capsys):
    frame = table()
    assert called() == 0
    assert called("outcome=[visit,spend]") == 2
    error = " ".join(capsys.readouterr().err.split())
    assert "its primary outcome, the first one typed, is 'spend'; expected another name" in error
    frame.loc[3, "spend"] += 1
    frame.drop(index=[5, 7]).to_csv("mail.csv", index=False)
    for _ in range(2):
        assert called() == 0
        output = " ".join(capsys.readouterr().out.split())
        assert "Customers of the last look who are gone: 2 ('c5', 'c7')." in output
        assert "Customers whose outcome was another one at the last look: 1 ('c3')." in output
    assert tree()["n_looks"] == 2


def test_a_look_keeps_the_method_that_it_had_at_first(file, capsys):
    assert called("monitoring=once") == 0
    assert called("monitoring=always_valid") == 0
    assert [look["method"] for look in tree()["looks"]] == ["once"]
    assert "read out as once before, which is kept" in " ".join(capsys.readouterr().out.split())


def test_an_effect_on_a_share_is_below_1(file, capsys):
    words = ("outcome=visit", "data.drop_columns=spend")
    assert called(*words, "expected_effect=2") == 2
    assert "expected_effect: it is 2, and 'visit' is a share" in " ".join(
        capsys.readouterr().err.split()
    )
    assert called(*words, "expected_effect=0.02") == 0
    page = Path("outputs/mail/trial/report.html").read_text(encoding="utf-8")
    assert re.search(r"an effect of <data[^>]*>2.00</data> percentage points", page)


def test_less_of_an_outcome_may_be_better(file):
    assert called("outcome=visit", "lower_is_better=visit", "data.drop_columns=spend") == 0
    (row, *_) = tree()["effects"]
    assert (row["outcome"], row["conclusion"]) == ("no visit", "harmed")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["treatment=grup"], "treatment: column 'grup' is missing.*Did you mean 'group'"),
        (["treatment=null"], "expected treatment=COLUMN; columns of few values are 'group'"),
        (["control=null"], "expected one of \"control='Mail A'\".* \\(2..\\)"),
        (["control=mail"], "'mail' is no arm; the arms are 'Mail A', 'Mail B', 'No mail'"),
        (["outcome=null"], "expected outcome=COLUMN"),
        (["outcome=[spend,group]"], "'group' is named by treatment too"),
        (["positive.visit=maybe"], "'maybe' is no value of column 'visit'"),
        (["kind.visits=count"], "'visits' is no outcome.*Did you mean 'visit'"),
        (["kind.spend=binary"], "expected 0 and 1"),
        (["cost.Mail=1"], "cost: 'Mail' is no arm"),
        (
            ["outcome=[visit,spend]", "cost.mail_a=1"],
            "expected what one of it is worth: value.visit",
        ),
        (["propensity.mail_a=0.5"], "expected shares above 0 that add up to 1"),
        (["propensity={no_mail: 0.8, mail_a: 0.1}"], "the arms have not the planned shares"),
        (["propensity={mail_a: age, mail_b: 0.1}"], "does not hold a probability"),
        (["data.target=visit", "outcome=spend"], "expected outcome=COLUMN for what came"),
        (["strata=who"], "strata: column 'who' is the id"),
        (["campaign=x"], "treatment: it says nothing of a planned campaign"),
        (["data=demo"], "expected data=table data.path=FILE"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_type(file, capsys, words, message):
    assert called(*words) == 2
    error = capsys.readouterr().err
    assert re.search(message, error.replace("\n", " ")), error
    assert "Traceback" not in error


ALIKE = ("name=alike", "propensity=equal")


@pytest.fixture
def alike(file):
    """A table of two arms whose names differ by a hyphen only."""
    frame = table().replace({"group": {"Mail B": "Mail-A"}})
    frame.to_csv("mail.csv", index=False)


def test_arms_whose_names_differ_by_a_hyphen_are_told_apart_by_their_whole_names(alike, capsys):
    assert called(*ALIKE, "cost.mail_a=1") == 2
    error = " ".join(capsys.readouterr().err.split())
    assert "'mail_a' may be any of the arms 'Mail A', 'Mail-A'" in error
    assert '"cost={Mail A: VALUE, Mail-A: VALUE}"' in error
    assert called(*ALIKE, "cost={Mail A: 1, Mail-A: 2}") == 0
    assert [arm["cost"] for arm in tree("alike")["arms"]] == [0, 1, 2]


@pytest.mark.parametrize("key", ["cost", "propensity"])
def test_an_arm_is_named_once(file, capsys, key):
    assert called(f"{key}={{mail_a: 0.4, MAIL A: 0.3}}") == 2
    error = " ".join(capsys.readouterr().err.split())
    assert f"{key}: 'mail_a' and 'MAIL A' are one arm, 'Mail A'; expected each arm once" in error


@pytest.mark.parametrize("column", ["age", "spend"])
def test_a_number_beyond_all_sense_is_refused(file, capsys, column):
    huge = table()
    huge[column] = huge[column].astype(float)
    huge.loc[3, column] = 1e300
    huge.to_csv("mail.csv", index=False)
    assert called() == 2
    assert f"column {column!r}: it holds 1e+300" in " ".join(capsys.readouterr().err.split())


def test_columns_with_hardly_a_value_twice_are_no_strata(file, capsys):
    table().assign(shop=[k // 2 for k in range(600)]).to_csv("mail.csv", index=False)
    assert called("strata=shop") == 2
    assert "600 customers into 300 strata" in capsys.readouterr().err


def test_that_no_cost_is_known_is_said_where_money_is(file, capsys):
    assert called() == 0
    assert "No arm has a cost" in " ".join(capsys.readouterr().out.split())
    assert called("cost.mail_a=1") == 0
    assert "No arm has a cost" not in " ".join(capsys.readouterr().out.split())


def test_what_never_happens_promises_no_power(file, capsys):
    table().assign(visit="nein", spend=0).to_csv("mail.csv", index=False)
    assert (
        called("kind.spend=binary", "outcome=spend", "data.drop_columns=[visit]", positive=()) == 0
    )
    assert "would be found" not in capsys.readouterr().out
    (first, *_) = tree()["effects"]
    assert "minimum_detectable_effect" not in first
    assert first["difference"]["low"] < 0 < first["difference"]["high"]


def test_answers_that_are_not_known_to_mean_yes_are_asked_for(file, capsys):
    assert called(positive=()) == 2
    assert re.search("positive.visit=(ja|nein) or positive.visit", capsys.readouterr().err)


def test_an_outcome_among_the_covariates_is_named_with_what_to_type(file, capsys):
    assert called("outcome=spend", positive=()) == 2
    error = capsys.readouterr().err
    assert "'visit': it alone tells spend (ROC-AUC 1.000)" in error
    assert "outcome=[spend,visit]" in error
    assert "data.drop_columns=[visit]" in error


def test_keys_of_a_table_say_nothing_of_a_planned_campaign(file, capsys):
    assert run_command(readout, ["campaign=x", "treatment=group"], "readout") == 2
    assert "it says nothing of a planned campaign" in capsys.readouterr().err


def test_shares_that_were_not_typed_are_shown_and_not_judged(file, capsys):
    rows = table(3000)
    keep = (rows["group"] != "No mail") | (np.arange(3000) % 5 == 0)
    rows[keep].to_csv("mail.csv", index=False)
    assert called() == 0
    ratio = tree()["checks"]["sample_ratio"]
    assert (ratio["outcome"], ratio["against"]) == ("not_tested", "equal")
    assert "type propensity=equal" in capsys.readouterr().out


def test_more_buyers_and_no_more_money_is_said(file, capsys):
    random = np.random.default_rng(0)
    n = 4000
    arm = random.integers(0, 2, n)
    buys = random.random(n) < np.where(arm == 1, 0.4, 0.3)
    spend = np.round(buys * random.lognormal(3, 0.5, n) * np.where(arm == 1, 0.75, 1), 2)
    frame = pd.DataFrame({"who": range(n), "group": arm, "age": random.integers(18, 80, n)})
    frame.assign(spend=spend).to_csv("mail.csv", index=False)
    words = ["data=table", "data.path=mail.csv", "data.id=who", "treatment=group", "control=0"]
    assert run_command(readout, [*words, "outcome=spend"], "readout") == 0
    output = " ".join(capsys.readouterr().out.split())
    assert "1: more buyers (p <0.001), and no more spend" in output


def test_json_is_the_document(file, capsys):
    assert called("--json") == 0
    assert json.loads(capsys.readouterr().out) == tree()


# Hillstrom (2008), as published: 21,306, 21,307 and 21,387 customers; visits .106, .183 and .151.
@pytest.mark.slow
def test_hillstroms_e_mails_have_their_published_effects(tmp_path, monkeypatch, experiments_dir):
    monkeypatch.chdir(tmp_path)
    path = experiments_dir / "hillstrom.csv"
    words = ["data=table", f"data.path={path}", "treatment=segment", "control=No E-Mail"]
    outcomes = "outcome=[spend,visit,conversion]"
    assert run_command(readout, [*words, outcomes, "propensity=equal"], "readout") == 0
    document = tree("hillstrom")
    assert [arm["n_customers"] for arm in document["arms"]] == [21_306, 21_307, 21_387]
    checks = document["checks"]
    assert (checks["sample_ratio"]["outcome"], checks["balance"]["outcome"]) == ("passed",) * 2
    rows = {(row["arm"], row["versus"], row["outcome"]): row for row in document["effects"]}
    mens, womens = (rows[arm, "No E-Mail", "visit"] for arm in ("Mens E-Mail", "Womens E-Mail"))
    rates = [mens["versus_mean"], mens["arm_mean"], womens["arm_mean"]]
    assert rates == pytest.approx([0.1062, 0.1828, 0.1514], abs=5e-5)
    spend = rows["Mens E-Mail", "No E-Mail", "spend"]["difference"]
    assert spend["value"] == pytest.approx(0.770, abs=5e-4)
    assert rows["Womens E-Mail", "No E-Mail", "spend"]["difference"]["value"] == pytest.approx(
        0.424, abs=5e-4
    )


def test_arteas_coupon_brings_more_transactions_and_no_more_money(
    tmp_path, monkeypatch, experiments_dir, capsys
):
    monkeypatch.chdir(tmp_path)
    path = experiments_dir / "artea-a_b-experiment.csv"
    words = ["data=table", f"data.path={path}", "data.id=id", "treatment=test_coupon", "control=0"]
    outcomes = "outcome=[trans_after,revenue_after]"
    assert run_command(readout, [*words, outcomes, "name=artea"], "readout") == 0
    output = " ".join(capsys.readouterr().out.split())
    assert "more trans_after" in output
    assert "and no more revenue_after" in output
    assert tree("artea")["effects"][0]["conclusion"] == "helped"


def test_the_promotion_of_starbucks_costs_more_than_it_brings(
    tmp_path, monkeypatch, experiments_dir
):
    monkeypatch.chdir(tmp_path)
    path = experiments_dir / "starbucks_training.csv"
    words = ["data=table", f"data.path={path}", "data.id=ID", "treatment=Promotion", "control=No"]
    money = ["outcome=purchase", "value.purchase=10", "cost.yes=0.15"]
    assert run_command(readout, [*words, *money, "name=promotion"], "readout") == 0
    (net,) = tree("promotion")["net"]
    assert (net["conclusion"], net["n_customers"]) == ("lost", 42_364)
    assert net["net"]["value"] == pytest.approx(-0.055, abs=1e-3)


# --- effects -------------------------------------------------------------------------------------


@pytest.fixture
def promotion(tmp_path, monkeypatch):
    """A promotion that costs .3 and brings 1 to customers of about 50, and nothing to others."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    random, n = np.random.default_rng(3), 4000
    arm, age = random.random(n) < 0.5, random.integers(18, 80, n)
    spend = random.normal(10, 1, n) + age / 20 + arm * (abs(age - 50) < 10)
    columns = {"who": range(n), "mail": np.where(arm, "sent", "none"), "age": age}
    columns["spend"] = np.round(np.maximum(spend, 0), 2)
    columns["loyal"] = random.choice(["yes", "no"], n)
    pd.DataFrame(columns).to_csv("mail.csv", index=False)


LEARN = ("data=table", "data.path=mail.csv", "data.id=who", "treatment=mail", "control=none")
LEARN += ("outcome=spend", "cost.sent=0.3", "effects=dr_learner", "effects.folds=3")


def test_plans_are_judged_by_the_effects_learned_and_written(promotion, capsys, with_charts):
    assert run_command(readout, [*LEARN, "limits.budget=600"], "readout") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "The effect of sent differs between customers (p <0.001)" in shown
    assert "The simplest of the best plans: each by the effects learned." in shown
    folder = Path("outputs/mail/trial")
    learned = json.loads((folder / "effects.json").read_text("utf-8"))
    assert learned["chosen"] == "learned"
    assert learned["is_heterogeneous"]
    policies = pd.read_csv(folder / "policies.csv").set_index("policy")
    assert (policies["contacted_share"] <= 0.5).all()  # 600 pays for half of the customers
    assert policies["value"].idxmax() == "learned"
    bands = pd.read_csv(folder / "calibration.csv")
    assert bands["effect"].iloc[0] < 0.3
    assert bands["effect"].iloc[-1] > 0.7
    assert len(pd.read_csv(folder / "value_by_share.csv")) % 20 == 0


def test_a_trial_without_covariates_says_why_no_effects_are_learned(promotion, capsys):
    words = [*LEARN, "data.drop_columns=[age,loyal]"]
    assert run_command(readout, words, "readout") == 0
    assert "No effects were learned: learner dr_learner needs" in " ".join(
        capsys.readouterr().out.split()
    )
    assert not Path("outputs/mail/trial/effects.json").exists()


# --- the next campaign ---------------------------------------------------------------------------


@pytest.fixture
def following(promotion):
    """Customers of the next campaign, two of whom are unlike those of the promotion."""
    random, n = np.random.default_rng(4), 1000
    age = random.integers(18, 80, n)
    age[:2] = 17, 95
    columns = {"who": [f"n{k}" for k in range(n)], "age": age}
    columns["loyal"] = random.choice(["yes", "no"], n)
    pd.DataFrame(columns).to_csv("next.csv", index=False)
    return age


def test_customers_of_the_next_campaign_get_an_arm_each(following, capsys):
    words = [*LEARN, "next.file=next.csv", "limits.max_contacts=250"]
    assert run_command(readout, words, "readout") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Next campaign (next.csv, 1,000 customers): sent 250; cost 75, expected net" in shown
    assert "2 are unlike the customers of the trial" in shown
    plan = pd.read_csv("outputs/mail/trial/next_campaign.csv")
    assert list(plan) == ["customer_id", "arm", "expected_effect", "cost"]
    assert list(plan["customer_id"].head(2)) == ["n0", "n1"]
    sent = (plan["arm"] == "sent").to_numpy()
    assert sent.sum() == 250
    assert not sent[:2].any()
    assert (abs(following[sent] - 50) < 12).mean() > 0.95  # to whom it brings 1
    assert (plan.loc[~sent, ["expected_effect", "cost"]] == 0).all(axis=None)
    learned = json.loads(Path("outputs/mail/trial/effects.json").read_text("utf-8"))
    info = learned["next_campaign"]
    assert (info["n_unlike"], info["arms"]) == (2, [{"arm": "sent", "n_customers": 250}])
    net = (abs(following[sent] - 50) < 10).sum() - 0.3 * 250
    assert info["net"]["low"] < net < info["net"]["high"]
    value = pd.read_csv("outputs/mail/trial/policies.csv").set_index("policy").loc["learned"]
    each = value["value"] / value["contacted_share"]
    assert info["net"]["value"] == pytest.approx(250 * each)


def test_customers_of_the_next_campaign_who_cannot_be_read_are_named(following, capsys):
    table = pd.read_csv("next.csv").astype({"age": object})
    table.loc[[3, 8], "age"] = "old", "??"
    table.to_csv("next.csv", index=False)
    assert run_command(readout, [*LEARN, "next.file=next.csv"], "readout") == 0
    shown = " ".join(capsys.readouterr().out.split())
    learned = json.loads(Path("outputs/mail/trial/effects.json").read_text("utf-8"))
    info = learned["next_campaign"]
    assert (info["n_customers"], info["n_left_out"]) == (998, 2)
    assert "next.csv: unreadable 1000 → 998: column 'age': 2 cells are not a number" in shown
    assert "left out: 'n3', 'n8'" in shown
    assert "2 more of the file cannot be read, see next_left_out.csv" in shown
    left_out = pd.read_csv("outputs/mail/trial/next_left_out.csv").set_index("customer_id")
    assert list(left_out.index) == ["n3", "n8"]
    assert left_out["reason"].str.startswith("cannot be read: column 'age'").all()
    planned = pd.read_csv("outputs/mail/trial/next_campaign.csv")["customer_id"]
    assert not planned.isin(left_out.index).any()


def test_a_next_campaign_needs_the_covariates_and_a_learner(following, capsys):
    pd.read_csv("next.csv").drop(columns="loyal").to_csv("next.csv", index=False)
    assert run_command(readout, [*LEARN, "next.file=next.csv"], "readout") == 2
    assert "'loyal'" in " ".join(capsys.readouterr().err.split())
    words = [word for word in LEARN if not word.startswith("effects")]
    for typed in ("next.file=next.csv", "limits.budget=0", "limits.capacity.sent=5"):
        assert run_command(readout, [*words, typed], "readout") == 2
        key = "limits.capacity" if "capacity" in typed else typed.partition("=")[0]
        expected = f"{key}: no effects are learned; expected effects=dr_learner too"
        assert expected in " ".join(capsys.readouterr().err.split())
    assert not Path("outputs/mail/trial").exists()


def test_arteas_next_campaign_contacts_nobody(tmp_path, monkeypatch, experiments_dir, capsys):
    monkeypatch.chdir(tmp_path)
    path = experiments_dir / "artea-a_b-experiment.csv"
    words = ["data=table", f"data.path={path}", "data.id=id", "treatment=test_coupon", "control=0"]
    words += ["outcome=[revenue_after,trans_after]", "name=artea", "effects=mean"]
    words += [f"next.file={experiments_dir / 'artea-next-campaign.csv'}"]
    words += ["model@effects.outcome=logreg"]
    assert run_command(readout, words, "readout") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "6,000 customers): nobody is contacted, as no plan is shown to earn more." in shown
    assert "more trans_after (p 0.016), and no more revenue_after" in shown
    assert len(pd.read_csv("outputs/artea/trial/next_campaign.csv")) == 6000


def test_a_limit_of_an_arm_that_is_none_is_refused_before_anything_is_written(promotion, capsys):
    assert run_command(readout, [*LEARN, "limits.capacity.letter=5"], "readout") == 2
    assert "the arms are 'sent'" in " ".join(capsys.readouterr().err.split())
    assert not Path("outputs/mail/trial").exists()
