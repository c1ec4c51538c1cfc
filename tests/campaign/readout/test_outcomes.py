"""What a readout reads: the campaign's own files, and outcomes of unknown make."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retain.campaign.assignment import CSV, JSON, read_assignment, to_yaml_dict
from retain.campaign.assignment_table import COLUMNS
from retain.campaign.readout.outcomes import read_outcomes
from retain.errors import RetainError
from retain.schema.campaign import Catalogue
from retain.schema.parsing import parse
from retain.schema.readout import OutcomesFile
from retain.verdict.export import ExportDialect, write_csv

from .simulated_campaign import outcomes_table, simulate_campaign, write_campaign, write_tree

KEYS = {
    "id": "customer_id",
    "declined": None,
    "positive": None,
    "profit": None,
    "contacted": None,
    "cost": None,
    "unknown_customers": "error",
    "min_known_share": 0.5,
}


@pytest.fixture(scope="module")
def campaign():
    """Assignment, who declined, what each kept."""
    return simulate_campaign()


@pytest.fixture
def read(tmp_path, campaign):
    """Reads a table of outcomes, written as a CSV, against the campaign."""

    def _read(table, assignment=campaign[0], **keys):
        path = tmp_path / "outcomes.csv"
        if not path.exists():
            table.to_csv(path, index=False)
        return read_outcomes(OutcomesFile(file=str(path), **{**KEYS, **keys}), assignment)

    return _read


# --- the campaign's own files --------------------------------------------------------------------


def test_a_campaign_is_read_as_it_was_written(tmp_path, campaign):
    assignment, _, _ = campaign
    found = read_assignment(write_campaign(tmp_path, assignment))
    pd.testing.assert_frame_equal(found.table, assignment.table, check_dtype=False)
    assert found.catalogue == assignment.catalogue
    assert found.assumptions == assignment.assumptions
    assert (found.unit, found.seed) == ("roubles", 3)
    assert found.id == json.loads((tmp_path / JSON).read_text())["id"]
    assert np.array_equal(found.is_treated, assignment.is_treated)


# The template that a Russian store fills in, and the assignment beside it.
def test_files_in_the_russian_dialect_are_read_as_the_english_ones(tmp_path, campaign):
    assignment, declined, _ = campaign
    russian = ExportDialect("ru")
    folder = write_campaign(tmp_path, assignment, russian)
    assert "контроль" in (folder / CSV).read_text(encoding="utf-8")
    found = read_assignment(folder)
    pd.testing.assert_frame_equal(found.table, assignment.table, check_dtype=False)
    filled = assignment.table[["customer_id", "arm", "offer"]].assign(
        declined=np.asarray(declined, dtype=int),
        contacted=np.where(found.is_treated, 1, 0),
        cost=0.5,
    )
    write_csv(filled, tmp_path / "outcomes.csv", russian)
    config = OutcomesFile(file=str(tmp_path / "outcomes.csv"), **KEYS)
    outcomes = read_outcomes(config, assignment)
    assert outcomes.declined.tolist() == filled["declined"].tolist()
    assert outcomes.contacted.tolist() == filled["contacted"].tolist()
    assert set(outcomes.cost) == {0.5}


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")), min_size=1, max_size=8)
GUARDED = tuple(f"'{start}" for start in "=+-@")


@settings(max_examples=15, deadline=None)
@given(st.lists(TEXTS.filter(lambda t: not t.startswith(GUARDED)), min_size=4, max_size=4))
def test_names_that_a_spreadsheet_would_run_come_back_as_they_were(
    tmp_path_factory, campaign, texts
):
    table = (
        campaign[0]
        .table.head(4)
        .assign(
            customer_id=[f"{number}{text}" for number, text in enumerate(texts)],
            segment=texts,
            offer=[f"={text}" for text in texts],
        )
    )
    table["customer_id"] = "@" + table["customer_id"]
    folder = tmp_path_factory.mktemp("c")
    write_campaign(folder, replace(campaign[0], table=table))
    found = read_assignment(folder).table
    for name in ("customer_id", "segment", "offer"):
        assert found[name].tolist() == table[name].tolist()


def test_a_catalogue_with_rules_and_lifts_survives_the_file():
    tree = {
        "name": "store",
        "offers": {
            "call": {
                "label": {"en": "Call", "ru": "Звонок"},
                "text": {"en": "Hello {driver}", "ru": "Здравствуйте"},
                "channel": "phone",
                "needs_consent": True,
                "contact_cost": 1.0,
                "redemption_cost": 2.0,
                "discount": 0.1,
                "redemption_rate_stayers": 0.5,
                "save_rate": {"alpha": 6.0, "beta": 14.0},
                "boost": {"drivers": ["pages"], "factor": 1.5},
                "include_if": {"risk": {"at_least": 0.3}, "not": {"profit": {"observed": False}}},
            }
        },
    }
    catalogue = parse(Catalogue, tree)
    assert to_yaml_dict(catalogue) == tree
    everything = catalogue.model_dump(mode="json", by_alias=True)  # nulls and all
    assert parse(Catalogue, everything) == catalogue
    assert to_yaml_dict(parse(Catalogue, everything)) == tree


def spoiled(folder, change):
    """The campaign's JSON, changed, and under the id of what it holds now."""
    tree = json.loads((folder / JSON).read_text())
    change(tree)
    write_tree(folder, tree)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda f: (f / CSV).write_bytes((f / CSV).read_bytes() + b"\n"),
            r"is not the file .* speaks",
        ),
        (lambda f: (f / CSV).unlink(), r"file 'campaign\.csv' is not in folder"),
        (lambda f: (f / JSON).unlink(), r"holds no campaign\.json; expected"),
        (lambda f: (f / JSON).write_text("{"), "is not JSON"),
        (lambda f: (f / JSON).write_text("[]"), "holds no object"),
        (
            lambda f: spoiled(f, lambda t: t["files"].clear()),
            "is not the file campaign.json speaks of",
        ),
        (lambda f: spoiled(f, lambda t: t["power"].update(alpha="low")), r"power\.alpha is 'low'"),
        (
            lambda f: spoiled(f, lambda t: t["settings"]["offers"].pop("offers")),
            "key 'offers' is missing",
        ),
        (lambda f: spoiled(f, lambda t: t["files"].update({"offers.csv": "0" * 64})), "offers.csv"),
        (
            lambda f: (f / JSON).write_text((f / JSON).read_text().replace("0.05", "0.1")),
            "was changed since campaign .* was planned",
        ),
    ],
)
def test_files_that_do_not_belong_together_are_refused(tmp_path, campaign, spoil, message):
    folder = write_campaign(tmp_path, campaign[0])
    spoil(folder)
    with pytest.raises(RetainError, match=message):
        read_assignment(folder)


