"""Measures how often two trees of runs are called better or worse, and what their interval covers.

    python experiments/statistics/trees.py [--pairs 2000] [--csv experiments/statistics/trees.csv]

A run is the difference of class means over its own Gaussian features, which decliners have higher,
and each of its fits adds noise of its own to the weights, as another seed would. All runs of a tree
are of equal worth, and those of both trees are, unless a gain is planted. The truth is the expected
ROC-AUC of a fit on new customers, which has a closed form. The best runs are compared and the words
chosen by the code of retain; ``bar`` is what the true rate has to keep.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special, stats

from retain.record.document import DataInfo, MetricSummary, Record, SplitInfo
from retain.record.estimates import Estimate
from retain.verdict.candidates import Candidate
from retain.verdict.paired import METRIC
from retain.verdict.placements import Placements, placement_values
from retain.verdict.statistics import mean_interval
from retain.verdict.trees.best_run import (
    ScoredRuns,
    change_of_best,
    change_of_folds,
    resample_changes,
)
from retain.verdict.trees.movement import find_moves
from retain.verdict.trees.study_change import conclude

BASE_RATE, FEATURES, STRENGTH = 0.3, 6, 0.35
ALPHA, MARGIN = 0.05, 0.01
RESAMPLES = 300


@dataclass(frozen=True)
class Pair:
    """Two trees of ``runs``, main and branch.

    ``noise`` of fits is in standard errors of a weight. ``features``, ``folds`` and ``customers``
    say what the branch has of its own; ``gain`` is the factor on its shift, less 1. Each customer
    is there ``copies`` times.
    """

    name: str
    runs: tuple[int, int] = (12, 12)
    n: int = 300
    folds: int = 5
    repeats: int = 2
    noise: float = 1.0
    own: tuple[str, ...] = ()
    gain: float = 0.0
    copies: int = 1


EQUAL = (
    Pair("12 runs, other seeds"),
    Pair("12 runs, other seeds, noisy fits", noise=4),
    Pair("1 run, other seeds, noisy fits", (1, 1), n=1000, repeats=1, noise=4),
    Pair("12 runs, other seeds, each customer twice", copies=2),
    Pair("12 runs, other features", own=("features",)),
    Pair("12 runs, other features, 10 × 3 folds", folds=10, repeats=3, own=("features",)),
    Pair("12 runs, other features, n 1,000", n=1000, own=("features",)),
    Pair("3 runs against 30, other seeds", (3, 30)),
    Pair("1 run against 30, other features", (1, 30), own=("features",)),
    Pair("30 runs against 1, other features", (30, 1), own=("features",)),
    Pair("12 runs, other folds", own=("folds",)),
    Pair("1 run, other folds, noisy fits", (1, 1), n=1000, repeats=1, noise=4, own=("folds",)),
    Pair("12 runs, other customers", own=("customers", "folds", "features")),
    Pair("1 run against 30, other customers", (1, 30), own=("customers", "folds", "features")),
)
UNEQUAL = (
    Pair("12 runs, a gain", gain=0.3),
    Pair("1 run, a gain", (1, 1), gain=0.3, own=("features",)),
    Pair("3 runs, a large gain, n 1,000", (3, 3), n=1000, gain=0.3),
    Pair("1 run, a loss of the margin", (1, 1), n=1000, gain=-0.2),
    Pair("12 runs, a loss of the margin", n=1000, gain=-0.2),
)
NEED_BOTH = (
    Pair("1 run, other seeds, noisy fits, n 2,000", (1, 1), n=2000, repeats=1, noise=4),
    Pair("1 run against 30, other features", (1, 30), own=("features",)),
)


def main() -> None:
    """Simulate all pairs, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--csv", type=Path)
    given = parser.parse_args()
    rows = []
    for row in measure_all(given.pairs):
        print(f"{row['trees']:42s} {row['quantity']:38s} {row['value']:.4f}", end=" ")
        print(f"[{row['low']:.4f}, {row['high']:.4f}]  {row['bar']}", flush=True)
        rows.append(row)
    if given.csv is not None:
        pd.DataFrame(rows).to_csv(given.csv, index=False, float_format="%.4f", lineterminator="\n")


def measure_all(pairs: int) -> Iterator[dict[str, object]]:
    """Yield every row of the table."""
    for pair in EQUAL:
        yield from measure_equal(pair, pairs)
    for pair in UNEQUAL:
        yield from measure_unequal(pair, pairs)
    for pair in NEED_BOTH:
        yield from measure_parts(pair, pairs)


