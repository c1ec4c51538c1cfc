"""Monte Carlo intervals of amounts of money under uncertain assumptions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.interpolate import RegularGridInterpolator

from retain.campaign.audience import Audience
from retain.campaign.offers.offers import lift_factors
from retain.campaign.value.assumptions import SampledAssumptions
from retain.campaign.value.recalibration import Recalibration, logit
from retain.campaign.value.score_grid import ScoreGrid
from retain.campaign.value.value import positive_profit
from retain.schema.campaign import Assumptions, Offer

if TYPE_CHECKING:
    from retain.campaign.offers.offers import OfferMatrix


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


@dataclass(frozen=True)
class OfferGroup:
    """Customers with the same offer and lift.

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


def group_by_offer(chosen: np.ndarray, offers: OfferMatrix) -> list[OfferGroup]:
    """Group customers by offer and lift, without choices of −1."""
    groups = []
    for index, name in enumerate(offers.names):
        offer = offers.catalogue.offers[name]
        rows = np.flatnonzero(chosen == index)
        times = np.round(lift_factors(offer, offers.save_rate[rows, index]), 9)
        groups += [
            OfferGroup(name, offer, float(one), rows[times == one]) for one in np.unique(times)
        ]
    return groups


BOUNDS = (0.025, 0.975)
"""Quantiles of the draws for an interval."""
CHUNK_CELLS = 2_000_000
"""Largest number of cells of a chunk."""
APART = 4096
"""Largest number of customers with exact intervals; for more, a table is interpolated."""
NODES = 64
"""Nodes of that table along risk and along profit; its error is about 1 % at most."""


