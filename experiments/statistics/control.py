"""Measure what a control group of least cost shows, beside one share for all.

    python experiments/statistics/control.py [--campaigns 2000] [--out control.csv]

Made-up customers in segments of different risk are chosen for offers. The shares of the control
group are planned, drawn and read as ``retain-compare`` and ``retain-readout`` do it. Whether a
customer declines is drawn from the customer's own risk, less the save rate if contacted. Those who
stay bring their value times log-normal noise. The truth is the effect on the treated.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special, stats

from retain.campaign.assignment import Assignment
from retain.campaign.assignment_table import assignment_table
from retain.campaign.planning.control import assign_control
from retain.campaign.planning.control_design import (
    ChosenCustomers,
    TreatedLimits,
    least_cost_shares,
)
from retain.campaign.readout.effects import estimate_effects
from retain.campaign.readout.gatekeeping import conclude, is_finding
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.readout.save_rates import estimate_save_rates
from retain.record.readout_document import EffectRow
from retain.schema.campaign import Assumption, Assumptions, Beta, Catalogue, Offer
from retain.schema.names import Translated

CONTROL_SHARE = 0.2
PRIOR = Beta(alpha=6, beta=14)
COST, PROFIT_NOISE = 0.3, 0.5
SAVE = {"call": 0.35, "gift": 0.2, "letter": 0.05}
ONE = Assumption(value=1.0, low=1.0, high=1.0)


@dataclass(frozen=True)
class Store:
    """Customers chosen by a plan.

    Attributes
    ----------
    risks
        Parameters of the Beta of the expected risks by segment.
    sizes
        Customers of each segment.
    value_spread
        Standard deviation of the log of their value.
    confidence
        Factor between the log-odds of the true and of the expected risk.
    save
        True save rate of each offer.
    """

    risks: dict[str, tuple[float, float]]
    sizes: dict[str, int]
    value_spread: float
    confidence: float = 1.0
    save: tuple[float, ...] = tuple(SAVE.values())

    @cached_property
    def table(self) -> pd.DataFrame:
        """Return one row per customer: segment, offer, expected risk, value, net value."""
        random = np.random.default_rng(0)
        segment = np.repeat(list(self.sizes), list(self.sizes.values()))
        risk = np.concatenate([random.beta(*self.risks[s], n) for s, n in self.sizes.items()])
        value = 12 * random.lognormal(0, self.value_spread, len(risk))
        offer = random.choice(list(SAVE), len(risk))
        net = risk * PRIOR.mean * value - COST
        table = pd.DataFrame({"segment": segment, "offer": offer, "risk": risk, "value": value})
        return table.assign(net=net)[net > 0].reset_index(drop=True)

    @cached_property
    def true_risk(self) -> np.ndarray:
        """Chance to decline without a contact, shape (n,)."""
        return special.expit(self.confidence * special.logit(self.table["risk"].to_numpy()))

    @cached_property
    def effect(self) -> np.ndarray:
        """True effect on each customer's chance to decline, shape (n,)."""
        rate = self.table["offer"].map(dict(zip(SAVE, self.save, strict=True))).to_numpy()
        return -self.true_risk * rate

    @cached_property
    def least_cost(self) -> np.ndarray:
        """Share of the control group of each customer at the least cost, shape (n,)."""
        table = self.table
        chosen = ChosenCustomers(
            segment=pd.factorize(table["segment"])[0],
            offer=pd.factorize(table["offer"])[0],
            risk=table["risk"].to_numpy(),
            value=table["value"].to_numpy(),
            net=table["net"].to_numpy(),
            cost=np.full(len(table), COST),
        )
        limits = TreatedLimits(np.inf, np.inf, np.full(3, np.inf), np.zeros(len(self.sizes)))
        found = least_cost_shares(chosen, limits, share=CONTROL_SHARE)
        if found is None:
            raise ValueError("one share for all is the cheapest")
        return found

    def assign(self, share: float | np.ndarray, seed: int) -> Assignment:
        """Return the campaign with a control group of this share."""
        table, n = self.table, len(self.table)
        offer = pd.factorize(table["offer"])[0]
        segment, ids = table["segment"].to_numpy(dtype=object), np.arange(n)
        drawn = assign_control(offer, np.ones(n), segment, ids, share=share, seed=seed)
        if drawn is None:
            raise ValueError("there is no budget")
        rows = assignment_table(
            pd.Index(ids.astype(str)),
            segment=segment,
            offer=table["offer"].to_numpy(dtype=object),
            control=drawn.is_control,
            assignment_id=drawn.assignment_id,
            propensity=drawn.propensity,
            risk=table["risk"].to_numpy(),
            value_at_stake=table["value"].to_numpy(),
            expected_cost=np.full(n, COST),
            expected_net=table["net"].to_numpy(),
        )
        shares = dict.fromkeys(("horizon", "loss_fraction", "margin", "cost_multiplier"), ONE)
        return Assignment(
            rows,
            id="51a1ed00",
            unit="roubles",
            is_turnover=False,
            alpha=0.05,
            power=0.8,
            expected_effect=0.1,
            seed=0,
            catalogue=make_catalogue(),
            assumptions=Assumptions(name="default", **shares, simulations=100),
            fingerprint="0" * 64,
        )

    def observe(self, assignment: Assignment, random: np.random.Generator) -> Outcomes:
        """Return the outcomes of all customers."""
        chance = self.true_risk + np.where(assignment.is_treated, self.effect, 0.0)
        declined = random.random(len(chance)) < chance
        noise = random.lognormal(-(PROFIT_NOISE**2) / 2, PROFIT_NOISE, len(chance))
        profit = np.where(declined, 0.0, self.table["value"] * noise)
        everyone = np.ones(len(chance), dtype=bool)
        return Outcomes(everyone, declined.astype(float), profit, None, None, 0)


