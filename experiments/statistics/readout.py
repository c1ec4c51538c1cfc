"""Measure how often a readout is right: intervals, findings in idle campaigns, save rates.

    python experiments/statistics/readout.py [--campaigns 2000] [--write]

Each simulated campaign has chosen customers in segments of different risk, offers of known save
rates, and a control group drawn as a plan draws it: systematically within segment × offer. Whether
a customer declines is drawn from the customer's own risk, less the save rate if contacted. Those
who stay bring their expected profit times log-normal noise.
"""

from __future__ import annotations

import argparse
import csv
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special, stats

from retain.campaign.assignment import Assignment
from retain.campaign.assignment_table import assignment_table
from retain.campaign.proportions import mantel_haenszel
from retain.campaign.readout.effects import Subgroup, compare_profits, estimate_effects
from retain.campaign.readout.gatekeeping import conclude, is_finding
from retain.campaign.readout.means import estimate_mean_difference
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.readout.readout import estimate_money
from retain.campaign.readout.save_rates import (
    ASSUMED_VAGUE_WEIGHT,
    VAGUE_SD,
    ArmCounts,
    Posterior,
    compute_posterior,
)
from retain.campaign.readout.strata import assign_strata, count_by_stratum
from retain.record.readout_document import EffectRow
from retain.schema.campaign import Assumption, Assumptions, Beta, Catalogue, Offer
from retain.schema.names import Translated

RISKS = {"high": (8, 4), "middle": (5, 6), "low": (3, 10), "any": (1.2, 1.8)}
"""Parameters of the Beta of the customers' risks in each segment."""
PRIOR = Beta(alpha=6, beta=14)
CONTACT, CONTROL_SHARE = 1.0, 0.2
PROFIT_NOISE = 0.5
"""Standard deviation of the log of profit over its expectation, for those who stay."""
ONE = Assumption(value=1.0, low=1.0, high=1.0)
SAVE_RATE_ARMS = (120, 30)
BASE_RATE = 0.45
"""Customers by arm, and decline rate without a contact, for the coverage of save rates."""
TABLE = Path(__file__).with_suffix(".csv")


