"""Why, in sentences true of the numbers; and the page's part about it, as whole as the reasons."""

import re

import pytest

from retain.report.page.page import page
from retain.report.text.captions import caption
from retain.report.text.explanations import (
    explanation_sentences,
    explanation_text,
    label_audit_text,
)
from retain.report.text.words import words

from ..invented_explanations import without_a_model
from ..trees import reading_trees

page = reading_trees(page)
caption = reading_trees(caption)
explanation_sentences = reading_trees(explanation_sentences)
explanation_text = reading_trees(explanation_text)
label_audit_text = reading_trees(label_audit_text)


@pytest.fixture
def reasons(tree):
    return tree["explanations"]


def sentences(reasons, language="en"):
    texts = [words(language).plain(one) for one in explanation_sentences(reasons)]
    return [text[:1].upper() + text[1:] for text in texts]


def sentence(reasons, start):
    (found,) = [text for text in sentences(reasons) if text.startswith(start)]
    return found


# One interval must end before the other begins; the order of two that overlap is not known.
def test_the_group_that_costs_most_is_named_and_whether_that_is_clear(reasons):
    first, second = (group["ablation"]["auc_loss"] for group in reasons["groups"][:2])
    assert first["low"] < second["high"]
    assert "is not clear, for the intervals overlap" in sentence(
        reasons, "The most important group"
    )
    second |= {"value": 0.01, "low": 0.005, "high": 0.015}
    found = sentence(reasons, "The most important group is “Site behaviour”")
    assert "without it ROC-AUC falls by 0.034 (95\u00a0% CI 0.024–0.044)" in found
    assert "clearly more than without “Purchase behaviour”" in found


def test_a_group_whose_interval_holds_zero_is_not_called_needed(reasons):
    reasons["groups"][0]["ablation"]["auc_loss"]["low"] = -0.001
    assert sentence(reasons, "No group is shown to be needed")


def test_one_group_alone_is_compared_with_none(reasons):
    for group in reasons["groups"][1:]:
        group["ablation"] = None
    assert sentence(reasons, "Without “Site behaviour” the winner’s ROC-AUC falls by 0.034")


@pytest.mark.parametrize(
    ("direction", "end"),
    [
        ("up", "the higher it is, the higher the risk"),
        ("down", "the lower it is, the higher the risk"),
        ("mixed", "it has no single direction"),
        ("level", "the risk is highest at Kitchenware"),
    ],
)
def test_the_strongest_feature_is_told_with_its_direction(reasons, direction, end):
    first = reasons["features"][0]
    first |= {"direction": direction, "top_level": {"en": "Kitchenware", "ru": "Посуда"}}
    found = sentence(reasons, "The most important feature is Pages a visit")
    assert found.endswith(end)
    assert f"{first['mean_abs_shap']['value']:.3f} on average" in found


def test_two_orders_that_disagree_are_said_to(reasons):
    assert "in much the same order" in sentence(reasons, "Permutation importance")
    reasons["drivers"]["ranks_agree"] = False
    assert "is not reliable" in sentence(reasons, "Permutation importance")
    reasons["drivers"] |= {"ranks_agree": None, "rank_correlation": None}
    assert not [text for text in sentences(reasons) if text.startswith("Permutation")]


def test_features_that_say_the_same_are_counted(reasons):
    assert "the closest are Pages a visit, Pages a category (φk 0.97)" in sentence(
        reasons, "2 groups"
    )
    reasons["redundant"] = []
    assert sentence(reasons, "No two features are redundant")


@pytest.mark.parametrize("change", [lambda reasons: None, without_a_model])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_last_sentence_says_that_these_are_no_causes(reasons, change, language):
    change(reasons)
    last = sentences(reasons, language)[-1]
    assert ("associations" if language == "en" else "не причины") in last