def test_a_campaign_under_another_name_is_refused(tmp_path, campaign):
    folder = tmp_path / "campaigns" / "0123abcd"
    write_campaign(folder, campaign[0])
    with pytest.raises(RetainError, match=r"holds campaign \w{8}; expected it in a folder of that"):
        read_assignment(folder)
    with pytest.raises(RetainError, match="does not exist"):
        read_assignment(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.rename(columns={"arm": "group"}), "has the columns .*expected customer_id"),
        (lambda t: t.assign(arm="both"), "holds other arms: 'both'"),
        (lambda t: t.assign(customer_id="7"), "repeated ids: '7'"),
        (lambda t: t.assign(propensity=0.0), "propensities beyond 0 and 1: 0.0"),
        (lambda t: t.assign(propensity=1.0), "control group who could not be in it"),
        (lambda t: t.assign(expected_cost=np.nan), "customers without finite numbers: '0', '1'"),
    ],
)
def test_rows_that_retain_would_not_write_are_refused(tmp_path, campaign, change, message):
    folder = write_campaign(tmp_path, replace(campaign[0], table=change(campaign[0].table)))
    with pytest.raises(RetainError, match=message):
        read_assignment(folder)


def test_a_file_without_propensities_has_one_share_for_all(tmp_path, campaign):
    table = campaign[0].table.drop(columns="propensity")
    found = read_assignment(write_campaign(tmp_path, replace(campaign[0], table=table)))
    assert found.propensity.tolist() == [0.8] * len(table)


