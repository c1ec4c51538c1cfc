"""A plan told offer by offer, and which effect its control group can show.

May import: schema; campaign.audience, campaign.break_even, campaign.monte_carlo, campaign.planned,
campaign.power.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from retain.campaign.audience import Audience
from retain.campaign.monte_carlo import MonteCarlo
from retain.campaign.planned import Planned
from retain.campaign.power import detectable, needed
from retain.schema import Beta, Planning


def offers_told(plan: Planned, audience: Audience, draws: MonteCarlo) -> list[dict[str, Any]]:
    """One object an offer, in the order of the catalogue."""
    return [_offer(plan, at, audience, draws) for at in range(len(plan.offers.names))]


def _offer(plan: Planned, at: int, audience: Audience, draws: MonteCarlo) -> dict[str, Any]:
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
        **_break_even(plan, at, audience),
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
    chosen = plan.chosen >= 0
    segments = np.asarray(audience.segments)
    return {
        "alpha": planning.alpha,
        "power": planning.power,
        "overall": _power(plan, audience, chosen, planning),
        "segments": [
            {"segment": str(name), **_power(plan, audience, chosen & (segments == name), planning)}
            for name in np.unique(segments[chosen])
        ],
    }


def _power(
    plan: Planned, audience: Audience, inside: np.ndarray, planning: Planning
) -> dict[str, Any]:
    """Effects are differences of the shares that decline, in [0, 1]."""
    held = plan.holdout.control & inside
    treated, control = int(inside.sum() - held.sum()), int(held.sum())
    risk = audience.table["risk"].to_numpy()[inside]
    baseline = float(risk.mean()) if len(risk) else None
    saved = risk * plan.of_chosen(plan.offers.save_rate)[inside]
    hoped = float(saved.mean()) if len(risk) else 0.0
    level = {"alpha": planning.alpha, "power": planning.power}
    seen = None if baseline is None else detectable(treated, control, baseline, **level)
    return {
        "treated": treated,
        "control": control,
        "baseline": baseline,
        "detectable": seen,
        "hoped": hoped,
        "needed": None if baseline is None or hoped <= 0 else needed(baseline, hoped, **level),
        "promised": seen is not None and hoped >= seen,
    }