def measure_equal(pair: Pair, pairs: int, seed: int = 0) -> Iterator[dict[str, object]]:
    """Yield how often two trees of equal worth are called worse or better."""
    found = _simulate_changes(pair, pairs, seed)
    words = [conclude(one, MARGIN) for one in found.changes]
    yield _rate(pair, "worse is said", [one == "worse" for one in words], "")
    yield _rate(pair, "better is said", [one == "better" for one in words], "")
    said = [one in ("worse", "better") for one in words]
    yield _rate(pair, "worse or better is said", said, "<= .05")
    yield _rate(pair, "a run is said to have moved", found.moved, "<= .05")
    yield from _describe(pair, found)


def measure_unequal(pair: Pair, pairs: int, seed: int = 0) -> Iterator[dict[str, object]]:
    """Yield how often a gain is seen, and a loss of all the margin is called no loss."""
    found = _simulate_changes(pair, pairs, seed)
    expected = "better" if pair.gain > 0 else "worse"
    words = [conclude(one, abs(found.truth)) for one in found.changes]
    yield _rate(pair, f"{expected} is said", [one == expected for one in words], "")
    yield _rate(pair, "a run is said to have moved", found.moved, "")
    if pair.gain < 0:
        hidden = [one in ("better", "not_worse") for one in words]
        yield _rate(pair, "a loss of the margin is called none", hidden, "<= .05")
    yield from _describe(pair, found)


def measure_parts(pair: Pair, pairs: int, seed: int = 0) -> Iterator[dict[str, object]]:
    """Yield how often each part of the interval alone would call equal trees different."""
    random = np.random.default_rng(seed)
    by_customers, by_folds = [], []
    for _ in range(pairs):
        (main, branch), _ = simulate(pair, random)
        low, high = np.quantile(resample_changes(main, branch, RESAMPLES), [0.025, 0.975])
        by_customers.append(not low <= 0 <= high)
        by_folds.append(bool(change_of_folds(main.best, branch.best).p[0] < ALPHA))
    yield _rate(pair, "the bootstrap alone finds a change", by_customers, "")
    yield _rate(pair, "the folds alone find a change", by_folds, "")


@dataclass(frozen=True)
class Changes:
    """The changes found in simulated pairs, whether a run was said to have moved, and the truth."""

    changes: list[Estimate]
    moved: list[bool]
    truth: float


def _simulate_changes(pair: Pair, pairs: int, seed: int) -> Changes:
    random = np.random.default_rng(seed)
    changes, truths, moved = [], [], []
    for _ in range(pairs):
        (main, branch), truth = simulate(pair, random)
        changes.append(change_of_best(main, branch, resamples=RESAMPLES))
        truths.append(truth)
        alike = list(zip(main.records, branch.records, strict=False))
        moved.append(any(one.moves for one in find_moves(alike, ALPHA)))
    return Changes(changes, moved, float(np.mean(truths)))


def _describe(pair: Pair, found: Changes) -> Iterator[dict[str, object]]:
    """Yield the coverage of the true change, the bias, and the width of the interval."""
    covers = [one.low <= found.truth <= one.high for one in found.changes]
    yield _rate(pair, "the interval covers", covers, ">= .95")
    yield _mean(pair, "bias of the change", [one.value - found.truth for one in found.changes])
    yield _mean(pair, "width of the interval", [one.high - one.low for one in found.changes])


def simulate(
    pair: Pair, random: np.random.Generator
) -> tuple[tuple[ScoredRuns, ScoredRuns], float]:
    """Return the runs of both trees, and the true change."""
    most = max(pair.runs)
    shifts = STRENGTH, STRENGTH * (1 + pair.gain)
    target = _draw_target(random, pair.n)
    folds = _draw_folds(random, target, pair)
    noise = random.standard_normal((most, pair.n, FEATURES))
    trees, truths = [], []
    for index, (n_runs, shift) in enumerate(zip(pair.runs, shifts, strict=True)):
        own = pair.own if index else ()
        target = _draw_target(random, pair.n) if "customers" in own else target
        folds = _draw_folds(random, target, pair) if "folds" in own else folds
        noise = random.standard_normal(noise.shape) if "features" in own else noise
        table = (noise + shift * target[:, None])[:n_runs]
        placed, areas, truth = _cross_validate(table, target, folds, shift, pair, random)
        marks = ("customers" in own, "folds" in own)
        trees.append(_to_runs(placed, areas, target, pair, marks))
        truths.append(truth)
    return (trees[0], trees[1]), truths[1] - truths[0]


