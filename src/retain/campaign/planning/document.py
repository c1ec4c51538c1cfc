"""``campaign.json``: the plan in numbers, for programs and for the page, which adds none.

    id                  tells this campaign from others: the hash of all the rest
    n_customers         all of them, and n_contactable: those who agreed to be contacted
    consent             from_data | assume_given | not_stated: who says that customers agreed
    profit_unit         of all money
    assumptions         horizon, loss_fraction, margin, cost_multiplier: value and range
    recalibration       what turns scores into probabilities
    profit_at_risk      of all customers; n_simulations of the Monte Carlo
    profit_curve, empc  how many to target, by expected profit
    offers              one object an offer: who may have it, who does, what it costs and saves
    plan                all of it together; objective: what was maximised, control group included
    shadow_prices       see planning/sensitivity.py
    control_group       its share and strata
    power               the effect expected, and the smallest that can be detected
    sensitivity         see planning/sensitivity.py
    budget_curve        the plan at budgets from small to saturation
    cautions            what a reader should know, by code

The file besides has ``schema``; ``settings``: segmentation, assumptions, offers and campaign as
they were asked for; ``files``: the SHA-256 of its tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from retain.campaign.audience import Audience, Settings
from retain.campaign.planning.plan import CampaignPlan
from retain.campaign.planning.power import power
from retain.campaign.planning.sensitivity import Setting, budget_curve, prices, sensitivity
from retain.campaign.value.break_even import BreakEven, break_even, cheapest
from retain.campaign.value.empc import of_offer
from retain.campaign.value.monte_carlo import MonteCarlo
from retain.campaign.value.profit_curve import profit_curve
from retain.campaign.value.recalibration import Recalibration
from retain.schema import Assumptions, Beta, CampaignConfig

Tree = Mapping[str, Any]


def cautions(campaign: Tree) -> list[dict[str, Any]]:
    """What there is to say of a campaign's tree, each with a ``code`` and its numbers."""
    return [{"code": code, **found} for code, look in LOOKS.items() if (found := look(campaign))]


def _no_consent_column(tree: Tree) -> dict[str, Any] | None:
    return {"n_customers": tree["n_customers"]} if tree["consent"] == "not_stated" else None


def _control_none(tree: Tree) -> dict[str, Any] | None:
    plan = tree["plan"]
    return {"n_chosen": plan["n_chosen"]} if plan["n_chosen"] and not plan["n_control"] else None


def _calibration_poor(tree: Tree) -> dict[str, Any] | None:
    """Scores that were no probabilities before they were recalibrated."""
    slope = tree["recalibration"]["slope"]
    return None if slope["low"] <= 1 <= slope["high"] else {"slope": slope["value"]}


def _nothing_pays(tree: Tree) -> dict[str, Any] | None:
    return {"n_customers": tree["n_customers"]} if tree["plan"]["n_chosen"] == 0 else None


def _may_lose(tree: Tree) -> dict[str, Any] | None:
    """A plan that may cost more than it saves, its assumptions being what they are."""
    net = tree["plan"]["expected_net"]
    return {"low": net["low"]} if tree["plan"]["n_chosen"] and net["low"] < 0 else None


LOOKS = {
    "no_consent_column": _no_consent_column,
    "nothing_pays": _nothing_pays,
    "control_none": _control_none,
    "calibration_poor": _calibration_poor,
    "may_lose": _may_lose,
}


def offers_told(
    plan: CampaignPlan, audience: Audience, draws: MonteCarlo, assumptions: Assumptions
) -> list[dict[str, Any]]:
    """One object an offer, in the order of the catalogue."""
    even = break_even(audience, plan.offers, assumptions, plan.treated)
    return [_offer(plan, at, draws, even[name]) for at, name in enumerate(plan.offers.names)]


