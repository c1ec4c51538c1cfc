"""The same allocation as a linear programme, by PDLP of OR-tools (Applegate et al. 2021).

Its answer is fractional and may miss limits by its tolerance: a bound, and no plan yet.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy.sparse import csc_array, csr_array, vstack

MISSING = (
    None
    if find_spec("ortools")
    else "ortools is not installed (pip install ortools==9.15.6755); it is no part of any extra"
)


def solved(problem: dict[str, Any], tolerance: float = 1e-6) -> tuple[float, float]:
    """Return the objective, and the relative gap PDLP ends with, in at most two minutes."""
    from ortools.pdlp import solvers_pb2
    from ortools.pdlp.python import pdlp

    program = pdlp.QuadraticProgram()
    net = problem["net"]
    customer, offer = np.nonzero(problem["eligible"] & (net > 0))
    cells = len(customer)
    cost = np.broadcast_to(problem["cost"], net.shape)
    matrix, upper = _rows(cost, customer, offer, problem["budget"], problem["capacity"])
    program.resize_and_initialize(cells, len(upper))
    program.objective_vector = -net[customer, offer]
    program.variable_lower_bounds, program.variable_upper_bounds = np.zeros(cells), np.ones(cells)
    program.constraint_lower_bounds = np.full(len(upper), -np.inf)
    program.constraint_upper_bounds = upper
    program.constraint_matrix = matrix
    how = solvers_pb2.PrimalDualHybridGradientParams()
    limits = how.termination_criteria
    limits.simple_optimality_criteria.eps_optimal_relative = tolerance
    limits.simple_optimality_criteria.eps_optimal_absolute = tolerance
    limits.time_sec_limit = 120
    result = pdlp.primal_dual_hybrid_gradient(program, how)
    last = result.solve_log.solution_stats.convergence_information[0]
    return -last.primal_objective, abs(last.primal_objective - last.dual_objective) / abs(
        last.dual_objective
    )


def _rows(
    cost: np.ndarray, customer: np.ndarray, offer: np.ndarray, budget: float, capacity: np.ndarray
) -> tuple[csc_array, np.ndarray]:
    cells = range(len(customer))
    one = csr_array((np.ones(len(customer)), (customer, cells)))
    places = csr_array((np.ones(len(offer)), (offer, cells)), shape=(len(capacity), len(offer)))
    limited = np.isfinite(capacity)
    rows = (one, csr_array(cost[customer, offer][None]), places[np.flatnonzero(limited)])
    upper = np.concatenate([np.ones(one.shape[0]), [budget], capacity[limited]])
    return csc_array(vstack(rows)), upper
