"""The best plan there is, by HiGHS, among the choices that the bound leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack

from retain.campaign.allocation.limits import Limits, Prices
from retain.campaign.allocation.pool import CustomerPool
from retain.campaign.allocation.price_region import compute_usage
from retain.campaign.allocation.repair import ROUNDING_SHARE

STATUS_OPTIMAL, STATUS_INFEASIBLE = 0, 2
"""What scipy's status says of a plan, or of there being none."""

MAX_NODES = 1_000
"""Nodes of the search at most; without a clock, so that every machine ends with the same plan."""


@dataclass(frozen=True)
class ExactSolution:
    """What HiGHS found.

    Attributes
    ----------
    offer_index
        (customers,) −1 for nothing; None where no plan was found.
    upper_bound
        No plan brings more.
    may_exist
        Whether there is any plan; True also where that is unknown.
    """

    offer_index: np.ndarray | None
    upper_bound: float
    may_exist: bool


@dataclass(frozen=True)
class ReducedProblem:
    """Customers with more than one choice left.

    Attributes
    ----------
    pool, limits
        The customers, and what all others leave of the limits.
    is_open
        (offers + 1, customers) which choices are left; the last is nothing.
    max_slack
        (limits,) the most of each limit that a better plan than the known one leaves unused.
    scale
        What net values are multiplied by, so that HiGHS's tolerances are small to them.
    """

    pool: CustomerPool
    limits: Limits
    is_open: np.ndarray
    max_slack: np.ndarray
    scale: float


def solve_exactly(
    pool: CustomerPool, limits: Limits, prices: Prices, bound: float, known: float
) -> ExactSolution:
    """The plan of the highest net value.

    A choice that loses more against the prices than lies between the bound and the net value of a
    ``known`` plan, −inf without one, is in no better plan (Balas & Zemel 1980); nor does a better
    plan leave more unused than that is worth. What is left is small.
    """
    reduced = np.vstack([pool.apply_prices(prices), np.zeros(len(pool))])
    loss = reduced.max(axis=0) - reduced
    room = (bound - known) * (1 + 1e-9)
    left = np.isfinite(loss) & (loss <= room)
    sure = left.sum(axis=0) == 1
    offer_index = np.where(sure, left.argmax(axis=0), -1).astype(np.int16)
    offer_index[offer_index == len(pool.net)] = -1
    usage, net = compute_usage(pool, offer_index, limits)
    places = np.flatnonzero(~sure)
    slack = np.full(len(prices.vector), np.inf)
    np.divide(room, prices.vector, out=slack, where=prices.vector > 0)
    scale = 1e3 / abs(bound) if bound else 1.0
    core = ReducedProblem(
        pool.select(places), limits.subtract(usage), left[:, places], slack, scale
    )
    found = _solve_reduced(core)
    if found.offer_index is None:
        none_better = not found.may_exist and np.isfinite(known)
        return ExactSolution(None, known if none_better else bound, found.may_exist)
    offer_index[places] = found.offer_index
    return ExactSolution(offer_index, min(bound, net + found.upper_bound), found.may_exist)


def _solve_reduced(core: ReducedProblem) -> ExactSolution:
    """The best choice for a core, held to its limits: HiGHS's tolerance may pass a budget."""
    found = _run_highs(core)
    if found.offer_index is None:
        return found
    usage, _ = compute_usage(core.pool, found.offer_index, core.limits)
    over = usage - core.limits.upper - ROUNDING_SHARE * np.abs(core.limits.finite_upper)
    if (over <= 0).all():
        return found
    less = Limits(core.limits.upper - 2 * np.maximum(over, 0), core.limits.n_offers)
    again = _run_highs(replace(core, limits=less))
    if (
        again.offer_index is None
        or (compute_usage(core.pool, again.offer_index, less)[0] > core.limits.upper).any()
    ):
        return ExactSolution(None, found.upper_bound, may_exist=True)
    return replace(again, upper_bound=found.upper_bound)


