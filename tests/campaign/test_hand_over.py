"""The tables that a campaign is carried out by."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from retain.campaign.campaign import make_campaign
from retain.campaign.hand_over import (
    CONTACTS,
    approval_table,
    contacts_table,
    do_not_contact_table,
)
from retain.campaign.tables import arms_table, customers_table, offers_table, segments_table
from retain.record.estimates import DisplayName
from retain.schema.campaign import CampaignConfig, Catalogue
from retain.schema.parsing import parse
from retain.verdict.export import ExportDialect, read_exported, write_csv
from retain.verdict.headings import CODES, RUSSIAN

from .planning.random_plans import random_settings
from .value.invented_campaign import UNSURE, make_audience

TEXT = {"en": "Come {until}. Code: {code}.", "ru": "Приходите {until}. Код: {code}."}
OFFER = {
    "label": {"en": "Letter", "ru": "Письмо"},
    "text": TEXT,
    "channel": "email",
    "needs_consent": True,
    "contact_cost": 0.01,
    "redemption_cost": 0.0,
    "discount": 0.0,
    "redemption_rate_stayers": 0.0,
    "save_rate": {"alpha": 6, "beta": 14},
    "code": "LETTER",
    "valid_days": 14,
    "steps": [
        {"day": 5, "channel": "call", "text": {"en": "Script: {until}", "ru": "Сценарий: {until}"}}
    ],
}
CARE = {
    **{key: OFFER[key] for key in ("label", "channel", "needs_consent", "contact_cost")},
    "text": {"en": "Sorry", "ru": "Простите"},
    "when": {"risk": {"at_least": 0.5}},
}


@pytest.fixture(scope="module")
def planned():
    """A campaign of one offer in two steps, with a rule of care; and its settings."""
    tree = {"name": "mine", "offers": {"letter": OFFER}, "care": {"apology": CARE}}
    settings = random_settings(0, budget=None, max_contacts=None, control_share=0.2)
    settings = settings.model_copy(update={"offers": parse(Catalogue, tree)})
    audience = make_audience(160, 0, value=settings.assumptions)
    return make_campaign(audience, UNSURE, settings), settings


def contacts(planned, start=None, language="en"):
    campaign, settings = planned
    planning = settings.campaign.model_copy(update={"start": start})
    return contacts_table(campaign.audience, campaign.plan, settings.offers, planning, language)


def test_each_treated_customer_has_every_step_on_its_channel(planned):
    campaign, _ = planned
    table = contacts(planned)
    assert tuple(table.columns) == CONTACTS
    offers = table[table["kind"] == "offer"]
    treated = campaign.audience.table.index[campaign.plan.treated_offer_index >= 0]
    for step, channel in ((1, "email"), (2, "call")):
        rows = offers[offers["step"] == step]
        assert set(rows["customer_id"]) == set(treated)
        assert set(rows["channel"]) == {channel}
    assert set(offers["text"]) == {
        "Come within 14 days. Code: LETTER.",
        "Script: within 9 days",
    }
    assert set(table["date"]) == {""}


def test_with_a_start_texts_and_contacts_have_dates(planned):
    table = contacts(planned, "2027-02-01", "ru")
    offers = table[table["kind"] == "offer"]
    assert set(offers["date"]) == {"2027-02-01", "2027-02-06"}
    assert set(offers["valid_until"]) == {"2027-02-15"}
    assert "Приходите до 15 февраля 2027. Код: LETTER." in set(offers["text"])


# Care is no lever: the control group gets it too, so that it changes no comparison.
@pytest.mark.parametrize("day", ["9999-12-30", "1999-12-31", "3000-01-01", "31.12.2027", ""])
def test_a_campaign_starts_on_a_day_of_this_millennium(day):
    with pytest.raises(ValueError, match="a day from 2000 to 2999, such as 2027-02-01"):
        CampaignConfig.model_validate({**random_settings(0).campaign.model_dump(), "start": day})


def test_care_goes_to_everybody_for_whom_its_rule_holds(planned):
    campaign, _ = planned
    table, care = campaign.audience.table, contacts(planned)
    care = care[care["kind"] == "care"]
    expected = table.index[(table["risk"] >= 0.5) & table["contactable"]]
    assert set(care["customer_id"]) == set(expected)
    assert set(care["customer_id"]) & set(table.index[campaign.plan.control.is_control])
    (said,) = campaign.document.care
    assert said.n_customers == len(care)


def test_nobody_who_must_not_be_contacted_has_a_contact_of_the_campaign(planned):
    campaign, settings = planned
    table = do_not_contact_table(campaign, campaign.plan, settings.campaign, "ru")
    offered = contacts(planned)
    offered = set(offered.loc[offered["kind"] == "offer", "customer_id"])
    assert not offered & set(table["customer_id"])
    control = campaign.audience.table.index[campaign.plan.control.is_control]
    reasons = table.set_index("customer_id")["reason"]
    assert reasons.loc[control].str.startswith("контрольная группа").all()
    silent = campaign.audience.table.index[~campaign.audience.table["contactable"]]
    assert set(silent) <= set(table["customer_id"])


KEYS = ("customer_id", "segment", "offer", "code", "label_en", "assignment_id")


def test_what_is_handed_over_in_russian_says_no_code_in_english(planned, tmp_path):
    campaign, settings = planned
    known = np.where(np.arange(160) % 2, "win-back", "retention")
    named = {"label": DisplayName("At risk", "Зона риска")}
    segments = [one.model_copy(update=named) for one in campaign.segments]
    campaign = replace(campaign, known_class=known.astype(object), segments=segments)
    plan, planning = campaign.plan, settings.campaign
    approval = [one.model_copy(update=named) for one in campaign.document.approval]
    tables = {
        "contacts": contacts(planned, language="ru"),
        "do_not_contact": do_not_contact_table(campaign, plan, planning, "ru"),
        "approval": approval_table(approval, "ru"),
        "customers": customers_table(campaign, "ru"),
        "segments": segments_table(campaign.segments, lambda _: "выше"),
        "offers": offers_table(campaign, plan, "ru", None),
        "campaign": arms_table(campaign, plan),
    }
    for name, table in tables.items():
        write_csv(table, tmp_path / name, ExportDialect("ru"))
        shown = pd.read_csv(tmp_path / name, sep=";", dtype="str", keep_default_na=False)
        foreign = set(shown) - {RUSSIAN[one] for one in table}
        assert not foreign, name
        texts = shown.drop(columns=[RUSSIAN[one] for one in KEYS if one in table])
        cells = texts.to_numpy().ravel()
        english = {one for one in cells if re.search("[a-z]{3,}", one.lower()) and "Код" not in one}
        assert not english, name
        assert (tmp_path / name).read_bytes().startswith(b"\xef\xbb\xbf")
        read = read_exported((tmp_path / name).read_bytes())
        assert read.columns.tolist() == list(table)
        for code in CODES.keys() & set(table):
            expected = table[code].astype(object)
            assert read[code].tolist() == expected.where(expected.notna(), "").map(str).tolist()


def test_the_last_row_of_the_approval_is_the_plan(planned):
    campaign, _ = planned
    table = approval_table(campaign.document.approval, "en")
    *rows, total = table.to_dict("records")
    plan = campaign.document.plan
    assert total["segment_label"] == "Total"
    for name in ("n_treated", "n_control", "expected_cost", "expected_saved"):
        assert total[name] == pytest.approx(getattr(plan, name))
        assert total[name] == pytest.approx(sum(row[name] for row in rows))
    assert total["expected_net"] == pytest.approx(plan.expected_net.value)
    assert total["n_customers"] == 160
    assert np.nansum(table["share"].to_numpy(dtype=float)) == pytest.approx(1)
