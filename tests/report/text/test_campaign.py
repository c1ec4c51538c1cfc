"""The campaign in sentences true of its numbers, and what the page says where there is none."""

import json
import re
from types import SimpleNamespace

import pytest

from retain.campaign.planning.cautions import CAUTION_CHECKS, find_cautions
from retain.record.campaign_document import CampaignDocument
from retain.report.page.page import page
from retain.report.text.approval import pays_if, plan_notes, why
from retain.report.text.campaign import (
    assumptions,
    fixed_assumptions,
    limits,
    plan_quality_text,
    promise,
    sampled_assumptions,
    summary,
)
from retain.report.text.captions import caption
from retain.report.text.cautions import cautions, no_campaign
from retain.report.text.numbers import format_number
from retain.report.text.segments import contrast_message, segment_sentences, stability_message
from retain.report.text.words import words

from ..trees import read_as, reading_trees

page = reading_trees(page)
assumptions = reading_trees(assumptions)
fixed_assumptions = reading_trees(fixed_assumptions)
limits = reading_trees(limits)
plan_quality_text = reading_trees(plan_quality_text)
promise = reading_trees(promise)
sampled_assumptions = reading_trees(sampled_assumptions)
summary = reading_trees(summary)
plan_notes = reading_trees(plan_notes)
caption = reading_trees(caption)
cautions = reading_trees(cautions)
no_campaign = reading_trees(no_campaign)
contrast_message = reading_trees(contrast_message)
segment_sentences = reading_trees(segment_sentences)
stability_message = reading_trees(stability_message)


@pytest.fixture
def tree(tree):
    """The tree without what takes long to draw."""
    return tree | {"explanations": None, "curves": None}


@pytest.fixture
def campaign(tree):
    return tree["campaign"]


def plain(text, language="en"):
    return re.sub(r"</?\w+>", "", words(language).plain(text))


def spoken(found, language="en"):
    return [plain(one, language) for one in found]


def test_the_first_sentence_says_to_how_many_at_what_cost_and_what_it_is_expected_to_save(campaign):
    assert spoken(summary(campaign))[0] == (
        "248 of 1,296 customers get an offer; the expected cost is 396, the expected profit saved "
        "is 1,265, and the expected net value is 868 (95\u00a0% interval 356–1,381)"
    )


# What cannot be told from chance must not be promised, whatever is hoped for.
def test_nothing_is_promised_below_what_can_be_detected(campaign):
    text = plain(promise(campaign))
    assert text.startswith(
        "the campaign is too small to measure its effect: the share that declines is expected to "
        "fall by 4.1 percentage points"
    )
    assert "it takes a fall of 11.9 to be seen in 4 of 5 such campaigns" in text
    assert text.endswith("982 customers in each group would be needed")
    campaign["power"]["overall"]["required_n"] = None
    assert "in each group" not in plain(promise(campaign))


def test_what_can_be_seen_is_left_to_the_control_group_to_judge(campaign):
    campaign["power"]["overall"] |= {"minimum_detectable_effect": 0.03, "claimable": True}
    text = plain(promise(campaign))
    assert text.startswith("if the assumptions hold, the share that declines falls by 4.1 ")
    assert "a fall of 3.0 would be seen in 4 of 5 such campaigns" in text
    campaign["power"]["power"] = 0.95
    assert "in 19 of 20 such campaigns" in plain(promise(campaign))


def test_groups_too_small_for_any_effect_promise_nothing(campaign):
    campaign["power"]["overall"] |= {
        "minimum_detectable_effect": None,
        "required_n": None,
        "claimable": False,
    }
    assert plain(promise(campaign)).startswith("the groups are too small to see")


def test_without_a_control_group_it_is_said_what_cannot_be_known(campaign):
    campaign["plan"]["n_control"] = 0
    assert spoken(summary(campaign))[1].startswith("there is no control group")


