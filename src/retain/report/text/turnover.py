"""Texts of a campaign whose amounts are turnover, because no margin is typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from retain.record.campaign_document import CampaignDocument
from retain.record.verdict_document import VerdictDocument

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
_IS_TURNOVER: ContextVar[bool] = ContextVar("is_turnover", default=False)


@contextmanager
def naming_money(verdict: VerdictDocument) -> Iterator[None]:
    """Call the amounts of a verdict turnover within the context, if they are."""
    campaign = verdict.campaign
    token = _IS_TURNOVER.set(isinstance(campaign, CampaignDocument) and campaign.is_turnover)
    try:
        yield
    finally:
        _IS_TURNOVER.reset(token)


def names_turnover() -> bool:
    """Return whether amounts are called turnover here."""
    return _IS_TURNOVER.get()


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
