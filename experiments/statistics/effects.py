"""Measure how often effects, policy values and choices among policies are right.

    python experiments/statistics/effects.py [--stores 1000] [--csv FILE]

Each simulated campaign gives customers of 40 kinds one of three arms by chance. As there are few
kinds, what a policy is worth is known exactly: each fold's policy is read off the customers of the
fold, kind by kind, and weighed by the kinds' probabilities.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from scipy import stats
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from retain.campaign.effects.heterogeneity import estimate_subgroup_effects
from retain.campaign.effects.learners import LearnedEffects, learn_effects
from retain.campaign.effects.policies import ContactLimits, Payoff, Policy, build_policies
from retain.campaign.effects.policy_value import compare_policies, customers_for_gain
from retain.campaign.effects.spec import EffectsSpec, LearnerName
from retain.campaign.trial.trial import Outcome, Trial
from retain.learning.pipeline import PipelineSpec
from retain.schema.run import Calibration

ARMS = ("nothing", "letter", "call")
COST = np.array([0.0, 0.01, 0.02])
VISITS, CHANNELS = np.divmod(np.arange(40), 4)
"""The kinds of customers: visits 0 … 9 and one of four channels, equally probable."""
BASE = 0.1 + 0.02 * VISITS + 0.03 * (CHANNELS == 1)
"""Probability to buy without a contact, by kind."""
LINEAR = (VISITS - 4.5) / 4.5
"""From −1 for those without a visit to 1 for those with nine."""


@dataclass(frozen=True)
class Store:
    """A campaign to be simulated.

    ``effect`` (kinds, arms) is on the probability to buy; ``spend`` makes the outcome money, log-
    normal for those who buy; ``unequal`` makes propensities differ between two strata.
    """

    name: str
    n: int
    effect: np.ndarray
    learner: LearnerName = "dr_learner"
    boosted: bool = False
    spend: bool = False
    unequal: bool = False
    max_share: float | None = None
    is_same_for_all: bool = True

    @property
    def mean(self) -> np.ndarray:
        """Expected outcome by kind and arm."""
        return BASE[:, None] + self.effect

    def sample(self, random: np.random.Generator) -> tuple[Trial, np.ndarray]:
        """Return a campaign, and the kind of each customer."""
        kind = random.integers(0, len(BASE), self.n)
        stratum = random.integers(0, 2, self.n)
        shares = np.array([[1 / 3] * 3, [0.5, 0.3, 0.2] if self.unequal else [1 / 3] * 3])
        propensity = shares[stratum]
        arm = (random.random((self.n, 1)) > propensity.cumsum(axis=1)).sum(axis=1).clip(0, 2)
        y = (random.random(self.n) < self.mean[kind, arm]).astype(float)
        if self.spend:
            y *= random.lognormal(-0.5, 1.0, self.n)
        covariates = pd.DataFrame({"visits": LINEAR[kind], "channel": CHANNELS[kind] / 3})
        trial = Trial(
            ids=pd.RangeIndex(self.n),
            arms=ARMS,
            arm=arm,
            propensity=propensity,
            stratum=stratum,
            outcomes={"y": Outcome("y", "money" if self.spend else "binary", y)},
            covariates=covariates,
            cost=COST,
        )
        return trial, kind


def same(letter: float, call: float) -> np.ndarray:
    """Return the same effects for all kinds."""
    return np.tile([0.0, letter, call], (len(BASE), 1))


STRONG = np.column_stack([0 * LINEAR, 0.02 + 0.09 * LINEAR, 0.01 - 0.05 * LINEAR])
"""The letter helps frequent visitors and drives others away; the call is the reverse."""


def promised_size() -> int:
    """Return the customers that tell the best plan from the best simple one with a power of .9."""
    net = STRONG - COST
    simple = int(net.mean(axis=0).argmax())
    gain = float(net.max(axis=1).mean() - net[:, simple].mean())
    differing = float((net.argmax(axis=1) != simple).mean())
    mean = float((BASE[:, None] + STRONG).mean())
    return customers_for_gain(gain, differing, mean * (1 - mean) * 6, n_policies=7)


def stores() -> list[Store]:
    """Return the campaigns: without differences, and with strong ones."""
    size = promised_size()
    return [
        Store("same effects", 1500, same(0.08, 0.05)),
        Store("strong differences", size, STRONG, is_same_for_all=False),
        Store("same effects, money, unequal", 1500, same(0.08, 0.05), spend=True, unequal=True),
        Store("no effect", 1500, same(0, 0)),
        Store("same effects, 30 % contacted", 1500, same(0.08, 0.05), max_share=0.3),
        Store("weak differences", 1500, 0.4 * STRONG, is_same_for_all=False),
        Store("same effects, t_learner", 1500, same(0.08, 0.05), learner="t_learner"),
        Store("same effects, LightGBM", 1500, same(0.08, 0.05), boosted=True),
        Store("strong differences, LightGBM", size, STRONG, boosted=True, is_same_for_all=False),
    ]


def spec(store: Store, seed: int) -> EffectsSpec:
    """Return how the store's effects are learned."""
    linear: BaseEstimator = LogisticRegression(max_iter=500)
    trees = LGBMClassifier(n_estimators=50, num_leaves=7, learning_rate=0.1, verbose=-1, n_jobs=1)
    pipeline = PipelineSpec(
        model=trees if store.boosted else linear,
        sampler=None,
        scaling=None,
        calibration=Calibration(name="none", method=None),
        max_categories=30,
    )
    return EffectsSpec(store.learner, pipeline, pipeline, seed=seed)