def test_the_columns_of_the_file_are_fixed():
    assert COLUMNS[:5] == ("customer_id", "segment", "offer", "arm", "assignment_id")


# --- outcomes ------------------------------------------------------------------------------------


def test_outcomes_are_put_in_the_campaigns_order(read, campaign):
    assignment, declined, kept = campaign
    table = outcomes_table(assignment, declined, kept).sample(frac=1, random_state=0)
    found = read(table)
    assert np.array_equal(found.declined, declined)
    assert found.profit == pytest.approx(kept)
    assert found.in_file.all()
    assert found.contacted is None


def test_a_russian_spreadsheet_is_read_like_a_plain_csv(tmp_path, campaign):
    assignment, declined, kept = campaign
    table = outcomes_table(assignment, declined, kept.round(2))
    table["declined"] = np.where(declined, "Снизилась", "Прежний уровень")
    table = table.rename(columns={"customer_id": "Код", "declined": "Активность"})
    path = tmp_path / "итоги.csv"
    table.to_csv(path, index=False, sep=";", decimal=",", encoding="cp1251")
    keys = {"id": "Код", "declined": "Активность", "positive": "снизилась"}
    found = read_outcomes(OutcomesFile(file=str(path), **{**KEYS, **keys}), assignment)
    assert np.array_equal(found.declined, declined)
    assert found.profit == pytest.approx(kept, abs=0.005)


@pytest.mark.parametrize("ids", [np.int64, np.float64, str])
def test_parquet_is_read_whatever_its_types(tmp_path, campaign, ids):
    assignment, declined, kept = campaign
    table = outcomes_table(assignment, declined, kept).astype({"customer_id": ids})
    table["declined"] = declined  # a truth value
    table.to_parquet(tmp_path / "o.parquet")
    file = OutcomesFile(file=str(tmp_path / "o.parquet"), **KEYS)
    found = read_outcomes(file, assignment)
    assert np.array_equal(found.declined, declined)
    assert found.profit == pytest.approx(kept)


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_whoever_is_missing_blank_or_foreign_is_counted_as_that(tmp_path_factory, campaign, data):
    assignment, declined, _ = campaign
    size = len(declined)
    gone = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    blank = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    seen = [np.argmax(assignment.is_treated), np.argmin(assignment.is_treated)]  # one of each arm
    gone[seen] = blank[seen] = False
    strange = data.draw(st.integers(0, 3))
    table = outcomes_table(assignment, declined)
    table.loc[blank, "declined"] = np.nan
    extra = {"customer_id": [f"x{number}" for number in range(strange)], "declined": "yes"}
    path = tmp_path_factory.mktemp("o") / "o.csv"
    pd.concat([table[~gone], pd.DataFrame(extra)]).to_csv(path, index=False)
    wanted = OutcomesFile(file=str(path), **{**KEYS, "unknown_customers": "drop"})
    found = read_outcomes(wanted, assignment)
    assert found.n_unknown_customers == strange
    assert np.array_equal(found.in_file, ~gone)
    assert np.array_equal(np.isnan(found.declined), gone | blank)
    known = ~(gone | blank)
    assert np.array_equal(found.declined[known], declined[known])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 159), min_size=1, max_size=6), st.booleans())
def test_an_id_that_stands_twice_or_is_nobodys_is_always_refused(
    tmp_path_factory, campaign, rows, foreign
):
    assignment, declined, _ = campaign
    table = outcomes_table(assignment, declined)
    again = table.iloc[rows].drop_duplicates()
    if foreign:
        again = again.assign(customer_id="9" + again["customer_id"].str.zfill(5))
    path = tmp_path_factory.mktemp("o") / "o.csv"
    pd.concat([table, again]).to_csv(path, index=False)
    message = f"{len(again)} of .* customers are not in the campaign" if foreign else "repeated"
    with pytest.raises(RetainError, match=message):
        read_outcomes(OutcomesFile(file=str(path), **KEYS), assignment)


