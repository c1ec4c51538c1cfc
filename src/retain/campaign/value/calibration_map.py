"""A calibration map: a score, and where it tells more the profit, to a probability of decline.

Every map is a logistic regression on a few functions of the score's logit x, its basis:

    constant  nothing: everybody has the overall share
    logit     x: an intercept and a slope (Cox 1958)
    beta      ln s and −ln(1 − s), slopes of at least 0: beta calibration (Kull et al. 2017)
    spline    linear between five knots, slopes of at least 0
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import numpy as np
from scipy import special

from retain.errors import RetainError
from retain.record.segments_document import CalibrationMapInfo

EDGE = 1e-6
"""Scores are clipped to this distance from 0 and 1."""
BASES = ("constant", "logit", "beta", "spline")
"""Names of bases, simplest first."""
KNOT_SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Quantiles of scores at which the spline may bend; the lowest and highest score are left out."""


def logit(score: np.ndarray) -> np.ndarray:
    """Return finite log-odds of scores in [0, 1].

    >>> logit(np.array([0.0, 0.5, 1.0])).round(2).tolist()
    [-13.82, 0.0, 13.82]
    """
    return np.asarray(special.logit(np.clip(score, EDGE, 1 - EDGE)))


def basis_design(basis: str, x: np.ndarray, knots: tuple[float, ...]) -> np.ndarray:
    """Return the design matrix of a basis at logits x of shape (n,), its first column 1.

    >>> basis_design("spline", np.array([-1.0, 0.5, 3.0]), (0.0, 1.0)).tolist()
    [[1.0, -1.0, 0.0, 0.0], [1.0, 0.0, 0.5, 0.0], [1.0, 0.0, 1.0, 2.0]]
    """
    columns = [np.ones_like(x)]
    if basis == "logit":
        columns.append(x)
    elif basis == "beta":
        columns += [-np.logaddexp(0, -x), np.logaddexp(0, x)]
    elif basis == "spline":
        ends = (-math.inf, *knots, math.inf)
        columns += [np.clip(x, a, b) - (a if a > -math.inf else b) for a, b in pairwise(ends)]
    return np.column_stack(columns)


def place_knots(x: np.ndarray) -> tuple[float, ...]:
    """Return up to five ascending knots of the spline for logits x; none if few values differ."""
    inner = x[(x > x.min()) & (x < x.max())]
    if len(inner) == 0:
        return ()
    return tuple(map(float, np.unique(np.quantile(inner, KNOT_SHARES))))


@dataclass(frozen=True)
class ProfitScale:
    """The signed logarithm of profit, standardised.

    Attributes
    ----------
    unit
        Profit at which the logarithm bends, > 0.
    centre, spread
        Mean and standard deviation of the logarithm, as fitted; ``spread`` > 0.
    low, high
        Standardised values beyond which risk no longer changes: extreme profits are rare, and a
        curve fitted to others says nothing of them.
    has_missing
        True if a missing profit has a coefficient of its own.
    """

    unit: float
    centre: float
    spread: float
    low: float
    high: float
    has_missing: bool

    @property
    def width(self) -> int:
        """Number of columns of the design."""
        return 2 + self.has_missing

    def standardise(self, profit: np.ndarray) -> np.ndarray:
        """Return standardised values of profits, NaN where missing.

        >>> scale = ProfitScale(10.0, 0.0, 1.0, -1.0, 2.0, False)
        >>> scale.standardise(np.array([-10.0, 0.0, 1000.0])).round(2).tolist()
        [-0.69, 0.0, 2.0]
        """
        signed = np.sign(profit) * np.log1p(np.abs(profit) / self.unit)
        return np.asarray(np.clip((signed - self.centre) / self.spread, self.low, self.high))

    def design(self, z: np.ndarray) -> np.ndarray:
        """Return the columns z and z² − 1 of standardised values, and of missing ones."""
        columns = [np.nan_to_num(z, nan=0.0), np.nan_to_num(z * z - 1, nan=0.0)]
        if self.has_missing:
            columns.append(np.isnan(z).astype(float))
        return np.column_stack(columns)


