"""A campaign for new customers: all that can be learnt was learnt among others.

May import: errors, schema; campaign.*.
"""

from __future__ import annotations

import numpy as np

from retain.campaign.audience import Audience
from retain.campaign.campaign import NAMING, Campaign, at_cost, with_plan, without_money
from retain.campaign.planning.document import Basis
from retain.campaign.segmentation.profiles import profiles
from retain.campaign.segmentation.segments import assigned, check
from retain.campaign.settings import Settings
from retain.campaign.worth.monte_carlo import MonteCarlo
from retain.campaign.worth.recalibration import Recalibration
from retain.errors import RetainError


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
    settings = at_cost(settings)
    if settings.segmentation.kind == "rules":  # settled bands can be held against anybody
        check(audience, settings.segmentation)
    placed = audience.placed(assigned(audience, settings.segmentation))
    if not audience.with_profit:
        return _without_money(placed, settings)
    draws = MonteCarlo(placed, recalibration, settings.value, seed=settings.planning.seed)
    totals = draws.totals(np.asarray(placed.segments))
    told = profiles(placed, settings.segmentation, totals, differs=False)
    found = Campaign(placed, settings.segmentation, told, draws.per_customer(), None, None, None)
    basis = Basis(placed, draws, recalibration, settings, None)
    return with_plan(found, basis, what_ifs=False)


def _without_money(placed: Audience, settings: Settings) -> Campaign:
    """Segments of risk, where these are the segments there were."""
    if settings.segmentation.kind == "risk_value" and settings.segmentation.value is not None:
        raise RetainError(
            "the segments of the comparison are by value too, and these customers carry no "
            f"profit: {NAMING}"
        )
    told = profiles(placed, settings.segmentation, None, differs=False)
    found = Campaign(placed, settings.segmentation, told, None, None, None, None)
    return without_money(found, settings)