@pytest.mark.parametrize(
    ("change", "keys", "message"),
    [
        (lambda t: t.assign(customer_id=None), {}, "column 'customer_id': 160 cells are empty"),
        (lambda t: t.assign(customer_id="a" + t["customer_id"]), {}, "none of its 160 customers"),
        (lambda t: t, {"id": "customer"}, r"outcomes\.id"),
        (lambda t: t, {"profit": "profits"}, r"outcomes\.profit"),
        (lambda t: t.drop(columns=["declined", "profit"]), {}, "has neither declines nor profit"),
        (
            lambda t: t.assign(declined=None, profit=None),
            {},
            "has no values in column 'declined'",
        ),
        (lambda t: t.assign(declined="perhaps"), {}, r"'perhaps'.*outcomes\.positive=VALUE"),
        (lambda t: t, {"positive": "yess"}, r"outcomes\.positive is 'yess'.*mean 'yes'"),
        (lambda t: t.assign(profit="much"), {}, "column 'profit': 160 cells are not a number"),
        (lambda t: t.assign(contacted="maybe"), {}, "column 'contacted': it holds 'maybe'"),
        (lambda t: t.assign(cost=-1), {}, "column 'cost': 160 cells are below zero"),
        (
            lambda t: t[t["arm"] == "treatment"],
            {},
            "no outcome of the 32 customers in the control arm",
        ),
    ],
)
def test_outcomes_that_cannot_be_meant_are_refused(read, campaign, change, keys, message):
    assignment, declined, kept = campaign
    table = change(outcomes_table(assignment, declined, kept, arm=assignment.table["arm"]))
    with pytest.raises(RetainError, match=message):
        read(table, **keys)


def test_dates_are_no_profit(tmp_path, campaign):
    assignment, declined, _ = campaign
    table = outcomes_table(assignment, declined, pd.Timestamp("2026-01-01"))
    table.to_parquet(tmp_path / "o.parquet")
    with pytest.raises(RetainError, match="'profit': it holds dates"):
        read_outcomes(OutcomesFile(file=str(tmp_path / "o.parquet"), **KEYS), assignment)


def test_a_campaign_without_a_control_group_has_nothing_to_be_compared_with(read, campaign):
    assignment, declined, _ = campaign
    everyone = replace(assignment, table=assignment.table.assign(arm="treatment"))
    with pytest.raises(RetainError, match=r"has no control group.*campaign\.control_share=0\.2"):
        read(outcomes_table(everyone, declined), everyone)


def test_ids_are_matched_as_the_campaign_writes_them(read, campaign):
    assignment, declined, _ = campaign
    table = outcomes_table(assignment, declined)
    table["customer_id"] = table["customer_id"] + ".0"
    assert read(table).in_file.all()


def test_without_a_file_the_key_is_told(campaign):
    with pytest.raises(RetainError, match="type outcomes=FILE"):
        read_outcomes(OutcomesFile(file=None, **KEYS), campaign[0])


# Outcomes of last year's campaign read against this one's say nothing, however many are dropped.
def test_outcomes_of_which_too_few_are_the_campaigns_are_refused(read, campaign):
    assignment, declined, _ = campaign
    mine = outcomes_table(assignment, declined)
    others = mine.assign(customer_id="x" + mine["customer_id"].astype(str))
    table = pd.concat([mine.head(60), others])
    with pytest.raises(RetainError, match=r"60 of 220 customers \(27.3%\) .*min_known_share=0.272"):
        read(table, unknown_customers="drop")
    kept = read(table, unknown_customers="drop", min_known_share=0.272)
    assert kept.n_unknown_customers == len(others)
