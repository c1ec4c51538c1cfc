"""Net value of the plan at other budgets, on the plan's own footing.

The net value of every alternative is that of its treated customers, like the plan's own: see
``TreatedShares``. So the point of the plan has the plan's net value exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from retain.campaign.allocation.allocate import Allocation, Problem, allocate
from retain.campaign.planning.plan import CampaignPlan
from retain.errors import RetainError
from retain.record.plan_scenarios import BudgetPoint


@dataclass(frozen=True)
class TreatedShares:
    """Probability that each customer is treated if an alternative plan chooses the customer.

    The control group of the plan stays the control group. Of customers whom the plan does not
    choose, the control share would be held back.

    Attributes
    ----------
    share
        1 for the treated, 0 for the control group, 1 − control share for all others, shape (n,).
    """

    share: np.ndarray

    @classmethod
    def of(cls, plan: CampaignPlan, control_share: float) -> TreatedShares:
        """Return the shares of a plan's customers."""
        others = np.where(plan.offer_index >= 0, 1.0, 1 - control_share)
        return cls(np.where(plan.control.is_control, 0.0, others))

    def expected_net(self, offer_index: np.ndarray, net: np.ndarray) -> float:
        """Return the expected net value of the treated; ``net`` is of shape (n, m).

        >>> shares = TreatedShares(np.array([1.0, 0.0, 0.8]))
        >>> shares.expected_net(np.array([0, 0, 0]), np.array([[5.0], [7.0], [10.0]]))
        13.0
        """
        rows = np.flatnonzero((offer_index >= 0) & (self.share > 0))
        return float((self.share[rows] * net[rows, offer_index[rows]]).sum())


MIN_BUDGET_SHARE = 0.02
"""Smallest budget of the curve, as a share of the largest."""


def compute_budget_curve(
    plan: CampaignPlan, control_share: float, n_points: int = 12
) -> tuple[BudgetPoint, ...]:
    """Return plans at about ``n_points`` budgets up to saturation, all other limits unchanged.

    Saturation is the cost of the plan without a budget. Small budgets lie closer together, since
    the curve bends there. Plans come from prices and repair alone, without HiGHS. A budget that
    cannot meet a minimum is left out. Those who explore do so at all budgets. The plan is a point
    itself, at its own cost and net value. Net value never falls. If nothing costs anything, the
    plan is the only point.
    """
    problem, own = plan.problem, _own_point(plan)
    free = plan.allocation
    if problem.budget is not None:
        free = allocate(replace(problem, budget=None), exact_up_to=0)
    shares = TreatedShares.of(plan, control_share)
    explored = float(plan.exploration.cost.sum())
    points = [own]
    for part in np.linspace(MIN_BUDGET_SHARE**0.5, 1.0, n_points) ** 2 if free.cost > 0 else ():
        if free is plan.allocation and part == 1.0:
            continue  # the plan itself
        budget = float(part * free.cost)
        other = free if part == 1.0 else allocate_or_none(replace(problem, budget=budget))
        if other is not None:
            offer_index = plan.exploration.join(other.offer_index)
            net = shares.expected_net(offer_index, plan.offers.net)
            points.append(_to_point((1 - control_share) * (budget + explored), offer_index, net))
    return _without_falls(points, own)


def _own_point(plan: CampaignPlan) -> BudgetPoint:
    return _to_point(plan.expected_cost, plan.offer_index, plan.expected_net)


def _to_point(budget: float, offer_index: np.ndarray, net: float) -> BudgetPoint:
    return BudgetPoint(budget=budget, n_chosen=count_chosen(offer_index), expected_net=net)


def _without_falls(points: list[BudgetPoint], own: BudgetPoint) -> tuple[BudgetPoint, ...]:
    """Return the points by budget with rising net values, the plan's own unchanged.

    A plan for less money is possible with more too, and one that seems better for less money than
    the plan is so by the luck of its control group alone.
    """
    curve: list[BudgetPoint] = []
    for point in sorted(points, key=lambda one: (one.budget, one is not own)):
        is_cheaper = point.budget <= own.budget
        net = min(point.expected_net, own.expected_net if is_cheaper else np.inf)
        n_chosen = point.n_chosen
        if curve and curve[-1].expected_net > net:
            net, n_chosen = curve[-1].expected_net, curve[-1].n_chosen
        curve.append(BudgetPoint(budget=point.budget, n_chosen=n_chosen, expected_net=net))
    return tuple(curve)


def allocate_or_none(problem: Problem) -> Allocation | None:
    """Return the plan by the dual, or None if limits are too small for the segments' minimums."""
    try:
        return allocate(problem, exact_up_to=0)
    except RetainError:
        return None


def count_chosen(offer_index: np.ndarray) -> int:
    """Return the number of customers with an offer, control group included."""
    return int((offer_index >= 0).sum())