@dataclass(frozen=True)
class Design:
    """A campaign before it is drawn: customers by segment and offer, save rates by offer."""

    sizes: dict[str, dict[str, int]]
    save: dict[str, float]
    seed: int = 0
    contact: float = CONTACT

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per customer: segment, offer, risk, profit over the horizon."""
        random = np.random.default_rng(self.seed)
        pairs = [
            (segment, offer)
            for segment, by_offer in self.sizes.items()
            for offer, size in by_offer.items()
            for _ in range(size)
        ]
        table = pd.DataFrame(pairs, columns=["segment", "offer"])
        table["risk"] = [random.beta(*RISKS[segment]) for segment in table["segment"]]
        return table.assign(profit=random.lognormal(2, 1, len(table)))

    @property
    def rate(self) -> np.ndarray:
        """Save rate of each customer's offer; below 0 it drives customers away."""
        return self.table["offer"].map(self.save).to_numpy()

    @property
    def effect(self) -> np.ndarray:
        """True effect on each customer's chance to decline, which stays at most 1."""
        risk = self.table["risk"].to_numpy()
        return np.minimum(-risk * self.rate, 1 - risk)

    @property
    def gain(self) -> np.ndarray:
        """True effect on each customer's expected profit."""
        return -self.effect * self.table["profit"].to_numpy()

    def sample(self, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return masks of the contacted and of the declined, each (count, customers)."""
        random = np.random.default_rng(seed)
        treated = self._assign(count, random)
        chance = self.table["risk"].to_numpy() + np.where(treated, self.effect, 0.0)
        return treated, random.random(treated.shape) < chance

    def _assign(self, count: int, random: np.random.Generator) -> np.ndarray:
        """Sample systematically over a random order within strata, from a random start."""
        stratum = self.table.groupby(["segment", "offer"]).ngroup().to_numpy()
        order = np.argsort(stratum + random.random((count, len(stratum))), axis=1)
        steps = np.arange(len(stratum) + 1) * CONTROL_SHARE + random.random((count, 1))
        control = np.zeros(order.shape, dtype=bool)
        np.put_along_axis(control, order, np.diff(np.floor(steps), axis=1) > 0, axis=1)
        return ~control

    def assignment(self, treated: np.ndarray) -> Assignment:
        """Return the campaign with one draw of its control group."""
        table = self.table
        ids = pd.Index([str(number) for number in range(len(table))])
        rows = assignment_table(
            ids,
            segment=table["segment"].to_numpy(),
            offer=table["offer"].to_numpy(),
            control=~treated,
            assignment_id=np.array(["0"] * len(table)),
            propensity=np.full(len(table), 1 - CONTROL_SHARE),
            risk=table["risk"].to_numpy(),
            value_at_stake=table["profit"].to_numpy(),
            expected_cost=np.full(len(table), self.contact),
            expected_net=table["risk"].to_numpy() * PRIOR.mean * table["profit"] - self.contact,
        )
        shares = dict.fromkeys(("horizon", "loss_fraction", "margin", "cost_multiplier"), ONE)
        assumptions = Assumptions(name="default", **shares, simulations=100)
        plan = {"id": "51a1ed00", "unit": "roubles", "alpha": 0.05, "power": 0.8, "seed": 0}
        plan["is_turnover"] = False
        plan["expected_effect"] = float(PRIOR.mean * table["risk"].mean())
        plan |= {"catalogue": catalogue(self.save), "assumptions": assumptions}
        return Assignment(rows, **plan, fingerprint="0" * 64)


def catalogue(names: dict[str, float]) -> Catalogue:
    """Return an offer of each name, with the same prior."""
    offer = Offer(
        label=Translated(en="offer", ru="предложение"),
        text=Translated(en="offer", ru="предложение"),
        channel="email",
        needs_consent=True,
        contact_cost=CONTACT,
        redemption_cost=0.0,
        discount=0.0,
        redemption_rate_stayers=0.0,
        save_rate=PRIOR,
    )
    return Catalogue(name="simulated", offers=dict.fromkeys(names, offer))


def outcomes(declined: np.ndarray, profit: np.ndarray | None = None) -> Outcomes:
    """Return outcomes of all customers."""
    seen = np.ones(len(declined), dtype=bool)
    return Outcomes(seen, declined.astype(float), profit, None, None, 0)


LARGE = Design(
    {
        "high": {"call": 150, "gift": 100, "letter": 60},
        "middle": {"call": 100, "gift": 150, "letter": 90},
        "low": {"call": 40, "gift": 60, "letter": 150},
    },
    {"call": 0.35, "gift": 0.2, "letter": 0.05},
)
SMALL = Design(
    {
        "high": {"call": 31, "gift": 17, "letter": 9},
        "middle": {"call": 22, "gift": 26, "letter": 11},
        "low": {"call": 4, "gift": 13, "letter": 27},
    },
    LARGE.save,
)
UNSEGMENTED = Design({"any": {"call": 900}}, {"call": 0.2})


def make_idle(design: Design) -> Design:
    """Return the same campaign with offers that do nothing and cost nothing."""
    return replace(design, save=dict.fromkeys(design.save, 0.0), contact=0.0)


HARMFUL = replace(LARGE, save={"call": -0.4, "gift": -0.2, "letter": -0.3})


@dataclass(frozen=True)
class Readout:
    """The effects of one simulated campaign, and its money's conclusions."""

    rows: Sequence[EffectRow]
    overall_exact: EffectRow
    paid: str
    declines_alone: Sequence[EffectRow]
    paid_by_declines: str

    @property
    def has_finding(self) -> bool:
        """Whether the readout finds anything."""
        return any(map(is_finding, self.rows)) or self.paid != "inconclusive"

    @property
    def has_finding_by_declines(self) -> bool:
        """Whether a readout of declines alone finds anything."""
        found = any(map(is_finding, self.declines_alone))
        return found or self.paid_by_declines != "inconclusive"


def simulate_readouts(design: Design, count: int, seed: int) -> Iterator[Readout]:
    """Yield the readout of each simulated campaign."""
    random = np.random.default_rng([seed, 1])
    worth = design.table["profit"].to_numpy()
    everyone = Subgroup("overall", None, np.ones(len(worth), dtype=bool))
    for treated, declined in zip(*design.sample(count, seed), strict=True):
        assignment = design.assignment(treated)
        noise = random.lognormal(-(PROFIT_NOISE**2) / 2, PROFIT_NOISE, len(worth))
        both = outcomes(declined, np.where(declined, 0.0, worth * noise))
        rows, alone = (
            conclude(estimate_effects(assignment, observed), assignment.alpha)[0]
            for observed in (both, outcomes(declined))
        )
        exact = compare_profits(everyone, assignment, np.where(declined, 0.0, worth))
        money, money_by_declines = (
            estimate_money(assignment, observed, family)
            for observed, family in ((both, rows), (outcomes(declined), alone))
        )
        paid, paid_by_declines = (
            "inconclusive" if one is None else one.conclusion for one in (money, money_by_declines)
        )
        yield Readout(rows, exact, paid, alone, paid_by_declines)


@dataclass(frozen=True)
class Rate:
    """A share of simulated cases, and the bar it is held to."""

    campaign: str
    what: str
    count: int
    n: int
    bar: str = ""

    @property
    def value(self) -> float:
        """The share."""
        return self.count / self.n

    def as_row(self) -> dict[str, str]:
        """Return the row of the table, with the exact binomial interval."""
        interval = stats.binomtest(self.count, self.n).proportion_ci()
        numbers = {"rate": self.value, "low": interval.low, "high": interval.high}
        texts = {name: f"{number:.3f}" for name, number in numbers.items()}
        named = {"campaign": self.campaign, "what": self.what, "bar": self.bar}
        return {**named, **texts, "n": str(self.n)}


def to_rate(campaign: str, what: str, hits: list[bool], bar: str = "") -> Rate:
    """Return the share of hits."""
    return Rate(campaign, what, int(np.sum(hits)), len(hits), bar)


def misses(rows: Sequence[EffectRow], truth: float) -> tuple[list[bool], list[bool]]:
    """Return whether each interval lies above the truth, and below it."""
    ends = [row.difference for row in rows]
    return [end.low > truth for end in ends], [end.high < truth for end in ends]


def measure_effects(name: str, design: Design, count: int, seed: int) -> list[Rate]:
    """Return coverage, misses on either side and findings of a campaign's readouts."""
    readouts = list(simulate_readouts(design, count, seed))
    overall = {
        outcome: [r for one in readouts for r in one.rows if _is_overall(r, outcome)]
        for outcome in ("declined", "profit")
    }
    overall["exact profit"] = [one.overall_exact for one in readouts]
    rates = []
    for outcome, rows in overall.items():
        truth = float(design.effect.mean() if outcome == "declined" else design.gain.mean())
        above, below = misses(rows, truth)
        covers = [not (a or b) for a, b in zip(above, below, strict=True)]
        rates += [
            to_rate(name, f"{outcome}: covers", covers, "≥ .93"),
            to_rate(name, f"{outcome}: lies above", above),
            to_rate(name, f"{outcome}: lies below", below),
            Rate(name, f"{outcome}: of misses above", sum(above), sum(above + below), ".33–.67"),
        ]
    rates += _measure_parts(name, design, readouts)
    return rates + _measure_findings(name, readouts, is_idle=not any(design.save.values()))


def _is_overall(row: EffectRow, outcome: str) -> bool:
    return bool(row.scope == "overall" and row.outcome == outcome)


def _measure_parts(name: str, design: Design, readouts: list[Readout]) -> list[Rate]:
    """Return the coverage of the intervals of segments and offers."""
    table = design.table.assign(declined=design.effect, profit=design.gain)
    rates = []
    for outcome in ("declined", "profit"):
        truth = {scope: table.groupby(scope)[outcome].mean() for scope in ("segment", "offer")}
        covers = [
            row.difference.low <= truth[row.scope][row.name] <= row.difference.high
            for one in readouts
            for row in one.rows
            if row.outcome == outcome and row.scope in truth and row.difference is not None
        ]
        if covers:
            rates.append(to_rate(name, f"{outcome}, parts: covers", covers, "≥ .90"))
    return rates


def _measure_findings(name: str, readouts: list[Readout], *, is_idle: bool) -> list[Rate]:
    """Return how often anything is found, and in a campaign with effects what."""
    found = {
        "with profit": [one.has_finding for one in readouts],
        "declines alone": [one.has_finding_by_declines for one in readouts],
    }
    if is_idle:
        return [to_rate(name, f"finds anything, {k}", v, "≤ .05") for k, v in found.items()]
    rates = []
    for what, rows in (("with profit", "rows"), ("declines alone", "declines_alone")):
        for word in ("helped", "harmed"):
            hits = [_is_called(getattr(one, rows), word) for one in readouts]
            rates.append(to_rate(name, f"overall {word}, {what}", hits))
        parts = [
            any(is_finding(row) for row in getattr(one, rows) if row.scope != "overall")
            for one in readouts
        ]
        rates.append(to_rate(name, f"any part found, {what}", parts))
    return rates


def _is_called(rows: Sequence[EffectRow], word: str) -> bool:
    return any(row.scope == "overall" and row.conclusion == word for row in rows)


# --- widths --------------------------------------------------------------------------------------


def measure_widths(count: int, seed: int) -> dict[str, float]:
    """Return the width of adjusted intervals over that of intervals within strata alone."""
    found: dict[str, list[float]] = {}
    for name, design in (("large", LARGE), ("small", SMALL), ("unsegmented", UNSEGMENTED)):
        worth = design.table["profit"].to_numpy()
        expected = (1 - design.table["risk"].to_numpy()) * worth
        for treated, declined in zip(*design.sample(count, seed), strict=True):
            stratum = assign_strata(design.table.assign(propensity=1 - CONTROL_SHARE), treated)
            kept = np.where(declined, 0.0, worth)
            plain, adjusted = (
                estimate_mean_difference(kept, treated, stratum, 0.05, x) for x in (None, expected)
            )
            found.setdefault(f"profit, {name}", []).append(_width(adjusted) / _width(plain))
            counts = count_by_stratum(declined.astype(float), treated, stratum)
            plain = mantel_haenszel(*counts, special.ndtri(0.975))
            row = estimate_effects(design.assignment(treated), outcomes(declined))[0]
            width = row.difference.high - row.difference.low
            found.setdefault(f"declined, {name}", []).append(width / _width(plain))
    return {name: float(np.median(ratios)) for name, ratios in found.items()}


def _width(interval: object) -> float:
    return float(interval.high - interval.low)


# --- save rates ----------------------------------------------------------------------------------


@functools.cache
def posterior(treated_declined: int, control_declined: int, prior: Beta = PRIOR) -> Posterior:
    """Return the posterior after a campaign of ``SAVE_RATE_ARMS``."""
    treated, control = SAVE_RATE_ARMS
    return compute_posterior(prior, ArmCounts(treated, treated_declined, control, control_declined))


def measure_save_rates(count: int, seed: int) -> list[Rate]:
    """Return the coverage of posteriors at fixed save rates, and averaged over the prior."""
    random = np.random.default_rng(seed)
    cases = {f"true save rate {rate}": np.full(count, rate) for rate in (-0.2, 0.0, 0.3, 0.6)}
    bars = {0.0: "≥ .93", 0.3: "≥ .93"}
    log_odds = special.logit(BASE_RATE) + random.normal(0, VAGUE_SD, count)
    vague = 1 - special.expit(log_odds) / BASE_RATE
    is_vague = random.random(count) < ASSUMED_VAGUE_WEIGHT
    drawn = np.where(is_vague, vague, random.beta(PRIOR.alpha, PRIOR.beta, count))
    cases["save rate from its prior"] = drawn
    rates = []
    for name, truth in cases.items():
        posteriors = [one.posterior for one in _sample_posteriors(truth, random)]
        hits = [one.low <= rate <= one.high for one, rate in zip(posteriors, truth, strict=True)]
        bar = bars.get(float(truth[0]), "") if truth is not drawn else ".93–.97"
        rates.append(to_rate(name, "posterior covers", hits, bar))
    conflicts = [one.is_conflict for one in _sample_posteriors(np.full(count, 0.3), random)]
    return [*rates, to_rate("true save rate 0.3", "conflict is said", conflicts)]


def _sample_posteriors(truth: np.ndarray, random: np.random.Generator) -> list[Posterior]:
    treated, control = SAVE_RATE_ARMS
    declined = random.binomial(treated, BASE_RATE * (1 - truth))
    return [
        posterior(int(a), int(b))
        for a, b in zip(declined, random.binomial(control, BASE_RATE, len(truth)), strict=True)
    ]


def compare_widths_at(rate: float, count: int, seed: int) -> tuple[float, float]:
    """Return mean widths of the posterior's interval, and of the likelihood's alone."""
    random = np.random.default_rng(seed)
    treated, control = SAVE_RATE_ARMS
    first, second = [], []
    counts = (
        random.binomial(treated, BASE_RATE * (1 - rate), count),
        random.binomial(control, BASE_RATE, count),
    )
    for a, b in zip(*counts, strict=True):
        found = posterior(int(a), int(b)).posterior
        first.append(found.high - found.low)
        q = random.beta(a + 0.5, treated - a + 0.5, 4000)  # both shares from Jeffreys' priors
        ends = np.quantile(1 - q / random.beta(b + 0.5, control - b + 0.5, 4000), (0.025, 0.975))
        second.append(float(ends[1] - ends[0]))
    return float(np.mean(first)), float(np.mean(second))


def learn_repeatedly(rate: float, n_campaigns: int, count: int, seed: int) -> np.ndarray:
    """Return the mean save rate of the catalogue after each campaign in a row, (n_campaigns,)."""
    random = np.random.default_rng(seed)
    means = np.zeros((count, n_campaigns))
    treated, control = SAVE_RATE_ARMS
    for store in range(count):
        prior = PRIOR
        for campaign in range(n_campaigns):
            a = int(random.binomial(treated, BASE_RATE * (1 - rate)))
            b = int(random.binomial(control, BASE_RATE))
            found = compute_posterior(prior, ArmCounts(treated, a, control, b)).catalogue
            prior = Beta(alpha=found.alpha, beta=found.beta, minimum=found.minimum)
            means[store, campaign] = prior.mean
    return means.mean(axis=0)


def main() -> None:
    """Simulate and print every rate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--campaigns", type=int, default=2000)
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.name}")
    line = parser.parse_args()
    rates = []
    campaigns = {"900, helps": LARGE, "160, helps": SMALL, "900, harms": HARMFUL}
    campaigns |= {"900, idle": make_idle(LARGE), "160, idle": make_idle(SMALL)}
    for seed, (name, design) in enumerate(campaigns.items()):
        rates += measure_effects(name, design, line.campaigns, seed)
    rates += measure_save_rates(line.campaigns, 7)
    rows = [rate.as_row() for rate in rates]
    for row in rows:
        interval = f"{row['rate']} ({row['low']}–{row['high']})"
        print(f"{row['campaign']:<26}{row['what']:<38}{interval:<22}{row['bar']}", flush=True)
    for name, ratio in measure_widths(line.campaigns // 10, 8).items():
        print(f"width, adjusted over not: {name:<24}{ratio:.2f}")
    widths = "{:.2f}, of the likelihood alone {:.2f}".format(*compare_widths_at(0.3, 200, 9))
    print(f"width of save rate .3: {widths}")
    for rate in (0.0, 0.3):
        means = learn_repeatedly(rate, 5, line.campaigns // 20, 10)
        print(f"true save rate {rate}, mean after campaigns 1–5: {np.round(means, 2).tolist()}")
    if line.write:
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
