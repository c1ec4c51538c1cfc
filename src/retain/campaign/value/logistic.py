"""Weighted logistic regression with coefficients that may not be below zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

STEPS = 100
"""Largest number of Newton steps."""
TOLERANCE = 1e-12
"""A smaller gain in log-likelihood per unit of weight ends the fit."""
FLAT = 1e-9
"""A smaller standard deviation of a column counts as 0."""


@dataclass(frozen=True)
class LogisticFit:
    """Coefficients, their covariance and the log-likelihood.

    Attributes
    ----------
    coefficients
        Shape (p,); 0 for flat columns and for those that the constraint holds at 0.
    covariance
        Shape (p, p); rows and columns of coefficients held at 0 are 0.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    log_likelihood: float


def fit_logistic(  # noqa: PLR0913 - the parts of a likelihood
    design: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray,
    *,
    nonnegative: Sequence[int] = (),
    ridge: float = 0.0,
    prior: np.ndarray | None = None,
    clusters: np.ndarray | None = None,
) -> LogisticFit:
    """Fit a logistic regression by Newton's method.

    Parameters
    ----------
    design
        Shape (n, p), its first column 1.
    target, weight
        0 or 1, and the weight of each row, shape (n,).
    nonnegative
        Columns whose coefficients are at least 0: while one is below, the lowest is held at 0.
    ridge
        Precision of a normal prior of the coefficients of standardised columns, without the
        intercept.
    prior
        Means of the prior, shape (p,); 0 if None.
    clusters
        Codes of rows that depend on each other, shape (n,): the covariance is then the sandwich
        with scores summed by cluster (Liang & Zeger 1986), else the inverse information.

    >>> design = np.column_stack([np.ones(4), [0.0, 0.0, 1.0, 1.0]])
    >>> fit = fit_logistic(design, np.array([0, 1, 0, 1]), np.array([3.0, 1.0, 1.0, 3.0]))
    >>> np.exp(fit.coefficients).round(3).tolist()
    [0.333, 9.0]
    """
    spread = np.append(1.0, design[:, 1:].std(axis=0))
    free = spread > FLAT
    while True:
        columns = np.flatnonzero(free)
        scaled = _Scaled.of(design[:, columns], spread[columns], ridge, prior, columns)
        found = scaled.maximise(target, weight)
        negative = [(found[k], one) for k, one in enumerate(columns) if one in nonnegative]
        lowest = min(negative, default=(0.0, -1))
        if lowest[0] >= 0:
            break
        free[lowest[1]] = False
    covariance = scaled.covariance(found, target, weight, clusters)
    coefficients, full = np.zeros(design.shape[1]), np.zeros((design.shape[1],) * 2)
    coefficients[columns] = scaled.back @ found
    full[np.ix_(columns, columns)] = scaled.back @ covariance @ scaled.back.T
    return LogisticFit(coefficients, full, -float(scaled.loss(found, target, weight)))


@dataclass(frozen=True)
class _Scaled:
    """Standardised columns; ``back`` turns their coefficients into those of the originals."""

    columns: np.ndarray
    back: np.ndarray
    ridge: np.ndarray
    prior: np.ndarray

    @classmethod
    def of(
        cls,
        design: np.ndarray,
        spread: np.ndarray,
        ridge: float,
        prior: np.ndarray | None,
        chosen: np.ndarray,
    ) -> _Scaled:
        centre = np.append(0.0, design[:, 1:].mean(axis=0))
        back = np.diag(1 / spread)
        back[0] -= np.append(0.0, (centre / spread)[1:])
        means = np.zeros(len(chosen)) if prior is None else prior[chosen] * spread
        weights = np.append(0.0, np.full(len(chosen) - 1, ridge))
        return cls((design - centre) / spread, back, weights, means)

    def loss(self, beta: np.ndarray, target: np.ndarray, weight: np.ndarray) -> np.floating:
        """Return minus the log-likelihood, with the prior."""
        eta = self.columns @ beta
        penalty = self.ridge @ (beta - self.prior) ** 2 / 2
        return np.float64(weight @ (np.logaddexp(0, eta) - target * eta) + penalty)

    def information(self, beta: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Return the observed information, with a trace against collinear columns."""
        share = special.expit(self.columns @ beta)
        rows = self.columns * (weight * share * (1 - share))[:, None]
        jitter = 1e-9 * weight.sum() * (np.arange(len(beta)) > 0)
        return np.asarray(rows.T @ self.columns + np.diag(self.ridge + jitter))

    def maximise(self, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Return the coefficients of the largest likelihood, by Newton steps that are halved."""
        total, beta = weight.sum(), np.zeros(self.columns.shape[1])
        beta[0] = special.logit(weight @ target / total)
        now = self.loss(beta, target, weight)
        for _ in range(STEPS):
            off = weight * (target - special.expit(self.columns @ beta))
            gradient = self.columns.T @ off - self.ridge * (beta - self.prior)
            step = np.linalg.solve(self.information(beta, weight), gradient)
            for half in range(30):
                after = self.loss(beta + step / 2**half, target, weight)
                if after <= now:
                    break
            beta, gain, now = beta + step / 2**half, now - after, after
            if gain <= TOLERANCE * total:
                break
        return beta

    def covariance(
        self, beta: np.ndarray, target: np.ndarray, weight: np.ndarray, clusters: np.ndarray | None
    ) -> np.ndarray:
        inverse = np.linalg.inv(self.information(beta, weight))
        if clusters is None:
            return np.asarray(inverse)
        off = weight * (target - special.expit(self.columns @ beta))
        count = int(clusters.max()) + 1
        rows = (self.columns * off[:, None]).T
        sums = np.stack([np.bincount(clusters, one, count) for one in rows], axis=1)
        return np.asarray(inverse @ (sums.T @ sums) @ inverse * count / max(count - 1, 1))
