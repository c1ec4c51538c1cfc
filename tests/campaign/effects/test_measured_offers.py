"""Effects learned from a campaign as those of the next plan's offers."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from retain.campaign.effects.learners import learn_effects
from retain.campaign.effects.measured_offers import measure_offers
from retain.campaign.effects.pooling import NamedTrial, pool_trials
from retain.campaign.offers.offers import evaluate_offers, reprice_offers
from retain.campaign.planning.plan import make_plan
from retain.campaign.trial.trial import Outcome, Trial
from retain.campaign.value.monte_carlo import MonteCarlo
from retain.errors import RetainError
from retain.record.estimates import Estimate
from retain.schema.campaign import CampaignConfig, Catalogue

from ..value.invented_campaign import UNSURE, certain, make_audience, make_offer, make_value
from .trials import make_spec, make_trial

VALUE = certain(make_value())
PLANNING = CampaignConfig(name="invented")
CALL = make_offer(contact_cost=0.4, redemption_cost=0.0, discount=0.0)
CATALOGUE = Catalogue(name="invented", offers={"call": CALL, "gift": CALL})
HELPED, HARMED = 0.25, -0.2
"""True effects of a call on the chance to stay: of customers who look at pages, and of others."""


def make_store(n, seed):
    """Customers of whom every second looks at pages, and has a risk from .25 to .75."""
    audience, random = make_audience(n, seed, value=VALUE), np.random.default_rng(seed)
    risk = random.uniform(0.25, 0.75, n)
    table = audience.table.assign(risk=risk, contactable=True)
    table["profit_at_risk"] = risk * table["value_at_stake"]
    pages = np.where(random.random(n) < 0.5, 1.0, -1.0) + random.normal(0, 0.1, n)
    features = pd.DataFrame({"pages": pages}, index=table.index)
    return replace(audience, table=table, features=features).with_segments(np.full(n, "all"))


def true_effect(audience, *, varies=True):
    """The call's effect; without ``varies`` all have the mean one."""
    looks = (audience.features["pages"] > 0).to_numpy()
    return np.where(looks, HELPED, HARMED) if varies else np.full(len(audience), 0.1)


def try_call(audience, seed, *, varies=True, **changes):
    """A randomised campaign: every second customer was called, by chance."""
    n, random = len(audience), np.random.default_rng(seed)
    arm = (random.random(n) < 0.5).astype(int)
    stays = 1 - audience.table["risk"].to_numpy() + arm * true_effect(audience, varies=varies)
    y = (random.random(n) < stays).astype(float)
    trial = Trial(
        ids=audience.table.index,
        arms=("control", "Call"),
        arm=arm,
        propensity=np.full((n, 2), 0.5),
        stratum=np.zeros(n, dtype=np.int64),
        outcomes={"no declined": Outcome("no declined", "binary", y, is_reversed=True)},
        covariates=audience.features.assign(risk=audience.table["risk"]),
        cost=np.zeros(2),
    )
    return replace(trial, **changes)


def measure(audience, trials, learner="dr_learner"):
    named = [NamedTrial(f"t{k}", one, None) for k, one in enumerate(trials)]
    pooled = pool_trials(named, list(CATALOGUE.offers))
    learned = learn_effects(pooled.trial, make_spec(learner, n_folds=3))
    return measure_offers(audience, CATALOGUE, learned, pooled, ())


def plan_by(audience, measured):
    offers = evaluate_offers(measured.catalogue, audience, VALUE, PLANNING, measured.offers)
    return make_plan(audience, offers, PLANNING)


def true_net(plan, audience, *, varies=True):
    """What the contacted really bring: the gift does nothing."""
    stake = audience.table["value_at_stake"].to_numpy()
    gain = np.column_stack([true_effect(audience, varies=varies) * stake, 0 * stake]) - 0.4
    rows = np.flatnonzero(plan.treated_offer_index >= 0)
    return gain[rows, plan.treated_offer_index[rows]].sum()