@dataclass(frozen=True)
class Money:
    """An expected sum and its 95 % interval.

    The value is computed at the assumptions' values, the interval from the 2.5 and 97.5 % quantiles
    of the draws, widened if needed to contain the value.
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, draws: np.ndarray) -> Money:
        """Return the interval of draws of shape (D,), widened to contain the value.

        >>> Money.of(5.0, np.array([1.0, 2.0, 3.0]))
        Money(value=5.0, low=1.05, high=5.0)
        """
        low, high = np.quantile(draws, BOUNDS)
        return cls(float(value), float(min(low, value)), float(max(high, value)))

    def as_json(self) -> dict[str, float]:
        """Return ``{"value", "low", "high"}``."""
        return asdict(self)


class MonteCarlo:
    """Simulated amounts of money of an audience.

    Parameters
    ----------
    audience
        Customers with profit.
    recalibration
        The recalibration of the audience's risk.
    assumptions
        Assumptions with their ranges, and the number of simulations.
    seed
        Seed of all draws.

    Raises
    ------
    ValueError
        The audience has no profit.
    """

    def __init__(
        self, audience: Audience, recalibration: Recalibration, assumptions: Assumptions, seed: int
    ) -> None:
        if not audience.with_profit:
            raise ValueError("no profit, no money to draw")
        score = audience.table["score"].to_numpy(dtype=float)
        self._at_risk = audience.table["profit_at_risk"].to_numpy(dtype=float)
        self._profit = positive_profit(audience.table["profit"].to_numpy(dtype=float))
        self._score = score
        self._knots = ScoreGrid(score)
        self._sampled = SampledAssumptions.sample(recalibration, assumptions, seed)

    def total(self, weight: np.ndarray) -> Money:
        """Return the profit at risk of customers by a mask or weights of shape (n,)."""
        group = np.zeros(len(weight), dtype=int)
        sums = self._knots.sums(weight * self._profit, group, 1)
        return Money.of(float(weight @ self._at_risk), self._lost(sums)[0])

    def totals(self, labels: np.ndarray) -> dict[str, Money]:
        """Return the profit at risk by label, ``labels`` of shape (n,)."""
        group, names = pd.factorize(np.asarray(labels), sort=True)
        draws = self._lost(self._knots.sums(self._profit, group, len(names)))
        values = np.bincount(group, self._at_risk, len(names))
        return {
            str(name): Money.of(value, sample)
            for name, value, sample in zip(names, values, draws, strict=True)
        }

    def per_customer(self) -> np.ndarray:
        """Return bounds of each customer's profit at risk, shape (n, 2)."""
        bounds = np.empty((len(self._knots), 2))
        for piece in _row_slices(len(self._knots), len(self._sampled)):
            factor = self._sampled.risk(self._knots.logits[piece]) * self._sampled.cost_per_profit
            bounds[piece] = _bounds(factor)
        customer_bounds = self._knots.spread(bounds) * self._profit[:, None]
        return _widen(customer_bounds, self._at_risk)

    def plan(self, chosen: np.ndarray, offers: OfferMatrix) -> Money:
        """Return the expected net value of a plan; ``chosen`` is each customer's offer index or -1.

        An offer has one save rate per draw for all its customers.
        """
        groups = group_by_offer(chosen, offers)
        if not groups:
            return Money(0.0, 0.0, 0.0)
        group = np.full(len(chosen), -1)
        for number, one in enumerate(groups):
            group[one.rows] = number
        counted, paid = self._at_knots(group, len(groups))
        terms = [one.returns(self._sampled) for one in groups]
        draws = np.empty(len(self._sampled))
        for piece in _row_slices(len(self._sampled), len(self._knots)):
            risk = self._sampled.rows(piece).risk(self._knots.logits)
            draws[piece] = _sum_terms(terms, piece, counted, paid, risk)
        rows = np.flatnonzero(group >= 0)
        return Money.of(float(offers.net[rows, chosen[rows]].sum()), draws)

    def expected_net(self, chosen: np.ndarray, offers: OfferMatrix) -> np.ndarray:
        """Return bounds of each customer's expected net value, shape (n, 2); 0 if not chosen.

        Exact for up to ``APART`` customers of an offer; for more, interpolated in a table of
        ``NODES`` × ``NODES`` risks and profits.
        """
        bounds = np.zeros((len(chosen), 2))
        for one in group_by_offer(chosen, offers):
            terms = one.returns(self._sampled)
            points = np.column_stack([self._score[one.rows], self._profit[one.rows]])
            bounds[one.rows] = self._nets(points, terms)
        rows = np.flatnonzero(chosen >= 0)
        bounds[rows] = _widen(bounds[rows], offers.net[rows, chosen[rows]])
        return bounds

    def _lost(self, sums: np.ndarray) -> np.ndarray:
        """Return the profit at risk in each draw from profits at the knots, shape (groups, D)."""
        lost = np.empty((len(sums), len(self._sampled)))
        for piece in _row_slices(len(self._sampled), len(self._knots)):
            sampled = self._sampled.rows(piece)
            lost[:, piece] = (sums @ sampled.risk(self._knots.logits)) * sampled.cost_per_profit
        return lost

    def _at_knots(self, group: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
        """Return numbers of customers and their profits by group and knot, without group -1."""
        rest = np.where(group < 0, groups, group)
        one = np.ones(len(group))
        return tuple(  # type: ignore[return-value]
            self._knots.sums(weight, rest, groups + 1)[:-1] for weight in (one, self._profit)
        )

    def _nets(self, points: np.ndarray, terms: OfferPayoff) -> np.ndarray:
        """Return bounds of net value at points of (score, profit), shape (points, 2)."""
        if len(points) <= APART:
            return self._exact_nets(points, terms)
        axes = tuple(_grid_nodes(points[:, axis]) for axis in (0, 1))
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        table = self._exact_nets(grid.reshape(-1, 2), terms).reshape(*grid.shape[:2], 2)
        return np.asarray(RegularGridInterpolator(axes, table)(points))

    def _exact_nets(self, points: np.ndarray, terms: OfferPayoff) -> np.ndarray:
        bounds = np.empty((len(points), 2))
        for piece in _row_slices(len(points), len(self._sampled)):
            profit = points[piece, 1:]
            net = self._sampled.risk(logit(points[piece, 0])) * (profit * terms.both + terms.risk)
            bounds[piece] = _bounds(net + profit * terms.profit - terms.each)
        return bounds


def _sum_terms(
    terms: list[OfferPayoff],
    piece: slice,
    counted: np.ndarray,
    paid: np.ndarray,
    risk: np.ndarray,
) -> np.ndarray:
    """Return the net value of all groups in a slice of draws from sums at the K knots."""
    of_one, of_profit = counted @ risk, paid @ risk
    total = np.zeros(risk.shape[1])
    for number, one in enumerate(terms):
        total += one.both[piece] * of_profit[number] + one.risk[piece] * of_one[number]
        total += one.profit[piece] * paid[number].sum() - one.each[piece] * counted[number].sum()
    return total


def _row_slices(rows: int, columns: int) -> Iterator[slice]:
    """Yield slices of the rows of a table with at most ``CHUNK_CELLS`` cells each."""
    step = max(CHUNK_CELLS // columns, 1)
    for start in range(0, rows, step):
        yield slice(start, start + step)


def _bounds(draws: np.ndarray) -> np.ndarray:
    """Return 2.5 and 97.5 % quantiles of each row, shape (rows, 2)."""
    return np.asarray(np.quantile(draws, BOUNDS, axis=1).T)


def _widen(bounds: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return bounds widened to contain the value."""
    return np.column_stack([np.minimum(bounds[:, 0], value), np.maximum(bounds[:, 1], value)])


def _grid_nodes(values: np.ndarray) -> np.ndarray:
    """Return nodes, ascending: half at quantiles, half at equal steps for sparse regions."""
    share = np.linspace(0, 1, NODES // 2)
    low, high = values.min(), values.max()
    nodes = np.unique(np.concatenate([np.quantile(values, share), low + (high - low) * share]))
    return nodes if len(nodes) > 1 else np.append(nodes, nodes + 1.0)
