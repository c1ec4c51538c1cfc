"""The format of counts, signed numbers and intervals in sentences and tables.

The page writes them in two languages by the same rules: ``report.text.words.interval``.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Any

MINUS = "\N{MINUS SIGN}"
BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Characters that turn the writing direction."""
EXACT = Context(prec=400)
POWERS = [float(f"1e{power}") for power in range(-6, 16)]
"""Numbers between the first and the last one are written without a power of ten."""
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def show_bidi_controls(text: str) -> str:
    r"""Return a text whose characters that turn the writing direction are shown as escapes.

    Such a character would put the text after it, and numbers beside it, in another order.

    >>> show_bidi_controls("gnp.\u202eexe")
    'gnp.\\u202eexe'
    """
    for letter in BIDI_CONTROLS if not text.isascii() else "":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def describe_count(count: int, noun: str, plural: str = "") -> str:
    """Return a number of things, the noun in the singular for one.

    >>> describe_count(1, "run"), describe_count(1296, "run"), describe_count(0, "entry", "entries")
    ('1 run', '1,296 runs', '0 entries')
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def format_fixed(value: float, digits: int, sign: str = "") -> str:
    """Return a number with fixed digits, halves rounded away from zero as by ``toFixed``."""
    scaled = abs(value) * 10**digits
    if (
        scaled < 2**50 and scaled % 1 != 0.5
    ):  # no half, so all roundings agree and floats are faster
        return f"{value:{sign},.{digits}f}"
    step = Decimal(1).scaleb(-digits)
    rounded = Decimal(value).quantize(step, ROUND_HALF_UP, EXACT)
    return f"{rounded:{sign},.{digits}f}"


def format_significant(value: float, digits: int = 3) -> str:
    """Return a number with ``digits`` significant digits, or all of its whole part.

    >>> [format_significant(value) for value in (0.0123456, 1234.5, -2.50, 1e17)]
    ['0.0123', '1,235', '-2.5', '1×10¹⁷']
    """
    place = bisect_right(POWERS, abs(value))
    if value == 0 or 0 < place < len(POWERS):
        return _trimmed(format_fixed(value, max(0, digits + 6 - place)))
    rounded = Context(prec=digits, rounding=ROUND_HALF_UP).create_decimal(value)
    number, _, power = f"{rounded:e}".partition("e")
    return f"{_trimmed(number)}×10{str(int(power)).translate(RAISED)}"


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_p(p: float) -> str:
    """Return a p-value with three decimals.

    >>> format_p(0.0316), format_p(3.8e-31)
    ('0.032', '<0.001')
    """
    return "<0.001" if p < 0.001 else format_fixed(p, 3)


def money_digits(values: Iterable[float | None]) -> int:
    """Return the decimals of all amounts of a column: at least three digits of the largest.

    >>> money_digits([1056.4, 9.31, None]), money_digits([0.5, -0.02]), money_digits([0])
    (0, 3, 0)
    """
    largest = max((abs(one) for one in values if one is not None), default=0.0)
    digits = 2 - math.floor(math.log10(largest)) if largest > 0 else 0
    return min(max(digits, 0), 6)


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
    >>> format_interval(-0.2, 50.1, ".0f")
    '0–50'
    """
    ends = format_signed(low, form), format_signed(high, form)
    is_signed = "+" in form or any(end.startswith(MINUS) for end in ends)
    return (" to " if is_signed else "–").join(ends)


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
