"""Allocation of offers: the plan of the highest net value within a campaign's limits.

Each customer gets at most one offer. The total cost stays within a budget, each offer within its
capacity, all contacts within a maximum, and segments get their minimum of contacts. Small problems
are solved to a proven optimum, by HiGHS if prices alone do not prove it; large ones by prices of
the limits (the Lagrangian dual) and a repair. Every plan comes with an upper bound of all plans.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.campaign.allocation.customer_pool import CustomerArrays, CustomerPool
from retain.campaign.allocation.dual import compute_shares
from retain.campaign.allocation.exact import improve_choice, solve_exactly
from retain.campaign.allocation.limits import PlanLimits, Prices
from retain.campaign.allocation.prices import LAST_TEMPERATURE, DualSolution, solve_dual
from retain.campaign.allocation.problem import Problem, bound_prices, check_minimums, estimate_scale
from retain.campaign.allocation.ties import hash_keys, sample_offers, shuffle_ties
from retain.errors import RetainError

__all__ = ["Allocation", "Problem", "allocate"]

OPTIMALITY_GAP = 1e-9
"""Relative gap below which a plan counts as optimal, given the rounding of sums."""


@dataclass(frozen=True)
class Allocation:
    """A plan with an upper bound of all plans and the prices of its limits.

    Attributes
    ----------
    offer_index
        (n,) index of the offer, −1 for none.
    objective, cost
        Net value of the plan, and its use of the budget.
    upper_bound
        Upper bound of the net value of every plan.
    relative_gap
        (upper_bound − objective) / |upper_bound|, at least 0; 0 if both are 0. Lower is better.
    method
        "exact" if HiGHS sought the best of all plans, "dual" if prices and a repair were enough.
    is_optimal
        Whether no plan is better.
    budget_price, capacity_prices, contact_price, min_contacts_prices
        Net value gained by one more unit of the budget, one more place of each offer (m,), one
        more contact, and lost by one more required contact in each segment (k,); 0 if a limit does
        not bind, or is 0 itself (see ``planning.sensitivity`` for these).
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
    """Return the plan of the highest net value, proven for up to ``exact_up_to`` pairs.

    A pair of customer and offer counts if it is eligible and has a positive net value. No other
    pair is ever chosen, not even for a minimum.

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
    plan = PartialPlan(np.full(len(arrays), -1, np.int16), limits, 0.0 * limits.finite_upper, 0.0)
    if not problem.net.size:
        prices = Prices(0.0 * limits.finite_upper, limits.n_offers)
        return _to_allocation(problem, plan, prices, 0.0, "exact")
    scale = estimate_scale(arrays)
    dual = solve_dual(arrays, limits, bound_prices(problem, limits, scale), scale, plan.offer_index)
    if dual.upper_bound < -OPTIMALITY_GAP * scale * len(arrays):
        raise _infeasible_error()  # no plan has a negative net value
    plan.usage, plan.net = dual.usage, dual.net
    plan.assign(dual.pool, _share_out(problem, dual, LAST_TEMPERATURE * scale))
    goal = max(GOOD_GAP * abs(dual.upper_bound), GOOD_GAP_SHARE * scale)
    pool, bound, method = plan.repair(dual, goal), dual.upper_bound, "dual"
    known = -np.inf if pool is None else plan.net
    if bound - known > OPTIMALITY_GAP * abs(bound) and _has_at_most(arrays, exact_up_to):
        pool, method = arrays.select_all(), "exact"
        bound = _improve_exactly(plan, pool, dual, known)
    if pool is None:
        raise _infeasible_error()
    order = _hash_rows(problem, pool)
    plan.offer_index[pool.rows] = shuffle_ties(pool, plan.offer_index[pool.rows], order)
    return _to_allocation(problem, plan, dual.prices, bound, method)


def _share_out(problem: Problem, dual: DualSolution, temperature: float) -> np.ndarray:
    """Return the best choice of the pool's customers; equal choices are shared out."""
    shares, _ = compute_shares(dual.pool, dual.prices, temperature)
    return sample_offers(shares, _hash_rows(problem, dual.pool))


def _hash_rows(problem: Problem, pool: CustomerPool) -> np.ndarray:
    return hash_keys(problem.select_keys(pool.rows), problem.seed)


def _has_at_most(arrays: CustomerArrays, n_pairs: int) -> bool:
    """Return whether at most ``n_pairs`` pairs of customer and offer can be chosen."""
    count = 0
    for chunk in arrays.iter_chunks():
        count += int((chunk.net > 0).sum())
        if count > n_pairs:
            return False
    return True


GOOD_GAP, GOOD_GAP_SHARE = 5e-6, 0.03
"""Gap above which a plan is improved: as a share of the bound, or of a typical net value."""
REPAIR_CUSTOMERS = (150, 600, 3_000)
"""Customers nearest to their margin who choose anew, until the plan is within its limits."""


