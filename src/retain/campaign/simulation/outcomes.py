"""Invented outcomes of a campaign, drawn by a known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retain.campaign.assignment import Assignment
from retain.campaign.audience import COUNTED
from retain.campaign.readout.effects import expected_profit
from retain.campaign.simulation.truth import TrueCustomers
from retain.record.truth_document import Truth
from retain.schema.simulate import OutcomeNoise


def simulate_outcomes(
    truth: Truth,
    customers: TrueCustomers,
    assignment: Assignment,
    noise: OutcomeNoise,
    seed: int,
) -> pd.DataFrame:
    """Return the rows of an outcomes file, one per customer of the campaign.

    ``declined`` and ``contacted`` are yes and no, ``profit`` is that over the horizon before the
    campaign's cost, and ``cost`` what was spent; there is no money where customers are counted.
    ``simulated`` is yes in all rows, which the readout ignores: it says what the file is.
    """
    random = np.random.default_rng(seed)
    n = len(assignment.table)
    reached = assignment.is_treated & (random.random(n) >= truth.noncompliance)
    chance = random.random(n)
    declined = chance < np.where(reached, customers.risk_with_offer, customers.risk)
    takes = (chance < customers.risk) & ~declined
    takes |= (chance >= customers.risk) & (random.random(n) < _redemption_rate(assignment))
    log_noise = random.normal(-(noise.profit_noise**2) / 2, noise.profit_noise, n)
    is_missing = random.random(n) < noise.missing
    table = pd.DataFrame({"customer_id": assignment.table["customer_id"]})
    table["declined"] = np.where(is_missing, "", np.where(declined, "yes", "no"))
    table["contacted"] = np.where(reached, "yes", "no")
    if assignment.unit != COUNTED:
        profit = expected_profit(assignment, declined) * np.exp(log_noise)
        table["profit"] = np.where(is_missing, np.nan, profit)
        spent = _contact_cost(assignment) + np.where(takes, customers.redemption_cost, 0.0)
        table["cost"] = np.where(reached, spent, 0.0)
    return table.assign(simulated="yes")


def _contact_cost(assignment: Assignment) -> np.ndarray:
    times = assignment.assumptions.cost_multiplier.value
    costs = {name: times * one.contact_cost for name, one in assignment.catalogue.offers.items()}
    return assignment.table["offer"].map(costs).to_numpy(dtype=float)


def _redemption_rate(assignment: Assignment) -> np.ndarray:
    offers = assignment.catalogue.offers.items()
    rates = {name: offer.redemption_rate_stayers for name, offer in offers}
    return assignment.table["offer"].map(rates).to_numpy(dtype=float)
