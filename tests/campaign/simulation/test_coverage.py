"""Intervals of readouts cover the truth by which outcomes are invented."""

import numpy as np
import pytest

from retain.campaign.readout.effects import estimate_effects
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.simulation.outcomes import simulate_outcomes
from retain.campaign.simulation.truth import evaluate_plan, find_true_customers, make_truth
from retain.schema.simulate import OutcomeNoise, TruthKeys

from ..readout.simulated_campaign import simulation

RATES = {"call": 0.4, "gift": 0.2, "letter": -0.1}
N_CAMPAIGNS = 60


def to_outcomes(table):
    """The outcomes of a file that names every customer."""
    declined = table["declined"].map({"yes": 1.0, "no": 0.0}).to_numpy()
    return Outcomes(np.ones(len(table), bool), declined, table["profit"].to_numpy(), None, None, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "keys",
    [
        TruthKeys(save_rate=RATES, heterogeneity="none", strength=0, risk_odds=1, noncompliance=0),
        TruthKeys(
            save_rate=RATES, heterogeneity="risk", strength=0.3, risk_odds=1, noncompliance=0
        ),
        TruthKeys(
            save_rate=RATES, heterogeneity="segment", strength=0.3, risk_odds=2, noncompliance=0.3
        ),
    ],
    ids=["one effect", "by risk", "by segment, wrong risks, not all reached"],
)
def test_the_intervals_of_readouts_cover_the_truth(keys):
    """Of the whole and of three offers, declines and profit: 95 % intervals, few of them wrong."""
    covers = []
    noise = OutcomeNoise(missing=0.1, profit_noise=0.5)
    for seed, treated in enumerate(simulation.LARGE.sample(N_CAMPAIGNS, 7)[0]):
        assignment = simulation.LARGE.assignment(treated)
        truth = make_truth(keys, assignment, 0)
        customers = find_true_customers(truth, assignment)
        plan = evaluate_plan(truth, customers, assignment)
        table = simulate_outcomes(truth, customers, assignment, noise, seed)
        effects = {one.name: one.effect for one in plan.offers} | {None: plan.total.effect}
        gain = (1 - keys.noncompliance) * customers.saved
        for row in estimate_effects(assignment, to_outcomes(table)):
            if row.scope == "segment" or row.difference is None:
                continue
            offer = assignment.table["offer"].to_numpy()
            chosen = np.ones(len(offer), bool) if row.name is None else offer == row.name
            true = effects[row.name] if row.outcome == "declined" else gain[chosen].mean()
            covers.append(row.difference.low <= true <= row.difference.high)
    assert len(covers) == 8 * N_CAMPAIGNS
    assert 0.92 <= np.mean(covers) <= 0.98
