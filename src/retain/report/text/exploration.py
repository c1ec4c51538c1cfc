"""Offers drawn at random, in sentences: who explores, what that costs, and what it will show."""

from __future__ import annotations

from retain.record.campaign_document import CampaignDocument
from retain.record.exploration_info import ExplorationInfo
from retain.report.text.campaign import money
from retain.report.text.numbers import Number
from retain.report.text.words import Message, interval, message


def exploration_text(campaign: CampaignDocument) -> list[Message]:
    """Return who explores, at what cost; empty if nobody was asked to."""
    info = campaign.exploration
    if info is None:
        return []
    messages = [_because(info), _who(info), _given_up(info)]
    return [one for one in messages if one is not None]


def _because(info: ExplorationInfo) -> Message | None:
    """Return why a learning campaign is planned; None for a plan of which only a share explores."""
    if not info.is_learning:
        return None
    return message(
        "exploration.not_shown" if info.because == "ranking_not_shown" else "exploration.learning"
    )


def _who(info: ExplorationInfo) -> Message:
    return message(
        "exploration.who",
        n=Number(info.n_customers, "count"),
        eligible=Number(info.n_eligible, "count"),
        treated=Number(info.n_treated, "count"),
        control=Number(info.n_control, "count"),
        cost=money(info.expected_cost),
    )


def _given_up(info: ExplorationInfo) -> Message | None:
    if info.given_up is None:
        return None
    found = info.given_up
    range_ = interval(found.low, found.high, "money")
    return message("exploration.given_up", value=money(found.value), range=range_)
