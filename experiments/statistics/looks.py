"""How often looks at a campaign find an effect that is none, and stop one that harms.

    python experiments/statistics/looks.py [--campaigns 10000] [--trials 400] [--seed 0]
                                           [--out looks.csv]

Campaigns of ``CUSTOMERS`` customers, a third of them the control group. Outcomes arrive one by one:
a share that declines (``declined``) or log-normal money (``profit``). They are looked at after
equal numbers of outcomes, and each look is corrected as ``retain-readout`` does it; up to 20 looks
at money are its own comparison of means, a thousand a plain one. In idle campaigns nothing has an
effect; in harmful ones the effect is that which the plan's power sentence names, in the bad
direction. Idle trials have two arms beside a control group, a covariate, and the comparisons of
``retain-readout data=table``; one finds an effect if it calls that of any arm at any look.

Prints a row a figure with its 95 % binomial interval and bar.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special
from scipy.stats import binomtest

from retain.campaign.planning.power import N_OUTCOMES, minimum_detectable_effect
from retain.campaign.readout.arm_effects import compare_all_arms
from retain.campaign.readout.gatekeeping import conclude_arms
from retain.campaign.readout.looks import HARM_LEVEL, Monitor, to_quantile
from retain.campaign.readout.means import estimate_mean_difference
from retain.campaign.readout.sequential import spending_quantile
from retain.campaign.readout.subgroups import estimate_subgroups
from retain.campaign.readout.trial_looks import TrialMonitor, add_trial_look
from retain.campaign.trial.covariates import encode_covariates
from retain.campaign.trial.trial import Outcome, OutcomeKind, Trial
from retain.record.looks_document import Look
from retain.schema.readout import Monitoring

CUSTOMERS, CONTROL_SHARE = 3000, 1 / 3
BASELINE, SIGMA = 0.4, 1.0
ALPHA, POWER = 0.05, 0.8
FIRST = 30
"""Outcomes before the first look: with fewer, no difference is computed."""
MAX_COMPARED = 20
TRIAL_LOOKS = 10
TRIAL_FIGURES = ("finds an effect", "is stopped for harm", "says that a covariate changes one")


@dataclass(frozen=True)
class Row:
    """A figure: how many of the campaigns, with the interval of the true rate and its bar."""

    figure: str
    outcome: str
    n_looks: int
    campaigns: int
    rate: float
    low: float
    high: float
    bar: str


def z_of_looks(
    random: np.random.Generator, outcome: str, n_looks: int, effect: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return share of information and z of each look at one campaign, each of shape (looks,)."""
    treated = random.random(CUSTOMERS) >= CONTROL_SHARE
    if outcome == "declined":
        values = (random.random(CUSTOMERS) < BASELINE + effect * treated).astype(float)
    else:
        values = random.lognormal(0.0, SIGMA, CUSTOMERS)
    at = np.unique(np.linspace(max(FIRST, CUSTOMERS / n_looks), CUSTOMERS, n_looks).astype(int)) - 1
    if outcome == "profit" and n_looks <= MAX_COMPARED:
        return np.ones(n_looks), np.array([compare(values[: n + 1], treated[: n + 1]) for n in at])
    arms = []
    for arm in (treated, ~treated):
        n, sums = np.cumsum(arm)[at], np.cumsum(values * arm)[at]
        squares = np.cumsum(values**2 * arm)[at]
        n = np.maximum(n, 2)
        arms.append((n, sums / n, (squares - sums**2 / n) / (n - 1)))
    (n1, mean1, var1), (n0, mean0, var0) = arms
    share = n1 * n0 / (n1 + n0) * (n1[-1] + n0[-1]) / (n1[-1] * n0[-1])
    error = np.sqrt(var1 / n1 + var0 / n0)
    return np.minimum(share, 1.0), (mean1 - mean0) / np.maximum(error, 1e-12)


def compare(values: np.ndarray, treated: np.ndarray) -> float:
    """Return z of the readout's difference of means, which is corrected for skewness."""
    found = estimate_mean_difference(values, treated, np.zeros(len(values), dtype=int), ALPHA)
    if found is None:
        raise ValueError("an arm has fewer than two customers")
    return float(np.copysign(to_quantile(found.p), found.value))


def always_valid_bounds(shares: np.ndarray) -> np.ndarray:
    """Return the quantile of each look."""
    found = [Monitor("always_valid", (float(share),), ALPHA).quantile for share in shares]
    return np.array(found)


def spending_bounds(shares: np.ndarray, alpha: float) -> np.ndarray:
    """Return the quantile of each look, from equal shares of the information."""
    return np.array([spending_quantile(shares[: n + 1], alpha) for n in range(len(shares))])


def simulate(campaigns: int, seed: int) -> Iterator[Row]:
    """Yield a row a figure."""
    random = np.random.default_rng(seed)
    for outcome in ("declined", "profit"):
        looks = (z_of_looks(random, outcome, 1000, 0.0) for _ in range(campaigns))
        found = [bool((np.abs(z) >= always_valid_bounds(shares)).any()) for shares, z in looks]
        yield row("idle: always_valid finds an effect", outcome, 1000, found, "≤ .05")
    for n_looks in (5, 20):
        equal = np.arange(1, n_looks + 1) / n_looks
        bounds, stops = spending_bounds(equal, ALPHA), spending_bounds(equal, 2 * HARM_LEVEL)
        for outcome in ("declined", "profit"):
            zs = np.array([z_of_looks(random, outcome, n_looks, 0.0)[1] for _ in range(campaigns)])
            found = (np.abs(zs) >= bounds).any(axis=1)
            yield row("idle: planned_end finds an effect", outcome, n_looks, found, "≤ .05")
            stopped = (zs >= stops)[:, :-1].any(axis=1)
            yield row("idle: stopped for harm", outcome, n_looks, stopped, f"≤ {HARM_LEVEL}")
        size = named_effect()
        zs = np.array([z_of_looks(random, "declined", n_looks, size)[1] for _ in range(campaigns)])
        stopped = (zs >= stops)[:, :-1].any(axis=1)
        bar = "≥ .90" if n_looks >= 10 else ""
        yield row("harmful: stopped before the end", "declined", n_looks, stopped, bar)


