"""What a campaign is worth at every budget, from a small one to one that changes nothing more.

May import: errors, campaign.allocation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

import numpy as np

from retain.campaign.allocation import Allocation, Problem, allocate
from retain.errors import RetainError

SMALLEST = 0.02
"""Share of the largest budget that the curve begins with."""


class Point(TypedDict):
    """A budget, how many are contacted with it, and what net value that brings."""

    budget: float
    chosen: int
    net: float


def budget_curve(problem: Problem, steps: int = 12) -> list[Point]:
    """Plans at ``steps`` budgets up to saturation, all other limits as they are.

    Saturation is what the plan without a budget costs: more is not spent. Budgets lie closer where
    they are small, where the curve bends. Plans are made by prices and repair alone, without
    HiGHS; a minimum that a small budget cannot meet leaves that budget out. Net value never falls.
    Where nothing costs anything there is one point.

    >>> net = np.array([[3.0], [2.0], [1.0], [-1.0]])
    >>> [point["net"] for point in budget_curve(Problem(net, np.ones(1)), steps=3)]
    [0.0, 0.0, 6.0]
    """
    free = allocate(replace(problem, budget=None), exact_cells=0)
    points: list[Point] = []
    shares = np.linspace(SMALLEST**0.5, 1.0, steps) ** 2 if free.cost > 0 else np.ones(1)
    for share in shares:
        budget = float(share * free.cost)
        plan = free if share == 1.0 else _within(replace(problem, budget=budget))
        if plan is None:
            continue
        point = Point(budget=budget, chosen=int((plan.chosen >= 0).sum()), net=plan.value)
        if points and points[-1]["net"] > point["net"]:  # what less money does, more does too
            point = Point(budget=budget, chosen=points[-1]["chosen"], net=points[-1]["net"])
        points.append(point)
    return points


def _within(problem: Problem) -> Allocation | None:
    """The plan, or None where the budget is too small for the segments' minimums."""
    try:
        return allocate(problem, exact_cells=0)
    except RetainError:
        return None