@dataclass
class PartialPlan:
    """A plan with its usage and net value.

    Attributes
    ----------
    offer_index
        (customers,) index of the offer, −1 for none.
    usage, net
        Usage of each limit (limits,), and net value.
    """

    offer_index: np.ndarray
    limits: PlanLimits
    usage: np.ndarray
    net: float

    def assign(self, pool: CustomerPool, choice: np.ndarray) -> None:
        """Set the choice for the customers of a pool, who have none yet."""
        usage, net = pool.compute_usage(choice, self.limits)
        self.offer_index[pool.rows] = choice
        self.usage = self.usage + usage
        self.net += net

    def unassign(self, pool: CustomerPool) -> np.ndarray:
        """Remove the choice for the customers of a pool and return it."""
        choice: np.ndarray = self.offer_index[pool.rows]
        usage, net = pool.compute_usage(choice, self.limits)
        self.usage = self.usage - usage
        self.net -= net
        return choice

    def repair(self, dual: DualSolution, goal: float) -> CustomerPool | None:
        """Bring the plan within its limits, near its bound; return the pool, None if it fails.

        The customers nearest to their margin choose anew, within what the others leave.
        """
        if (self.usage <= self.limits.upper).all() and dual.upper_bound - self.net <= goal:
            return dual.pool
        for size in REPAIR_CUSTOMERS:
            marginal = _select_marginal(dual, self.offer_index, size)
            before = self.unassign(marginal)
            rest = self.limits.subtract(self.usage)
            choice = improve_choice(marginal, rest, dual.prices, goal)
            self.assign(marginal, before if choice is None else choice)
            if choice is not None:
                return dual.pool
        return None


def _select_marginal(dual: DualSolution, offer_index: np.ndarray, size: int) -> CustomerPool:
    """Return the customers nearest to a change of choice.

    Half are the nearest of all. Half are the nearest of each kind, by current and next best choice,
    so that equal customers do not crowd out moves that fit.
    """
    pool = dual.pool
    if len(pool) <= size:
        return pool
    reduced = pool.with_no_offer(pool.apply_prices(dual.prices))
    choice, column = offer_index[pool.rows].astype(np.intp), np.arange(len(pool))
    own = reduced[choice, column]  # −1, no offer, is the last row
    reduced[choice, column] = -np.inf
    order = np.argsort(own - reduced.max(axis=0), kind="stable")
    kind = ((choice + 1) * len(reduced) + reduced.argmax(axis=0))[order]
    by_kind = order[np.argsort(_rank_within_kind(kind), kind="stable")]
    return pool.select(np.union1d(order[: size // 2], by_kind[: size // 2]))


def _rank_within_kind(kind: np.ndarray) -> np.ndarray:
    """Return the number of earlier entries of the same kind, for each entry.

    >>> _rank_within_kind(np.array([7, 3, 7, 7, 3])).tolist()
    [0, 0, 1, 2, 1]
    """
    by_kind = np.argsort(kind, kind="stable")
    starts = np.flatnonzero(np.diff(kind[by_kind], prepend=-1))
    rank = np.empty(len(kind), dtype=np.intp)
    rank[by_kind] = np.arange(len(kind)) - np.repeat(starts, np.diff([*starts, len(kind)]))
    return rank


def _improve_exactly(
    plan: PartialPlan, pool: CustomerPool, dual: DualSolution, known: float
) -> float:
    """Take over the plan of HiGHS if it is better than the known one; return its upper bound."""
    exact = solve_exactly(pool, plan.limits, dual.prices, dual.upper_bound, known)
    if exact.offer_index is None and not np.isfinite(known):
        raise _infeasible_error()
    if exact.offer_index is None:
        return exact.upper_bound
    before = plan.unassign(pool)
    plan.assign(pool, exact.offer_index)
    if plan.net < known:
        plan.unassign(pool)
        plan.assign(pool, before)
    return exact.upper_bound


def _infeasible_error() -> RetainError:
    return RetainError(
        "no plan was found that meets the segments' minimums within budget, capacities and "
        "contacts. Lower a minimum or raise a limit."
    )


def _to_allocation(
    problem: Problem, plan: PartialPlan, prices: Prices, bound: float, method: str
) -> Allocation:
    bound = max(bound, plan.net)
    gap = (bound - plan.net) / abs(bound) if bound != plan.net else 0.0
    min_prices = np.zeros(0 if problem.min_contacts is None else len(problem.min_contacts))
    min_prices[: len(prices.min_contacts)] = prices.min_contacts
    return Allocation(
        offer_index=plan.offer_index,
        objective=plan.net,
        cost=float(plan.usage[0]),
        upper_bound=bound,
        relative_gap=gap,
        method=method,
        is_optimal=gap <= OPTIMALITY_GAP,
        budget_price=prices.budget,
        capacity_prices=prices.capacity.copy(),
        contact_price=prices.contacts,
        min_contacts_prices=min_prices,
    )
