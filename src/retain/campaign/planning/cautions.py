"""Warnings about a campaign, each with a code and its numbers."""

from __future__ import annotations

from typing import Any

from retain.campaign.planning.no_campaign import PROFIT_OVERRIDES
from retain.record.campaign_document import CampaignDocument
from retain.record.documents import CautionInfo
from retain.record.estimates import DisplayName

Numbers = dict[str, Any]
"""The names and numbers of a warning."""
MAX_USEFUL_SHARE = 0.5
"""Share of the control group at which the effect on given customers shows best."""


def find_cautions(document: CampaignDocument) -> tuple[CautionInfo, ...]:
    """Return the warnings about a campaign, each with a ``code`` and its numbers."""
    return tuple(
        CautionInfo.of(code, **numbers)
        for code, check in CAUTION_CHECKS.items()
        if (numbers := check(document))
    )


def _ranking_not_tested(document: CampaignDocument) -> Numbers | None:
    aimed = document.ranking == "not_tested" and not document.is_learning
    return {"ranking": document.ranking} if aimed else None


def _no_profit(document: CampaignDocument) -> Numbers | None:
    """Return what to type so that profit counts, if each customer counts as one."""
    counted = document.objective == "customers"
    return {"overrides": list(PROFIT_OVERRIDES)} if counted else None


def _campaigns_unreadable(document: CampaignDocument) -> Numbers | None:
    """Return the number of other campaigns that cannot be read, and a few of them."""
    policies = document.policies
    n = len(policies.unreadable_campaigns)
    return {"n": n, "campaigns": policies.unreadable_examples} if n else None


def _free_offers(document: CampaignDocument) -> Numbers | None:
    return {"offers": list(document.free_offers)} if document.free_offers else None


def _minimums_unmet(document: CampaignDocument) -> Numbers | None:
    unmet = document.plan.unmet_minimums
    return {"segments": [one.model_dump() for one in unmet]} if unmet else None


def _no_consent_column(document: CampaignDocument) -> Numbers | None:
    stated = document.consent != "not_stated"
    return None if stated else {"n_customers": document.n_customers}


def _nothing_pays(document: CampaignDocument) -> Numbers | None:
    plan = document.plan
    nobody = not plan.n_chosen and not plan.n_paying and not document.is_learning
    return {"n_customers": document.n_customers} if nobody else None


def _limits_leave_nobody(document: CampaignDocument) -> Numbers | None:
    """Return the number of customers for whom an offer pays, if the limits allow none."""
    plan = document.plan
    return {"n_paying": plan.n_paying} if plan.n_paying and not plan.n_chosen else None


def _control_none(document: CampaignDocument) -> Numbers | None:
    plan = document.plan
    return {"n_chosen": plan.n_chosen} if plan.n_chosen and not plan.n_control else None


def _control_large(document: CampaignDocument) -> Numbers | None:
    """Return the share of the control group if it is more than half of the chosen."""
    share = document.control_group.mean_share
    return None if share is None or share <= MAX_USEFUL_SHARE else {"share": share}


def _calibration_poor(document: CampaignDocument) -> Numbers | None:
    """Return the slope if the scores were no probabilities before their recalibration."""
    slope = document.recalibration.slope
    return None if slope.low <= 1 <= slope.high else {"slope": slope.value}


def _risk_miscalibrated(document: CampaignDocument) -> Numbers | None:
    """Return the numbers of segments and tenths of the risk in which the risks are wrong."""
    check = document.calibration_check
    if check is None or not check.n_flagged_segments + check.n_flagged_tenths:
        return None
    return {"n_segments": check.n_flagged_segments, "n_tenths": check.n_flagged_tenths}


def _may_lose(document: CampaignDocument) -> Numbers | None:
    """Return the lower bound of the net value if it is a loss."""
    net = document.plan.expected_net
    return {"low": net.low} if document.plan.n_chosen and net.low < 0 else None


def _profit_concentrated(document: CampaignDocument) -> Numbers | None:
    """Return the number of customers who carry much of the profit at risk, and their share."""
    found = document.profit_concentration
    return found.model_dump() if found.share > found.limit else None


def _profit_missing(document: CampaignDocument) -> Numbers | None:
    missing = document.n_missing_profit
    return {"n_missing": missing, "n_customers": document.n_customers} if missing else None


def _turnover(document: CampaignDocument) -> Numbers | None:
    return {"unit": DisplayName.of(document.profit_unit).en} if document.is_turnover else None


def _effects_measured(document: CampaignDocument) -> Numbers | None:
    """Return the offers whose effects were measured, and the campaigns that measured them."""
    found = document.effects
    if found is None:
        return None
    sources = [source.name for source in found.sources]
    return {"offers": [one.offer for one in found.offers], "sources": sources}


def _effects_unlike(document: CampaignDocument) -> Numbers | None:
    """Return the customers unlike those that each measured offer was tried on."""
    offers = () if document.effects is None else document.effects.offers
    counts = {one.offer: one.n_unlike for one in offers if one.n_unlike}
    return {"counts": counts} if counts else None


def _effects_harmed(document: CampaignDocument) -> Numbers | None:
    """Return the customers who are expected to gain nothing by each measured offer."""
    return _count_harmed(document, is_shown=True)


def _effects_not_positive(document: CampaignDocument) -> Numbers | None:
    """Return the customers on whom an effect is not above 0, of offers not shown to harm."""
    return _count_harmed(document, is_shown=False)


def _count_harmed(document: CampaignDocument, *, is_shown: bool) -> Numbers | None:
    offers = () if document.effects is None else document.effects.offers
    found = [one for one in offers if one.is_harm_shown == is_shown]
    counts = {one.offer: one.n_harmed for one in found if one.n_harmed}
    return {"counts": counts} if counts else None


def _effects_prior(document: CampaignDocument) -> Numbers | None:
    """Return the offers that were not measured, beside others that were."""
    found = document.effects
    return {"offers": list(found.prior_offers)} if found and found.prior_offers else None


def _effects_small(document: CampaignDocument) -> Numbers | None:
    """Return the offers that were tried on too few customers to learn from."""
    found = document.effects
    return {"offers": list(found.small_offers)} if found and found.small_offers else None


CAUTION_CHECKS = {
    "no_profit": _no_profit,
    "turnover": _turnover,
    "effects_measured": _effects_measured,
    "effects_unlike": _effects_unlike,
    "effects_harmed": _effects_harmed,
    "effects_not_positive": _effects_not_positive,
    "effects_prior": _effects_prior,
    "effects_small": _effects_small,
    "risk_miscalibrated": _risk_miscalibrated,
    "ranking_not_tested": _ranking_not_tested,
    "profit_concentrated": _profit_concentrated,
    "profit_missing": _profit_missing,
    "campaigns_unreadable": _campaigns_unreadable,
    "free_offers": _free_offers,
    "no_consent_column": _no_consent_column,
    "nothing_pays": _nothing_pays,
    "limits_leave_nobody": _limits_leave_nobody,
    "minimums_unmet": _minimums_unmet,
    "control_none": _control_none,
    "control_large": _control_large,
    "calibration_poor": _calibration_poor,
    "may_lose": _may_lose,
}