@dataclass(frozen=True)
class CalibrationMap:
    """A linear predictor of the log-odds of decline, with its covariance.

    Attributes
    ----------
    basis
        One of ``BASES``.
    coefficients
        Of the basis, then of profit, shape (p,).
    covariance
        Shape (p, p).
    knots
        Logits at which a spline bends.
    profit
        How profit enters; None if risk depends on the score alone.
    """

    basis: str
    coefficients: np.ndarray
    covariance: np.ndarray
    knots: tuple[float, ...] = ()
    profit: ProfitScale | None = None

    def design(self, x: np.ndarray, z: np.ndarray | None = None) -> np.ndarray:
        """Return the design matrix at logits x and standardised profits z, shape (n, p).

        Without z the columns of profit are at their means, 0; a NaN in z is a missing profit.
        """
        score = basis_design(self.basis, x, self.knots)
        if self.profit is None:
            return score
        money = np.zeros((len(x), self.profit.width)) if z is None else self.profit.design(z)
        return np.column_stack([score, money])

    def probability(self, score: np.ndarray, profit: np.ndarray | None = None) -> np.ndarray:
        """Return the probability of decline for scores, and profits, of shape (n,).

        >>> exact = CalibrationMap("logit", np.array([0.0, 1.0]), np.zeros((2, 2)))
        >>> exact.probability(np.array([0.2, 0.7])).round(3).tolist()
        [0.2, 0.7]
        """
        return np.asarray(special.expit(self._design_of(score, profit) @ self.coefficients))

    def sensitivity(self, score: np.ndarray, profit: np.ndarray | None = None) -> np.ndarray:
        """Return the change of each probability by one unit of each normal draw, shape (n, p).

        The variance of a mean of probabilities is the squared length of the mean of these rows.
        """
        design = self._design_of(score, profit)
        share = special.expit(design @ self.coefficients)
        return np.asarray((share * (1 - share))[:, None] * (design @ self.factor))

    def _design_of(self, score: np.ndarray, profit: np.ndarray | None) -> np.ndarray:
        known = None if self.profit is None or profit is None else self.profit.standardise(profit)
        return self.design(logit(score), known)

    @property
    def factor(self) -> np.ndarray:
        """Lower triangular matrix L with L Lᵀ = covariance, shape (p, p)."""
        free = np.flatnonzero(np.diag(self.covariance) > 0)
        factor = np.zeros_like(self.covariance)
        if len(free):
            some = self.covariance[np.ix_(free, free)]
            error = np.sqrt(np.diag(some))
            correlation = some / np.outer(error, error)
            values, vectors = np.linalg.eigh((correlation + correlation.T) / 2)
            root = vectors * np.sqrt(np.maximum(values, 0.0))
            triangle = np.asarray(np.linalg.qr(root.T, mode="r")).T
            signs = np.where(np.diag(triangle) < 0, -1.0, 1.0)
            factor[np.ix_(free, free)] = triangle * signs * error[:, None]
        return factor

    def draws(self, normal: np.ndarray) -> np.ndarray:
        """Return coefficients for standard normal draws of shape (D, at least p), shape (D, p).

        >>> sure = CalibrationMap("logit", np.array([0.5, 1.0]), np.zeros((2, 2)))
        >>> sure.draws(np.ones((2, 2))).tolist()
        [[0.5, 1.0], [0.5, 1.0]]
        """
        count = len(self.coefficients)
        return np.asarray(self.coefficients + normal[:, :count] @ self.factor.T)

    def to_info(self) -> CalibrationMapInfo:
        """Return the map for documents."""
        return CalibrationMapInfo(
            basis=self.basis,
            knots=self.knots,
            coefficients=tuple(self.coefficients.tolist()),
            covariance=tuple(map(tuple, self.covariance.tolist())),
        )

    @classmethod
    def from_info(cls, info: CalibrationMapInfo, profit: ProfitScale | None, where: str) -> Self:
        """Return the map of a document.

        Raises
        ------
        RetainError
            If it is no map of scores to probabilities.

        >>> info = CalibrationMap("logit", np.array([0.1, 0.9]), np.eye(2) / 50).to_info()
        >>> CalibrationMap.from_info(info, None, "map").to_info() == info
        True
        """
        basis, knots = info.basis, info.knots
        if basis not in BASES or not _fits(basis, knots):
            raise invalid_calibration(where, f"basis {str(basis)[:40]!r} with knots {knots[:6]}")
        coefficients = np.array(info.coefficients, dtype=float)
        one = cls(basis, coefficients, np.zeros((0, 0)), knots, profit)
        count = one.design(np.zeros(1)).shape[1]
        if len(coefficients) != count or [len(row) for row in info.covariance] != [count] * count:
            sizes = f"{len(coefficients)} and {[len(row) for row in info.covariance][:9]}"
            raise invalid_calibration(
                where, f"coefficients and rows of covariance of sizes {sizes}"
            )
        covariance = np.array(info.covariance, dtype=float)
        if (np.diag(covariance) < 0).any():
            raise invalid_calibration(where, f"a variance below zero in {covariance.tolist()}")
        return replace(one, covariance=covariance)


def _fits(basis: str, knots: tuple[float, ...]) -> bool:
    """Return whether knots are those of the basis: ascending, and only of a spline."""
    ascending = all(one < other for one, other in pairwise(knots))
    return ascending and len(knots) <= len(KNOT_SHARES) and bool(knots) == (basis == "spline")


def invalid_calibration(where: str, problem: str) -> RetainError:
    """Return the error about a saved calibration."""
    expected = f"expected finite basis ({', '.join(BASES)}), knots, coefficients and covariance"
    return RetainError.at(where, f"it holds {problem}", expected)
