"""The catalogue of texts in English and Russian, and messages with placeholders."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup, escape

from retain.record.estimates import DisplayName
from retain.report.text.amounts import Amounts, amounts, texts_about
from retain.report.text.numbers import Number, format_number
from retain.schema.names import Translated
from retain.verdict.headings import CODES
from retain.wording import BIDI_CONTROLS, MINUS

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LANGUAGES = ("en", "ru")
CATALOGUES = ("words", "campaign_words", "trial_words", "tree_words", "dashboard_words")
"""Names of the text files of each language."""
SIGNED = ("change", "growth")
"""Formats of signed numbers."""
FORMS = {"en": {"one", "many"}, "ru": {"one", "few", "many"}}
"""Plural forms of each language, chosen by the placeholder ``n``."""

UNBROKEN = Markup('<span class="unbroken">ROC-AUC</span>')

UNLINED = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{BIDI_CONTROLS}]+")
"""Line breaks, control characters and changes of writing direction."""


Values = dict[str, Any]
"""The values of placeholders by name: texts, numbers, labels and messages."""


def on_one_line(name: DisplayName | Translated, language: str) -> str:
    r"""Return a name or a text on one line.

    >>> on_one_line(DisplayName("Pages\na visit", "Страниц за визит"), "en")
    'Pages a visit'
    """
    return UNLINED.sub(" ", name.text(language))


def format_name(name: DisplayName | Translated, language: str) -> Markup:
    """Return a name as an element isolated from the surrounding writing direction."""
    return Markup('<bdi class="name">{}</bdi>').format(on_one_line(name, language))


@dataclass(frozen=True)
class Message:
    """A key of the catalogue with the values of its placeholders."""

    key: str
    values: Mapping[str, Any]


def message(key: str, /, **values: Any) -> Message:
    """Return a message of a key and its placeholders.

    A value may be a text, a ``Number``, a ``DisplayName``, a message, or a sequence of them.
    """
    return Message(key, values)


def interval(low: float | None, high: float | None, form: str) -> Message:
    """Return an interval as a message, with a dash, or with "to" if an end has a sign.

    >>> print(words("en").plain(interval(0.81, 0.86, "score")))
    0.810–0.860
    >>> print(words("ru").plain(interval(-0.069, 0.006, "change")))
    от −0,069 до +0,006
    >>> print(words("en").plain(interval(-0.0001, 0.86, "score")))
    0.000–0.860
    """
    ends = (format_number(end, form, "en") for end in (low, high))
    is_signed = form in SIGNED or any(end.startswith(MINUS) for end in ends)
    key = "interval.signed" if is_signed else "interval.plain"
    return message(key, low=Number(low, form), high=Number(high, form))


@dataclass(frozen=True)
class TextCatalogue:
    """The catalogue in one language."""

    language: str
    texts: Mapping[str, str | Mapping[str, str]]

    def html(self, msg: Message) -> Markup:
        """Return a message as markup, with texts escaped and numbers marked.

        >>> print(words("ru").html(message("answer.gate_passed")))
        порог качества пройден по каждой метрике
        """
        template = escape(self._form(msg)).replace("ROC-AUC", UNBROKEN)
        return template.format(**{name: self._html(value) for name, value in msg.values.items()})

    def plain(self, msg: Message) -> str:
        """Return a message as plain text, for pictures and attributes."""
        values = {name: self._plain(value) for name, value in msg.values.items()}
        return self._form(msg).format(**values)

    def partial_message(self, msg: Message, left: str) -> Callable[..., str]:
        """Return a function from the text of the placeholder ``left`` to the message's text.

        >>> miss = message("answer.miss", metric="ROC-AUC", value="", threshold="0.9", by="0.1")
        >>> words("en").partial_message(miss, "value")(value="0.8")
        'ROC-AUC is 0.8, the threshold is 0.9, missed by 0.1'
        """
        values = {k: self._plain(value) for k, value in msg.values.items() if k != left}
        return partial(self._form(msg).format, **values)

    def _form(self, msg: Message) -> str:
        text = self.texts[msg.key]
        return text if isinstance(text, str) else text[plural(msg.values["n"].value, self.language)]

    def _html(self, value: Any) -> Markup:
        if isinstance(value, Message):
            return self.html(value)
        if isinstance(value, Number):
            return value.html(self.language)
        if isinstance(value, DisplayName | Translated):
            return format_name(value, self.language)
        if isinstance(value, Sequence) and not isinstance(value, str):
            return Markup(", ").join(self._html(one) for one in value)
        return escape(value)

    def _plain(self, value: Any) -> str:
        if isinstance(value, Message):
            return self.plain(value)
        if isinstance(value, Number):
            return format_number(value.value, value.form, self.language)
        if isinstance(value, DisplayName | Translated):
            return on_one_line(value, self.language)
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


def words(language: str) -> TextCatalogue:
    """Return the catalogue of a language; within ``naming_money`` it names the amounts."""
    return _catalogue(language, amounts())


@cache
def _catalogue(language: str, about: Amounts) -> TextCatalogue:
    files = [Path(__file__).parent / f"{name}_{language}.yaml" for name in CATALOGUES]
    trees = [yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER) for file in files]  # noqa: S506 - a safe one
    texts = dict(text for tree in trees for text in _flatten(tree))
    texts |= {f"channel.{code}": name.text(language) for code, name in CODES["channel"].items()}
    return TextCatalogue(language, texts_about(texts, about, language))


def _flatten(
    tree: Mapping[str, Any], prefix: str = ""
) -> list[tuple[str, str | Mapping[str, str]]]:
    texts: list[tuple[str, str | Mapping[str, str]]] = []
    for key, value in tree.items():
        if isinstance(value, str) or "many" in value:
            texts.append((f"{prefix}{key}", value))
        else:
            texts += _flatten(value, f"{prefix}{key}.")
    return texts


def render_all_languages(msg: Message) -> Markup:
    """Return a message in every language; the page shows one."""
    return Markup("").join(
        Markup('<span class="{0}" lang="{0}">{1}</span>').format(name, words(name).html(msg))
        for name in LANGUAGES
    )


def has_text(key: str) -> bool:
    """Return whether the catalogue has a text for this key."""
    return key in words("en").texts
