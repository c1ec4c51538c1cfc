"""The campaign: customers placed in segments, offers for them, and what both come to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from retain.campaign.audience import Audience, CampaignSettings
from retain.campaign.offers.catalogue import check_catalogue
from retain.campaign.offers.offers import evaluate_offers, scale_catalogue_costs
from retain.campaign.planning.document import PlanningContext, build_document
from retain.campaign.planning.plan import CampaignPlan, find_segment, make_plan
from retain.campaign.segmentation.profiles import build_profiles
from retain.campaign.segmentation.segments import (
    check_segmentation,
    fit_segmentation,
    segment_labels,
    segments_of,
)
from retain.campaign.segmentation.stability import stability
from retain.campaign.value.break_even import break_even_risk, cheapest_offer
from retain.campaign.value.monte_carlo import MonteCarlo
from retain.campaign.value.recalibration import Recalibration
from retain.campaign.value.value import positive_profit
from retain.errors import NotApplicable, RetainError
from retain.schema import Segmentation

NAMING = (
    "data.profit=COLUMN data.profit_unit=UNIT, or of a purchase log data.columns.amount=COLUMN "
    "data.profit_unit=UNIT"
)
"""What names the money that customers bring."""


@dataclass(frozen=True)
class Campaign:
    """A campaign: segments, offers, plan.

    Attributes
    ----------
    audience
        Every scored customer in its segment.
    known
        The segmentation with what was learnt from these customers settled, for later ones.
    segments
        What each segment is, most profit at risk first.
    bounds
        Lower and upper end of each customer's profit at risk, shape (n, 2); None without profit.
    plan
        Who is offered what; a "no" with its reason where nothing can be planned, None where
        nobody asked.
    tree
        The plan as ``make_campaign.json`` has it.
    nets
        Lower and upper end of each chosen customer's expected net value, shape (n, 2).
    """

    audience: Audience
    known: Segmentation
    segments: list[dict[str, Any]]
    bounds: np.ndarray | None
    plan: CampaignPlan | NotApplicable | None
    tree: dict[str, Any] | None
    nets: np.ndarray | None


def check_limits(audience: Audience, settings: CampaignSettings) -> None:
    """Hold rules, bands and offers against these customers before anything depends on them.

    Raises
    ------
    RetainError
        When a rule, a driver, a placeholder or a band means nothing here.
    """
    settings, planned_for = scale_costs(settings), settings.planning.on and audience.with_profit
    if planned_for:
        check_catalogue(settings.catalogue, audience)
    risk = _break_even(audience, settings) if planned_for else None
    known = fit_segmentation(audience, settings.segmentation, break_even_risk=risk)
    for name in settings.planning.min_contacts if planned_for else ():
        find_segment(name, list(segment_labels(known)))


def make_campaign(
    audience: Audience,
    recalibration: Recalibration,
    settings: CampaignSettings,
    declined: np.ndarray | None = None,
) -> Campaign:
    """Place customers in segments and plan who is offered what.

    ``declined`` is 1 of those whose activity declined, shape (n,); None where nobody knows yet.

    Raises
    ------
    RetainError
        When rules, offers or limits mean nothing for these customers.
    """
    settings = scale_costs(settings)
    if not audience.with_profit:
        return without_money(_segment_audience(audience, settings, None), settings)
    draws = MonteCarlo(audience, recalibration, settings.assumptions, seed=settings.planning.seed)
    found = _segment_audience(audience, settings, draws)
    context = PlanningContext(found.audience, draws, recalibration, settings, declined)
    return with_plan(found, context)


def scale_costs(settings: CampaignSettings) -> CampaignSettings:
    """Return the settings with every offer at what it is assumed to cost."""
    times = settings.assumptions.cost_multiplier.value
    return replace(
        settings,
        catalogue=scale_catalogue_costs(settings.catalogue, times),
    )


def with_plan(found: Campaign, context: PlanningContext, *, scenarios: bool = True) -> Campaign:
    """Placed customers, and who of them is offered what where that was asked for.

    ``scenarios`` tells besides how else it could be, which takes many plans more.
    """
    settings = context.settings
    if not settings.planning.on:
        return found
    offers = evaluate_offers(settings.catalogue, found.audience, settings.assumptions)
    plan = make_plan(found.audience, offers, settings.planning)
    tree = build_document(plan, context, scenarios=scenarios)
    nets = context.monte_carlo.expected_net(plan.offer_index, offers)
    return replace(found, plan=plan, tree=tree, nets=nets)


def without_money(found: Campaign, settings: CampaignSettings) -> Campaign:
    """Return customers in segments of risk, and why nothing is planned."""
    if not settings.planning.on:
        return found
    no = NotApplicable(f"a campaign needs profit, and these customers have none: {NAMING}")
    return replace(found, plan=no, tree={"reason": str(no)})


def _segment_audience(
    audience: Audience, settings: CampaignSettings, draws: MonteCarlo | None
) -> Campaign:
    """Return the customers in their segments, and what is at risk in each."""
    risk = _break_even(audience, settings) if settings.planning.on and draws else None
    known = fit_segmentation(audience, settings.segmentation, break_even_risk=risk)
    placed = audience.with_segments(segments_of(audience, known))
    stable = stability(
        placed, settings.segmentation, break_even_risk=risk, seed=settings.planning.seed
    )
    totals = None if draws is None else draws.totals(np.asarray(placed.segments))
    told = build_profiles(placed, known, totals, stability=stable)
    bounds = None if draws is None else draws.per_customer()
    return Campaign(placed, known, told, bounds, None, None, None)


def _break_even(audience: Audience, settings: CampaignSettings) -> float | None:
    """Return the risk from which the cheapest offer pays for a customer of median profit."""
    profit = positive_profit(audience.table["profit"].to_numpy(dtype=float))
    offer = settings.catalogue.offers[cheapest_offer(settings.catalogue)]
    median = float(np.median(profit[profit > 0])) if (profit > 0).any() else 0.0
    return break_even_risk(offer, median, settings.assumptions)


def apply_to_new_customers(
    audience: Audience, recalibration: Recalibration, settings: CampaignSettings
) -> Campaign:
    """Return new customers in known segments, and who of them is offered what.

    The segmentation is one that was settled. What takes long and was told where it was settled is
    left out: how stable segments are and what distinguishes them, and what other limits or
    assumptions would do to the plan.

    Raises
    ------
    RetainError
        When rules, offers or limits mean nothing for these customers.
    """
    settings = scale_costs(settings)
    if settings.segmentation.kind == "rules":  # settled bands can be held against anybody
        check_segmentation(audience, settings.segmentation)
    placed = audience.with_segments(segments_of(audience, settings.segmentation))
    if not audience.with_profit:
        return _without_money(placed, settings)
    draws = MonteCarlo(placed, recalibration, settings.assumptions, seed=settings.planning.seed)
    totals = draws.totals(np.asarray(placed.segments))
    told = build_profiles(placed, settings.segmentation, totals, contrasts=False)
    found = Campaign(placed, settings.segmentation, told, draws.per_customer(), None, None, None)
    context = PlanningContext(placed, draws, recalibration, settings, None)
    return with_plan(found, context, scenarios=False)


def _without_money(placed: Audience, settings: CampaignSettings) -> Campaign:
    """Segments of risk, where these are the segments there were."""
    if settings.segmentation.kind == "risk_value" and settings.segmentation.value is not None:
        raise RetainError(
            "the segments of the comparison are by value too, and these customers carry no "
            f"profit: {NAMING}"
        )
    told = build_profiles(placed, settings.segmentation, None, contrasts=False)
    found = Campaign(placed, settings.segmentation, told, None, None, None, None)
    return without_money(found, settings)