def test_a_plan_that_contacts_nobody_is_an_answer(campaign):
    campaign["plan"] |= {"n_chosen": 0, "n_treated": 0, "n_control": 0}
    text = spoken(summary(campaign))
    assert text[0].endswith("so nobody is contacted")
    assert not any("such campaigns" in one or "control group and" in one for one in text)
    campaign["shadow_prices"]["budget"] = None
    assert not any("budget" in one for one in spoken(limits(campaign)))


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("consent", ["from_data", "assume_given", "not_stated"])
def test_consent_and_that_offers_are_hypotheses_are_always_said(campaign, consent, language):
    campaign["consent"] = consent
    *_, agreed, last = spoken(summary(campaign), language)
    assert ("hypothesis" if language == "en" else "гипотеза") in last
    assert ("958" in agreed or "1 296" in agreed) == (consent == "from_data")


# The store types this at its own responsibility; nobody is contacted until it does.
def test_where_consent_is_not_stated_the_page_says_what_to_type(tree, html):
    line = "retain-compare study=models campaign.consent=assume_given"
    assert line not in html
    tree["campaign"]["consent"] = "not_stated"
    assert f"<code>{line}</code>" in page(tree, "en")


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("code", CAUTION_CHECKS)
def test_every_caution_has_words_in_both_languages(tree, code, language):
    tree["campaign"]["cautions"] = [{"code": code}]
    (text,) = spoken(cautions(tree), language)
    assert len(text) > 40


def test_a_caution_nobody_put_into_words_is_an_error(tree):
    tree["campaign"]["cautions"] = [{"code": "invented_here"}]
    with pytest.raises(KeyError, match=r"caution\.invented_here"):
        spoken(cautions(tree))


def test_every_limit_that_binds_has_its_worth_in_words(campaign):
    assert spoken(limits(campaign)) == [
        "each further 100 of budget would add 117 of net value",
        "one more contact would add 0.412 of net value",
        "the consent of 338 more customers would add up to 288 of net value",
        (
            "the control group (61 customers) costs 214 of expected net value: "
            "this is the price of measuring the effect"
        ),
        "one more place in “Apology for service errors” would add 1.74 of net value",
    ]


def test_limits_that_bind_nothing_are_worth_nothing(campaign):
    campaign["shadow_prices"] = {
        "budget": None,
        "contact": None,
        "consent": None,
        "control_group": {"n_customers": 0, "cost": 0.0},
    }
    for one in campaign["offers"]:
        one["shadow_price"] = 0.0
    (text,) = spoken(limits(campaign))
    assert text.startswith("a larger budget would add nothing: the plan costs 396, and within")
    campaign["shadow_prices"] = None
    assert limits(campaign) == []


def test_the_certificate_says_how_much_better_a_plan_could_be(campaign):
    (text,) = [one for one in spoken(plan_quality_text(campaign)) if "the best plan" in one]
    assert text.startswith("under these assumptions the expected net value is at most 0.00004")
    campaign["plan"] |= {"is_optimal": True, "method": "exact"}
    (text,) = [one for one in spoken(plan_quality_text(campaign)) if "no plan" in one]
    assert text.endswith("net value, which is proven (HiGHS, an exact solver)")


# The solver's value of treated and control together was once printed beside the net value.
def test_no_sentence_on_the_plan_tells_another_net_value(campaign):
    net = format_number(campaign["plan"]["expected_net"]["value"], "money", "en")
    (summarised,) = [one for one in spoken(summary(campaign)) if "net value is" in one]
    assert f"net value is {net} " in summarised
    assert not any("net value would be" in one for one in spoken(plan_quality_text(campaign)))


@pytest.mark.parametrize("code", ["free_offers"])
def test_every_reason_for_no_campaign_has_a_sentence(tree, code):
    text = no_campaign(
        tree | {"campaign": {"reason": "as in the file", "code": code, "overrides": []}}
    )
    assert words("en").plain(text) != words("ru").plain(text)


