"""Best choice of a few customers by HiGHS: among all that the bound leaves open, or near enough."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack

from retain.campaign.allocation.customer_pool import CustomerPool
from retain.campaign.allocation.limits import PlanLimits, Prices

STATUS_OPTIMAL, STATUS_INFEASIBLE = 0, 2
"""Values of scipy's ``status``."""
ROUNDING_SHARE = 1e-12
"""Share of a limit by which the rounding of sums may exceed it."""
MAX_NODES = 1_000
"""Most nodes of the search. There is no time limit, so that all machines get the same plan."""


@dataclass(frozen=True)
class ExactSolution:
    """Result of HiGHS.

    Attributes
    ----------
    offer_index
        (customers,) −1 for no offer; None if no plan was found.
    upper_bound
        Upper bound of the net value of every plan.
    may_exist
        False if there is no plan at all.
    """

    offer_index: np.ndarray | None
    upper_bound: float
    may_exist: bool


@dataclass(frozen=True)
class ReducedProblem:
    """Problem of customers with several open choices.

    Attributes
    ----------
    pool, limits
        The customers, and the limits less the usage of all others.
    is_open
        (offers + 1, customers) True for open choices; the last is no offer.
    max_slack
        (limits,) largest slack of each limit in a plan better than the known one.
    scale
        Factor of net values that makes HiGHS's tolerances small.
    relative_gap
        Gap at which the search may stop, as a share of the net value.
    """

    pool: CustomerPool
    limits: PlanLimits
    is_open: np.ndarray
    max_slack: np.ndarray
    scale: float
    relative_gap: float = 0.0


def solve_exactly(
    pool: CustomerPool, limits: PlanLimits, prices: Prices, bound: float, known: float
) -> ExactSolution:
    """Return the plan of the highest net value.

    A choice whose loss against the prices exceeds the difference of the bound and the net value of
    a ``known`` plan, −inf without one, is in no better plan (Balas & Zemel 1980). Nor has a better
    plan a slack worth more than that. Few choices remain open.
    """
    reduced = pool.with_no_offer(pool.apply_prices(prices))
    loss = reduced.max(axis=0) - reduced
    gap = (bound - known) * (1 + 1e-9)
    is_open = np.isfinite(loss) & (loss <= gap)
    is_fixed = is_open.sum(axis=0) == 1
    offer_index = np.where(is_fixed, is_open.argmax(axis=0), -1).astype(np.int16)
    offer_index[offer_index == len(pool.net)] = -1
    usage, net = pool.compute_usage(offer_index, limits)
    index = np.flatnonzero(~is_fixed)
    slack = np.full(len(prices.vector), np.inf)
    np.divide(gap, prices.vector, out=slack, where=prices.vector > 0)
    scale = 1e3 / abs(bound) if bound else 1.0
    remaining = limits.subtract(usage)
    problem = ReducedProblem(pool.select(index), remaining, is_open[:, index], slack, scale)
    solution = _solve_reduced(problem)
    if solution.offer_index is None:
        none_better = not solution.may_exist and np.isfinite(known)
        return ExactSolution(None, known if none_better else bound, solution.may_exist)
    offer_index[index] = solution.offer_index
    return ExactSolution(offer_index, min(bound, net + solution.upper_bound), solution.may_exist)


N_REPAIR_CHOICES = 4
"""Choices of each customer, best first, that a repair may make."""


def improve_choice(
    pool: CustomerPool, limits: PlanLimits, prices: Prices, goal: float
) -> np.ndarray | None:
    """Return a choice within the limits, at most about ``goal`` below the best; None if none fits.

    ``limits`` exclude the usage of customers outside the pool.
    """
    reduced = pool.with_no_offer(pool.apply_prices(prices))
    n_closed = max(len(reduced) - N_REPAIR_CHOICES, 0)
    least = np.partition(reduced, n_closed, axis=0)[n_closed]
    is_open = np.isfinite(reduced) & (reduced >= least)
    is_open[-1] = True
    best = float(np.where(is_open, pool.with_no_offer(pool.net), -np.inf).max(axis=0).sum())
    slack, size = np.full(len(prices.vector), np.inf), max(best, 1e-300)
    problem = ReducedProblem(pool, limits, is_open, slack, 1e3 / size, goal / size)
    return _solve_reduced(problem).offer_index


def _solve_reduced(problem: ReducedProblem) -> ExactSolution:
    """Return the best choice within the limits, which HiGHS's tolerance may exceed."""
    pool, limits = problem.pool, problem.limits
    first = _run_highs(problem)
    if first.offer_index is None:
        return first
    usage, _ = pool.compute_usage(first.offer_index, limits)
    excess = usage - limits.upper - ROUNDING_SHARE * np.abs(limits.finite_upper)
    if (excess <= 0).all():
        return first
    tighter = PlanLimits(limits.upper - 2 * np.maximum(excess, 0), limits.n_offers)
    second = _run_highs(replace(problem, limits=tighter))
    if second.offer_index is not None:
        usage, _ = pool.compute_usage(second.offer_index, tighter)
        if (usage <= limits.upper).all():
            return replace(second, upper_bound=first.upper_bound)
    return ExactSolution(None, first.upper_bound, may_exist=True)


