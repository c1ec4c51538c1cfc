"""Invented outcomes are read out, and the readout is right about the truth behind them."""

import json

import pandas as pd
import pytest

from retain.errors import RetainError
from retain.record.directory import CampaignDirectory
from retain.schema.readout import CampaignSelector, OutcomesFile
from retain.schema.simulate import Simulate
from retain.workflows.readout import read_out_campaign
from retain.workflows.simulate import simulate_campaign

from ..campaign.readout.simulated_campaign import simulation, write_campaign

CONFIG = Simulate(
    campaign=CampaignSelector(dir=None),
    truth=None,
    save_rate={"call": 0.4, "gift": 0.2, "letter": -0.1},
    heterogeneity="none",
    strength=0.3,
    risk_odds=1.0,
    noncompliance=0.0,
    missing=0.0,
    profit_noise=0.5,
    seed=0,
    output_dir=None,
    outputs="outputs",
)


def named(path):
    """The outcomes file, with the columns' own names."""
    columns = dict.fromkeys(("declined", "positive", "profit", "contacted", "cost"))
    policy = {"unknown_customers": "error", "min_known_share": 0.5}
    return OutcomesFile(file=str(path), id="customer_id", **policy, **columns)


def place(study, treated):
    """A campaign in the folder of a study."""
    folder = write_campaign(study / "new", simulation.LARGE.assignment(treated))
    id_ = json.loads((folder / "campaign.json").read_text("utf-8"))["id"]
    (study / "campaigns").mkdir(exist_ok=True)
    return CampaignDirectory(folder.rename(study / "campaigns" / id_))


@pytest.fixture
def campaign(tmp_path):
    """A campaign of 900 customers with three offers."""
    return place(tmp_path, simulation.LARGE.sample(1, 0)[0][0])


def test_outcomes_lie_beside_the_campaign_and_say_that_they_are_invented(campaign, tmp_path):
    before = {path: path.read_bytes() for path in campaign.path.rglob("*")}
    made = simulate_campaign(campaign, CONFIG.model_copy(update={"missing": 0.1}))
    folder = tmp_path / "simulated" / campaign.path.name
    assert {path.name for path in folder.iterdir()} == {
        "outcomes.csv",
        "truth.json",
        "true_customers.csv",
    }
    assert {path: path.read_bytes() for path in campaign.path.rglob("*")} == before
    table = pd.read_csv(made.directory.outcomes)
    assert (table["simulated"] == "yes").all()
    assert table["declined"].isna().mean() == pytest.approx(0.1, abs=0.04)
    assert (table["declined"].isna() == table["profit"].isna()).all()
    read = read_out_campaign(campaign, named(made.directory.outcomes), resamples=200)
    assert read.document.effects[0].conclusion == "helped"


def test_the_same_seed_makes_the_same_files(campaign):
    first = simulate_campaign(campaign, CONFIG).directory.path
    before = {path.name: path.read_bytes() for path in first.iterdir()}
    simulate_campaign(campaign, CONFIG)
    assert {path.name: path.read_bytes() for path in first.iterdir()} == before
    simulate_campaign(campaign, CONFIG.model_copy(update={"seed": 1}))
    assert (first / "outcomes.csv").read_bytes() != before["outcomes.csv"]


def test_another_plan_is_valued_by_the_same_truth(campaign, tmp_path):
    config = CONFIG.model_copy(update={"heterogeneity": "risk"})
    first = simulate_campaign(campaign, config)
    other = place(tmp_path, simulation.LARGE.sample(1, 1)[0][0])
    saved = CONFIG.model_copy(update={"save_rate": {}, "truth": str(first.directory.truth)})
    second = simulate_campaign(other, saved)
    assert second.document.truth == first.document.truth
    assert second.document.earlier == first.document.plan
    columns = ["customer_id", "true_risk", "true_risk_with_offer", "true_net"]
    assert second.customers[columns].equals(first.customers[columns])


def test_a_campaign_outside_a_study_asks_for_a_folder(tmp_path):
    folder = write_campaign(
        tmp_path / "a" / "sent", simulation.LARGE.assignment(simulation.LARGE.sample(1, 0)[0][0])
    )
    campaign = CampaignDirectory(folder)
    with pytest.raises(RetainError, match="output_dir=FOLDER"):
        simulate_campaign(campaign, CONFIG)
    elsewhere = CONFIG.model_copy(update={"output_dir": str(tmp_path / "there")})
    assert simulate_campaign(campaign, elsewhere).directory.outcomes.is_file()
