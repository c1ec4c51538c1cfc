"""How often a covariate is said to change an effect that is the same for all.

    python experiments/statistics/subgroups.py [--trials 1000] [--out subgroups.csv]

Trials of 1,500 customers, 3,000 where events are rare, with the six covariates of ``trials.py``,
in two equal arms or in three of shares .2, .4 and .4. What would happen without an offer depends on
the covariates; the effect does not: it is none, or equal for all (``helps``). In ``differs`` an
offer helps new customers alone. Counts trials in which any covariate is said to change an effect,
and in which the intervals of all subgroups hold the true effects, means over their customers.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from trials import simulate_covariates

from retain.campaign.readout.looks import Monitor
from retain.campaign.readout.subgroups import estimate_subgroups
from retain.campaign.trial.covariates import encode_covariates
from retain.campaign.trial.subgroups import split_customers
from retain.campaign.trial.trial import Outcome, OutcomeKind, Trial

SHARES = {"two": (0.5, 0.5), "three": (0.2, 0.4, 0.4)}
CUSTOMERS, RARE_CUSTOMERS = 1500, 3000
KINDS = ("rare", "rare, helps", "share, helps", "money", "money, helps", "heavy money", "differs")
ALPHA = 0.05
ONCE = Monitor("once", (1.0,), ALPHA)


def simulate(kind: str, arms: str, random: np.random.Generator) -> tuple[Trial, np.ndarray]:
    """Return a trial, and the true effect of any arm but the control on each customer."""
    n = RARE_CUSTOMERS if kind.startswith("rare") else CUSTOMERS
    covariates = simulate_covariates(n, random)
    shares = SHARES[arms]
    arm = random.choice(len(shares), n, p=shares)
    effect, values = sample_outcome(kind, covariates, arm > 0, random)
    outcome: OutcomeKind = "money" if "money" in kind else "binary"
    trial = Trial(
        ids=pd.RangeIndex(n),
        arms=("control", "coupon", "gift")[: len(shares)],
        arm=arm,
        propensity=np.tile(shares, (n, 1)),
        stratum=np.zeros(n, dtype=int),
        outcomes={"y": Outcome("y", outcome, values.astype(float))},
        covariates=covariates,
        cost=np.zeros(len(shares)),
    )
    return trial, effect


def sample_outcome(
    kind: str, covariates: pd.DataFrame, treated: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the effect on each customer, and what came of it, each of shape (n,)."""
    n, new = len(covariates), covariates["is_new"].to_numpy()
    if "money" not in kind:
        low, high = (0.008, 0.012) if kind.startswith("rare") else (0.1, 0.3)
        size = {"rare": 0.0, "rare, helps": 0.01, "share, helps": 0.08, "differs": 0.12}[kind]
        effect = size * (new if kind == "differs" else np.ones(n))
        return effect, random.random(n) < np.where(new == 1, low, high) + effect * treated
    if kind == "heavy money":
        return np.zeros(n), (random.random(n) < 0.1) * random.lognormal(3, 1.5, n)
    spent = covariates["spent_before"].to_numpy()
    bought = random.random(n) < 0.1 + 0.1 * (spent > np.median(spent))
    values = bought * 0.5 * spent * random.lognormal(-0.125, 0.5, n)
    if kind == "money":
        return np.zeros(n), values
    return np.full(n, 1.5), values + 3 * treated * (random.random(n) < 0.5)


def judge(kind: str, arms: str, random: np.random.Generator) -> tuple[bool, bool]:
    """Return whether a covariate is said to change an effect, and whether all intervals cover."""
    trial, effect = simulate(kind, arms, random)
    found = estimate_subgroups(trial, encode_covariates(trial.covariates), ONCE)
    truth = {
        (split.covariate, name.text, name.kind): float(effect[split.code == index].mean())
        for split in split_customers(trial.covariates)[0]
        for index, name in enumerate(split.names)
    }
    covers = [
        row.difference.low <= truth[row.covariate, row.subgroup, row.kind] <= row.difference.high
        for row in found.rows
        if row.difference is not None
    ]
    return bool(found.shown_tests), all(covers)


def count(kind: str, arms: str, n_trials: int, seed: int) -> Iterator[dict[str, object]]:
    """Yield and print both shares of the trials of a kind, with 95 % intervals."""
    seeds = ([seed, index, KINDS.index(kind)] for index in range(n_trials))
    judged = [judge(kind, arms, np.random.default_rng(one)) for one in seeds]
    bars = ("" if kind == "differs" else f"≤ {ALPHA}", "≥ .93")
    for event, bar, hits in zip(
        ("shown", "all cover"), bars, zip(*judged, strict=True), strict=True
    ):
        low, high = binomtest(sum(hits), n_trials).proportion_ci()
        share = sum(hits) / n_trials
        print(
            f"{kind:13} {arms:6} {event:10} {share:.3f} ({low:.3f}–{high:.3f})  {bar}", flush=True
        )
        row = {"kind": kind, "arms": arms, "event": event, "trials": n_trials}
        yield row | {
            "share": round(share, 4),
            "low": round(low, 4),
            "high": round(high, 4),
            "bar": bar,
        }


def main() -> None:
    """Print the shares, and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    pairs = ((kind, arms) for kind in chosen.kinds for arms in SHARES)
    rows = [row for pair in pairs for row in count(*pair, chosen.trials, chosen.seed)]
    if chosen.out is not None:
        with chosen.out.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