def test_the_label_is_held_against_what_was_measured(reasons):
    against, agrees = (
        [words("en").plain(label_audit_text(row))][0] for row in reasons["label_audit"]
    )
    assert against.startswith("“Revenue, current month” is below “Revenue, previous month” for 21")
    assert "this measure does not confirm the label (z = −3.1)" in against
    assert "this measure confirms the label (z = 5.5)" in agrees
    row = reasons["label_audit"][1] | {"is_consistent": False}
    unclear = words("en").plain(label_audit_text(row))
    assert "but not significantly" in unclear


def test_no_reasons_no_section(tree):
    tree["explanations"] = None
    html = page(tree, "en")
    assert 'href="#reasons"' not in html
    assert 'id="reasons"' not in html


# A model may have no explainer and still be shuffled.
def test_what_is_missing_is_said_and_what_is_known_stays(tree, reasons):
    without_a_model(reasons)
    reasons["features"][0]["permutation_importance"] = {"value": 0.0317, "low": 0.02, "high": 0.04}
    html = page(tree, "ru")
    assert '<p class="name" lang="en">svc has no explainer within 60 seconds</p>' in html
    assert "при перемешивании признака" in html
    assert 'data value="0.0317"' in html
    assert "How much the winner would lose without each group is not known" in sentences(reasons)[0]
    assert sentences(reasons)[1].startswith("The feature most closely associated with decline is")


@pytest.mark.parametrize("but", ["features", "label_audit"])
def test_every_list_may_be_empty(tree, reasons, but):
    for part in {"groups", "features", "redundant", "feature_pairs", "examples", "label_audit"} - {
        but
    }:
        reasons[part] = []
    html = page(tree, "en")
    assert html.rstrip().endswith("</html>")
    assert ('href="#label-audit"' in html) == (but == "label_audit")


def test_nothing_but_names_need_be_known_of_a_feature(tree, reasons):
    without_a_model(reasons)
    unknown = dict.fromkeys(("phik", "significance", "effect_size", "distribution"))
    for feature in reasons["features"]:
        feature.update(unknown)
    assert page(tree, "ru").rstrip().endswith("</html>")


@pytest.mark.parametrize("explainer", ["tree", "linear", "sampled"])
def test_how_the_values_came_about_is_said(reasons, explainer):
    exact = {} if explainer == "sampled" else {"background_size": None, "standard_error": None}
    text = words("en").plain(
        explanation_text(reasons["drivers"] | {"explainer": explainer, **exact})
    )
    assert ("standard error of a value is 0.012" in text) == (explainer == "sampled")
    assert "—" not in text


def test_both_languages_have_their_own_pictures_and_one_caption(html):
    for name in ("drivers", "beeswarm", "dependence", "distributions"):
        assert html.count(f'data-chart="{name}-en"') == html.count(f'data-chart="{name}-ru"') == 1
        assert html.count(f'id="caption-{name}"') == 1
    russian = re.search(r'<svg[^>]*data-chart="drivers-ru".*?</svg>', html, re.DOTALL)[0]
    assert "Страниц за визит" in russian
    assert "Pages a visit" not in russian


def test_a_caption_reads_the_chart_with_its_own_numbers(tree, reasons):
    strongest = reasons["features"][0]
    text = words("en").plain(caption("dependence", tree))
    highest = max(strongest["dependence"], key=lambda point: point["mean"])
    assert f"to +{highest['mean']:.3f} at" in text
    widest = max(
        (one for one in reasons["features"] if one["beeswarm"]),
        key=lambda one: one["beeswarm"]["max"] - one["beeswarm"]["min"],
    )
    assert widest["label"]["en"] in words("en").plain(caption("beeswarm", tree))
    for feature in reasons["features"]:
        feature["effect_size"] = None
    assert "Cliff" not in words("en").plain(caption("distributions", tree))


# The reasons are the page's largest part; it has to stay one that opens at once.
def test_the_reasons_add_less_than_half_a_megabyte(tree, html):
    tree["explanations"] = None
    assert len(html.encode()) - len(page(tree, "en").encode()) < 500_000
