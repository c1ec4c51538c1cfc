"""Recalibration of scores on customers the model was not fitted on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import optimize, special

from retain.errors import RetainError
from retain.learning.scores import Scores

EDGE = 1e-6
"""Scores are clipped to this distance from 0 and 1."""
FLAT = 1e-6
"""A smaller spread of logits, or gain in fit, counts as 0."""
PRIOR = 1.0
"""Standard deviation of the slope's normal prior about 1, used if scores separate the classes."""


def logit(score: np.ndarray) -> np.ndarray:
    """Return finite log-odds of scores in [0, 1].

    >>> logit(np.array([0.0, 0.5, 1.0])).round(2).tolist()
    [-13.82, 0.0, 13.82]
    """
    return np.asarray(special.logit(np.clip(score, EDGE, 1 - EDGE)))


@dataclass(frozen=True)
class Recalibration:
    """Intercept and slope on the logit scale, with their covariance.

    Attributes
    ----------
    covariance
        Covariance of (intercept, slope), shape (2, 2): the inverse observed information.
    customers, events
        Number of scored customers, and of decliners among them.
    """

    intercept: float
    slope: float
    covariance: np.ndarray
    customers: int
    events: int

    def probability(self, score: np.ndarray) -> np.ndarray:
        """Return the recalibrated probability of decline for scores of any shape.

        >>> exact = Recalibration(0.0, 1.0, np.zeros((2, 2)), 100, 40)
        >>> exact.probability(np.array([0.2, 0.7])).round(3).tolist()
        [0.2, 0.7]
        """
        return np.asarray(special.expit(self.intercept + self.slope * logit(score)))

    def draws(self, count: int, seed: int) -> np.ndarray:
        """Sample intercepts and slopes, shape (count, 2), normal about the estimates.

        >>> sure = Recalibration(0.5, 1.0, np.zeros((2, 2)), 100, 40)
        >>> sure.draws(2, seed=0).tolist()
        [[0.5, 1.0], [0.5, 1.0]]
        """
        (a, shared), (_, b) = self.covariance
        first = math.sqrt(a)
        second = shared / first if first else 0.0
        factor = np.array([[first, 0.0], [second, math.sqrt(max(b - second**2, 0.0))]])
        normal = np.random.default_rng(seed).standard_normal((count, 2))
        return np.asarray([self.intercept, self.slope] + normal @ factor.T)

    @property
    def slope_interval(self) -> tuple[float, float]:
        """Return the 95 % interval of the slope."""
        reach = float(special.ndtri(0.975)) * math.sqrt(self.covariance[1, 1])
        return self.slope - reach, self.slope + reach

    def as_json(self) -> dict[str, Any]:
        """Return a plain dict, for ``from_json``."""
        low, high = self.slope_interval
        return {
            "intercept": self.intercept,
            "slope": {"value": self.slope, "low": low, "high": high},
            "covariance": self.covariance.tolist(),
            "n_customers": self.customers,
            "n_events": self.events,
        }

    @classmethod
    def from_json(cls, tree: Any) -> Self:
        """Return the recalibration of a result of ``as_json``.

        Raises
        ------
        RetainError
            The tree is invalid, or a number is not finite.

        >>> tree = Recalibration(0.1, 0.9, np.eye(2) / 50, 100, 40).as_json()
        >>> Recalibration.from_json(tree).as_json() == tree
        True
        """
        try:
            numbers = float(tree["intercept"]), float(tree["slope"]["value"])
            covariance = np.array(tree["covariance"], dtype=float)
            counts = int(tree["n_customers"]), int(tree["n_events"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise _invalid_recalibration(f"{type(error).__name__}: {error}") from None
        if covariance.shape != (2, 2) or not np.isfinite([*numbers, *covariance.flat]).all():
            raise _invalid_recalibration(f"{numbers} and {covariance.tolist()}")
        if covariance[0, 0] < 0 or covariance[1, 1] < 0:
            raise _invalid_recalibration(f"a variance below zero in {covariance.tolist()}")
        return cls(*numbers, covariance, *counts)


def _invalid_recalibration(problem: str) -> RetainError:
    expected = "expected finite intercept, slope.value, covariance (2 × 2), n_customers, n_events"
    return RetainError.at("recalibration", f"it holds {problem}", expected)


def fit_recalibration(scores: Scores) -> Recalibration:
    """Fit the logistic recalibration of scores, averaged by customer (Cox 1958).

    If scores are constant or higher for stayers, the slope is 0 and all customers have the overall
    decline rate; with a single class the rate is (events + ½) / (customers + 1). If scores separate
    the classes, the likelihood has no maximum, and the slope gets a normal prior about 1 with
    standard deviation 1.

    Raises
    ------
    ValueError
        A customer has no target.

    >>> import pandas as pd
    >>> rows = [(10 * s + i, 0, 0, int(i < s), s / 10) for s in range(1, 10) for i in range(10)]
    >>> names = ["customer_id", "repeat", "fold", "target", "probability"]
    >>> fitted = fit_recalibration(Scores(pd.DataFrame(rows, columns=names), "out_of_fold"))
    >>> f"{fitted.slope:.3f} {abs(fitted.intercept):.3f}, {fitted.events} of {fitted.customers}"
    '1.000 0.000, 45 of 90'
    """
    each = scores.table.groupby("customer_id", sort=True)
    target = each["target"].first().to_numpy(dtype=float)
    if np.isnan(target).any():
        raise ValueError("scores without a target cannot be recalibrated")
    x = logit(each["probability"].mean().to_numpy())
    events = int(target.sum())
    lean = float(np.mean((target - target.mean()) * (x - x.mean())))
    if np.ptp(x) <= FLAT or lean <= FLAT**2:
        return _overall_share(len(target), events)
    is_separated = x[target == 0].max() <= x[target == 1].min()
    estimate, covariance = _fit_logistic(x, target, ridge=1 / PRIOR**2 if is_separated else 0.0)
    return Recalibration(float(estimate[0]), float(estimate[1]), covariance, len(x), events)


def _overall_share(customers: int, events: int) -> Recalibration:
    """Return a constant overall decline rate; Jeffreys' estimate if one class is missing."""
    if 0 < events < customers:
        share, weight = events / customers, customers
    else:
        share, weight = (events + 0.5) / (customers + 1), customers + 1
    covariance = np.array([[1 / (weight * share * (1 - share)), 0.0], [0.0, 0.0]])
    return Recalibration(float(special.logit(share)), 0.0, covariance, customers, events)


def _fit_logistic(x: np.ndarray, target: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates (2,) and covariance (2, 2); ``ridge`` pulls the slope to 1.

    x is standardised for stable Newton steps; the result is for the original x.
    """
    centre, spread = x.mean(), x.std()
    z = (x - centre) / spread
    design = np.column_stack([np.ones_like(z), z])
    pull = np.array([0.0, ridge / spread**2]) / len(x)

    def loss(beta: np.ndarray) -> float:
        each = np.logaddexp(0, design @ beta) - target * (design @ beta)
        return float(each.mean() + pull[1] * (beta[1] - spread) ** 2 / 2)

    def gradient(beta: np.ndarray) -> np.ndarray:
        off = special.expit(design @ beta) - target
        return np.asarray(design.T @ off / len(x) + pull * (beta - spread))

    def information(beta: np.ndarray) -> np.ndarray:
        share = special.expit(design @ beta)
        return np.asarray((design.T * (share * (1 - share))) @ design / len(x) + np.diag(pull))

    start = np.array([special.logit(target.mean()), 0.0])
    estimate = optimize.minimize(
        loss, start, jac=gradient, hess=information, method="trust-exact", options={"gtol": 1e-10}
    ).x
    back = np.array([[1.0, -centre / spread], [0.0, 1 / spread]])
    covariance = np.linalg.inv(information(estimate)) / len(x)
    return back @ estimate, back @ covariance @ back.T
