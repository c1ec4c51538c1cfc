"""Chance floor, persistence and forecasts of money in simulated stores whose rates are known.

    python experiments/statistics/label.py [--stores 1000] [--seed 0] [--out label.csv]

Each store has ``CUSTOMERS`` customers, who first buy at a random day:

* ``equal``: everybody buys at the same rate;
* ``mixed``: rates are gamma distributed;
* ``decliners``: as mixed, and customers leave at a random time, on average after a year;
* ``season``: as mixed, and all rates go up and down by 30 % within a year.

The chance floor is held against the share expected if everybody goes on at the true rate of the
look-back, persistence against its value in one store of ``REFERENCE`` customers of the same kind,
and the forecast for the last snapshot against the money expected from the true rates then.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import gammaincc
from scipy.stats import binomtest

from retain.customers.purchases.features.store_level import StoreLevels
from retain.customers.purchases.quality.chance import LabelledRows, estimate_chance, fit_rates
from retain.customers.purchases.quality.money import forecast_per_day, validate_forecast
from retain.customers.purchases.quality.quality import measure_persistence
from retain.schema.purchases import LabelRule, RegularityRule

CUSTOMERS, REFERENCE = 1000, 200_000
DAYS, HORIZON, LOOKBACK, PERIOD = 720, 90, 180, 90
SNAPSHOTS = (360, 390, 420, 450, 480, 510, 540)
SHAPE, SCALE = 1.2, 60.0
KINDS = ("equal", "mixed", "decliners", "season")


RULE = LabelRule(
    measure="orders",
    horizon=HORIZON,
    lookback=LOOKBACK,
    decline_ratio=0.5,
    regularity=RegularityRule(periods=2, days=PERIOD),
    min_history=None,
)
BAR_BIAS, BAR_COVERS = 0.005, 0.93
SPEND_P, SPEND_Q, SPEND_SCALE = 6.0, 4.0, 60.0


@dataclass(frozen=True)
class Customers:
    """The truth about the customers: first day, day of leaving, orders a day, mean spend."""

    first: np.ndarray
    end: np.ndarray
    rate: np.ndarray
    spend: np.ndarray
    has_season: bool

    def level(self, begin: int, end: int) -> float:
        """Return the mean level of the store between two days."""
        return float(season(np.arange(begin, end)).mean()) if self.has_season else 1.0

    def expected(self, begin: int, end: int) -> np.ndarray:
        """Return the orders expected of each customer between two days."""
        active = np.minimum(self.end, end) - np.maximum(self.first, begin)
        return np.asarray(np.maximum(active, 0) * self.rate * self.level(begin, end))


@dataclass(frozen=True)
class Orders:
    """Repeat orders: customer, time and money of each."""

    customer: np.ndarray
    time: np.ndarray
    money: np.ndarray

    def sums(self, n: int, begin: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the number and the money of each customer's orders between two days."""
        inside = (self.time >= begin) & (self.time < end)
        who = self.customer[inside]
        return np.bincount(who, minlength=n).astype(float), np.bincount(
            who, self.money[inside], minlength=n
        )


@dataclass(frozen=True)
class Store:
    """Rows at all snapshots, with true rates of the look-back, later orders and money."""

    rows: LabelledRows
    day: np.ndarray
    later: np.ndarray
    rate: np.ndarray
    money: np.ndarray
    next_money: np.ndarray
    expected_money: np.ndarray
    levels: StoreLevels


def season(day: np.ndarray) -> np.ndarray:
    """Return the level of the store relative to its mean."""
    return np.asarray(1 + 0.3 * np.sin(2 * np.pi * day / 365.25))


def simulate(kind: str, n: int, random: np.random.Generator) -> Store:
    """Return a store of ``n`` customers."""
    first = random.integers(0, 540, n)
    people = Customers(
        first=first,
        end=first + (random.exponential(365, n) if kind == "decliners" else np.inf),
        rate=np.full(n, SHAPE / SCALE) if kind == "equal" else random.gamma(SHAPE, 1 / SCALE, n),
        spend=SPEND_P / random.gamma(SPEND_Q, 1 / SPEND_SCALE, n),
        has_season=kind == "season",
    )
    orders = _simulate_orders(people, random)
    parts = [_rows_at(day, people, orders) for day in SNAPSHOTS]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    names = ("customer", "orders", "repeats", "days", "periods", "needed", "ahead", "declined")
    rows = LabelledRows(period_days=PERIOD, **{name: joined.pop(name) for name in names})
    days = np.concatenate([orders.time, first]).astype(int)
    levels = StoreLevels(0, tuple(np.bincount(days, minlength=DAYS).tolist()), SNAPSHOTS)
    return Store(rows, levels=levels, **joined)


def _simulate_orders(people: Customers, random: np.random.Generator) -> Orders:
    top = 1.3 if people.has_season else 1.0
    counts = random.poisson(people.rate * top * (DAYS - people.first))
    who = np.repeat(np.arange(len(counts)), counts)
    time = people.first[who] + random.random(len(who)) * (DAYS - people.first)[who]
    keep = time < people.end[who]
    if people.has_season:
        keep &= random.random(len(who)) < season(time) / top
    who, time = who[keep], time[keep]
    return Orders(who, time, random.gamma(SPEND_P, people.spend[who] / SPEND_P))


