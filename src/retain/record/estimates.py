"""Small nouns of every document: a name in both languages, and a number with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DisplayName:
    """A name in both languages of the report."""

    en: str
    ru: str

    @classmethod
    def of(cls, name: str | DisplayName) -> DisplayName:
        """Return a text as the name in both languages; a name unchanged."""
        return cls(name, name) if isinstance(name, str) else name

    def text(self, language: str) -> str:
        """Return the name in a language.

        >>> DisplayName("Pages", "Страниц").text("ru")
        'Страниц'
        """
        return {"en": self.en, "ru": self.ru}[language]


@dataclass(frozen=True)
class PartialEstimate:
    """A number with its interval, None as far as too few customers or runs give one."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Estimate(PartialEstimate):
    """A number with both ends of its interval, 95 % unless a level is named."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Effect:
    """An effect size with its 95 % interval.

    ``cliffs_delta`` is within [−1, 1] and positive if the first group has higher values;
    ``cramers_v`` is within [0, 1]; ``difference_of_shares`` within [−1, 1].
    """

    measure: Literal["cliffs_delta", "cramers_v", "difference_of_shares"]
    value: float
    low: float
    high: float
