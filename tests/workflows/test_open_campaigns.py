import json
from datetime import datetime, timedelta

import pytest

from retain.campaign.assignment import CSV
from retain.errors import RetainError
from retain.record.study import StudyDirectory
from retain.schema.parsing import parse
from retain.schema.scoring import CampaignSettings
from retain.workflows.open_campaigns import find_open_campaigns

from ..campaign.readout.simulated_campaign import make_plan, simulate_campaign, write_campaign


@pytest.fixture(scope="module")
def simulated():
    assignment, *_ = simulate_campaign()
    return assignment, make_plan(assignment)["settings"]


@pytest.fixture
def write(tmp_path, simulated):
    """Write a campaign of three months into a study, and return its id."""

    def write(study, start):
        assignment, settings = simulated
        campaign = {**settings["campaign"], "start": start}
        horizon = {"value": 3.0, "low": 3.0, "high": 3.0}
        tree = {
            **settings,
            "campaign": campaign,
            "assumptions": {**settings["assumptions"], "horizon": horizon},
        }
        folder = tmp_path / study / "campaigns" / "any"
        write_campaign(folder, assignment, settings=parse(CampaignSettings, tree))
        id_ = json.loads((folder / "campaign.json").read_text(encoding="utf-8"))["id"]
        folder.rename(folder.with_name(id_))
        return id_

    return write


@pytest.fixture
def find(tmp_path, simulated):
    """Return the ids of open campaigns for a plan of the study ``new``."""

    def find(start=None, study="new", **planning):
        _, settings = simulated
        tree = {**settings, "campaign": {**settings["campaign"], "start": start, **planning}}
        tree["assumptions"] = {
            **settings["assumptions"],
            "horizon": {"value": 2.0, "low": 2.0, "high": 2.0},
        }
        found = find_open_campaigns(StudyDirectory(tmp_path / study), parse(CampaignSettings, tree))
        return sorted(set(found.values())), len(found)

    return find


def test_a_campaign_is_open_from_its_start_to_the_end_of_its_horizon(write, find, simulated):
    id_ = write("old", "2027-02-01")
    everyone = len(simulated[0].table)
    for start in ("2027-02-01", "2027-05-03", "2026-12-15"):
        assert find(start) == ([id_], everyone)
    for start in ("2027-05-04", "2026-11-15"):
        assert find(start) == ([], 0)


def test_without_a_start_the_plan_begins_today(write, find):
    today = datetime.now().astimezone().date()
    write("past", str(today - timedelta(days=200)))
    assert find()[0] == []
    id_ = write("old", str(today - timedelta(days=20)))
    assert find()[0] == [id_]


def test_a_draft_without_a_start_is_in_nobodys_way(write, find):
    write("old", None)
    assert find("2027-02-01")[0] == []


def test_a_plan_made_again_is_not_in_its_own_way(write, find):
    id_ = write("new", "2027-02-01")
    assert find("2027-02-01")[0] == []
    assert find("2027-03-01")[0] == [id_]
    assert find("2027-02-01", study="other")[0] == [id_]


def test_overlap_can_be_allowed_and_campaigns_named_that_were_never_sent(write, find):
    id_ = write("old", "2027-02-01")
    assert find("2027-02-01", overlap="allow")[0] == []
    assert find("2027-02-01", unsent=[id_])[0] == []
    assert find("2027-02-01", unsent=["00000000"])[0] == [id_]
    assert find("2027-02-01", name="none")[0] == []


def test_a_campaign_without_its_customers_is_refused_with_what_to_type(write, find, tmp_path):
    id_ = write("old", "2027-02-01")
    (tmp_path / "old" / "campaigns" / id_ / CSV).write_text("changed", encoding="utf-8")
    with pytest.raises(RetainError, match=rf"campaign {id_} is open.*campaign\.unsent=\['{id_}'\]"):
        find("2027-02-01")
    (tmp_path / "old" / "campaigns" / id_ / "campaign.json").write_text("{", encoding="utf-8")
    assert find("2027-02-01")[0] == []
