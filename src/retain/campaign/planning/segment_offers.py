"""Few offers in each segment: the choice of them, and what it costs against a free plan.

With prices of the limits, the net value of a set of offers in a segment is the sum over its
customers of the best reduced value, none below 0. The best set of each segment is found at the
prices of the free plan, then at those of the plan within these sets. The sums at any prices bound
every such plan from above (Lagrangian duality), so the plan has a proven gap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from retain.campaign.allocation.allocate import OPTIMALITY_GAP, Allocation, Problem, allocate
from retain.campaign.allocation.limits import Prices
from retain.errors import RetainError
from retain.record.approval_document import SegmentOffersInfo
from retain.schema.campaign import CampaignConfig

MAX_SETS = 1_000
"""Sets of offers up to which all are tried; of more, sets grow by the best next offer."""
N_ROUNDS = 3
"""Choices of sets, each at the prices of the plan before."""


@dataclass(frozen=True)
class SegmentOffers:
    """The offers of each segment.

    Attributes
    ----------
    allowed
        True where an offer is one of a segment's, shape (segments, m).
    codes
        Index of each customer's segment, shape (n,).
    upper_bound
        Upper bound of the net value of every plan with as few offers.
    free_net
        Net value of the free plan, treated and control together.
    """

    allowed: np.ndarray
    codes: np.ndarray
    upper_bound: float
    free_net: float

    def restrict(self, eligible: np.ndarray) -> np.ndarray:
        """Return ``eligible`` (n, m) without the offers that are not the segment's."""
        return np.asarray(eligible & self.allowed[self.codes])

    def to_info(self, objective: float, planning: CampaignConfig) -> SegmentOffersInfo:
        """Return what few offers a segment cost a plan of this net value, of the treated."""
        share = 1 - planning.control_share
        return SegmentOffersInfo(
            limit=planning.offers_per_segment or 0,
            free_net=share * self.free_net,
            cost=share * max(self.free_net - objective, 0.0),
        )

    def certify(self, allocation: Allocation) -> Allocation:
        """Return a plan with its gap to the best of all plans with as few offers."""
        bound = max(self.upper_bound, allocation.objective)
        gap = (bound - allocation.objective) / abs(bound) if bound else 0.0
        is_optimal = gap <= OPTIMALITY_GAP
        return replace(allocation, upper_bound=bound, relative_gap=gap, is_optimal=is_optimal)


def choose_segment_offers(
    problem: Problem, codes: np.ndarray, n_segments: int, n_offers: int
) -> SegmentOffers:
    """Choose at most ``n_offers`` offers for each segment.

    Parameters
    ----------
    problem
        The free problem.
    codes
        Index of each customer's segment, shape (n,).
    """
    free = plan = allocate(problem, exact_up_to=0)
    eligible = np.asarray(problem.eligible, dtype=bool)
    best, bound = -np.inf, free.upper_bound
    allowed = np.ones((n_segments, problem.net.shape[1]), dtype=bool)
    for _ in range(N_ROUNDS):
        sets, dual = _choose_sets(problem, codes, n_segments, n_offers, _prices(plan, problem))
        bound = min(bound, dual)
        try:
            restricted = replace(problem, eligible=eligible & sets[codes])
            plan = allocate(restricted, exact_up_to=0)
        except RetainError:
            break  # these sets cannot meet the segments' minimums
        if plan.objective <= best:
            break
        best, allowed = plan.objective, sets
    return SegmentOffers(allowed, codes, bound, free.objective)


def _prices(plan: Allocation, problem: Problem) -> Prices:
    minimums = plan.min_contacts_prices[: problem.limits.n_segments]
    vector = np.hstack([plan.budget_price, plan.capacity_prices, plan.contact_price, minimums])
    return Prices(vector, len(plan.capacity_prices))


def _choose_sets(
    problem: Problem, codes: np.ndarray, n_segments: int, n_offers: int, prices: Prices
) -> tuple[np.ndarray, float]:
    """Return the best set of each segment (segments, m), and a bound of all plans with such."""
    count = problem.net.shape[1]
    size = min(n_offers, count)
    limits = float(prices.vector @ problem.limits.finite_upper)
    if math.comb(count, size) <= MAX_SETS:
        sets = [list(one) for one in combinations(range(count), size)]
        worths = _sum_worths(problem, codes, n_segments, [sets] * n_segments, prices)
        chosen = [sets[one] for one in worths.argmax(axis=1)]
        bound = limits + float(worths.max(axis=1).sum())
    else:
        chosen, bound = [[] for _ in range(n_segments)], np.inf
        for _ in range(size):
            longer = [[[*one, j] for j in range(count)] for one in chosen]
            worths = _sum_worths(problem, codes, n_segments, longer, prices)
            chosen = [sets[k] for sets, k in zip(longer, worths.argmax(axis=1), strict=True)]
    allowed = np.zeros((n_segments, count), dtype=bool)
    for segment, one in enumerate(chosen):
        allowed[segment, one] = True
    return allowed, bound


def _sum_worths(
    problem: Problem,
    codes: np.ndarray,
    n_segments: int,
    sets: list[list[list[int]]],
    prices: Prices,
) -> np.ndarray:
    """Return the summed worth of each set of a segment, shape (segments, sets)."""
    worths = np.zeros((n_segments, len(sets[0])))
    for chunk in problem.arrays.iter_chunks():
        reduced = chunk.apply_prices(prices)
        for segment in np.unique(codes[chunk.rows]):
            inside = reduced[:, codes[chunk.rows] == segment]
            for k, one in enumerate(sets[segment]):
                worths[segment, k] += np.maximum(inside[one].max(axis=0), 0.0).sum()
    return worths
