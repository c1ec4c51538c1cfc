"""Monte Carlo intervals of amounts of money under uncertain assumptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.campaign.segmentation.outcomes import AudienceOutcomes, effective_size, share_draws
from retain.campaign.value.assumptions import SampledAssumptions
from retain.campaign.value.offer_payoff import (
    NetValue,
    OfferPayoff,
    estimate_sum,
    group_by_offer,
    net_bounds,
    quantile_bounds,
    row_slices,
)
from retain.campaign.value.recalibration import Recalibration
from retain.campaign.value.risk_grid import RiskGrid
from retain.campaign.value.value import cost_per_profit, positive_profit
from retain.record.estimates import Estimate
from retain.schema.campaign import Assumptions

if TYPE_CHECKING:
    from retain.campaign.offers.offers import OfferMatrix


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
        table = audience.table
        self._at_risk = table["profit_at_risk"].to_numpy(dtype=float)
        self._score = table["score"].to_numpy(dtype=float)
        self._risk = table["risk"].to_numpy(dtype=float)
        self._raw_profit = table["profit"].to_numpy(dtype=float)
        self._single = audience.is_single_model
        self._recalibration = recalibration
        self._cost_per_profit = cost_per_profit(assumptions)
        self._profit = positive_profit(self._raw_profit)
        self._nodes = RiskGrid(recalibration, self._score, self._single, self._raw_profit)
        self._sampled = SampledAssumptions.sample(recalibration, assumptions, seed)

    def total(self, weight: np.ndarray) -> Estimate:
        """Return the profit at risk of customers by a mask or weights of shape (n,)."""
        group = np.zeros(len(weight), dtype=int)
        sums = self._nodes.sums(weight * self._profit, group, 1)
        return estimate_sum(float(weight @ self._at_risk), self._lost(sums)[0])

    def declines(self) -> Estimate:
        """Return the expected number of customers who decline."""
        one = np.ones(len(self._score))
        counts = self._nodes.sums(one, np.zeros(len(one), dtype=int), 1)
        draws = np.empty(len(self._sampled))
        for piece in row_slices(len(self._sampled), len(self._nodes)):
            draws[piece] = (counts @ self._nodes.risk(self._sampled.rows(piece)))[0]
        return estimate_sum(float(self._risk.sum()), draws)

    def totals(self, labels: np.ndarray) -> dict[str, Estimate]:
        """Return the profit at risk by label, ``labels`` of shape (n,)."""
        group, names = pd.factorize(np.asarray(labels), sort=True)
        draws = self._lost(self._nodes.sums(self._profit, group, len(names)))
        values = np.bincount(group, self._at_risk, len(names))
        return {
            str(name): estimate_sum(value, sample)
            for name, value, sample in zip(names, values, draws, strict=True)
        }

    def observed_totals(
        self, labels: np.ndarray, outcomes: AudienceOutcomes
    ) -> dict[str, Estimate]:
        """Return the profit at risk by label from the profit of those who declined.

        The share of a label's profit that decliners bring has Wilson's interval (1927) at the
        effective size of unequal weights (Kish 1965); assumptions vary as in ``totals``.
        """
        group, names = pd.factorize(np.asarray(labels), sort=True)
        profit, count = self._profit, len(names)
        total = np.bincount(group, profit, count)
        lost = np.bincount(group, profit * outcomes.declined, count)
        share = lost / np.where(total > 0, total, 1.0)
        effective = effective_size(group, outcomes.duplicate_group, profit, count)
        normal = np.random.default_rng([self._sampled.seed, 0]).standard_normal(len(self._sampled))
        draws = share_draws(share, np.maximum(effective, 1.0), normal)
        draws *= total[:, None] * self._sampled.cost_per_profit
        values = share * total * self._cost_per_profit
        return {
            str(name): estimate_sum(value, sample)
            for name, value, sample in zip(names, values, draws, strict=True)
        }

    def per_customer(self) -> np.ndarray:
        """Return bounds of each customer's profit at risk, shape (n, 2)."""
        bounds = np.empty((len(self._nodes), 2))
        risk = self._nodes.risk(self._sampled)
        for piece in row_slices(len(self._nodes), len(self._sampled)):
            bounds[piece] = quantile_bounds(risk[piece] * self._sampled.cost_per_profit)
        customer_bounds = self._nodes.spread(bounds) * self._profit[:, None]
        return _widen(customer_bounds, self._at_risk)

    def plan(self, chosen: np.ndarray, offers: OfferMatrix) -> Estimate:
        """Return the expected net value of a plan; ``chosen`` is each customer's offer index or -1.

        An offer has one save rate per draw for all its customers.
        """
        if not (chosen >= 0).any():
            return Estimate(0.0, 0.0, 0.0)
        rows = np.flatnonzero(chosen >= 0)
        value = float(offers.net[rows, chosen[rows]].sum())
        return estimate_sum(value, self._plan_draws(chosen, offers, np.ones(len(chosen))))

    def compare_plans(
        self,
        first: tuple[np.ndarray, np.ndarray],
        second: tuple[np.ndarray, np.ndarray],
        offers: OfferMatrix,
    ) -> Estimate:
        """Return the expected net value of a plan less that of another, in the same draws.

        Each plan is the offer index of each customer or -1, and the probability to get it, (n,).
        """
        value, draws = 0.0, np.zeros(len(self._sampled))
        for sign, (chosen, weight) in ((1, first), (-1, second)):
            rows = np.flatnonzero(chosen >= 0)
            value += sign * float(weight[rows] @ offers.net[rows, chosen[rows]])
            draws += sign * self._plan_draws(chosen, offers, weight)
        return estimate_sum(value, draws)

    def _plan_draws(
        self, chosen: np.ndarray, offers: OfferMatrix, weight: np.ndarray
    ) -> np.ndarray:
        """Return the net value of a plan in each draw, shape (D,), each customer times a weight."""
        groups = group_by_offer(chosen, offers)
        group = np.full(len(chosen), -1)
        for number, one in enumerate(groups):
            group[one.rows] = number
        counted, paid = self._at_knots(group, len(groups), weight)
        terms = [one.returns(self._sampled) for one in groups]
        draws = np.zeros(len(self._sampled))
        for piece in row_slices(len(self._sampled), len(self._nodes)) if groups else ():
            risk = self._nodes.risk(self._sampled.rows(piece))
            draws[piece] = _sum_terms(terms, piece, counted, paid, risk)
        return draws

    def expected_net(self, chosen: np.ndarray, offers: OfferMatrix) -> np.ndarray:
        """Return bounds of each customer's expected net value, shape (n, 2); 0 if not chosen."""
        bounds = np.zeros((len(chosen), 2))
        for one in group_by_offer(chosen, offers):
            terms = one.returns(self._sampled)
            for number, each in enumerate(self._recalibration.maps):
                rows = one.rows[self._single[one.rows] == bool(number)]
                points = np.column_stack([self._score[rows], self._raw_profit[rows]])
                draws = self._sampled.coefficients[number]
                bounds[rows] = net_bounds(points, NetValue(each, draws, terms))
        rows = np.flatnonzero(chosen >= 0)
        bounds[rows] = _widen(bounds[rows], offers.net[rows, chosen[rows]])
        return bounds

    def _lost(self, sums: np.ndarray) -> np.ndarray:
        """Return the profit at risk in each draw from profits at the nodes, shape (groups, D)."""
        lost = np.empty((len(sums), len(self._sampled)))
        for piece in row_slices(len(self._sampled), len(self._nodes)):
            sampled = self._sampled.rows(piece)
            lost[:, piece] = (sums @ self._nodes.risk(sampled)) * sampled.cost_per_profit
        return lost

    def _at_knots(
        self, group: np.ndarray, groups: int, weight: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return weights of customers and their profits by group and node, without group -1."""
        rest = np.where(group < 0, groups, group)
        return tuple(  # type: ignore[return-value]
            self._nodes.sums(one, rest, groups + 1)[:-1] for one in (weight, weight * self._profit)
        )


def _sum_terms(
    terms: list[OfferPayoff],
    piece: slice,
    counted: np.ndarray,
    paid: np.ndarray,
    risk: np.ndarray,
) -> np.ndarray:
    """Return the net value of all groups in a slice of draws from sums at the K nodes."""
    of_one, of_profit = counted @ risk, paid @ risk
    total = np.zeros(risk.shape[1])
    for number, one in enumerate(terms):
        total += one.both[piece] * of_profit[number] + one.risk[piece] * of_one[number]
        total += one.profit[piece] * paid[number].sum() - one.each[piece] * counted[number].sum()
    return total


def _widen(bounds: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return bounds widened to contain the value."""
    return np.column_stack([np.minimum(bounds[:, 0], value), np.maximum(bounds[:, 1], value)])
