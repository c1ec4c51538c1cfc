"""Measures what a comparison says after it has chosen the best of many runs.

    python experiments/statistics/selection.py [--replicates 2000] [--csv selection.csv]

A store is a set of customers with Gaussian features, which decliners have higher. A run is the
difference of class means over its own features, so its ROC-AUC on new customers has a closed form.
All runs of a store are of equal worth: unlike ones have features of their own, correlated ones
share most of theirs. The truth is the expected ROC-AUC of a run refitted on all its customers.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special

from retain.campaign.proportions import wilson
from retain.learning.metrics import corrected_interval
from retain.verdict.placements import Placements, placement_values
from retain.verdict.selection import confidence_set_p, correct_for_selection, variance_factor
from retain.verdict.versus_random import compare_with_random

BASE_RATE, FOLDS, LEVEL = 0.3, 5, 0.05
RESAMPLES, SIMULATIONS = 300, 1000
SEALED = 257


@dataclass(frozen=True)
class Store:
    """A simulated study: ``strength`` is the shift of each feature, 0 for noise.

    Correlated runs replace two of the shared features by noise of their own. ``worse`` is what
    the last run loses of ROC-AUC. Each customer is there ``copies`` times, in the same fold.
    """

    name: str
    customers: int
    runs: int
    features: int
    strength: float
    correlated: bool
    repeats: int = 1
    worse: float = 0.0
    copies: int = 1


EQUAL = (
    Store("20 unlike, n 300", 300, 20, 5, 0.35, correlated=False),
    Store("60 unlike, n 300", 300, 60, 5, 0.35, correlated=False),
    Store("60 unlike, n 300, 40 features", 300, 60, 40, 0.15, correlated=False),
    Store("60 unlike, n 300, 40 features, 5×", 300, 60, 40, 0.15, correlated=False, repeats=5),
    Store("20 correlated, n 300", 300, 20, 10, 0.25, correlated=True),
    Store("60 correlated, n 300, 2×", 300, 60, 10, 0.25, correlated=True, repeats=2),
    Store("20 unlike, n 300 twice", 300, 20, 5, 0.35, correlated=False, copies=2),
    Store("60 correlated, n 300 twice", 300, 60, 10, 0.25, correlated=True, copies=2),
    Store("60 correlated, n 1,000", 1000, 60, 40, 0.12, correlated=True),
)
ONE_WORSE = (
    Store("20 unlike, n 4,000", 4000, 20, 5, 0.35, correlated=False, worse=0.05),
    Store("20 correlated, n 1,000", 1000, 20, 10, 0.3, correlated=True, worse=0.05),
    Store("60 correlated, n 1,000", 1000, 60, 10, 0.3, correlated=True, worse=0.05),
)
NOISE = (
    Store("12 runs on noise", 300, 12, 5, 0.0, correlated=False),
    Store("60 runs on noise", 300, 60, 5, 0.0, correlated=False),
)
SIGNAL = Store("22 runs of AUC .66", 1039, 22, 12, 0.187, correlated=True)


def main() -> None:
    """Simulate all stores, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--csv", type=Path)
    given = parser.parse_args()
    rows = []
    for row in measure_all(given.replicates):
        print(f"{row['store']:36s} {row['quantity']:44s} {row['value']:.3f}", end=" ")
        print(f"[{row['low']:.3f}, {row['high']:.3f}]  {row['bar']}", flush=True)
        rows.append(row)
    if given.csv is not None:
        pd.DataFrame(rows).to_csv(given.csv, index=False, float_format="%.4f", lineterminator="\n")


def measure_all(replicates: int, seed: int = 0) -> Iterator[dict[str, object]]:
    """Yield every row of the table."""
    for store in EQUAL:
        yield from measure_equal(store, replicates, seed)
    for store in ONE_WORSE:
        yield from measure_power(store, replicates, seed)
    for store in NOISE:
        shown = measure_chance(store, replicates, seed)
        yield _rate(store, "a ranking is shown, any of 3 accesses", shown.any(axis=1), "<= .05")
    shown = measure_chance(SIGNAL, replicates, seed)
    yield _rate(SIGNAL, "the ranking is shown at the first access", shown[:, 0], ">= .95")