def _draw_target(random: np.random.Generator, n: int) -> np.ndarray:
    return random.permutation((np.arange(n) < round(BASE_RATE * n)).astype(int))


def _draw_folds(random: np.random.Generator, target: np.ndarray, pair: Pair) -> np.ndarray:
    """Return stratified folds by repeat, shape (repeats, n)."""
    folds = np.empty((pair.repeats, len(target)), dtype=int)
    for row in folds:
        for label in (0, 1):
            rows = random.permutation(np.flatnonzero(target == label))
            row[rows] = np.arange(len(rows)) % pair.folds
    return folds


def _cross_validate(  # noqa: PLR0913, PLR0917 - a simulated tree is all of these
    table: np.ndarray,
    target: np.ndarray,
    folds: np.ndarray,
    shift: float,
    pair: Pair,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return mean placements (n, runs), ROC-AUC by fold (runs, J), and the expected ROC-AUC."""
    values, areas, truths = [], [], []
    for fold in folds:
        score = np.empty(table.shape[:2])
        for k in range(pair.folds):
            test = fold == k
            known, label = table[:, ~test], target[~test]
            weights = known[:, label == 1].mean(axis=1) - known[:, label == 0].mean(axis=1)
            error = np.sqrt(1 / (label == 1).sum() + 1 / (label == 0).sum())
            weights += pair.noise * error * random.standard_normal(weights.shape)
            score[:, test] = np.einsum("cnp,cp->cn", table[:, test], weights)
            norm = np.sqrt(2 * (weights**2).sum(axis=1))
            truths.append(special.ndtr(shift * weights.sum(axis=1) / norm).mean())
        placed = np.array([placement_values(target == 1, row, fold) for row in score])
        values.append(placed)
        areas += [placed[:, (fold == k) & (target == 1)].mean(axis=1) for k in range(pair.folds)]
    return np.mean(values, axis=0).T, np.column_stack(areas), float(np.mean(truths))


def _to_runs(
    placed: np.ndarray,
    areas: np.ndarray,
    target: np.ndarray,
    pair: Pair,
    own: tuple[bool, bool],
) -> ScoredRuns:
    """Return runs with their records; ``own`` says whether customers and folds are the branch's."""
    records = [_to_record(str(index), row, pair, own) for index, row in enumerate(areas)]
    customer = np.repeat(np.arange(pair.n), pair.copies)  # copies have the same placement
    ids = tuple(record.id for record in records)
    placements = Placements(ids, placed[customer], target[customer] == 1, customer)
    candidates = [Candidate(record, (record,)) for record in records]
    return ScoredRuns.of(candidates, placements, str(own))


def _to_record(id_: str, areas: np.ndarray, pair: Pair, own: tuple[bool, bool]) -> Record:
    data = DataInfo(fingerprint=str(own[0]), n_rows=pair.n, n_positives=0, funnel=())
    split = SplitInfo(
        fingerprint=str(own),
        n_folds=pair.folds,
        n_repeats=pair.repeats,
        n_sealed_test=0,
        test_to_train=1 / (pair.folds - 1),
    )
    metric = MetricSummary(
        value=float(areas.mean()),
        low=0.0,
        high=1.0,
        higher_is_better=True,
        fold_values=tuple(areas.tolist()),
    )
    return Record.model_construct(
        id=id_, data=data, split=split, metrics={METRIC: metric}, stopped_early=False
    )


def _rate(pair: Pair, quantity: str, hits: Sequence[bool], bar: str) -> dict[str, object]:
    """Return a row with a share and its exact binomial interval of 95 %."""
    count, n = sum(hits), len(hits)
    found = stats.binomtest(count, n).proportion_ci(method="exact")
    return _row(pair, quantity, bar, Estimate(count / n, found.low, found.high), n)


def _mean(pair: Pair, quantity: str, values: Sequence[float]) -> dict[str, object]:
    return _row(pair, quantity, "", Estimate(*mean_interval(np.array(values))), len(values))


def _row(pair: Pair, quantity: str, bar: str, found: Estimate, n: int) -> dict[str, object]:
    row = {"trees": pair.name, "quantity": quantity, "value": found.value}
    return {**row, "low": found.low, "high": found.high, "replicates": n, "bar": bar}


if __name__ == "__main__":
    main()
