"""Prices from samples of the customers, and how far those of all may lie from them.

May import: campaign.solver.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from retain.campaign.solver.cells import Cells
from retain.campaign.solver.cooling import COOLER, Schedule, cool, within
from retain.campaign.solver.dual import Dual, Point, at, inverse
from retain.campaign.solver.limits import Limits, Prices
from retain.campaign.solver.settling import Region, settle

FIRST = 500
"""Customers in the first sample."""
MORE = 8
"""Times that each further sample is as large as the one before."""
DEVIATIONS = 4.0
"""Standard deviations of a sample's prices that the region reaches in every direction."""
COLDEST = 1e-3
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


def estimated(
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
            rest = settle(sample.blocks(), near, whole.limits, scratch)
            inner = within(whole, near, rest)
        state = cool(inner, near.middle.vector, Schedule(temperature, last), scratch)
        near, swing = _error(whole, state.point.prices, share, scale)
        temperature = max(swing, COLDEST * scale)
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
