import json
import shutil
from datetime import datetime, timedelta

import pytest

from retain.campaign.assignment import CSV
from retain.errors import RetainError
from retain.record.study import StudyDirectory
from retain.schema.parsing import parse
from retain.schema.scoring import CampaignSettings
from retain.workflows.open_campaigns import check_unsent, find_open_campaigns

from ..campaign.readout.simulated_campaign import make_plan, simulate_campaign, write_campaign


@pytest.fixture(scope="module")
def simulated():
    assignment, *_ = simulate_campaign()
    return assignment, make_plan(assignment)["settings"]


@pytest.fixture
def write(tmp_path, simulated):
    """Write a campaign of three months that a verdict points to, and return its id."""

    def write(study, start, pointer="verdict/verdict.json"):
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
        if pointer is not None:
            point(tmp_path / study / pointer, id_)
        return id_

    return write


def point(document, id_):
    """Let the document of a result point to a campaign."""
    key = {"campaign": {"id": id_}} if document.name == "verdict.json" else {"campaign_id": id_}
    document.parent.mkdir(parents=True, exist_ok=True)
    document.write_text(json.dumps(key), encoding="utf-8")


@pytest.fixture
def find(tmp_path, simulated):
    """Return the ids of open campaigns for a plan of the study ``new``."""

    def find(start=None, study="new", replaced="verdict/verdict.json", **planning):
        _, settings = simulated
        tree = {**settings, "campaign": {**settings["campaign"], "start": start, **planning}}
        tree["assumptions"] = {
            **settings["assumptions"],
            "horizon": {"value": 2.0, "low": 2.0, "high": 2.0},
        }
        home, parsed = StudyDirectory(tmp_path / study), parse(CampaignSettings, tree)
        check_unsent(home, parsed)
        found = find_open_campaigns(home, parsed, home.path / replaced)
        ids = sorted(set(found.by_customer.values()))
        return ids, found.unreadable or len(found.by_customer)

    return find


def test_a_campaign_is_open_from_its_start_to_the_end_of_its_horizon(write, find, simulated):
    id_ = write("old", "2027-02-01")
    everyone = len(simulated[0].table)
    for start in ("2027-02-01", "2027-05-03", "2026-12-15"):
        assert find(start) == ([id_], everyone)
    for start in ("2027-05-04", "2026-11-15", "2999-12-31"):
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
    assert find("2027-03-01")[0] == []
    assert find("2027-02-01", study="other")[0] == [id_]
    assert find("2027-02-01", replaced="scores/0/score.json")[0] == [id_]


def test_a_plan_that_another_one_replaced_does_not_count(write, find):
    write("old", "2027-02-01")
    write("old", "2027-02-02")
    last = write("old", "2027-02-03")
    assert find("2027-02-01")[0] == [last]


def test_a_campaign_that_scores_point_to_counts(write, find):
    id_ = write("old", "2027-02-01", "scores/0a1b2c3d/score.json")
    assert find("2027-02-01")[0] == [id_]
    assert find("2027-02-01", study="old", replaced="scores/0a1b2c3d/score.json")[0] == []


def test_a_campaign_that_was_read_out_counts_whatever_replaced_it(write, find, tmp_path):
    id_ = write("new", "2027-02-01", None)
    readout = tmp_path / "new" / "campaigns" / id_ / "readout"
    readout.mkdir()
    assert find("2027-02-01")[0] == []
    (readout / "readout.json").write_text("{}", encoding="utf-8")
    assert find("2027-02-01")[0] == [id_]


def test_overlap_can_be_allowed_and_campaigns_named_that_were_never_sent(write, find):
    id_ = write("old", "2027-02-01")
    assert find("2027-02-01", overlap="allow")[0] == []
    assert find("2027-02-01", unsent=[id_])[0] == []
    assert find("2027-02-01", name="none")[0] == []
    wrong = f"{id_[:-1]}x"
    with pytest.raises(RetainError, match=rf"'{wrong}' is not one of {id_}. Did you mean '{id_}'"):
        find("2027-02-01", unsent=[wrong])


def test_a_campaign_that_cannot_be_read_is_named_and_others_are_found(write, find, tmp_path):
    good, bad = write("good", "2027-02-01"), write("bad", "2027-02-02")
    folder = tmp_path / "bad" / "campaigns" / bad
    (folder / CSV).write_text("changed", encoding="utf-8")
    assert find("2027-02-01") == ([good], (f"bad/campaigns/{bad}",))
    assert find("2028-02-01") == ([], 0)
    tree = json.loads((folder / "campaign.json").read_text(encoding="utf-8"))
    tree["settings"]["campaign"]["start"] = None
    for text in (json.dumps(tree), json.dumps({**tree, "schema": 99}), "{", "[]"):
        (folder / "campaign.json").write_text(text, encoding="utf-8")
        assert find("2027-02-01") == ([good], (f"bad/campaigns/{bad}",))
    assert find("2027-02-01", unsent=[bad]) == find("2027-02-01", study="bad")
    (tmp_path / "bad" / "verdict" / "verdict.json").write_text("{", encoding="utf-8")
    assert find("2027-02-01") == ([good], ("bad/verdict/verdict.json",))


def test_a_copy_of_a_campaign_that_can_be_read_is_not_missed(write, find, tmp_path, simulated):
    id_ = write("old", "2027-02-01")
    folder = tmp_path / "old" / "campaigns" / id_
    (folder / "readout").mkdir()
    (folder / "readout" / "readout.json").write_text("{}", encoding="utf-8")
    shutil.copytree(folder, folder.with_name("copy"))
    assert find("2027-02-01") == ([id_], len(simulated[0].table))
