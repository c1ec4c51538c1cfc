"""INTERIM"""

from dataclasses import replace
from typing import Any

from retain.campaign.allocation import Problem, allocate


def budget_curve(problem: Problem) -> list[dict[str, Any]]:
    whole = allocate(replace(problem, budget=None))
    out = []
    for share in (0.1, 0.3, 1.0):
        one = allocate(replace(problem, budget=share * whole.cost + 1e-6))
        out.append(
            {"budget": share * whole.cost, "chosen": int((one.chosen >= 0).sum()), "net": one.value}
        )
    return out
