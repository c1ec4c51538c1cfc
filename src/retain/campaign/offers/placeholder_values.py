"""A customer's values as text for placeholders of offers.

Values come from files and are untrusted: unprintable characters are removed, long values are
truncated, and the display must escape them as plain text.
"""

from __future__ import annotations

import math
import unicodedata

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.record.estimates import DisplayName

LANGUAGES = ("en", "ru")
MAX_CHARACTERS = 80
"""Largest number of characters of a value; a longer one ends in an ellipsis."""
SPACES = ("Cc", "Zl", "Zp")
INVISIBLE = ("Cf", "Cn", "Co", "Cs")
"""Unicode categories shown as a space (line ends, control characters) and removed (format marks,
surrogates, private and unassigned characters)."""


def sanitise(text: str) -> str:
    r"""Return ``text`` on one line with at most ``MAX_CHARACTERS`` visible characters.

    >>> sanitise("Home\n\t textiles\u202e "), len(sanitise("long " * 100))
    ('Home textiles', 80)
    """
    visible = "".join(map(_replace_invisible, text))
    line = " ".join(visible.split())
    return line if len(line) <= MAX_CHARACTERS else f"{line[: MAX_CHARACTERS - 1]}…"


def _replace_invisible(character: str) -> str:
    category = unicodedata.category(character)
    return "" if category in INVISIBLE else " " if category in SPACES else character


def format_number(value: float, language: str) -> str:
    r"""Return a finite number with three significant digits, and always whole units.

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
    """Return whether each customer has a printable value of a feature in both languages, (n,)."""
    values = audience.features[name]
    if pd.api.types.is_numeric_dtype(values):
        return np.asarray(np.isfinite(values.to_numpy(dtype=float)))
    codes, levels = pd.factorize(values)
    labels = [_level_name(name, level, audience) for level in levels]
    messages = [all(sanitise(getattr(label, one)) for one in LANGUAGES) for label in labels]
    return np.asarray(np.array([*messages, False])[codes])  # code -1 of a missing value is the last


def format_values(
    name: str, audience: Audience, rows: np.ndarray, language: str
) -> tuple[np.ndarray, list[str]]:
    """Return the texts of a feature's values for ``rows``, none of them missing.

    Returns
    -------
    Index of each row's text, shape (len(rows),), and the distinct texts.
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
