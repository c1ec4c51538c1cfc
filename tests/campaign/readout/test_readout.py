"""The readout of one campaign: what each part of the tree says."""

import json
from dataclasses import astuple, replace

import numpy as np
import pytest
from scipy import stats

from retain.campaign.assignment import Assignment
from retain.campaign.proportions import newcombe
from retain.campaign.readout.effects import compare_arms, pool_tiny_strata
from retain.campaign.readout.outcomes import Outcomes, hash_outcomes
from retain.campaign.readout.readout import build_readout, next_catalogue_name, update_catalogue
from retain.campaign.readout.strata import StratumCounts
from retain.record.documents import CautionInfo, parse_document, to_tree
from retain.record.qini_info import QiniInfo
from retain.record.readout_document import ComplierEffect, ReadoutDocument
from retain.schema.campaign import Assumption, Boost

from .simulated_campaign import simulate_campaign, simulation

LARGE = simulation.LARGE
STRONG = replace(LARGE, save={"call": 0.7, "gift": 0.6, "letter": 0.0})


def outcomes(declined, **columns):
    """Outcomes of everyone, unless they are NaN."""
    result = {"profit": None, "contacted": None, "cost": None, "n_unknown_customers": 0} | columns
    declined = None if declined is None else declined.astype(float)
    known = declined if declined is not None else result["profit"]
    return Outcomes(in_file=np.isfinite(known), declined=declined, **result)


def readout_tree(assignment, observed, resamples=300):
    """The tree of a readout, which must be JSON as it stands."""
    document = build_readout(assignment, observed, resamples=resamples).document
    text = json.dumps(to_tree(document), allow_nan=False)
    assert parse_document(ReadoutDocument, text, "readout.json") == document
    return document


def row(tree, of, name=None, outcome="declined"):
    """One effect."""
    wanted = (of, name, outcome)
    (one,) = [r for r in tree.effects if (r.scope, r.name, r.outcome) == wanted]
    return one


def codes(tree):
    """What the readout warns of."""
    return [caution.code for caution in tree.cautions]


@pytest.fixture(scope="module")
def strong():
    """A campaign that saves many, but not with its letters."""
    return simulate_campaign(STRONG)


@pytest.fixture(scope="module")
def harmful():
    """A campaign that makes many decline."""
    return simulate_campaign(simulation.HARMFUL)


@pytest.fixture(scope="module")
def tree(strong):
    """Its readout."""
    assignment, declined, kept = strong
    return readout_tree(assignment, outcomes(declined, profit=kept))


def test_every_part_is_told_once_and_the_parts_add_up(tree, strong):
    assignment, declined, _ = strong
    assert len(tree.effects) == 2 * (1 + 3 + 3)
    for of in ("segment", "offer"):
        parts = [r for r in tree.effects if r.scope == of and r.outcome == "declined"]
        assert sum(r.n_treated + r.n_control for r in parts) == len(declined)
    call = row(tree, "offer", "call")
    mine = (assignment.table["offer"] == "call").to_numpy()
    arms = (assignment.is_treated, ~assignment.is_treated)
    shares = [declined[mine & arm].mean() for arm in arms]
    assert (call.treated_mean, call.control_mean) == pytest.approx(shares)
    assert call.difference.value == pytest.approx(shares[0] - shares[1])
    assert call.customers_saved.value == pytest.approx(
        -call.difference.value * (mine & arms[0]).sum()
    )


def test_what_helped_is_called_so_and_what_did_nothing_is_not(tree):
    assert row(tree, "overall").conclusion == "helped"
    assert row(tree, "offer", "call").conclusion == "helped"
    assert row(tree, "offer", "letter").conclusion == "inconclusive"
    assert row(tree, "overall", outcome="profit").difference.value > 0
    assert "harm" not in codes(tree)


# Half of the error rate belongs to either outcome, and passes from the whole to its parts.
def test_p_is_corrected_for_outcomes_and_within_parts_by_holm(tree, statsmodels_holm):
    for outcome in ("declined", "profit"):
        overall, *parts = [r for r in tree.effects if r.outcome == outcome]
        assert overall.p_adjusted == pytest.approx(min(1, 2 * overall.p))
        corrected = np.minimum(2 * statsmodels_holm([r.p for r in parts]), 1)
        for part, p in zip(parts, corrected, strict=True):
            if part.conclusion == "not_tested":
                assert part.p_adjusted is None
            else:
                assert part.p_adjusted == pytest.approx(max(p, overall.p_adjusted))
    assert row(tree, "offer", "call").p_adjusted is not None


