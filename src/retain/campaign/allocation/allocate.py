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

from retain.campaign.allocation.bounding import ValueBound, bound_value
from retain.campaign.allocation.draft import Draft, hash_ties, sample_ties
from retain.campaign.allocation.exact import best
from retain.campaign.allocation.limits import Prices
from retain.campaign.allocation.pool import Cells, Pool
from retain.campaign.allocation.problem import Problem, check_minimums, highest, usual
from retain.errors import RetainError

__all__ = ["Allocation", "Problem", "allocate"]

PROVEN = 1e-9
"""Gap below which a plan is the best there is, as far as sums of numbers can tell."""


@dataclass(frozen=True)
class Allocation:
    """A plan, its certificate and the prices of its limits.

    Attributes
    ----------
    chosen
        (n,) index of the offer, −1 for nothing.
    value, cost
        Its net value, and what it uses of the budget.
    bound
        No plan brings more.
    gap
        (bound − value) / |bound|, at least 0; 0 where both are 0. Lower is better.
    method
        "exact" where HiGHS was asked, "dual" where prices and a repair were enough.
    proven
        Whether no plan is better.
    budget_price, capacity_prices, contacts_price, least_prices
        Net value that one more unit of the budget, one more place of each offer (m,), one more
        contact would add, and that one more contact asked of each segment (k,) would take away;
        0 where a limit does not bind, or nothing may be used of it at all.
    """

    chosen: np.ndarray
    value: float
    cost: float
    bound: float
    gap: float
    method: str
    proven: bool
    budget_price: float
    capacity_prices: np.ndarray
    contacts_price: float
    least_prices: np.ndarray


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
    >>> plan.chosen.tolist(), plan.value, plan.cost, plan.gap
    ([0, 1, -1], 8.5, 3.0, 0.0)
    """
    cells, limits = problem.cells, problem.limits
    if limits.segments:
        check_minimums(cells, limits)
    draft = Draft.empty(len(cells), limits)
    if not problem.net.size:
        return _told(problem, draft, Prices(0.0 * limits.finite, limits.offers), 0.0, "exact")
    scale = usual(cells)
    found = bound_value(cells, limits, highest(problem, limits, scale), scale, draft.chosen)
    if found.bound < len(cells) * min(float(problem.net.min()), 0.0):
        raise _none_fits()  # not even the worst plan would do
    draft.used, draft.net, pool = found.used, found.net, found.pools[0]
    draft.put(pool, sample_ties(found.shares, hash_ties(problem.names(pool.rows), problem.seed)))
    repaired, bound, method = draft.repair(found, cells), found.bound, "dual"
    known = -np.inf if repaired is None else draft.net
    if bound - known > PROVEN * abs(bound) and _few(cells, exact_up_to):
        repaired, method = cells.everybody(), "exact"
        bound = _solved(draft, repaired, found, known)
    if repaired is None:
        raise _none_fits()
    draft.deal(repaired, hash_ties(problem.names(repaired.rows), problem.seed))
    draft.drop_losses(cells)
    return _told(problem, draft, found.prices, bound, method)


def _few(cells: Cells, most: int) -> bool:
    """Whether at most so many cells are live."""
    live = 0
    for block in cells.blocks():
        pool = block.part(np.arange(len(block)))
        live += int((pool.net > (0.0 if pool.segment is None else -np.inf)).sum())
        if live > most:
            return False
    return True


def _solved(draft: Draft, pool: Pool, found: ValueBound, known: float) -> float:
    """The bound of HiGHS, whose plan becomes the draft where it is better than the known one."""
    solved = best(pool, draft.limits, found.prices, found.bound, known)
    if solved.chosen is None and not np.isfinite(known):
        raise _none_fits()
    if solved.chosen is None:
        return solved.bound
    before = draft.take(pool)
    draft.put(pool, solved.chosen)
    if draft.net < known:
        draft.take(pool)
        draft.put(pool, before)
    return solved.bound


def _none_fits() -> RetainError:
    return RetainError(
        "no plan was found that meets the segments' minimums within budget, capacities and "
        "contacts. Lower a minimum or raise a limit."
    )


def _told(problem: Problem, draft: Draft, prices: Prices, bound: float, method: str) -> Allocation:
    """The plan with its certificate."""
    bound = max(bound, draft.net)
    gap = (bound - draft.net) / abs(bound) if bound != draft.net else 0.0
    least = np.zeros(0 if problem.least is None else len(problem.least))
    least[: len(prices.least)] = prices.least
    return Allocation(
        chosen=draft.chosen,
        value=draft.net,
        cost=float(draft.used[0]),
        bound=bound,
        gap=gap,
        method=method,
        proven=gap <= PROVEN,
        budget_price=prices.budget,
        capacity_prices=prices.capacity.copy(),
        contacts_price=prices.contacts,
        least_prices=least,
    )