def _run_highs(core: ReducedProblem) -> ExactSolution:
    """What HiGHS says of a core."""
    pool, limits = core.pool, core.limits
    offer, customer = np.nonzero(core.is_open[:-1])
    cells, given = len(offer), limits.is_finite
    if not cells:
        fits = bool((limits.finite_upper[given] >= -1e-9).all())
        nothing = np.full(len(pool), -1, dtype=np.int16)
        return ExactSolution(nothing if fits else None, 0.0, may_exist=fits)
    price = pool.cost[offer, customer]
    found = milp(
        np.concatenate([-core.scale * pool.net[offer, customer], np.zeros(limits.n_offers)]),
        integrality=np.concatenate(
            [np.full(cells, _costs_vary(price, offer)), np.ones(limits.n_offers)]
        ),
        bounds=Bounds(0, np.concatenate([np.ones(cells), np.full(limits.n_offers, len(pool))])),
        constraints=[*_build_constraints(core, offer, customer)],
        options={"mip_rel_gap": 0.0, "node_limit": MAX_NODES},
    )
    if found.x is None:
        return ExactSolution(None, np.inf, may_exist=found.status != STATUS_INFEASIBLE)
    offer_index, taken = np.full(len(pool), -1, dtype=np.int16), found.x[:cells] > 0.5
    offer_index[customer[taken]] = offer[taken]
    if found.status == STATUS_OPTIMAL:
        bound = float(pool.net[offer[taken], customer[taken]].sum())
    else:
        bound = -float(found.mip_dual_bound) / core.scale
    return ExactSolution(offer_index, bound, may_exist=True)


def _costs_vary(price: np.ndarray, offer: np.ndarray) -> bool:
    """Whether any offer costs one customer more than another.

    Where none does, only the counts must be whole numbers: to give offers so many times is a
    transport, whose corners are whole.
    """
    order = np.argsort(offer, kind="stable")
    same = np.diff(offer[order]) == 0
    return bool((np.diff(price[order])[same] != 0).any())


def _build_constraints(
    core: ReducedProblem, offer: np.ndarray, customer: np.ndarray
) -> Iterator[LinearConstraint]:
    """Limits, one offer a customer, and each offer's count, a variable good to branch on."""
    pool, limits = core.pool, core.limits
    given, cells = limits.is_finite, len(offer)
    rows, unit = _build_usage_matrix(pool, offer, customer, limits), np.ones(len(limits.upper))
    unit[0] = float(pool.cost.mean()) or 1.0
    lowest = (limits.upper[given] - core.max_slack[given]) / unit[given]
    max_prices = limits.upper[given] / unit[given]
    ones = np.ones(cells)
    once = csr_array((ones, (customer, range(cells))), shape=(len(pool), cells))
    counts = csr_array((ones, (offer, range(cells))), shape=(limits.n_offers, cells))
    must = np.where(core.is_open[-1], 0.0, 1.0)
    for matrix, least, most in (
        (csr_array(rows[given] / unit[given, None]), lowest, max_prices),
        (once, must, np.ones(len(pool))),
    ):
        empty = csr_array((matrix.shape[0], limits.n_offers))
        yield LinearConstraint(hstack([matrix, empty], format="csr"), least, most)
    equal = hstack([counts, -eye_array(limits.n_offers)], format="csr")
    yield LinearConstraint(equal, 0.0, 0.0)


def _build_usage_matrix(
    pool: CustomerPool, offer: np.ndarray, customer: np.ndarray, limits: Limits
) -> np.ndarray:
    """(limits, cells) what each open choice uses of each limit."""
    rows = np.zeros((len(limits.upper), len(offer)))
    rows[0] = pool.cost[offer, customer]
    rows[1 + offer, range(len(offer))] = 1
    rows[1 + limits.n_offers] = 1
    if pool.segment is not None:
        rows[2 + limits.n_offers + pool.segment[customer], range(len(offer))] = -1
    return rows