def named_effect() -> float:
    """Return the effect that the power sentence names."""
    control = round(CUSTOMERS * CONTROL_SHARE)
    found = minimum_detectable_effect(
        CUSTOMERS - control, control, baseline=BASELINE, alpha=ALPHA / N_OUTCOMES, power=POWER
    )
    if found is None:
        raise ValueError("no effect can be seen in campaigns of this size")
    return found


def row(figure: str, outcome: str, n_looks: int, hits: Sequence[bool], bar: str) -> Row:
    """Return a figure with the exact interval of its rate."""
    rate, campaigns = float(np.mean(hits)), len(hits)
    low, high = binomtest(int(np.sum(hits)), campaigns).proportion_ci()
    ends = (round(end, 4) for end in (rate, low, high))
    return Row(figure, outcome, n_looks, campaigns, *ends, bar)


def simulate_trials(trials: int, seed: int) -> Iterator[Row]:
    """Yield a row a figure of trials without any effect, or of arms that harm."""
    for outcome in ("declined", "profit"):
        for monitoring in ("always_valid", "planned_end"):
            random = np.random.default_rng([seed, len(outcome), len(monitoring)])
            judged = [judge_trial(random, outcome, monitoring) for _ in range(trials)]
            bars = ("≤ .05", f"≤ {HARM_LEVEL}", "≤ .05")
            for name, bar, hits in zip(TRIAL_FIGURES, bars, zip(*judged, strict=True), strict=True):
                yield row(f"idle trial: {monitoring} {name}", outcome, TRIAL_LOOKS, hits, bar)


def judge_trial(
    random: np.random.Generator, outcome: str, monitoring: Monitoring
) -> tuple[bool, bool, bool]:
    """Return whether any look at an idle trial finds an effect, a harm, or one that differs."""
    whole = make_trial(random, outcome)
    looks: tuple[Look, ...] = ()
    found = [False, False, False]
    for n in np.linspace(CUSTOMERS / TRIAL_LOOKS, CUSTOMERS, TRIAL_LOOKS).astype(int):
        trial = whole.take(np.arange(n))
        looks = add_trial_look(looks, trial, monitoring, CUSTOMERS)
        monitor = TrialMonitor(trial, looks, CUSTOMERS, ALPHA)
        encoded = encode_covariates(trial.covariates)
        rows = compare_all_arms(trial, encoded, monitor, POWER)
        concluded = conclude_arms(monitor.correct(rows), ALPHA)
        found[0] |= any(one.conclusion in {"helped", "harmed"} for one in concluded)
        found[1] |= any(caution.code == "stop" for caution in monitor.cautions(rows))
        found[2] |= bool(estimate_subgroups(trial, encoded, monitor.whole).shown_tests)
    return found[0], found[1], found[2]


def make_trial(random: np.random.Generator, outcome: str) -> Trial:
    """Return a trial of two idle arms; what comes depends on what was spent before."""
    spent = random.lognormal(0.0, 0.5, CUSTOMERS)
    values = (random.random(CUSTOMERS) < BASELINE * np.where(spent > 1, 1.2, 0.8)).astype(float)
    if outcome == "profit":
        values = spent * random.lognormal(0.0, SIGMA, CUSTOMERS)
    kind: OutcomeKind = "binary" if outcome == "declined" else "money"
    return Trial(
        ids=pd.RangeIndex(CUSTOMERS),
        arms=("control", "coupon", "gift"),
        arm=random.integers(0, 3, CUSTOMERS),
        propensity=np.full((CUSTOMERS, 3), 1 / 3),
        stratum=np.zeros(CUSTOMERS, dtype=int),
        outcomes={outcome: Outcome(outcome, kind, values)},
        covariates=pd.DataFrame({"spent": spent}),
        cost=np.zeros(3),
    )


def widths() -> Iterator[str]:
    """Yield the widths at the planned end by that of one look."""
    alone = -special.ndtri(ALPHA / 2)
    yield f"width at the end, always_valid: {Monitor('always_valid', (1.0,), ALPHA).width:.3f}"
    for n_looks in (2, 5, 20, 100):
        shares = np.arange(1, n_looks + 1) / n_looks
        width = spending_quantile(shares, ALPHA) / alone
        yield f"width at the end, planned_end, {n_looks} looks: {width:.3f}"


def main() -> None:
    """Simulate, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--campaigns", type=int, default=10000)
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    for line in widths():
        print(line)
    rows = []
    figures = (simulate(args.campaigns, args.seed), simulate_trials(args.trials, args.seed))
    for one in chain.from_iterable(figures):
        rows.append(asdict(one))
        interval = f"{one.rate:.4f} [{one.low:.4f}, {one.high:.4f}]"
        print(f"{one.figure}, {one.outcome}, {one.n_looks} looks: {interval} {one.bar}", flush=True)
    if args.out is not None:
        with args.out.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
