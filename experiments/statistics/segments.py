"""Prints how often intervals of segments hold the truth, and how often a table is flagged.

    python experiments/statistics/segments.py [--stores 2000] [--out segments.csv]

Each simulated store has 1,000 customers, four features and a log-normal profit; in one place 2 %
decline, of 4,000. A logistic regression scores 800 of them in two repeats of five folds, and
fitted to all 800, the 200 of the sealed test and 1,000 new ones. The recalibration, segments of
risk by profit, their intervals, the test of observed against expected declines and the profit at
risk are those of the package. The truth of a segment is the mean of its customers' true
probabilities, and the sum of these times profit.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special

from retain.campaign.audience import Audience
from retain.campaign.proportions import wilson
from retain.campaign.segmentation.outcomes import AudienceOutcomes, observe
from retain.campaign.segmentation.profiles import build_profiles
from retain.campaign.value.fit_recalibration import cross_fit_risk, fit_recalibration
from retain.campaign.value.logistic import fit_logistic
from retain.campaign.value.monte_carlo import MonteCarlo
from retain.campaign.value.value import build_audience, risk_sensitivity
from retain.customers.customers import Column, Customers
from retain.learning.scores import COLUMNS, Scores
from retain.schema.campaign import Assumption, Assumptions, Segmentation

FOLDS, REPEATS = 5, 2
WEIGHTS = np.array([0.9, -0.6, 0.4, 0.0])
ONE = Assumption(value=1.0, low=1.0, high=1.0)
NAMES = ("horizon", "loss_fraction", "margin", "cost_multiplier")
SURE = Assumptions(name="sure", simulations=400, **dict.fromkeys(NAMES, ONE))
SEGMENTS = Segmentation(name="simulated", kind="rules", min_size=20)


@dataclass(frozen=True)
class Store:
    """A store before it is drawn.

    Attributes
    ----------
    intercept, link
        Log-odds of an average customer, and their change by a standard deviation of log profit.
    curve
        True if the log-odds level off at both ends, which the score does not know.
    cuts
        Risks at which the bands begin.
    """

    intercept: float
    link: float = 0.0
    curve: bool = False
    cuts: tuple[float, float] = (0.3, 0.6)
    customers: int = 1000
    new: int = 1000

    def log_odds(self, features: np.ndarray, log_profit: np.ndarray) -> np.ndarray:
        """Return the true log-odds of decline."""
        index = 1.3 * features @ WEIGHTS
        if self.curve:
            index = 2.5 * np.tanh(1.2 * index) + 0.5 * (features[:, 0] ** 2 - 1)
        return np.asarray(self.intercept + index + self.link * log_profit)


STORES = {
    "benign": Store(-0.6),
    "profit +.5": Store(-0.6, link=0.5),
    "profit -.5": Store(-0.6, link=-0.5),
    "profit +.15": Store(-0.6, link=0.15),
    "misspecified": Store(-0.6, curve=True),
    "rare 2 %": Store(-4.7, cuts=(0.015, 0.04), customers=4000),
}


@dataclass(frozen=True)
class Draw:
    """One store: its customers and their true probabilities, scores and audience by origin."""

    customers: Customers
    truth: pd.Series
    out_of_fold: Scores
    sealed: Scores
    new: Scores


def draw_store(store: Store, seed: int) -> Draw:
    """Return a store with scores out of fold, of the sealed test, and of as many new customers."""
    random = np.random.default_rng(seed)
    count = store.customers + store.new
    features, log_profit = random.standard_normal((count, 4)), random.standard_normal(count)
    truth = special.expit(store.log_odds(features, log_profit))
    target = (random.random(count) < truth).astype(int)
    design = np.column_stack([np.ones(count), features])
    ids = pd.RangeIndex(count, name="customer_id")
    train, sealed = np.arange(int(0.8 * store.customers)), int(0.8 * store.customers)
    parts = []
    for repeat in range(REPEATS):
        fold = random.permutation(len(train)) % FOLDS
        for number in range(FOLDS):
            test = train[fold == number]
            score = _predict(design, target, train[fold != number], test)
            parts.append(_table(ids[test], repeat, number, target[test], score))
    model = _predict(design, target, train, np.arange(count))
    others = np.arange(sealed, store.customers), np.arange(store.customers, count)
    tests = [_table(ids[rows], 0, 0, target[rows], model[rows]) for rows in others]
    columns = {"x": Column("x", "all", "number")}
    customers = Customers(
        pd.DataFrame({"x": features[:, 0]}, index=ids),
        columns,
        pd.Series(target, index=ids),
        profit=pd.Series(np.exp(1 + log_profit), index=ids),
        profit_unit="roubles",
    )
    scores = (Scores(pd.concat(parts, ignore_index=True), "out_of_fold"),)
    scores += tuple(
        Scores(one, kind) for one, kind in zip(tests, ("sealed_test", "new"), strict=True)
    )
    return Draw(customers, pd.Series(truth, index=ids), *scores)


def _predict(
    design: np.ndarray, target: np.ndarray, train: np.ndarray, test: np.ndarray
) -> np.ndarray:
    fit = fit_logistic(design[train], target[train], np.ones(len(train)), ridge=1.0)
    return np.asarray(special.expit(design[test] @ fit.coefficients))


def _table(ids: pd.Index, repeat: int, fold: int, target: np.ndarray, score: np.ndarray) -> object:
    return pd.DataFrame(dict(zip(COLUMNS, (ids, repeat, fold, target, score), strict=True)))


def place(audience: Audience, store: Store) -> Audience:
    """Return the audience in nine segments: three bands of risk by three of profit."""
    band = np.digitize(audience.table["risk"], store.cuts)
    third = np.digitize(audience.table["profit"], np.exp(1 + special.ndtri([1 / 3, 2 / 3])))
    names = np.array([f"{one}{other}" for one in "abc" for other in "123"], dtype=object)
    return audience.with_segments(names[3 * band + third])


def judge(store: Store, seed: int) -> dict[str, list[float]]:
    """Return what held in one store, by what is judged: shares of intervals, flags, errors."""
    one = draw_store(store, seed)
    found = fit_recalibration(one.out_of_fold, one.customers)
    held = defaultdict(list)
    audience = build_audience(
        [one.out_of_fold, one.sealed], one.customers, found, SURE, consent="assume_given"
    )
    audience = place(audience, store)
    outcomes = observed_outcomes(one, audience, found)
    carlo = MonteCarlo(audience, found, SURE, seed=0)
    observed = observe(outcomes, np.asarray(audience.segments), audience.table["risk"].to_numpy())
    totals = carlo.observed_totals(np.asarray(audience.segments), outcomes)
    rows = build_profiles(audience, SEGMENTS, totals, observed=observed.segments, contrasts=False)
    _hold(held, "segment", rows, audience, one.truth)
    table = observed.check()
    held["flagged"].append(table.n_flagged_segments + table.n_flagged_tenths > 0)
    _hold_total(held, carlo, audience, one.truth)
    new = build_audience([one.new], one.customers, found, SURE, consent="assume_given")
    new = place(new, store)
    carlo = MonteCarlo(new, found, SURE, seed=0)
    rows = build_profiles(
        new,
        SEGMENTS,
        carlo.totals(np.asarray(new.segments)),
        sensitivity=risk_sensitivity(new, found),
        contrasts=False,
    )
    _hold(held, "new segment", rows, new, one.truth)
    held["profit used"].append(found.profit_test is not None and found.profit_test.is_used)
    for basis in ("logit", "beta", "spline"):
        held[f"basis {basis}"].append(found.out_of_fold.basis == basis)
    return held


def observed_outcomes(one: Draw, audience: Audience, found: object) -> AudienceOutcomes:
    """Return the outcomes of an audience with cross-fitted expectations."""
    ids = audience.table.index
    expected = cross_fit_risk(one.out_of_fold, one.customers, found).per_customer().reindex(ids)
    return AudienceOutcomes(
        one.customers.y.loc[ids].to_numpy(dtype=float),
        expected.fillna(audience.table["risk"]).to_numpy(),
        np.arange(len(ids)),
    )


def _hold(
    held: dict[str, list[float]], name: str, rows: list, audience: Audience, truth: pd.Series
) -> None:
    """Note whether the intervals of the segments' risk and money hold the truth."""
    true = truth.loc[audience.table.index].to_numpy()
    profit = audience.table["profit"].to_numpy()
    for row in rows:
        if row.risk is None:
            continue
        mask = np.asarray(audience.segments) == row.segment
        risk = row.risk
        money = row.observed_profit_at_risk or row.expected_profit_at_risk
        held[f"{name} risk"].append(risk.low <= true[mask].mean() <= risk.high)
        lost = true[mask] @ profit[mask]
        held[f"{name} money"].append(money.low <= lost <= money.high)


