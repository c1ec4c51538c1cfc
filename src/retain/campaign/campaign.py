"""The campaign: customers placed in segments, offers for them, and what both come to.

May import: errors, schema; campaign.*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from retain.campaign.audience import Audience
from retain.campaign.document import document
from retain.campaign.monte_carlo import MonteCarlo
from retain.campaign.offers import held
from retain.campaign.planned import Planned, planned
from retain.campaign.recalibration import Recalibration
from retain.campaign.rules import check
from retain.campaign.segments import place, profiles
from retain.campaign.settings import Settings
from retain.errors import NotApplicable


@dataclass(frozen=True)
class Campaign:
    """Who is worth winning back, and what they are offered.

    Attributes
    ----------
    audience
        Every scored customer in its segment.
    segments
        What each segment is, most profit at risk first.
    bounds
        Lower and upper end of each customer's profit at risk, shape (n, 2); None without profit.
    plan
        Who is offered what; a "no" with its reason where nothing can be planned, None where
        nobody asked.
    tree
        The plan as ``campaign.json`` has it.
    nets
        Lower and upper end of each chosen customer's expected net value, shape (n, 2).
    """

    audience: Audience
    segments: list[dict[str, Any]]
    bounds: np.ndarray | None
    plan: Planned | NotApplicable | None
    tree: dict[str, Any] | None
    nets: np.ndarray | None


def refuse_impossible(audience: Audience, settings: Settings) -> None:
    """Hold rules, texts and bands against these customers before anything depends on them.

    Raises
    ------
    RetainError
        When a rule, a driver, a placeholder or a band means nothing here.
    """
    for name, one in settings.segmentation.rules.items():
        check(one.when, audience, f"segmentation.rules.{name}.when")
    place(audience, settings.segmentation, break_even_risk=None)
    if settings.planning.on and audience.with_profit:
        held(settings.catalogue, audience, settings.value)


def campaign(audience: Audience, recalibration: Recalibration, settings: Settings) -> Campaign:
    """Place customers in segments and plan who is offered what.

    Raises
    ------
    RetainError
        When rules, offers or limits mean nothing for these customers.
    """
    if not audience.with_profit:
        placed = place(audience, settings.segmentation, break_even_risk=None)
        told = profiles(placed, settings.segmentation, None)
        no = NotApplicable(
            "a campaign weighs costs against profit, and these customers carry none: "
            "data.profit=COLUMN data.profit_unit=UNIT"
        )
        tree = {"missing": str(no)} if settings.planning.on else None
        return Campaign(placed, told, None, no if settings.planning.on else None, tree, None)
    return _with_money(audience, recalibration, settings)


def _with_money(audience: Audience, recalibration: Recalibration, settings: Settings) -> Campaign:
    draws = MonteCarlo(audience, recalibration, settings.value, seed=settings.planning.seed)
    if not settings.planning.on:
        return _placed(audience, settings, draws, None)
    offers = held(settings.catalogue, audience, settings.value)
    found = _placed(audience, settings, draws, offers.break_even_risk)
    plan = planned(found.audience, offers, settings.planning)
    tree = document(plan, found.audience, draws, recalibration, settings)
    return replace(found, plan=plan, tree=tree, nets=draws.expected_net(plan.chosen, offers))


def _placed(
    audience: Audience, settings: Settings, draws: MonteCarlo, break_even: float | None
) -> Campaign:
    """The customers in their segments, and what is at risk in each."""
    placed = place(audience, settings.segmentation, break_even_risk=break_even)
    totals: Mapping[str, Any] = draws.totals(np.asarray(placed.segments))
    told = profiles(placed, settings.segmentation, totals)
    return Campaign(placed, told, draws.per_customer(), None, None, None)
