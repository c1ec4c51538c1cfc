"""Amounts are called turnover until a margin makes them profit."""

import re

import pytest

from retain.record.verdict_document import VerdictDocument
from retain.report.page.page import page
from retain.report.text.amounts import KEPT, naming_money
from retain.report.text.words import words

from ..trees import read_as


def sentences(language):
    texts = words(language).texts
    for key, text in texts.items():
        if not key.startswith(KEPT):
            yield from ((key, one) for one in ([text] if isinstance(text, str) else text.values()))


def in_turnover(tree, *, is_turnover=True):
    caution = [{"code": "turnover", "unit": "roubles"}] if is_turnover else []
    campaign = {**tree["campaign"], "is_turnover": is_turnover, "cautions": caution}
    return read_as(VerdictDocument, {**tree, "campaign": campaign})


@pytest.mark.parametrize(("language", "profit"), [("en", r"(?<!{)\bprofit\b"), ("ru", "прибыл")])
def test_no_sentence_about_turnover_says_profit(tree, language, profit):
    with naming_money(in_turnover(tree)):
        wrong = [key for key, text in sentences(language) if re.search(profit, text, re.IGNORECASE)]
    assert wrong == []
    assert any(re.search(profit, text) for _, text in sentences(language))


def test_the_page_of_a_plan_in_turnover_says_so(tree):
    text = page(in_turnover(tree), "en")
    assert "All amounts are turnover, not profit" in text
    assert "Saved turnover" in text
    assert "Saved profit" not in text
    assert "Saved profit" in page(in_turnover(tree, is_turnover=False), "en")


# After a preposition the noun has another case: by profit, "по прибыли", is "по выручке".
def test_turnover_in_russian_has_the_case_of_profit(tree):
    with naming_money(in_turnover(tree)):
        texts = [text for _, text in sentences("ru")]
    assert "Клиенты по риску и выручке" in texts
    wrong = r"\b(?:о|к|по|по риску и) выручки\b|\b(?:на|или|его|их) выручка\b"
    assert [text for text in texts if re.search(wrong, text)] == []