def measure_equal(store: Store, replicates: int, seed: int = 0) -> Iterator[dict[str, object]]:
    """Yield coverage of a run's mean and of the winner's, and how often an equal run is lower."""
    random = np.random.default_rng(seed)
    truths, own, raw, corrected, lower = [], [], [], [], []
    for _ in range(replicates):
        study = simulate_study(store, random)
        truths.append(study.truth.mean())
        means = study.folds.mean(axis=1)
        own.append([corrected_interval(row, 1 / (FOLDS - 1)) for row in study.folds[:3]])
        best = int(means.argmax())
        raw.append((means[best], *corrected_interval(study.folds[best], 1 / (FOLDS - 1))))
        corrected.append(correct_for_selection(study.placements, means, resamples=RESAMPLES))
        lower.append((lower_p(study.placements, means) < LEVEL).any())
    truth = float(np.mean(truths))
    own_low, own_high = np.moveaxis(np.array(own), 2, 0)
    yield _rate(store, "a run's interval covers", _covers(own_low, own_high, truth), ">= .93")
    value, low, high = np.array(raw).T
    yield _mean(store, "bias of the best mean", value - truth)
    yield _rate(store, "its own interval covers", _covers(low, high, truth), "")
    value, low, high = np.array(corrected).T
    yield _mean(store, "bias of the corrected mean", value - truth)
    yield _rate(store, "the corrected interval covers", _covers(low, high, truth), ">= .93")
    yield _rate(store, "an equal run is called lower", np.array(lower), "<= .05")


def measure_power(store: Store, replicates: int, seed: int = 0) -> Iterator[dict[str, object]]:
    """Yield how often the one run that is worse is called lower, and what a formula expects."""
    random = np.random.default_rng(seed)
    gaps, errors, found = [], [], []
    for _ in range(replicates):
        study = simulate_study(store, random)
        means = study.folds.mean(axis=1)
        found.append(lower_p(study.placements, means) < LEVEL)
        gaps.append(study.truth[:-1].mean() - study.truth[-1])
        covariance = variance_factor(1 / (FOLDS - 1)) * study.placements.covariance()
        contrast = np.full(store.runs, 1 / store.runs)
        contrast[-1] -= 1
        errors.append(contrast @ covariance @ contrast)
    critical = special.ndtri(1 - LEVEL / store.runs)
    difference = np.mean(gaps) * (1 - 1 / store.runs)
    expected = special.ndtr(difference / np.sqrt(np.mean(errors)) - critical)
    called = np.array(found)
    yield _rate(store, f"the worse run is lower (formula {expected:.2f})", called[:, -1], ">= .8")
    yield _rate(store, "an equal run beside it is lower", called[:, :-1].any(axis=1), "<= .05")


def measure_chance(store: Store, replicates: int, seed: int = 0) -> np.ndarray:
    """Return whether the winner's ranking is shown at each of three accesses by other winners."""
    random = np.random.default_rng(seed)
    shown = []
    for _ in range(replicates):
        study = simulate_study(store, random)
        target = _draw_target(random, SEALED)
        table, _ = _draw_features(replace(store, customers=SEALED), target, random, study.kept)
        order = np.argsort(-study.folds.mean(axis=1))[:3]
        scores = np.einsum("cnp,cp->cn", table[order], study.weights[order])
        shown.append(
            [
                compare_with_random(target, score, np.arange(SEALED), access_number=k + 1).status
                == "shown"
                for k, score in enumerate(special.expit(scores))
            ]
        )
    return np.array(shown)


@dataclass(frozen=True)
class Study:
    """The runs of a store: ROC-AUC by fold, placements, refitted weights and their truth."""

    folds: np.ndarray
    placements: Placements
    weights: np.ndarray
    truth: np.ndarray
    kept: np.ndarray


