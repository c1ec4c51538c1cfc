"""The tables that a campaign is carried out by: contacts by day, and who is left alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.campaign.campaign import Campaign
from retain.campaign.offers.eligibility import find_care, may_be_written_to
from retain.campaign.offers.left_alone import in_permanent_control
from retain.campaign.offers.texts import Language, TextFiller
from retain.campaign.planning.plan import CampaignPlan
from retain.campaign.tables import name_kept
from retain.record.approval_document import ApprovalRow
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
LEAVE_ALONE = {"en": "leave alone", "ru": "не трогать"}
REASONS = {
    "control": (
        "control group: no offer until the readout",
        "контрольная группа: без предложений до замера",
    ),
    "consent": ("no consent", "нет согласия на рассылку"),
    "permanent": (
        "permanent control group: no campaign",
        "постоянная контрольная группа: без кампаний",
    ),
    "campaign": ("in campaign {id}, which is open", "участвует в кампании {id}, она ещё идёт"),
    "rest": (
        "contacted by campaign {id}, less than {days} days apart",
        "контакт в кампании {id}: прошло меньше {days} дн.",
    ),
    "policy": ("enough contacts already", "контактов уже достаточно"),
}
"""Reasons not to write to or call a customer, by language; the first that holds is written."""


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
        ``customer_id, reason``: the control groups, who is in another open campaign, who gave no
        consent, who was contacted not long ago, whom the policies spare.
    """
    audience = campaign.audience
    table, campaigns, resting = audience.table, audience.open_campaign, audience.resting
    masks = {
        "control": plan.control.is_control,
        "permanent": in_permanent_control(table.index, planning.permanent_control),
        "campaign": campaigns != "",
        "consent": ~table["contactable"].to_numpy(dtype=bool),
        "rest": resting != "",
        "policy": ~may_be_written_to(audience, planning),
    }
    reason = np.full(len(table), "", dtype=object)
    for name, mask in reversed(masks.items()):
        reason[mask] = REASONS[name][language == "ru"]
    rows = np.flatnonzero(reason != "")
    named, days = np.where(campaigns != "", campaigns, resting), planning.rest_days
    reason[rows] = [reason[row].format(id=named[row], days=days) for row in rows]
    return pd.DataFrame({"customer_id": table.index[rows], "reason": reason[rows]})


def approval_table(
    approval: Sequence[ApprovalRow], language: Language, *, counted: bool = False
) -> pd.DataFrame:
    """Return the plan by segment and offer, the segment's main offer first.

    A segment without offers has one row; the last row has the totals. Where each customer is
    ``counted`` as one, ``expected_kept`` is in place of amounts.
    """
    rows = [row for one in approval for row in _approval_rows(one, language)]
    if not rows:
        return pd.DataFrame()
    totals = ("n_treated", "n_control", "expected_cost", "expected_saved", "expected_net")
    total: dict[str, Any] = {name: sum(row[name] for row in rows) for name in totals}
    total["segment_label"] = {"en": "Total", "ru": "Всего"}[language]
    total["n_customers"] = sum(one.n_customers for one in approval)
    table = pd.DataFrame([*rows, total], columns=list(rows[0]))
    table = table.astype({"n_customers": "Int64"})
    if not counted:
        return table
    return name_kept(table.drop(columns=["expected_saved", "one_in"]))


def _approval_rows(one: ApprovalRow, language: Language) -> Iterator[dict[str, Any]]:
    name = one.segment if one.label is None else getattr(one.label, language)
    keys = ("n_customers", "share", "expected_share", "observed_share")
    for number, choice in enumerate(one.choices or [None]):
        totals = one if choice is None else choice
        why = None if choice is None else choice.why
        yield {
            "segment_label": name,
            **{key: getattr(one, key) if number == 0 else None for key in keys},
            "main": bool(number == 0 and one.main_offer),
            "label": LEAVE_ALONE[language] if choice is None else getattr(choice.label, language),
            "channel": "" if choice is None else choice.channel,
            "why": "" if why is None else f"{getattr(why.label, language)} ({why.n_customers})",
            "n_treated": totals.n_treated,
            "n_control": totals.n_control,
            "expected_cost": totals.expected_cost,
            "expected_saved": totals.expected_saved,
            "expected_net": totals.expected_net.value,
            "one_in": totals.one_in,
        }
