"""Gamma-gamma: the mean spend of an order, shrunk towards that of all customers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from retain.errors import NotApplicable

MAX_LOG_PARAMETER = 12.0


@dataclass(frozen=True)
class GammaGammaParams:
    """The three parameters, ``gamma`` in units of money (Fader & Hardie 2013)."""

    p: float
    q: float
    gamma: float

    def expected_spend(self, orders: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Return the expected spend of a later order, given the mean of some orders (equation 5).

        >>> found = GammaGammaParams(6.25, 3.74, 15.44)
        >>> found.expected_spend(np.array([0.0, 2.0]), np.array([0.0, 20.0])).round(1)
        array([35.2, 22.7])
        """
        return np.asarray((self.gamma + orders * mean) * self.p / (self.p * orders + self.q - 1))


def fit_gamma_gamma(orders: np.ndarray, mean: np.ndarray) -> GammaGammaParams:
    """Return the maximum-likelihood parameters of customers with a mean spend above 0.

    Raises
    ------
    NotApplicable
        The mean spend has no finite expectation (q ≤ 1), or nobody spent anything.
    """
    known = (orders > 0) & (mean > 0)
    x, z = orders[known], mean[known]
    if not len(x):
        raise NotApplicable("gamma-gamma needs customers who spent something")
    scale = float(np.median(z))
    log_z, log_x, unit = np.log(z / scale), np.log(x), z / scale

    def loss(logs: np.ndarray) -> float:
        p, q, gamma = np.exp(logs)
        return -float(
            np.mean(
                gammaln(p * x + q)
                - gammaln(p * x)
                + (p * x - 1) * log_z
                + p * x * log_x
                - (p * x + q) * np.log(gamma + x * unit)
            )
            - gammaln(q)
            + q * np.log(gamma)
        )

    result = minimize(
        loss,
        np.array([1.0, 1.0, 0.0]),
        method="L-BFGS-B",
        bounds=[(-MAX_LOG_PARAMETER, MAX_LOG_PARAMETER)] * 3,
        options={"ftol": 1e-13, "gtol": 1e-8},
    )
    p, q, gamma = np.exp(result.x).tolist()
    if q <= 1:
        raise NotApplicable("gamma-gamma finds no finite mean spend of these customers")
    return GammaGammaParams(p, q, gamma * scale)
