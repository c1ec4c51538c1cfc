"""A campaign read out from Python, without the command line."""

import json

import numpy as np
import pytest

from retain.errors import RetainError
from retain.record.directory import CampaignDirectory
from retain.record.documents import to_tree
from retain.schema.readout import OutcomesFile
from retain.workflows.readout import read_out_campaign

from ..campaign.readout.simulated_campaign import (
    outcomes_table,
    simulate_campaign,
    simulation,
    write_campaign,
)


@pytest.fixture(scope="module")
def simulated():
    """A campaign that helps."""
    return simulate_campaign(simulation.SMALL)


@pytest.fixture
def campaign(tmp_path, simulated):
    """Its folder."""
    assignment, _, _ = simulated
    return CampaignDirectory(write_campaign(tmp_path / "campaign", assignment))


def named(path):
    """The outcomes file, with the columns' own names."""
    columns = dict.fromkeys(("declined", "positive", "profit", "contacted", "cost"))
    return OutcomesFile(
        file=str(path),
        id="customer_id",
        unknown_customers="error",
        min_known_share=0.5,
        **columns,
    )


@pytest.fixture
def look(campaign, simulated, tmp_path):
    """A readout when the outcomes of so many customers are known."""
    assignment, declined, _ = simulated

    def read(n_known):
        table = outcomes_table(assignment, declined)
        table["declined"] = np.where(np.arange(len(table)) < n_known, table["declined"], "")
        table.to_csv(tmp_path / "outcomes.csv", index=False)
        return read_out_campaign(campaign, named(tmp_path / "outcomes.csv"), resamples=200)

    return read


def test_a_readout_is_an_object_and_its_files(look, campaign):
    result = look(160)
    written = json.loads(campaign.readout.readout.read_text("utf-8"))
    assert written == to_tree(result.document)
    assert campaign.readout.offers(result.catalogue.name).is_file()


def test_the_same_outcomes_again_are_no_look(look):
    counts = [len(look(n).document.looks) for n in (80, 80, 120, 160, 80)]
    assert counts == [1, 1, 2, 3, 3]


@pytest.mark.parametrize(
    "change",
    [{"looks": None}, {"looks": ["x"]}, {"looks": [{}]}, {"campaign_id": "00000000"}],
)
def test_a_readout_that_does_not_say_its_looks_is_not_replaced(look, campaign, change):
    look(80)
    path = campaign.readout.readout
    spoiled = json.dumps(json.loads(path.read_text("utf-8")) | change)
    path.write_text(spoiled, "utf-8")
    with pytest.raises(RetainError, match="does not say how often"):
        look(160)
    assert path.read_text("utf-8") == spoiled
