"""The prices of a whole problem, the bound they give, and the customers they leave undecided."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from retain.campaign.allocation.cooling import (
    COOLER,
    Cooled,
    Region,
    Schedule,
    cool,
    fix_variables,
    within,
)
from retain.campaign.allocation.dual import Dual, Point, at, inverse, shares
from retain.campaign.allocation.limits import Limits, Prices
from retain.campaign.allocation.pool import Cells, Pool

FIRST = 500
"""Customers in the first sample."""
MORE = 8
"""Times that each further sample is as large as the one before."""
DEVIATIONS = 4.0
"""Standard deviations of a sample's prices that the region reaches in every direction."""
COLDEST_SAMPLE = 1e-3
"""Share of a usual net value below which no temperature begins."""
ENOUGH = 10.0
"""Customers near the margin of a limit by whom the error of its price is known."""
MEASURED = 8_000
"""Customers of a sample by whom errors are measured."""


def sizes(customers: int) -> list[int]:
    """Sizes of the samples taken one after the other.

    >>> sizes(1_300), sizes(100_000), sizes(1_000_000), sizes(10_000_000)
    ([], [500, 4000], [500, 4000, 32000], [500, 4000, 32000, 256000])
    """
    return [FIRST * MORE**i for i in range(4) if FIRST * MORE**i * 20 <= customers]


def estimate_prices(
    cells: Cells, limits: Limits, highest: np.ndarray, scale: float
) -> tuple[Region, float]:
    """A region in which the prices of all customers lie most likely, and a temperature.

    Each sample starts where the one before ended, among the customers whose choice is then open.
    """
    random = np.random.default_rng(0)  # ties alone are the seed's to decide
    far = np.diag((2 * scale * (highest > 0)) ** 2)
    near = Region(Prices(np.zeros_like(highest), limits.offers), far, np.zeros_like(highest))
    temperature, last, scratch = 0.3 * scale, 0.01 * scale, np.zeros(len(cells), dtype=np.int16)
    for size in sizes(len(cells)):
        edges = np.linspace(0, len(cells), size + 1).astype(np.intp)
        sample = cells.pool(random.integers(edges[:-1], edges[1:]))
        share = size / len(cells)
        whole = Dual(sample, limits.times(share), np.zeros_like(highest), highest)
        inner = whole
        if size > FIRST:
            rest = fix_variables(sample.blocks(), near, whole.limits, scratch)
            inner = within(whole, near, rest)
        state = cool(inner, near.middle.vector, Schedule(temperature, last), scratch)
        near, swing = _error(whole, state.point.prices, share, scale)
        temperature = max(swing, COLDEST_SAMPLE * scale)
        last = temperature / COOLER
    return near, temperature


