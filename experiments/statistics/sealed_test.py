"""Measures how often the intervals of the sealed test hold what the metrics are worth.

    python experiments/statistics/sealed_test.py [--replicates 2000] [--csv sealed_test.csv]

A score is Gaussian in both classes, so its calibrated probability is known; a bent one has
another intercept and slope on the log-odds. The truth is the metric on a million customers.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special

from retain.campaign.proportions import wilson
from retain.learning.metric_selection import select_metrics
from retain.schema.run import Metrics
from retain.verdict.sealed_intervals import Sample, metric_interval

SIZES = (100, 257, 1000)
SIMULATIONS = 200
POPULATION = 1_000_000
METRICS = select_metrics(Metrics(name="default", top_shares=(0.1, 0.2, 0.3)), with_profit=True)


@dataclass(frozen=True)
class Score:
    """A population of scores: separation in standard deviations, and what bends its log-odds.

    ``link`` is the correlation of the log of profit with the score.
    """

    name: str
    base_rate: float
    separation: float
    intercept: float = 0.0
    slope: float = 1.0
    link: float = 0.0


SCORES = (
    Score("AUC .66", 0.35, 0.6),
    Score("AUC .80, few decliners", 0.2, 1.2),
    Score("AUC .86, bent, profit linked", 0.35, 1.5, 0.3, 1.5, 0.5),
    Score("AUC .60, twice too sure", 0.2, 0.35, 0.0, 2.0),
)


def main() -> None:
    """Simulate all scores and sizes, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--csv", type=Path)
    given = parser.parse_args()
    table = pd.DataFrame(measure_all(given.replicates))
    shown = table.pivot_table(index=["score", "customers"], columns="metric", values="covers")
    print(shown.round(3).to_string())
    print(f"mean {table['covers'].mean():.3f}, lowest {table['covers'].min():.3f}")
    print(f"intervals of width zero: {int(table['n_width_zero'].sum())}")
    if given.csv is not None:
        table.to_csv(given.csv, index=False, float_format="%.4f", lineterminator="\n")


def measure_all(replicates: int, seed: int = 0) -> Iterator[dict[str, object]]:
    """Yield coverage by score, size and metric."""
    random = np.random.default_rng(seed)
    for score in SCORES:
        truth = population_values(score, random)
        for customers in SIZES:
            yield from measure(score, customers, truth, replicates, random)


def population_values(score: Score, random: np.random.Generator) -> dict[str, float]:
    """Return each metric on a large population."""
    parts = draw(score, POPULATION, random)
    return {one.name: one.compute(parts.target, parts.probability, parts.profit) for one in METRICS}


def measure(
    score: Score,
    customers: int,
    truth: dict[str, float],
    replicates: int,
    random: np.random.Generator,
) -> Iterator[dict[str, object]]:
    """Yield coverage of each metric on sealed tests of one size."""
    hits: dict[str, list[bool]] = {one.name: [] for one in METRICS}
    flat = dict.fromkeys(hits, 0)
    for _ in range(replicates):
        sample = draw(score, customers, random)
        for metric in METRICS:
            found = metric_interval(metric, sample, simulations=SIMULATIONS)
            hits[metric.name].append(found["low"] <= truth[metric.name] <= found["high"])
            flat[metric.name] += found["low"] == found["high"]
    for name, one in hits.items():
        low, high = wilson(sum(one), len(one), 1.959964)
        yield {
            "score": score.name,
            "customers": customers,
            "metric": name,
            "covers": float(np.mean(one)),
            "low": float(low),
            "high": float(high),
            "n_width_zero": flat[name],
            "replicates": len(one),
        }


def draw(score: Score, n: int, random: np.random.Generator) -> Sample:
    """Return ``n`` customers, both classes among them."""
    target = np.zeros(n, dtype=int)
    while not 1 < target.sum() < n - 1:
        target = (random.random(n) < score.base_rate).astype(int)
    place = random.normal(score.separation * target, 1)
    logit = score.separation * place - score.separation**2 / 2 + special.logit(score.base_rate)
    noise = np.sqrt(1 - score.link**2) * random.standard_normal(n)
    probability = special.expit(score.intercept + score.slope * logit)
    return Sample(target, probability, np.exp(score.link * place + noise))


if __name__ == "__main__":
    main()
