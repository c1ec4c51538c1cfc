"""The prices of a whole problem, the bound they give, and the customers they leave undecided.

May import: campaign.solver.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retain.campaign.solver.cells import Cells
from retain.campaign.solver.cooling import Cooled, Schedule, cool, within
from retain.campaign.solver.dual import Dual, shares
from retain.campaign.solver.limits import Limits, Prices
from retain.campaign.solver.pool import Pool
from retain.campaign.solver.sampling import estimated
from retain.campaign.solver.settling import Region, settle

SMALL = 10_000
"""Problems of fewer customers are looked at whole, without samples."""
COLDEST = 1e-8
"""Share of a usual net value below which customers count as worth the same."""
UNDECIDED = 2.0
"""Customers who may be left undecided."""
TRIES = 5
"""Passes over all customers at most, should samples have misled."""


@dataclass(frozen=True)
class Bounded:
    """What the dual says of a problem.

    Attributes
    ----------
    bound
        No plan brings more.
    used, net
        What all use and bring who are not in the first pool: their choice is settled.
    shares
        (offers, customers) those of the first pool.
    pools
        Ever more customers who may be moved, those undecided first.
    """

    bound: float
    prices: Prices
    used: np.ndarray
    net: float
    shares: np.ndarray
    pools: tuple[Pool, ...]


def bounded(
    cells: Cells, limits: Limits, highest: np.ndarray, scale: float, chosen: np.ndarray
) -> Bounded:
    """The dual of a problem.

    Parameters
    ----------
    highest
        (limits,) the most a price may be.
    scale
        A usual net value.
    chosen
        (customers,); the choice of all but the undecided is written into it.
    """
    lowest = np.zeros_like(highest)
    last = COLDEST * scale
    if len(cells) <= SMALL:
        whole = Dual(cells.everybody(), limits, lowest, highest)
        state = cool(whole, lowest, Schedule(0.3 * scale, last, few=1.0), chosen)
        return _told(state, 0.0, 0.0 * lowest, whole.pool)
    near, temperature = estimated(cells, limits, highest, scale)
    schedule = Schedule(temperature, last, UNDECIDED)
    start = near.middle.vector
    for _ in range(TRIES):
        rest = settle(cells.blocks(), near, limits, chosen)
        whole = within(Dual(rest.open, limits, lowest, highest), near, rest)
        state = cool(whole, start, schedule, chosen)
        if near.holds(state.point.prices) and not _pressed(state, highest).any():
            return _told(state, rest.net, rest.used, whole.pool)
        start = state.point.prices
        near = _moved(near, state, highest, scale)
    whole = Dual(cells.everybody(), limits, lowest, highest)
    state = cool(whole, start, schedule, chosen)
    return _told(state, 0.0, 0.0 * lowest, whole.pool)


def _told(state: Cooled, net: float, used: np.ndarray, pool: Pool) -> Bounded:
    prices = Prices(state.point.prices, state.dual.limits.offers)
    share, _ = shares(state.dual.pool, prices, state.point.temperature)
    pools = (state.dual.pool, pool)
    bound = net + state.bound
    return Bounded(bound, prices, used + state.used, net + state.net, share, pools)


def _pressed(state: Cooled, highest: np.ndarray) -> np.ndarray:
    """(limits,) the prices that a region keeps from rising though a contact is too much."""
    dual, point = state.dual, state.point
    kept = (point.prices >= dual.high) & (dual.high < highest)
    return np.asarray(kept & (point.left * dual.unit < -0.5))


def _moved(near: Region, state: Cooled, highest: np.ndarray, scale: float) -> Region:
    """The region around the prices found; larger, or, where a place met its edge, open there."""
    found, middle, offers = state.point.prices, near.middle.vector, near.middle.offers
    place = np.zeros(len(found), dtype=bool)
    place[1 : 1 + offers] = True
    pressed, boxed = _pressed(state, highest), near.aside > 0
    rising = (pressed & place) | (boxed & (found >= middle + near.aside))
    sinking = boxed & (found <= middle - near.aside)
    low = np.where(boxed, middle - near.aside, found) * ~sinking
    high = np.where(rising, highest, middle + near.aside)
    shape = near.shape * (1.0 if (rising | sinking).any() else 4.0)
    shape[rising], shape[:, rising] = 0.0, 0.0
    free = pressed & ~place
    shape[free, free] += (scale * state.dual.unit[free]) ** 2
    boxed |= rising
    aside = np.where(boxed, (high - low) / 2, 0.0)
    return Region(Prices(np.where(boxed, (high + low) / 2, found), offers), shape, aside)
