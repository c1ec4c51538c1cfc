"""Every text of ours, in English and in Russian, and the phrases that numbers are put into."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup, escape

from retain.report.text.numbers import Number, format_number

LANGUAGES = ("en", "ru")
CATALOGUES = ("words", "campaign_words")
"""Files of texts; each language has its own of each."""
SIGNED = ("change", "growth")
"""Forms of numbers that are written with their sign."""
FORMS = {"en": {"one", "many"}, "ru": {"one", "few", "many"}}
"""The plural forms of each language; ``n`` in a phrase chooses among them."""

UNBROKEN = Markup('<span class="unbroken">ROC-AUC</span>')

UNLINED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
"""What would break a line, or turn the direction of all that follows."""


@dataclass(frozen=True)
class Label:
    """A display name in each language."""

    en: str
    ru: str

    def text(self, language: str) -> str:
        r"""Return the name on one line.

        >>> Label("Pages\na visit", "Страниц за визит").text("en")
        'Pages a visit'
        """
        return UNLINED.sub(" ", {"en": self.en, "ru": self.ru}[language])

    def html(self, language: str) -> Markup:
        """Return the name as an element, which keeps its direction of writing to itself."""
        return Markup('<bdi class="name">{}</bdi>').format(self.text(language))


@dataclass(frozen=True)
class Message:
    """A text of the catalogue with what is put into it, before it is in any language."""

    key: str
    values: Mapping[str, Any]


def message(key: str, /, **values: Any) -> Message:
    """Return a phrase: a key of the catalogue and what its placeholders stand for.

    A value may be a text, a ``Number``, a ``Label``, another phrase, or a sequence of them.
    """
    return Message(key, values)


def interval(low: float | None, high: float | None, form: str) -> Message:
    """Return an interval as a phrase: joined by a dash, or by "to" where an end has a sign.

    >>> print(words("en").plain(interval(0.81, 0.86, "score")))
    0.810–0.860
    >>> print(words("ru").plain(interval(-0.069, 0.006, "change")))
    от −0,069 до +0,006
    """
    signed = form in SIGNED or min(low or 0, high or 0) < 0
    key = "interval.signed" if signed else "interval.plain"
    return message(key, low=Number(low, form), high=Number(high, form))


@dataclass(frozen=True)
class TextCatalogue:
    """The catalogue in one language."""

    language: str
    texts: Mapping[str, str | Mapping[str, str]]

    def html(self, said: Message) -> Markup:
        """Return a phrase as markup: texts escaped, numbers marked.

        >>> print(words("ru").html(message("answer.gate_passed")))
        порог качества пройден по каждой метрике
        """
        template = escape(self._form(said)).replace("ROC-AUC", UNBROKEN)
        return template.format(**{name: self._html(value) for name, value in said.values.items()})

    def plain(self, said: Message) -> str:
        """Return a phrase as text, for pictures and attributes."""
        values = {name: self._plain(value) for name, value in said.values.items()}
        return self._form(said).format(**values)

    def partial_message(self, said: Message, left: str) -> Callable[..., str]:
        """Return a phrase as text but for one placeholder, as a function of the text put there.

        >>> said = message("answer.miss", metric="ROC-AUC", value="", threshold="0.9", by="0.1")
        >>> words("en").partial_message(said, "value")(value="0.8")
        'ROC-AUC is 0.8, the threshold is 0.9, missed by 0.1'
        """
        values = {k: self._plain(value) for k, value in said.values.items() if k != left}
        return partial(self._form(said).format, **values)

    def _form(self, said: Message) -> str:
        text = self.texts[said.key]
        return (
            text if isinstance(text, str) else text[plural(said.values["n"].value, self.language)]
        )

    def _html(self, value: Any) -> Markup:
        if isinstance(value, Message):
            return self.html(value)
        if isinstance(value, Number | Label):
            return value.html(self.language)
        if isinstance(value, Sequence) and not isinstance(value, str):
            return Markup(", ").join(self._html(one) for one in value)
        return escape(value)

    def _plain(self, value: Any) -> str:
        if isinstance(value, Message):
            return self.plain(value)
        if isinstance(value, Number):
            return format_number(value.value, value.form, self.language)
        if isinstance(value, Label):
            return value.text(self.language)
        if isinstance(value, Sequence) and not isinstance(value, str):
            return ", ".join(self._plain(one) for one in value)
        return str(value)


def plural(count: int, language: str) -> str:
    """Return the plural form of a noun after a count.

    >>> [plural(n, "ru") for n in (1, 2, 5, 11, 21, 22, 111)]
    ['one', 'few', 'many', 'many', 'one', 'few', 'many']
    >>> [plural(n, "en") for n in (0, 1, 2)]
    ['many', 'one', 'many']
    """
    if language == "en":
        return "one" if count == 1 else "many"
    tens, units = count % 100, count % 10
    if units == 1 and tens != 11:
        return "one"
    return "few" if 2 <= units <= 4 and not 12 <= tens <= 14 else "many"


@cache
def words(language: str) -> TextCatalogue:
    """Return the catalogue of a language, from its ``CATALOGUES``."""
    files = [Path(__file__).parent / f"{name}_{language}.yaml" for name in CATALOGUES]
    trees = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
    return TextCatalogue(language, dict(text for tree in trees for text in _flat(tree)))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str | Mapping[str, str]]]:
    found: list[tuple[str, str | Mapping[str, str]]] = []
    for key, value in tree.items():
        if isinstance(value, str) or "many" in value:
            found.append((f"{prefix}{key}", value))
        else:
            found += _flat(value, f"{prefix}{key}.")
    return found


def render_all_languages(said: Message) -> Markup:
    """Return a phrase in every language, of which the page shows one."""
    return Markup("").join(
        Markup('<span class="{0}" lang="{0}">{1}</span>').format(name, words(name).html(said))
        for name in LANGUAGES
    )


def has_text(key: str) -> bool:
    """Return whether the catalogue has a text for this key."""
    return key in words("en").texts
