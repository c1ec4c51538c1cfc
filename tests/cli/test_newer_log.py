"""``retain-readout`` with outcomes from a newer purchase log, called as a user calls it."""

import json

import numpy as np
import pandas as pd
import pytest

import retain
from retain.cli.readout import readout
from retain.cli.run import run_command
from retain.schema.parsing import parse
from retain.schema.scoring import CampaignSettings

from ..campaign.readout.simulated_campaign import make_plan, simulate_campaign, write_campaign

pytest.importorskip("duckdb")

START = pd.Timestamp("2025-02-01")
LOG = (
    "data=purchases",
    "data.path=log.csv",
    "data.columns.customer=who",
    "data.columns.time=day",
    "data.columns.amount=paid",
    "data.profit_unit=roubles",
    "data.label.lookback=90",
    "data.policy.gaps=keep",
)
ABSENT = 7


@pytest.fixture(scope="module")
def campaign():
    return simulate_campaign()


@pytest.fixture
def files(tmp_path, monkeypatch, campaign):
    """A campaign with a start, a log in which its customers declined or not, and their outcomes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    assignment, declined, _ = campaign
    settings = make_plan(assignment)["settings"]
    settings["campaign"]["start"] = str(START.date())
    folder = tmp_path / "shop" / "campaigns" / "any"
    write_campaign(folder, assignment, settings=parse(CampaignSettings, settings))
    id_ = json.loads((folder / "campaign.json").read_text("utf-8"))["id"]
    folder.rename(folder.with_name(id_))

    random = np.random.default_rng(0)
    ids = assignment.table["customer_id"].to_numpy()
    parts, money = [], np.zeros(len(ids))
    for row, customer in enumerate(ids[ABSENT:], start=ABSENT):
        days = [*range(-90, 0, 10), *([] if declined[row] else range(0, 90, 10))]
        paid = random.integers(100, 999, len(days)) / 100
        money[row] = paid[[day >= 0 for day in days]].sum().round(2)
        parts.append(pd.DataFrame({"who": customer, "day": days, "paid": paid}))
    stranger = pd.DataFrame({"who": "stranger", "day": range(-90, 95), "paid": 1.0})
    log = pd.concat([*parts, stranger])
    log["day"] = (START + pd.to_timedelta(log["day"], unit="D")).dt.strftime("%Y-%m-%d")
    log.to_csv("log.csv", index=False)
    declined = np.where(np.arange(len(ids)) < ABSENT, True, declined)
    table = pd.DataFrame({"customer_id": ids, "declined": declined.astype(int), "profit": money})
    table.to_csv("outcomes.csv", index=False)
    return tmp_path / "shop" / "campaigns" / id_


def called(*words):
    return run_command(readout, ["resamples=200", *words], "readout")


def test_outcomes_from_a_log_are_those_of_a_file(files, capsys):
    assert called(f"campaign={files}", "outcomes=outcomes.csv") == 0
    by_file = json.loads((files / "readout" / "readout.json").read_text("utf-8"))
    assert by_file["log"] is None
    capsys.readouterr()
    assert called(f"campaign={files}", *LOG) == 0
    by_log = json.loads((files / "readout" / "readout.json").read_text("utf-8"))
    log = by_log.pop("log")
    by_file.pop("log")
    assert by_log == by_file  # the same look, too
    assert (log["first_day"], log["last_day"], log["n_absent"]) == (
        "2025-02-01",
        "2025-05-01",
        ABSENT,
    )
    printed = " ".join(capsys.readouterr().out.split())
    assert "Outcomes are the purchases from 2025-02-01 to 2025-05-01" in printed
    assert "fewer orders in 90 days than 50 % of the own rate" in printed
    assert f"{ABSENT} customers are not in the log" in printed
    assert "log read" in printed


def test_the_same_outcomes_again_are_no_other_look_and_those_of_other_days_are(files):
    assert called(f"campaign={files}", *LOG) == 0
    assert called(f"campaign={files}", *LOG, "data.label.decline_ratio=0.4") == 0
    looks = json.loads((files / "readout" / "readout.json").read_text("utf-8"))["looks"]
    assert len(looks) == 1
    later = ("data.snapshot=2025-02-05", "data.label.lookback=80")
    assert called(f"campaign={files}", *LOG, *later) == 0
    looks = json.loads((files / "readout" / "readout.json").read_text("utf-8"))["looks"]
    assert len(looks) == 2


def test_a_log_without_the_end_of_the_horizon_says_what_is_missing(files, capsys):
    log = pd.read_csv("log.csv")
    log[log["day"] < "2025-04-21"].to_csv("log.csv", index=False)
    assert called(f"campaign={files}", *LOG) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "the log ends on 2025-04-20" in said
    assert "not known for 11 days more" in said
    assert not (files / "readout").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (LOG[:1], "did since: data.path=LOG"),
        (("data.path=log.csv",), "records no purchase log"),
        (LOG[:2], "add data.columns.customer=VALUE data.columns.time=VALUE"),
        ((*LOG, "data.windows=[30]"), "data.windows: it says nothing of outcomes"),
        ((*LOG, "data.snapshot=soon"), "data.snapshot: it is 'soon'"),
        ((*LOG, "outcomes=outcomes.csv"), "not both"),
        (("data=table", "data.path=log.csv"), "data: it is 'table', which holds no purchases"),
        ((*LOG, "data.where=who = 'stranger'"), "are in the log, which has ids such as"),
        ((*LOG, "data.label.lookback=200"), "days after the look-back"),
        (
            (*LOG, "data.snapshot=2025-01-22", "data.label.lookback=80"),
            "what came before is no outcome; expected that day or a later one",
        ),
    ],
)
def test_what_cannot_be_read_out_of_a_log_is_told(files, capsys, words, said):
    assert called(f"campaign={files}", *words) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (files / "readout").exists()


def rewrite_ids(rows):
    """Write the ids of some rows of the log otherwise."""
    log = pd.read_csv("log.csv")
    log["who"] = log["who"].where(~rows(log), "new-" + log["who"].astype(str))
    log.to_csv("log.csv", index=False)


def test_customers_who_are_nowhere_in_the_log_did_not_decline(files, capsys):
    ids = pd.read_csv("outcomes.csv")["customer_id"].astype(str)
    some = ids[ABSENT:].tolist()[::3]
    rewrite_ids(lambda log: log["who"].astype(str).isin(some))
    assert called(f"campaign={files}", *LOG) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "are in the log, which has ids such as" in said
    share = said.partition("outcomes.min_known_share=")[2].rstrip(".")
    assert called(f"campaign={files}", *LOG, f"outcomes.min_known_share={share}") == 0


def test_ids_that_are_written_otherwise_from_the_first_day_on_are_no_declines(files, capsys):
    rewrite_ids(lambda log: log["day"] >= str(START.date()))
    assert called(f"campaign={files}", *LOG) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "ids seem to be written otherwise from that day on" in said


def test_a_campaign_without_a_start_needs_a_day(files, tmp_path, campaign, capsys):
    write_campaign(tmp_path / "draft", campaign[0])
    assert called("campaign=draft", *LOG) == 2
    assert "type data.snapshot=DAY" in " ".join(capsys.readouterr().err.split())
    assert called("campaign=draft", *LOG, "data.snapshot=2025-02-01") == 0


def test_the_door_for_python_takes_a_log_too(files):
    keys = dict(word.replace(".", "__").split("=") for word in LOG)
    keys["data__path"] = "log.csv"
    keys["data__label__lookback"] = 90
    found = retain.readout(retain.load(files), resamples=200, **keys)
    assert found.to_frame().loc[0, "outcome"] == "declined"
    assert json.loads((files / "readout" / "readout.json").read_text("utf-8"))["log"] is not None
