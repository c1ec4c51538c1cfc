"""The one way to write a number: in either language, and marked with the value it stands for.

A page that shows ``<data value="0.9171">0.917</data>`` can be held against ``verdict.json``
number by number. ``script/numbers.js`` writes the same forms.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import partial

from markupsafe import Markup

MINUS, NARROW, ABSENT = "−", "\u202f", "—"
EXACT = Context(prec=400)
POWERS = [float(f"1e{power}") for power in range(-6, 16)]
"""Between the first and the last of them a number is written without a power of ten."""
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _fixed(value: float, digits: int, sign: str = "") -> str:
    """Halves rounded away from zero, as a browser's ``toFixed`` does."""
    scaled = abs(value) * 10**digits
    if scaled < 2**50 and scaled % 1 != 0.5:  # no half: all roundings agree, and floats are quicker
        return f"{value:{sign},.{digits}f}"
    step = Decimal(1).scaleb(-digits)
    rounded = Decimal(value).quantize(step, ROUND_HALF_UP, EXACT)
    return f"{rounded:{sign},.{digits}f}"


def _plain(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _value(value: float, digits: int) -> str:
    """So many significant digits, more only where whole units need them; no idle zeros."""
    place = bisect_right(POWERS, abs(value))
    if value == 0 or 0 < place < len(POWERS):
        return _trimmed(_fixed(value, max(0, digits + 6 - place)))
    rounded = Context(prec=digits, rounding=ROUND_HALF_UP).create_decimal(value)
    number, _, power = f"{rounded:e}".partition("e")
    return f"{_trimmed(number)}×10{str(int(power)).translate(RAISED)}"


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _share(value: float) -> str:
    """In whole per cent; finer where that would make nobody of few, or all of most."""
    percent = 100 * value
    fine = (at for at in range(12) if float(_fixed(percent, at)) not in (0, 100))
    places = next(fine, 12) if 0 < percent < 100 else 0
    return f"{_fixed(percent, places)}{NARROW}%"


VALUES = {
    "value": partial(_value, digits=3),
    **{f"value_{digits}": partial(_value, digits=digits) for digits in range(4, 18)},
}
"""A value in its own unit, in ever more digits: the last tells any two floats apart."""
FORMS: dict[str, Callable[[float], str]] = {
    "score": lambda value: _fixed(value, 3),
    "fine": lambda value: _fixed(value, 4),
    "change": lambda value: _fixed(value, 3, "+"),
    "growth": lambda value: _fixed(100 * value, 0, "+") + f"{NARROW}%",
    "deviations": lambda value: _fixed(value, 1),
    "p": lambda value: "<0.001" if value < 0.001 else _fixed(value, 3),
    "p_is": lambda value: "< 0.001" if value < 0.001 else "= " + _fixed(value, 3),
    "count": lambda value: _fixed(value, 0),
    "percent": lambda value: _fixed(100 * value, 0) + f"{NARROW}%",
    "points": lambda value: _fixed(100 * value, 1),
    "plain": _plain,
    "money": partial(_value, digits=3),
    "times": lambda value: _fixed(value, 2),
    "seconds": lambda value: _fixed(value, 1),
    "share": _share,
    **{f"money_{digits}": partial(_fixed, digits=digits) for digits in range(7)},
    **VALUES,
}
"""What a number is, and how it is written in English."""


def format_number(value: float | None, form: str, language: str) -> str:
    """Return a number as text, by ``FORMS``; Russian with comma and thin space.

    >>> format_number(0.91749, "score", "en"), format_number(-0.0123, "change", "ru")
    ('0.917', '−0,012')
    >>> format_number(-0.0001, "change", "en"), format_number(None, "score", "en")
    ('0.000', '—')
    """
    if value is None or not math.isfinite(value):
        return ABSENT
    return _localise(FORMS[form](value), language)


def money_form(values: Iterable[float | None]) -> str:
    """Return the form of all amounts of a column: three digits of the largest, never fewer.

    >>> money_form([1056.4, 9.31, None]), money_form([0.5, -0.02])
    ('money_0', 'money_3')
    """
    largest = max((abs(one) for one in values if one is not None), default=0.0)
    digits = 2 - math.floor(math.log10(largest)) if largest > 0 else 0
    return f"money_{min(max(digits, 0), 6)}"


def scale(
    values: Sequence[float], language: str, *, signed: bool = False, grouped: bool = False
) -> list[str]:
    """Numbers of one scale, all with as many decimals as the finest of them needs.

    >>> scale([0.86, 0.9, 0.94], "en"), scale([-0.5, 0, 0.5], "ru", signed=True)
    (['0.86', '0.90', '0.94'], ['−0,5', '0,0', '+0,5'])
    >>> scale([0, 2500], "en", grouped=True)
    ['0', '2,500']
    """
    digits = max((len(_plain(value).partition(".")[2]) for value in values), default=0)
    how = f"{'+' if signed else ''}{',' if grouped else ''}.{digits}f"
    return [_localise(f"{value:{how}}", language) for value in values]


def _localise(text: str, language: str) -> str:
    """Return an English number with a true minus, none before zero, in the language's own marks."""
    if not any(digit in text for digit in "123456789"):
        text = text.lstrip("+-")
    text = text.replace("-", MINUS)
    return text if language == "en" else text.replace(",", NARROW).replace(".", ",")


@dataclass(frozen=True)
class Number:
    """A number of the verdict on its way into a page.

    Attributes
    ----------
    value
        As the verdict has it; None shows as a dash.
    form
        One of ``FORMS``.
    counted
        Where the verdict does not hold the number itself but the things it counts: their path,
        as ``tied`` or ``not_in_the_leaderboard[state=failed]``.
    """

    value: float | None
    form: str
    counted: str = ""

    def html(self, language: str) -> Markup:
        """Return the number as a ``data`` element.

        >>> print(Number(0.91749, "score").html("ru"))
        <data value="0.91749" data-form="score">0,917</data>
        """
        text = format_number(self.value, self.form, language)
        if text == ABSENT:
            return Markup("{}").format(text)
        if self.counted:
            return Markup('<data value="{}" data-form="{}" data-counted="{}">{}</data>').format(
                self.value, self.form, self.counted, text
            )
        return Markup('<data value="{}" data-form="{}">{}</data>').format(
            self.value, self.form, text
        )


def count_path(things: int, path: str) -> Number:
    """Return the number of things the verdict holds at ``path``."""
    return Number(things, "count", path)
