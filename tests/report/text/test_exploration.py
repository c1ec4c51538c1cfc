"""Offers drawn at random, in words: on the page and in the terminal."""

import io
import re

import pytest
from rich.console import Console

from retain.campaign.campaign import make_campaign
from retain.cli.terminal.campaign import print_campaign
from retain.cli.terminal.exploration import print_explored
from retain.record.estimates import Estimate
from retain.record.trial_document import ArmEffect
from retain.report.text.approval import plan_notes
from retain.report.text.campaign import plan_quality_text, summary
from retain.report.text.exploration import exploration_text
from retain.report.text.words import words

from ...campaign.planning.random_plans import random_settings
from ...campaign.value.invented_campaign import UNSURE, make_audience


def plan(ranking="shown", **planning):
    free = {"budget": None, "max_contacts": None, "control_share": 0.2, **planning}
    settings = random_settings(3, capped=False, **free)
    audience = make_audience(600, 3, value=settings.assumptions)
    return make_campaign(audience, UNSURE, settings, ranking=ranking).document


@pytest.fixture(scope="module")
def documents():
    """Plans by what is asked of them."""
    return {
        "share": plan(explore=0.3),
        "chosen": plan(explore="all"),
        "not_shown": plan("not_shown"),
        "none": plan(),
    }


def spoken(messages, language="en"):
    return re.sub(r"<[^>]+>", "", " ".join(words(language).plain(one) for one in messages))


def shown(document, width=100):
    at = Console(file=io.StringIO(), width=width)
    print_campaign(at, document)
    return " ".join(at.file.getvalue().split())


def test_a_plan_says_how_many_explore_and_what_that_costs(documents):
    text, info = spoken(exploration_text(documents["share"])), documents["share"].exploration
    assert f"{info.n_customers} of {info.n_eligible} customers who may get an offer" in text
    assert f"{info.n_treated} to contact" in text
    assert "a plan in which nobody explores is expected to bring" in text
    assert "learning campaign" not in text
    for width in (60, 80, 120):
        terminal = shown(documents["share"], width)
        assert "What each offer will show" in terminal
        assert f"{info.n_customers} customers of {info.n_eligible} eligible explore" in terminal


@pytest.mark.parametrize(
    ("which", "said", "russian"),
    [
        ("chosen", "this is a learning campaign", "это пробная кампания"),
        ("not_shown", "better than chance, so this is a learning", "лучше случайного угадывания"),
    ],
)
def test_a_learning_campaign_is_called_one_and_says_why(documents, which, said, russian):
    assert said in spoken(exploration_text(documents[which]))
    assert russian in spoken(exploration_text(documents[which]), "ru")
    assert "A learning campaign" in shown(documents[which])


# A ranking that is not shown gives no plan to compare with, and nothing that was given up.
def test_where_no_plan_can_be_aimed_nothing_is_given_up(documents):
    assert "nobody explores" not in spoken(exploration_text(documents["not_shown"]))
    assert "nobody explores" in spoken(exploration_text(documents["chosen"]))


@pytest.mark.parametrize("language", ["en", "ru"])
def test_of_a_learning_campaign_no_sentence_says_that_it_is_the_best_plan(documents, language):
    for which in ("chosen", "not_shown"):
        document = documents[which]
        parts = (summary(document), plan_quality_text(document), plan_notes(document))
        text = spoken([one for part in parts for one in part], language)
        assert not re.search(r"no plan within|ranked|плана лучше|упорядочены", text)
        assert "The plan is" not in shown(document)
    usual = spoken([*plan_quality_text(documents["none"]), *plan_notes(documents["none"])])
    assert "ranked" in usual


def test_without_exploration_nothing_is_said_of_it(documents):
    assert exploration_text(documents["none"]) == []
    assert "explore" not in shown(documents["none"])


def effect(arm, versus, role, conclusion):
    return ArmEffect(
        role=role,
        arm=arm,
        versus=versus,
        outcome="no declined",
        n_arm=99,
        n_versus=99,
        arm_mean=0.5,
        versus_mean=0.4,
        difference=Estimate(0.1, 0.02, 0.18),
        basis="difference",
        p=0.01,
        p_adjusted=0.02,
        conclusion=conclusion,
    )


@pytest.mark.parametrize("conclusion", ["helped", "inconclusive"])
def test_a_readout_lists_pairs_of_offers_only_if_they_are_shown_to_differ(conclusion):
    rows = [
        effect("call", "control", "primary", "helped"),
        effect("gift", "control", "primary", "inconclusive"),
        effect("call", "gift", "between", conclusion),
    ]
    at = Console(file=io.StringIO(), width=100)
    print_explored(at, rows, "95 % CI")
    text = at.file.getvalue()
    assert re.search(r"call − control +\+10\.0 +\+2\.0 to \+18\.0 +0\.020 +better", text)
    assert ("call − gift" in text) == (conclusion == "helped")
    assert ("That two of these offers differ is not shown" in text) == (conclusion != "helped")