def test_declines_alone_are_corrected_for_nothing_else(strong):
    assignment, declined, _ = strong
    overall = row(readout_tree(assignment, outcomes(declined)), "overall")
    assert overall.p_adjusted == overall.p


def test_where_the_whole_campaign_shows_nothing_no_part_is_tested():
    assignment, declined, kept = simulate_campaign(simulation.make_idle(LARGE))
    result = readout_tree(assignment, outcomes(declined, profit=kept))
    parts = [r for r in result.effects if r.scope != "overall"]
    assert {r.conclusion for r in parts} == {"not_tested"}
    assert result.money.conclusion == "inconclusive"
    named = [(test.outcome, test.scope) for test in result.heterogeneity]
    assert named == [(o, s) for o in ("declined", "profit") for s in ("segment", "offer")]


# Power 80 % at 2.5 %, the share of either outcome: a difference of 3.1 standard errors.
def test_the_detectable_difference_is_that_of_the_planned_power(tree):
    letter = row(tree, "offer", "letter")
    pooled = (letter.treated_mean * letter.n_treated + letter.control_mean * letter.n_control) / (
        letter.n_treated + letter.n_control
    )
    error = np.sqrt(pooled * (1 - pooled) * (1 / letter.n_treated + 1 / letter.n_control))
    assert letter.minimum_detectable_effect == pytest.approx(3.083 * error, rel=0.01)


def test_harm_is_called_harm_and_warned_of():
    assignment, declined, kept = simulate_campaign(
        replace(LARGE, save=dict.fromkeys(LARGE.save, -0.6))
    )
    result = readout_tree(assignment, outcomes(declined, profit=kept))
    overall = row(result, "overall")
    assert overall.conclusion == "harmed"
    assert overall.customers_saved.high < 0
    numbers = {"scope": "overall", "name": None, "outcome": "declined"}
    assert CautionInfo.of("harm", **numbers) in result.cautions
    assert result.money.conclusion == "lost"
    for rate in result.save_rates:
        assert rate.posterior.value < rate.prior.value / 2
    conflicts = [one.offer for one in result.cautions if one.code == "prior_conflict"]
    assert conflicts == [rate.offer for rate in result.save_rates if rate.is_conflict]
    assert conflicts


def test_the_same_outcomes_give_the_same_tree(tree, strong):
    assignment, declined, kept = strong
    assert readout_tree(assignment, outcomes(declined, profit=kept)) == tree


# --- looks ---------------------------------------------------------------------------------------


def look_by_look(campaign, counts, monitoring="auto"):
    """Return the readouts of the first so many outcomes."""
    assignment, declined, _ = campaign
    found = []
    for n_known in counts:
        known = np.where(np.arange(len(declined)) < n_known, declined.astype(float), np.nan)
        looks = found[-1].looks if found else ()
        options = {"resamples": 200, "looks": looks, "monitoring": monitoring}
        found.append(build_readout(assignment, outcomes(known), **options).document)
    return found


def test_the_same_outcomes_keep_the_method_that_they_were_first_read_out_with(strong):
    (first,) = look_by_look(strong, (900,), "once")
    assignment, declined, _ = strong
    known = outcomes(declined.astype(float))
    options = {"resamples": 200, "looks": first.looks, "monitoring": "always_valid"}
    again = build_readout(assignment, known, **options).document
    assert again.looks == first.looks
    (caution,) = (one for one in again.cautions if one.code == "monitoring")
    assert dict(caution.numbers) == {"kept": "once", "typed": "always_valid"}


def test_looks_while_outcomes_arrive_have_wider_intervals_and_need_no_caution(strong):
    found = look_by_look(strong, (300, 600, 600, 900))
    assert [len(one.looks) for one in found] == [1, 2, 2, 3]
    assert [one.looks[-1].method for one in found] == ["always_valid"] * 4
    assert [one.looks[-1].information for one in found] == pytest.approx(
        [0.33, 0.67, 0.67, 1], abs=0.03
    )
    assert not any(caution.code == "looks" for one in found for caution in one.cautions)
    (single,) = look_by_look(strong, (900,))
    assert single.looks[-1].method == "once"
    last, alone = (one.effects[0].difference for one in (found[-1], single))
    assert last.value == alone.value
    assert (last.high - last.low) / (alone.high - alone.low) == pytest.approx(1.55, abs=0.03)
    assert found[-1].effects[0].p_adjusted > single.effects[0].p_adjusted


