"""Shares of the control group that show what one share for all shows, at the least cost.

A customer in the control group forgoes the expected net value of an offer. Who is nearly sure to
decline forgoes most and tells least, so shares may differ between cells: segment × offer, and bands
of information per cost within them. The readout compares arms within cells and weights cells by the
treated. With n customers, a share c and a variance of the outcome s in each cell, its variance is
Σ n · s · (1 − c) ÷ c over the square of the treated, Σ n · (1 − c). The cheapest shares are found
for which this is at most that of one share for all (Neyman 1934 with costs: Cochran 1977, 5.5), for
the declines and for the profit of the whole campaign, and the treated keep within all limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from retain.campaign.planning.control import SHARE_STEPS

MIN_SHARE, MAX_SHARE = 0.05, 0.6
"""Bounds of the share of a cell, unless the share for all lies beyond them."""
MAX_BANDS = 6
MIN_BAND_CONTROL = 8
"""Control customers that a band is expected to have at least."""
BAND_CONTROL = 20
"""Control customers that one share for all would give a band, or there are fewer bands."""
MIN_CONTROL = 2 * BAND_CONTROL
"""Control customers of the whole campaign, below which all keep one share."""
MIN_RISK = 0.05
"""Risks below this, or that near to 1, are not believed: a cell that tells less than it should
would spoil the power."""
SAFE_BUDGET_SHARE = 0.98
"""Share of the budget that the treated may be expected to cost, so that a sample fits it."""
MAX_COST_SHARE = 0.98
"""Cost by that of one share for all, above which shares stay the same for all."""


@dataclass(frozen=True)
class ChosenCustomers:
    """The customers chosen for an offer, in an order that does not depend on rows; each (n,).

    Attributes
    ----------
    segment, offer
        Codes 0, 1 ….
    risk
        Expected probability of decline.
    value
        What a decline costs, in the unit of profit.
    net, cost
        Expected net value of the offer and its expected cost, in the unit of profit.
    """

    segment: np.ndarray
    offer: np.ndarray
    risk: np.ndarray
    value: np.ndarray
    net: np.ndarray
    cost: np.ndarray

    @property
    def variance(self) -> np.ndarray:
        """Variance of the decline, shape (n,)."""
        return decline_variance(self.risk)


def decline_variance(risk: np.ndarray) -> np.ndarray:
    """Return the variance of a decline of this risk, shape (n,)."""
    risk = np.clip(risk, MIN_RISK, 1 - MIN_RISK)
    return np.asarray(risk * (1 - risk))


@dataclass(frozen=True)
class TreatedLimits:
    """Limits of the expected treated; NaN or infinite for none.

    Attributes
    ----------
    budget, max_contacts
        Most that they cost, and most of them.
    capacity
        Most by offer, shape (offers,).
    min_contacts
        Fewest by segment, shape (segments,).
    """

    budget: float
    max_contacts: float
    capacity: np.ndarray
    min_contacts: np.ndarray


def least_cost_shares(
    chosen: ChosenCustomers, limits: TreatedLimits, *, share: float
) -> np.ndarray | None:
    """Return the probability of each chosen customer to be in the control group, shape (n,).

    None if one ``share`` for all costs hardly more, or the group is too small to differ.
    """
    if share <= 0 or is_too_small(len(chosen.risk), share):
        return None
    band = _assign_bands(chosen, share)
    found = _BandProblem.of(chosen, limits, band, share).solve()
    return None if found is None else found[band]


def is_too_small(n_chosen: int, share: float) -> bool:
    """Return whether a control group is too small for shares to differ.

    >>> is_too_small(150, 0.2), is_too_small(250, 0.2)
    (True, False)
    """
    return share * n_chosen < MIN_CONTROL


def _assign_bands(chosen: ChosenCustomers, share: float) -> np.ndarray:
    """Return the band of each customer by information per cost, 0 the least, shape (n,).

    With the best shares of its own, each customer would cost in proportion to the root of variance
    × net value; bands cost the same.
    """
    net = np.maximum(chosen.net, np.finfo(float).tiny)
    order = np.argsort(chosen.variance / net, kind="stable")
    cost = np.sqrt(chosen.variance * net)[order]
    n_bands = int(np.clip(share * len(net) // BAND_CONTROL, 1, MAX_BANDS))
    middle = (np.cumsum(cost) - cost / 2) / cost.sum()
    band = np.empty(len(net), dtype=int)
    band[order] = np.minimum(middle * n_bands, n_bands - 1).astype(int)
    return np.unique(band, return_inverse=True)[1]


def difference_variance(share: np.ndarray, size: np.ndarray, variance: np.ndarray) -> float:
    """Return the variance of a difference within cells, weighted by the treated.

    ``size`` is the number of customers in each cell, ``variance`` the sum of theirs.

    >>> one = np.ones(2)
    >>> round(difference_variance(0.2 * one, 50 * one, 8 * one), 4)
    0.01
    """
    return float(variance @ ((1 - share) / share) / (size @ (1 - share)) ** 2)


def equivalent_share(share: np.ndarray, risk: np.ndarray) -> float:
    """Return the one share of the control group that shows the same effect on declines.

    ``share`` is that of each customer, above 0.

    >>> round(equivalent_share(np.full(9, 0.2), np.full(9, 0.3)), 3)
    0.2
    """
    variance, n = decline_variance(risk), len(risk)
    found = difference_variance(share, np.ones(n), variance)
    product = min(float(variance.sum()) / (n**2 * found), 0.25)
    return float(1 - (1 - 4 * product) ** 0.5) / 2


@dataclass(frozen=True)
class _BandProblem:
    """The search for the cheapest shares of k bands.

    Attributes
    ----------
    size, net
        Customers in each band and their net value, shape (k,).
    variances
        Sums of the variances of each outcome, shape (outcomes, k).
    rows, bounds
        Limits of the treated: rows @ (1 − shares) ≤ bounds, of shapes (limits, k) and (limits,).
    share
        The one share that is to be equalled.
    """

    size: np.ndarray
    net: np.ndarray
    variances: np.ndarray
    rows: np.ndarray
    bounds: np.ndarray
    share: float

    @classmethod
    def of(
        cls, chosen: ChosenCustomers, limits: TreatedLimits, band: np.ndarray, share: float
    ) -> _BandProblem:
        """Return the problem of customers in bands."""
        limited = list(_iter_limits(chosen, limits, share))
        weights = (chosen.variance, chosen.variance * chosen.value**2)
        return cls(
            size=np.bincount(band).astype(float),
            net=np.bincount(band, np.maximum(chosen.net, 0.0)),
            variances=np.array([np.bincount(band, weight) for weight in weights]),
            rows=np.array([np.bincount(band, weight) for weight, _ in limited]).reshape(
                len(limited), band.max() + 1
            ),
            bounds=np.array([bound for _, bound in limited]),
            share=share,
        )

    def solve(self) -> np.ndarray | None:
        """Return the shares in whole steps, shape (k,); None if they save hardly anything."""
        from scipy import optimize  # takes long to import

        start, total = np.full(len(self.size), self.share), float(self.net.sum())
        if total <= 0:
            return None
        lower = np.clip(MIN_BAND_CONTROL / self.size, min(MIN_SHARE, self.share), self.share)
        upper = max(MAX_SHARE, self.share)
        found = optimize.minimize(
            lambda share: self.net @ share / total,
            start,
            jac=lambda _: self.net / total,
            bounds=[(low, upper) for low in lower],
            constraints=[
                {"type": "ineq", "fun": self._spare_variance},
                {"type": "ineq", "fun": self._spare_limits, "args": (self._rounding_margin,)},
            ],
            method="SLSQP",
            options={"maxiter": 500, "ftol": 1e-9},
        )
        steps = np.ceil(np.clip(found.x, lower, upper) * SHARE_STEPS - STEP_ERROR) / SHARE_STEPS
        is_valid = (
            self._spare_variance(steps).min() >= -MAX_LOST_PRECISION
            and self._spare_limits(steps, 0.0).min(initial=0.0) >= -LIMIT_ERROR
        )
        is_cheaper = self.net @ steps <= MAX_COST_SHARE * self.share * total
        return steps if is_valid and is_cheaper else None

    def _spare_variance(self, share: np.ndarray) -> np.ndarray:
        """Return by how much the variance of each outcome is below that of one share for all."""
        one = np.full(len(self.size), self.share)
        most, found = (
            np.array([difference_variance(each, self.size, one) for one in self.variances])
            for each in (one, share)
        )
        return np.asarray(1 - found / np.maximum(most, np.finfo(float).tiny))

    def _spare_limits(self, share: np.ndarray, margin: np.ndarray | float) -> np.ndarray:
        """Return what is left of each limit, as a share of it."""
        spare = self.bounds - margin - self.rows @ (1 - share)
        return np.asarray(spare / np.maximum(np.abs(self.bounds), 1.0))

    @property
    def _rounding_margin(self) -> np.ndarray:
        """The most that shares rounded up take of a minimum, shape (limits,)."""
        return np.asarray(np.maximum(-self.rows, 0.0).sum(axis=1) / SHARE_STEPS)


STEP_ERROR, LIMIT_ERROR = 1e-6, 1e-9
"""Rounding of the solution in steps, and of a sum by its limit."""
MAX_LOST_PRECISION = 1e-4
"""Share of the variance by which rounding may pass that of one share for all."""


def _iter_limits(
    chosen: ChosenCustomers, limits: TreatedLimits, share: float
) -> Iterator[tuple[np.ndarray, float]]:
    """Yield what each customer takes of a limit if treated, shape (n,), and the limit.

    One share for all keeps within each.
    """
    one, treated = np.ones(len(chosen.risk)), 1 - share
    if np.isfinite(limits.budget):
        expected = treated * float(chosen.cost.sum())
        yield chosen.cost, max(expected, SAFE_BUDGET_SHARE * limits.budget)
    if np.isfinite(limits.max_contacts):
        yield one, max(limits.max_contacts, treated * len(one))
    for offer in np.flatnonzero(np.isfinite(limits.capacity)):
        inside = (chosen.offer == offer).astype(float)
        yield inside, max(float(limits.capacity[offer]), treated * float(inside.sum()))
    for segment in np.flatnonzero(limits.min_contacts > 0):
        inside = (chosen.segment == segment).astype(float)
        least = min(float(limits.min_contacts[segment]), treated * float(inside.sum()))
        yield -inside, -least
