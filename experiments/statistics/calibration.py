"""Prints the calibration slope of risks on new customers, by model and number of repeats.

    python experiments/statistics/calibration.py [--stores 200] [--out calibration.csv]

Each simulated store has 500 customers with six features. A model scores them in five folds, one to
five times, and is fitted once more to all; this one model scores 4,000 new customers, and the
package's recalibration turns its scores into risks. The slope is that of a logistic regression of
their declines on the log-odds of these risks: 1 is right, below 1 says that risks are too extreme.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special
from sklearn.base import ClassifierMixin, clone
from sklearn.ensemble import (
    GradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from retain.campaign.value.calibration_map import logit
from retain.campaign.value.fit_recalibration import fit_recalibration
from retain.campaign.value.logistic import fit_logistic
from retain.customers.customers import Column, Customers
from retain.learning.scores import COLUMNS, Scores

CUSTOMERS, NEW, FOLDS, REPEATS = 500, 4000, 5, (1, 2, 5)
WEIGHTS = np.array([1.0, -0.8, 0.6, 0.4, 0.0, 0.0])
TREE = DecisionTreeClassifier(min_samples_leaf=5, random_state=0)
LOGISTIC = LogisticRegression()
MODELS: dict[str, ClassifierMixin] = {
    "tree": TREE,
    "knn": KNeighborsClassifier(15),
    "logistic": LOGISTIC,
    "forest": RandomForestClassifier(20, random_state=0),
    "boosting": GradientBoostingClassifier(n_estimators=30, random_state=0),
    "blend": VotingClassifier([("tree", TREE), ("logistic", LOGISTIC)], voting="soft"),
}


def draw(random: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features and declines of customers."""
    features = random.standard_normal((count, len(WEIGHTS)))
    odds = features @ WEIGHTS + 0.5 * features[:, 0] * features[:, 1] - 0.5
    return features, (random.random(count) < special.expit(odds)).astype(int)


def slopes(model: ClassifierMixin, seed: int) -> dict[int, float]:
    """Return the slope on new customers by number of repeats, in one store."""
    random = np.random.default_rng(seed)
    features, target = draw(random, CUSTOMERS)
    new, declined = draw(random, NEW)
    ids = pd.RangeIndex(CUSTOMERS, name="customer_id")
    parts = []
    for repeat in range(max(REPEATS)):
        split = StratifiedKFold(FOLDS, shuffle=True, random_state=int(random.integers(2**31)))
        for number, (train, test) in enumerate(split.split(features, target)):
            fitted = clone(model).fit(features[train], target[train])
            score = fitted.predict_proba(features[test])[:, 1]
            columns = (ids[test], repeat, number, target[test], score)
            parts.append(pd.DataFrame(dict(zip(COLUMNS, columns, strict=True))))
    table = pd.concat(parts, ignore_index=True)
    customers = Customers(
        pd.DataFrame({"x": features[:, 0]}, index=ids),
        {"x": Column("x", "all", "number")},
        pd.Series(target, index=ids),
    )
    score = clone(model).fit(features, target).predict_proba(new)[:, 1]
    return {
        repeats: _slope(table[table["repeat"] < repeats], customers, score, declined)
        for repeats in REPEATS
    }


def _slope(
    table: pd.DataFrame, customers: Customers, score: np.ndarray, declined: np.ndarray
) -> float:
    scores = Scores(table.reset_index(drop=True), "out_of_fold")
    risk = fit_recalibration(scores, customers).single_model.probability(score)
    design = np.column_stack([np.ones(NEW), logit(risk)])
    return float(fit_logistic(design, declined, np.ones(NEW)).coefficients[1])


def simulate(name: str, stores: int, first: int = 0) -> dict[int, list[float]]:
    """Return the slopes of a model in many stores, by number of repeats."""
    every: dict[int, list[float]] = defaultdict(list)
    for seed in range(first, first + stores):
        for repeats, slope in slopes(MODELS[name], seed).items():
            every[repeats].append(slope)
    return every


def main() -> None:
    """Simulate every model and print mean slopes with their intervals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", type=int, default=200)
    parser.add_argument("--only", nargs="+", choices=MODELS)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows = []
    for name in given.only or MODELS:
        begun = time.perf_counter()
        for repeats, values in simulate(name, given.stores).items():
            mean, reach = np.mean(values), 1.96 * np.std(values, ddof=1) / np.sqrt(len(values))
            ends = {"low": mean - reach, "high": mean + reach}
            row = {"model": name, "repeats": repeats, "slope": mean, **ends}
            rows.append({**row, "n_stores": len(values)})
            print(
                f"{name:<10}{repeats} repeats  {mean:.3f}  [{ends['low']:.3f}, {ends['high']:.3f}]"
            )
        print(f"  {time.perf_counter() - begun:.0f} s")
    if given.out is not None:
        table = pd.DataFrame(rows).round(4)
        table.to_csv(given.out, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
