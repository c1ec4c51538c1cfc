"""The best plan there is, by HiGHS, among the choices that the bound leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack

from retain.campaign.allocation.cooling import usage
from retain.campaign.allocation.limits import Limits, Prices
from retain.campaign.allocation.pool import Pool
from retain.campaign.allocation.repair import SLACK

OPTIMAL, INFEASIBLE = 0, 2
"""What scipy's status says of a plan, or of there being none."""

NODES = 1_000
"""Nodes of the search at most; without a clock, so that every machine ends with the same plan."""


@dataclass(frozen=True)
class Solved:
    """What HiGHS found.

    Attributes
    ----------
    chosen
        (customers,) −1 for nothing; None where no plan was found.
    bound
        No plan brings more.
    possible
        Whether there is any plan; True also where that is unknown.
    """

    chosen: np.ndarray | None
    bound: float
    possible: bool


@dataclass(frozen=True)
class Core:
    """Customers with more than one choice left.

    Attributes
    ----------
    pool, limits
        The customers, and what all others leave of the limits.
    left
        (offers + 1, customers) which choices are left; the last is nothing.
    slack
        (limits,) the most of each limit that a better plan than the known one leaves unused.
    scale
        What net values are multiplied by, so that HiGHS's tolerances are small to them.
    """

    pool: Pool
    limits: Limits
    left: np.ndarray
    slack: np.ndarray
    scale: float


def best(pool: Pool, limits: Limits, prices: Prices, bound: float, known: float) -> Solved:
    """The plan of the highest net value.

    A choice that loses more against the prices than lies between the bound and the net value of a
    ``known`` plan, −inf without one, is in no better plan (Balas & Zemel 1980); nor does a better
    plan leave more unused than that is worth. What is left is small.
    """
    reduced = np.vstack([pool.reduced(prices), np.zeros(len(pool))])
    loss = reduced.max(axis=0) - reduced
    room = (bound - known) * (1 + 1e-9)
    left = np.isfinite(loss) & (loss <= room)
    sure = left.sum(axis=0) == 1
    chosen = np.where(sure, left.argmax(axis=0), -1).astype(np.int16)
    chosen[chosen == len(pool.net)] = -1
    used, net = usage(pool, chosen, limits)
    places = np.flatnonzero(~sure)
    slack = np.full(len(prices.vector), np.inf)
    np.divide(room, prices.vector, out=slack, where=prices.vector > 0)
    scale = 1e3 / abs(bound) if bound else 1.0
    core = Core(pool.part(places), limits.less(used), left[:, places], slack, scale)
    found = _solved(core)
    if found.chosen is None:
        none_better = not found.possible and np.isfinite(known)
        return Solved(None, known if none_better else bound, found.possible)
    chosen[places] = found.chosen
    return Solved(chosen, min(bound, net + found.bound), found.possible)


def _solved(core: Core) -> Solved:
    """The best choice for a core, held to its limits: HiGHS's tolerance may pass a budget."""
    found = _milp(core)
    if found.chosen is None:
        return found
    used, _ = usage(core.pool, found.chosen, core.limits)
    over = used - core.limits.most - SLACK * np.abs(core.limits.finite)
    if (over <= 0).all():
        return found
    less = Limits(core.limits.most - 2 * np.maximum(over, 0), core.limits.offers)
    again = _milp(replace(core, limits=less))
    if again.chosen is None or (usage(core.pool, again.chosen, less)[0] > core.limits.most).any():
        return Solved(None, found.bound, possible=True)
    return replace(again, bound=found.bound)


def _milp(core: Core) -> Solved:
    """What HiGHS says of a core."""
    pool, limits = core.pool, core.limits
    offer, customer = np.nonzero(core.left[:-1])
    cells, given = len(offer), limits.given
    if not cells:
        fits = bool((limits.finite[given] >= -1e-9).all())
        nothing = np.full(len(pool), -1, dtype=np.int16)
        return Solved(nothing if fits else None, 0.0, possible=fits)
    price = pool.cost[offer, customer]
    found = milp(
        np.concatenate([-core.scale * pool.net[offer, customer], np.zeros(limits.offers)]),
        integrality=np.concatenate([np.full(cells, _vary(price, offer)), np.ones(limits.offers)]),
        bounds=Bounds(0, np.concatenate([np.ones(cells), np.full(limits.offers, len(pool))])),
        constraints=[*_constraints(core, offer, customer)],
        options={"mip_rel_gap": 0.0, "node_limit": NODES},
    )
    if found.x is None:
        return Solved(None, np.inf, possible=found.status != INFEASIBLE)
    chosen, taken = np.full(len(pool), -1, dtype=np.int16), found.x[:cells] > 0.5
    chosen[customer[taken]] = offer[taken]
    if found.status == OPTIMAL:
        bound = float(pool.net[offer[taken], customer[taken]].sum())
    else:
        bound = -float(found.mip_dual_bound) / core.scale
    return Solved(chosen, bound, possible=True)


def _vary(price: np.ndarray, offer: np.ndarray) -> bool:
    """Whether any offer costs one customer more than another.

    Where none does, only the counts must be whole numbers: to give offers so many times is a
    transport, whose corners are whole.
    """
    order = np.argsort(offer, kind="stable")
    same = np.diff(offer[order]) == 0
    return bool((np.diff(price[order])[same] != 0).any())


def _constraints(core: Core, offer: np.ndarray, customer: np.ndarray) -> Iterator[LinearConstraint]:
    """Limits, one offer a customer, and each offer's count, a variable good to branch on."""
    pool, limits = core.pool, core.limits
    given, cells = limits.given, len(offer)
    rows, unit = _rows(pool, offer, customer, limits), np.ones(len(limits.most))
    unit[0] = float(pool.cost.mean()) or 1.0
    lowest = (limits.most[given] - core.slack[given]) / unit[given]
    highest = limits.most[given] / unit[given]
    ones = np.ones(cells)
    once = csr_array((ones, (customer, range(cells))), shape=(len(pool), cells))
    counts = csr_array((ones, (offer, range(cells))), shape=(limits.offers, cells))
    must = np.where(core.left[-1], 0.0, 1.0)
    for matrix, least, most in (
        (csr_array(rows[given] / unit[given, None]), lowest, highest),
        (once, must, np.ones(len(pool))),
    ):
        empty = csr_array((matrix.shape[0], limits.offers))
        yield LinearConstraint(hstack([matrix, empty], format="csr"), least, most)
    equal = hstack([counts, -eye_array(limits.offers)], format="csr")
    yield LinearConstraint(equal, 0.0, 0.0)


def _rows(pool: Pool, offer: np.ndarray, customer: np.ndarray, limits: Limits) -> np.ndarray:
    """(limits, cells) what each open choice uses of each limit."""
    rows = np.zeros((len(limits.most), len(offer)))
    rows[0] = pool.cost[offer, customer]
    rows[1 + offer, range(len(offer))] = 1
    rows[1 + limits.offers] = 1
    if pool.segment is not None:
        rows[2 + limits.offers + pool.segment[customer], range(len(offer))] = -1
    return rows