@pytest.fixture(scope="module")
def learned():
    """The next customers, and what a campaign of 3,000 others shows of them."""
    audience = make_store(1000, 1)
    return audience, measure(audience, [try_call(make_store(3000, 0), 5)])


def test_the_second_plan_contacts_those_it_helps_and_brings_more(learned):
    audience, measured = learned
    only_call = {"offers": {"call": CALL}}
    prior = make_plan(
        audience,
        evaluate_offers(CATALOGUE.model_copy(update=only_call), audience, VALUE),
        PLANNING,
    )
    by_effects = plan_by(audience, without_gift(measured))
    called = by_effects.offer_index == 0
    assert called.sum() > 200
    assert (true_effect(audience)[called] > 0).mean() > 0.97
    assert true_net(by_effects, audience) > 2 * max(true_net(prior, audience), 0)
    assert true_net(by_effects, audience) > 100


def without_gift(measured):
    catalogue = measured.catalogue
    offers = {"call": catalogue.offers["call"]}
    return replace(measured, catalogue=catalogue.model_copy(update={"offers": offers}))


def test_what_was_measured_is_said(learned):
    _, measured = learned
    (call,) = measured.info.offers
    assert (call.offer, call.n_customers) == ("call", 3000)
    assert call.effect.low < (HELPED + HARMED) / 2 < call.effect.high
    assert measured.info.is_heterogeneous
    assert call.p < 0.001
    assert 450 < call.n_harmed < 550
    assert measured.info.prior_offers == ("gift",)
    assert measured.catalogue.offers["gift"].save_rate == CALL.save_rate


def test_net_values_are_effect_times_value_at_stake_less_cost(learned):
    audience, measured = learned
    offers = evaluate_offers(measured.catalogue, audience, VALUE, None, measured.offers)
    effect = offers.measured["call"].effect(measured.catalogue.offers["call"])
    stake = audience.table["value_at_stake"].to_numpy()
    assert offers.net[:, 0] == pytest.approx(effect * stake - 0.4)
    assert not offers.eligible[effect <= 0, 0].any()
    assert offers.eligible[:, 1].all()  # the gift keeps its prior
    again = reprice_offers(offers, measured.catalogue, audience, VALUE)
    assert np.array_equal(again.net, offers.net)


def test_customers_unlike_those_of_the_trial_get_no_offer_by_its_effects(learned):
    audience, _ = learned
    tried = try_call(make_store(3000, 0), 5)
    pages = audience.features["pages"].to_numpy().copy()
    pages[:7] = [9, 9, 9, -9, -9, -9, np.nan]
    other = replace(audience, features=audience.features.assign(pages=pages))
    measured = measure(other, [tried], "mean")
    assert not measured.offers["call"].comparable[:7].any()
    assert measured.info.offers[0].n_unlike >= 7
    offers = evaluate_offers(measured.catalogue, other, VALUE, None, measured.offers)
    assert not offers.eligible[:7, 0].any()


def test_without_differences_shown_everybody_has_the_mean_effect():
    audience = make_store(500, 2)
    measured = measure(audience, [try_call(make_store(1200, 3), 4, varies=False)])
    assert not measured.info.is_heterogeneous
    offer = measured.catalogue.offers["call"]
    assert np.ptp(measured.offers["call"].effect(offer)) == pytest.approx(0)


def test_whoever_was_in_the_trial_is_judged_by_models_of_others():
    store = make_store(800, 6)
    trial = try_call(store, 7)
    ids = store.table.index + 10**6
    others = replace(store, table=store.table.set_axis(ids), features=store.features.set_axis(ids))
    own, apart = (measure(one, [trial]).offers["call"].difference for one in (store, others))
    assert np.abs(own - apart).max() > 1e-6


def test_trials_are_pooled_and_narrow_the_interval():
    audience = make_store(300, 8)
    trials = [try_call(make_store(1500, seed), seed) for seed in (10, 11)]
    one, both = (measure(audience, trials[:k], "mean").info.offers[0] for k in (1, 2))
    assert both.n_customers == 3000
    width = [found.effect.high - found.effect.low for found in (one, both)]
    assert width[1] == pytest.approx(width[0] / 2**0.5, rel=0.1)


