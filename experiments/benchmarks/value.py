"""Times the Monte Carlo of a campaign's money against the same draws one customer after another.

    python experiments/benchmarks/value.py [--customers 1000000] [--draws 1000] [--rounds 3]

Made-up customers, nine segments, nine offers. retain: recalibration of their scores, profit at risk
in all, by segment and by customer, the net value of a plan and of each customer in it. Bare: profit
at risk in all, a draw at a time over all customers in numpy. Both are timed from shell to shell in
a process of their own, in turns, and must come to the same interval. The section of README.md is
rewritten when the whole work was done, three times or more.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from measuring import Measured, measure
from rounds import Round
from scipy import special

from report import figures, machine, rewrite
from retain.campaign.audience import Audience
from retain.campaign.offers.offers import evaluate_offers
from retain.campaign.value.assumptions import SampledAssumptions
from retain.campaign.value.calibration_map import logit
from retain.campaign.value.fit_recalibration import fit_recalibration
from retain.campaign.value.monte_carlo import MonteCarlo
from retain.campaign.value.recalibration import Recalibration
from retain.campaign.value.value import value_at_stake
from retain.customers.customers import Column, Customers
from retain.learning.scores import COLUMNS, Scores
from retain.schema.campaign import Assumptions, Beta, Catalogue, Offer
from retain.schema.names import Translated

CUSTOMERS, DRAWS, ROUNDS = 1_000_000, 1000, 3
SECTION, SEED, MANY = "value", 0, 9
RETAIN, BARE = "retain", "bare numpy, draw by draw"
MONEY, PEAK = f"{RETAIN}: recalibration and Monte Carlo, s", f"{RETAIN}: peak memory, MiB"
APART = "largest difference of an interval's end between both, as a share of it"
TARGETS = {MONEY: "< 30", PEAK: "< 1907 (2 GB)"}


def main() -> None:
    """Time both in rounds and tell them; or be one of them."""
    args = _arguments()
    if args.alone is not None:
        print(json.dumps(WORKS[args.alone](args.customers, args.draws)))
        return
    with TemporaryDirectory(prefix="retain-benchmark-") as folder:
        done = [
            one_round(Path(folder, str(number)), args.customers, args.draws)
            for number in range(args.rounds)
        ]
    text = told(args.customers, args.draws, done)
    print(f"\n{text}\n")
    if args.customers == CUSTOMERS and args.draws == DRAWS and args.rounds >= ROUNDS:
        rewrite(SECTION, text)
    else:
        print("README.md stays as it is: this was not the whole work, three times.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--draws", type=int, default=DRAWS, help="100 to 100,000")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--alone", choices=list(WORKS), help="do this in this process, and no more")
    return parser.parse_args()


def one_round(folder: Path, customers: int, draws: int) -> Round:
    """Time both in turn, and compare their intervals.

    Raises
    ------
    RuntimeError
        When one fails, or they come to different intervals.
    """
    taken, answers = {}, {}
    for name in WORKS:
        taken[name], answers[name] = _timed(name, folder / name.split()[0], customers, draws)
    apart = max(abs(answers[RETAIN][end] / answers[BARE][end] - 1) for end in ("low", "high"))
    if apart > 1e-4:
        raise RuntimeError(f"not the same work: {answers}")
    parts = answers[RETAIN]["seconds"]
    walls = {f"{name}: wall, s": one.seconds for name, one in taken.items()}
    cores = {f"{name}: CPU, s": one.cpu for name, one in taken.items()}
    peaks = {f"{name}: peak memory, MiB": one.peak or 0.0 for name, one in taken.items()}
    told = {
        MONEY: sum(parts.values()),
        **{f"of which {name}, s": one for name, one in parts.items()},
    }
    return Round(taken, {**told, **walls, **cores, **peaks, APART: apart})


def _timed(name: str, folder: Path, customers: int, draws: int) -> tuple[Measured, dict]:
    words = ("--customers", str(customers), "--draws", str(draws), "--alone", name)
    taken = measure([sys.executable, __file__, *words], folder, memory=True)
    print(f"  {name}: {taken.seconds:.1f} s, {taken.peak:.0f} MiB", flush=True)
    last = (folder / "output.log").read_text(encoding="utf-8").splitlines()[-1]
    return taken, json.loads(last)


def with_knots(customers: int, draws: int) -> dict:
    """All that retain tells of money: the interval in all, and seconds of each part."""
    scores, profit = made_up(customers)
    seconds: dict[str, float] = {}
    value = assumed(draws)
    found = _part(seconds, "recalibration", lambda: fit_recalibration(scores, of(profit)))
    audience = _audience(scores, profit, found, value)
    offers = evaluate_offers(made_up_offers(), audience, value)
    random = np.random.default_rng(SEED)
    names = np.array([f"segment {one}" for one in range(MANY)])
    segments = names[random.integers(0, MANY, customers)]
    chosen = random.integers(-1, MANY, customers)
    carlo = _part(seconds, "nodes", lambda: MonteCarlo(audience, found, value, SEED))
    total = _part(seconds, "total", lambda: carlo.total(np.ones(customers)))
    _part(seconds, "segments", lambda: carlo.totals(segments))
    _part(seconds, "each customer's profit at risk", carlo.per_customer)
    _part(seconds, "plan", lambda: carlo.plan(chosen, offers))
    _part(seconds, "each customer's net value", lambda: carlo.expected_net(chosen, offers))
    return {"low": total.low, "high": total.high, "seconds": seconds}


def one_by_one(customers: int, draws: int) -> dict:
    """Return the interval in all from the same draws, every customer in each."""
    scores, profit = made_up(customers)
    found = fit_recalibration(scores, of(profit))
    drawn = SampledAssumptions.sample(found, assumed(draws), SEED)
    one = found.out_of_fold
    z = None if one.profit is None else one.profit.standardise(profit)
    design = one.design(logit(scores.per_customer().to_numpy()), z)
    totals = [
        cost * (special.expit(design @ beta) @ profit)
        for beta, cost in zip(drawn.coefficients[0], drawn.cost_per_profit, strict=True)
    ]
    low, high = np.quantile(totals, (0.025, 0.975))
    return {"low": low, "high": high}


def _part(seconds: dict[str, float], name: str, work: Callable[[], object]) -> object:
    begun = time.perf_counter()
    found = work()
    seconds[name] = time.perf_counter() - begun
    return found


def made_up(customers: int) -> tuple[Scores, np.ndarray]:
    """Scores out of fold, too extreme for who declined, and a monthly profit ≥ 0."""
    random = np.random.default_rng(SEED)
    score = random.beta(1, 2, customers)
    declined = random.random(customers) < special.expit(0.7 * special.logit(score) - 0.2)
    columns = (np.arange(customers), 0, 0, declined.astype(int), score)
    table = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    return Scores(table, "out_of_fold"), random.gamma(2, 2, customers)


def assumed(simulations: int) -> Assumptions:
    """Return the assumptions that conf/assumptions/default.yaml ships."""
    ranges = {
        "horizon": (2.0, 3.0, 6.0),
        "loss_fraction": (0.5, 1.0, 1.0),
        "margin": (0.9, 1.0, 1.1),
        "cost_multiplier": (0.8, 1.0, 1.25),
    }
    nodes = {
        name: {"low": low, "value": value, "high": high}
        for name, (low, value, high) in ranges.items()
    }
    return Assumptions(name="default", simulations=simulations, **nodes)


def of(profit: np.ndarray) -> Customers:
    """Return customers with these profits."""
    ids = pd.RangeIndex(len(profit), name="customer_id")
    columns = {"x": Column("x", "all", "number")}
    money = {"profit": pd.Series(profit, index=ids), "profit_unit": "roubles"}
    return Customers(pd.DataFrame({"x": 0.0}, index=ids), columns, **money)


def _audience(
    scores: Scores, profit: np.ndarray, found: Recalibration, assumptions: Assumptions
) -> Audience:
    each = scores.per_customer()
    risk = found.out_of_fold.probability(each.to_numpy(), profit)
    stake = value_at_stake(profit, assumptions)
    table = pd.DataFrame({"score": each, "risk": risk, "profit": profit, "value_at_stake": stake})
    table = table.assign(profit_at_risk=risk * stake, contactable=True, origin="out_of_fold")
    return Audience(table, pd.DataFrame(index=table.index), {}, "roubles")


def made_up_offers() -> Catalogue:
    """Nine offers for everybody, of rising cost."""
    words = Translated(en="Offer", ru="Предложение")
    offers = {
        f"offer {j}": Offer(
            label=words,
            text=words,
            channel="email",
            needs_consent=True,
            contact_cost=0.05 * j,
            redemption_cost=0.1 * j,
            discount=0.01 * j,
            redemption_rate_stayers=0.1 * j,
            save_rate=Beta(alpha=6, beta=14),
        )
        for j in range(MANY)
    }
    return Catalogue(name="made up", offers=offers)


WORKS = {RETAIN: with_knots, BARE: one_by_one}


def told(customers: int, draws: int, rounds: Sequence[Round]) -> str:
    """Return the section of the Monte Carlo."""
    times = "One round" if len(rounds) == 1 else f"Medians of {len(rounds)} rounds"
    about = f"{customers:,} customers × {draws:,} draws, {MANY} segments, {MANY} offers"
    return f"{about}. {times}. {machine()}.\n\n{figures(rounds, TARGETS)}"


if __name__ == "__main__":
    main()
