"""Intervals of money: the same sums in many draws of what nobody knows exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.interpolate import RegularGridInterpolator

from retain.campaign.audience import Audience
from retain.campaign.value.assumptions import SampledAssumptions
from retain.campaign.value.recalibration import Recalibration, logit
from retain.campaign.value.score_grid import ScoreGrid
from retain.campaign.value.value import positive_profit
from retain.schema import Assumptions, Offer

if TYPE_CHECKING:
    from retain.campaign.offers.offers import OfferMatrix


@dataclass(frozen=True)
class OfferPayoff:
    """Terms of the net value in D draws: of risk × profit, of risk, of profit, of each."""

    both: np.ndarray
    risk: np.ndarray
    profit: np.ndarray
    each: np.ndarray

    @classmethod
    def of(cls, offer: Offer, save_rate: np.ndarray, drawn: SampledAssumptions) -> OfferPayoff:
        """Terms at the save rates and assumptions of D draws, ``save_rate`` of shape (D,)."""
        stayers = offer.redemption_rate_stayers
        discount = offer.discount * drawn.horizon * drawn.cost_multiplier
        redemption, spared = offer.redemption_cost * drawn.cost_multiplier, stayers - save_rate
        return cls(
            both=save_rate * drawn.cost_per_profit + spared * discount,
            risk=spared * redemption,
            profit=-stayers * discount,
            each=offer.contact_cost * drawn.cost_multiplier + stayers * redemption,
        )


@dataclass(frozen=True)
class OfferGroup:
    """Customers who are sent one offer and whose save rate is lifted alike.

    ``rows`` are their positions; ``times`` is their save rate by the offer's mean.
    """

    name: str
    offer: Offer
    times: float
    rows: np.ndarray

    def returns(self, drawn: SampledAssumptions) -> OfferPayoff:
        """Terms of their net value: one save rate a draw for all of the offer, 1 at most."""
        rates = drawn.save_rates(self.name, self.offer.save_rate) * self.times
        return OfferPayoff.of(self.offer, np.minimum(rates, 1.0), drawn)


def group_by_offer(chosen: np.ndarray, offers: OfferMatrix) -> list[OfferGroup]:
    """Group customers by offer and lift, leaving out choices of −1."""
    found = []
    for place, name in enumerate(offers.names):
        offer = offers.catalogue.offers[name]
        rows = np.flatnonzero(chosen == place)
        times = np.round(offers.save_rate[rows, place] / offer.save_rate.mean, 9)
        found += [
            OfferGroup(name, offer, float(one), rows[times == one]) for one in np.unique(times)
        ]
    return found


BOUNDS = (0.025, 0.975)
"""Quantiles of the draws that make an interval."""
CHUNK_CELLS = 2_000_000
"""Numbers held at a time: what is larger is done in pieces of this size."""
APART = 4096
"""Customers whose own interval is computed one by one; of more, a table of nodes is read."""
NODES = 64
"""Nodes of that table along risk and along profit; an interval is then off by some 1 % at most."""


@dataclass(frozen=True)
class Money:
    """An expected sum and its 95 % interval.

    The value is at the assumptions' own values, the interval spans the 2.5 to 97.5 % quantiles of
    the draws. Where a range is so lopsided that the value lies beside them, it is their end.
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, draws: np.ndarray) -> Money:
        """Return the interval of draws of shape (D,), widened to hold the value.

        >>> Money.of(5.0, np.array([1.0, 2.0, 3.0]))
        Money(value=5.0, low=1.05, high=5.0)
        """
        low, high = np.quantile(draws, BOUNDS)
        return cls(float(value), float(min(low, value)), float(max(high, value)))

    def as_json(self) -> dict[str, float]:
        """``{"value", "low", "high"}``."""
        return asdict(self)


