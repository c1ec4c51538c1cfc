"""``campaign.json``: the plan in numbers, for programs and for the page, which adds none.

May import: schema; campaign.*, but for campaign.campaign. Money is ``{value, low, high}`` in the
unit of profit, and shares lie in [0, 1]. Its keys:

    id                  tells this campaign from others: the hash of all the rest
    customers           how many there are, and ``contactable`` how many agreed to be contacted
    consent             stated | given | not_stated: what the source and the store say of it
    unit                of all money
    assumptions         horizon, share_lost, margin, cost: value and range
    calibration         recalibration of the scores
    profit_at_risk      of all customers; ``draws`` of the Monte Carlo
    profit_curve, empc  how many to target, by expected profit
    offers              one object an offer: who may have it, who does, what it costs and saves
    plan                all of it together, and how far it can be from the best
    prices              shadow prices: see campaign.prices
    control, power      who is held out, and which effect can then be seen
    sensitivity         see campaign.sensitivity
    budgets             the plan at budgets from small to saturation
    cautions            what a reader should know, by code

The file besides has ``schema``; ``settings``: segmentation, value, offers and campaign as they
were asked for; ``files``: the SHA-256 of its tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.campaign.planning.budgets import budget_curve
from retain.campaign.planning.cautions import cautions
from retain.campaign.planning.planned import Planned
from retain.campaign.planning.prices import prices
from retain.campaign.planning.sensitivity import Setting, sensitivity
from retain.campaign.planning.told import offers_told, power_told
from retain.campaign.settings import Settings
from retain.campaign.worth.break_even import cheapest
from retain.campaign.worth.empc import of_offer
from retain.campaign.worth.monte_carlo import MonteCarlo
from retain.campaign.worth.profit_curve import profit_curve
from retain.campaign.worth.recalibration import Recalibration
from retain.schema import Planning


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


def document(plan: Planned, basis: Basis, *, what_ifs: bool = True) -> dict[str, Any]:
    """The tree of ``campaign.json``, in plain values.

    Without ``what_ifs`` what takes further plans to tell is null or empty.
    """
    audience, draws, settings = basis.audience, basis.draws, basis.settings
    planning, value = settings.planning, settings.value
    told: dict[str, Any] = {
        "seed": planning.seed,
        "customers": len(audience),
        "contactable": int(audience.table["contactable"].sum()),
        "consent": audience.consent,
        "unit": audience.profit_unit,
        "assumptions": [
            {"name": name, **getattr(value, name).model_dump()}
            for name in ("horizon", "share_lost", "margin", "cost")
        ],
        "calibration": _calibration(basis.recalibration),
        "profit_at_risk": draws.total(np.ones(len(audience))).as_json(),
        "draws": value.draws,
        "offers": offers_told(plan, audience, draws, value),
        "plan": _plan(plan, draws, planning),
        "control": _control(plan, audience, planning),
        "power": power_told(plan, audience, planning),
        **(_what_ifs(plan, basis) if what_ifs else NO_WHAT_IFS),
    }
    return {**told, "cautions": cautions(told)}


NO_WHAT_IFS: dict[str, Any] = {
    "profit_curve": None,
    "empc": None,
    "prices": None,
    "sensitivity": None,
    "budgets": [],
}


def _what_ifs(plan: Planned, basis: Basis) -> dict[str, Any]:
    """How else it could be: other limits, other assumptions, others targeted."""
    audience, settings = basis.audience, basis.settings
    catalogue, value, planning = settings.catalogue, settings.value, settings.planning
    setting = Setting(plan.offers, audience, catalogue, value, planning)
    return {
        "profit_curve": profit_curve(audience, plan.offers).as_json(),
        "empc": _empc(basis),
        "prices": prices(plan, audience, settings),
        "sensitivity": sensitivity(setting),
        "budgets": _budgets(plan, settings.planning),
    }


def _calibration(found: Recalibration) -> dict[str, Any]:
    low, high = found.slope_interval
    return {**found.as_json(), "slope_low": low, "slope_high": high}


def _empc(basis: Basis) -> dict[str, Any] | None:
    """Of the scores, by the cheapest offer's terms; None where nobody knows who declined."""
    if basis.declined is None:
        return None
    catalogue = basis.settings.catalogue
    name = cheapest(catalogue)
    found = of_offer(basis.audience, basis.declined, catalogue.offers[name], basis.settings.value)
    return {"offer": name, **found.as_json()}


def _plan(plan: Planned, draws: MonteCarlo, planning: Planning) -> dict[str, Any]:
    found, treated = plan.allocation, plan.treated
    cost = float(plan.of_chosen(plan.offers.cost, treated).sum())
    net = float(plan.of_chosen(plan.offers.net, treated).sum())
    return {
        "chosen": int((plan.chosen >= 0).sum()),
        "treated": int((treated >= 0).sum()),
        "control": int(plan.holdout.control.sum()),
        "cost": cost,
        "budget": planning.budget,
        "contacts": planning.contacts,
        "saved": net + cost,
        "net": draws.plan(treated, plan.offers).as_json(),
        "value": found.value,
        "bound": found.bound,
        "gap": found.gap,
        "method": found.method,
        "proven": found.proven,
    }


def _budgets(plan: Planned, planning: Planning) -> list[dict[str, Any]]:
    """Budget and net value of those treated, and how many are chosen, from small to saturation."""
    treated = 1 - planning.control
    return [
        {**one, "budget": treated * one["budget"], "net": treated * one["net"]}
        for one in budget_curve(plan.problem)
    ]


def _control(plan: Planned, audience: Audience, planning: Planning) -> dict[str, Any]:
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
        "share": planning.control,
        "draws": plan.holdout.draws,
        "strata": [
            {"segment": segment, "offer": offer, "chosen": int(size), "control": int(held)}
            for (segment, offer), size, held in found.itertuples()
        ],
    }