def true_value(store: Store, effects: LearnedEffects, kind: np.ndarray, policy: Policy) -> float:
    """Return what a policy is worth in the population, the mean over its folds."""
    net, fold = store.effect - COST, effects.scores.fold
    values = []
    for k in range(effects.scores.n_folds):
        rows = fold == k
        counts = np.zeros(net.shape)
        np.add.at(counts, (kind[rows], policy.arm[rows]), 1.0)
        seen = counts.sum(axis=1) > 0
        shares = counts[seen] / counts[seen].sum(axis=1, keepdims=True)
        values.append((shares * net[seen]).sum(axis=1).mean())
    return float(np.mean(values))


def simulate(store: Store, count: int, first: int = 0) -> dict[str, list[bool]]:
    """Return what held in each of ``count`` campaigns."""
    found: dict[str, list[bool]] = {}
    for seed in range(first, first + count):
        for what, holds in simulate_one(store, seed).items():
            found.setdefault(what, []).append(holds)
    return found


def simulate_one(store: Store, seed: int) -> dict[str, bool]:
    """Return what held in one campaign."""
    trial, kind = store.sample(np.random.default_rng([seed, 7]))
    effects = learn_effects(trial, spec(store, seed))
    payoff = Payoff(1.0, COST)
    contacts = None if store.max_share is None else int(store.max_share * store.n)
    policies = build_policies(effects, payoff, ContactLimits(max_contacts=contacts))
    comparison = compare_policies(effects, payoff, policies)
    truth = [true_value(store, effects, kind, policy) for policy in policies]
    by_name = dict(zip((policy.name for policy in policies), truth, strict=True))
    groups = estimate_subgroup_effects(ARMS, effects.scores.contrasts, CHANNELS[kind])
    in_groups = [
        covers(one.effect, store.effect[int(one.subgroup) == CHANNELS, ARMS.index(one.arm)].mean())
        for one in groups
    ]
    learned = next(one for one in comparison.policies if one.policy == "learned")
    return {
        "values of all policies cover": all(
            covers(one.value, by_name[one.policy]) for one in comparison.policies
        ),
        "all differences cover": all(
            covers(one.value, by_name[one.first] - by_name[one.second])
            for one in comparison.differences
        ),
        "value of the learned plan covers": covers(learned.value, by_name["learned"]),
        "effects of all subgroups cover": all(in_groups),
        "heterogeneity is found": effects.is_heterogeneous,
        "heterogeneity is found by AUTOC": any(t.autoc_p < 0.05 for t in effects.heterogeneity),
        "the personal plan is chosen": comparison.chosen == "learned",
        "anybody is contacted": comparison.chosen != "nobody",
    }


def covers(interval: object, truth: float) -> bool:
    """Return whether an interval holds the truth, but for rounding."""
    return bool(interval.low - 1e-9 <= truth <= interval.high + 1e-9)


def bar(store: Store, what: str) -> str:
    """Return the bar that a rate is held to."""
    if what.endswith(("cover", "covers")):
        return "≥ .93"
    if store.name == "no effect" and what == "anybody is contacted":
        return "≤ .05"
    if what == "anybody is contacted" or "weak" in store.name:
        return ""
    return "≤ .05" if store.is_same_for_all else "≥ .90"


def to_row(store: Store, what: str, held: list[bool]) -> dict[str, str]:
    """Return a row of the table, with the exact binomial interval of the rate."""
    count, n = sum(held), len(held)
    interval = stats.binomtest(count, n).proportion_ci()
    numbers = {"rate": count / n, "low": interval.low, "high": interval.high}
    row = {"campaign": store.name, "customers": str(store.n), "what": what}
    row |= {name: f"{number:.3f}" for name, number in numbers.items()}
    return row | {"stores": str(n), "bar": bar(store, what)}


def main() -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", type=int, default=1000)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--only", help="name of one campaign")
    options = parser.parse_args()
    rows = []
    for store in stores():
        if options.only in (None, store.name):
            count = options.stores // (5 if store.boosted else 1)  # trees take longer
            for what, held in simulate(store, count).items():
                rows.append(to_row(store, what, held))
                print("  ".join(rows[-1].values()), flush=True)
            if options.csv:
                write(options.csv, rows)


def write(path: Path, rows: list[dict[str, str]]) -> None:
    """Write the rows measured so far."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
