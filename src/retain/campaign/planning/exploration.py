"""Exploration: customers who get an offer drawn at random, so that offers can be compared.

Customers come in a random order. To each, one offer is drawn from those that are possible then, all
with the same chance: the customer may get it, it has a place left, and what is left of the budget
pays for it. What is possible depends on who came before, never on the draw itself, so that the
chance of each offer is known exactly, within whatever limits. An offer need not pay: a plan that
offers only what is thought to pay never learns that the thought was wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from retain.campaign.allocation.allocate import Problem
from retain.campaign.planning.control import ceil_share

STREAM = 2**32
"""Tells the draws of offers from those of the control group, which have the same seed."""


@dataclass(frozen=True)
class Exploration:
    """The customers who explore, in the order in which they came.

    Attributes
    ----------
    n_customers, n_eligible
        All customers of the plan, and those of them who may get an offer.
    rows
        Their positions among all customers, shape (k,).
    offer
        Index of the offer drawn for each, shape (k,).
    possible
        True for the offers that it was drawn from, shape (k, m).
    cost
        Expected cost of that offer to each, shape (k,).
    """

    n_customers: int
    n_eligible: int
    rows: np.ndarray
    offer: np.ndarray
    possible: np.ndarray
    cost: np.ndarray

    def __len__(self) -> int:
        """Return the number of customers who explore."""
        return len(self.rows)

    @cached_property
    def explores(self) -> np.ndarray:
        """Mask of the customers who explore, shape (n,)."""
        mask = np.zeros(self.n_customers, dtype=bool)
        mask[self.rows] = True
        return mask

    @property
    def chance(self) -> np.ndarray:
        """Probability of each offer to be drawn, shape (k, m); rows add up to 1."""
        return np.asarray(self.possible / self.possible.sum(axis=1, keepdims=True))

    @property
    def n_possible(self) -> np.ndarray:
        """Offers that each customer's was drawn from, 1 if none was drawn, shape (n,)."""
        counts = np.ones(self.n_customers, dtype=int)
        counts[self.rows] = self.possible.sum(axis=1)
        return counts

    def first(self, count: int) -> Exploration:
        """Return the exploration of the customers who came first."""
        parts = (self.rows, self.offer, self.possible, self.cost)
        return Exploration(self.n_customers, self.n_eligible, *(part[:count] for part in parts))

    def join(self, offer_index: np.ndarray) -> np.ndarray:
        """Return each customer's offer, −1 for none: one drawn, or else that of a plan, (n,)."""
        joined = np.array(offer_index)
        joined[self.rows] = self.offer
        return joined

    def spread_cost(self) -> np.ndarray:
        """Return the expected cost of the offer drawn for each customer, 0 for none, (n,)."""
        spread = np.zeros(self.n_customers)
        spread[self.rows] = self.cost
        return spread

    def allow(self, eligible: np.ndarray) -> np.ndarray:
        """Return ``eligible`` (n, m) with the offers that were drawn from."""
        allowed = np.array(eligible)
        allowed[self.rows] |= self.possible
        return allowed

    def leave(self, problem: Problem) -> Problem:
        """Return the problem of all other customers, within what the limits leave them."""
        if not len(self):
            return problem
        eligible = np.array(np.broadcast_to(_eligible(problem), problem.net.shape))
        eligible[self.rows] = False
        counts = np.bincount(self.offer, minlength=problem.net.shape[1])
        contacts, budget = problem.max_contacts, problem.budget
        return replace(
            problem,
            eligible=eligible,
            budget=None if budget is None else max(budget - float(self.cost.sum()), 0.0),
            capacity=_capacity(problem) - counts,
            max_contacts=None if contacts is None else contacts - len(self),
            min_contacts=self._leave_minimums(problem, eligible),
        )

    def _leave_minimums(self, problem: Problem, eligible: np.ndarray) -> np.ndarray | None:
        """Return what is left of each segment's minimum, at most those for whom an offer pays."""
        if problem.min_contacts is None or problem.segment is None:
            return None
        size = len(problem.min_contacts)
        contacted = np.bincount(problem.segment[self.rows], minlength=size)
        pays = (eligible & (problem.net > 0)).any(axis=1)
        n_paying = np.bincount(problem.segment[pays], minlength=size)
        return np.asarray(np.clip(problem.min_contacts - contacted, 0, n_paying))


def explore(problem: Problem, share: float) -> Exploration:
    """Return the exploration by a share of the eligible customers, drawn by the problem's seed.

    It takes at most the same share of each limit: of the budget, of the contacts, and of the places
    of each offer, customers and places rounded up. It depends on keys, not on rows.
    """
    eligible = np.asarray(np.broadcast_to(_eligible(problem), problem.net.shape))
    rows = np.flatnonzero(eligible.any(axis=1)) if share > 0 else np.zeros(0, dtype=np.intp)
    rows = rows[np.argsort(problem.select_keys(rows), kind="stable")]
    random = np.random.default_rng([problem.seed, STREAM])
    rows, draws = rows[random.permutation(len(rows))], random.random(len(rows))
    n_eligible, most = len(rows), ceil_share(len(rows), share)
    if problem.max_contacts is not None:
        most = min(most, ceil_share(problem.max_contacts, share))
    lottery = _Lottery(
        budget=np.inf if problem.budget is None else share * problem.budget,
        places=np.array([_share_places(one, share) for one in _capacity(problem)]),
    )
    cost = np.broadcast_to(problem.cost, problem.net.shape)
    for row, draw in zip(rows.tolist(), draws.tolist(), strict=True):
        if len(lottery.rows) == most:
            break
        lottery.enter(row, draw, eligible[row], cost[row])
    return lottery.to_exploration(problem, n_eligible)


class _Lottery:
    """Draws of offers to one customer after the other, and what the limits still allow."""

    def __init__(self, budget: float, places: np.ndarray) -> None:
        self.budget, self.places = budget, places
        self.rows: list[int] = []
        self.offer: list[int] = []
        self.possible: list[np.ndarray] = []

    def enter(self, row: int, draw: float, eligible: np.ndarray, cost: np.ndarray) -> None:
        """Draw an offer for a customer by a number from 0 to 1, if any is possible."""
        possible = eligible & (self.places >= 1) & (cost <= self.budget)
        choices = np.flatnonzero(possible)
        if not len(choices):
            return
        offer = int(choices[int(draw * len(choices))])
        self.rows.append(row)
        self.offer.append(offer)
        self.possible.append(possible)
        self.places[offer] -= 1
        self.budget -= cost[offer]

    def to_exploration(self, problem: Problem, n_eligible: int) -> Exploration:
        """Return the draws so far."""
        n, m = problem.net.shape
        rows, offer = np.array(self.rows, dtype=np.intp), np.array(self.offer, dtype=np.intp)
        return Exploration(
            n_customers=n,
            n_eligible=n_eligible,
            rows=rows,
            offer=offer,
            possible=np.array(self.possible, dtype=bool).reshape(len(rows), m),
            cost=np.broadcast_to(problem.cost, (n, m))[rows, offer],
        )


def _eligible(problem: Problem) -> np.ndarray | bool:
    return True if problem.eligible is None else np.asarray(problem.eligible, dtype=bool)


def _capacity(problem: Problem) -> np.ndarray:
    n_offers = problem.net.shape[1]
    return np.full(n_offers, np.inf) if problem.capacity is None else np.array(problem.capacity)


def _share_places(places: float, share: float) -> float:
    return places if np.isinf(places) else float(ceil_share(int(places), share))
