"""Amounts are called turnover until a margin makes them profit."""

import re

import pytest

from retain.report.page.page import page
from retain.report.text.turnover import KEPT, naming_money
from retain.report.text.words import words


def sentences(language):
    texts = words(language).texts
    for key, text in texts.items():
        if not key.startswith(KEPT):
            yield from ((key, one) for one in ([text] if isinstance(text, str) else text.values()))


@pytest.mark.parametrize(("language", "profit"), [("en", r"(?<!{)\bprofit\b"), ("ru", "прибыл")])
def test_no_sentence_about_turnover_says_profit(language, profit):
    with naming_money({"campaign": {"is_turnover": True}}):
        wrong = [key for key, text in sentences(language) if re.search(profit, text, re.IGNORECASE)]
    assert wrong == []
    assert any(re.search(profit, text) for _, text in sentences(language))


def test_the_page_of_a_plan_in_turnover_says_so(tree):
    campaign = tree["campaign"]
    campaign |= {"is_turnover": True, "cautions": [{"code": "turnover", "unit": "roubles"}]}
    text = page({**tree, "campaign": campaign}, "en")
    assert "All amounts are turnover, not profit" in text
    assert "Saved turnover" in text
    assert "Saved profit" not in text
    assert "Saved profit" in page({**tree, "campaign": {**campaign, "is_turnover": False}}, "en")