def test_a_declared_end_costs_hardly_any_width(strong):
    found = look_by_look(strong, (225, 450, 675, 900), "planned_end")
    assert [one.look_correction.width > 1.15 for one in found] == [True, True, True, False]
    assert found[-1].look_correction.level < 0.05


def test_single_looks_that_were_several_are_warned_of(strong):
    *_, last = look_by_look(strong, (300, 600, 900), "once")
    (caution,) = [one for one in last.cautions if one.code == "looks"]
    assert caution.error_rate == pytest.approx(1 - 0.95**3)


def test_a_campaign_that_harms_is_stopped_before_its_end(harmful):
    early, late = look_by_look(harmful, (450, 900))
    assert "stop" in {caution.code for caution in early.cautions}
    assert "stop" not in {caution.code for caution in late.cautions}  # nothing is left to stop


def test_a_readout_says_how_many_customers_more_would_tell(strong):
    waits = [one.look_correction.n_more for one in look_by_look(strong, (225, 450, 900))]
    assert waits[0] > waits[1] > waits[2]


def test_contacts_and_costs_are_no_other_outcomes(strong):
    _, declined, kept = strong
    plain = outcomes(declined, profit=kept)
    told = outcomes(declined, profit=kept, cost=np.ones(len(kept)), contacted=np.ones(len(kept)))
    assert hash_outcomes(plain) == hash_outcomes(told)
    assert hash_outcomes(plain) != hash_outcomes(outcomes(declined))
    assert hash_outcomes(plain) != hash_outcomes(outcomes(None, profit=kept))


# --- money ---------------------------------------------------------------------------------------


def test_profit_is_held_against_what_contacting_cost(tree, strong):
    assignment, _, _ = strong
    money = tree.money
    treated = int(assignment.is_treated.sum())
    assert money.basis == "observed"
    assert (money.cost, money.cost_basis) == (treated * simulation.CONTACT, "expected")
    assert money.per_customer.value == pytest.approx(
        row(tree, "overall", outcome="profit").difference.value
    )
    assert money.gain.value == pytest.approx(money.per_customer.value * treated)
    assert money.net.low == pytest.approx(money.gain.low - money.cost)


def test_without_profit_a_decline_costs_what_the_plan_took_it_to(strong):
    assignment, declined, _ = strong
    result = readout_tree(assignment, outcomes(declined))
    assert result.money.basis == "assumed"
    assert [r.outcome for r in result.effects] == ["declined"] * 7
    # here profit is lost exactly by declining, so that both ways must come to the same
    brought = (1.0 - declined) * assignment.table["value_at_stake"].to_numpy()
    kept = readout_tree(assignment, outcomes(declined, profit=brought))
    assert result.money.gain == pytest.approx(kept.money.gain)


def test_margin_and_stated_costs_change_the_money_and_nothing_else(tree, strong):
    assignment, declined, kept = strong
    half = Assumption(value=0.5, low=0.4, high=0.6)
    value = assignment.assumptions.model_copy(update={"margin": half})
    costs = np.where(assignment.is_treated, 2.0, np.nan)
    result = readout_tree(
        replace(assignment, assumptions=value), outcomes(declined, profit=kept, cost=costs)
    )
    assert result.money.gain.value == pytest.approx(tree.money.gain.value / 2)
    assert result.money.cost == 2.0 * assignment.is_treated.sum()
    assert result.money.cost_basis == "stated"
    assert row(result, "overall") == row(tree, "overall")


def test_those_not_contacted_cost_nothing(strong):
    assignment, declined, kept = strong
    reached = assignment.is_treated & (np.arange(len(declined)) % 2 == 0)
    result = readout_tree(
        assignment, outcomes(declined, profit=kept, contacted=reached.astype(float))
    )
    assert result.money.cost == reached.sum() * simulation.CONTACT


# --- who was contacted ---------------------------------------------------------------------------


def test_contact_against_the_plan_is_counted_and_the_plan_still_decides(tree, strong):
    assignment, declined, kept = strong
    random = np.random.default_rng(0)
    contacted = np.where(
        random.random(len(declined)) < 0.2, ~assignment.is_treated, assignment.is_treated
    )
    result = readout_tree(
        assignment, outcomes(declined, profit=kept, contacted=contacted.astype(float))
    )
    counts = result.compliance
    assert counts.control.n_contacted == (contacted & ~assignment.is_treated).sum()
    assert counts.treatment.n_not_contacted == (~contacted & assignment.is_treated).sum()
    assert result.effects == tree.effects
    assert "against_plan" in codes(result)
    complier = counts.complier_effect
    assert complier.contact_rate_difference == pytest.approx(0.6, abs=0.1)
    assert complier.low < complier.value < complier.high < 0


