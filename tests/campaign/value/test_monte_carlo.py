from dataclasses import astuple, replace

import numpy as np
import pytest
from scipy import special

from retain.campaign.proportions import wilson
from retain.campaign.segmentation.outcomes import AudienceOutcomes
from retain.campaign.value import offer_payoff, risk_grid
from retain.campaign.value.assumptions import SampledAssumptions
from retain.campaign.value.calibration_map import logit
from retain.campaign.value.monte_carlo import MonteCarlo
from retain.campaign.value.value import positive_profit
from retain.record.estimates import Estimate

from .invented_campaign import (
    CATALOGUE,
    LINKED,
    UNSURE,
    certain,
    make_audience,
    make_line,
    make_offer,
    make_offers,
    make_value,
)

BOUNDS = (0.025, 0.975)


@pytest.fixture
def few():
    return make_audience(300)


def brute(audience, value, seed, found=UNSURE):
    """Profit at risk of each customer in each draw, one by one."""
    drawn = SampledAssumptions.sample(found, value, seed)
    x, profit = logit(audience.table["score"].to_numpy()), audience.table["profit"].to_numpy()
    averaged, single = (
        special.expit(each.design(x, each.profit and each.profit.standardise(profit)) @ beta.T)
        for each, beta in zip(found.maps, drawn.coefficients, strict=True)
    )
    risk = np.where(
        (audience.table["origin"] == "sealed_test").to_numpy()[:, None], single, averaged
    )
    return risk, positive_profit(audience.table["profit"].to_numpy()), drawn


def brute_net(audience, value, offers, chosen, seed, found=UNSURE):
    """Net value of each chosen customer in each draw, by the definition, shape (n, D)."""
    risk, profit, drawn = brute(audience, value, seed, found)
    net = np.zeros_like(risk)
    for i in np.flatnonzero(chosen >= 0):
        name = offers.names[chosen[i]]
        offer = offers.catalogue.offers[name]
        times = offers.save_rate[i, chosen[i]] / offer.save_rate.mean
        saved = np.minimum(drawn.save_rates(name, offer.save_rate) * times, 1)
        each = offer.redemption_cost + offer.discount * profit[i] * drawn.horizon
        stake = profit[i] * drawn.horizon * drawn.loss_fraction * drawn.margin
        taken = risk[i] * saved + (1 - risk[i]) * offer.redemption_rate_stayers
        cost = drawn.cost_multiplier * (offer.contact_cost + taken * each)
        net[i] = risk[i] * saved * stake - cost
    return net


def test_totals_are_those_of_every_customer_in_every_draw(few):
    value = make_value()
    risk, profit, drawn = brute(few, value, 3)
    each = risk * profit[:, None] * drawn.cost_per_profit
    mask = few.table["contactable"].to_numpy()
    found = MonteCarlo(few, UNSURE, value, seed=3).total(mask)
    assert found.value == pytest.approx(few.table["profit_at_risk"][mask].sum())
    assert (found.low, found.high) == pytest.approx(np.quantile(each[mask].sum(axis=0), BOUNDS))
    weight = np.random.default_rng(0).random(300)
    weighted = MonteCarlo(few, UNSURE, value, seed=3).total(weight)
    assert weighted.low == pytest.approx(np.quantile(weight @ each, BOUNDS[0]))


def test_totals_by_label_add_up_to_all(few):
    labels = np.random.default_rng(0).choice(["a", "b", "c"], 300)
    carlo = MonteCarlo(few, UNSURE, make_value(), seed=3)
    found = carlo.totals(labels)
    assert list(found) == ["a", "b", "c"]
    assert sum(one.value for one in found.values()) == pytest.approx(
        carlo.total(np.ones(300)).value
    )
    alone = carlo.total(labels == "b")
    assert astuple(found["b"]) == pytest.approx(astuple(alone))


