"""The approval of a plan in sentences: few offers, policies, care, reasons."""

from __future__ import annotations

from retain.record.approval_document import ApprovalRow, CareInfo, Choice
from retain.record.campaign_document import CampaignDocument
from retain.report.text.campaign import customers, money
from retain.report.text.numbers import Number
from retain.report.text.words import Message, message


def is_counted(campaign: CampaignDocument) -> bool:
    """Return whether each customer counts as one, as no profit is known."""
    return bool(campaign.objective == "customers")


def plan_notes(campaign: CampaignDocument) -> list[Message]:
    """Return what few offers a segment cost, who is spared, care, and what ranking says."""
    few, spared = campaign.plan.segment_offers, campaign.policies.n_spared
    messages = []
    if few is not None and campaign.plan.n_chosen:
        n, cost = Number(few.limit, "count"), money(few.cost)
        messages.append(
            message("campaign.few_offers_counted", n=n, cost=cost)
            if is_counted(campaign)
            else message("campaign.few_offers", n=n, cost=cost, free=money(few.free_net))
        )
    if spared:
        messages.append(message("campaign.spared", n=Number(spared, "count")))
    return [*messages, *map(_care, campaign.care), message("campaign.ranked")]


def _care(one: CareInfo) -> Message:
    n = customers(one.n_customers)
    return message("campaign.care", label=one.label, n=n, cost=money(one.cost))


def why(choice: Choice) -> Message | None:
    """Return which feature raises the risk of how many who are chosen; None if unknown."""
    if choice.why is None:
        return None
    return message(
        "campaign.why",
        feature=choice.why.label,
        n=Number(choice.why.n_customers, "count"),
        chosen=Number(choice.n_chosen, "count"),
    )


def pays_if(row: ApprovalRow | Choice) -> Message | None:
    """Return of how many treated one must be kept to pay; None if unknown."""
    if row.one_in is None:
        return None
    return message("campaign.one_in", n=Number(row.one_in, "value"))