class MonteCarlo:
    """Draws of one audience's money, the same for the same seed.

    Parameters
    ----------
    audience
        With profit.
    recalibration
        Whose probability is the audience's risk.
    value
        Assumptions with their ranges, and the number of draws.
    seed
        Of every draw.

    Raises
    ------
    ValueError
        When the audience's profit is not known.
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
        self._drawn = SampledAssumptions.sample(recalibration, assumptions, seed)

    def total(self, weight: np.ndarray) -> Money:
        """Profit at risk of some customers, by a mask or by weights of shape (n,)."""
        group = np.zeros(len(weight), dtype=int)
        sums = self._knots.sums(weight * self._profit, group, 1)
        return Money.of(float(weight @ self._at_risk), self._lost(sums)[0])

    def totals(self, labels: np.ndarray) -> dict[str, Money]:
        """Profit at risk by label, labels of shape (n,) in their order."""
        group, names = pd.factorize(np.asarray(labels), sort=True)
        draws = self._lost(self._knots.sums(self._profit, group, len(names)))
        values = np.bincount(group, self._at_risk, len(names))
        return {
            str(name): Money.of(value, drawn)
            for name, value, drawn in zip(names, values, draws, strict=True)
        }

    def per_customer(self) -> np.ndarray:
        """Low and high of each customer's profit at risk, shape (n, 2)."""
        bounds = np.empty((len(self._knots), 2))
        for piece in _row_slices(len(self._knots), len(self._drawn)):
            factor = self._drawn.risk(self._knots.logits[piece]) * self._drawn.cost_per_profit
            bounds[piece] = _bounds(factor)
        found = self._knots.spread(bounds) * self._profit[:, None]
        return _widen(found, self._at_risk)

    def plan(self, chosen: np.ndarray, offers: OfferMatrix) -> Money:
        """Return expected net value of a plan, ``chosen`` the place of each customer's offer or -1.

        The save rate of an offer is one number, and is drawn once for all who are sent it.
        """
        groups = group_by_offer(chosen, offers)
        if not groups:
            return Money(0.0, 0.0, 0.0)
        group = np.full(len(chosen), -1)
        for number, one in enumerate(groups):
            group[one.rows] = number
        counted, paid = self._at_knots(group, len(groups))
        terms = [one.returns(self._drawn) for one in groups]
        draws = np.empty(len(self._drawn))
        for piece in _row_slices(len(self._drawn), len(self._knots)):
            risk = self._drawn.rows(piece).risk(self._knots.logits)
            draws[piece] = _sum_terms(terms, piece, counted, paid, risk)
        rows = np.flatnonzero(group >= 0)
        return Money.of(float(offers.net[rows, chosen[rows]].sum()), draws)

    def expected_net(self, chosen: np.ndarray, offers: OfferMatrix) -> np.ndarray:
        """Low and high of each customer's expected net value, shape (n, 2); 0 of those not chosen.

        Exact for up to ``APART`` customers of an offer; of more, read from a table of ``NODES`` ×
        ``NODES`` of risk and profit.
        """
        found = np.zeros((len(chosen), 2))
        for one in group_by_offer(chosen, offers):
            terms = one.returns(self._drawn)
            points = np.column_stack([self._score[one.rows], self._profit[one.rows]])
            found[one.rows] = self._nets(points, terms)
        rows = np.flatnonzero(chosen >= 0)
        found[rows] = _widen(found[rows], offers.net[rows, chosen[rows]])
        return found

    def _lost(self, sums: np.ndarray) -> np.ndarray:
        """Profit at risk in each draw of profits summed at the knots, shape (groups, D)."""
        found = np.empty((len(sums), len(self._drawn)))
        for piece in _row_slices(len(self._drawn), len(self._knots)):
            drawn = self._drawn.rows(piece)
            found[:, piece] = (sums @ drawn.risk(self._knots.logits)) * drawn.cost_per_profit
        return found

    def _at_knots(self, group: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
        """Return customers, and their profits, by group and knot; group -1 is left out."""
        rest = np.where(group < 0, groups, group)
        one = np.ones(len(group))
        return tuple(  # type: ignore[return-value]
            self._knots.sums(weight, rest, groups + 1)[:-1] for weight in (one, self._profit)
        )

    def _nets(self, points: np.ndarray, terms: OfferPayoff) -> np.ndarray:
        """Bounds of net value at points of (score, profit), shape (points, 2)."""
        if len(points) <= APART:
            return self._exact_nets(points, terms)
        axes = tuple(_grid_nodes(points[:, axis]) for axis in (0, 1))
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        table = self._exact_nets(grid.reshape(-1, 2), terms).reshape(*grid.shape[:2], 2)
        return np.asarray(RegularGridInterpolator(axes, table)(points))

    def _exact_nets(self, points: np.ndarray, terms: OfferPayoff) -> np.ndarray:
        found = np.empty((len(points), 2))
        for piece in _row_slices(len(points), len(self._drawn)):
            profit = points[piece, 1:]
            net = self._drawn.risk(logit(points[piece, 0])) * (profit * terms.both + terms.risk)
            found[piece] = _bounds(net + profit * terms.profit - terms.each)
        return found


def _sum_terms(
    terms: list[OfferPayoff],
    piece: slice,
    counted: np.ndarray,
    paid: np.ndarray,
    risk: np.ndarray,
) -> np.ndarray:
    """Net value of all groups in some draws, from their sums at the knots, risk (K, draws)."""
    of_one, of_profit = counted @ risk, paid @ risk
    total = np.zeros(risk.shape[1])
    for number, one in enumerate(terms):
        total += one.both[piece] * of_profit[number] + one.risk[piece] * of_one[number]
        total += one.profit[piece] * paid[number].sum() - one.each[piece] * counted[number].sum()
    return total


def _row_slices(rows: int, columns: int) -> Iterator[slice]:
    """Slices of the rows of a table so wide that each holds ``CHUNK_CELLS`` numbers or fewer."""
    step = max(CHUNK_CELLS // columns, 1)
    for start in range(0, rows, step):
        yield slice(start, start + step)


def _bounds(draws: np.ndarray) -> np.ndarray:
    """2.5 and 97.5 % quantiles of each row, shape (rows, 2)."""
    return np.asarray(np.quantile(draws, BOUNDS, axis=1).T)


def _widen(bounds: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Bounds widened to hold the value."""
    return np.column_stack([np.minimum(bounds[:, 0], value), np.maximum(bounds[:, 1], value)])


def _grid_nodes(values: np.ndarray) -> np.ndarray:
    """Ascending: half at quantiles, where customers are, half at equal steps, where few are."""
    share = np.linspace(0, 1, NODES // 2)
    low, high = values.min(), values.max()
    found = np.unique(np.concatenate([np.quantile(values, share), low + (high - low) * share]))
    return found if len(found) > 1 else np.append(found, found + 1.0)
