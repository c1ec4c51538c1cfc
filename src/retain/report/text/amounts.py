"""Names of a campaign's amounts: profit, turnover, or customers kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from retain.record.verdict_document import VerdictDocument


Text = str | Mapping[str, str]
"""A text, or one for each plural form."""
_RULES = {
    "en": ((r"(?<![{.])\bprofit\b(?!})", "turnover"), (r"\bProfit\b", "Turnover")),
    "ru": (
        (r"\b(о|к|риску и) прибыли\b", r"\1 выручке"),
        (r"\b(его|их|на|или) прибыль\b", r"\1 выручку"),
        (r"\bприбыль\b", "выручка"),
        (r"\bприбыли\b", "выручки"),
        (r"\bПрибыль\b", "Выручка"),
        (r"\bПрибыли\b", "Выручки"),
    ),
}
"""Replacements by language; both Russian nouns are feminine, so the adjectives stay."""
KEPT = ("campaign.unplanned.", "caution.turnover", "assumption.margin", "check.", "column.empc")
"""Beginnings of keys whose texts mean profit: what a campaign asks for, and the margin's own."""
COUNTED = "counted."
"""Beginning of the keys of texts that stand in for others where each customer counts as one."""
Amounts = Literal["profit", "turnover", "customers"]
_AMOUNTS: ContextVar[Amounts] = ContextVar("amounts", default="profit")


@contextmanager
def naming_money(verdict: VerdictDocument) -> Iterator[None]:
    """Call the amounts of a verdict by what they are within the context."""
    from retain.record.campaign_document import CampaignDocument  # runs do without it

    campaign = verdict.campaign
    found: Amounts = "profit"
    if isinstance(campaign, CampaignDocument):
        found = "turnover" if campaign.is_turnover else campaign.objective
    token = _AMOUNTS.set(found)
    try:
        yield
    finally:
        _AMOUNTS.reset(token)


def amounts() -> Amounts:
    """Return what amounts are here."""
    return _AMOUNTS.get()


def texts_about(texts: Mapping[str, Text], amounts: Amounts, language: str) -> dict[str, Text]:
    """Return the texts of a catalogue by key, about these amounts."""
    if amounts == "customers":
        counted = {k.removeprefix(COUNTED): v for k, v in texts.items() if k.startswith(COUNTED)}
        return {**texts, **counted}
    if amounts == "turnover":
        return {key: _about_turnover(key, text, language) for key, text in texts.items()}
    return dict(texts)


def _about_turnover(key: str, text: Text, language: str) -> Text:
    if key.startswith(KEPT):
        return text
    if isinstance(text, str):
        return say_turnover(text, language)
    return {form: say_turnover(one, language) for form, one in text.items()}


def say_turnover(text: str, language: str) -> str:
    """Return a text about profit as one about turnover.

    >>> say_turnover("Profit at risk: check their profit, the most profitable first", "en")
    'Turnover at risk: check their turnover, the most profitable first'
    >>> say_turnover("Нет данных о прибыли; проверьте их прибыль: ожидаемая прибыль", "ru")
    'Нет данных о выручке; проверьте их выручку: ожидаемая выручка'
    """
    for pattern, replacement in _RULES[language]:
        text = re.sub(pattern, replacement, text)
    return text
