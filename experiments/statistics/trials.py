"""How often a randomised campaign is refused, one that is not is found, and effects are covered.

    python experiments/statistics/trials.py [--logs 2000] [--kinds equal best] [--out trials.csv]

Each log has ``CUSTOMERS`` customers with six covariates, among them what they spent before, and the
money that they spend later: nothing for most, a log-normal amount for others. They are assigned

* ``equal``, ``three_arms``, ``unequal`` (85/15): at random, with shares that are typed;
* ``strata``: at random within regions, with another share in each;
* ``varying``: with a known probability that depends on what they spent before;
* ``best``: with .7 if they spent more than the median before, with .3 if not;
* ``best_few``: the 15 % who spent most with .6, others with .1;
* ``new_big``: with .75 if they are new or spent much, but not both, with .25 if not.

The effect of an arm is a third more buyers, who spend as much as the others. Its mean in all
customers is known.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from retain.campaign.readout.arm_effects import estimate_arm_effects
from retain.campaign.trial.checks import check_trial
from retain.campaign.trial.covariates import encode_covariates
from retain.campaign.trial.from_table import TrialTable
from retain.campaign.trial.trial import Outcome, Trial
from retain.errors import RetainError

CUSTOMERS = 1500
RANDOMISED = ("equal", "three_arms", "unequal", "strata", "varying")
SELECTED = ("best", "best_few", "new_big")
KINDS = (*RANDOMISED, *SELECTED)
ALPHA, POWER = 0.05, 0.8
LIFT = 1 / 3
BAR_FALSE, BAR_FOUND, BAR_COVERS = 0.002, 0.95, 0.93


def simulate_covariates(n: int, random: np.random.Generator) -> pd.DataFrame:
    """Return what is known of customers before the campaign; some recencies are missing."""
    recency = random.exponential(60, n)
    return pd.DataFrame(
        {
            "spent_before": np.round(random.lognormal(4, 1, n), 2),
            "recency": np.where(random.random(n) < 0.1, np.nan, recency),
            "orders": random.poisson(3, n).astype(float),
            "is_new": (random.random(n) < 0.5).astype(float),
            "region": random.choice(["north", "south", "west"], n, p=[0.5, 0.3, 0.2]),
            "channel": random.choice(["web", "phone", "shop", "app"], n),
        }
    )


def plan_shares(kind: str, covariates: pd.DataFrame) -> np.ndarray:
    """Return the true probability of each arm, shape (n, arms)."""
    n, spent = len(covariates), covariates["spent_before"].to_numpy()
    is_new = covariates["is_new"].to_numpy() == 1
    above = spent > np.median(spent)
    shares = {
        "three_arms": np.full(n, 1 / 3),
        "unequal": np.full(n, 0.15),
        "strata": covariates["region"].map({"north": 0.5, "south": 0.3, "west": 0.7}).to_numpy(),
        "varying": 0.2 + 0.6 * (np.argsort(np.argsort(spent)) / n),
        "best": np.where(above, 0.7, 0.3),
        "best_few": np.where(spent > np.quantile(spent, 0.85), 0.6, 0.1),
        "new_big": np.where(is_new != above, 0.75, 0.25),
    }
    treated = shares.get(kind, np.full(n, 0.5))
    if kind == "three_arms":
        return np.full((n, 3), 1 / 3)
    return np.stack([1 - treated, treated], axis=1)


def simulate(kind: str, random: np.random.Generator) -> tuple[TrialTable, float]:
    """Return a log as it is read, and the true mean effect of an arm on its customers' money."""
    covariates = simulate_covariates(CUSTOMERS, random)
    shares = plan_shares(kind, covariates)
    arm = (random.random((CUSTOMERS, 1)) > np.cumsum(shares, axis=1)[:, :-1]).sum(axis=1)
    buys = 0.1 + 0.1 * (covariates["spent_before"] > covariates["spent_before"].median())
    amount = 0.5 * covariates["spent_before"].to_numpy()
    treated = buys.to_numpy() * (1 + LIFT)
    bought = random.random(CUSTOMERS) < np.where(arm > 0, treated, buys)
    money = bought * amount * random.lognormal(-0.125, 0.5, CUSTOMERS)
    truth = float((LIFT * buys * amount).mean())
    is_random = kind in RANDOMISED
    typed = shares if is_random else np.full_like(shares, 0)
    if not is_random:  # all that is known are the shares found
        typed = np.full((CUSTOMERS, 2), np.bincount(arm, minlength=2) / CUSTOMERS)
    region = pd.factorize(covariates["region"])[0]
    trial = Trial(
        ids=pd.RangeIndex(1, CUSTOMERS + 1),
        arms=("control", "coupon", "gift")[: shares.shape[1]],
        arm=arm,
        propensity=typed,
        stratum=region if kind == "strata" else np.zeros(CUSTOMERS, dtype=int),
        outcomes={
            "money": Outcome("money", "money", np.round(money, 2)),
            "bought": Outcome("bought", "binary", bought.astype(float)),
        },
        covariates=covariates,
        cost=np.zeros(shares.shape[1]),
    )
    table = TrialTable(
        trial=trial,
        shares_are_typed=is_random,
        value={"money": 1.0},
        cost=trial.cost,
        contacted=None,
        typed_outcomes=("money", "bought"),
        labels={name: name for name in covariates},
        n_without_arm=0,
    )
    return table, truth


def judge(kind: str, random: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """Yield what happened to one log."""
    table, truth = simulate(kind, random)
    encoded = encode_covariates(table.trial.covariates)
    try:
        checks = check_trial(table, encoded)
    except RetainError as error:
        yield "refused", True
        if kind in SELECTED:
            yield (
                "names spent_before or is_new",
                "spent_before" in str(error) or "is_new" in str(error),
            )
        return
    yield "refused", False
    yield "caution", "caution" in (checks.balance.outcome, checks.sample_ratio.outcome)
    if kind in SELECTED:
        return
    row = estimate_arm_effects(table.trial, encoded, alpha=ALPHA, power=POWER)[0]
    for name in ("difference", "adjusted"):
        found = getattr(row, name)
        yield f"{name} covers", found.low <= truth <= found.high


def main() -> None:
    """Print the shares, and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    rows = [row for kind in arguments.kinds for row in count(kind, arguments)]
    if arguments.out is not None:
        with arguments.out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)


def count(kind: str, arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Yield and print the share of each event in the logs of a kind, with a 95 % interval."""
    yes: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for index in range(arguments.logs):
        random = np.random.default_rng([arguments.seed, index, KINDS.index(kind)])
        for name, happened in judge(kind, random):
            total[name] += 1
            yes[name] += happened
    for name, n in total.items():
        low, high = binomtest(yes[name], n).proportion_ci()
        bar = find_bar(kind, name)
        print(f"{kind:11} {name:29} {yes[name] / n:.4f} ({low:.4f}–{high:.4f})  {bar}", flush=True)
        share = {"share": yes[name] / n, "low": low, "high": high}
        yield {"kind": kind, "event": name, "logs": n, **share, "bar": bar}


def find_bar(kind: str, event: str) -> str:
    """Return the bar of a share, empty where there is none."""
    if event == "refused":
        return f"≤ {BAR_FALSE}" if kind in RANDOMISED else f"≥ {BAR_FOUND}"
    return f"≥ {BAR_COVERS}" if event.endswith("covers") else ""


if __name__ == "__main__":
    main()
