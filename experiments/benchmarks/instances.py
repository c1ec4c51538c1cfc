"""Made-up campaigns of any size: who may be offered what, what it brings and what it costs."""

from __future__ import annotations

from typing import Any

import numpy as np

OFFERS = 9
PART = 250_000
"""Customers made at a time, so that making them takes no more memory than holding them."""


def made_up(
    customers: int, seed: int, *, per_offer: bool = False, rounded: bool = False
) -> dict[str, Any]:
    """Arguments of a problem: budget 5–90 % of demand, 0–9 binding capacities.

    Demand is what everybody's best offer costs. Risk, stake and what an offer saves are drawn as
    the economics of a campaign have them: net = risk × save rate × stake − cost, where the cost is
    per contact and, unless ``per_offer``, per expected redemption as well. ``rounded`` rounds the
    risk to 1 %, the stake to 10, and takes the same save rates for all, so that masses are equal.
    """
    random = np.random.default_rng(seed)
    terms = {
        "save": random.beta(6, 14, OFFERS),
        "boost": random.uniform(1, 1.8, OFFERS),
        "contact": random.uniform(0.05, 1.5, OFFERS),
        "redeemed": random.uniform(0, 5, OFFERS),
        "stay": random.uniform(0, 0.3, OFFERS),
        "open": random.uniform(0.4, 0.95, OFFERS),
    }
    cost = terms["contact"] + 0.3 * terms["redeemed"]
    made = {
        "net": np.empty((customers, OFFERS)),
        "cost": cost if per_offer else np.empty((customers, OFFERS)),
        "eligible": np.empty((customers, OFFERS), dtype=bool),
    }
    demand, counts = 0.0, np.zeros(OFFERS)
    for start in range(0, customers, PART):
        part = slice(start, min(start + PART, customers))
        _fill(made, part, terms, random, rounded=rounded)
        wanted, offers = _demand(made, part)
        demand += wanted
        counts += offers
    return {**made, **_limits(demand, counts, random)}


def _fill(
    made: dict[str, np.ndarray],
    part: slice,
    terms: dict[str, np.ndarray],
    random: np.random.Generator,
    *,
    rounded: bool,
) -> None:
    """Draw some customers."""
    n = part.stop - part.start
    risk, stake = random.beta(2, 4, n), random.lognormal(3.5, 0.9, n)
    boosted = np.where(random.random((n, OFFERS)) < 0.3, terms["boost"], 1.0)
    if rounded:
        risk, stake, boosted = risk.round(2), stake.round(-1), np.ones((n, OFFERS))
    saved = risk[:, None] * np.minimum(terms["save"] * boosted, 1)
    per_offer = made["cost"].ndim == 1
    cost = made["cost"] if per_offer else made["cost"][part]
    if not per_offer:
        stays = (1 - risk[:, None]) * terms["stay"]
        cost[:] = terms["contact"] + (saved + stays) * terms["redeemed"]
    made["net"][part] = saved * stake[:, None] - cost
    agreed = random.random(n) < 0.7
    made["eligible"][part] = (random.random((n, OFFERS)) < terms["open"]) & agreed[:, None]


def _demand(made: dict[str, np.ndarray], part: slice) -> tuple[float, np.ndarray]:
    """Return the cost of customers' best offers, and the count of each."""
    net = np.where(made["eligible"][part], made["net"][part], -np.inf)
    best, on = net.argmax(axis=1), net.max(axis=1) > 0
    cost = np.broadcast_to(
        made["cost"] if made["cost"].ndim == 1 else made["cost"][part], net.shape
    )
    paid = cost[np.arange(len(net)), best][on].sum()
    return float(paid), np.bincount(best[on], minlength=OFFERS)


def _limits(demand: float, counts: np.ndarray, random: np.random.Generator) -> dict[str, Any]:
    share, binding = random.uniform(0.05, 0.9), int(random.integers(0, OFFERS + 1))
    capacity, which = np.full(OFFERS, np.inf), random.permutation(OFFERS)[:binding]
    tight = random.uniform(0.1, 0.8, binding) * min(1.0, 1.5 * share)
    capacity[which] = np.floor(counts[which] * tight)
    return {"budget": share * demand, "capacity": capacity}
