"""``campaign.json``: the plan in numbers, for programs and for the page, which adds none.

    id                  hash of all the rest
    n_customers         all customers; n_contactable: those who agreed to be contacted
    consent             from_data | assume_given | not_stated: who says that customers agreed
    ranking             shown | not_tested: whether it is shown to beat chance
    free_offers         offers without any cost, which offers.costs=accept lets pass
    profit_unit         of all money
    is_turnover         whether money is turnover, as no margin is typed
    assumptions         horizon, loss_fraction, margin, cost_multiplier: value and range
    recalibration       what turns scores into probabilities, and how it was chosen
    calibration_check   observed beside expected declines; null for customers without outcomes
    expected_profit_at_risk   of all customers; n_simulations of the Monte Carlo
    observed_profit_at_risk   of those who declined; null for customers without outcomes
    profit_concentration      how much of it the first customer or the first 1 % carries
    n_missing_profit          customers whose profit is missing and counts as 0
    profit_curve, empc  expected profit by the number of customers targeted
    offers              one object per offer: eligible and chosen customers, cost, saved profit
    plan                totals of the treated, the gap to the best possible plan as a share of it,
                        and segments whose minimum more customers would need than an offer pays for
    shadow_prices       of the limits, see sensitivity.py
    control_group       its share and strata
    power               the expected effect, and the smallest one that can be detected
    sensitivity         see sensitivity.py
    budget_curve        the plan at budgets from small to saturation, and at its own cost
    cautions            warnings by code

The file also has ``schema``; ``settings``: segmentation, assumptions, offers and campaign as
they were configured; ``files``: the SHA-256 of its tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience, CampaignSettings
from retain.campaign.offers.save_rate import save_rate_quantiles
from retain.campaign.planning.budget_curve import compute_budget_curve
from retain.campaign.planning.cautions import find_cautions
from retain.campaign.planning.no_campaign import Ranking, free_offers
from retain.campaign.planning.plan import CampaignPlan, unmet_minimums
from retain.campaign.planning.power import summarise_power
from retain.campaign.planning.sensitivity import (
    Scenario,
    analyse_sensitivity,
    compute_shadow_prices,
    price_capacity,
)
from retain.campaign.segmentation.outcomes import ObservedTable, Outcomes
from retain.campaign.value.break_even import BreakEven, break_even, cheapest_offer
from retain.campaign.value.empc import of_offer
from retain.campaign.value.monte_carlo import MonteCarlo
from retain.campaign.value.profit_curve import profit_curve
from retain.campaign.value.recalibration import Recalibration
from retain.schema.campaign import Beta, CampaignConfig


@dataclass(frozen=True)
class PlanningContext:
    """Customers, simulation and settings of a plan.

    ``outcomes`` are those of the customers, and ``observed`` the table of their segments; None for
    new customers. ``ranking`` is the result of the sealed test's
    comparison with chance.
    """

    audience: Audience
    monte_carlo: MonteCarlo
    recalibration: Recalibration
    settings: CampaignSettings
    outcomes: Outcomes | None
    ranking: Ranking
    observed: ObservedTable | None = None


def build_document(
    plan: CampaignPlan, context: PlanningContext, *, scenarios: bool = True
) -> dict[str, Any]:
    """Return the content of ``campaign.json`` in plain values.

    Without ``scenarios`` all values that need further plans are null or empty.
    """
    audience, monte_carlo = context.audience, context.monte_carlo
    planning, assumptions = context.settings.planning, context.settings.assumptions
    document: dict[str, Any] = {
        "seed": planning.seed,
        "n_customers": len(audience),
        "n_contactable": int(audience.table["contactable"].sum()),
        "consent": audience.consent,
        "ranking": context.ranking,
        "free_offers": free_offers(context.settings.catalogue),
        "profit_unit": audience.profit_unit,
        "is_turnover": audience.is_turnover,
        "assumptions": [
            {"name": name, **getattr(assumptions, name).model_dump()}
            for name in ("horizon", "loss_fraction", "margin", "cost_multiplier")
        ],
        "recalibration": context.recalibration.as_json(),
        "calibration_check": None if context.observed is None else context.observed.as_json(),
        "expected_profit_at_risk": monte_carlo.total(np.ones(len(audience))).as_json(),
        "observed_profit_at_risk": _observe_total(context),
        "profit_concentration": find_concentration(audience.table["profit_at_risk"].to_numpy()),
        "n_missing_profit": int(audience.table["profit"].isna().sum()),
        "n_simulations": assumptions.simulations,
        "offers": _summarise_offers(plan, context),
        "plan": _summarise_plan(plan, context),
        "control_group": _summarise_control(plan, audience, planning),
        "power": summarise_power(plan, audience, planning),
        **(_build_scenarios(plan, context) if scenarios else EMPTY_SCENARIOS),
    }
    return {**document, "cautions": find_cautions(document)}


def _observe_total(context: PlanningContext) -> dict[str, float] | None:
    """Return the profit at risk of all who declined; None for customers without outcomes."""
    if context.outcomes is None:
        return None
    everybody = np.full(len(context.audience), "all")
    return context.monte_carlo.observed_totals(everybody, context.outcomes)["all"].as_json()


SHARE_OF_ONE, SHARE_OF_FIRST = 0.2, 0.5
"""Largest shares of the profit at risk that the first customer, and the first 1 %, should carry."""


def find_concentration(at_risk: np.ndarray) -> dict[str, Any]:
    """Return how few customers carry how much of the profit at risk, and what is much.

    It is the first customer if this one carries much, or else the first 1 % of the customers.

    >>> find_concentration(np.array([6.0, 1.0, 1.0]))
    {'n_first': 1, 'share': 0.75, 'limit': 0.2}
    """
    ordered, total = np.sort(at_risk)[::-1], max(float(at_risk.sum()), np.finfo(float).tiny)
    one, n_first = float(ordered[0] / total), max(len(at_risk) // 100, 1)
    if one > SHARE_OF_ONE:
        return {"n_first": 1, "share": one, "limit": SHARE_OF_ONE}
    first = float(ordered[:n_first].sum() / total)
    return {"n_first": n_first, "share": first, "limit": SHARE_OF_FIRST}


def _summarise_offers(plan: CampaignPlan, context: PlanningContext) -> list[dict[str, Any]]:
    """Return one object per offer, in the order of the catalogue."""
    assumptions, treated = context.settings.assumptions, plan.treated_offer_index
    even = break_even(context.audience, plan.offers, assumptions, treated)
    return [
        _summarise_offer(plan, index, context.monte_carlo, even[name])
        for index, name in enumerate(plan.offers.names)
    ]


def _summarise_offer(
    plan: CampaignPlan, index: int, monte_carlo: MonteCarlo, even: BreakEven
) -> dict[str, Any]:
    offers, name = plan.offers, plan.offers.names[index]
    offer = offers.catalogue.offers[name]
    chosen, treated = plan.offer_index == index, plan.treated_offer_index == index
    cost, net = offers.cost[treated, index].sum(), offers.net[treated, index].sum()
    return {
        "name": name,
        "label": offer.label.model_dump(),
        "channel": offer.channel,
        "needs_consent": offer.needs_consent,
        "n_eligible": int(offers.eligible[:, index].sum()),
        "n_chosen": int(chosen.sum()),
        "n_treated": int(treated.sum()),
        "n_control": int(plan.control.is_control[chosen].sum()),
        "expected_cost": float(cost),
        "expected_saved": float(cost + net),
        "expected_net": monte_carlo.plan(np.where(treated, index, -1), offers).as_json(),
        "capacity": offer.capacity,
        "shadow_price": None if offer.capacity is None else price_capacity(plan, index),
        "save_rate": _summarise_save_rate(offer.save_rate),
        "break_even_save_rate": even.save_rate,
        "break_even_contact_cost": even.contact_cost,
    }


def _summarise_save_rate(beta: Beta) -> dict[str, float]:
    low, high = save_rate_quantiles(beta, (0.025, 0.975))
    return {**beta.model_dump(), "value": beta.mean, "low": low, "high": high}


def _summarise_plan(plan: CampaignPlan, context: PlanningContext) -> dict[str, Any]:
    allocation, treated = plan.allocation, plan.treated_offer_index
    planning = context.settings.planning
    return {
        "n_chosen": int((plan.offer_index >= 0).sum()),
        "n_treated": int((treated >= 0).sum()),
        "n_control": int(plan.control.is_control.sum()),
        "n_paying": int(plan.offers.pays.any(axis=1).sum()),
        "expected_cost": plan.expected_cost,
        "budget": planning.budget,
        "max_contacts": planning.max_contacts,
        "unmet_minimums": unmet_minimums(plan, context.audience, planning),
        "expected_saved": plan.expected_net + plan.expected_cost,
        "expected_net": context.monte_carlo.plan(treated, plan.offers).as_json(),
        "relative_gap": allocation.relative_gap,
        "method": allocation.method,
        "is_optimal": allocation.is_optimal,
    }


def _summarise_control(
    plan: CampaignPlan, audience: Audience, planning: CampaignConfig
) -> dict[str, Any]:
    """Return the size of the control group by segment and offer."""
    rows = np.flatnonzero(plan.offer_index >= 0)
    table = pd.DataFrame(
        {
            "segment": np.asarray(audience.segments)[rows],
            "offer": np.array(plan.offers.names, dtype=object)[plan.offer_index[rows]],
            "control": plan.control.is_control[rows],
        }
    )
    counts = table.groupby(["segment", "offer"], sort=True)["control"].agg(["size", "sum"])
    return {
        "share": planning.control_share,
        "n_attempts": plan.control.n_attempts,
        "strata": [
            {"segment": segment, "offer": offer, "n_chosen": int(size), "n_control": int(control)}
            for (segment, offer), size, control in counts.itertuples()
        ],
    }


EMPTY_SCENARIOS: dict[str, Any] = {
    "profit_curve": None,
    "empc": None,
    "shadow_prices": None,
    "sensitivity": None,
    "budget_curve": [],
}


def _build_scenarios(plan: CampaignPlan, context: PlanningContext) -> dict[str, Any]:
    """Return results under other limits, other assumptions and other targets."""
    audience, settings = context.audience, context.settings
    return {
        "profit_curve": profit_curve(audience, plan.offers).as_json(),
        "empc": _compute_empc(context),
        "shadow_prices": compute_shadow_prices(plan, audience, settings),
        "sensitivity": analyse_sensitivity(plan, Scenario(plan.offers, audience, settings)),
        "budget_curve": compute_budget_curve(plan, settings.planning.control_share),
    }


def _compute_empc(context: PlanningContext) -> dict[str, Any] | None:
    """Return the EMPC of the scores for the cheapest offer; None if no outcome is known."""
    if context.outcomes is None:
        return None
    settings, name = context.settings, cheapest_offer(context.settings.catalogue)
    offer = settings.catalogue.offers[name]
    empc = of_offer(context.audience, context.outcomes.declined, offer, settings.assumptions)
    return {"offer": name, **empc.as_json()}