# With one stratum the ratio is Wald's: effect on declining by effect on being contacted.
def test_the_effect_of_contact_is_walds_ratio_where_there_is_one_stratum():
    one = replace(LARGE, sizes={"high": {"call": 600}}, save={"call": 0.5})
    assignment, declined, _ = simulate_campaign(one)
    contacted = assignment.is_treated & (np.arange(600) % 4 > 0)
    result = readout_tree(assignment, outcomes(declined, contacted=contacted.astype(float)))
    arms = (assignment.is_treated, ~assignment.is_treated)
    effect = declined[arms[0]].mean() - declined[arms[1]].mean()
    moved = contacted[arms[0]].mean() - contacted[arms[1]].mean()
    assert result.compliance.complier_effect.value == pytest.approx(effect / moved)


@pytest.mark.parametrize(("reached", "code"), [(None, "as_planned"), (0.5, "too_few")])
def test_where_a_ratio_tells_nothing_the_reason_is_told(strong, reached, code):
    assignment, declined, _ = strong
    chance = np.random.default_rng(1).random(len(declined)) < 0.5
    contacted = assignment.is_treated if reached is None else chance
    result = readout_tree(assignment, outcomes(declined, contacted=contacted.astype(float)))
    assert result.compliance.complier_effect == ComplierEffect(reason=code)


# --- who is missing ------------------------------------------------------------------------------


def test_those_missing_are_counted_by_arm_and_bound_the_effect(strong):
    assignment, declined, _ = strong
    gone = np.random.default_rng(2).random(len(declined)) < 0.1
    result = readout_tree(assignment, outcomes(np.where(gone, np.nan, declined)))
    attrition = result.attrition
    assert attrition.treatment.n_missing == (gone & assignment.is_treated).sum()
    assert not attrition.is_significant
    assert codes(result)[0] == "attrition"
    bounds, overall = attrition.bounds, row(result, "overall")
    complete = row(readout_tree(assignment, outcomes(declined)), "overall").difference.value
    assert bounds.interval_low < bounds.low < overall.difference.value < bounds.high
    assert bounds.low < complete < bounds.high < bounds.interval_high
    assert overall.n_treated + overall.n_control == (~gone).sum()


def test_attrition_that_is_no_chance_is_warned_of(strong):
    assignment, declined, _ = strong
    share = np.where(assignment.is_treated, 0.05, 0.3)
    gone = np.random.default_rng(3).random(len(declined)) < share
    result = readout_tree(assignment, outcomes(np.where(gone, np.nan, declined)))
    assert result.attrition.is_significant
    assert codes(result)[0] == "attrition_differs"


def test_with_everyone_there_nothing_is_bounded_or_warned_of(tree):
    assert tree.attrition.bounds is None
    assert tree.attrition.p == 1
    assert set(codes(tree)) <= {"prior_conflict"}


# --- too few -------------------------------------------------------------------------------------


def test_a_part_without_a_control_group_is_not_compared(strong):
    assignment, declined, kept = strong
    alone = (assignment.table["offer"] == "gift").to_numpy() & ~assignment.is_treated
    result = readout_tree(
        assignment,
        outcomes(np.where(alone, np.nan, declined), profit=np.where(alone, np.nan, kept)),
    )
    for outcome in ("declined", "profit"):
        gift = row(result, "offer", "gift", outcome)
        assert gift.conclusion == "not_compared"
        assert gift.difference is None
        assert gift.p_adjusted is None
    rates = {rate.offer: rate for rate in result.save_rates}
    assert rates["gift"].catalogue == rates["gift"].prior


def test_fewer_than_twenty_customers_are_counted_and_not_compared():
    few = replace(LARGE, sizes={"high": {"call": 60, "gift": 19}})
    assignment, declined, _ = simulate_campaign(few)
    result = readout_tree(assignment, outcomes(declined))
    gift = row(result, "offer", "gift")
    assert gift.n_treated + gift.n_control == 19
    assert gift.difference is None
    assert gift.conclusion == "not_compared"
    assert row(result, "offer", "call").difference is not None