def test_covariates_of_one_trial_only_are_left_out():
    store = make_store(600, 9)
    trial = try_call(store, 1)
    more = replace(try_call(store, 2), covariates=trial.covariates.assign(city="A"))
    assert measure(store, [trial, more], "mean").info.unshared_covariates == ("city",)


def with_gift(trial, n):
    """The trial with another arm, to which ``n`` customers were assigned."""
    arm = np.where(np.arange(len(trial.arm)) < n, 2, trial.arm)
    names, share = (*trial.arms, "gift"), np.tile([0.49, 0.49, 0.02], (len(arm), 1))
    return replace(trial, arms=names, arm=arm, propensity=share)


def test_of_an_arm_of_few_customers_nothing_is_learned():
    store = make_store(600, 9)
    trial = try_call(store, 1)
    few, enough = (measure(store, [with_gift(trial, n)], "mean") for n in (19, 20))
    assert [one.offer for one in few.info.offers] == ["call"]
    assert few.info.offers[0].n_customers == 600 - 19
    assert (few.info.small_offers, few.info.prior_offers) == (("gift",), ())
    assert few.catalogue.offers["gift"].save_rate == CALL.save_rate
    assert [one.offer for one in enough.info.offers] == ["call", "gift"]
    assert enough.info.small_offers == ()


def test_an_offer_that_a_readout_left_out_for_its_size_is_not_a_new_one():
    store = make_store(600, 9)
    trial = try_call(store, 1)
    left = NamedTrial("a", trial, None, left_out=("gift", "fax"))
    pooled = pool_trials([left], list(CATALOGUE.offers))
    assert (pooled.small_offers, pooled.unknown_arms) == (("gift",), ("fax",))
    larger = NamedTrial("b", with_gift(trial, 100), None)
    assert pool_trials([left, larger], list(CATALOGUE.offers)).small_offers == ()


def test_harm_is_said_only_where_it_is_shown(learned):
    (call,) = learned[1].info.offers
    for low, high, is_shown in ((-0.2, 0.1, False), (-0.2, -0.1, True)):
        one = call.model_copy(update={"effect": Estimate(-0.1, low, high), "shrinkage": 0.0})
        assert one.is_harm_shown == is_shown
    assert call.model_copy(update={"shrinkage": 0.4}).is_harm_shown


# --- what is refused -----------------------------------------------------------------------------


def test_a_trial_of_another_store_is_refused_with_what_is_missing():
    store = make_store(600, 9)
    trial = try_call(store, 1)
    trial = replace(trial, covariates=trial.covariates.assign(zip_code=1.0, age=2.0))
    with pytest.raises(RetainError, match="these customers have not: 'zip_code', 'age'"):
        measure(store, [trial])


def test_arms_that_are_no_offers_are_refused():
    trial = try_call(make_store(600, 9), 1, arms=("control", "fax"))
    with pytest.raises(RetainError, match="no arm is an offer of this catalogue: the arms are"):
        pool_trials([NamedTrial("one", trial, None)], ["call"])


def test_trials_of_few_customers_are_refused():
    trial = try_call(make_store(30, 9), 1)
    with pytest.raises(
        RetainError, match=r"no offer was tried on 20 customers .*: 'call' on fewer"
    ):
        pool_trials([NamedTrial("one", trial, None)], ["call"])


def test_outcomes_of_unknown_worth_are_refused():
    visits = {"visit": Outcome("visit", "binary", np.arange(600) % 2.0)}
    trial = try_call(make_store(600, 9), 1, outcomes=visits)
    with pytest.raises(RetainError, match="'visit', of which it is not known what one is worth"):
        pool_trials([NamedTrial("one", trial, None)], ["call"])


