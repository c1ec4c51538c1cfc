"""Who is offered what: the plan of the highest net value within a campaign's limits.

Each customer gets at most one offer; what all cost stays within a budget, each offer within its
capacity, all contacts within a cap, and segments get the contacts they must have. Small problems
are solved to a proven optimum, by HiGHS where prices alone do not prove it; large ones by prices
of the limits (the Lagrangian dual) and a repair. Every plan comes with its certificate: a bound
that no plan can pass.

May import: errors, campaign.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.campaign.bounding import Bounded, bounded
from retain.campaign.cells import Cells
from retain.campaign.exact import best
from retain.campaign.limits import Limits, Prices
from retain.campaign.pool import Pool
from retain.campaign.problem import Problem, check_minimums, highest, usual
from retain.campaign.repair import nearest, repaired
from retain.campaign.settling import usage
from retain.campaign.ties import dealt, drawn, hashed
from retain.errors import RetainError

PROVEN = 1e-9
"""Gap below which a plan is the best there is, as far as sums of numbers can tell."""
GOOD = 1e-7
"""Gap below which a large plan is not improved further."""
NEAR = (400, 3_200, 25_600)
"""Customers nearest to their margin among whom a repair is tried, until one comes off."""


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


def allocate(problem: Problem, *, exact_cells: int = 20_000) -> Allocation:
    """The plan of the highest net value, proven for up to ``exact_cells`` live cells.

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
    draft = Draft.empty(cells, limits)
    if not problem.net.size:
        return _told(problem, draft, Prices(0.0 * limits.most, limits.offers), 0.0, "exact")
    scale = usual(cells)
    found = bounded(cells, limits, highest(problem, limits, scale), scale, draft.chosen)
    pool = found.pools[0]
    draft.used, draft.net = found.used, found.net
    draft.put(pool, drawn(found.shares, hashed(problem.names[pool.rows], problem.seed)))
    pool, fits = _repaired(draft, found, cells)
    bound, method = found.bound, "dual"
    if not _close(bound, draft, fits=fits) and _live(cells, exact_cells):
        pool, method = cells.everybody(), "exact"
        bound = _solved(draft, pool, found, fits=fits)
    elif not fits:
        raise _none_fits()
    _deal(draft, pool, problem)
    _drop_losses(draft, cells)
    return _told(problem, draft, found.prices, bound, method)


@dataclass
class Draft:
    """A plan in the making, and what it uses and brings."""

    chosen: np.ndarray
    limits: Limits
    used: np.ndarray
    net: float

    @classmethod
    def empty(cls, cells: Cells, limits: Limits) -> Draft:
        """The plan that does nothing."""
        return cls(np.full(len(cells), -1, dtype=np.int16), limits, 0.0 * limits.finite, 0.0)

    def put(self, pool: Pool, choice: np.ndarray) -> None:
        """Choose for the customers of a pool, for whom nothing was chosen or counted."""
        used, net = usage(pool, choice, self.limits)
        self.chosen[pool.rows] = choice
        self.used = self.used + used
        self.net += net

    def take(self, pool: Pool) -> np.ndarray:
        """The choice for a pool, which no longer counts."""
        choice = self.chosen[pool.rows]
        used, net = usage(pool, choice, self.limits)
        self.used = self.used - used
        self.net -= net
        return choice


def _repaired(draft: Draft, found: Bounded, cells: Cells) -> tuple[Pool, bool]:
    """The pool in which the draft was brought within its limits, and whether it was."""
    goal = GOOD * abs(found.bound)
    for pool in (*found.pools, None):
        pool = _users(draft, cells) if pool is None else pool
        for many in NEAR:
            place = nearest(pool, found.prices, draft.chosen[pool.rows], many)
            some = pool.part(place)
            choice = draft.take(some)
            left = draft.limits.less(draft.used)
            new = repaired(some, choice, left, found.prices, goal)
            draft.put(some, choice if new is None else new)
            if new is not None:
                return pool, True
            if many >= len(pool):
                break
    return pool, False


def _users(draft: Draft, cells: Cells) -> Pool:
    """All who use a limit that the draft exceeds, or could help a segment that lacks contacts."""
    over = draft.used > draft.limits.most
    offers = draft.limits.offers
    which = (draft.chosen >= 0) & (over[0] | over[1 + offers])
    which |= np.isin(draft.chosen, np.flatnonzero(over[1 : 1 + offers]))
    if cells.segment is not None:
        which |= over[2 + offers :][cells.segment]
    return cells.pool(np.flatnonzero(which))


def _close(bound: float, draft: Draft, *, fits: bool) -> bool:
    """Whether the bound alone proves the draft."""
    return fits and bound - draft.net <= PROVEN * abs(bound)


def _live(cells: Cells, most: int) -> bool:
    """Whether at most so many cells can be chosen with any sense."""
    live = 0
    for block in cells.blocks():
        pool = block.part(np.arange(len(block)))
        needed = pool.net > (-np.inf if pool.segment is not None else 0)
        live += int(needed.sum())
        if live > most:
            return False
    return True


def _solved(draft: Draft, pool: Pool, found: Bounded, *, fits: bool) -> float:
    """The bound of HiGHS, whose plan becomes the draft where it is better."""
    known = draft.net if fits else -np.inf
    solved = best(pool, draft.limits, found.prices, found.bound, known)
    if solved.chosen is None:
        if not fits:
            raise _none_fits()
        return found.bound
    before = draft.take(pool)
    draft.put(pool, solved.chosen)
    if draft.net < known:
        draft.take(pool)
        draft.put(pool, before)
    return max(solved.bound, draft.net)


def _none_fits() -> RetainError:
    return RetainError(
        "no plan was found that meets the segments' minimums within budget, capacities and "
        "contacts. Lower a minimum or raise a limit."
    )


def _deal(draft: Draft, pool: Pool, problem: Problem) -> None:
    """Let the seed decide among equal customers."""
    order = hashed(problem.names[pool.rows], problem.seed)
    draft.chosen[pool.rows] = dealt(pool, draft.chosen[pool.rows], order)


def _drop_losses(draft: Draft, cells: Cells) -> None:
    """Take back what brings a loss where a segment has more contacts than it must have."""
    first = 2 + draft.limits.offers
    for segment in range(draft.limits.segments):
        most = draft.limits.most[first + segment]
        spare = int(most - draft.used[first + segment]) if np.isfinite(most) else len(cells)
        if spare <= 0 or cells.segment is None:
            continue
        (rows,) = np.nonzero((cells.segment == segment) & (draft.chosen >= 0))
        net = cells.net[rows, draft.chosen[rows]]
        worst = rows[np.argsort(net, kind="stable")[: min(spare, int((net < 0).sum()))]]
        if len(worst):
            pool = cells.pool(worst)
            draft.take(pool)
            draft.put(pool, np.full(len(worst), -1, dtype=np.int16))


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
