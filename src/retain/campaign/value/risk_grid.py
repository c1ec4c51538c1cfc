"""Nodes of score and profit, at which customers are summed once for all draws.

A probability of decline depends only on the score, the profit and which of two maps applies. So a
total over a million customers is a sum over a few thousand nodes in each draw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from retain.campaign.value.assumptions import SampledAssumptions
from retain.campaign.value.calibration_map import EDGE, CalibrationMap, logit
from retain.campaign.value.recalibration import Recalibration

COUNT = 2048
"""Largest number of nodes of a map without profit; their error is at most 3e-6 · slope²."""
SCORES, PROFITS = 256, 64
"""Nodes along score and along profit of a map with both; the total of 60,000 customers in
``experiments/benchmarks/value.py`` errs by 2e-5."""


@dataclass(frozen=True)
class _Block:
    """The nodes of the customers of one map, and the four nodes around each of them."""

    design: np.ndarray
    node: np.ndarray
    weight: np.ndarray


class RiskGrid:
    """Positions of customers among the nodes, for linear interpolation.

    Customers are themselves the nodes, where there are no more of them.

    Parameters
    ----------
    recalibration
        The maps of scores to risk.
    score, single
        Score of each customer, and whether it is by a single model, shape (n,).
    profit
        Profit of each customer, NaN where missing; None without profit.
    """

    def __init__(
        self,
        recalibration: Recalibration,
        score: np.ndarray,
        single: np.ndarray,
        profit: np.ndarray | None = None,
    ) -> None:
        self._node = np.zeros((len(score), 4), dtype=int)
        self._weight = np.zeros((len(score), 4))
        self._designs: list[np.ndarray] = []
        for number, one in enumerate(recalibration.maps):
            rows = np.flatnonzero(np.asarray(single) == bool(number))
            block = _make_block(one, score[rows], None if profit is None else profit[rows])
            self._node[rows] = block.node + sum(map(len, self._designs))
            self._weight[rows] = block.weight
            self._designs.append(block.design)
        self._length = sum(map(len, self._designs))

    def __len__(self) -> int:
        """Return the number of nodes."""
        return self._length

    def risk(self, sampled: SampledAssumptions) -> np.ndarray:
        """Return the risk at each of K nodes in each of D draws, shape (K, D)."""
        parts = zip(self._designs, sampled.coefficients, strict=True)
        return np.concatenate([special.expit(design @ beta.T) for design, beta in parts])

    def sums(self, weight: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
        """Return the summed weights of each group at each node, shape (groups, K).

        ``weight`` and ``group`` (0 … groups - 1) have shape (n,).
        """
        size = groups * len(self)
        cell = (group * len(self))[:, None] + self._node
        total = np.bincount(cell.ravel(), (weight[:, None] * self._weight).ravel(), size)
        return total.reshape(groups, len(self))

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Interpolate values at the nodes, shape (K, m), for each customer: shape (n, m)."""
        result = np.zeros((len(self._node), values.shape[1]))
        for corner in range(4):
            result += values[self._node[:, corner]] * self._weight[:, corner, None]
        return result


def _make_block(one: CalibrationMap, score: np.ndarray, profit: np.ndarray | None) -> _Block:
    x = logit(score)
    z = None
    if one.profit is not None and profit is not None:
        z = one.profit.standardise(profit)
    if len(x) <= (COUNT if z is None else SCORES * PROFITS):  # no more nodes than customers
        node = np.repeat(np.arange(len(x))[:, None], 4, axis=1)
        return _Block(one.design(x, z), node, np.tile([1.0, 0.0, 0.0, 0.0], (len(x), 1)))
    if z is None:
        axis = _score_nodes(x)
        below, share = _locate(axis, x)
        none = np.zeros_like(share)
        weight = np.stack([1 - share, share, none, none], axis=1)
        return _Block(one.design(axis), below[:, None] + np.array([0, 1, 0, 0]), weight)
    return _plane(one, x, z)


def _plane(one: CalibrationMap, x: np.ndarray, z: np.ndarray) -> _Block:
    """Return a block of nodes along score and profit; a missing profit is one more node."""
    missing = np.isnan(z)
    scores = place_nodes(x, SCORES)
    profits = place_nodes(z[~missing], PROFITS) if (~missing).any() else np.array([0.0, 1.0])
    below, share = _locate(scores, x)
    beside, part = _locate(profits, np.where(missing, profits[0], z))
    part = np.where(missing, 0.0, part)
    width = len(profits) + 1
    column = np.where(missing, len(profits), beside)
    right = np.where(missing, len(profits), beside + 1)
    rows = np.stack([below, below, below + 1, below + 1], axis=1)
    columns = np.stack([column, right, column, right], axis=1)
    weight = np.stack(
        [(1 - share) * (1 - part), (1 - share) * part, share * (1 - part), share * part], axis=1
    )
    every = np.append(profits, np.nan)
    grid = np.repeat(scores, width), np.tile(every, len(scores))
    return _Block(one.design(*grid), rows * width + columns, weight)


def _locate(nodes: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the node below each value, and the value's share of the way to the next."""
    below = np.clip(np.searchsorted(nodes, values, side="right") - 1, 0, len(nodes) - 2)
    left = nodes[below]
    return below, (values - left) / (nodes[below + 1] - left)


def _score_nodes(x: np.ndarray) -> np.ndarray:
    logits = np.unique(x)
    if len(logits) > COUNT:
        end = float(logit(np.array(1 - EDGE)))
        return np.linspace(-end, end, COUNT)
    return logits if len(logits) > 1 else np.append(logits, logits + 1.0)


def place_nodes(values: np.ndarray, count: int) -> np.ndarray:
    """Return nodes, ascending: half at quantiles, half at equal steps for sparse regions."""
    share = np.linspace(0, 1, count // 2)
    low, high = values.min(), values.max()
    nodes = np.unique(np.concatenate([np.quantile(values, share), low + (high - low) * share]))
    return nodes if len(nodes) > 1 else np.append(nodes, nodes + 1.0)
