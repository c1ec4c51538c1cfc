"""A campaign for new customers: all that can be learnt was learnt among others.

May import: errors, schema; campaign.*.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from retain.campaign.audience import Audience
from retain.campaign.campaign import Campaign
from retain.campaign.document import Basis, document
from retain.campaign.economics import priced
from retain.campaign.monte_carlo import MonteCarlo
from retain.campaign.offers import held
from retain.campaign.planned import planned
from retain.campaign.profiles import profiles
from retain.campaign.recalibration import Recalibration
from retain.campaign.segments import assigned, check
from retain.campaign.settings import Settings
from retain.errors import NotApplicable, RetainError


def applied(audience: Audience, recalibration: Recalibration, settings: Settings) -> Campaign:
    """New customers in known segments, and who of them is offered what.

    The segmentation is one that was settled. What takes long and was told where it was settled is
    left out: how stable segments are and what distinguishes them, and what other limits or
    assumptions would do to the plan.

    Raises
    ------
    RetainError
        When rules, offers or limits mean nothing for these customers.
    """
    settings = replace(settings, catalogue=priced(settings.catalogue, settings.value.cost.value))
    if settings.segmentation.kind == "rules":  # settled bands can be held against anybody
        check(audience, settings.segmentation)
    placed = audience.placed(assigned(audience, settings.segmentation))
    if not audience.with_profit:
        return _without_money(placed, settings)
    draws = MonteCarlo(placed, recalibration, settings.value, seed=settings.planning.seed)
    totals = draws.totals(np.asarray(placed.segments))
    told = profiles(placed, settings.segmentation, totals, differs=False)
    found = Campaign(placed, settings.segmentation, told, draws.per_customer(), None, None, None)
    if not settings.planning.on:
        return found
    offers = held(settings.catalogue, placed, settings.value)
    plan = planned(placed, offers, settings.planning)
    tree = document(plan, Basis(placed, draws, recalibration, settings, None), what_ifs=False)
    return replace(found, plan=plan, tree=tree, nets=draws.expected_net(plan.chosen, offers))


def _without_money(placed: Audience, settings: Settings) -> Campaign:
    """Segments of risk, and why nothing is planned."""
    if settings.segmentation.kind == "risk_value" and settings.segmentation.value is not None:
        raise RetainError(
            "the segments of the comparison are by value too, and these customers carry no "
            "profit: data.profit=COLUMN data.profit_unit=UNIT"
        )
    told = profiles(placed, settings.segmentation, None, differs=False)
    found = Campaign(placed, settings.segmentation, told, None, None, None, None)
    if not settings.planning.on:
        return found
    no = NotApplicable("a campaign weighs costs against profit, and these customers carry none")
    return replace(found, plan=no, tree={"missing": str(no)})