def test_a_handful_of_customers_is_too_small_for_money_and_curves():
    few = replace(LARGE, sizes={"high": {"call": 30}}, save={"call": 0.3})
    assignment, declined, kept = simulate_campaign(few)
    result = readout_tree(assignment, outcomes(declined, profit=kept))
    assert result.money is None
    assert result.qini.reason == "too_few"
    assert row(result, "overall", outcome="profit").conclusion == "not_compared"
    assert row(result, "overall").conclusion == "inconclusive"


def test_without_declines_there_is_no_curve_and_no_new_catalogue(strong):
    assignment, _, kept = strong
    result = build_readout(assignment, outcomes(None, profit=kept), resamples=300)
    assert result.catalogue is None
    assert result.document.catalogue is None
    assert result.document.qini == QiniInfo(reason="declined")
    assert result.document.attrition.bounds is None
    assert result.document.save_rates[0].catalogue == result.document.save_rates[0].prior


# --- order and offers ----------------------------------------------------------------------------


def test_the_order_of_the_plan_is_told_with_its_interval(tree):
    for order in ("expected_net", "risk"):
        result = getattr(tree.qini, order)
        for area in (result.qini, result.auuc):
            assert area.low < area.value < area.high
        assert result.curve.contacted_share[0] == result.curve.saved_share[0] == 0
        assert result.curve.contacted_share[-1] == 1


def boosted(assignment: Assignment, times: float, share: float) -> Assignment:
    """The same campaign in which a driver boosts the save rate of some who were offered a call."""
    table = assignment.table.copy()
    here = (table["offer"] == "call").to_numpy()
    chance = np.random.default_rng(4).random(len(table)) < share
    rate = simulation.PRIOR.mean * np.where(here & chance, times, 1.0)
    table["expected_net"] = table["risk"] * rate * table["value_at_stake"] - table["expected_cost"]
    offers = dict(assignment.catalogue.offers)
    boost = Boost(drivers=("pages",), factor=times)
    offers["call"] = offers["call"].model_copy(update={"boost": boost})
    catalogue = assignment.catalogue.model_copy(update={"offers": offers})
    return replace(assignment, table=table, catalogue=catalogue)


# What is written must be the rate before the boost, or the next plan would boost it twice.
def test_a_lift_is_taken_out_of_the_save_rate(tree, strong):
    assignment, declined, kept = strong
    result = readout_tree(boosted(assignment, 2.0, 1.0), outcomes(declined, profit=kept))
    assert result.save_rates[0].boost == pytest.approx(2.0)
    plain, halved = (t.save_rates[0].posterior.value for t in (tree, result))
    assert halved < 0.75 * plain
    some = readout_tree(boosted(assignment, 2.0, 0.4), outcomes(declined, profit=kept))
    assert some.save_rates[0].boost == pytest.approx(1.4, abs=0.1)
    assert some.save_rates[1].boost == 1


def test_the_new_catalogue_is_the_old_one_with_what_was_learnt(strong):
    assignment, declined, _ = strong
    result = build_readout(assignment, outcomes(declined), resamples=300)
    new, old = result.catalogue, assignment.catalogue
    assert new.name == "simulated_readout"
    assert list(new.offers) == list(old.offers)
    for name, offer in new.offers.items():
        assert (
            offer.model_copy(update={"save_rate": old.offers[name].save_rate}) == old.offers[name]
        )
    assert new.offers["call"].save_rate.mean > 0.4
    assert new.offers["letter"].save_rate.mean < 0.3
    assert update_catalogue(new, result.document.save_rates).name == "simulated_readout_2"


@pytest.mark.parametrize(
    ("name", "after"),
    [("a/b ../c", "a_b_c_readout"), ("магазин", "магазин_readout"), ("/", "offers_readout")],
)
def test_the_name_of_a_catalogue_is_safe_as_a_files(name, after):
    assert next_catalogue_name(name) == after


# Two campaigns in a row: the second starts from what the first left, and knows more.
def test_the_loop_closes(strong):
    assignment, declined, _ = strong
    first = build_readout(assignment, outcomes(declined), resamples=300)
    second_campaign, again, _ = simulate_campaign(STRONG, seed=6)
    again_planned = replace(second_campaign, catalogue=first.catalogue)
    second = build_readout(again_planned, outcomes(again), resamples=300)
    widths = [
        [rate.posterior.high - rate.posterior.low for rate in tree.save_rates]
        for tree in (first.document, second.document)
    ]
    assert all(later < earlier for earlier, later in zip(*widths, strict=True))
    truth = np.array(list(STRONG.save.values()))
    means = [rate.posterior.value for rate in second.document.save_rates]
    away = (np.abs(truth - simulation.PRIOR.mean), np.abs(truth - means))
    assert away[1].sum() < 0.5 * away[0].sum()