def test_each_customer_has_the_interval_of_the_own_draws(few):
    value = make_value()
    risk, profit, drawn = brute(few, value, 3)
    expected = np.quantile(risk * profit[:, None] * drawn.cost_per_profit, BOUNDS, axis=1).T
    found = MonteCarlo(few, UNSURE, value, seed=3).per_customer()
    assert found == pytest.approx(expected)
    at_risk = few.table["profit_at_risk"].to_numpy()
    assert ((found[:, 0] <= at_risk) & (at_risk <= found[:, 1])).all()


def test_a_plan_is_worth_what_its_customers_are_in_every_draw(few):
    value = make_value()
    offers = make_offers(few, value)
    chosen = np.random.default_rng(0).integers(-1, 3, 300)
    net = brute_net(few, value, offers, chosen, 3)
    found = MonteCarlo(few, UNSURE, value, seed=3).plan(chosen, offers)
    rows = np.flatnonzero(chosen >= 0)
    assert found.value == pytest.approx(offers.net[rows, chosen[rows]].sum())
    assert (found.low, found.high) == pytest.approx(np.quantile(net.sum(axis=0), BOUNDS))


def test_each_chosen_customer_has_the_interval_of_the_own_net_value(few):
    value = make_value()
    offers = make_offers(few, value)
    chosen = np.random.default_rng(0).integers(-1, 3, 300)
    net = brute_net(few, value, offers, chosen, 3)
    point = np.where(chosen >= 0, offers.net[np.arange(300), chosen], 0)
    low, high = np.quantile(net, BOUNDS, axis=1)
    found = MonteCarlo(few, UNSURE, value, seed=3).expected_net(chosen, offers)
    expected = np.column_stack([np.minimum(low, point), np.maximum(high, point)])
    assert found == pytest.approx(expected)
    assert (found[chosen < 0] == 0).all()


def test_the_profit_that_decliners_took_has_wilson_s_interval_at_its_effective_size(few):
    value, random = certain(make_value(20_000)), np.random.default_rng(0)
    declined = (random.random(300) < few.table["risk"]).to_numpy().astype(float)
    labels = random.choice(["a", "b"], 300)
    outcomes = AudienceOutcomes(declined, few.table["risk"].to_numpy(), np.arange(300))
    found = MonteCarlo(few, UNSURE, value, seed=0).observed_totals(labels, outcomes)
    cost = few.table["value_at_stake"].to_numpy()
    for name, one in found.items():
        stake, lost = cost[labels == name], (cost * declined)[labels == name].sum()
        effective = stake.sum() ** 2 / (stake**2).sum()
        low, high = wilson(lost / stake.sum() * effective, effective, 1.959964)
        assert one.value == pytest.approx(lost)
        ends = (float(low) * stake.sum(), float(high) * stake.sum())
        assert (one.low, one.high) == pytest.approx(ends, rel=0.01)


def test_uncertain_assumptions_widen_the_interval_of_observed_profit(few):
    outcomes = AudienceOutcomes(np.arange(300) % 2.0, np.full(300, 0.5), np.arange(300))
    labels = np.full(300, "all")
    widths = []
    for value in (certain(make_value()), make_value()):
        one = MonteCarlo(few, UNSURE, value, seed=0).observed_totals(labels, outcomes)["all"]
        assert one.low < one.value < one.high
        widths.append(one.high - one.low)
    assert widths[1] > 1.3 * widths[0]


def test_where_no_profit_is_at_stake_none_is_lost(few):
    poor = replace(few, table=few.table.assign(profit=-1.0, profit_at_risk=0.0))
    outcomes = AudienceOutcomes(np.ones(300), np.full(300, 0.5), np.arange(300))
    carlo = MonteCarlo(poor, UNSURE, make_value(), seed=0)
    assert carlo.observed_totals(np.full(300, "all"), outcomes)["all"] == Estimate(0.0, 0.0, 0.0)


