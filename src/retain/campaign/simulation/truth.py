"""The truth of a simulation: how each customer acts, and what a plan is worth by that.

It depends on the customer and the offer alone, not on the campaign, so that the plans of two
campaigns can be compared by one truth.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from retain.campaign.assignment import Assignment
from retain.campaign.audience import COUNTED
from retain.campaign.offers.offers import (
    expected_cost,
    net_value,
    redemption_cost,
    scale_catalogue_costs,
)
from retain.campaign.offers.save_rate import save_rate_quantiles
from retain.campaign.value.value import cost_per_profit
from retain.errors import RetainError, examples
from retain.record.truth_document import OfferValue, PlanValue, Truth
from retain.schema.campaign import Catalogue
from retain.schema.simulate import TruthKeys
from retain.wording import describe_count

TOTAL = "all"
"""Name of the row of all offers together."""
MEASURES = {"risk": "risk", "value": "value_at_stake"}
"""Column of a campaign by kind of heterogeneity with a median."""


def make_truth(keys: TruthKeys, assignment: Assignment, seed: int) -> Truth:
    """Return the truth that the keys say, with save rates drawn for offers that they do not name.

    Raises
    ------
    RetainError
        An offer is not in the catalogue of the campaign.
    """
    offers = list(assignment.catalogue.offers)
    for name in keys.save_rate:
        if name not in offers:
            raise RetainError.unknown("offer", name, offers)
    column = MEASURES.get(keys.heterogeneity)
    return Truth(
        seed=seed,
        save_rates={**sample_truth(assignment.catalogue, seed), **keys.save_rate},
        heterogeneity=keys.heterogeneity,
        strength=keys.strength if keys.heterogeneity != "none" else 0.0,
        median=None if column is None else float(assignment.table[column].median()),
        risk_odds=keys.risk_odds,
        noncompliance=keys.noncompliance,
    )


def sample_truth(catalogue: Catalogue, seed: int) -> dict[str, float]:
    """Return a save rate of each offer, drawn from its distribution by seed and name."""
    return {
        name: save_rate_quantiles(offer.save_rate, (_uniform(seed, name),))[0]
        for name, offer in catalogue.offers.items()
    }


def add_new_offers(truth: Truth, catalogue: Catalogue) -> Truth:
    """Return the truth with save rates drawn for the offers of a catalogue that it lacks."""
    rates = {**sample_truth(catalogue, truth.seed), **truth.save_rates}
    return truth.model_copy(update={"save_rates": rates})


@dataclass(frozen=True)
class TrueCustomers:
    """The customers of a campaign as they truly act, in its order; each array of shape (n,).

    Attributes
    ----------
    risk, risk_with_offer
        Probability to decline without and with the own offer.
    save_rate
        1 − ``risk_with_offer`` / ``risk``.
    redemption_cost, cost
        Of a redeemed offer, and expected of a contact. 0 where customers are counted.
    saved
        Expected value that a contact saves; below 0 for an offer that drives customers away.
    net
        Expected net value of a contact.
    """

    risk: np.ndarray
    risk_with_offer: np.ndarray
    save_rate: np.ndarray
    redemption_cost: np.ndarray
    cost: np.ndarray
    saved: np.ndarray
    net: np.ndarray


def find_true_customers(truth: Truth, assignment: Assignment) -> TrueCustomers:
    """Return how the customers of a campaign truly act.

    Raises
    ------
    RetainError
        A risk of the campaign is no probability, or an offer is not in its catalogue.
    """
    table = assignment.table
    _check_table(table, truth)
    stored = table["risk"].to_numpy(dtype=float)
    risk = special.expit(special.logit(stored) + np.log(truth.risk_odds))
    rate = _find_save_rates(truth, table, risk)
    at_stake = table["value_at_stake"].to_numpy(dtype=float)
    each, cost = _find_costs(assignment, risk, rate)
    saved = net_value(risk, rate, at_stake, np.zeros(len(table)))
    return TrueCustomers(risk, risk * (1 - rate), rate, each, cost, saved, saved - cost)


def _check_table(table: pd.DataFrame, truth: Truth) -> None:
    """Raise for a campaign that somebody else's tool wrote."""
    unknown = table.loc[~table["offer"].isin(list(truth.save_rates)), "offer"]
    if not unknown.empty:
        raise RetainError.unknown("offer", str(unknown.iloc[0]), list(truth.save_rates))
    wrong = table.loc[~table["risk"].between(0, 1), "risk"]
    if not wrong.empty:
        are = describe_count(len(wrong), "risk is", "risks are")
        raise RetainError.at(
            "campaign.csv", f"{are} no probability: {examples(wrong)}", "expected 0 to 1"
        )


