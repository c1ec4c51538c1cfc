"""What is said of a label made from a purchase log never exceeds its numbers."""

import pytest

from retain.record.estimates import Estimate
from retain.record.label import LabelQuality
from retain.report.text.label import label_sentences
from retain.report.text.words import words

from ..trees import read_as


@pytest.fixture
def quality(tree):
    return read_as(LabelQuality, tree["data"]["label"]["quality"])


def keys(quality):
    return [one.key for one in label_sentences(quality)]


def test_each_check_has_a_sentence_in_both_languages(quality):
    assert keys(quality) == [
        "label.chance",
        "label.excess.more",
        "label.ceiling",
        "label.one_order",
        "label.persistence",
        "label.season",
        "label.last_year",
        "label.money",
    ]
    english = [words("en").plain(one) for one in label_sentences(quality)]
    assert "timing alone would label 34\u202f% (33\u202f% to 35\u202f%)" in english[0]
    assert "by 5.5 (3.2 to 7.8) percentage points" in english[1]
    assert "a loss of 52\u202f% (49\u202f% to 55\u202f%)" in english[4]
    assert "41,231 (37,011 to 45,450), and 43,807 came" in english[-1]
    russian = [words("ru").plain(one) for one in label_sentences(quality)]
    assert "на 5,5 (от 3,2 до 7,8) п. п." in russian[1]


@pytest.mark.parametrize(
    ("low", "high", "key"), [(0.01, 0.03, "more"), (-0.05, -0.01, "fewer"), (-0.01, 0.02, "equal")]
)
def test_a_difference_is_clear_only_where_its_interval_says_so(quality, low, high, key):
    excess = Estimate(value=(low + high) / 2, low=low, high=high)
    chance = quality.chance.model_copy(update={"excess": excess})
    quality = quality.model_copy(update={"chance": chance})
    assert f"label.excess.{key}" in keys(quality)


@pytest.mark.parametrize("reason", ["measure", "few_rows"])
def test_what_cannot_be_computed_is_said_with_its_reason(quality, reason):
    missing = {"chance": None, "chance_reason": reason, "one_order_share": None}
    missing |= {"persistence": None, "persistence_reason": "short_log"}
    quality = quality.model_copy(update={**missing, "store_levels": (), "money": ()})
    assert keys(quality) == [f"label.no_chance.{reason}", "label.no_persistence.short_log"]


def test_a_target_that_is_given_has_no_such_sentences():
    assert label_sentences(None) == []
