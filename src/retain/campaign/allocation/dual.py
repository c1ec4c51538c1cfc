"""Prices of the limits at one temperature: the smoothed Lagrangian dual, by Newton's method.

With a price on each limit, every customer is a problem of its own: the dual is the value of the
limits plus, for each customer, the best of 0 and of each offer's net value less the price of its
usage (Fisher 1981). At any prices it is an upper bound of every plan. A temperature turns each
maximum into a soft maximum (Nesterov 2005), whose shares divide a limit among equal customers, and
whose curvature gives Newton steps: about five per temperature, against dozens of gradient steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from retain.campaign.allocation.customer_pool import CustomerPool
from retain.campaign.allocation.limits import PlanLimits, Prices


@dataclass
class Moments:
    """Sums over customers of the usage of limits expected under their shares.

    Attributes
    ----------
    usage
        (limits,) Σ of expected usage.
    squares
        (limits, limits) Σ over customers and offers of share × usage × usageᵀ.
    products
        (limits, limits) Σ over customers of expected usage × its transpose.
    sum_squared_shares
        Σ over customers of the squared shares, the one of no offer included: 1 for a clear choice.
    n_customers
        Number of customers.
    """

    usage: np.ndarray
    squares: np.ndarray
    products: np.ndarray
    sum_squared_shares: float = 0.0
    n_customers: int = 0

    @classmethod
    def zeros(cls, limits: PlanLimits) -> Moments:
        """Return the moments of no customers."""
        size = len(limits.upper)
        return cls(np.zeros(size), np.zeros((size, size)), np.zeros((size, size)))

    @property
    def n_undecided(self) -> float:
        """Number of customers without a clear choice."""
        return self.n_customers - self.sum_squared_shares

    def add(self, pool: CustomerPool, shares: np.ndarray) -> None:
        """Add customers and their shares (offers, customers)."""
        n_offers, n_segments = len(shares), len(self.usage) - 2 - len(shares)
        costs = shares * pool.cost.astype(shares.dtype)
        rows = np.empty((2 + n_offers, len(pool)), dtype=shares.dtype)
        costs.sum(axis=0, out=rows[0])
        rows[1:-1] = shares
        shares.sum(axis=0, out=rows[-1])
        total, product = rows.sum(axis=1, dtype=float), (rows @ rows.T).astype(float)
        squares = np.diag(total)
        squares[0, 0] = np.vdot(costs, pool.cost)
        squares[0, 1:-1] = squares[1:-1, 0] = costs.sum(axis=1)
        squares[:-1, -1] = squares[-1, :-1] = total[:-1]
        self.sum_squared_shares += float(product.diagonal()[1:-1].sum())
        self.sum_squared_shares += len(pool) - 2 * total[-1] + product[-1, -1]
        self.n_customers += len(pool)
        self._add_offers(total, squares, product)
        if pool.segment is not None and n_segments:
            self._add_segments(pool, rows, n_segments)

    def _add_offers(self, total: np.ndarray, squares: np.ndarray, product: np.ndarray) -> None:
        size = len(total)
        self.usage[:size] += total
        self.squares[:size, :size] += squares
        self.products[:size, :size] += product

    def _add_segments(self, pool: CustomerPool, rows: np.ndarray, n_segments: int) -> None:
        """Add the terms of the segments, negative since a contact counts against a minimum."""
        size = len(rows)
        sums = np.array([pool.sum_by_segment(row, n_segments) for row in rows])
        products = np.array([pool.sum_by_segment(row * rows[-1], n_segments) for row in rows])
        self.usage[size:] -= sums[-1]
        for matrix, cross in ((self.squares, sums), (self.products, products)):
            matrix[:size, size:] -= cross
            matrix[size:, :size] -= cross.T
            matrix[range(size, size + n_segments), range(size, size + n_segments)] += cross[-1]


MAX_NEWTON_STEPS = 30
"""Most Newton steps at one temperature; fewer only cost precision."""
FIRST_STRIDE_TEMPERATURES = 30.0
"""Largest change of a reduced value by the first step, in temperatures; it doubles each step."""


@dataclass(frozen=True)
class Dual:
    """Lagrangian dual of a pool under limits.

    Attributes
    ----------
    max_prices
        (limits,) upper bound of each price; the lower is 0.
    """

    pool: CustomerPool
    limits: PlanLimits
    max_prices: np.ndarray

    @cached_property
    def unit(self) -> np.ndarray:
        """(limits,) the price that changes an average reduced value by 1."""
        unit = np.ones(len(self.limits.upper))
        mean = float(self.pool.cost.mean()) if self.pool.cost.size else 0.0
        unit[0] = 1 / mean if mean > 0 else 1.0
        return unit

    def evaluate(self, prices: np.ndarray) -> float:
        """Return the dual at prices (limits,), an upper bound of every plan within the limits."""
        price_vector = Prices(prices, self.limits.n_offers)
        soft_maxima = sum(
            float(chunk.apply_prices(price_vector).max(axis=0, initial=0.0).sum())
            for chunk in self.pool.iter_chunks()
        )
        return soft_maxima + float(self.limits.finite_upper @ prices)


@dataclass(frozen=True)
class DualPoint:
    """Smoothed dual at some prices.

    Attributes
    ----------
    value
        Value of the smoothed dual.
    slack
        (limits,) limits less the usage under the shares: the gradient.
    moments
        Moments of the usage under the shares.
    """

    prices: np.ndarray
    temperature: float
    value: float
    slack: np.ndarray
    moments: Moments

    @property
    def n_undecided(self) -> float:
        """Number of customers without a clear choice."""
        return self.moments.n_undecided

    @property
    def curvature(self) -> np.ndarray:
        """(limits, limits) second derivatives: the variance of the usage under the shares."""
        return np.asarray(self.moments.squares - self.moments.products) / self.temperature


def compute_shares(
    pool: CustomerPool, prices: Prices, temperature: float
) -> tuple[np.ndarray, float]:
    """Return the share of each offer (offers, customers), and the sum of the soft maxima.

    Shares are of single precision, whose exponential NumPy computes ten times as fast.
    """
    z = pool.apply_prices(prices)
    top = z.max(axis=0, initial=0.0)
    z -= top
    z *= 1 / temperature
    shares = z.astype(np.float32)
    np.exp(shares, out=shares)
    top *= 1 / temperature
    total = shares.sum(axis=0)
    total += np.exp(-top.astype(np.float32))
    shares *= 1 / total
    return shares, temperature * float(top.sum() + np.log(total).sum(dtype=float))


def evaluate_smoothed(dual: Dual, prices: np.ndarray, temperature: float) -> DualPoint:
    """Return the dual smoothed by ``temperature`` > 0, in units of net value."""
    limits = dual.limits
    moments, price_vector = Moments.zeros(limits), Prices(prices, limits.n_offers)
    value = float(limits.finite_upper @ prices)
    for chunk in dual.pool.iter_chunks():
        shares, soft_maxima = compute_shares(chunk, price_vector, temperature)
        moments.add(chunk, shares)
        value += soft_maxima
    return DualPoint(prices, temperature, value, limits.finite_upper - moments.usage, moments)


def minimise_smoothed(
    dual: Dual, start: np.ndarray, temperature: float, tolerance: float
) -> DualPoint:
    """Minimise the smoothed dual by Newton steps projected on the bounds.

    Parameters
    ----------
    tolerance
        Expected decrease, in temperatures, below which the steps stop.
    """
    point = evaluate_smoothed(dual, np.clip(start, 0.0, dual.max_prices), temperature)
    for number in range(MAX_NEWTON_STEPS):
        step = _newton_step(dual, point, FIRST_STRIDE_TEMPERATURES * 2**number)
        expected_decrease = -float(point.slack @ step)
        if expected_decrease < tolerance * temperature:
            break
        next_point = _search_line(dual, point, step)
        if next_point is None:
            break
        point = next_point
    return point


def _newton_step(dual: Dual, point: DualPoint, stride: float) -> np.ndarray:
    """Return the Newton step of all prices not held by a bound (Bertsekas 1982).

    A ridge proportional to the slope limits the move of each price to ``stride`` temperatures where
    the curvature is flat; near the solution it vanishes.
    """
    at_bound = ((point.prices <= 0) & (point.slack >= 0)) | (
        (point.prices >= dual.max_prices) & (point.slack <= 0)
    )
    (free,) = np.nonzero(~at_bound)
    step, slope = np.zeros_like(point.slack), point.slack[free]
    reach = stride * point.temperature * dual.unit[free]
    curvature = point.curvature[np.ix_(free, free)] + np.diag(np.abs(slope) / reach)
    step[free] = -invert_curvature(curvature) @ slope
    return step


def _search_line(dual: Dual, point: DualPoint, step: np.ndarray) -> DualPoint | None:
    """Return the first point along the step that descends enough (Armijo); None if none does."""
    for length in (1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4):
        prices = np.clip(point.prices + length * step, 0.0, dual.max_prices)
        candidate = evaluate_smoothed(dual, prices, point.temperature)
        if candidate.value <= point.value + 1e-4 * float(point.slack @ (prices - point.prices)):
            return candidate
    return None


def invert_curvature(curvature: np.ndarray) -> np.ndarray:
    """Return the inverse of second derivatives, scaled, with a ridge where they vanish."""
    size = np.sqrt(np.maximum(curvature.diagonal(), 0))
    size = np.maximum(size, 1e-7 * size.max(initial=0) + 1e-100)
    unit = np.outer(size, size)
    scaled = curvature / unit + 1e-9 * np.eye(len(curvature))
    return np.linalg.inv(scaled) / unit