def test_where_customers_are_counted_every_sentence_on_the_plan_says_so(tree):
    campaign = tree["campaign"]
    campaign |= {"objective": "customers", "profit_unit": "customers", "shadow_prices": None}
    campaign["plan"]["kept"] = {"value": 41.2, "per_contact": 0.21, "per_cost": None}
    campaign["cautions"] = [{"code": "no_profit", "overrides": ["data.profit=COLUMN"]}]
    for texts in (summary(campaign)[:1], plan_quality_text(campaign)[:1], cautions(tree)):
        assert "each customer counts as one" in spoken(texts)[0]
    assert "41.2 are expected to be kept" in spoken(summary(campaign))[0]
    campaign["plan"]["kept"]["per_cost"] = 0.5
    assert "0.5 per unit of cost" in spoken(summary(campaign))[0]
    assert "counting each customer as one" in spoken(plan_notes(campaign))[0]


def test_the_approval_says_what_few_offers_cost_whom_policies_spare_and_why(campaign):
    few, spared, care, ranked = spoken(plan_notes(campaign))
    assert "at most 3 choices" in few
    assert few.endswith("that simplicity costs 31.6 of expected net value")
    assert spared.startswith("12 customers who agreed are not written to")
    assert care.startswith("Apology: 30 customers, the control group too")
    assert "not the same as by who can be kept" in ranked
    _, _, row, *_, alone = read_as(CampaignDocument, campaign).approval
    said = "“Unpaid items” raises the risk of 38 of 51"
    ways = {"up": " (the higher it is, the higher the risk)", "mixed": "", "down": " (the lower"}
    for direction, way in ways.items():
        found = SimpleNamespace(name=row.choices[0].why.feature, direction=direction)
        verdict = SimpleNamespace(explanations=SimpleNamespace(features=[found]))
        assert spoken([why(row.choices[0], verdict)])[0].startswith(said + way), direction
    assert spoken([why(row.choices[0], SimpleNamespace(explanations=None))]) == [said]
    assert spoken([pays_if(row)]) == ["one in 7.4"]
    many = row.model_copy(update={"one_in": 80.52})
    assert spoken([pays_if(many)]) == ["one in 80"]
    assert pays_if(alone) is None


def test_cautions_name_the_free_offers_and_the_minimums_unmet(tree):
    campaign = tree["campaign"]
    campaign["free_offers"] = ["free_delivery"]
    unmet = {"segment": "high risk, high value", "minimum": 30, "n_paying": 20, "n_treated": 16}
    campaign["plan"]["unmet_minimums"] = [unmet]
    campaign["cautions"] = [
        {"code": "free_offers", "offers": ["free_delivery"]},
        {"code": "minimums_unmet", "segments": [unmet]},
    ]
    free, minimum = spoken(cautions(tree))
    assert "“Free delivery”" in free
    assert "“High risk, high value” gets 16 contacts instead of 30" in minimum
    assert "pays for 20 of its customers" in minimum


def test_cautions_name_campaigns_that_cannot_be_read_and_a_large_control_group(tree):
    campaign = tree["campaign"]
    campaign["policies"]["unreadable_campaigns"] = [f"old/campaigns/{one}" for one in range(5)]
    campaign["control_group"]["mean_share"] = 0.9
    codes = ("campaigns_unreadable", "control_large")
    campaign["cautions"] = [{"code": code} for code in codes]
    unreadable, large = spoken(cautions(tree))
    assert "cannot be read: 5 (old/campaigns/0, old/campaigns/1, old/campaigns/2" in unreadable
    assert "old/campaigns/3" not in unreadable
    assert large.startswith("90")


@pytest.fixture
def by_effects(tree):
    """The tree of a verdict whose plan goes by measured effects."""
    offer = {"effect": {"value": 0.041, "low": 0.02, "high": 0.062}, "p": 0.003, "shrinkage": 0.5}
    counts = {"n_customers": 900, "n_unlike": 12, "n_harmed": 1034}
    tree["campaign"]["effects"] = {
        "learner": "dr_learner",
        "outcome": "no decline",
        "unit": "declines",
        "is_heterogeneous": True,
        "sources": [{"name": "51a1ed00", "sha256": "0" * 64, "n_customers": 900}],
        "offers": [{"offer": "free_delivery", **offer, **counts}],
        "prior_offers": ["call"],
        "unknown_arms": [],
        "unshared_covariates": [],
    }
    return tree


