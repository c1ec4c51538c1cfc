"""The campaign for new customers: their places in fitted segments, and a plan."""

from __future__ import annotations

import numpy as np

from retain.campaign.audience import Audience
from retain.campaign.campaign import Campaign, plan_counted, scale_costs, with_plan
from retain.campaign.offers.measured import MeasuredOffers
from retain.campaign.planning.document import PlanningContext
from retain.campaign.planning.no_campaign import PROFIT_OVERRIDES, find_no_campaign
from retain.campaign.segmentation.profiles import build_profiles
from retain.campaign.segmentation.segments import (
    check_segmentation,
    find_dominant,
    segments_of,
)
from retain.campaign.value.monte_carlo import MonteCarlo
from retain.campaign.value.recalibration import Recalibration
from retain.campaign.value.value import risk_sensitivity
from retain.errors import RetainError
from retain.record.comparison_document import Ranking
from retain.schema.campaign import Segmentation
from retain.schema.scoring import CampaignSettings


def apply_to_new_customers(
    audience: Audience,
    recalibration: Recalibration,
    settings: CampaignSettings,
    ranking: Ranking = "not_tested",
    measured: MeasuredOffers | None = None,
) -> Campaign:
    """Assign new customers to fitted segments and plan offers.

    ``ranking`` and ``measured`` are as in ``make_campaign``. Stability and contrasts of segments
    and scenarios of the plan are left out.

    Raises
    ------
    RetainError
        Rules, offers or limits are invalid for these customers.
    """
    no = find_no_campaign(audience, settings)
    settings = scale_costs(settings)
    if settings.segmentation.kind == "rules":  # fitted bands apply to any customers
        check_segmentation(audience, settings.segmentation)
    segmented = audience.with_segments(segments_of(audience, settings.segmentation))
    if not audience.with_profit:
        _check_no_value(settings.segmentation)
        profiled = _profile_segments(segmented, recalibration, settings, None)
        return plan_counted(profiled, no, recalibration, settings, None, ranking, measured)
    draws = MonteCarlo(segmented, recalibration, settings.assumptions, seed=settings.campaign.seed)
    campaign = _profile_segments(segmented, recalibration, settings, draws)
    context = PlanningContext(
        segmented, draws, recalibration, settings, None, ranking, measured=measured
    )
    return with_plan(campaign, no or context, settings, scenarios=False)


def _profile_segments(
    segmented: Audience,
    recalibration: Recalibration,
    settings: CampaignSettings,
    draws: MonteCarlo | None,
) -> Campaign:
    """Return new customers with profiles of their segments; money needs ``draws``."""
    profiles = build_profiles(
        segmented,
        settings.segmentation,
        None if draws is None else draws.totals(np.asarray(segmented.segments)),
        sensitivity=risk_sensitivity(segmented, recalibration),
        contrasts=False,
    )
    dominant = find_dominant(segmented, settings.segmentation)
    bounds = None if draws is None else draws.per_customer()
    return Campaign(segmented, settings.segmentation, profiles, bounds, None, None, None, dominant)


def _check_no_value(segmentation: Segmentation) -> None:
    """Raise if fitted segments use the value of customers, who carry none."""
    if segmentation.kind == "risk_value" and segmentation.value is not None:
        raise RetainError(
            "the segments of the comparison are by value too, and these customers carry no "
            f"profit: {PROFIT_OVERRIDES[0]}, or of a purchase log {PROFIT_OVERRIDES[1]}"
        )
