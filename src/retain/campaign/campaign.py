"""The campaign: customers placed in segments, offers for them, and what both come to.

May import: errors, schema; campaign.*.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from retain.campaign.audience import Audience
from retain.campaign.offering.catalogue import check
from retain.campaign.offering.economics import priced
from retain.campaign.offering.offers import held
from retain.campaign.planning.document import Basis, document
from retain.campaign.planning.planned import Planned, planned, segment_named
from retain.campaign.segmentation.profiles import profiles
from retain.campaign.segmentation.segments import assigned, labels, settled
from retain.campaign.segmentation.stability import stability
from retain.campaign.settings import Settings
from retain.campaign.worth.break_even import break_even_risk, cheapest
from retain.campaign.worth.monte_carlo import MonteCarlo
from retain.campaign.worth.recalibration import Recalibration
from retain.campaign.worth.value import earned
from retain.errors import NotApplicable
from retain.schema import Segmentation

NAMING = (
    "data.profit=COLUMN data.profit_unit=UNIT, or of a purchase log data.columns.amount=COLUMN "
    "data.profit_unit=UNIT"
)
"""What names the money that customers bring."""


@dataclass(frozen=True)
class Campaign:
    """Who is worth winning back, and what they are offered.

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
        The plan as ``campaign.json`` has it.
    nets
        Lower and upper end of each chosen customer's expected net value, shape (n, 2).
    """

    audience: Audience
    known: Segmentation
    segments: list[dict[str, Any]]
    bounds: np.ndarray | None
    plan: Planned | NotApplicable | None
    tree: dict[str, Any] | None
    nets: np.ndarray | None


def refuse_impossible(audience: Audience, settings: Settings) -> None:
    """Hold rules, bands and offers against these customers before anything depends on them.

    Raises
    ------
    RetainError
        When a rule, a driver, a placeholder or a band means nothing here.
    """
    settings, planned_for = at_cost(settings), settings.planning.on and audience.with_profit
    if planned_for:
        check(settings.catalogue, audience)
    risk = _break_even(audience, settings) if planned_for else None
    known = settled(audience, settings.segmentation, break_even_risk=risk)
    for name in settings.planning.least if planned_for else ():
        segment_named(name, list(labels(known)))


def campaign(
    audience: Audience,
    recalibration: Recalibration,
    settings: Settings,
    declined: np.ndarray | None = None,
) -> Campaign:
    """Place customers in segments and plan who is offered what.

    ``declined`` is 1 of those whose activity declined, shape (n,); None where nobody knows yet.

    Raises
    ------
    RetainError
        When rules, offers or limits mean nothing for these customers.
    """
    settings = at_cost(settings)
    if not audience.with_profit:
        return without_money(_placed(audience, settings, None), settings)
    draws = MonteCarlo(audience, recalibration, settings.value, seed=settings.planning.seed)
    found = _placed(audience, settings, draws)
    basis = Basis(found.audience, draws, recalibration, settings, declined)
    return with_plan(found, basis)


def at_cost(settings: Settings) -> Settings:
    """The settings with every offer at what it is assumed to cost."""
    return replace(settings, catalogue=priced(settings.catalogue, settings.value.cost.value))


def with_plan(found: Campaign, basis: Basis, *, what_ifs: bool = True) -> Campaign:
    """Placed customers, and who of them is offered what where that was asked for.

    ``what_ifs`` tells besides how else it could be, which takes many plans more.
    """
    settings = basis.settings
    if not settings.planning.on:
        return found
    offers = held(settings.catalogue, found.audience, settings.value)
    plan = planned(found.audience, offers, settings.planning)
    tree = document(plan, basis, what_ifs=what_ifs)
    nets = basis.draws.expected_net(plan.chosen, offers)
    return replace(found, plan=plan, tree=tree, nets=nets)


def without_money(found: Campaign, settings: Settings) -> Campaign:
    """Customers in segments of risk, and why nothing is planned."""
    if not settings.planning.on:
        return found
    no = NotApplicable(
        f"a campaign weighs costs against profit, and these customers carry none: {NAMING}"
    )
    return replace(found, plan=no, tree={"missing": str(no)})


def _placed(audience: Audience, settings: Settings, draws: MonteCarlo | None) -> Campaign:
    """The customers in their segments, and what is at risk in each."""
    risk = _break_even(audience, settings) if settings.planning.on and draws else None
    known = settled(audience, settings.segmentation, break_even_risk=risk)
    placed = audience.placed(assigned(audience, known))
    stable = stability(
        placed, settings.segmentation, break_even_risk=risk, seed=settings.planning.seed
    )
    totals = None if draws is None else draws.totals(np.asarray(placed.segments))
    told = profiles(placed, known, totals, stability=stable)
    bounds = None if draws is None else draws.per_customer()
    return Campaign(placed, known, told, bounds, None, None, None)


def _break_even(audience: Audience, settings: Settings) -> float | None:
    """The risk from which the cheapest offer pays for a customer of median profit."""
    profit = earned(audience.table["profit"].to_numpy(dtype=float))
    offer = settings.catalogue.offers[cheapest(settings.catalogue)]
    median = float(np.median(profit[profit > 0])) if (profit > 0).any() else 0.0
    return break_even_risk(offer, median, settings.value)
