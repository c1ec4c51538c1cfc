"""The page in Russian says what the English one does, and says it in Russian."""

import json
import re
from html.parser import HTMLParser

import pytest

from retain.customers.checks.checks import CHECK_NAMES, audit
from retain.customers.checks.data_check import Folding
from retain.customers.customers import CleaningStep
from retain.execution.dataset import drop_non_finite
from retain.report.text.checks import caution_message, check_message, question, step_message
from retain.report.text.words import LANGUAGES, words

from ..trees import reading_trees

caution_message = reading_trees(caution_message)
check_message = reading_trees(check_message)
step_message = reading_trees(step_message)

VOID = {"meta", "link", "br", "hr", "img", "input", "col"}
PRODUCT = r"""
ROC AUC PR ECE EMPC SHAP PSI MLflow Python UTC seed git AUC log loss Average precision Brier phi
Permutation importance JavaScript verdict json retain Hennig Kull et al van den Goorbergh CatBoost
Platt Kernel Tree explainer Linear Kendall Cramer bootstrap BBC CV Hosmer Lemeshow sigmoid
calibration smote smotenc campaign consent assume given English
"""
"""Words of the product, of methods and of authors."""


class RussianTexts(HTMLParser):
    """The texts that a reader of the page in Russian sees, without names, code and pictures."""

    def __init__(self):
        super().__init__()
        self.open, self.texts = [], []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        classes = (given.get("class") or "").split()
        hidden = tag in ("script", "style", "code", "title", "option", "svg", "time", "pre")
        hidden = hidden or "en" in classes or ("name" in classes and "prose" not in classes)
        if tag in ("dd", "h1"):
            hidden = False
        if tag not in VOID:
            self.open.append((tag, hidden))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if data.strip() and not any(hidden for _, hidden in self.open):
            self.texts.append(data.strip())


def test_a_russian_page_has_no_english_sentence(verdict):
    reader = RussianTexts()
    reader.feed((verdict / "report.html").read_text(encoding="utf-8"))
    assert len(reader.texts) > 300
    assert any("снизил активность" in text for text in reader.texts)
    allowed = set(PRODUCT.split())
    english = [
        text
        for text in reader.texts
        if len([w for w in re.findall(r"[A-Za-z]{2,}", text) if w not in allowed]) > 2
    ]
    assert english == []


def test_every_check_and_caution_of_a_study_is_in_both_languages(verdict):
    tree = json.loads((verdict / "verdict.json").read_text(encoding="utf-8"))
    assert tree["checks"]
    for check in tree["checks"]:
        text = check_message(check)
        assert text is not None or check["outcome"] == "not_applicable", check
    for caution in tree["cautions"]:
        assert caution_message(caution) is not None, caution
    assert question(tree["question"]) is not None


def recorded(check):
    """A check as ``verdict.json`` has it."""
    values = json.loads(json.dumps(drop_non_finite(check.values)))
    return {"code": check.code, "outcome": check.outcome, "message": check.sentence} | {
        "values": values
    }


@pytest.mark.parametrize("shuffled", [True, False])
def test_the_translation_has_the_names_and_numbers_of_the_message(shop, shuffled):
    checks = audit(shop(200), Folding(is_shuffled=shuffled))
    assert [check.code for check in checks] == list(CHECK_NAMES)
    for check in checks:
        text = check_message(recorded(check))
        if check.outcome == "not_applicable":
            assert text is None
            continue
        shown = {name: words(name).plain(text) for name in LANGUAGES}
        english, russian = (re.findall(r"\d+", shown[name]) for name in LANGUAGES)
        assert sorted(english) == sorted(russian), check
        for name in re.findall(r"'(\w+)'", check.sentence):
            assert name in shown["ru"], check


@pytest.mark.parametrize(
    ("caution", "shown"),
    [
        (
            {"code": "dominant_feature", "feature": "visits", "share": 0.61},
            ("visits", "61"),
        ),
        ({"code": "suspicious_auc", "roc_auc": 0.991}, ("0,991",)),
        ({"code": "sealed_reopened", "n_accesses": 3}, ("3 раза",)),
        ({"code": "resampled_not_recalibrated", "sampler": "smote"}, ("smote",)),
        (
            {
                "code": "strong_feature",
                "outcome": "caution",
                "values": {"aucs": {"visits": 0.9321}, "others_auc": 0.7},
            },
            ("visits", "0,93", "0,70"),
        ),
        (
            {
                "code": "single_feature_auc",
                "outcome": "failed",
                "values": {"aucs": {"visits": 0.98}},
            },
            ("visits", "0,98", "разрешено"),
        ),
    ],
)
def test_a_caution_keeps_its_names_and_numbers_in_russian(caution, shown):
    text = words("ru").plain(caution_message({"message": "", **caution}))
    assert all(part in text for part in shown), text


@pytest.mark.parametrize(
    "caution",
    [
        {"code": "suspicious_auc"},
        {"code": "sealed_reopened", "n_accesses": "many"},
        {"code": "strong_feature", "outcome": "caution", "values": {}},
        {"code": "invented", "x": 1},
    ],
)
def test_a_message_with_other_values_stays_in_english(caution):
    assert caution_message({"message": "As recorded.", **caution}) is None


def test_the_reason_of_a_step_is_translated():
    step = CleaningStep("outlier", 10, 8, "a revenue above", values={"measure": "m", "times": 10.0})
    tree = {
        "name": step.name,
        "n_before": 10,
        "n_after": 8,
        "values": step.values,
        "reason": "as in English",
    }
    assert "выше медианы" in words("ru").plain(step_message(tree))
    assert "10" in words("ru").plain(step_message(tree))
    assert step_message(tree | {"name": "bad rows"}) is None