# A save rate is per contact: once a campaign that never went out refuted every offer.
def test_save_rates_are_learned_from_contacts_alone():
    assignment, declined, _ = simulate_campaign()
    everyone = build_readout(assignment, outcomes(declined), resamples=20).document.save_rates
    nobody = np.zeros(len(declined))
    unsent = build_readout(assignment, outcomes(declined, contacted=nobody), resamples=20).document
    for row in unsent.save_rates:
        assert row.contact_rate_difference == 0
        assert row.catalogue == row.prior
        assert astuple(row.posterior) == (row.prior.value, row.prior.low, row.prior.high)
        assert not row.is_conflict
    some = assignment.is_treated & (np.arange(len(declined)) % 2 == 0)
    half = build_readout(assignment, outcomes(declined, contacted=some.astype(float)), resamples=20)
    for one, other in zip(everyone, half.document.save_rates, strict=True):
        assert one.contact_rate_difference == 1
        assert 0.3 < other.contact_rate_difference < 0.7
        width = [row.posterior.high - row.posterior.low for row in (one, other)]
        assert 0 < width[0] < width[1]  # half of the contacts say less about each


# No resample has another outcome: the curve once had an interval of width zero.
def test_a_group_in_which_all_decline_or_none_has_no_curve(strong):
    assignment, declined, _ = strong
    result = readout_tree(assignment, outcomes(declined & assignment.is_treated))
    assert result.qini == QiniInfo(reason="no_variation")


# Two decliners of 2 and none of 1 made an interval of −188 to +100 points.
@pytest.mark.parametrize("seed", range(6))
def test_no_effect_on_a_share_lies_beyond_all_against_none(seed):
    sizes = {"high": {"call": 9, "gift": 5}, "low": {"call": 6, "letter": 7}}
    assignment, declined, _ = simulate_campaign(replace(LARGE, sizes=sizes), seed=seed)
    contacted = assignment.is_treated.astype(float)
    contacted[np.flatnonzero(assignment.is_treated)[::2]] = 0
    result = readout_tree(assignment, outcomes(declined, contacted=contacted))
    for one in result.effects:
        if one.difference is not None:
            ends = one.difference
            assert -1 <= ends.low <= ends.value <= ends.high <= 1
            detectable = one.minimum_detectable_effect
            assert detectable is None or detectable <= 1
    ratio = result.compliance.complier_effect
    if "reason" not in ratio:
        assert -1 <= ratio.low <= ratio.value <= ratio.high <= 1


def test_a_campaign_too_small_for_its_strata_is_compared_as_one():
    tiny = StratumCounts(*map(np.array, ([7, 2], [13, 2], [0, 0], [0, 1])))
    found = compare_arms(pool_tiny_strata(tiny, 1.96), 1.96)
    assert found == pytest.approx(
        [value[0] for value in newcombe(*np.array([[9], [15], [0], [1]]), 1.96)]
    )
    large = StratumCounts(*map(np.array, ([30, 20], [80, 80], [10, 9], [20, 20])))
    assert pool_tiny_strata(large, 1.96) is large


@pytest.mark.parametrize(
    ("rate", "effect"), [(0.0, 0.01), (0.002, 0.0), (0.05, -0.045), (0.02, 0.01)]
)
def test_intervals_of_rare_outcomes_within_strata_hold_what_they_say(rate, effect):
    random = np.random.default_rng(0)
    treated, control = np.full(10, 80), np.full(10, 20)
    held = 0
    for _ in range(n := 1000):
        events = random.binomial(treated, rate + effect), random.binomial(control, rate)
        counts = StratumCounts(events[0], treated, events[1], control)
        found = compare_arms(pool_tiny_strata(counts, 1.96), 1.96)
        held += bool(found.low <= effect <= found.high)
    assert stats.binomtest(held, n, 0.93).proportion_ci().high >= 0.93


def test_an_adjusted_difference_is_told_from_that_of_the_two_means(tree):
    assert row(tree, "overall", outcome="profit").is_adjusted
    part = row(tree, "segment", "high")
    assert not part.is_adjusted
    plain = part.treated_mean - part.control_mean
    assert part.difference.value == pytest.approx(plain)
