"""A customer's own values as a text to that customer has them.

Values come from files and are trusted in nothing: what cannot be printed is left out, a long one
is cut, and whoever shows a text escapes it as plain text.
"""

from __future__ import annotations

import math
import unicodedata

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.customers.customers import DisplayName

LANGUAGES = ("en", "ru")
MAX_CHARACTERS = 80
"""Characters of one value; a longer one ends in an ellipsis."""
SPACES = ("Cc", "Zl", "Zp")
INVISIBLE = ("Cf", "Cn", "Co", "Cs")
"""Unicode categories that are shown as a space, and not at all: line ends and control characters;
marks that turn or hide text, halves of characters, what has no agreed meaning."""


def sanitise(text: str) -> str:
    r"""``text`` on one line, at most ``MAX_CHARACTERS`` characters, all of them to be seen.

    >>> sanitise("Home\n\t textiles\u202e "), len(sanitise("long " * 100))
    ('Home textiles', 80)
    """
    seen = "".join(map(_is_visible, text))
    words = " ".join(seen.split())
    return words if len(words) <= MAX_CHARACTERS else f"{words[: MAX_CHARACTERS - 1]}…"


def _is_visible(character: str) -> str:
    category = unicodedata.category(character)
    return "" if category in INVISIBLE else " " if category in SPACES else character


def format_number(value: float, language: str) -> str:
    r"""Return a finite number for people: three digits that matter, whole units always.

    >>> format_number(0.8949, "en"), format_number(13.0, "en"), format_number(5249.8, "en")
    ('0.895', '13', '5,250')
    >>> format_number(-0.8949, "ru"), format_number(5249.8, "ru") == "5\u202f250"
    ('−0,895', True)
    """
    size = abs(value)
    if size < 1e-6:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(size)))
    text = f"{value:.2e}" if size >= 1e15 else f"{value:,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
    text = text.replace("-", "−")
    return text if language == "en" else text.replace(",", "\u202f").replace(".", ",")


def is_available(name: str, audience: Audience) -> np.ndarray:
    """Return whether a feature can be told to each customer, in either language, shape (n,)."""
    values = audience.features[name]
    if pd.api.types.is_numeric_dtype(values):
        return np.asarray(np.isfinite(values.to_numpy(dtype=float)))
    codes, levels = pd.factorize(values)
    called = [_level_name(name, level, audience) for level in levels]
    messages = [all(sanitise(getattr(label, one)) for one in LANGUAGES) for label in called]
    return np.asarray(np.array([*messages, False])[codes])  # -1, of a value not known, is the last


def format_values(
    name: str, audience: Audience, rows: np.ndarray, language: str
) -> tuple[np.ndarray, list[str]]:
    """Return the texts of a feature's values for ``rows``, none of them missing.

    Returns
    -------
    Place of each one's text among the texts, shape (len(rows),), and the texts.
    """
    values = audience.features[name].iloc[rows]
    if pd.api.types.is_numeric_dtype(values):
        codes, distinct = pd.factorize(values.to_numpy(dtype=float))
        return codes, [format_number(value, language) for value in distinct.tolist()]
    codes, levels = pd.factorize(values)
    called = [getattr(_level_name(name, level, audience), language) for level in levels]
    return codes, [sanitise(text) for text in called]


def _level_name(feature: str, level: object, audience: Audience) -> DisplayName:
    return audience.columns[feature].level(str(level))
