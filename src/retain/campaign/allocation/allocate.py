"""Who is offered what: the plan of the highest net value within a campaign's limits.

Each customer gets at most one offer; what all cost stays within a budget, each offer within its
capacity, all contacts within a cap, and segments get the contacts they must have. Small problems
are solved to a proven optimum, by HiGHS where prices alone do not prove it; large ones by prices
of the limits (the Lagrangian dual) and a repair. Every plan comes with its certificate: a bound
that no plan can pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.campaign.allocation.dual_solution import DualSolution, solve_dual
from retain.campaign.allocation.exact import solve_exactly
from retain.campaign.allocation.limits import Prices
from retain.campaign.allocation.partial_plan import PartialPlan, hash_keys, sample_offers
from retain.campaign.allocation.pool import CustomerArrays, CustomerPool
from retain.campaign.allocation.problem import Problem, bound_prices, check_minimums, estimate_scale
from retain.errors import RetainError

__all__ = ["Allocation", "Problem", "allocate"]

OPTIMALITY_GAP = 1e-9
"""Gap below which a plan is the best there is, as far as sums of numbers can tell."""


@dataclass(frozen=True)
class Allocation:
    """A plan, its certificate and the prices of its limits.

    Attributes
    ----------
    offer_index
        (n,) index of the offer, −1 for nothing.
    value, cost
        Its net value, and what it uses of the budget.
    upper_bound
        No plan brings more.
    relative_gap
        (bound − value) / |bound|, at least 0; 0 where both are 0. Lower is better.
    method
        "exact" where HiGHS was asked, "dual" where prices and a repair were enough.
    is_optimal
        Whether no plan is better.
    budget_price, capacity_prices, contacts_price, min_contacts_prices
        Net value that one more unit of the budget, one more place of each offer (m,), one more
        contact would add, and that one more contact asked of each segment (k,) would take away;
        0 where a limit does not bind, or nothing may be used of it at all.
    """

    offer_index: np.ndarray
    objective: float
    cost: float
    upper_bound: float
    relative_gap: float
    method: str
    is_optimal: bool
    budget_price: float
    capacity_prices: np.ndarray
    contact_price: float
    min_contacts_prices: np.ndarray


def allocate(problem: Problem, *, exact_up_to: int = 20_000) -> Allocation:
    """The plan of the highest net value, proven for up to ``exact_up_to`` live cells.

    A cell, a customer with an offer, is live when it is eligible and either worth something or
    in a segment with a minimum. Nothing of negative net value is chosen unless a minimum asks.

    Raises
    ------
    RetainError
        When no plan can meet the minimums within the limits.

    >>> net = np.array([[5.0, 4.0], [3.0, 3.5], [-1.0, 2.0]])
    >>> plan = allocate(Problem(net, cost=np.array([1.0, 2.0]), budget=3.0))
    >>> plan.offer_index.tolist(), plan.objective, plan.cost, plan.relative_gap
    ([0, 1, -1], 8.5, 3.0, 0.0)
    """
    arrays, limits = problem.arrays, problem.limits
    if limits.n_segments:
        check_minimums(arrays, limits)
    draft = PartialPlan.empty(len(arrays), limits)
    if not problem.net.size:
        return _to_allocation(
            problem, draft, Prices(0.0 * limits.finite_upper, limits.n_offers), 0.0, "exact"
        )
    scale = estimate_scale(arrays)
    found = solve_dual(
        arrays, limits, bound_prices(problem, limits, scale), scale, draft.offer_index
    )
    if found.upper_bound < len(arrays) * min(float(problem.net.min()), 0.0):
        raise _infeasible_error()  # not even the worst plan would do
    draft.usage, draft.net, pool = found.usage, found.net, found.pools[0]
    draft.assign(
        pool, sample_offers(found.shares, hash_keys(problem.select_keys(pool.rows), problem.seed))
    )
    repaired, bound, method = draft.repair(found, arrays), found.upper_bound, "dual"
    known = -np.inf if repaired is None else draft.net
    if bound - known > OPTIMALITY_GAP * abs(bound) and _has_at_most(arrays, exact_up_to):
        repaired, method = arrays.select_all(), "exact"
        bound = _solve_rest(draft, repaired, found, known)
    if repaired is None:
        raise _infeasible_error()
    draft.break_ties(repaired, hash_keys(problem.select_keys(repaired.rows), problem.seed))
    draft.drop_losses(arrays)
    return _to_allocation(problem, draft, found.prices, bound, method)


def _has_at_most(arrays: CustomerArrays, most: int) -> bool:
    """Whether at most so many cells are live."""
    live = 0
    for chunk in arrays.iter_chunks():
        pool = chunk.select(np.arange(len(chunk)))
        live += int((pool.net > (0.0 if pool.segment is None else -np.inf)).sum())
        if live > most:
            return False
    return True


def _solve_rest(draft: PartialPlan, pool: CustomerPool, found: DualSolution, known: float) -> float:
    """The bound of HiGHS, whose plan becomes the draft where it is better than the known one."""
    solved = solve_exactly(pool, draft.limits, found.prices, found.upper_bound, known)
    if solved.offer_index is None and not np.isfinite(known):
        raise _infeasible_error()
    if solved.offer_index is None:
        return solved.upper_bound
    before = draft.unassign(pool)
    draft.assign(pool, solved.offer_index)
    if draft.net < known:
        draft.unassign(pool)
        draft.assign(pool, before)
    return solved.upper_bound


def _infeasible_error() -> RetainError:
    return RetainError(
        "no plan was found that meets the segments' minimums within budget, capacities and "
        "contacts. Lower a minimum or raise a limit."
    )


def _to_allocation(
    problem: Problem, draft: PartialPlan, prices: Prices, bound: float, method: str
) -> Allocation:
    """The plan with its certificate."""
    bound = max(bound, draft.net)
    gap = (bound - draft.net) / abs(bound) if bound != draft.net else 0.0
    least = np.zeros(0 if problem.min_contacts is None else len(problem.min_contacts))
    least[: len(prices.min_contacts)] = prices.min_contacts
    return Allocation(
        offer_index=draft.offer_index,
        objective=draft.net,
        cost=float(draft.usage[0]),
        upper_bound=bound,
        relative_gap=gap,
        method=method,
        is_optimal=gap <= OPTIMALITY_GAP,
        budget_price=prices.budget,
        capacity_prices=prices.capacity.copy(),
        contact_price=prices.contacts,
        min_contacts_prices=least,
    )
