"""A truth is a function of customer and offer, and says what a plan is worth."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from retain.campaign.audience import COUNTED
from retain.campaign.simulation.outcomes import simulate_outcomes
from retain.campaign.simulation.truth import (
    add_new_offers,
    evaluate_plan,
    find_true_customers,
    make_truth,
)
from retain.errors import RetainError
from retain.record.truth_document import Truth
from retain.schema.simulate import OutcomeNoise, TruthKeys

from ..readout.simulated_campaign import simulate_campaign, simulation

PLAIN = TruthKeys(
    save_rate={}, heterogeneity="none", strength=0.3, risk_odds=1.0, noncompliance=0.0
)
RATES = {"call": 0.3, "gift": -0.1, "letter": 0.0}


@pytest.fixture(scope="module")
def assignment():
    """A campaign of 190 customers with three offers that cost 1 each."""
    return simulate_campaign()[0]


def true_customers(assignment, **keys):
    truth = make_truth(PLAIN.model_copy(update=keys), assignment, seed=0)
    return truth, find_true_customers(truth, assignment)


def test_a_plan_is_worth_what_it_expects_if_all_it_assumes_is_true(assignment):
    prior = simulation.PRIOR.mean
    truth, customers = true_customers(assignment, save_rate=dict.fromkeys(RATES, prior))
    value = evaluate_plan(truth, customers, assignment)
    assert value.total.net == pytest.approx(value.total.expected_net)
    assert value.total.effect == pytest.approx(-prior * assignment.table["risk"].mean())
    assert sum(one.net for one in value.offers) == pytest.approx(value.total.net)
    n_customers = sum(one.n_treated + one.n_control for one in value.offers)
    assert n_customers == len(assignment.table)


def test_save_rates_that_are_not_typed_are_drawn_from_the_catalogue(assignment):
    drawn = np.array(
        [[*make_truth(PLAIN, assignment, seed).save_rates.values()] for seed in range(300)]
    )
    beta = simulation.PRIOR
    assert drawn.mean() == pytest.approx(beta.mean, abs=0.01)
    # The standard deviation of a Beta distribution of 6 and 14.
    assert drawn.std() == pytest.approx(np.sqrt(6 * 14 / (20**2 * 21)), abs=0.01)
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.2


@pytest.mark.parametrize("by", ["risk", "value", "segment"])
def test_an_offer_helps_some_customers_and_harms_others(assignment, by):
    _, customers = true_customers(
        assignment, save_rate=dict.fromkeys(RATES, 0.1), heterogeneity=by, strength=0.3
    )
    table, rate = assignment.table, customers.save_rate
    key = {"risk": "risk", "value": "value_at_stake", "segment": "segment"}[by]
    # Of a customer who declines with certainty an offer cannot make more.
    at_most = np.maximum(-0.2, 1 - 1 / customers.risk)
    assert np.isclose(rate, 0.4).sum() + np.isclose(rate, at_most).sum() == len(table)
    if by != "segment":
        high = (table[key] > table[key].median()).to_numpy()
        assert (rate[high] > 0).all()
        assert (rate[~high] < 0).all()
    else:
        assert len(set(zip(table["segment"], rate > 0, strict=True))) == table["segment"].nunique()


def test_customers_act_alike_in_another_campaign(assignment):
    truth, customers = true_customers(assignment, heterogeneity="value")
    later = assignment.table.iloc[::-2].reset_index(drop=True).assign(arm="treatment")
    again = find_true_customers(truth, replace(assignment, table=later))
    assert again.risk_with_offer.tolist() == customers.risk_with_offer[::-2].tolist()
    assert again.net.tolist() == customers.net[::-2].tolist()


def test_a_new_offer_gets_a_save_rate_and_the_known_ones_keep_theirs(assignment):
    truth, _ = true_customers(assignment, save_rate=RATES)
    offers = assignment.catalogue.offers
    catalogue = assignment.catalogue.model_copy(
        update={"offers": {**offers, "new": offers["call"]}}
    )
    rates = add_new_offers(truth, catalogue).save_rates
    assert {name: rates[name] for name in RATES} == RATES
    assert 0 < rates["new"] < 1


def test_a_model_may_be_wrong_about_the_odds(assignment):
    _, customers = true_customers(assignment, risk_odds=2.0)
    stored = assignment.table["risk"].to_numpy()
    odds = customers.risk / (1 - customers.risk)
    assert odds == pytest.approx(2 * stored / (1 - stored))


def test_an_offer_of_another_catalogue_is_refused(assignment):
    with pytest.raises(RetainError, match=r"offer 'cal' is not one of.*Did you mean 'call'"):
        make_truth(PLAIN.model_copy(update={"save_rate": {"cal": 0.1}}), assignment, 0)


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("risk", 1.5, r"campaign\.csv: 1 risk is no probability: 1\.5"),
        ("offer", "letters", "offer 'letters' is not one of .*Did you mean 'letter'"),
    ],
)
def test_a_campaign_that_cannot_be_is_refused(assignment, column, cell, message):
    table = assignment.table.copy()
    table.loc[0, column] = cell
    truth = make_truth(PLAIN, assignment, 0)
    with pytest.raises(RetainError, match=message):
        find_true_customers(truth, replace(assignment, table=table))


@pytest.mark.parametrize("by", ["risk", "value", "segment", "none"])
def test_a_truth_has_a_median_where_one_divides_customers(by):
    tree = {"seed": 0, "save_rates": {}, "heterogeneity": by, "strength": 0.1}
    tree |= {"risk_odds": 1.0, "noncompliance": 0.0}
    wrong, right = (None, 0.5) if by in {"risk", "value"} else (0.5, None)
    assert Truth(**tree, median=right).median == right
    with pytest.raises(ValidationError, match="a median of risk or value"):
        Truth(**tree, median=wrong)


def test_outcomes_have_on_average_the_true_effect_cost_and_profit(assignment):
    """Each figure of the truth is the mean of many simulations, within four standard errors."""
    offers = {
        name: offer.model_copy(
            update={"redemption_cost": 2.0, "discount": 0.1, "redemption_rate_stayers": 0.5}
        )
        for name, offer in assignment.catalogue.offers.items()
    }
    catalogue = assignment.catalogue.model_copy(update={"offers": offers})
    dear = replace(assignment, catalogue=catalogue)
    truth, customers = true_customers(dear, save_rate=RATES, noncompliance=0.2, risk_odds=1.2)
    value, noise = evaluate_plan(truth, customers, dear), OutcomeNoise(missing=0, profit_noise=0.5)
    treated, at_stake = dear.is_treated, dear.table["value_at_stake"].to_numpy()
    without = at_stake * (1 - customers.risk)
    tables = [simulate_outcomes(truth, customers, dear, noise, seed) for seed in range(400)]
    found = {
        "cost": [one["cost"].sum() for one in tables],
        "saved": [(one["profit"] - without)[treated].sum() for one in tables],
        "contacted": [(one["contacted"] == "yes").sum() for one in tables],
        "declined": [(one["declined"] == "yes")[treated].sum() for one in tables],
    }
    reached = customers.risk + 0.8 * (customers.risk_with_offer - customers.risk)
    expected = {
        "cost": value.total.cost,
        "saved": value.total.saved,
        "contacted": 0.8 * treated.sum(),
        "declined": reached[treated].sum(),
    }
    for name, values in found.items():
        error = np.std(values, ddof=1) / np.sqrt(len(values))
        assert np.mean(values) == pytest.approx(expected[name], abs=4 * error), name


def test_customers_that_are_counted_have_no_money(assignment):
    counted = replace(assignment, table=assignment.table.assign(value_at_stake=1.0), unit=COUNTED)
    truth, customers = true_customers(counted, save_rate=RATES)
    noise = OutcomeNoise(missing=0.1, profit_noise=0.5)
    table = simulate_outcomes(truth, customers, counted, noise, 0)
    assert list(table) == ["customer_id", "declined", "contacted", "simulated"]
    value = evaluate_plan(truth, customers, counted)
    assert value.total.cost == 0
    kept = (customers.risk - customers.risk_with_offer)[counted.is_treated].sum()
    assert value.total.net == pytest.approx(kept)
