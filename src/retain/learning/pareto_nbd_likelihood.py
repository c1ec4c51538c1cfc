"""Pareto/NBD: a model of purchase rate and dropout at any time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import betainc, betaln, gammaln, roots_legendre

from retain.errors import NotApplicable
from retain.learning.bg_nbd_likelihood import MAX_LOG_PARAMETER, count_histories, is_flat

FIT_NODES = 24
"""Nodes of Gauss and Legendre for an integral over the day of dropout: its integrand is bounded and
monotone, and the sum is exact to 8 digits on the histories of the tests."""
COUNT_NODES = 48
"""Nodes for the integral over the day of the last purchase that is needed."""
STEP = 1e-5
"""Step in a log-parameter of the central differences of the likelihood."""


@dataclass(frozen=True)
class ParetoNbdParams:
    """The four parameters, ``alpha`` and ``beta`` in units of time, and their log-likelihood."""

    r: float
    alpha: float
    s: float
    beta: float
    log_likelihood: float

    def p_churned(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """Return the probability of dropout by ``T``, 1 − P(alive), in [0, 1)."""
        stay, leave = _log_parts(self.r, self.alpha, self.s, self.beta, (x, t_x, T))
        return np.asarray(np.exp(leave - np.logaddexp(stay, leave)))

    def p_fewer(
        self, needed: np.ndarray, ahead: float, x: np.ndarray, t_x: np.ndarray, T: np.ndarray
    ) -> np.ndarray:
        """Return the probability of fewer than ``needed`` ≥ 1 purchases within ``ahead`` of ``T``.

        A customer who is active buys as often if purchase number ``needed`` comes before ``ahead``
        and before dropout: an integral over its time, of a beta density times the probability of
        not having left (Fader & Hardie 2014, before it is written as a series).
        """
        end = ahead / (self.alpha + T + ahead)
        size, started = betaln(needed, self.r + x), (self.alpha + T) / (self.beta + T)
        nodes, weights = roots_legendre(COUNT_NODES)
        whole, active = np.zeros(len(T)), np.zeros(len(T))
        for node, weight in zip((nodes + 1) / 2, weights, strict=True):
            u = end * node
            log_density = (needed - 1) * np.log(u) + (self.r + x - 1) * np.log1p(-u) - size
            density = weight * np.exp(log_density)
            whole += density
            active += density * (1 + started * u / (1 - u)) ** -self.s
        stays = np.divide(active, whole, out=np.ones(len(T)), where=whole > 0)
        enough = betainc(needed, self.r + x, end) * stays
        return np.asarray(1 - (1 - self.p_churned(x, t_x, T)) * enough)


def fit_pareto_nbd(
    x: np.ndarray, t_x: np.ndarray, T: np.ndarray, customers: np.ndarray | None = None
) -> ParetoNbdParams:
    """Return the maximum-likelihood parameters (Schmittlein, Morrison & Colombo 1987).

    Parameters
    ----------
    customers
        Number of customers with each history; None for one each.

    Raises
    ------
    NotApplicable
        No customer bought twice, or the likelihood has no maximum within the bounds.
    """
    if not (x > 0).any():
        raise NotApplicable("Pareto/NBD learns from repeat purchases, and no customer has any")
    rows, counts = count_histories(x, t_x, T, customers)
    share, history = counts / counts.sum(), tuple(rows.T)

    def loss(logs: np.ndarray) -> float:
        r, alpha, s, beta = np.exp(logs)
        parts = _log_parts(r, alpha, s, beta, history)
        return -float(np.logaddexp(*parts) @ share)

    def slopes(logs: np.ndarray) -> np.ndarray:
        steps = STEP * np.eye(4)
        return np.array([(loss(logs + d) - loss(logs - d)) / (2 * STEP) for d in steps])

    log_tenure = float(np.log(max(np.average(rows[:, 2], weights=counts), 1e-3)))
    for start in ((0.0, log_tenure, 0.0, log_tenure), (-1.0, 2.0, -1.0, 2.0)):
        result = minimize(
            loss,
            np.array(start),
            jac=slopes,
            method="L-BFGS-B",
            bounds=[(-MAX_LOG_PARAMETER, MAX_LOG_PARAMETER)] * 4,
            options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-7},
        )
        if is_flat(result.x, result.jac):
            total = -float(result.fun * counts.sum())
            r, alpha, s, beta = np.exp(result.x).tolist()
            return ParetoNbdParams(r, alpha, s, beta, total)
    raise NotApplicable(
        f"Pareto/NBD finds no greatest likelihood on these customers: {result.message}"
    )


def _log_parts(
    r: float, alpha: float, s: float, beta: float, history: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the logarithms of the likelihood of customers still active, and of those who left.

    The second is an integral over the day of dropout, from the last purchase to ``T``, in the
    variable ((α + t_x) / (α + day)) ** (r + s + x).
    """
    x, t_x, T = history
    rate = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    stay = rate - (r + x) * np.log(alpha + T) + s * (np.log(beta) - np.log(beta + T))
    power = r + s + x
    log_start = np.log(alpha + t_x)
    first = np.exp(power * (log_start - np.log(alpha + T)))
    nodes, weights = roots_legendre(FIT_NODES)
    total = np.zeros(len(x))
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        y = first + (1 - first) * node
        day = np.exp(log_start - np.log(y) / power)
        total += weight * np.exp((s + 1) * (np.log(day) - np.log(day + beta - alpha)))
    with np.errstate(divide="ignore"):  # who bought today has had no time to leave
        size = np.log(s / power) + np.log1p(-first) + np.log(total)
    leave = rate + s * np.log(beta) + size - power * log_start
    return stay, leave
