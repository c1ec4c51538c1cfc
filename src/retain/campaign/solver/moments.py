"""First and second moments of what shares of offers use of the limits.

May import: campaign.solver.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.campaign.solver.limits import Limits
from retain.campaign.solver.pool import Pool


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
