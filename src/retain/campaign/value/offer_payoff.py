"""The net value of an offer by risk and profit in each draw, and its bounds for each customer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import special
from scipy.interpolate import RegularGridInterpolator

from retain.campaign.offers.measured import MeasuredOffer
from retain.campaign.offers.offers import OfferMatrix, boost_factors
from retain.campaign.value.assumptions import SampledAssumptions
from retain.campaign.value.calibration_map import CalibrationMap, logit
from retain.campaign.value.risk_grid import place_nodes
from retain.campaign.value.value import positive_profit
from retain.record.estimates import Estimate
from retain.schema.campaign import Offer

APART = 4096
"""Largest number of customers with exact intervals; for more, a table is interpolated."""
NODES = 64
"""Nodes of that table along score and along profit; its error is about 1 % at most."""
EFFECT_GROUPS, MANY_EFFECT_GROUPS = 16, 4
"""Groups of about equal effect; fewer above ``APART`` customers, as each needs a table."""
BOUNDS = (0.025, 0.975)
"""Quantiles of the draws for an interval."""
CHUNK_CELLS = 2_000_000
"""Largest number of cells of a chunk."""


def estimate_sum(value: float, draws: np.ndarray) -> Estimate:
    """Return an expected sum with the 95 % interval of its draws of shape (D,).

    The value is computed at the assumptions' values; the 2.5 and 97.5 % quantiles of the draws are
    widened if needed to contain it.

    >>> estimate_sum(5.0, np.array([1.0, 2.0, 3.0]))
    Estimate(value=5.0, low=1.05, high=5.0)
    """
    low, high = np.quantile(draws, BOUNDS)
    return Estimate(float(value), float(min(low, value)), float(max(high, value)))


def row_slices(rows: int, columns: int) -> Iterator[slice]:
    """Yield slices of the rows of a table with at most ``CHUNK_CELLS`` cells each."""
    step = max(CHUNK_CELLS // columns, 1)
    for start in range(0, rows, step):
        yield slice(start, start + step)


def quantile_bounds(draws: np.ndarray) -> np.ndarray:
    """Return 2.5 and 97.5 % quantiles of each row, shape (rows, 2)."""
    return np.asarray(np.quantile(draws, BOUNDS, axis=1).T)


@dataclass(frozen=True)
class OfferPayoff:
    """Coefficients of the net value in D draws: of risk × profit, risk, profit, and constant."""

    both: np.ndarray
    risk: np.ndarray
    profit: np.ndarray
    each: np.ndarray

    @classmethod
    def of(cls, offer: Offer, save_rate: np.ndarray, sampled: SampledAssumptions) -> OfferPayoff:
        """Return the coefficients in D draws, ``save_rate`` of shape (D,)."""
        stayers = offer.redemption_rate_stayers
        discount = offer.discount * sampled.horizon * sampled.cost_multiplier
        redemption = offer.redemption_cost * sampled.cost_multiplier
        spared = stayers - np.maximum(save_rate, 0.0)
        return cls(
            both=save_rate * sampled.cost_per_profit + spared * discount,
            risk=spared * redemption,
            profit=-stayers * discount,
            each=offer.contact_cost * sampled.cost_multiplier + stayers * redemption,
        )

    @classmethod
    def of_effect(
        cls, offer: Offer, effect: np.ndarray, sampled: SampledAssumptions
    ) -> OfferPayoff:
        """Return the coefficients of a fall of the decline rate that does not depend on the risk.

        ``effect`` is of shape (D,).
        """
        idle, taken = cls.of(offer, np.zeros(len(effect)), sampled), np.maximum(effect, 0.0)
        discount = offer.discount * sampled.horizon * sampled.cost_multiplier
        redemption = offer.redemption_cost * sampled.cost_multiplier
        return replace(
            idle,
            profit=idle.profit + effect * sampled.cost_per_profit - taken * discount,
            each=idle.each + taken * redemption,
        )

    @classmethod
    def of_money(cls, offer: Offer, effect: np.ndarray, sampled: SampledAssumptions) -> OfferPayoff:
        """Return the coefficients of an effect in money, of shape (D,)."""
        idle, none = cls.of(offer, np.zeros(len(effect)), sampled), np.zeros(len(effect))
        return replace(idle, both=none, risk=none, each=idle.each - effect)


@dataclass(frozen=True)
class OfferGroup:
    """Customers with the same offer and boost, or the same measured effect.

    ``rows`` are their positions; ``times`` is their save rate over the offer's mean.
    """

    name: str
    offer: Offer
    times: float
    rows: np.ndarray

    def returns(self, sampled: SampledAssumptions) -> OfferPayoff:
        """Return the coefficients of their net value; a save rate is at most 1."""
        rates = sampled.save_rates(self.name, self.offer.save_rate) * self.times
        return OfferPayoff.of(self.offer, np.minimum(rates, 1.0), sampled)


@dataclass(frozen=True)
class MeasuredGroup:
    """Customers with the same measured offer, whose effect is about ``difference`` above its mean.

    ``rows`` are their positions.
    """

    name: str
    offer: Offer
    measured: MeasuredOffer
    difference: float
    rows: np.ndarray

    def returns(self, sampled: SampledAssumptions) -> OfferPayoff:
        """Return the coefficients of their net value; mean and differences are uncertain."""
        normal, money = sampled.normals(self.name), self.measured.money
        difference = self.difference * (1 + self.measured.difference_error * normal[0])
        if money is not None:
            effect = money.mean + money.error * normal[1] + difference
            return OfferPayoff.of_money(self.offer, effect, sampled)
        rates = sampled.save_rates(self.name, self.offer.save_rate)
        effect = rates * self.measured.base_risk + difference
        return OfferPayoff.of_effect(self.offer, effect, sampled)


def group_by_offer(chosen: np.ndarray, offers: OfferMatrix) -> list[OfferGroup | MeasuredGroup]:
    """Group customers by offer and boost or measured effect, without choices of −1."""
    groups: list[OfferGroup | MeasuredGroup] = []
    for index, name in enumerate(offers.names):
        offer = offers.catalogue.offers[name]
        rows = np.flatnonzero(chosen == index)
        if name in offers.measured:
            groups += _group_by_effect(name, offer, offers.measured[name], rows)
            continue
        times = np.round(boost_factors(offer, offers.save_rate[rows, index]), 9)
        groups += [
            OfferGroup(name, offer, float(one), rows[times == one]) for one in np.unique(times)
        ]
    return groups


def _group_by_effect(
    name: str, offer: Offer, measured: MeasuredOffer, rows: np.ndarray
) -> Iterator[MeasuredGroup]:
    """Yield customers by effect, in groups of about equal size where all effects differ."""
    difference = measured.difference[rows]
    count = EFFECT_GROUPS if len(rows) <= APART else MANY_EFFECT_GROUPS
    shares = np.arange(1, count) / count
    edges = np.unique(np.quantile(difference, shares)) if len(rows) else difference
    group = np.searchsorted(edges, difference)
    for one in np.unique(group):
        inside = group == one
        yield MeasuredGroup(name, offer, measured, float(difference[inside].mean()), rows[inside])


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