def caution_texts(tree, *codes, language="en"):
    tree["campaign"]["cautions"] = [{"code": code} for code in codes]
    return spoken(cautions(tree), language)


def test_an_effect_in_money_is_said_in_money(by_effects):
    by_effects["campaign"]["effects"] |= {"unit": "money", "outcome": "sale"}
    (measured,) = caution_texts(by_effects, "effects_measured")
    assert "in money per customer" in measured
    assert "sale" not in measured
    (measured,) = caution_texts(by_effects, "effects_measured", language="ru")
    assert "в деньгах на клиента" in measured


def test_measured_effects_are_said_with_whom_they_leave_out(by_effects):
    codes = ("effects_measured", "effects_unlike", "effects_harmed", "effects_prior")
    measured, unlike, harmed, prior = caution_texts(by_effects, *codes)
    assert "by 51a1ed00: “Free delivery” 4.1 percentage points fewer declines" in measured
    assert "2.0–6.2" in measured
    assert "they do not get it: “Free delivery” 12" in unlike
    assert "“Free delivery” 1,034" in harmed
    assert "keeps the save rate that is assumed" in prior


def test_harm_that_is_not_shown_is_not_claimed(by_effects):
    (offer,) = by_effects["campaign"]["effects"]["offers"]
    offer |= {"effect": {"value": -0.02, "low": -0.06, "high": 0.02}, "shrinkage": 0.0}
    found = find_cautions(CampaignDocument.model_validate_json(json.dumps(by_effects["campaign"])))
    codes = [one.code for one in found]
    assert "effects_harmed" not in codes
    assert "effects_not_positive" in codes
    (text,) = caution_texts(by_effects, "effects_not_positive")
    assert "the measured effect of an offer is not above 0" in text
    assert "“Free delivery” 1,034" in text


def test_offers_left_out_for_their_size_are_said_apart_from_new_ones(by_effects):
    by_effects["campaign"]["effects"] |= {"prior_offers": [], "small_offers": ["call"]}
    found = find_cautions(CampaignDocument.model_validate_json(json.dumps(by_effects["campaign"])))
    codes = [one.code for one in found if one.code in ("effects_prior", "effects_small")]
    assert codes == ["effects_small"]
    (text,) = caution_texts(by_effects, "effects_small")
    assert text.startswith("Too few customers to learn from")
    (text,) = caution_texts(by_effects, "effects_small", language="ru")
    assert text.startswith("Испытано на слишком малом числе клиентов")


@pytest.mark.parametrize(
    ("ends", "reading"),
    [((0.85, 1.02), "does not differ"), ((0.6, 0.9), "overconf"), ((1.1, 1.4), "underconf")],
)
def test_the_slope_of_the_recalibration_is_read(campaign, ends, reading):
    campaign["recalibration"]["slope"] |= {"low": ends[0], "high": ends[1]}
    assert reading in spoken(plan_quality_text(campaign))[1]


# Unknown is neither: an end that was not found is not claimed to lie outside the range.
def test_where_the_plan_stays_the_same_is_said_of_known_ranges_alone(campaign):
    stated = [one["name"] for one in campaign["assumptions"]]
    *_, stays, changes = spoken(plan_quality_text(campaign))
    assert stays == "the plan is the same at both ends of the range of “Multiplier of the profit”"
    assert "Duration of a decline, months" in changes
    assert "Share of profit lost" not in stays + changes
    campaign["sensitivity"] = None
    assert not any("stays the same" in one for one in spoken(plan_quality_text(campaign)))
    assert [one.name for one in assumptions(campaign)] == stated


