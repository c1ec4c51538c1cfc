"""What the first screen says of a plan is what its customers and contacts add up to."""

import numpy as np
import pytest

from retain.campaign.campaign import make_campaign
from retain.campaign.segmentation.outcomes import AudienceOutcomes
from retain.schema.campaign import Assumption

from ..value.invented_campaign import UNSURE, make_audience
from .random_plans import random_settings


@pytest.fixture(scope="module", params=[(1.0, 1.0), (0.4, 0.25)], ids=["whole", "part"])
def made(request):
    """A campaign under a loss fraction and a margin, with outcomes."""
    loss, margin = (Assumption.model_validate(float(one)) for one in request.param)
    settings = random_settings(2)
    offers = dict(settings.offers.offers)
    letter = {"channel": "email", "needs_consent": True}
    offers["offer_0"] = offers["offer_0"].model_copy(update=letter)
    offers = settings.offers.model_copy(update={"offers": offers})
    settings = settings.model_copy(update={"offers": offers})
    update = {"loss_fraction": loss, "margin": margin}
    assumptions = settings.assumptions.model_copy(update=update)
    settings = settings.model_copy(update={"assumptions": assumptions})
    audience = make_audience(200, 1, value=settings.assumptions)
    declined = (audience.table["risk"].to_numpy() > 0.5).astype(float)
    outcomes = AudienceOutcomes(declined, audience.table["risk"].to_numpy(), np.arange(200))
    campaign = make_campaign(audience, UNSURE, settings, outcomes)
    return campaign, settings.assumptions


# A part of the profit may be lost, and a part of the column be profit: both must be counted once.
def test_shares_are_of_what_all_customers_would_bring(made):
    campaign, assumptions = made
    table, overview = campaign.audience.table, campaign.document.overview
    month = table["profit"].clip(lower=0).sum() * assumptions.margin.value
    at_risk = campaign.document.expected_profit_at_risk.value
    assert overview.at_risk_share == pytest.approx(at_risk / (month * assumptions.horizon.value))
    assert overview.net_share == pytest.approx(campaign.plan.expected_net / month)
    most = table["risk"].max() * assumptions.loss_fraction.value
    assert 0 < overview.at_risk_share <= most


def test_declines_are_the_sum_of_risks_and_the_labels(made):
    campaign, _ = made
    risk, overview = campaign.audience.table["risk"], campaign.document.overview
    expected = overview.expected_declines
    assert expected.value == pytest.approx(risk.sum())
    assert expected.low < expected.value < expected.high
    assert overview.n_declined == (risk > 0.5).sum()


def test_channels_add_up_to_the_plan_most_contacts_first(made):
    campaign, _ = made
    channels, plan = campaign.document.overview.channels, campaign.document.plan
    assert sum(one.n_treated for one in channels) == plan.n_treated
    assert sum(one.expected_cost for one in channels) == pytest.approx(plan.expected_cost)
    counts = [one.n_treated for one in channels]
    assert len(counts) == 2
    assert counts == sorted(counts, reverse=True)


def test_every_customer_is_in_one_cell_of_risk_and_profit(made):
    campaign, _ = made
    table, cells = campaign.audience.table, campaign.document.overview.risk_by_profit
    counts, sums = np.array(cells.n_customers), np.array(cells.profit_at_risk)
    assert counts.sum() == len(table)
    assert sums.sum() == pytest.approx(table["profit_at_risk"].sum())
    column = np.histogram(table["risk"], np.array(cells.risk_edges))[0]
    assert counts.sum(axis=0).tolist() == column.tolist()
    high = table["risk"] >= 0.5
    assert cells.n_high == high.sum()
    at_risk = table["profit_at_risk"]
    assert cells.high_share == pytest.approx(at_risk[high].sum() / at_risk.sum())
