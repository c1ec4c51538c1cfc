"""Numbers as text in either language, marked with their exact value.

A page that shows ``<data value="0.9171">0.917</data>`` can be checked against ``verdict.json``
number by number. ``script/numbers.js`` writes the same forms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from retain.wording import MINUS, format_fixed, format_p, format_significant, money_digits

NARROW, ABSENT = "\u202f", "—"


def _plain(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _share(value: float) -> str:
    """Return a share in whole per cent, with decimals if it would round to 0 or 100."""
    percent = 100 * value
    fine = (at for at in range(12) if float(format_fixed(percent, at)) not in (0, 100))
    places = next(fine, 12) if 0 < percent < 100 else 0
    return f"{format_fixed(percent, places)}{NARROW}%"


VALUES = {
    "value": partial(format_significant, digits=3),
    **{f"value_{digits}": partial(format_significant, digits=digits) for digits in range(4, 18)},
}
"""Formats of a value with more and more digits; the last distinguishes any two floats."""
FORMS: dict[str, Callable[[float], str]] = {
    "score": lambda value: format_fixed(value, 3),
    "fine": lambda value: format_fixed(value, 4),
    "change": lambda value: format_fixed(value, 3, "+"),
    "growth": lambda value: format_fixed(100 * value, 0, "+") + f"{NARROW}%",
    "deviations": lambda value: format_fixed(value, 1),
    "p": format_p,
    "p_is": lambda value: "< 0.001" if value < 0.001 else "= " + format_fixed(value, 3),
    "count": lambda value: format_fixed(value, 0),
    "whole": lambda value: format_fixed(math.floor(value), 0),
    "percent": lambda value: format_fixed(100 * value, 0) + f"{NARROW}%",
    "points": lambda value: format_fixed(100 * value, 1),
    "points_2": lambda value: format_fixed(100 * value, 2),
    "plain": _plain,
    "money": partial(format_significant, digits=3),
    "times": lambda value: format_fixed(value, 2),
    "seconds": lambda value: format_fixed(value, 1),
    "share": _share,
    **{f"money_{digits}": partial(format_fixed, digits=digits) for digits in range(7)},
    **VALUES,
}
"""Formats of numbers in English."""


def format_number(value: float | None, form: str, language: str) -> str:
    """Return a number as text by ``FORMS``, Russian with comma and thin space.

    >>> format_number(0.91749, "score", "en"), format_number(-0.0123, "change", "ru")
    ('0.917', '−0,012')
    >>> format_number(-0.0001, "change", "en"), format_number(None, "score", "en")
    ('0.000', '—')
    """
    if value is None or not math.isfinite(value):
        return ABSENT
    return _localise(FORMS[form](value), language)


def money_form(values: Iterable[float | None]) -> str:
    """Return the form of all amounts of a column: at least three digits of the largest.

    >>> money_form([1056.4, 9.31, None]), money_form([0.5, -0.02])
    ('money_0', 'money_3')
    """
    return f"money_{money_digits(values)}"


def scale(
    values: Sequence[float], language: str, *, signed: bool = False, grouped: bool = False
) -> list[str]:
    """Return the numbers of a scale, all with the decimals that the finest needs.

    >>> scale([0.86, 0.9, 0.94], "en"), scale([-0.5, 0, 0.5], "ru", signed=True)
    (['0.86', '0.90', '0.94'], ['−0,5', '0,0', '+0,5'])
    >>> scale([0, 2500], "en", grouped=True)
    ['0', '2,500']
    """
    digits = max((len(_plain(value).partition(".")[2]) for value in values), default=0)
    how = f"{'+' if signed else ''}{',' if grouped else ''}.{digits}f"
    return [_localise(f"{value:{how}}", language) for value in values]


def _localise(text: str, language: str) -> str:
    """Return an English number in the language's format, with a true minus, none before zero."""
    if not any(digit in text for digit in "123456789"):
        text = text.lstrip("+-")
    text = text.replace("-", MINUS)
    return text if language == "en" else text.replace(",", NARROW).replace(".", ",")


@dataclass(frozen=True)
class Number:
    """A number of the verdict for the page.

    Attributes
    ----------
    value
        The exact value; None shows as a dash.
    form
        One of ``FORMS``.
    counted
        The path of the things counted, if the verdict holds these and not the number:
        ``tied`` or ``not_in_the_leaderboard[state=failed]``.
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
    """Return the number of things at a path of the verdict."""
    return Number(things, "count", path)
