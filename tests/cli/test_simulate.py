"""``retain-simulate`` called as a user calls it."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from retain.cli.readout import readout
from retain.cli.run import run_command
from retain.cli.simulate import simulate

from ..campaign.readout.simulated_campaign import simulation, write_campaign


@pytest.fixture
def campaign(tmp_path, monkeypatch):
    """The id of a campaign in a study, from an outputs' folder of which commands are typed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    assignment = simulation.LARGE.assignment(simulation.LARGE.sample(1, 0)[0][0])
    folder = write_campaign(tmp_path / "outputs" / "demo" / "campaigns" / "new", assignment)
    id_ = json.loads((folder / "campaign.json").read_text("utf-8"))["id"]
    folder.rename(folder.parent / id_)
    return id_


def called(*words):
    return run_command(simulate, words, "simulate")


def test_it_says_that_outcomes_are_invented_by_what_truth_and_what_to_type(campaign, capsys):
    words = ("heterogeneity=risk", "strength=0.4", "risk_odds=1.5", "noncompliance=0.1")
    assert called(f"campaign={campaign}", "save_rate={call: 0.25}", *words) == 0
    output = " ".join(capsys.readouterr().out.split())
    assert f"Outcomes of campaign {campaign} are invented, not observed." in output
    assert "odds of a decline are 1.5 × those of the stored risks" in output
    assert "+0.4 for customers of more than median risk, −0.4 for others" in output
    assert "10% are not reached" in output
    assert re.search(r"call 0\.25 \d+", output)
    typed = re.search("To read them out: retain-readout (.*)", output)[1].split()
    assert run_command(readout, [*typed, "resamples=200"], "readout") == 0


def test_as_json_it_is_its_document(campaign, capsys):
    assert called(f"campaign={campaign}", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    written = Path(f"outputs/demo/simulated/{campaign}/truth.json")
    assert json.loads(written.read_text("utf-8")) == printed
    assert printed["plan"]["campaign_id"] == campaign


def test_another_plan_is_shown_beside_the_first(campaign, capsys):
    truth = f"outputs/demo/simulated/{campaign}/truth.json"
    assert called(f"campaign={campaign}", "save_rate={call: 0.25}") == 0
    before = pd.read_csv(f"outputs/demo/simulated/{campaign}/true_customers.csv")
    assert called(f"campaign={campaign}", f"truth={truth}", "seed=1") == 0
    output = " ".join(capsys.readouterr().out.split())
    first, second = re.search(
        rf"this plan: (\S+); of that of campaign {campaign}, by the same truth: (\S+)\.", output
    ).groups()
    assert first == second
    after = pd.read_csv(f"outputs/demo/simulated/{campaign}/true_customers.csv")
    assert after.equals(before)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("campaign=null",), "type campaign=ID or campaign=FOLDER"),
        (("campaign=12345678",), "there is no campaign 12345678"),
        (("save_rate={cal: 0.2}",), "offer 'cal' is not one of .*Did you mean 'call'"),
        (("save_rate={call: 2}",), "save_rate.call is 2.*; expected less than or equal to 1"),
        (("heterogeneity=age",), "heterogeneity is 'age'; expected 'none', 'risk'"),
        (("missing=1",), "missing is 1.*; expected less than 1"),
        (("risk_odd=2",), "Did you mean 'risk_odds'"),
        (("truth=nothing.json",), "nothing.json"),
        (("truth=broken.json",), "broken.json is not a truth this version can read"),
        (("truth=truth.json", "risk_odds=2"), "risk_odds: the truth is that of the file"),
        (("truth=truth.json", "save_rate.call=0"), "save_rate: the truth is that of the file"),
    ],
)
def test_what_cannot_be_simulated_is_one_clear_error_and_leaves_nothing(
    campaign, tmp_path, capsys, words, message
):
    (tmp_path / "broken.json").write_text('{"schema": 1, "truth": {"seed": -1}}')
    assert called(f"campaign={campaign}", *words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.search(message, captured.err.replace("\n", " ")), captured.err
    assert not (tmp_path / "outputs" / "demo" / "simulated").exists()
