"""Prints how often two tests call equal models different.

    python experiments/statistics/equal_models.py [--models 1000]

Each of the simulated stores has two sets of features that are drawn alike, and a model that sees
the one is compared with the same model that sees the other, on the same folds. Neither is better
but by chance: every difference that a test finds at p < .05 is a false one.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy import stats

from retain.learning.metrics import roc_auc
from retain.verdict.paired import corrected_resampled_t

CUSTOMERS, FEATURES, GAP = 240, 5, 0.4
FOLDS, REPEATS = 5, 2
LEVEL = 0.05


def main() -> None:
    """Simulate and print both rates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=1000)
    pairs = parser.parse_args().models
    corrected, naive = false_positives(pairs)
    print(f"{pairs} pairs of equal models, {FOLDS} folds × {REPEATS}, nominal {LEVEL}:")
    print(f"  corrected resampled t-test  {corrected:.3f}")
    print(f"  plain paired t-test         {naive:.3f}")


def false_positives(pairs: int, seed: int = 0) -> tuple[float, float]:
    """Return the share of pairs called different by the corrected test, and by the plain one."""
    random = np.random.default_rng(seed)
    gaps = [_differences(random) for _ in range(pairs)]
    corrected = [corrected_resampled_t(gap, 1 / (FOLDS - 1))[1] for gap in gaps]
    naive = [stats.ttest_1samp(gap, 0).pvalue for gap in gaps]
    return float(np.mean(np.less(corrected, LEVEL))), float(np.mean(np.less(naive, LEVEL)))


def _differences(random: np.random.Generator) -> list[float]:
    """Differences of ROC-AUC by fold of two equal models on one simulated store."""
    target = random.integers(0, 2, CUSTOMERS)
    tables = random.normal(0, 1, (2, CUSTOMERS, FEATURES)) + GAP * target[:, None]
    found = []
    for _ in range(REPEATS):
        for test in np.array_split(random.permutation(CUSTOMERS), FOLDS):
            train = np.setdiff1d(np.arange(CUSTOMERS), test)
            one, other = (_auc(table, target, train, test) for table in tables)
            found.append(one - other)
    return found


def _auc(table: np.ndarray, target: np.ndarray, train: np.ndarray, test: np.ndarray) -> float:
    """Return the nearer class mean, fitted on the training customers, judged on the others."""
    known = target[train]
    weights = table[train][known == 1].mean(axis=0) - table[train][known == 0].mean(axis=0)
    return roc_auc(target[test], table[test] @ weights)


if __name__ == "__main__":
    main()
