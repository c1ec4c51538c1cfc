"""BG/NBD: a model of purchase rate and dropout after a purchase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import betainc, betaln, digamma, expit, gammaln, hyp2f1
from sklearn.linear_model import LogisticRegression

from retain.errors import NotApplicable

MAX_LOG_PARAMETER = 9.0
"""Bound of log-parameters: beyond it customers hardly differ, and differences of gamma functions
lose their precision."""
MAX_SLOPE = 1e-5
"""Largest slope of the mean log-likelihood in a log-parameter at its maximum."""
SINGULAR_DISTANCE = 1e-5
"""``a`` = 1 is a removable singularity of the expected purchases; within this distance of it they
are computed at its edge."""


@dataclass(frozen=True)
class BgNbdParams:
    """The four parameters, ``alpha`` in units of time, and their log-likelihood."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float

    def p_churned(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """Return the probability of dropout by ``T``, 1 − P(alive), in [0, 1); 0 where x is 0.

        Fader & Hardie, "Computing P(alive) Using the BG/NBD Model" (2008), equation 1.
        """
        leaving = np.log(self.a) - np.log(np.where(x > 0, self.b + x - 1, 1.0))
        odds = leaving + (self.r + x) * (np.log(self.alpha + T) - np.log(self.alpha + t_x))
        return np.asarray(np.where(x > 0, 1 / (1 + np.exp(-np.clip(odds, -700, 700))), 0.0))

    def expected_purchases(
        self, ahead: float, x: np.ndarray, t_x: np.ndarray, T: np.ndarray
    ) -> np.ndarray:
        """Return the purchases expected within ``ahead`` after ``T`` (2005, equation 10).

        Euler's transformation of the hypergeometric function avoids a small factor times a huge
        one for customers with many purchases.
        """
        a = self.a if abs(self.a - 1) > SINGULAR_DISTANCE else 1 + SINGULAR_DISTANCE
        z = ahead / (self.alpha + T + ahead)
        whole = hyp2f1(a + self.b - 1 - self.r, a - 1, a + self.b + x - 1, z)
        alive = 1 - self.p_churned(x, t_x, T)
        several = (a + self.b + x - 1) / (a - 1) * (1 - (1 - z) ** (a - 1) * whole)
        return np.asarray(several * alive)

    def p_fewer(
        self, needed: np.ndarray, ahead: float, x: np.ndarray, t_x: np.ndarray, T: np.ndarray
    ) -> np.ndarray:
        """Return the probability of fewer than ``needed`` ≥ 1 purchases within ``ahead`` of ``T``.

        A customer who is active buys as often if the rate gives as many purchases and none of the
        first ``needed`` − 1 is followed by dropout. Both probabilities have a closed form, because
        rate and dropout of who is active are independent.
        """
        enough = betainc(needed, self.r + x, ahead / (self.alpha + T + ahead))
        stays = np.exp(betaln(self.a, self.b + x + needed - 1) - betaln(self.a, self.b + x))
        return np.asarray(1 - (1 - self.p_churned(x, t_x, T)) * enough * stays)


def fit_bg_nbd(
    x: np.ndarray, t_x: np.ndarray, T: np.ndarray, customers: np.ndarray | None = None
) -> BgNbdParams:
    """Return the maximum-likelihood parameters; customers equal in all three are aggregated.

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
        raise NotApplicable("BG/NBD learns from repeat purchases, and no customer has any")
    rows, counts = count_histories(x, t_x, T, customers)
    objective = _NegLogLikelihood(rows, counts)
    log_tenure = float(np.log(max(np.average(rows[:, 2], weights=counts), 1e-3)))
    for start in (
        (0.0, log_tenure, 0.0, 0.0),
        (-1.0, log_tenure, -1.0, 1.0),
        (1.0, log_tenure, -3.0, 1.0),
    ):
        result = minimize(
            objective,
            np.array(start),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-MAX_LOG_PARAMETER, MAX_LOG_PARAMETER)] * 4,
            options={"maxiter": 1_000, "ftol": 1e-14, "gtol": 1e-8},
        )
        if is_flat(result.x, result.jac):
            r, alpha, a, b = np.exp(result.x).tolist()
            return BgNbdParams(r, alpha, a, b, -float(result.fun * counts.sum()))
    raise NotApplicable(f"BG/NBD finds no greatest likelihood on these customers: {result.message}")


def count_histories(
    x: np.ndarray, t_x: np.ndarray, T: np.ndarray, customers: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct histories, shape (n, 3), and the number of customers with each."""
    rows = np.column_stack([x, t_x, T])
    if customers is not None:
        return rows, customers
    return np.unique(rows, axis=0, return_counts=True)


def is_flat(logs: np.ndarray, slopes: np.ndarray) -> bool:
    """Return whether the likelihood is at its maximum within the bounds.

    The optimiser's own status is not used: it reports a failure where only rounding is left.
    """
    room = np.where(slopes < 0, MAX_LOG_PARAMETER - logs, MAX_LOG_PARAMETER + logs)
    return bool((np.minimum(np.abs(slopes), room) <= MAX_SLOPE).all())


class _NegLogLikelihood:
    """Minus the mean log-likelihood (2005, equation 6) of log-parameters, and its gradient.

    Gamma functions are computed once per number of purchases, not per customer.
    """

    def __init__(self, rows: np.ndarray, counts: np.ndarray) -> None:
        self._x, self._t, self._T = rows.T
        self._counts, self._index = np.unique(self._x, return_inverse=True)
        self._share = counts / counts.sum()
        self._is_repeat = self._x > 0

    @np.errstate(invalid="ignore")
    def __call__(self, logs: np.ndarray) -> tuple[float, np.ndarray]:
        r, alpha, a, b = np.exp(logs)
        early, late = np.log(alpha + self._t), np.log(alpha + self._T)
        stay = -(r + self._x) * late
        leaving = np.log(a) - np.log(np.where(self._is_repeat, b + self._x - 1, 1.0))
        leave = np.where(self._is_repeat, leaving - (r + self._x) * early, -np.inf)
        either = np.logaddexp(stay, leave)
        left = np.exp(leave - either)
        value = (self._gammas(r, alpha, a, b)[self._index] + either) @ self._share
        slopes = self._gradients(r, alpha, a, b)[:, self._index]
        slopes[0] -= (1 - left) * late + left * early
        slopes[1] -= (r + self._x) * ((1 - left) / (alpha + self._T) + left / (alpha + self._t))
        slopes[2] += left / a
        slopes[3] -= left / np.where(self._is_repeat, b + self._x - 1, 1.0)
        return -float(value), -(slopes @ self._share) * np.array([r, alpha, a, b])

    def _gammas(self, r: float, alpha: float, a: float, b: float) -> np.ndarray:
        """Return the terms that depend only on the number of purchases."""
        x = self._counts
        rate = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        leaving = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
        return np.asarray(rate + leaving)

    def _gradients(self, r: float, alpha: float, a: float, b: float) -> np.ndarray:
        """Return the derivatives of ``_gammas`` in r, α, a and b, shape (4, n)."""
        x, both = self._counts, digamma(a + b) - digamma(a + b + self._counts)
        rate = digamma(r + x) - digamma(r) + np.log(alpha)
        return np.stack(
            [rate, np.full(len(x), r / alpha), both, both + digamma(b + x) - digamma(b)]
        )


MIN_SLOPE = 1e-6
"""Slope where the decline rate decreases with the score: just enough to keep the order."""


@dataclass(frozen=True)
class MonotoneSigmoid:
    """Probability σ(height + slope · (score − middle) / width), slope > 0."""

    center: float
    scale: float
    intercept: float
    slope: float

    @classmethod
    def fit(cls, score: np.ndarray, target: np.ndarray) -> MonotoneSigmoid:
        """Fit the non-decreasing maximum-likelihood curve (Platt 1999, without his prior).

        >>> curve = MonotoneSigmoid.fit(np.arange(10.0), np.arange(10) // 4 % 2)
        >>> bool((np.diff(curve(np.arange(10.0))) > 0).all())
        True
        """
        middle, width = float(score.mean()), float(score.std()) or 1.0
        scaled = ((score - middle) / width)[:, None]
        found = LogisticRegression(C=np.inf, max_iter=1_000).fit(scaled, target)
        slope, height = float(found.coef_[0, 0]), float(found.intercept_[0])
        if slope < MIN_SLOPE:
            share = float(np.mean(target == found.classes_[1]))
            slope, height = MIN_SLOPE, float(np.log(share / (1 - share)))
        return cls(middle, width, height, slope)

    @property
    def params(self) -> np.ndarray:
        """The four arguments of the constructor.

        Models store these: a custom type in a model file would have to be trusted.
        """
        return np.array([self.center, self.scale, self.intercept, self.slope])

    def __call__(self, score: np.ndarray) -> np.ndarray:
        """Return the probability of each score, in its shape."""
        return np.asarray(expit(self.intercept + self.slope * (score - self.center) / self.scale))
