"""Prices of the limits at one temperature: the smoothed Lagrangian dual, by Newton's method.

With a price on each limit, every customer may be looked at alone: the dual's value is what the
limits are worth plus, for each customer, the best of nothing and of each offer's net value less
the price of what it uses (Fisher 1981). At any prices it bounds every plan from above. A
temperature turns each best into a soft maximum (Nesterov 2005), whose shares say how a limit
divides customers who are worth the same, and whose curvature gives Newton steps: some five for a
temperature, where a method of gradients alone needs dozens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from retain.campaign.allocation.limits import Limits, Prices
from retain.campaign.allocation.pool import CustomerPool


@dataclass
class Moments:
    """Sums over customers of what their shares of each offer use of each limit.

    Attributes
    ----------
    usage
        (limits,) Σ of expected uses.
    squares
        (limits, limits) Σ over customers and offers of share × use × useᵀ.
    products
        (limits, limits) Σ over customers of expected use × its transpose.
    sum_squared_shares
        Σ over customers of the squares of the shares, nothing's included: 1 for a clear choice.
    n_customers
        How many customers there are.
    """

    usage: np.ndarray
    squares: np.ndarray
    products: np.ndarray
    sum_squared_shares: float = 0.0
    n_customers: int = 0

    @classmethod
    def zeros(cls, limits: Limits) -> Moments:
        """Those of nobody."""
        size = len(limits.upper)
        return cls(np.zeros(size), np.zeros((size, size)), np.zeros((size, size)))

    @property
    def n_undecided(self) -> float:
        """How many customers are left without a clear choice."""
        return self.n_customers - self.sum_squared_shares

    def add(self, pool: CustomerPool, shares: np.ndarray) -> None:
        """Add customers and their shares (offers, customers)."""
        offers, segments = len(shares), len(self.usage) - 2 - len(shares)
        costs = shares * pool.cost.astype(shares.dtype)
        rows = np.empty((2 + offers, len(pool)), dtype=shares.dtype)
        costs.sum(axis=0, out=rows[0])
        rows[1:-1] = shares
        shares.sum(axis=0, out=rows[-1])
        total, product = rows.sum(axis=1, dtype=float), (rows @ rows.T).astype(float)
        squares = np.diag(total)
        squares[0, 0] = np.vdot(costs, pool.cost)
        squares[0, 1:-1] = costs.sum(axis=1)
        squares[:-1, -1] = total[:-1]
        self.sum_squared_shares += float(product.diagonal()[1:-1].sum())
        self.sum_squared_shares += len(pool) - 2 * total[-1] + product[-1, -1]
        self.n_customers += len(pool)
        self._add_offers(total, squares, product)
        if pool.segment is not None and segments:
            self._add_segments(pool, rows, segments)

    def _add_offers(self, total: np.ndarray, squares: np.ndarray, product: np.ndarray) -> None:
        size = len(total)
        self.usage[:size] += total
        self.squares[:size, :size] += np.triu(squares) + np.triu(squares, 1).T
        self.products[:size, :size] += product

    def _add_segments(self, pool: CustomerPool, rows: np.ndarray, segments: int) -> None:
        """A contact within a segment counts against its minimum, hence the signs."""
        size = len(rows)
        plain = np.array([pool.sum_by_segment(row, segments) for row in rows])
        paired = np.array([pool.sum_by_segment(row * rows[-1], segments) for row in rows])
        self.usage[size:] -= plain[-1]
        for matrix, cross in ((self.squares, plain), (self.products, paired)):
            matrix[:size, size:] -= cross
            matrix[size:, :size] -= cross.T
            matrix[range(size, size + segments), range(size, size + segments)] += cross[-1]


MAX_NEWTON_STEPS = 30
"""Newton steps at one temperature; fewer only cost precision."""
FIRST_STRIDE_TEMPERATURES = 30.0
"""Temperatures by which the first step may change a reduced value; each may twice as much."""


@dataclass(frozen=True)
class Dual:
    """The dual of a pool under limits.

    Attributes
    ----------
    low, high
        (limits,) the least and the most each price may be.
    """

    pool: CustomerPool
    limits: Limits
    low: np.ndarray
    high: np.ndarray

    @cached_property
    def unit(self) -> np.ndarray:
        """(limits,) the price that changes an average reduced value by 1."""
        unit = np.ones(len(self.limits.upper))
        mean = float(self.pool.cost.mean()) if self.pool.cost.size else 0.0
        unit[0] = 1 / mean if mean > 0 else 1.0
        return unit

    def evaluate(self, prices: np.ndarray) -> float:
        """The dual itself: no plan of the pool within the limits brings more."""
        priced = Prices(prices, self.limits.n_offers)
        best = sum(
            float(chunk.apply_prices(priced).max(axis=0, initial=0.0).sum())
            for chunk in self.pool.iter_chunks()
        )
        return best + float(self.limits.finite_upper @ prices)


@dataclass(frozen=True)
class DualPoint:
    """The smoothed dual at some prices.

    Attributes
    ----------
    value
        The smoothed dual.
    slack
        (limits,) what the shares leave of each limit: the gradient.
    moments
        Of what the shares use.
    """

    prices: np.ndarray
    temperature: float
    value: float
    slack: np.ndarray
    moments: Moments

    @property
    def curvature(self) -> np.ndarray:
        """(limits, limits) second derivatives: what the shares leave open of each use."""
        return np.asarray(self.moments.squares - self.moments.products) / self.temperature


def compute_shares(
    pool: CustomerPool, prices: Prices, temperature: float
) -> tuple[np.ndarray, float]:
    """(offers, customers) the share of each offer, and the sum of the soft maxima.

    Shares are of single precision, whose exponential numpy computes ten times as fast.
    """
    z = pool.apply_prices(prices)
    top = z.max(axis=0, initial=0.0)
    z -= top
    z *= 1 / temperature
    share = z.astype(np.float32)
    np.exp(share, out=share)
    top *= 1 / temperature
    total = share.sum(axis=0)
    total += np.exp(-top.astype(np.float32))
    share *= 1 / total
    return share, temperature * float(top.sum() + np.log(total).sum(dtype=float))


def evaluate_smoothed(dual: Dual, prices: np.ndarray, temperature: float) -> DualPoint:
    """The dual smoothed by ``temperature`` > 0, in units of net value."""
    limits = dual.limits
    moments, priced = Moments.zeros(limits), Prices(prices, limits.n_offers)
    value = float(limits.finite_upper @ prices)
    for chunk in dual.pool.iter_chunks():
        share, best = compute_shares(chunk, priced, temperature)
        moments.add(chunk, share)
        value += best
    return DualPoint(prices, temperature, value, limits.finite_upper - moments.usage, moments)


def minimise_smoothed(
    dual: Dual, start: np.ndarray, temperature: float, tolerance: float
) -> DualPoint:
    """The prices at which the smoothed dual is least, by Newton steps projected on the bounds.

    Parameters
    ----------
    tolerance
        Stops when the next step promises less than this many temperatures.
    """
    point = evaluate_smoothed(dual, np.clip(start, dual.low, dual.high), temperature)
    for number in range(MAX_NEWTON_STEPS):
        step = _newton_step(dual, point, FIRST_STRIDE_TEMPERATURES * 2**number)
        promised = -float(point.slack @ step)
        if promised < tolerance * temperature:
            break
        better = _search_line(dual, point, step)
        if better is None:
            break
        point = better
    return point


def _newton_step(dual: Dual, point: DualPoint, stride: float) -> np.ndarray:
    """The Newton step of all prices that no bound holds (Bertsekas 1982).

    A ridge in proportion to the slope keeps each price from moving by more than ``stride``
    temperatures, where the curvature has nothing to say; near the solution it vanishes.
    """
    held = ((point.prices <= dual.low) & (point.slack >= 0)) | (
        (point.prices >= dual.high) & (point.slack <= 0)
    )
    (free,) = np.nonzero(~held)
    step, slope = np.zeros_like(point.slack), point.slack[free]
    far = stride * point.temperature * dual.unit[free]
    curved = point.curvature[np.ix_(free, free)] + np.diag(np.abs(slope) / far)
    step[free] = -invert_curvature(curved) @ slope
    return step


def _search_line(dual: Dual, point: DualPoint, step: np.ndarray) -> DualPoint | None:
    """The first point along the step that descends enough (Armijo); None where none does."""
    for length in (1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4):
        prices = np.clip(point.prices + length * step, dual.low, dual.high)
        tried = evaluate_smoothed(dual, prices, point.temperature)
        if tried.value <= point.value + 1e-4 * float(point.slack @ (prices - point.prices)):
            return tried
    return None


def invert_curvature(curved: np.ndarray) -> np.ndarray:
    """The inverse of second derivatives, in their own scales, with a ridge where they vanish."""
    size = np.sqrt(np.maximum(curved.diagonal(), 0))
    size = np.maximum(size, 1e-7 * size.max(initial=0) + 1e-100)
    scaled = curved / np.outer(size, size) + 1e-9 * np.eye(len(curved))
    return np.linalg.inv(scaled) / np.outer(size, size)
