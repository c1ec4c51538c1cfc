"""The approval of a plan in sentences: few offers, policies, care, reasons."""

from __future__ import annotations

from collections.abc import Iterator

from retain.record.approval_document import ApprovalRow, CareInfo, Choice, Policies
from retain.record.campaign_document import CampaignDocument
from retain.record.verdict_document import VerdictDocument
from retain.report.text.campaign import money
from retain.report.text.names import segment_label
from retain.report.text.numbers import Number
from retain.report.text.words import Message, message

LEAST_ROUNDED = 10
"""Customers of whom one must be kept, from which on the number is rounded down."""


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
            else message("campaign.few_offers", n=n, cost=cost)
        )
    if spared:
        messages.append(message("campaign.spared", n=Number(spared, "count")))
    messages += [*_left_alone(campaign.policies), *map(_care, campaign.care)]
    return messages if campaign.is_learning else [*messages, message("campaign.ranked")]


def _left_alone(policies: Policies) -> Iterator[Message]:
    """Yield who is in the permanent control group, in other campaigns, and at rest after them."""
    if policies.n_permanent_control:
        yield message("campaign.permanent", n=Number(policies.n_permanent_control, "count"))
    for one in policies.open_campaigns:
        yield message("campaign.open", n=Number(one.n_customers, "count"), id=one.id)
    for one in policies.rested_after:
        n, days = Number(one.n_customers, "count"), Number(policies.rest_days or 0, "count")
        yield message("campaign.rested", n=n, id=one.id, days=days)


def _care(one: CareInfo) -> Message:
    n = Number(one.n_customers, "count")
    return message("campaign.care", label=one.label, n=n, cost=money(one.cost))


def why(choice: Choice, verdict: VerdictDocument) -> Message | None:
    """Return which feature raises the risk of how many who are chosen; None if unknown."""
    if choice.why is None:
        return None
    features = () if verdict.explanations is None else verdict.explanations.features
    found = {one.name: one.direction for one in features}.get(choice.why.feature)
    return message(
        f"campaign.why.{found if found in ('up', 'down') else 'mixed'}",
        feature=choice.why.label,
        n=Number(choice.why.n_customers, "count"),
        chosen=Number(choice.n_chosen, "count"),
    )


def approve_label(row: ApprovalRow, campaign: CampaignDocument) -> Message:
    """Return the name of the box to tick for a segment: the segment, and its main offer."""
    segment = segment_label(row)
    if campaign.is_learning and row.n_chosen:
        return message("approval.approve_drawn", segment=segment)
    if row.main_offer is None:
        return message("approval.approve_alone", segment=segment)
    return message("approval.approve_offer", segment=segment, offer=row.choices[0].label)


def pays_if(row: ApprovalRow | Choice) -> Message | None:
    """Return of how many treated one must be kept to pay; None if unknown."""
    if row.one_in is None:
        return None
    form = "whole" if row.one_in >= LEAST_ROUNDED else "value"
    return message("campaign.one_in", n=Number(row.one_in, form))