# Two maps, a risk that depends on profit, losses, and profits that are missing.
def test_a_linked_profit_counts_in_every_draw():
    value, linked = make_value(), make_audience(300, recalibration=LINKED)
    risk, profit, drawn = brute(linked, value, 3, LINKED)
    carlo = MonteCarlo(linked, LINKED, value, seed=3)
    total = (risk * profit[:, None]).sum(axis=0) * drawn.cost_per_profit
    found = carlo.total(np.ones(300))
    assert (found.low, found.high) == pytest.approx(np.quantile(total, BOUNDS))
    offers = make_offers(linked, value)
    chosen = np.random.default_rng(0).integers(-1, 3, 300)
    net = brute_net(linked, value, offers, chosen, 3, LINKED)
    found = carlo.plan(chosen, offers)
    assert (found.low, found.high) == pytest.approx(np.quantile(net.sum(axis=0), BOUNDS))
    point = np.where(chosen >= 0, offers.net[np.arange(300), chosen], 0)
    low, high = np.quantile(net, BOUNDS, axis=1)
    expected = np.column_stack([np.minimum(low, point), np.maximum(high, point)])
    assert carlo.expected_net(chosen, offers) == pytest.approx(expected)


# Beyond some thousand customers both are read from a table; it must not show in the figures.
@pytest.mark.parametrize("recalibration", [UNSURE, LINKED])
def test_many_customers_have_the_intervals_of_few(monkeypatch, recalibration):
    value, many = make_value(200), make_audience(9000, recalibration=recalibration)
    offers = make_offers(many, value)
    chosen = np.zeros(9000, dtype=int)

    def all_of_it():
        carlo = MonteCarlo(many, recalibration, value, seed=0)
        total = carlo.total(np.ones(9000))
        return total, carlo.per_customer(), carlo.expected_net(chosen, offers)

    monkeypatch.setattr(offer_payoff, "APART", 1000)
    read = all_of_it()
    monkeypatch.setattr(offer_payoff, "APART", 10_000)
    monkeypatch.setattr(risk_grid, "COUNT", 10_000)
    exact = all_of_it()
    assert (read[0].low, read[0].high) == pytest.approx((exact[0].low, exact[0].high), rel=5e-4)
    assert read[1] == pytest.approx(exact[1], rel=4e-2, abs=1e-3)
    assert np.median(np.abs(read[1] / np.where(exact[1] > 0, exact[1], 1) - 1)[exact[1] > 0]) < 1e-3
    width = np.ptp(exact[2], axis=1)
    off = np.abs(read[2] - exact[2]).max(axis=1)
    assert np.median(off / width) < 0.002
    assert off.max() < 0.02 * width.max()


def test_pieces_do_not_show(few, monkeypatch):
    value = make_value()
    offers = make_offers(few, value)
    chosen = np.random.default_rng(0).integers(-1, 3, 300)

    def all_of_it():
        carlo = MonteCarlo(few, UNSURE, value, seed=3)
        plan = carlo.plan(chosen, offers)
        sums = [carlo.total(np.ones(300)).low, plan.low, plan.high]
        return np.concatenate(
            [sums, carlo.per_customer().ravel(), carlo.expected_net(chosen, offers).ravel()]
        )

    whole = all_of_it()
    monkeypatch.setattr(offer_payoff, "CHUNK_CELLS", 1000)
    assert all_of_it() == pytest.approx(whole, rel=1e-12)


def test_the_seed_decides_and_nothing_else(few):
    value = make_value()
    once, again, other = (
        MonteCarlo(few, UNSURE, value, seed=seed).total(np.ones(300)) for seed in (3, 3, 4)
    )
    assert once == again
    assert once.value == other.value
    assert once.low != other.low


def test_another_offer_in_the_catalogue_moves_no_draw(few):
    value = make_value()
    chosen = np.zeros(300, dtype=int)
    carlo = MonteCarlo(few, UNSURE, value, seed=3)
    alone = carlo.plan(chosen, make_offers(few, value, {"email": CATALOGUE["email"]}))
    among = {"gift": CATALOGUE["gift"], "email": CATALOGUE["email"]}
    assert carlo.plan(chosen + 1, make_offers(few, value, among)) == alone


