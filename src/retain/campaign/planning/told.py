"""A plan told offer by offer, and which effect its control group can show.

May import: schema; campaign.audience, campaign.worth.break_even, campaign.worth.monte_carlo,
campaign.planning.planned, campaign.planning.power.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from retain.campaign.audience import Audience
from retain.campaign.planning.planned import Planned
from retain.campaign.planning.power import power
from retain.campaign.worth.break_even import BreakEven, break_even
from retain.campaign.worth.monte_carlo import MonteCarlo
from retain.schema import Beta, Planning, Value


def offers_told(
    plan: Planned, audience: Audience, draws: MonteCarlo, value: Value
) -> list[dict[str, Any]]:
    """One object an offer, in the order of the catalogue."""
    even = break_even(audience, plan.offers, value, plan.treated)
    return [_offer(plan, at, draws, even[name]) for at, name in enumerate(plan.offers.names)]


def _offer(plan: Planned, at: int, draws: MonteCarlo, even: BreakEven) -> dict[str, Any]:
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
        "eligible": int(offers.eligible[:, at].sum()),
        "chosen": int(chosen.sum()),
        "treated": int(treated.sum()),
        "control": int(plan.holdout.control[chosen].sum()),
        "cost": float(cost),
        "saved": float(cost + net),
        "net": draws.plan(only, offers).as_json(),
        "capacity": offer.capacity,
        "price": None if offer.capacity is None else float(plan.allocation.capacity_prices[at]),
        "save_rate": _rate(offer.save_rate),
        "break_even_save_rate": even.save_rate,
        "break_even_cost": even.contact_cost,
    }


def _rate(beta: Beta) -> dict[str, float]:
    low, high = stats.beta.ppf([0.025, 0.975], beta.alpha, beta.beta)
    mean = beta.mean
    return {
        "alpha": beta.alpha,
        "beta": beta.beta,
        "mean": mean,
        "low": float(low),
        "high": float(high),
    }


def power_told(plan: Planned, audience: Audience, planning: Planning) -> dict[str, Any]:
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


def _power(chosen: pd.DataFrame, planning: Planning) -> dict[str, Any]:
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
