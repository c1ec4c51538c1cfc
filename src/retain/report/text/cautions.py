"""Warnings about a campaign, and the reason for none, in sentences."""

from __future__ import annotations

from collections.abc import Callable

from retain.campaign.planning.no_campaign import PROFIT_OVERRIDES
from retain.record.campaign_document import CampaignDocument, NoCampaignInfo, UnmetMinimum
from retain.record.effects_document import MeasuredOfferInfo
from retain.record.estimates import DisplayName
from retain.record.verdict_document import VerdictDocument
from retain.report.text.calibration import miscalibrated_values, slope_values
from retain.report.text.campaign import customers, money
from retain.report.text.names import code, offer_label, segment_label
from retain.report.text.numbers import Number
from retain.report.text.words import Message, Values, interval, message
from retain.report.tree import present


def no_campaign(tree: VerdictDocument) -> Message:
    """Return the reason why no campaign was planned, as a message."""
    if not isinstance(tree.campaign, NoCampaignInfo):
        raise TypeError("a campaign was planned")
    return message(f"campaign.unplanned.{tree.campaign.code}")


def cautions(tree: VerdictDocument) -> list[Message]:
    """Return the warnings about a campaign.

    Raises
    ------
    KeyError
        If a caution has no text.
    """
    items = present(tree.planned_campaign).cautions
    return [
        message(f"caution.{one.code}", **_CAUTION_VALUES.get(one.code, _no_values)(tree))
        for one in items
    ]


def _no_values(_: VerdictDocument) -> Values:
    return {}


def _poor_calibration(tree: VerdictDocument) -> Values:
    return slope_values(present(tree.planned_campaign).recalibration)


def _loss_values(tree: VerdictDocument) -> Values:
    return {"low": money(present(tree.planned_campaign).plan.expected_net.low)}


def _unreadable_campaigns(tree: VerdictDocument) -> Values:
    policies = present(tree.planned_campaign).policies
    n = Number(len(policies.unreadable_campaigns), "count")
    return {"n": n, "campaigns": [code(one) for one in policies.unreadable_examples]}


def _free_offers(tree: VerdictDocument) -> Values:
    campaign = present(tree.planned_campaign)
    return {"offers": [_quoted_offer(campaign, name) for name in campaign.free_offers]}


def _control_share(tree: VerdictDocument) -> Values:
    return {"share": Number(present(tree.planned_campaign).control_group.mean_share, "share")}


def _paying(tree: VerdictDocument) -> Values:
    return {"customers": customers(present(tree.planned_campaign).plan.n_paying)}


def _concentration(tree: VerdictDocument) -> Values:
    found = present(tree.planned_campaign).profit_concentration
    share, limit = (Number(one, "share") for one in (found.share, found.limit))
    return {"n": Number(found.n_first, "count"), "share": share, "limit": limit}


def _missing_profit(tree: VerdictDocument) -> Values:
    campaign = present(tree.planned_campaign)
    missing = Number(campaign.n_missing_profit, "count")
    return {"n": missing, "customers": customers(campaign.n_customers)}


def _quoted_offer(campaign: CampaignDocument, name: str) -> Message:
    return message("trust.quoted", name=offer_label(campaign, name))


def _unmet_minimums(tree: VerdictDocument) -> Values:
    labels = {one.segment: segment_label(one) for one in tree.segments or []}
    return {
        "segments": [
            _unmet(one, labels) for one in present(tree.planned_campaign).plan.unmet_minimums
        ]
    }


def _unmet(one: UnmetMinimum, labels: dict[str, DisplayName]) -> Message:
    return message(
        "caution.minimum",
        segment=labels.get(one.segment, DisplayName(one.segment, one.segment)),
        n=Number(one.n_treated, "count"),
        minimum=Number(one.minimum, "count"),
        paying=Number(one.n_paying, "count"),
    )


def _profit_overrides(_: VerdictDocument) -> Values:
    return {"overrides": [code(one) for one in PROFIT_OVERRIDES]}


def _measured(tree: VerdictDocument) -> Values:
    campaign = present(tree.planned_campaign)
    effects = campaign.effects
    offers = () if effects is None else effects.offers
    sources = [] if effects is None else [code(one.name) for one in effects.sources]
    form = "points" if effects is None or effects.unit == "declines" else "money"
    return {"offers": [_effect(campaign, one, form) for one in offers], "sources": sources}


def _effect(campaign: CampaignDocument, one: MeasuredOfferInfo, form: str) -> Message:
    found = one.effect
    return message(
        f"caution.effect.{form}",
        name=offer_label(campaign, one.offer),
        value=Number(found.value, form),
        range=interval(found.low, found.high, form),
    )


def _count_unlike(tree: VerdictDocument) -> Values:
    return _counts(tree, lambda one: one.n_unlike)


def _count_harmed(tree: VerdictDocument) -> Values:
    return _counts(tree, lambda one: one.n_harmed if one.is_harm_shown else 0)


def _count_not_positive(tree: VerdictDocument) -> Values:
    return _counts(tree, lambda one: 0 if one.is_harm_shown else one.n_harmed)


def _counts(tree: VerdictDocument, count: Callable[[MeasuredOfferInfo], int]) -> Values:
    campaign = present(tree.planned_campaign)
    offers = () if campaign.effects is None else campaign.effects.offers
    return {
        "counts": [
            message(
                "caution.offer_count",
                name=offer_label(campaign, one.offer),
                n=Number(count(one), "count"),
            )
            for one in offers
            if count(one)
        ]
    }


def _prior_offers(tree: VerdictDocument) -> Values:
    campaign = present(tree.planned_campaign)
    names = () if campaign.effects is None else campaign.effects.prior_offers
    return {"offers": [_quoted_offer(campaign, name) for name in names]}


def _small_offers(tree: VerdictDocument) -> Values:
    campaign = present(tree.planned_campaign)
    names = () if campaign.effects is None else campaign.effects.small_offers
    return {"offers": [_quoted_offer(campaign, name) for name in names]}


_CAUTION_VALUES: dict[str, Callable[[VerdictDocument], Values]] = {
    "effects_measured": _measured,
    "effects_unlike": _count_unlike,
    "effects_harmed": _count_harmed,
    "effects_not_positive": _count_not_positive,
    "effects_prior": _prior_offers,
    "effects_small": _small_offers,
    "campaigns_unreadable": _unreadable_campaigns,
    "free_offers": _free_offers,
    "no_profit": _profit_overrides,
    "limits_leave_nobody": _paying,
    "minimums_unmet": _unmet_minimums,
    "control_large": _control_share,
    "profit_concentrated": _concentration,
    "profit_missing": _missing_profit,
    "calibration_poor": _poor_calibration,
    "may_lose": _loss_values,
    "risk_miscalibrated": miscalibrated_values,
}
"""Placeholders of the texts of cautions by code."""