def _run_highs(problem: ReducedProblem) -> ExactSolution:
    pool, limits = problem.pool, problem.limits
    offer, customer = np.nonzero(problem.is_open[:-1])
    n_pairs = len(offer)
    offer_index = np.full(len(pool), -1, dtype=np.int16)
    if not n_pairs:
        fits = bool((limits.finite_upper[limits.is_finite] >= -1e-9).all())
        return ExactSolution(offer_index if fits else None, 0.0, may_exist=fits)
    is_integer = np.full(n_pairs, _costs_vary(pool.cost[offer, customer], offer))
    with _silent_stdout():
        result = milp(
            np.concatenate([-problem.scale * pool.net[offer, customer], np.zeros(limits.n_offers)]),
            integrality=np.concatenate([is_integer, np.ones(limits.n_offers)]),
            bounds=Bounds(
                0, np.concatenate([np.ones(n_pairs), np.full(limits.n_offers, len(pool))])
            ),
            constraints=[*_build_constraints(problem, offer, customer)],
            options={"mip_rel_gap": problem.relative_gap, "node_limit": MAX_NODES},
        )
    if result.x is None:
        return ExactSolution(None, np.inf, may_exist=result.status != STATUS_INFEASIBLE)
    is_chosen = result.x[:n_pairs] > 0.5
    offer, customer = offer[is_chosen], customer[is_chosen]
    offer_index[customer] = offer
    if result.status == STATUS_OPTIMAL and not problem.relative_gap:
        bound = float(pool.net[offer, customer].sum())
    else:
        bound = -float(result.mip_dual_bound) / problem.scale
    return ExactSolution(offer_index, bound, may_exist=True)


@contextmanager
def _silent_stdout() -> Iterator[None]:
    """Keep away from the standard output what HiGHS prints there, whatever its options say."""
    try:
        saved, flush = os.dup(1), ctypes.CDLL(None).fflush
    except (OSError, TypeError):  # closed, or a system that names its C library otherwise
        yield
        return
    flush(None)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
    try:
        yield
    finally:
        flush(None)
        os.dup2(saved, 1)
        os.close(saved)


def _costs_vary(cost: np.ndarray, offer: np.ndarray) -> bool:
    """Return whether the cost of any offer differs between customers.

    If none does, only the counts must be integers: the rest is a transportation problem, whose
    vertices are integer.
    """
    order = np.argsort(offer, kind="stable")
    same = np.diff(offer[order]) == 0
    return bool((np.diff(cost[order])[same] != 0).any())


def _build_constraints(
    problem: ReducedProblem, offer: np.ndarray, customer: np.ndarray
) -> Iterator[LinearConstraint]:
    """Yield limits, one offer per customer, and the count of each offer, to branch on."""
    pool, limits = problem.pool, problem.limits
    is_finite, n_pairs = limits.is_finite, len(offer)
    usage, unit = _build_usage_matrix(pool, offer, customer, limits), np.ones(len(limits.upper))
    unit[0] = float(pool.cost.mean()) or 1.0
    lower = (limits.upper[is_finite] - problem.max_slack[is_finite]) / unit[is_finite]
    upper = limits.upper[is_finite] / unit[is_finite]
    ones = np.ones(n_pairs)
    by_customer = csr_array((ones, (customer, range(n_pairs))), shape=(len(pool), n_pairs))
    by_offer = csr_array((ones, (offer, range(n_pairs))), shape=(limits.n_offers, n_pairs))
    min_offers = np.where(problem.is_open[-1], 0.0, 1.0)
    for matrix, low, high in (
        (csr_array(usage[is_finite] / unit[is_finite, None]), lower, upper),
        (by_customer, min_offers, np.ones(len(pool))),
    ):
        no_counts = csr_array((matrix.shape[0], limits.n_offers))
        yield LinearConstraint(hstack([matrix, no_counts], format="csr"), low, high)
    counts = hstack([by_offer, -eye_array(limits.n_offers)], format="csr")
    yield LinearConstraint(counts, 0.0, 0.0)


def _build_usage_matrix(
    pool: CustomerPool, offer: np.ndarray, customer: np.ndarray, limits: PlanLimits
) -> np.ndarray:
    """Return the usage (limits, pairs) of each limit by each open choice."""
    usage = np.zeros((len(limits.upper), len(offer)))
    usage[0] = pool.cost[offer, customer]
    usage[1 + offer, range(len(offer))] = 1
    usage[1 + limits.n_offers] = 1
    if pool.segment is not None:
        usage[2 + limits.n_offers + pool.segment[customer], range(len(offer))] = -1
    return usage
