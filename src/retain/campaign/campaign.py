"""The campaign: segments of customers, offers for them, and a plan."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from retain.campaign.audience import Audience, find_segment
from retain.campaign.offers.catalogue import check_catalogue
from retain.campaign.offers.eligibility import check_policies
from retain.campaign.offers.measured import NOT_MEASURED, MeasuredOffers
from retain.campaign.offers.offers import evaluate_offers, scale_catalogue_costs
from retain.campaign.planning.approval import Approval, known_classes
from retain.campaign.planning.document import PlanningContext, build_document
from retain.campaign.planning.learning import (
    is_learning,
    make_learning_plan,
    without_exploration,
)
from retain.campaign.planning.minimums import MIN_CONTACTS
from retain.campaign.planning.no_campaign import (
    NoCampaign,
    find_no_campaign,
)
from retain.campaign.planning.plan import CampaignPlan, make_plan
from retain.campaign.segmentation.outcomes import AudienceOutcomes, ObservedTable, observe
from retain.campaign.segmentation.profiles import build_profiles
from retain.campaign.segmentation.segments import (
    find_dominant,
    fit_segmentation,
    segment_labels,
    segments_of,
)
from retain.campaign.segmentation.stability import stability
from retain.campaign.value.break_even import break_even_risk, cheapest_offer
from retain.campaign.value.monte_carlo import MonteCarlo
from retain.campaign.value.recalibration import Recalibration
from retain.campaign.value.value import positive_profit, risk_sensitivity
from retain.record.campaign_document import CampaignDocument, NoCampaignInfo
from retain.record.comparison_document import Ranking
from retain.record.segments_document import DominantSegment, SegmentInfo
from retain.schema.campaign import Segmentation
from retain.schema.scoring import CampaignSettings


@dataclass(frozen=True)
class Campaign:
    """A campaign: segments, offers, plan.

    Attributes
    ----------
    audience
        All scored customers with their segments.
    fitted_segmentation
        The fitted segmentation, for later customers.
    segments
        Profiles of the segments, most profit at risk first.
    bounds
        Bounds of each customer's profit at risk, shape (n, 2); None without profit.
    plan
        The plan; the reason if none is possible, None if not requested.
    document
        The plan as in ``campaign.json``.
    dominant
        The band or segment that holds nearly all customers, see ``find_dominant``; None if none.
    net_bounds
        Bounds of each chosen customer's expected net value, shape (n, 2).
    observed
        Observed beside expected declines; None for customers without outcomes.
    known_class
        Win-back or retention by customer, shape (n,); None for customers without outcomes.
    """

    audience: Audience
    fitted_segmentation: Segmentation
    segments: tuple[SegmentInfo, ...]
    bounds: np.ndarray | None
    plan: CampaignPlan | NoCampaign | None
    document: CampaignDocument | NoCampaignInfo | None
    net_bounds: np.ndarray | None
    dominant: DominantSegment | None = None
    observed: ObservedTable | None = None
    known_class: np.ndarray | None = None


def check_settings(audience: Audience, settings: CampaignSettings) -> None:
    """Check rules, bands, offers and limits for these customers.

    Raises
    ------
    RetainError
        A rule, driver, placeholder, band or limit is invalid.
    """
    settings, is_planned = scale_costs(settings), settings.campaign.on
    risk = _break_even(audience, settings) if is_planned and audience.with_profit else None
    fitted = fit_segmentation(audience, settings.segmentation, break_even_risk=risk)
    names = list(segment_labels(fitted))
    for name in settings.campaign.min_contacts if is_planned else ():
        find_segment(name, names, MIN_CONTACTS)
    if is_planned:
        audience = audience if audience.with_profit else audience.counting_customers()
        check_policies(settings.campaign, audience)
        check_catalogue(settings.offers, audience, names)


def make_campaign(  # noqa: PLR0913, PLR0917 - all that a plan depends on
    audience: Audience,
    recalibration: Recalibration,
    settings: CampaignSettings,
    outcomes: AudienceOutcomes | None = None,
    ranking: Ranking = "not_tested",
    measured: MeasuredOffers | None = None,
) -> Campaign:
    """Assign segments and plan offers.

    ``outcomes`` are those of the audience, None if unknown. ``ranking`` is the result of the sealed
    test's comparison with chance. ``measured`` are effects of offers; None if all are assumed.

    Raises
    ------
    RetainError
        Rules, offers or limits are invalid for these customers.
    """
    no = find_no_campaign(audience, settings)
    settings = scale_costs(settings)
    if not audience.with_profit:
        segmented = _segment_audience(audience, recalibration, settings, None, outcomes)
        return plan_counted(segmented, no, recalibration, settings, outcomes, ranking, measured)
    draws = MonteCarlo(audience, recalibration, settings.assumptions, seed=settings.campaign.seed)
    campaign = _segment_audience(audience, recalibration, settings, draws, outcomes)
    context = PlanningContext(
        campaign.audience,
        draws,
        recalibration,
        settings,
        outcomes,
        ranking,
        campaign.observed,
        measured,
    )
    return with_plan(campaign, no or context, settings)


def plan_counted(  # noqa: PLR0913, PLR0917 - as ``make_campaign`` has them
    campaign: Campaign,
    no: NoCampaign | None,
    recalibration: Recalibration,
    settings: CampaignSettings,
    outcomes: AudienceOutcomes | None,
    ranking: Ranking,
    measured: MeasuredOffers | None,
) -> Campaign:
    """Return the campaign with a plan in which each customer counts as one."""
    if no is not None or not settings.campaign.on:
        return with_plan(campaign, no, settings)
    audience = campaign.audience.counting_customers()
    settings = settings.counting_customers(int(np.ceil(audience.table["risk"].sum())))
    draws = MonteCarlo(audience, recalibration, settings.assumptions, seed=settings.campaign.seed)
    observed = campaign.observed
    context = PlanningContext(
        audience, draws, recalibration, settings, outcomes, ranking, observed, measured
    )
    return with_plan(replace(campaign, audience=audience), context, settings, scenarios=False)


def scale_costs(settings: CampaignSettings) -> CampaignSettings:
    """Return the settings with the costs of offers multiplied as assumed."""
    times = settings.assumptions.cost_multiplier.value
    return settings.model_copy(update={"offers": scale_catalogue_costs(settings.offers, times)})


def with_plan(
    campaign: Campaign,
    context: PlanningContext | NoCampaign | None,
    settings: CampaignSettings,
    *,
    scenarios: bool = True,
) -> Campaign:
    """Return the campaign with a plan, or the reason for none, if one is configured.

    ``scenarios`` adds plans under other limits and assumptions, which takes much longer.
    """
    if context is None or not settings.campaign.on:
        return campaign
    if isinstance(context, NoCampaign):
        return replace(campaign, plan=context, document=context.to_info())
    offers = evaluate_offers(
        settings.offers,
        campaign.audience,
        settings.assumptions,
        settings.campaign,
        NOT_MEASURED if context.measured is None else context.measured.offers,
    )
    learning = is_learning(settings.campaign, context.ranking)
    make = make_learning_plan if learning else make_plan
    plan = make(campaign.audience, offers, settings.campaign)
    other = None
    if len(plan.exploration) and context.ranking != "not_shown":
        other = make_plan(campaign.audience, offers, without_exploration(settings.campaign))
    document = build_document(plan, context, other, scenarios=scenarios and not learning)
    declined = None if context.outcomes is None else context.outcomes.declined
    approval = Approval(plan, campaign.audience, context.monte_carlo, campaign.segments, declined)
    document = document.model_copy(update=approval.to_info())
    nets = context.monte_carlo.expected_net(plan.offer_index, offers)
    return replace(campaign, plan=plan, document=document, net_bounds=nets)


def _segment_audience(
    audience: Audience,
    recalibration: Recalibration,
    settings: CampaignSettings,
    draws: MonteCarlo | None,
    outcomes: AudienceOutcomes | None,
) -> Campaign:
    """Return the customers with their segments, and profiles of these."""
    risk = _break_even(audience, settings) if settings.campaign.on and draws else None
    fitted = fit_segmentation(audience, settings.segmentation, break_even_risk=risk)
    segmented = audience.with_segments(segments_of(audience, fitted))
    stable = stability(
        segmented, settings.segmentation, break_even_risk=risk, seed=settings.campaign.seed
    )
    labels = np.asarray(segmented.segments)
    observed, observed_money, sensitivity = None, None, None
    if outcomes is not None:
        observed = observe(outcomes, labels, segmented.table["risk"].to_numpy())
        observed_money = None if draws is None else draws.observed_totals(labels, outcomes)
    else:
        sensitivity = risk_sensitivity(segmented, recalibration)
    profiles = build_profiles(
        segmented,
        fitted,
        None if draws is None else draws.totals(labels),
        observed=None if observed is None else observed.segments,
        observed_money=observed_money,
        sensitivity=sensitivity,
        stability=stable,
    )
    bounds = None if draws is None else draws.per_customer()
    dominant = find_dominant(segmented, fitted)
    known = None if outcomes is None else known_classes(outcomes.declined)
    return Campaign(
        segmented, fitted, profiles, bounds, None, None, None, dominant, observed, known
    )


def _break_even(audience: Audience, settings: CampaignSettings) -> float | None:
    """Return the risk from which the cheapest offer pays for a customer of median profit."""
    profit = positive_profit(audience.table["profit"].to_numpy(dtype=float))
    offer = settings.offers.offers[cheapest_offer(settings.offers)]
    median = float(np.median(profit[profit > 0])) if (profit > 0).any() else 0.0
    return break_even_risk(offer, median, settings.assumptions)