def test_every_assumption_is_listed_once(campaign):
    names = [one.name for one in assumptions(campaign)]
    assert sorted(names) == ["cost_multiplier", "horizon", "loss_fraction", "margin", "save_rate"]


def test_a_plan_that_is_the_same_nowhere_else_is_said_to_be(campaign):
    rows = campaign["sensitivity"]["rows"]
    assert not any(map(fixed_assumptions, rows))
    assert fixed_assumptions(rows[0] | {"stable_from": 0.27079, "stable_to": 0.27084})


def test_how_the_control_group_was_drawn_is_said(campaign):
    assert "attempt 3: the first one that kept" in plain(sampled_assumptions(campaign))
    campaign["control_group"]["n_attempts"] = 1
    assert plain(sampled_assumptions(campaign)).endswith("(seed 0, attempt 1)")


def test_the_segment_with_most_at_risk_is_named_and_whether_that_is_clear(tree):
    first, second = tree["segments"][:2]
    assert (
        "is not clear, for the intervals overlap" in spoken(segment_sentences(tree["segments"]))[0]
    )
    second["observed_profit_at_risk"]["high"] = first["observed_profit_at_risk"]["low"] - 1
    assert (
        "clearly more than in “High risk, middle value”"
        in spoken(segment_sentences(tree["segments"]))[0]
    )
    assert spoken(segment_sentences(tree["segments"][:1]))[0].startswith("all profit at risk is in")


def test_without_profit_segments_are_told_by_their_risk(tree):
    for one in tree["segments"]:
        one |= {
            "total_profit": None,
            "observed_profit_at_risk": None,
            "expected_profit_at_risk": None,
        }
    assert spoken(segment_sentences(tree["segments"]))[0].startswith(
        "the segment at the highest risk is “High risk, high value”: 84\u202f% "
        "(95\u00a0% CI 81\u202f%–87\u202f%) of 88"
    )
    assert plain(caption("segments", tree)).endswith("(95\u00a0% CI 81\u202f%–87\u202f%).")


def test_what_is_no_group_of_its_own_is_said_to_be_none(tree):
    assert "is not stable" in spoken(segment_sentences(tree["segments"]))[-1]
    for one in tree["segments"]:
        one["stability"]["jaccard"] = 0.8
    assert spoken(segment_sentences(tree["segments"]))[-1].startswith("the segments are stable")
    assert [
        plain(stability_message({"jaccard": at, "jaccard_low": at, "n_resamples": 50}))
        for at in (0.9, 0.75, 0.6, 0.59)
    ] == [
        "high",
        "good",
        "low",
        "none",
    ]


def test_a_difference_is_said_by_both_values(tree):
    number, _, level = tree["segments"][0]["contrasts"]
    assert plain(contrast_message(number)) == "Pages a visit: 5.31 (others 8.64)"
    assert plain(contrast_message(level)).startswith("Favourite category: Kitchenware 31")
    assert "Кухонная посуда — 31" in plain(contrast_message(level), "ru")
    assert plain(contrast_message(level | {"level_label": None})).startswith(
        "Favourite category: k"
    )


# Three digits show two means as one; then as many are written as it takes to see the difference.
def test_values_that_differ_are_seen_to_differ(tree):
    number = tree["segments"][0]["contrasts"][0] | {"in_segment": 5.0004, "elsewhere": 5.0001}
    assert plain(contrast_message(number)).endswith("5.0004 (others 5.0001)")


def test_risks_that_are_not_those_observed_are_a_caution_and_a_mark(tree, campaign, html):
    (first, *_) = cautions(tree)
    assert plain(first).startswith(
        "Observed and expected declines differ by more than chance (segments: 1, tenths of the "
        "risk: 0; 18 tests, level 0.05 over all of them)."
    )
    assert "не" in plain(first, "ru")
    marked = re.findall(r'<tr[^>]*><th scope="row".*?</tr>', html, re.DOTALL)
    assert sum("differs from expected" in row for row in marked) == 1
    assert campaign["cautions"][0]["code"] == "risk_miscalibrated"