def _hold_total(
    held: dict[str, list[float]], carlo: MonteCarlo, audience: Audience, truth: pd.Series
) -> None:
    """Note whether the total profit at risk holds the truth, and how far off it is."""
    true = truth.loc[audience.table.index].to_numpy() @ audience.table["profit"].to_numpy()
    total = carlo.total(np.ones(len(audience)))
    held["total money"].append(total.low <= true <= total.high)
    held["total error"].append(total.value / true - 1)


def simulate(name: str, stores: int, first: int = 0) -> dict[str, list[float]]:
    """Return what held over many stores of a kind."""
    every: dict[str, list[float]] = defaultdict(list)
    for seed in range(first, first + stores):
        for key, values in judge(STORES[name], seed).items():
            every[key] += values
    return every


def summary(name: str, every: dict[str, list[float]], stores: int) -> list[dict[str, object]]:
    """Return a row for each thing judged, with its Monte-Carlo interval."""
    rows = []
    for key, values in every.items():
        rate, count = float(np.mean(values)), len(values)
        if key == "total error":
            reach = 1.96 * float(np.std(values)) / np.sqrt(count)
            low, high = rate - reach, rate + reach
        else:  # segments of a store are not independent: the interval counts stores
            low, high = map(float, wilson(rate * stores, stores, 1.96))
        rows.append(
            {
                "store": name,
                "judged": key,
                "rate": round(rate, 4),
                "low": round(low, 4),
                "high": round(high, 4),
                "n_stores": stores,
                "n": count,
            }
        )
    return rows


def main() -> None:
    """Simulate every store and print every rate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", type=int, default=2000)
    parser.add_argument("--only", nargs="+", choices=STORES)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    table = []
    for name in given.only or STORES:
        begun = time.perf_counter()
        rows = summary(name, simulate(name, given.stores), given.stores)
        print(f"{name}, {given.stores} stores, {time.perf_counter() - begun:.0f} s")
        for row in rows:
            print(f"  {row['judged']:<20}{row['rate']:.3f}  [{row['low']:.3f}, {row['high']:.3f}]")
        table += rows
        if given.out is not None:
            pd.DataFrame(table).to_csv(given.out, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
