"""The plan at budgets from small to what all whom it pays to reach would cost.

May import: campaign.allocation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from retain.campaign.allocation import Problem, allocate

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Budgets shown, of what the plan without a budget costs."""


def budget_curve(problem: Problem) -> list[dict[str, Any]]:
    """The best plan at each budget, all other limits kept, by the dual.

    Returns
    -------
    list of dict
        ``budget, chosen`` (customers) and ``net`` (expected value), smallest budget first, none
        shown that buys nobody; a single row where offers cost nothing.

    >>> net = np.array([[3.0], [2.0], [-1.0]])
    >>> rows = budget_curve(Problem(net=net, cost=np.ones((3, 1))))
    >>> rows[-1]
    {'budget': 2.0, 'chosen': 2, 'net': 5.0}
    """
    whole = allocate(replace(problem, budget=None), exact_cells=0)
    budgets = whole.cost * np.array(SHARES) if whole.cost > 0 else np.zeros(1)
    rows = []
    for budget in budgets.tolist():
        end = budget == budgets[-1]
        plan = whole if end else allocate(replace(problem, budget=budget), exact_cells=0)
        rows.append({"budget": budget, "chosen": int((plan.chosen >= 0).sum()), "net": plan.value})
    return [row for row in rows if row["chosen"] > 0]
