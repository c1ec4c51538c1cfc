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
from retain.campaign.allocation.pool import Pool


@dataclass
class Moments:
    """Sums over customers of what their shares of each offer use of each limit.

    Attributes
    ----------
    used
        (limits,) Σ of expected uses.
    squares
        (limits, limits) Σ over customers and offers of share × use × useᵀ.
    products
        (limits, limits) Σ over customers of expected use × its transpose.
    sharp
        Σ over customers of the squares of the shares, nothing's included: 1 for a clear choice.
    customers
        How many customers there are.
    """

    used: np.ndarray
    squares: np.ndarray
    products: np.ndarray
    sharp: float = 0.0
    customers: int = 0

    @classmethod
    def none(cls, limits: Limits) -> Moments:
        """Those of nobody."""
        size = len(limits.most)
        return cls(np.zeros(size), np.zeros((size, size)), np.zeros((size, size)))

    @property
    def undecided(self) -> float:
        """How many customers are left without a clear choice."""
        return self.customers - self.sharp

    def add(self, pool: Pool, shares: np.ndarray) -> None:
        """Add customers and their shares (offers, customers)."""
        offers, segments = len(shares), len(self.used) - 2 - len(shares)
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
        self.sharp += float(product.diagonal()[1:-1].sum())
        self.sharp += len(pool) - 2 * total[-1] + product[-1, -1]
        self.customers += len(pool)
        self._put(total, squares, product)
        if pool.segment is not None and segments:
            self._put_segments(pool, rows, segments)

    def _put(self, total: np.ndarray, squares: np.ndarray, product: np.ndarray) -> None:
        size = len(total)
        self.used[:size] += total
        self.squares[:size, :size] += np.triu(squares) + np.triu(squares, 1).T
        self.products[:size, :size] += product

    def _put_segments(self, pool: Pool, rows: np.ndarray, segments: int) -> None:
        """A contact within a segment counts against its minimum, hence the signs."""
        size = len(rows)
        plain = np.array([pool.per_segment(row, segments) for row in rows])
        paired = np.array([pool.per_segment(row * rows[-1], segments) for row in rows])
        self.used[size:] -= plain[-1]
        for matrix, cross in ((self.squares, plain), (self.products, paired)):
            matrix[:size, size:] -= cross
            matrix[size:, :size] -= cross.T
            matrix[range(size, size + segments), range(size, size + segments)] += cross[-1]


STEPS = 30
"""Newton steps at one temperature; fewer only cost precision."""
STRIDE = 30.0
"""Temperatures by which the first step may change a reduced value; each may twice as much."""


@dataclass(frozen=True)
class Dual:
    """The dual of a pool under limits.

    Attributes
    ----------
    low, high
        (limits,) the least and the most each price may be.
    """

    pool: Pool
    limits: Limits
    low: np.ndarray
    high: np.ndarray

    @cached_property
    def unit(self) -> np.ndarray:
        """(limits,) the price that changes an average reduced value by 1."""
        unit = np.ones(len(self.limits.most))
        mean = float(self.pool.cost.mean()) if self.pool.cost.size else 0.0
        unit[0] = 1 / mean if mean > 0 else 1.0
        return unit

    def value(self, prices: np.ndarray) -> float:
        """The dual itself: no plan of the pool within the limits brings more."""
        priced = Prices(prices, self.limits.offers)
        best = sum(
            float(block.reduced(priced).max(axis=0, initial=0.0).sum())
            for block in self.pool.blocks()
        )
        return best + float(self.limits.finite @ prices)


@dataclass(frozen=True)
class Point:
    """The smoothed dual at some prices.

    Attributes
    ----------
    value
        The smoothed dual.
    left
        (limits,) what the shares leave of each limit: the gradient.
    moments
        Of what the shares use.
    """

    prices: np.ndarray
    temperature: float
    value: float
    left: np.ndarray
    moments: Moments

    @property
    def curvature(self) -> np.ndarray:
        """(limits, limits) second derivatives: what the shares leave open of each use."""
        return np.asarray(self.moments.squares - self.moments.products) / self.temperature


def shares(pool: Pool, prices: Prices, temperature: float) -> tuple[np.ndarray, float]:
    """(offers, customers) the share of each offer, and the sum of the soft maxima.

    Shares are of single precision, whose exponential numpy computes ten times as fast.
    """
    z = pool.reduced(prices)
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


def at(dual: Dual, prices: np.ndarray, temperature: float) -> Point:
    """The dual smoothed by ``temperature`` > 0, in units of net value."""
    limits = dual.limits
    moments, priced = Moments.none(limits), Prices(prices, limits.offers)
    value = float(limits.finite @ prices)
    for block in dual.pool.blocks():
        share, best = shares(block, priced, temperature)
        moments.add(block, share)
        value += best
    return Point(prices, temperature, value, limits.finite - moments.used, moments)


def solve(dual: Dual, start: np.ndarray, temperature: float, within: float) -> Point:
    """The prices at which the smoothed dual is least, by Newton steps projected on the bounds.

    Parameters
    ----------
    within
        Stops when the next step promises less than this many temperatures.
    """
    point = at(dual, np.clip(start, dual.low, dual.high), temperature)
    for number in range(STEPS):
        step = _step(dual, point, STRIDE * 2**number)
        promised = -float(point.left @ step)
        if promised < within * temperature:
            break
        better = _searched(dual, point, step)
        if better is None:
            break
        point = better
    return point


def _step(dual: Dual, point: Point, stride: float) -> np.ndarray:
    """The Newton step of all prices that no bound holds (Bertsekas 1982).

    A ridge in proportion to the slope keeps each price from moving by more than ``stride``
    temperatures, where the curvature has nothing to say; near the solution it vanishes.
    """
    held = ((point.prices <= dual.low) & (point.left >= 0)) | (
        (point.prices >= dual.high) & (point.left <= 0)
    )
    (free,) = np.nonzero(~held)
    step, slope = np.zeros_like(point.left), point.left[free]
    far = stride * point.temperature * dual.unit[free]
    curved = point.curvature[np.ix_(free, free)] + np.diag(np.abs(slope) / far)
    step[free] = -inverse(curved) @ slope
    return step


def _searched(dual: Dual, point: Point, step: np.ndarray) -> Point | None:
    """The first point along the step that descends enough (Armijo); None where none does."""
    for length in (1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4):
        prices = np.clip(point.prices + length * step, dual.low, dual.high)
        tried = at(dual, prices, point.temperature)
        if tried.value <= point.value + 1e-4 * float(point.left @ (prices - point.prices)):
            return tried
    return None


def inverse(curved: np.ndarray) -> np.ndarray:
    """The inverse of second derivatives, in their own scales, with a ridge where they vanish."""
    size = np.sqrt(np.maximum(curved.diagonal(), 0))
    size = np.maximum(size, 1e-7 * size.max(initial=0) + 1e-100)
    scaled = curved / np.outer(size, size) + 1e-9 * np.eye(len(curved))
    return np.linalg.inv(scaled) / np.outer(size, size)
