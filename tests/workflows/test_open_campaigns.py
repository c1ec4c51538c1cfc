import json
import shutil
from datetime import datetime, timedelta

import pytest

from retain.campaign.assignment import CSV, TREATMENT
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

    def write(study, start, pointer="verdict/verdict.json", offers=None):
        assignment, settings = simulated
        if offers is not None:
            settings = {**settings, "offers": {**settings["offers"], "offers": offers}}
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
def look(tmp_path, simulated):
    """Return the other campaigns for a plan of the study ``new``."""

    def look(start=None, study="new", replaced="verdict/verdict.json", **planning):
        _, settings = simulated
        tree = {**settings, "campaign": {**settings["campaign"], "start": start, **planning}}
        tree["assumptions"] = {
            **settings["assumptions"],
            "horizon": {"value": 2.0, "low": 2.0, "high": 2.0},
        }
        home, parsed = StudyDirectory(tmp_path / study), parse(CampaignSettings, tree)
        check_unsent(home, parsed)
        return find_open_campaigns(home, parsed, home.path / replaced)

    return look


@pytest.fixture
def find(look):
    """Return the ids of open campaigns for a plan of the study ``new``."""

    def find(*arguments, **planning):
        found = look(*arguments, **planning)
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


def treated(simulated, *offers):
    """The ids of the customers to contact with one of the offers."""
    table = simulated[0].table
    return set(table.loc[(table["arm"] == TREATMENT) & table["offer"].isin(offers), "customer_id"])


# The campaign of three months begins on 2027-02-01 and is open to 2027-05-03. Of two plans that
# overlap the second has nobody of the first; of two that follow each other nobody who was
# contacted less than the days of rest before, by then or still to come.
def test_who_was_contacted_rests_also_after_the_horizon_ended(write, look, simulated):
    id_ = write("old", "2027-02-01")
    everyone = set(simulated[0].table["customer_id"])
    contacted = treated(simulated, "call", "gift", "letter")
    assert everyone > contacted
    overlapping = look("2027-02-20", rest_days=30)
    assert set(overlapping.by_customer) == everyone
    assert set(overlapping.resting) == contacted
    following = look("2027-05-10", rest_days=120)
    assert following.by_customer == {}
    assert following.resting == dict.fromkeys(contacted, id_)
    assert look("2027-05-10", rest_days=98).resting == {}  # 98 days after
    assert set(look("2027-05-10", rest_days=99).resting) == contacted
    assert look("2027-05-10").resting == {}
    assert look("2027-05-10", rest_days=120, unsent=[id_]).resting == {}
    assert set(look("2027-02-20", rest_days=30, overlap="allow").resting) == contacted
    assert look("2027-02-20", rest_days=30, overlap="allow").by_customer == {}
    assert set(look("2027-01-20", rest_days=30).resting) == contacted


def test_later_steps_are_contacts_and_visits_of_ones_own_are_none(write, look, simulated):
    offers = {name: dict(offer) for name, offer in simulated[1]["offers"]["offers"].items()}
    offers["gift"]["channel"], offers["gift"]["needs_consent"] = "site", False
    text = {"en": "Once more", "ru": "Ещё раз"}
    offers["call"]["steps"] = [{"day": 60, "channel": "email", "text": text}]
    write("old", "2027-02-01", offers=offers)
    assert set(look("2027-05-10", rest_days=99).resting) == treated(simulated, "call", "letter")
    assert set(look("2027-05-10", rest_days=60).resting) == treated(simulated, "call")


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
