"""The first screen: five sentences for whoever approves the plan, and what to beware of.

How many customers are expected to buy less, what that costs, what to do now, how sure this is, and
what could go wrong. Sentences about models are in ``answer.py``.
"""

from __future__ import annotations

from typing import Any

from retain.record.approval_document import Choice
from retain.record.campaign_document import CampaignDocument
from retain.record.document import CheckResult
from retain.record.documents import CautionInfo
from retain.record.estimates import DisplayName
from retain.record.verdict_document import VerdictDocument
from retain.report.text.approval import is_counted
from retain.report.text.campaign import money
from retain.report.text.cautions import cautions as campaign_cautions
from retain.report.text.checks import caution_message, check_message
from retain.report.text.names import channel
from retain.report.text.numbers import Number
from retain.report.text.words import Message, interval, message
from retain.report.tree import METRIC, present

FIRST = ("may_lose", "limits_leave_nobody", "ranking_not_tested", "profit_concentrated")
"""Warnings about the campaign that come before its others."""
TURNOVER = "turnover"
"""The warning that all amounts are turnover, not profit."""


def overview(tree: VerdictDocument) -> list[Message]:
    """Return how many, how much, what now, how sure, what could go wrong."""
    campaign = present(tree.planned_campaign)
    return [
        _how_many(campaign),
        _how_much(campaign),
        _what_now(campaign),
        _how_sure(tree),
        _what_could_go_wrong(campaign),
    ]


def warnings(tree: VerdictDocument) -> list[Message]:
    """Return every warning of a verdict, the weightiest for a decision first.

    What all amounts are comes first if they are turnover; then failed checks of the label, cautions
    of the verdict, and those of the campaign.
    """
    features = () if tree.explanations is None else tree.explanations.features
    names = {one.name: one.label for one in features}
    messages = [check_message(one, names) for one in tree.checks if _questions_label(one)]
    messages += [
        caution_message(one) or message("measure.other", key=DisplayName(text, text))
        for one in tree.cautions
        if (text := one.message or one.code)
    ]
    about_campaign = _campaign_warnings(tree)
    first = [said for caution, said in about_campaign if caution.code == TURNOVER]
    others = [said for caution, said in about_campaign if caution.code != TURNOVER]
    return [*first, *(one for one in messages if one is not None), *others]


def _campaign_warnings(tree: VerdictDocument) -> list[tuple[CautionInfo, Message]]:
    campaign = tree.planned_campaign
    if campaign is None:
        return []
    pairs = zip(campaign.cautions, campaign_cautions(tree), strict=True)
    return sorted(pairs, key=lambda pair: pair[0].code not in FIRST)


def _questions_label(check: CheckResult) -> bool:
    return check.code == "label_against_revenue" and check.outcome == "failed"


def horizon(campaign: CampaignDocument) -> Number:
    """Return the months for which profit is at risk."""
    found = {one.name: one.value for one in campaign.assumptions}
    return Number(found["horizon"], "plain")


def _how_many(campaign: CampaignDocument) -> Message:
    expected, declined = campaign.overview.expected_declines, campaign.overview.n_declined
    values: dict[str, Any] = {
        "n": Number(campaign.n_customers, "count"),
        "expected": Number(expected.value, "count"),
        "range": interval(expected.low, expected.high, "count"),
    }
    if declined is None:
        return message("overview.how_many.new", **values)
    return message("overview.how_many.known", declined=Number(declined, "count"), **values)


def _how_much(campaign: CampaignDocument) -> Message:
    if is_counted(campaign):
        return message("overview.how_much.counted")
    share = campaign.overview.at_risk_share
    if share is None:
        return message("overview.how_much.alone")
    return message("overview.how_much.share", n=horizon(campaign), share=Number(share, "share"))


def _what_now(campaign: CampaignDocument) -> Message:
    if not campaign.plan.n_chosen:
        learning = campaign.is_learning
        return message("overview.now.nobody_eligible" if learning else "overview.now.nobody")
    channels = [_contacts(one.channel, one.n_treated) for one in campaign.overview.channels]
    values = {"n": Number(campaign.plan.n_treated, "count"), "channels": channels}
    if campaign.is_learning:
        return message("overview.now.learning", **values)
    share, kept = campaign.overview.net_share, campaign.plan.kept
    if kept is not None:
        return message("overview.now.counted", kept=money(kept.value), **values)
    if share is None:
        return message("overview.now.plan", **values)
    return message("overview.now.plan_share", share=Number(share, "share"), **values)


def _contacts(name: str, n_treated: int) -> Message:
    """Return a channel and how many are contacted there."""
    return message("overview.now.channel", channel=channel(name), n=Number(n_treated, "count"))


def _how_sure(tree: VerdictDocument) -> Message:
    """Return what the ROC-AUC means for two customers, of the sealed test where it was opened."""
    sealed = tree.sealed_test
    found = (tree.winner.metrics if sealed is None else sealed.metrics)[METRIC]
    key = "overview.sure.sealed_in_time" if tree.by_snapshot else "overview.sure.sealed"
    return message(
        "overview.sure.out_of_fold" if sealed is None else key,
        share=Number(found.value, "percent"),
        range=interval(found.low, found.high, "percent"),
    )


def _what_could_go_wrong(campaign: CampaignDocument) -> Message:
    if not campaign.plan.n_chosen:
        return message("overview.wrong.nothing_sent")
    needed = campaign.power.overall.required_n
    if not campaign.power.overall.claimable and needed is None:
        return message("overview.wrong.unmeasured")
    if not campaign.power.overall.claimable:
        return message("overview.wrong.too_small", n=Number(needed, "count"))
    return message("overview.wrong.assumed", n=Number(campaign.plan.n_control, "count"))


def choice_contacts(choice: Choice) -> Message:
    """Return the channel of an offer and how many are contacted there."""
    return _contacts(choice.channel, choice.n_treated)
