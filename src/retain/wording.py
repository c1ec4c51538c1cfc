"""The format of counts, signed numbers and intervals in sentences and tables.

The page writes them in two languages by the same rules: ``report.text.words.interval``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

MINUS = "\N{MINUS SIGN}"


def describe_count(count: int, noun: str, plural: str = "") -> str:
    """Return a number of things, the noun in the singular for one.

    >>> describe_count(1, "run"), describe_count(1296, "run"), describe_count(0, "entry", "entries")
    ('1 run', '1,296 runs', '0 entries')
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def format_signed(value: float, form: str = "+.3f") -> str:
    """Return a number with a true minus, and with no sign where it is rounded to zero.

    >>> format_signed(-0.0304), format_signed(-0.0001), format_signed(-2, ",.0f")
    ('−0.030', '0.000', '−2')
    """
    text = f"{value:{form}}"
    if not any(digit in text for digit in "123456789"):
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def format_interval(low: float, high: float, form: str = ".3f") -> str:
    """Return an interval: joined by a dash, or by "to" where an end has a sign.

    >>> format_interval(0.8774, 0.9453), format_interval(-0.069, 0.006, "+.3f")
    ('0.877–0.945', '−0.069 to +0.006')
    """
    ends = format_signed(low, form), format_signed(high, form)
    signed = "+" in form or low < 0
    return (" to " if signed else "–").join(ends)


def to_frequency(share: float) -> tuple[int, int]:
    """Return a probability as a natural frequency: so many of so many (Gigerenzer & Hoffrage 1995).

    >>> to_frequency(0.8), to_frequency(0.95), to_frequency(0.873)
    ((4, 5), (19, 20), (873, 1000))
    """
    return Fraction(share).limit_denominator(1000).as_integer_ratio()


def format_ci(low: float, high: float, form: str = ".3f") -> str:
    """Return a confidence interval with its level.

    >>> format_ci(0.8774, 0.9453)
    '95 % CI 0.877–0.945'
    """
    return f"95 % CI {format_interval(low, high, form)}"


def format_value(value: Any) -> str:
    """Return a config value as one types it.

    >>> [format_value(value) for value in (True, None, 0.5, "svc")]
    ['true', 'null', '0.5', 'svc']
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