def evaluate_plan(truth: Truth, customers: TrueCustomers, assignment: Assignment) -> PlanValue:
    """Return what a plan is truly worth, expected over all outcomes."""
    offer = assignment.table["offer"].to_numpy()
    rows = [
        _evaluate_offer(name, offer == name, truth, customers, assignment)
        for name in assignment.catalogue.offers
        if (offer == name).any()
    ]
    everyone = np.ones(len(offer), dtype=bool)
    total = _evaluate_offer(TOTAL, everyone, truth, customers, assignment)
    return PlanValue(
        campaign_id=assignment.id, unit=assignment.unit, total=total, offers=tuple(rows)
    )


def _evaluate_offer(
    name: str, rows: np.ndarray, truth: Truth, customers: TrueCustomers, assignment: Assignment
) -> OfferValue:
    treated, reached = rows & assignment.is_treated, 1 - truth.noncompliance
    effect = (customers.risk_with_offer - customers.risk)[rows].mean() if rows.any() else 0.0
    return OfferValue(
        name=name,
        n_treated=int(treated.sum()),
        n_control=int((rows & ~treated).sum()),
        effect=float(reached * effect),
        saved=float(reached * customers.saved[treated].sum()),
        cost=float(reached * customers.cost[treated].sum()),
        net=float(reached * customers.net[treated].sum()),
        expected_net=float(assignment.table.loc[treated, "expected_net"].sum()),
    )


def _find_save_rates(truth: Truth, table: pd.DataFrame, risk: np.ndarray) -> np.ndarray:
    """Return the save rate of each customer's offer, such that nobody declines above certainty."""
    rate = table["offer"].map(truth.save_rates).to_numpy(dtype=float)
    shifted = rate + truth.strength * _find_signs(truth, table)
    return np.clip(shifted, np.maximum(-1.0, 1 - 1 / np.maximum(risk, 1e-12)), 1.0)


def _find_signs(truth: Truth, table: pd.DataFrame) -> np.ndarray:
    """Return +1 for customers whose save rate is above that of the offer, −1 below, 0 equal."""
    if truth.heterogeneity == "none":
        return np.zeros(len(table))
    if truth.median is not None:
        return np.where(table[MEASURES[truth.heterogeneity]] > truth.median, 1.0, -1.0)
    signs = {name: _uniform(truth.seed, name) for name in table["segment"].unique()}
    return np.where(table["segment"].map(signs) < 0.5, 1.0, -1.0)


def _find_costs(
    assignment: Assignment, risk: np.ndarray, rate: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the cost of a redeemed offer and the expected one of a contact."""
    each, cost = np.zeros(len(risk)), np.zeros(len(risk))
    if assignment.unit == COUNTED:
        return each, cost
    assumptions, table = assignment.assumptions, assignment.table
    catalogue = scale_catalogue_costs(assignment.catalogue, assumptions.cost_multiplier.value)
    profit = table["value_at_stake"].to_numpy(dtype=float) / cost_per_profit(assumptions)
    for name, offer in catalogue.offers.items():
        rows = (table["offer"] == name).to_numpy()
        each[rows] = redemption_cost(offer, profit[rows], assumptions.horizon.value)
        cost[rows] = expected_cost(offer, risk[rows], rate[rows], each[rows])
    return each, cost


def _uniform(seed: int, name: str) -> float:
    """Return a number from 0 to 1 by a seed and a name.

    >>> _uniform(0, "call") == _uniform(0, "call") != _uniform(1, "call")
    True
    """
    digest = hashlib.sha256(f"{seed} {name}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
