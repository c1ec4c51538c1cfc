"""Bounds of each customer's expected net value of an offer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special
from scipy.interpolate import RegularGridInterpolator

from retain.campaign.value.calibration_map import CalibrationMap, logit
from retain.campaign.value.money import quantile_bounds, row_slices
from retain.campaign.value.offer_payoff import OfferPayoff
from retain.campaign.value.risk_grid import place_nodes
from retain.campaign.value.value import positive_profit

APART = 4096
"""Largest number of customers with exact intervals; for more, a table is interpolated."""
NODES = 64
"""Nodes of that table along score and along profit; its error is about 1 % at most."""


@dataclass(frozen=True)
class NetValue:
    """The net value of one offer: a map, its coefficients (D, p), and coefficients of money."""

    one: CalibrationMap
    coefficients: np.ndarray
    terms: OfferPayoff

    def bounds(self, points: np.ndarray) -> np.ndarray:
        """Return bounds at points of (score, profit), shape (points, 2)."""
        z = None if self.one.profit is None else self.one.profit.standardise(points[:, 1])
        design = self.one.design(logit(points[:, 0]), z)
        money, terms = positive_profit(points[:, 1])[:, None], self.terms
        result = np.empty((len(points), 2))
        for piece in row_slices(len(points), len(self.coefficients)):
            risk = special.expit(design[piece] @ self.coefficients.T)
            profit = money[piece]
            net = risk * (profit * terms.both + terms.risk) + profit * terms.profit - terms.each
            result[piece] = quantile_bounds(net)
        return result


def net_bounds(points: np.ndarray, net: NetValue) -> np.ndarray:
    """Return bounds at points of (score, profit), a missing profit NaN, shape (points, 2).

    Exact for up to ``APART`` points; for more, interpolated in a table of ``NODES`` × ``NODES``
    scores and profits.
    """
    if len(points) <= APART:
        return net.bounds(points)
    missing = np.isnan(points[:, 1])
    result = np.empty((len(points), 2))
    if (~missing).any():
        result[~missing] = _interpolate(points[~missing], net)
    if missing.any():
        score = points[missing, 0]
        nodes = place_nodes(score, NODES)
        table = net.bounds(np.column_stack([nodes, np.full(len(nodes), np.nan)]))
        result[missing] = np.stack([np.interp(score, nodes, one) for one in table.T], axis=1)
    return result


def _interpolate(points: np.ndarray, net: NetValue) -> np.ndarray:
    axes = tuple(place_nodes(points[:, axis], NODES) for axis in (0, 1))
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    table = net.bounds(grid.reshape(-1, 2)).reshape(*grid.shape[:2], 2)
    return np.asarray(RegularGridInterpolator(axes, table)(points))