def simulate_study(store: Store, random: np.random.Generator) -> Study:
    """Return cross-validated runs of a new set of customers."""
    target = _draw_target(random, store.customers)
    kept = _draw_kept(store, random)
    table, shift = _draw_features(store, target, random, kept)
    values, folds = [], []
    for _ in range(store.repeats):
        fold = _assign_folds(random, target)
        score = np.empty((store.runs, store.customers))
        for k in range(FOLDS):
            test = fold == k
            weights = _fit(table[:, ~test], target[~test])
            score[:, test] = np.einsum("cnp,cp->cn", table[:, test], weights)
        placed = np.array([placement_values(target == 1, row, fold) for row in score])
        values.append(placed)
        folds += [placed[:, (fold == k) & (target == 1)].mean(axis=1) for k in range(FOLDS)]
    weights = _fit(table, target)
    norm = np.sqrt(2 * (weights**2).sum(axis=1))
    truth = special.ndtr((weights * shift).sum(axis=1) / norm)
    ids = tuple(map(str, range(store.runs)))
    customer = np.repeat(np.arange(store.customers), store.copies)
    placed = np.mean(values, axis=0).T[customer]  # placements of copies are those of the customer
    placements = Placements(ids, placed, target[customer] == 1, customer)
    return Study(np.column_stack(folds), placements, weights, truth, kept)


def lower_p(placements: Placements, means: np.ndarray) -> np.ndarray:
    """Return each run's p as the leaderboard computes it."""
    covariance = variance_factor(1 / (FOLDS - 1)) * placements.covariance()
    degrees = placements.degrees_of_freedom
    return confidence_set_p(means, covariance, degrees, simulations=SIMULATIONS)


def _draw_target(random: np.random.Generator, n: int) -> np.ndarray:
    return random.permutation((np.arange(n) < round(BASE_RATE * n)).astype(int))


def _draw_kept(store: Store, random: np.random.Generator) -> np.ndarray:
    """Return which features of each run are informative, shape (runs, features)."""
    kept = np.ones((store.runs, store.features), dtype=bool)
    for row in kept if store.correlated else ():
        row[random.permutation(store.features)[:2]] = False
    return kept


def _draw_features(
    store: Store, target: np.ndarray, random: np.random.Generator, kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the features (runs, customers, features) and their shift (runs, features)."""
    shape = (store.runs, store.customers, store.features)
    table = random.standard_normal(shape)
    if store.correlated:
        shared = random.standard_normal(shape[1:])
        table = np.where(kept[:, None, :], shared, table)
    shift = store.strength * kept.astype(float)
    if store.worse:
        shift[-1] *= _scale_for(store)
        table[-1] = random.standard_normal(shape[1:]) if not store.correlated else table[-1]
    return table + shift[:, None, :] * target[:, None], shift


def _scale_for(store: Store) -> float:
    """Return the factor on the shift that lowers the best possible ROC-AUC by ``worse``."""
    informative = store.features - (2 if store.correlated else 0)
    distance = store.strength * np.sqrt(informative / 2)
    return float(special.ndtri(special.ndtr(distance) - store.worse) / distance)


def _assign_folds(random: np.random.Generator, target: np.ndarray) -> np.ndarray:
    fold = np.empty(len(target), dtype=int)
    for label in (0, 1):
        rows = random.permutation(np.flatnonzero(target == label))
        fold[rows] = np.arange(len(rows)) % FOLDS
    return fold


def _fit(table: np.ndarray, target: np.ndarray) -> np.ndarray:
    weights: np.ndarray = table[:, target == 1].mean(axis=1) - table[:, target == 0].mean(axis=1)
    return weights


def _covers(low: np.ndarray, high: np.ndarray, truth: float) -> np.ndarray:
    return (low <= truth) & (truth <= high)


def _rate(store: Store, quantity: str, hits: np.ndarray, bar: str) -> dict[str, object]:
    """Return a row with a share and its interval; shares of a study's runs count as one study."""
    low, high = wilson(hits.mean() * len(hits), len(hits), 1.959964)
    return {
        "store": store.name,
        "quantity": quantity,
        "value": float(hits.mean()),
        "low": float(low),
        "high": float(high),
        "replicates": len(hits),
        "bar": bar,
    }


def _mean(store: Store, quantity: str, values: np.ndarray) -> dict[str, object]:
    reach = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    row = {"store": store.name, "quantity": quantity, "value": float(values.mean())}
    row |= {"low": values.mean() - reach, "high": values.mean() + reach}
    return {**row, "replicates": len(values), "bar": ""}


if __name__ == "__main__":
    main()