def _offer(plan: CampaignPlan, at: int, draws: MonteCarlo, even: BreakEven) -> dict[str, Any]:
    offers, name = plan.offers, plan.offers.names[at]
    offer = offers.catalogue.offers[name]
    chosen, treated = plan.chosen == at, plan.treated == at
    only = np.where(treated, at, -1)
    cost, net = offers.cost[treated, at].sum(), offers.net[treated, at].sum()
    return {
        "name": name,
        "label": offer.label.model_dump(),
        "channel": offer.channel,
        "needs_consent": offer.needs_consent,
        "n_eligible": int(offers.eligible[:, at].sum()),
        "n_chosen": int(chosen.sum()),
        "n_treated": int(treated.sum()),
        "n_control": int(plan.holdout.control[chosen].sum()),
        "expected_cost": float(cost),
        "expected_saved": float(cost + net),
        "expected_net": draws.plan(only, offers).as_json(),
        "capacity": offer.capacity,
        "shadow_price": None
        if offer.capacity is None
        else float(plan.allocation.capacity_prices[at]),
        "save_rate": _rate(offer.save_rate),
        "break_even_save_rate": even.save_rate,
        "break_even_contact_cost": even.contact_cost,
    }


def _rate(beta: Beta) -> dict[str, float]:
    low, high = stats.beta.ppf([0.025, 0.975], beta.alpha, beta.beta)
    mean = beta.mean
    return {
        "alpha": beta.alpha,
        "beta": beta.beta,
        "value": mean,
        "low": float(low),
        "high": float(high),
    }


def power_told(plan: CampaignPlan, audience: Audience, planning: CampaignConfig) -> dict[str, Any]:
    """The smallest effect that can be seen in all and in each segment, and the one hoped for."""
    rows = np.flatnonzero(plan.chosen >= 0)
    risk = audience.table["risk"].to_numpy()[rows]
    saved = risk * plan.of_chosen(plan.offers.save_rate)[rows]
    table = pd.DataFrame({"held": plan.holdout.control[rows], "risk": risk, "saved": saved})
    segments = pd.Series(np.asarray(audience.segments)[rows], dtype=object)
    return {
        "alpha": planning.alpha,
        "power": planning.power,
        "overall": _power(table, planning),
        "segments": [
            {"segment": str(name), **_power(part, planning)}
            for name, part in table.groupby(segments, sort=True)
        ],
    }


def _power(chosen: pd.DataFrame, planning: CampaignConfig) -> dict[str, Any]:
    """Effects are differences of the shares that decline, in [0, 1]."""
    held = int(chosen["held"].sum())
    some = len(chosen) > 0
    found = power(
        len(chosen) - held,
        held,
        baseline=float(chosen["risk"].mean()) if some else 0.0,
        hoped=float(chosen["saved"].mean()) if some else 0.0,
        alpha=planning.alpha,
        power=planning.power,
    )
    return found.as_json()


@dataclass(frozen=True)
class Basis:
    """What a plan was made of.

    ``declined`` is 1 of those whose activity declined, shape (n,); None where nobody knows yet.
    """

    audience: Audience
    draws: MonteCarlo
    recalibration: Recalibration
    settings: Settings
    declined: np.ndarray | None


def document(plan: CampaignPlan, basis: Basis, *, what_ifs: bool = True) -> dict[str, Any]:
    """The tree of ``campaign.json``, in plain values.

    Without ``what_ifs`` what takes further plans to tell is null or empty.
    """
    audience, draws, settings = basis.audience, basis.draws, basis.settings
    planning, assumptions = settings.planning, settings.assumptions
    told: dict[str, Any] = {
        "seed": planning.seed,
        "n_customers": len(audience),
        "n_contactable": int(audience.table["contactable"].sum()),
        "consent": audience.consent,
        "profit_unit": audience.profit_unit,
        "assumptions": [
            {"name": name, **getattr(assumptions, name).model_dump()}
            for name in ("horizon", "loss_fraction", "margin", "cost_multiplier")
        ],
        "recalibration": basis.recalibration.as_json(),
        "profit_at_risk": draws.total(np.ones(len(audience))).as_json(),
        "n_simulations": assumptions.simulations,
        "offers": offers_told(plan, audience, draws, assumptions),
        "plan": _plan(plan, draws, planning),
        "control_group": _control(plan, audience, planning),
        "power": power_told(plan, audience, planning),
        **(_what_ifs(plan, basis) if what_ifs else NO_WHAT_IFS),
    }
    return {**told, "cautions": cautions(told)}