def test_declines_and_money_are_not_pooled():
    trial = try_call(make_store(600, 9), 1)
    spend = {"spend": Outcome("spend", "money", np.arange(600.0))}
    named = [NamedTrial("a", trial, None), NamedTrial("b", replace(trial, outcomes=spend), 1.0)]
    with pytest.raises(RetainError, match="measured different things: a declines, b money"):
        pool_trials(named, ["call"])


# --- money ---------------------------------------------------------------------------------------


def test_an_effect_in_money_is_worth_itself():
    store, random = make_store(2000, 12), np.random.default_rng(0)
    trial = try_call(store, 13)
    bought = {"bought": Outcome("bought", "count", trial.arm + random.poisson(0.5, 2000))}
    pooled = pool_trials([NamedTrial("t", replace(trial, outcomes=bought), 3.0)], ["call", "gift"])
    learned = learn_effects(pooled.trial, make_spec("mean", n_folds=3))
    measured = measure_offers(store, CATALOGUE, learned, pooled, ())
    offers = evaluate_offers(measured.catalogue, store, VALUE, None, measured.offers)
    assert measured.info.unit == "money"
    assert offers.net[:, 0] == pytest.approx(3.0 - 0.4, abs=0.4)
    with pytest.raises(RetainError, match="effects are money, and without profit"):
        measure_offers(replace(store, profit_unit=None), CATALOGUE, learned, pooled, ())


# One trial has one p: readout and plan differed by the folds, the order of arms and the outcome's
# unit.
@pytest.mark.parametrize("kind", ["money", "binary"])
def test_a_plan_learns_of_one_trial_what_its_readout_learned(kind):
    trial = make_trial(450, slope=0.4)
    y = trial.y if kind == "money" else (trial.y > 6).astype(float)
    trial = replace(trial, outcomes={"spend": Outcome("spend", kind, y)})
    value = 1.0 if kind == "money" else 3.0
    readout = learn_effects(trial, make_spec(n_folds=3))
    pooled = pool_trials([NamedTrial("t", trial, value)], ["call", "unused", "letter"])
    plan = learn_effects(pooled.trial, make_spec(n_folds=3))
    assert pooled.value == value
    assert [test.arm for test in plan.heterogeneity] == ["call", "letter"]
    for test in readout.heterogeneity:
        (same,) = (one for one in plan.heterogeneity if one.arm == test.arm)
        assert (same.p, same.slope.value) == pytest.approx((test.p, test.slope.value), rel=1e-9)


def test_trials_of_unlike_worth_are_pooled_in_money():
    store = make_store(600, 3)
    bought = {"bought": Outcome("bought", "count", np.ones(600))}
    trials = [try_call(store, seed, outcomes=bought) for seed in (1, 2)]
    named = [
        NamedTrial(name, one, v) for name, one, v in zip("ab", trials, (2.0, 5.0), strict=True)
    ]
    pooled = pool_trials(named, ["call"])
    assert (pooled.value, pooled.trial.outcome.kind) == (1.0, "money")
    assert np.unique(pooled.trial.y).tolist() == [2.0, 5.0]


# --- intervals -----------------------------------------------------------------------------------


@pytest.mark.slow  # a plan for each of many trials
@pytest.mark.parametrize(("varies", "learner"), [(False, "mean"), (True, "dr_learner")])
def test_the_interval_of_a_plan_covers_what_it_really_brings(varies, learner):
    """It holds the error of the mean effect and that of the differences learned."""
    audience, hits = make_store(400, 20), []
    monte_carlo = MonteCarlo(audience, UNSURE, VALUE, seed=0)
    for seed in range(40):
        trial = try_call(make_store(1000, 100 + seed), seed, varies=varies)
        measured = without_gift(measure(audience, [trial], learner))
        plan = plan_by(audience, measured)
        net = monte_carlo.plan(plan.treated_offer_index, plan.offers)
        hits.append(net.low <= true_net(plan, audience, varies=varies) <= net.high)
    assert np.mean(hits) > 0.87  # 0.95 less two standard errors of 40
