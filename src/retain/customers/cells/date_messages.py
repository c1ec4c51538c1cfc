"""Messages about dates that allow several readings, with what to type for each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

from retain.customers.columns import key_name
from retain.customers.reading import Order
from retain.errors import RetainError, type_value

_LETTERS = {"D": "%d", "M": "%m", "Y": "%Y"}
_WORDS = {"DMY": "the day first", "MDY": "the month first", "YMD": "the year first"}


def refuse_named(cell: str, name: str) -> NoReturn:
    """Raise for a date with the name of a month, whose numbers may be a day or a year."""
    key = f"data.date_format.{key_name(name)}"
    form = re.sub(r"[^\W\d_]+", "%b", cell, count=1)
    first, second = (
        type_value(key, re.sub(r"[0-9]+(.*?)[0-9]+", rf"%{one}\1%{other}", form, count=1))
        for one, other in ("dy", "yd")
    )
    raise RetainError(
        f"column {name!r}: {cell!r} may be a date with the day first or with the year first, "
        f"and the column speaks for the year. Type {first} or {second}."
    )


def refuse_short(cell: str, name: str) -> NoReturn:
    """Raise for the name of a month and one number, the day or the year."""
    column = key_name(name)
    form = re.sub(r"[0-9]+", "%y", re.sub(r"[^\W\d_]+", "%b", cell, count=1), count=1)
    typed = type_value(f"data.date_format.{column}", form)
    category = type_value("data.categorical_columns", [column])
    raise RetainError(
        f"column {name!r}: {cell!r} may be a month with its year or a day without one, and "
        f"nothing in the column says which. Type {typed} for months, or {category}."
    )


def refuse_order(cell: str, orders: Sequence[Order], name: str, *, is_short: bool) -> NoReturn:
    """Raise for a date of digits that allows several orders of day, month and year."""
    mark, end = re.findall(r"[^0-9]+|$", cell)[0], re.findall(r"[0-9]+([^0-9:]*)$", cell)
    letters = {**_LETTERS, "Y": "%y"} if is_short else _LETTERS
    words = "".join(end) if ":" not in cell else ""
    forms = [mark.join(letters[one] for one in order) + words for order in orders]
    key = f"data.date_format.{key_name(name)}"
    typed = [type_value(key, form) for form in forms]
    raise RetainError(
        f"column {name!r}: {cell!r} may be a date with "
        f"{' or with '.join(_WORDS[order] for order in orders)}, and nothing in the column or "
        f"the file says which. Type {' or '.join(typed)}."
    )
