"""The tables that a campaign is carried out by: contacts by day, and who is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.campaign.campaign import Campaign
from retain.campaign.offers.eligibility import find_care, may_be_written_to
from retain.campaign.offers.texts import Language, TextFiller
from retain.campaign.planning.plan import CampaignPlan
from retain.schema.campaign import CampaignConfig, Catalogue, Contact
from retain.schema.names import Translated


@dataclass(frozen=True)
class HandOver:
    """The tables of a campaign for those who carry it out."""

    contacts: pd.DataFrame
    do_not_contact: pd.DataFrame
    approval: pd.DataFrame


CONTACTS = (
    *("customer_id", "kind", "offer", "label", "channel", "step", "day", "date"),
    *("text", "code", "valid_days", "valid_until"),
)
REASONS = {
    "control": ("control group: nothing until the readout", "контрольная группа: ничего до замера"),
    "consent": ("no consent", "нет согласия на рассылку"),
    "policy": ("enough contacts already", "контактов уже достаточно"),
}
"""Reasons not to contact a customer, in both languages; the first that holds is written."""


def contacts_table(
    audience: Audience,
    plan: CampaignPlan,
    catalogue: Catalogue,
    planning: CampaignConfig,
    language: Language,
) -> pd.DataFrame:
    """Return one row per contact, of offers and care, by day and channel: ``CONTACTS``."""
    fill = TextFiller(audience, language, planning.start)
    treated, parts = plan.treated_offer_index, []
    for j, (name, offer) in enumerate(catalogue.offers.items()):
        rows = np.flatnonzero(treated == j)
        steps = [(0, offer.channel, offer.text)]
        steps += [(step.day, step.channel, step.text) for step in offer.steps]
        for number, (day, channel, text) in enumerate(steps, start=1):
            parts.append(_contacts(audience, fill, name, offer, rows, (number, day, channel, text)))
            parts[-1]["kind"] = "offer"
    for name, mask in find_care(catalogue, audience, planning).items():
        care, rows = catalogue.care[name], np.flatnonzero(mask)
        first = (1, 0, care.channel, care.text)
        parts.append(_contacts(audience, fill, name, care, rows, first))
        parts[-1]["kind"] = "care"
    table = pd.concat([_with_dates(part, planning.start) for part in parts], ignore_index=True)
    order = ["day", "channel", "kind", "offer"]
    return table.sort_values(order, kind="stable", ignore_index=True)[list(CONTACTS)]


def _contacts(  # noqa: PLR0913, PLR0917 - what a contact is made of
    audience: Audience,
    fill: TextFiller,
    name: str,
    contact: Contact,
    rows: np.ndarray,
    step: tuple[int, int, str, Translated],
) -> pd.DataFrame:
    number, day, channel, text = step
    columns: dict[str, Any] = {
        "customer_id": audience.table.index[rows],
        "offer": name,
        "label": getattr(contact.label, fill.language),
        "channel": channel,
        "step": number,
        "day": day,
        "text": fill(contact, text, rows, day),
        "code": contact.code or "",
        "valid_days": contact.valid_days,
    }
    return pd.DataFrame(columns)


def _with_dates(part: pd.DataFrame, start: str | None) -> pd.DataFrame:
    """Return contacts with ``date`` and ``valid_until``, empty without a start."""
    if start is None or part.empty:
        return part.assign(date="", valid_until="")
    first, row = date.fromisoformat(start), part.iloc[0]
    end = "" if row["valid_days"] is None else first + timedelta(days=int(row["valid_days"]))
    day = first + timedelta(days=int(row["day"]))
    return part.assign(date=day.isoformat(), valid_until=str(end))


def do_not_contact_table(
    campaign: Campaign, plan: CampaignPlan, planning: CampaignConfig, language: Language
) -> pd.DataFrame:
    """Return the customers who must not be contacted on channels that need consent.

    Returns
    -------
    DataFrame
        ``customer_id, reason``: the control group, who gave no consent, whom the policies spare.
    """
    table = campaign.audience.table
    masks = {
        "control": plan.control.is_control,
        "consent": ~table["contactable"].to_numpy(dtype=bool),
        "policy": ~may_be_written_to(campaign.audience, planning),
    }
    reason = np.full(len(table), "", dtype=object)
    for name, mask in reversed(masks.items()):
        reason[mask] = REASONS[name][language == "ru"]
    rows = np.flatnonzero(reason != "")
    return pd.DataFrame({"customer_id": table.index[rows], "reason": reason[rows]})


def approval_table(approval: list[dict[str, Any]], language: Language) -> pd.DataFrame:
    """Return the plan by segment and offer, the segment's main offer first.

    A segment without offers has one row; the last row has the totals.
    """
    rows = [row for one in approval for row in _approval_rows(one, language)]
    totals = ("n_treated", "n_control", "expected_cost", "expected_saved", "expected_net")
    last = {name: sum(row[name] for row in rows) for name in totals}
    total = {"segment_label": {"en": "Total", "ru": "Всего"}[language], **last}
    total["n_customers"] = sum(one["n_customers"] for one in approval)
    if not rows:
        return pd.DataFrame()
    table = pd.DataFrame([*rows, total], columns=list(rows[0]))
    return table.astype({"n_customers": "Int64"})


def _approval_rows(one: dict[str, Any], language: Language) -> Iterator[dict[str, Any]]:
    label = one["label"]
    size = {key: one[key] for key in ("n_customers", "share", "expected_share", "observed_share")}
    nothing = {"en": "leave alone", "ru": "не трогать"}[language]
    alone = {
        "offer": "",
        "label": {"en": nothing, "ru": nothing},
        "channel": "",
        "why": None,
        "n_treated": 0,
        "n_control": 0,
        "expected_cost": 0.0,
        "expected_saved": 0.0,
        "expected_net": 0.0,
        "one_in": None,
    }
    for number, choice in enumerate(one["choices"] or [alone]):
        why = choice["why"]
        yield {
            "segment_label": one["segment"] if label is None else label[language],
            **(size if number == 0 else dict.fromkeys(size)),
            "main": bool(number == 0 and one["main_offer"]),
            "label": choice["label"][language],
            "channel": choice["channel"],
            "why": "" if why is None else f"{why['label'][language]} ({why['n_customers']})",
            **{key: choice[key] for key in list(alone)[4:]},
        }