def test_few_customers_have_a_count_instead_of_an_interval(tree):
    one = tree["segments"][-1]
    one |= {
        "risk": None,
        "observed_profit_at_risk": None,
        "n_customers": 12,
        "n_declined": 5,
        "p": None,
    }
    html = page(tree, "en")
    assert re.search(r"5.{0,40} of .{0,40}12.{0,20}, too few", html)
    assert re.search(r"11.{0,40} of .{0,40}12.{0,20}, too few", html)  # the tenth of the risk


def test_if_all_segments_have_few_customers_that_is_said(tree):
    for one in tree["segments"]:
        one |= {"risk": None, "observed_profit_at_risk": None}
        one["expected_profit_at_risk"] |= {"low": None, "high": None}
    assert "every segment has too few customers" in plain(segment_sentences(tree["segments"])[0])
    assert 'id="segments"' in page(tree, "ru")


@pytest.mark.parametrize(("used", "words_"), [(True, "depends on profit too"), (False, "alone")])
def test_the_test_of_profit_and_the_choice_of_the_calibration_are_told(campaign, used, words_):
    campaign["recalibration"]["profit_test"]["is_used"] = used
    text = " ".join(spoken(plan_quality_text(campaign)))
    assert words_ in text
    assert "beta calibration" in text
    assert "(0.326) is within one standard error of the lowest (0.326)" in text
    campaign["recalibration"]["log_loss"] = {}
    assert "too few customers" in " ".join(spoken(plan_quality_text(campaign)))


def test_no_campaign_no_section_and_segments_stay(tree):
    tree["campaign"] = None
    html = page(tree, "en")
    assert not re.search('(id|href)="#?(campaign|offers|trust)"', html)
    assert 'id="segments"' in html
    assert '<section id="segments">' in html
    assert 'href="#analysts"' in html


def test_a_campaign_that_could_not_be_planned_says_why(tree):
    reason = {"reason": "some offers have no cost", "code": "free_offers"}
    tree["campaign"] = {**reason, "overrides": ["offers.costs=accept"]}
    html = page(tree, "ru")
    assert "Some offers have no cost in the catalogue." in html
    assert re.search("<code>retain-compare [^<]* offers.costs=accept\n</code>", html)
    assert "Кампания не спланирована" in html
    assert not re.search('id="(offers|trust)"', html)


# Every part that nobody could know may be absent, one at a time or all at once.
def test_what_is_not_known_of_a_campaign_is_left_out(tree, campaign):
    campaign |= {"profit_curve": None, "empc": None, "sensitivity": None, "budget_curve": []}
    campaign |= {"cautions": []}
    campaign["plan"] |= {"budget": None, "max_contacts": None, "n_control": 0}
    campaign["shadow_prices"] = {
        "budget": None,
        "contact": None,
        "consent": None,
        "control_group": {"n_customers": 0, "cost": 0.0},
    }
    campaign["power"] |= {"segments": []}
    campaign["control_group"] |= {"strata": []}
    html = page(tree, "en")
    assert "no budget is set" in html
    assert not re.search('data-chart="(tornado|budget_curve|profit_curve)', html)
    assert "Control group and what it can show" not in html


def test_offers_nobody_gets_have_no_sums(html):
    row = re.search(r'<tr class="weak"><th scope="row" class="cell">.*?Premium care.*?</tr>', html)
    assert row[0].count("—") == 5
    assert "needs consent" in row[0]


@pytest.mark.parametrize(
    ("language", "words_"), [("en", "for 1 customer,"), ("ru", "для 1 клиента,")]
)
def test_limits_that_leave_nobody_are_said(tree, language, words_):
    tree["campaign"]["cautions"] = [{"code": "limits_leave_nobody", "n_paying": 1}]
    tree["campaign"]["plan"] |= {"n_paying": 1, "n_chosen": 0}
    (said,) = cautions(tree)
    assert words_ in plain(said, language)
