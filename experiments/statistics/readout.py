"""Prints how often a read-out's intervals hold the truth, and how often it calls what is not.

    python experiments/statistics/readout.py [--campaigns 500]

Each simulated campaign has chosen customers in segments of different risk, offers of known save
rates, and a control group drawn as a plan draws it: systematically within segment × offer. Who
declines is drawn from each customer's own risk, less the save rate where he was contacted.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from retain.campaign.assignment import Assignment, assignment_table
from retain.campaign.readout.effects import estimate_effects
from retain.campaign.readout.means import BootstrapSettings
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.readout.readout import estimate_money
from retain.campaign.readout.save_rates import estimate_save_rates
from retain.schema.campaign import Assumption, Assumptions, Beta, Catalogue, Offer, Translated

RISKS = {"high": (8, 4), "middle": (5, 6), "low": (3, 10)}
"""Of each segment, the Beta its customers' risks come from."""
PRIOR = Beta(alpha=6, beta=14)
CONTACT, HELD_OUT = 1.0, 0.2
ONE = Assumption(value=1.0, low=1.0, high=1.0)


@dataclass(frozen=True)
class Design:
    """A campaign before it is drawn: customers by segment and offer, save rates by offer."""

    sizes: dict[str, dict[str, int]]
    save: dict[str, float]
    seed: int = 0

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a customer: segment, offer, risk, what he brings over the horizon."""
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
        """Save rate of what each customer is offered; below 0 it drives him away."""
        return self.table["offer"].map(self.save).to_numpy()

    @property
    def effect(self) -> np.ndarray:
        """True effect on each customer's chance to decline."""
        return -self.table["risk"].to_numpy() * self.rate

    def drawn(self, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return masks of the contacted and of the declined, each (count, customers)."""
        random = np.random.default_rng(seed)
        treated = self._treated(count, random)
        chance = self.table["risk"].to_numpy() + np.where(treated, self.effect, 0.0)
        return treated, random.random(treated.shape) < chance

    def _treated(self, count: int, random: np.random.Generator) -> np.ndarray:
        """Systematic sampling over a random order within strata, from a random start."""
        stratum = self.table.groupby(["segment", "offer"]).ngroup().to_numpy()
        order = np.argsort(stratum + random.random((count, len(stratum))), axis=1)
        steps = np.arange(len(stratum) + 1) * HELD_OUT + random.random((count, 1))
        held_out = np.zeros(order.shape, dtype=bool)
        np.put_along_axis(held_out, order, np.diff(np.floor(steps), axis=1) > 0, axis=1)
        return ~held_out

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
            risk=table["risk"].to_numpy(),
            value_at_stake=table["profit"].to_numpy(),
            expected_cost=np.full(len(table), CONTACT),
            expected_net=table["risk"].to_numpy() * PRIOR.mean * table["profit"] - CONTACT,
        )
        shares = dict.fromkeys(("horizon", "loss_fraction", "margin", "cost_multiplier"), ONE)
        assumptions = Assumptions(name="default", **shares, simulations=100)
        plan = {"id": "simulated", "unit": "roubles", "alpha": 0.05, "power": 0.8, "seed": 0}
        plan |= {"catalogue": catalogue(self.save), "assumptions": assumptions}
        return Assignment(rows, **plan, fingerprint="")


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
    """Outcomes of everyone."""
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
IDLE = replace(LARGE, save=dict.fromkeys(LARGE.save, 0.0))
HARMFUL = replace(LARGE, save={"call": -0.4, "gift": -0.2, "letter": -0.3})


def effect_rows(design: Design, count: int, seed: int) -> Iterator[list[dict]]:
    """Effects on declines of each simulated campaign."""
    for treated, declined in zip(*design.drawn(count, seed), strict=True):
        yield estimate_effects(
            design.assignment(treated), outcomes(declined), BootstrapSettings(0.05, 200, 0)
        )


def coverage(design: Design, count: int, seed: int = 1) -> dict[str, float]:
    """Return the share of intervals that hold the truth: overall, of segments, of offers."""
    held: dict[str, list[bool]] = {"overall": [], "segment": [], "offer": []}
    table = design.table.assign(effect=design.effect)
    truth = {of: table.groupby(of)["effect"].mean() for of in ("segment", "offer")}
    for rows in effect_rows(design, count, seed):
        for row in rows:
            of, name, found = row["scope"], row["name"], row["difference"]
            true = design.effect.mean() if of == "overall" else truth[of][name]
            held[of].append(found["low"] <= true <= found["high"])
    return {of: float(np.mean(found)) for of, found in held.items()}


def profit_coverage(design: Design, count: int, seed: int = 2) -> float:
    """Return the share of intervals of the profit gained per customer that hold the truth."""
    worth = design.table["profit"].to_numpy()
    true = float(np.mean(-design.effect * worth))
    held = []
    for treated, declined in zip(*design.drawn(count, seed), strict=True):
        kept = outcomes(declined, np.where(declined, 0.0, worth))
        told = estimate_money(design.assignment(treated), kept, BootstrapSettings(0.05, 1000, 0))[
            "per_customer"
        ]
        held.append(told["low"] <= true <= told["high"])
    return float(np.mean(held))


def save_rate_coverage(design: Design, count: int, seed: int = 3) -> float:
    """Return the share of intervals that hold save rates drawn from the prior."""
    random = np.random.default_rng(seed)
    held = []
    for _ in range(count):
        true = {name: random.beta(PRIOR.alpha, PRIOR.beta) for name in design.save}
        drawn = replace(design, save=true)
        ((treated,), (declined,)) = drawn.drawn(1, int(random.integers(2**31)))
        for row in estimate_save_rates(drawn.assignment(treated), outcomes(declined)):
            now = row["posterior"]
            held.append(now["low"] <= true[row["offer"]] <= now["high"])
    return float(np.mean(held))


def called(design: Design, count: int, seed: int = 4) -> dict[str, float]:
    """Return the shares of campaigns, and of those with a part, found helped or harmed."""
    words, any_part = [], []
    for rows in effect_rows(design, count, seed):
        words.append(next(row["conclusion"] for row in rows if row["scope"] == "overall"))
        parts = [row["conclusion"] for row in rows if row["scope"] == "offer"]
        any_part.append("helped" in parts or "harmed" in parts)
    shares = {word: float(np.mean([w == word for w in words])) for word in ("helped", "harmed")}
    return {**shares, "any offer": float(np.mean(any_part))}


def main() -> None:
    """Simulate and print every rate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--campaigns", type=int, default=500)
    count = parser.parse_args().campaigns
    print(f"{count} campaigns each; share of 95 % intervals that hold the truth:")
    for name, design in (("large", LARGE), ("small", SMALL)):
        customers = f"{name}, {len(design.table)} customers"
        told = "  ".join(f"{of} {held:.3f}" for of, held in coverage(design, count).items())
        print(f"  {customers:<24}declines  {told}")
        print(f"  {'':<24}profit    overall {profit_coverage(design, count):.3f}")
        print(f"  {'':<24}save rate offer {save_rate_coverage(design, count):.3f}")
    for name, design in (("no effect", IDLE), ("harm", HARMFUL), ("help", LARGE)):
        told = "  ".join(f"{word} {share:.3f}" for word, share in called(design, count).items())
        print(f"  {name:<24}called    {told}")


if __name__ == "__main__":
    main()