def _rows_at(day: int, people: Customers, orders: Orders) -> dict[str, np.ndarray]:
    """Return the regular customers of a snapshot."""
    n, first = len(people.first), people.first
    counts, money = np.zeros((2, n)), np.zeros(n)
    for part in range(2):
        begin, end = day - 90 * (part + 1), day - 90 * part
        came = (first >= begin) & (first < end)
        number, spent = orders.sums(n, begin, end)
        counts[part] = number + came
        money += spent + came * people.spend
    chosen = (counts > 0).all(axis=0) & (day - first >= LOOKBACK)
    past, tenure = counts.sum(axis=0)[chosen], (day - first)[chosen]
    days, has_first = np.minimum(tenure, LOOKBACK).astype(float), tenure <= LOOKBACK
    after, next_money = orders.sums(n, day, day + HORIZON)
    needed = np.ceil(past * 0.5 * HORIZON / days)
    return {
        "customer": np.flatnonzero(chosen),
        "orders": past,
        "repeats": past - has_first,
        "days": days,
        "periods": 2.0 - has_first,
        "needed": needed,
        "ahead": np.full(len(past), float(HORIZON)),
        "declined": (after[chosen] < needed).astype(float),
        "day": np.full(len(past), day),
        "later": orders.sums(n, day + HORIZON, day + 2 * HORIZON)[0][chosen],
        "rate": people.expected(day - LOOKBACK, day)[chosen] / days,
        "money": money[chosen],
        "next_money": next_money[chosen],
        "expected_money": (people.expected(day, day + HORIZON) * people.spend)[chosen],
    }


def expected_share(store: Store) -> float:
    """Return the share labelled if everybody goes on at the true rate of the look-back."""
    return float(gammaincc(store.rows.needed, store.rate * HORIZON).mean())


@dataclass(frozen=True)
class Checked:
    """The errors of a store's chance floors, and which intervals cover the truth."""

    gamma_error: float
    poisson_error: float
    excess: float
    covers: dict[str, bool]


def check_store(store: Store, persistence: float) -> Checked:
    """Return how the checks of a store compare with the truth."""
    chance, truth = estimate_chance(store.rows), expected_share(store)
    kept = measure_persistence(store.rows, store.later).ratio
    forecast = forecast_per_day(store.rows, store.money, fit_rates(store.rows), shrinks=True)
    args = (store.rows.customer, store.day, forecast * HORIZON, store.next_money)
    (*_, last) = validate_forecast(*args, levels=store.levels, rule=RULE)
    expected = float(store.expected_money[store.day == store.day.max()].sum())
    return Checked(
        gamma_error=chance.share.value - truth,
        poisson_error=chance.poisson_share - truth,
        excess=chance.excess.value,
        covers={
            "persistence": kept.low <= persistence <= kept.high,
            "money that came": last.covered,
            "money expected": last.forecast.low <= expected <= last.forecast.high,
        },
    )


def summarise(kind: str, checked: list[Checked]) -> Iterator[dict[str, object]]:
    """Yield a row per quantity: value, its interval, bar, and whether it holds."""
    for name, error in (
        ("chance floor, gamma-mixed: bias", [one.gamma_error for one in checked]),
        ("chance floor, Poisson: bias", [one.poisson_error for one in checked]),
        ("labelled beyond chance", [one.excess for one in checked]),
    ):
        mean, spread = float(np.mean(error)), 1.96 * float(np.std(error)) / len(error) ** 0.5
        bar = BAR_BIAS if "gamma" in name else ""
        ends = (mean, mean - spread, mean + spread)
        yield _row(kind, name, ends, bar, holds=abs(mean) <= BAR_BIAS)
    for name in checked[0].covers:
        n = sum(one.covers[name] for one in checked)
        ends = binomtest(n, len(checked)).proportion_ci()
        covered = n / len(checked)
        triple = (covered, ends.low, ends.high)
        yield _row(kind, f"{name}: covers", triple, BAR_COVERS, holds=covered >= BAR_COVERS)


def _row(
    kind: str, name: str, value: tuple[float, float, float], bar: float | str, *, holds: bool
) -> dict[str, object]:
    found = dict(zip(("value", "low", "high"), (f"{one:.4f}" for one in value), strict=True))
    return {"store": kind, "quantity": name, **found, "bar": bar, "holds": holds if bar else ""}


def main() -> None:
    """Simulate, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = []
    for number, kind in enumerate(KINDS):
        truth = simulate(kind, REFERENCE, np.random.default_rng([options.seed, number]))
        persistence = measure_persistence(truth.rows, truth.later).ratio.value
        seeds = ([options.seed, number, store] for store in range(1, options.stores + 1))
        stores = (simulate(kind, CUSTOMERS, np.random.default_rng(seed)) for seed in seeds)
        rows += summarise(kind, [check_store(store, persistence) for store in stores])
    for row in rows:
        ends = f"{row['value']:>8} ({row['low']} to {row['high']})"
        print(f"{row['store']:<10} {row['quantity']:<34} {ends:<30} {row['bar']} {row['holds']}")
    if options.out is not None:
        with options.out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
