"""Chance floor, persistence and forecast of money in simulated stores whose rates are known.

    python experiments/statistics/label.py [--stores 1000] [--seed 0] [--out label.csv]

Four kinds of stores, each of ``CUSTOMERS`` customers who first buy at a random day:

* ``equal``: everybody buys at the same rate;
* ``mixed``: rates are gamma distributed;
* ``decliners``: as mixed, and customers leave at a random time, on average after a year;
* ``season``: as mixed, and all rates go up and down by 30 % within a year.

The chance floor is held against the share expected from the true rates, if everybody goes on.
Persistence is held against its value in one store of ``REFERENCE`` customers of the same kind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincc

from retain.customers.purchases.quality.chance import LabelledRows, estimate_chance
from retain.customers.purchases.quality.persistence import measure_persistence

CUSTOMERS, REFERENCE = 1500, 400_000
DAYS, HORIZON, LOOKBACK, PERIOD = 720, 90, 180, 90
SNAPSHOTS = (360, 390, 420, 450, 480, 510, 540)
SHAPE, SCALE = 1.2, 60.0
KINDS = ("equal", "mixed", "decliners", "season")


@dataclass(frozen=True)
class Store:
    """Rows at all snapshots, with the later orders, true rates a day, and money."""

    rows: LabelledRows
    later: np.ndarray
    rate: np.ndarray


def season(day: np.ndarray) -> np.ndarray:
    """Return the level of the store relative to its mean."""
    return 1 + 0.3 * np.sin(2 * np.pi * day / 365.25)


def simulate(kind: str, n: int, random: np.random.Generator) -> Store:
    """Return a store of ``n`` customers."""
    rate = random.gamma(SHAPE, 1 / SCALE, n) if kind != "equal" else np.full(n, SHAPE / SCALE)
    first = random.integers(0, 540, n)
    end = first + (random.exponential(365, n) if kind == "decliners" else np.inf)
    top = 1.3 if kind == "season" else 1.0
    counts = random.poisson(rate * top * (DAYS - first))
    who = np.repeat(np.arange(n), counts)
    times = first[who] + random.random(len(who)) * (DAYS - first)[who]
    keep = times < end[who]
    if kind == "season":
        keep &= random.random(len(who)) < season(times) / top
    who, times = who[keep], times[keep]
    parts = [_at(day, first, end, who, times, rate, kind) for day in SNAPSHOTS]
    columns = [np.concatenate(part) for part in zip(*parts, strict=True)]
    customer, orders, repeats, days, periods, needed, declined, later, true = columns
    rows = LabelledRows(
        customer,
        orders,
        repeats,
        days,
        periods,
        PERIOD,
        needed,
        np.full(len(days), float(HORIZON)),
        declined,
    )
    return Store(rows, later, true)


def _at(day, first, end, who, times, rate, kind):
    """Return the columns of the regular customers of a snapshot."""
    n = len(first)

    def count(begin, end):
        inside = (times >= begin) & (times < end)
        return np.bincount(who[inside], minlength=n).astype(float)

    def count_with_first(begin, end):
        return count(begin, end) + ((first >= begin) & (first < end))

    last, before = count_with_first(day - 90, day), count_with_first(day - 180, day - 90)
    chosen = (last > 0) & (before > 0) & (day - first >= 180)
    orders = (last + before)[chosen]
    tenure = (day - first)[chosen]
    days = np.minimum(tenure, LOOKBACK).astype(float)
    has_first = (tenure <= LOOKBACK).astype(float)
    after = count(day, day + HORIZON)[chosen]
    needed = np.ceil(orders * 0.5 * HORIZON / days)
    active = (np.minimum(end, day) - np.maximum(first, day - LOOKBACK))[chosen] / days
    level = season(np.arange(day - LOOKBACK, day)).mean() if kind == "season" else 1.0
    return (
        np.flatnonzero(chosen),
        orders,
        orders - has_first,
        days,
        2 - has_first,
        needed,
        (after < needed).astype(float),
        count(day + HORIZON, day + 2 * HORIZON)[chosen],
        rate[chosen] * np.clip(active, 0, 1) * level,
    )


def expected_share(store: Store) -> float:
    """Return the share labelled if everybody goes on at the true rate of the look-back."""
    return float(gammaincc(store.rows.needed, store.rate * HORIZON).mean())