NO_WHAT_IFS: dict[str, Any] = {
    "profit_curve": None,
    "empc": None,
    "shadow_prices": None,
    "sensitivity": None,
    "budget_curve": [],
}


def _what_ifs(plan: CampaignPlan, basis: Basis) -> dict[str, Any]:
    """How else it could be: other limits, other assumptions, others targeted."""
    audience, settings = basis.audience, basis.settings
    catalogue, assumptions = settings.catalogue, settings.assumptions
    setting = Setting(plan.offers, audience, catalogue, assumptions, settings.planning)
    return {
        "profit_curve": profit_curve(audience, plan.offers).as_json(),
        "empc": _empc(basis),
        "shadow_prices": prices(plan, audience, settings),
        "sensitivity": sensitivity(setting),
        "budget_curve": _budgets(plan, settings.planning),
    }


def _empc(basis: Basis) -> dict[str, Any] | None:
    """Of the scores, by the cheapest offer's terms; None where nobody knows who declined."""
    if basis.declined is None:
        return None
    catalogue = basis.settings.catalogue
    name = cheapest(catalogue)
    found = of_offer(
        basis.audience, basis.declined, catalogue.offers[name], basis.settings.assumptions
    )
    return {"offer": name, **found.as_json()}


def _plan(plan: CampaignPlan, draws: MonteCarlo, planning: CampaignConfig) -> dict[str, Any]:
    found, treated = plan.allocation, plan.treated
    cost = float(plan.of_chosen(plan.offers.cost, treated).sum())
    net = float(plan.of_chosen(plan.offers.net, treated).sum())
    return {
        "n_chosen": int((plan.chosen >= 0).sum()),
        "n_treated": int((treated >= 0).sum()),
        "n_control": int(plan.holdout.control.sum()),
        "expected_cost": cost,
        "budget": planning.budget,
        "max_contacts": planning.max_contacts,
        "expected_saved": net + cost,
        "expected_net": draws.plan(treated, plan.offers).as_json(),
        "objective": found.value,
        "upper_bound": found.bound,
        "relative_gap": found.gap,
        "method": found.method,
        "is_optimal": found.proven,
    }


def _budgets(plan: CampaignPlan, planning: CampaignConfig) -> list[dict[str, Any]]:
    """Budget and net value of those treated, and how many are chosen, from small to saturation."""
    treated = 1 - planning.control_share
    return [
        {
            "budget": treated * one["budget"],
            "n_chosen": one["chosen"],
            "expected_net": treated * one["net"],
        }
        for one in budget_curve(plan.problem)
    ]


def _control(plan: CampaignPlan, audience: Audience, planning: CampaignConfig) -> dict[str, Any]:
    """Who is held out, by segment and offer."""
    rows = np.flatnonzero(plan.chosen >= 0)
    table = pd.DataFrame(
        {
            "segment": np.asarray(audience.segments)[rows],
            "offer": np.array(plan.offers.names, dtype=object)[plan.chosen[rows]],
            "control": plan.holdout.control[rows],
        }
    )
    found = table.groupby(["segment", "offer"], sort=True)["control"].agg(["size", "sum"])
    return {
        "share": planning.control_share,
        "n_attempts": plan.holdout.draws,
        "strata": [
            {"segment": segment, "offer": offer, "n_chosen": int(size), "n_control": int(held)}
            for (segment, offer), size, held in found.itertuples()
        ],
    }