def make_catalogue() -> Catalogue:
    """Return offers with the same prior."""
    offer = Offer(
        label=Translated(en="offer", ru="предложение"),
        text=Translated(en="offer", ru="предложение"),
        channel="email",
        needs_consent=True,
        contact_cost=COST,
        redemption_cost=0.0,
        discount=0.0,
        redemption_rate_stayers=0.0,
        save_rate=PRIOR,
    )
    return Catalogue(name="simulated", offers=dict.fromkeys(SAVE, offer))


LIKE_THE_STORE = Store(
    {"high": (38, 2), "middle": (5, 8), "low": (4, 30)},
    {"high": 400, "middle": 80, "low": 480},
    value_spread=0.25,
)
UNEQUAL = replace(LIKE_THE_STORE, value_spread=0.6)
STORES = {
    "like the store": LIKE_THE_STORE,
    "unequal values": UNEQUAL,
    "risks too sure": replace(LIKE_THE_STORE, confidence=0.6),
    "idle": replace(LIKE_THE_STORE, save=(0.0, 0.0, 0.0)),
    "small": replace(LIKE_THE_STORE, sizes={"high": 150, "middle": 30, "low": 180}),
}


@dataclass(frozen=True)
class Campaign:
    """One simulated campaign: its readout, and the net value its control group forgoes."""

    rows: tuple[EffectRow, ...]
    save: dict[str, tuple[float, float]]
    cost: float


def simulate(store: Store, share: float | np.ndarray, count: int) -> Iterator[Campaign]:
    """Yield the readout of each simulated campaign."""
    for seed in range(count):
        assignment = store.assign(share, seed)
        observed = store.observe(assignment, np.random.default_rng([seed, 1]))
        rows, _ = conclude(estimate_effects(assignment, observed), assignment.alpha)
        rates = estimate_save_rates(assignment, observed)
        save = {row.offer: (row.posterior.low, row.posterior.high) for row in rates}
        cost = float(store.table["net"].to_numpy() @ ~assignment.is_treated)
        yield Campaign(rows, save, cost)


def true_effect(store: Store, share: float | np.ndarray, row: EffectRow) -> float:
    """Return the effect on the treated that a row estimates."""
    table = store.table
    inside = np.ones(len(table)) if row.name is None else table[row.scope] == row.name
    effect = store.effect if row.outcome == "declined" else -store.effect * table["value"]
    return float(np.average(effect, weights=inside * (1 - share)))


def measure(name: str, count: int) -> list[dict[str, str]]:
    """Return coverage, findings, widths and costs of both designs in one store."""
    store = STORES[name]
    designs: dict[str, float | np.ndarray] = {
        "one share": CONTROL_SHARE,
        "least cost": store.least_cost,
    }
    rows, widths, costs = [], {}, {}
    for design, share in designs.items():
        campaigns = list(simulate(store, share, count))
        hits: dict[str, list[bool]] = {}
        for one in campaigns:
            for row in one.rows:
                if row.difference is None:
                    continue
                truth = true_effect(store, share, row)
                covered = row.difference.low <= truth <= row.difference.high
                part = "" if row.scope == "overall" else f", by {row.scope}"
                hits.setdefault(f"{row.outcome}{part}: covers", []).append(covered)
                if row.scope == "overall":
                    width = row.difference.high - row.difference.low
                    widths.setdefault((design, row.outcome), []).append(width)
                    hits.setdefault(f"{row.outcome}: found", []).append(is_finding(row))
            hits.setdefault("anything found", []).append(any(map(is_finding, one.rows)))
            truths = dict(zip(SAVE, store.save, strict=True))
            hits.setdefault("save rates: covers", []).extend(
                low <= truths[offer] <= high for offer, (low, high) in one.save.items()
            )
        costs[design] = float(np.mean([one.cost for one in campaigns]))
        rows += [to_row(name, design, what, found) for what, found in hits.items()]
    one, least = designs
    ratios = {"cost": costs[least] / costs[one]} | {
        f"width, {outcome}": float(np.mean(widths[least, outcome]) / np.mean(widths[one, outcome]))
        for outcome in ("declined", "profit")
    }
    named = {"store": name, "design": "least cost by one share", "low": "", "high": ""}
    return rows + [
        {**named, "figure": what, "value": f"{ratio:.3f}", "n": str(count)}
        for what, ratio in ratios.items()
    ]


def to_row(store: str, design: str, figure: str, hits: list[bool]) -> dict[str, str]:
    """Return a share of hits with its exact binomial interval."""
    interval = stats.binomtest(int(np.sum(hits)), len(hits)).proportion_ci()
    ends = {"value": np.mean(hits), "low": interval.low, "high": interval.high}
    texts = {key: f"{end:.3f}" for key, end in ends.items()}
    return {"store": store, "design": design, "figure": figure, **texts, "n": str(len(hits))}


def main() -> None:
    """Simulate and print every figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--campaigns", type=int, default=2000)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--stores", nargs="*", choices=STORES)
    line = parser.parse_args()
    rows = []
    for name in line.stores or STORES:
        for row in measure(name, line.campaigns):
            print(*(f"{row[key]:<24}" for key in ("store", "design", "figure")), end="")
            print(row["value"], f"({row['low']}–{row['high']})" if row["low"] else "", flush=True)
            rows.append(row)
    if line.out is not None:
        keys = ("store", "design", "figure", "value", "low", "high", "n")
        with line.out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=keys, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
