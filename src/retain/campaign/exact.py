"""The best plan there is, by HiGHS, among the choices that the bound leaves open.

May import: campaign.limits, campaign.pool.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from retain.campaign.limits import Limits, Prices
from retain.campaign.pool import Pool
from retain.campaign.settling import usage

INFEASIBLE = 2
"""What scipy's status says where there is no plan."""

NODES = 20_000
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


def best(pool: Pool, limits: Limits, prices: Prices, bound: float, known: float) -> Solved:
    """The plan of the highest net value.

    A choice that loses more against the prices than lies between the bound and the net value of a
    ``known`` plan, −inf without one, is in no better plan (Balas & Zemel 1980); what is left is
    small.
    """
    reduced = np.vstack([pool.reduced(prices), np.zeros(len(pool))])
    loss = reduced.max(axis=0) - reduced
    left = np.isfinite(loss) & (loss <= (bound - known) * (1 + 1e-9))
    sure = left.sum(axis=0) == 1
    chosen = np.where(sure, left.argmax(axis=0), -1).astype(np.int16)
    chosen[chosen == len(pool.net)] = -1
    used, net = usage(pool, chosen, limits)
    core = np.flatnonzero(~sure)
    scale = 1e3 / abs(bound) if bound else 1.0
    chosen[core], rest, possible = _core(pool.part(core), left[:, core], limits.less(used), scale)
    if rest is None:
        return Solved(None, bound, possible)
    return Solved(chosen, min(bound, net + rest), possible)


def _core(
    pool: Pool, left: np.ndarray, limits: Limits, scale: float
) -> tuple[np.ndarray, float | None, bool]:
    """The best choice among what is left, a bound of what it brings, and whether there is any."""
    offer, customer = np.nonzero(left[:-1])
    cells = len(offer)
    if not cells:
        fits = bool((limits.finite[limits.given] >= -1e-9).all())
        return np.full(len(pool), -1), 0.0 if fits else None, fits
    rows = _rows(pool, offer, customer, limits)
    unit = np.ones(rows.shape[0])
    unit[0] = max(float(pool.cost.mean()), np.finfo(float).tiny)
    given = limits.given
    must = np.where(left[-1], 0.0, 1.0)
    one = csr_array((np.ones(cells), (customer, range(cells))), shape=(len(pool), cells))
    found = milp(
        -scale * pool.net[offer, customer],
        integrality=np.ones(cells),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(rows[given] / unit[given, None], ub=limits.most[given] / unit[given]),
            LinearConstraint(one, must, 1.0),
        ],
        options={"mip_rel_gap": 0.0, "node_limit": NODES},
    )
    choice = np.full(len(pool), -1)
    if found.x is None:
        return choice, None, found.status != INFEASIBLE
    taken = found.x > 0.5
    choice[customer[taken]] = offer[taken]
    optimum = found.fun if found.status == 0 else found.mip_dual_bound
    return choice, -float(optimum) / scale, True


def _rows(pool: Pool, offer: np.ndarray, customer: np.ndarray, limits: Limits) -> np.ndarray:
    """(limits, cells) what each open choice uses of each limit."""
    rows = np.zeros((len(limits.most), len(offer)))
    rows[0] = pool.cost[offer, customer]
    rows[1 + offer, range(len(offer))] = 1
    rows[1 + limits.offers] = 1
    if pool.segment is not None:
        rows[2 + limits.offers + pool.segment[customer], range(len(offer))] = -1
    return rows
