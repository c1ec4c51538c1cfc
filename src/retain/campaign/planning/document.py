"""The content of ``campaign.json``, from a plan and its context."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.campaign.offers.measured import MeasuredOffers
from retain.campaign.offers.save_rate import summarise_beta
from retain.campaign.planning.approval import summarise_care, summarise_policies, to_display_name
from retain.campaign.planning.budget_curve import compute_budget_curve
from retain.campaign.planning.cautions import find_cautions
from retain.campaign.planning.control_design import is_too_small
from retain.campaign.planning.exploration_summary import summarise_exploration
from retain.campaign.planning.learning import is_learning
from retain.campaign.planning.no_campaign import free_offers
from retain.campaign.planning.overview import summarise_overview
from retain.campaign.planning.plan import CampaignPlan, unmet_minimums
from retain.campaign.planning.power import summarise_power
from retain.campaign.planning.sensitivity import (
    Scenario,
    analyse_sensitivity,
    compute_shadow_prices,
    price_capacity,
)
from retain.campaign.segmentation.outcomes import AudienceOutcomes, ObservedTable
from retain.campaign.value.break_even import BreakEven, break_even, cheapest_offer
from retain.campaign.value.empc import of_offer
from retain.campaign.value.monte_carlo import MonteCarlo
from retain.campaign.value.profit_curve import profit_curve
from retain.campaign.value.recalibration import Recalibration
from retain.record.approval_document import KeptCustomers
from retain.record.campaign_document import (
    CampaignDocument,
    Concentration,
    NamedAssumption,
    OfferInfo,
    PlanTotals,
)
from retain.record.comparison_document import Ranking
from retain.record.control_group import ControlGroup, ControlStratum, OneShareReason
from retain.record.estimates import DisplayName, Estimate
from retain.record.plan_scenarios import EmpcInfo
from retain.schema.campaign import CampaignConfig
from retain.schema.scoring import CampaignSettings


@dataclass(frozen=True)
class PlanningContext:
    """Customers, simulation and settings of a plan.

    ``outcomes`` are those of the customers, and ``observed`` the table of their segments; None for
    new customers. ``ranking`` is the result of the sealed test's
    comparison with chance. ``measured`` are effects of offers; None if all are assumed.
    """

    audience: Audience
    monte_carlo: MonteCarlo
    recalibration: Recalibration
    settings: CampaignSettings
    outcomes: AudienceOutcomes | None
    ranking: Ranking
    observed: ObservedTable | None = None
    measured: MeasuredOffers | None = None


def build_document(
    plan: CampaignPlan,
    context: PlanningContext,
    other: CampaignPlan | None = None,
    *,
    scenarios: bool = True,
) -> CampaignDocument:
    """Return the plan as ``campaign`` of ``verdict.json``.

    ``other`` is the plan if nobody explored; None if nobody does, or there is no such plan.
    Without ``scenarios`` all values that need further plans are None or empty.
    """
    audience, monte_carlo, settings = context.audience, context.monte_carlo, context.settings
    planning, assumptions, catalogue = settings.campaign, settings.assumptions, settings.offers
    if audience.profit_unit is None:
        raise ValueError("a plan needs profit")  # find_no_campaign says so before
    scenario = Scenario(plan.offers, audience, settings, plan.exploration)
    document = CampaignDocument(
        seed=planning.seed,
        n_customers=len(audience),
        n_contactable=int(audience.table["contactable"].sum()),
        consent=audience.consent,
        ranking=context.ranking,
        free_offers=() if audience.counts_customers else tuple(free_offers(catalogue)),
        objective="customers" if audience.counts_customers else "profit",
        basis=None if catalogue.basis is None else to_display_name(catalogue.basis),
        policies=summarise_policies(audience, planning),
        care=summarise_care(catalogue, audience, planning),
        profit_unit=audience.profit_unit,
        is_turnover=audience.is_turnover,
        assumptions=tuple(
            NamedAssumption(name=name, **getattr(assumptions, name).model_dump())
            for name in ("horizon", "loss_fraction", "margin", "cost_multiplier")
        ),
        recalibration=context.recalibration.to_info(),
        calibration_check=None if context.observed is None else context.observed.check(),
        expected_profit_at_risk=monte_carlo.total(np.ones(len(audience))),
        observed_profit_at_risk=_observe_total(context),
        profit_concentration=find_concentration(audience.table["profit_at_risk"].to_numpy()),
        n_missing_profit=int(audience.table["profit"].isna().sum()),
        n_simulations=assumptions.simulations,
        offers=_summarise_offers(plan, context),
        plan=_summarise_plan(plan, context),
        control_group=_summarise_control(plan, audience, planning),
        power=summarise_power(plan, audience, planning),
        overview=summarise_overview(plan, audience, monte_carlo, context.outcomes, assumptions),
        profit_curve=profit_curve(audience, plan.offers) if scenarios else None,
        empc=_compute_empc(context) if scenarios else None,
        shadow_prices=compute_shadow_prices(plan, audience, settings) if scenarios else None,
        sensitivity=analyse_sensitivity(plan, scenario) if scenarios else None,
        budget_curve=compute_budget_curve(plan, planning.control_share) if scenarios else (),
        effects=None if context.measured is None else context.measured.info,
        exploration=summarise_exploration(
            plan, other, audience, monte_carlo, planning, context.ranking
        ),
    )
    return document.model_copy(update={"cautions": find_cautions(document)})


def _observe_total(context: PlanningContext) -> Estimate | None:
    """Return the profit at risk of all who declined; None for customers without outcomes."""
    if context.outcomes is None:
        return None
    everybody = np.full(len(context.audience), "all")
    return context.monte_carlo.observed_totals(everybody, context.outcomes)["all"]


SHARE_OF_ONE, SHARE_OF_FIRST = 0.2, 0.5
"""Largest shares of the profit at risk that the first customer, and the first 1 %, should carry."""


def find_concentration(at_risk: np.ndarray) -> Concentration:
    """Return how few customers carry how much of the profit at risk, and what is much.

    It is the first customer if this one carries much, or else the first 1 % of the customers.

    >>> find_concentration(np.array([6.0, 1.0, 1.0]))
    Concentration(n_first=1, share=0.75, limit=0.2)
    """
    ordered, total = np.sort(at_risk)[::-1], max(float(at_risk.sum()), np.finfo(float).tiny)
    one, n_first = float(ordered[0] / total), max(len(at_risk) // 100, 1)
    if one > SHARE_OF_ONE:
        return Concentration(n_first=1, share=one, limit=SHARE_OF_ONE)
    first = float(ordered[:n_first].sum() / total)
    return Concentration(n_first=n_first, share=first, limit=SHARE_OF_FIRST)


def _summarise_offers(plan: CampaignPlan, context: PlanningContext) -> tuple[OfferInfo, ...]:
    """Return one object per offer, in the order of the catalogue."""
    assumptions, treated = context.settings.assumptions, plan.treated_offer_index
    even = break_even(context.audience, plan.offers, assumptions, treated)
    if context.audience.counts_customers:
        even = dict.fromkeys(even, BreakEven(None, None))
    return tuple(
        _summarise_offer(plan, index, context.monte_carlo, even[name])
        for index, name in enumerate(plan.offers.names)
    )


def _summarise_offer(
    plan: CampaignPlan, index: int, monte_carlo: MonteCarlo, even: BreakEven
) -> OfferInfo:
    offers, name = plan.offers, plan.offers.names[index]
    offer = offers.catalogue.offers[name]
    chosen, treated = plan.offer_index == index, plan.treated_offer_index == index
    cost = offers.cost[treated, index].sum()
    return OfferInfo(
        name=name,
        label=DisplayName(offer.label.en, offer.label.ru),
        channel=offer.channel,
        needs_consent=offer.needs_consent,
        n_eligible=int(plan.n_eligible[index]),
        n_chosen=int(chosen.sum()),
        n_treated=int(treated.sum()),
        n_control=int(plan.control.is_control[chosen].sum()),
        expected_cost=float(cost),
        expected_saved=float(offers.saved[treated, index].sum()),
        expected_net=monte_carlo.plan(np.where(treated, index, -1), offers),
        capacity=offer.capacity,
        shadow_price=None if offer.capacity is None else price_capacity(plan, index),
        save_rate=summarise_beta(offer.save_rate, 0.05),
        break_even_save_rate=even.save_rate,
        break_even_contact_cost=even.contact_cost,
    )


def _summarise_plan(plan: CampaignPlan, context: PlanningContext) -> PlanTotals:
    allocation, treated = plan.allocation, plan.treated_offer_index
    planning = context.settings.campaign
    few, learning = plan.segment_offers, is_learning(planning, context.ranking)
    return PlanTotals(
        segment_offers=None if few is None else few.to_info(allocation.objective, planning),
        kept=_count_kept(plan) if context.audience.counts_customers else None,
        n_chosen=int((plan.offer_index >= 0).sum()),
        n_treated=int((treated >= 0).sum()),
        n_control=int(plan.control.is_control.sum()),
        n_paying=int(plan.offers.pays.any(axis=1).sum()),
        expected_cost=plan.expected_cost,
        budget=planning.budget,
        max_contacts=planning.max_contacts,
        unmet_minimums=() if learning else unmet_minimums(plan, context.audience, planning),
        expected_saved=plan.expected_saved,
        expected_net=context.monte_carlo.plan(treated, plan.offers),
        relative_gap=allocation.relative_gap,
        method="random" if learning else allocation.method,
        is_optimal=allocation.is_optimal and not learning,
    )


def _count_kept(plan: CampaignPlan) -> KeptCustomers:
    """Return the customers expected to be kept, per contact and per unit of cost."""
    kept, cost = plan.expected_saved, plan.expected_cost
    n_treated = int((plan.treated_offer_index >= 0).sum())
    return KeptCustomers(
        value=kept,
        per_contact=kept / n_treated if n_treated else None,
        per_cost=kept / cost if cost else None,
    )


def _summarise_control(
    plan: CampaignPlan, audience: Audience, planning: CampaignConfig
) -> ControlGroup:
    """Return the size of the control group by segment and offer, and its cost."""
    rows = np.flatnonzero(plan.offer_index >= 0)
    table = pd.DataFrame(
        {
            "segment": np.asarray(audience.segments)[rows],
            "offer": np.array(plan.offers.names, dtype=object)[plan.offer_index[rows]],
            "control": plan.control.is_control[rows],
        }
    )
    counts = table.groupby(["segment", "offer"], sort=True)["control"].agg(["size", "sum"])
    share = (1 - plan.control.propensity[rows]).round(9)
    net = plan.select_chosen(plan.offers.net)[rows]
    is_uniform = len(np.unique(share)) < 2
    return ControlGroup(
        share=planning.control_share,
        design="uniform" if is_uniform else "least_cost",
        lowest_share=float(share.min(initial=1.0)) if len(rows) else None,
        highest_share=float(share.max(initial=0.0)) if len(rows) else None,
        mean_share=(planning.control_share if is_uniform else float(share.mean()))
        if len(rows)
        else None,
        one_share_because=_why_one_share(len(rows), planning) if is_uniform else None,
        cost=plan.control_cost,
        uniform_cost=float(planning.control_share * net.sum()),
        n_attempts=plan.control.n_attempts,
        strata=tuple(
            ControlStratum(segment=segment, offer=offer, n_chosen=int(size), n_control=int(control))
            for (segment, offer), size, control in counts.itertuples()
        ),
    )


def _why_one_share(n_chosen: int, planning: CampaignConfig) -> OneShareReason | None:
    """Return why all keep one share though other ones were asked for; None if they were not."""
    share = planning.control_share
    if planning.control_design == "uniform" or not n_chosen or not share:
        return None
    return "small" if is_too_small(n_chosen, share) else "no_saving"


def _compute_empc(context: PlanningContext) -> EmpcInfo | None:
    """Return the EMPC of the scores for the cheapest offer; None if no outcome is known."""
    if context.outcomes is None:
        return None
    settings, name = context.settings, cheapest_offer(context.settings.offers)
    offer = settings.offers.offers[name]
    empc = of_offer(context.audience, context.outcomes.declined, offer, settings.assumptions)
    return EmpcInfo(offer=name, value=empc.value, share=empc.share)