def test_a_wider_range_leaves_the_other_draws_as_they_were():
    narrow, wide = (
        SampledAssumptions.sample(
            UNSURE, make_value(margin={"value": 1.0, "low": low, "high": 1.1}), 0
        )
        for low in (0.9, 0.5)
    )
    assert np.array_equal(narrow.horizon, wide.horizon)
    assert np.array_equal(narrow.coefficients, wide.coefficients)
    assert not np.array_equal(narrow.margin, wide.margin)


def test_draws_keep_to_their_ranges():
    drawn = SampledAssumptions.sample(UNSURE, make_value(5000), 0)
    assert 2 <= drawn.horizon.min() < drawn.horizon.max() <= 6
    assert drawn.horizon.mean() == pytest.approx((2 + 3 + 6) / 3, abs=0.05)
    assert drawn.loss_fraction.max() <= 1


# All that is left is the horizon: 2 to 6 about 3, of which the interval is known.
def test_without_doubt_about_anything_there_is_no_interval(few):
    sure = make_line(-0.2, 0.9, np.zeros((2, 2)))
    value = certain(make_value())
    found = MonteCarlo(few, sure, value, seed=0).total(np.ones(300))
    assert (found.low, found.high) == pytest.approx((found.value, found.value))
    doubtful = value.model_copy(
        update={"horizon": make_value(20_000).horizon, "simulations": 20_000}
    )
    found = MonteCarlo(few, sure, doubtful, seed=0).total(np.ones(300))
    low, high = 2 + (0.025 * 4) ** 0.5, 6 - (0.025 * 12) ** 0.5
    ends = found.value * low / 3, found.value * high / 3
    assert (found.low, found.high) == pytest.approx(ends, rel=0.01)


def test_a_value_at_the_end_of_its_range_is_within_the_interval(few):
    value = make_value(loss_fraction={"value": 1.0, "low": 0.2, "high": 1.0})
    carlo = MonteCarlo(few, make_line(-0.2, 0.9, np.zeros((2, 2))), value, seed=0)
    total = carlo.total(np.ones(300))
    assert total.low < total.value <= total.high
    bounds = carlo.per_customer()
    assert (bounds[:, 1] >= few.table["profit_at_risk"].to_numpy()).all()


def test_more_doubt_about_the_save_rate_is_a_wider_interval(few):
    value = certain(make_value())
    spread = []
    for strength in (1, 10):
        thought = {"alpha": 6 * strength, "beta": 14 * strength}
        offers = make_offers(few, value, {"email": make_offer(save_rate=thought)}, boosted=1.0)
        carlo = MonteCarlo(few, make_line(-0.2, 0.9, np.zeros((2, 2))), value, seed=0)
        plan = carlo.plan(np.zeros(300, dtype=int), offers)
        assert plan.low < plan.value < plan.high
        spread.append(plan.high - plan.low)
    assert spread[0] / spread[1] == pytest.approx(10**0.5, rel=0.15)


def test_nobody_chosen_is_worth_nothing(few):
    value = make_value()
    nobody = np.full(300, -1)
    carlo = MonteCarlo(few, UNSURE, value, seed=0)
    assert carlo.plan(nobody, make_offers(few, value)) == Estimate(0.0, 0.0, 0.0)
    assert (carlo.expected_net(nobody, make_offers(few, value)) == 0).all()


def test_scores_all_alike_are_no_trouble():
    flat = make_line(-0.4, 0.0, [[0.01, 0.0], [0.0, 0.0]])
    audience = make_audience(50, recalibration=flat, decimals=0)
    found = MonteCarlo(audience, flat, make_value(), seed=0).total(np.ones(50))
    assert found.low < found.value < found.high


def test_money_needs_profit(few):
    with pytest.raises(ValueError, match="no profit"):
        MonteCarlo(replace(few, profit_unit=None), UNSURE, make_value(), seed=0)