def _error(whole: Dual, prices: np.ndarray, share: float, scale: float) -> tuple[Region, float]:
    """What the prices of all customers most likely lie in, by those of a sample.

    Of an estimate that makes a sum over the sample zero, the precision is the sum's derivative
    around the inverse of the sum's covariance (Huber 1967).

    Returns
    -------
    tuple
        The region, and the standard deviation of a reduced value of those contacted.
    """
    unit, times, limits = whole.unit, max(len(whole.pool) // MEASURED, 1), whole.limits
    part = replace(whole, pool=whole.pool.part(slice(None, None, times)))
    told = (whole.high > 0) & (np.abs(limits.finite) * unit > 2 * ENOUGH)
    point = _smooth(part, prices, scale, (told * unit) ** 2 * times)
    spread, curved = point.moments.squares * times, point.curvature * times
    spread += np.diag(unit**-2.0)
    slack = limits.finite - point.moments.used * times
    far = (2 * scale * unit) ** -2.0
    swayed, shape = np.zeros(len(unit)), np.zeros_like(spread)
    for _ in range(2):
        bound = (prices <= 0) & (slack > DEVIATIONS * np.sqrt(spread.diagonal()) + swayed)
        free = np.flatnonzero((whole.high > 0) & ~bound)
        cut = np.ix_(free, free)
        precision = curved[cut] @ inverse(spread[cut]) @ curved[cut]
        precision /= DEVIATIONS**2 * (1 - share)
        shape[cut] = inverse(precision + np.diag(far[free]))
        swayed = np.sqrt(np.maximum(np.einsum("ij,jk,ki->i", curved, shape, curved), 0))
    contacted = max(float(point.moments.used[1 + limits.offers]) * times, 1.0)
    swing = np.sqrt(max(np.vdot(shape, spread), 0.0) / contacted) / DEVIATIONS
    places = slice(1, 1 + limits.offers)
    scarce = np.flatnonzero(~told[places] & (whole.high[places] > 0))
    region = Region(Prices(prices, limits.offers), shape, np.zeros(len(unit)))
    return _with_scarce(whole, region, scarce), swing


def _smooth(part: Dual, prices: np.ndarray, scale: float, weight: np.ndarray) -> Point:
    """The coldest point at which every limit has enough customers near its margin."""
    for share in (0.01, 0.03, 0.1):
        point = at(part, prices, share * scale)
        near = point.curvature.diagonal() * (share * scale) * weight
        if near[weight > 0].min(initial=np.inf) >= ENOUGH:
            break
    return point


def _with_scarce(whole: Dual, near: Region, scarce: np.ndarray) -> Region:
    """The region with the prices of scarce offers by ranks instead.

    The price of an offer with few places is what the last one served gains by it over the best
    else. Of a sample that holds but some such customers, ranks give bounds that need no curvature.
    """
    prices, shape, aside = near.middle.vector.copy(), near.shape.copy(), near.aside.copy()
    reduced = whole.pool.reduced(near.middle) if len(scarce) else np.zeros(0)
    for offer in scarce:
        others = np.delete(reduced, offer, axis=0).max(axis=0, initial=0.0)
        gain = reduced[offer] + prices[1 + offer] - others
        low, high = _ranked(gain[np.isfinite(gain)], whole.limits.most[1 + offer])
        shape[1 + offer], shape[:, 1 + offer] = 0.0, 0.0
        prices[1 + offer], aside[1 + offer] = (low + high) / 2, (high - low) / 2
    return Region(Prices(prices, near.middle.offers), shape, aside)


def _ranked(gain: np.ndarray, rank: float) -> tuple[float, float]:
    """Between what the gain of this rank lies, which may be less than one, among all customers."""
    below = int(rank + DEVIATIONS * np.sqrt(rank) + 2 * DEVIATIONS)
    top = np.sort(gain)[::-1][: below + 1]
    if not len(top):
        return 0.0, 0.0
    high = max(top[0] + 6 * (top[0] - top[-1]) / (1 + rank), 0.0)
    return min(max(float(top[-1]), 0.0), high), float(high)


SMALL = 10_000
"""Problems of fewer customers are looked at whole, without samples."""
COLDEST = 1e-8
"""Share of a usual net value below which customers count as worth the same."""
UNDECIDED = 2.0
"""Customers who may be left undecided."""
TRIES = 5
"""Passes over all customers at most, should samples have misled."""


@dataclass(frozen=True)
class ValueBound:
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


def bound_value(
    cells: Cells, limits: Limits, highest: np.ndarray, scale: float, chosen: np.ndarray
) -> ValueBound:
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
    near, temperature = estimate_prices(cells, limits, highest, scale)
    schedule = Schedule(temperature, last, UNDECIDED)
    start = near.middle.vector
    for _ in range(TRIES):
        rest = fix_variables(cells.blocks(), near, limits, chosen)
        whole = within(Dual(rest.open, limits, lowest, highest), near, rest)
        state = cool(whole, start, schedule, chosen)
        if near.holds(state.point.prices) and not _pressed(state, highest).any():
            return _told(state, rest.net, rest.used, whole.pool)
        start = state.point.prices
        near = _moved(near, state, highest, scale)
    whole = Dual(cells.everybody(), limits, lowest, highest)
    state = cool(whole, start, schedule, chosen)
    return _told(state, 0.0, 0.0 * lowest, whole.pool)


def _told(state: Cooled, net: float, used: np.ndarray, pool: Pool) -> ValueBound:
    prices = Prices(state.point.prices, state.dual.limits.offers)
    share, _ = shares(state.dual.pool, prices, state.point.temperature)
    pools = (state.dual.pool, pool)
    bound = net + state.bound
    return ValueBound(bound, prices, used + state.used, net + state.net, share, pools)


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
