"""Codes that are written like numbers: leading zeros, letters beside digits, an E within them."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from retain.customers.cells.arrow_cells import DictionaryColumn
from retain.customers.cells.number_format import FileMarks
from retain.customers.columns import snake_case
from retain.errors import RetainError, type_value

AMOUNT_WORDS = (
    *("amount", "price", "total", "sum", "revenue", "cost", "balance", "charge", "fee", "salar"),
    *(
        "income",
        "spen",
        "paid",
        "payment",
        "value",
        "turnover",
        "sales",
        "budget",
        "bill",
        "profit",
    ),
    *("margin", "ltv", "arpu", "debt", "loan", "credit", "deposit", "amt"),
    *("money", "usd", "eur"),
    *("betrag", "preis", "umsatz", "summe", "kosten", "gehalt", "erlös", "montant", "prix", "coût"),
    *("importe", "precio", "preço", "preco", "valor", "monto", "receita", "ingreso", "venta"),
    *("kwota", "cena", "сумм", "цен", "выручк", "стоимост", "доход", "расход", "оплат", "платеж"),
    *("платёж", "зарплат", "баланс", "оборот", "прибыл", "чек"),
)
"""Beginnings of words by which the name of a column says that letters are a unit or a factor."""
_LETTERED = r"^[-+]?(?:\p{L}{1,3}[.]?[0-9]+|[0-9]+\p{L})$"
_EXPONENT = "^[0-9]+[eE][0-9]+$"
_HEAD = 200
_SURE_MARK = "[.,'][0-9]|[0-9] [0-9]|[eE][-+]"


def find_code_reading(column: DictionaryColumn, marks: FileMarks, name: str) -> str:
    """Return what the codes of a column of numbers are; an empty text if they are numbers.

    >>> from retain.customers.cells.arrow_cells import to_dictionary
    >>> import pandas as pd
    >>> find_code_reading(to_dictionary(pd.Series(["01016", "75001"])), FileMarks(), "zip")
    'codes of 5 digits, some with leading zeros'
    >>> find_code_reading(to_dictionary(pd.Series(["7", "12"])), FileMarks(), "pages")
    ''

    Raises
    ------
    RetainError
        They may be codes or numbers.
    """
    if name in marks.formats:
        return ""
    texts = pa.array(column.distinct.array, type=pa.string(), from_pandas=True)
    if pc.all(pc.ascii_is_decimal(texts)).as_py():
        return _read_leading_zeros(texts, name)
    for chunk in (texts.slice(0, _HEAD), texts):  # the head of most columns has one
        if pc.any(pc.match_substring_regex(chunk, _SURE_MARK)).as_py():
            return ""
    if cell := _first(texts, _EXPONENT):
        mantissa, exponent = cell.lower().split("e")
        _refuse(cell, f"the number {mantissa}·10^{int(exponent)}", name)
    if (cell := _first(texts, _LETTERED)) and not _says_amount(name):
        digits = re.sub("[^0-9]", "", cell)
        _refuse(cell, f"the number {digits} with a unit or a factor,", name)
    return ""


def _read_leading_zeros(texts: pa.Array, name: str) -> str:
    has_zero = texts.filter(pc.starts_with(texts, "0"))
    if not pc.any(pc.not_equal(has_zero, "0")).as_py():
        return ""
    widths = pc.unique(pc.utf8_length(texts)).to_pylist()
    if len(widths) == 1:
        return f"codes of {widths[0]} digits, some with leading zeros"
    if cell := _first(texts, "^0+[1-9]"):
        _refuse(cell, f"the number {cell.lstrip('0')}", name)
    return ""


def _first(texts: pa.Array, pattern: str) -> str:
    """Return the first text of a pattern, an empty one if there is none."""
    found = texts.filter(pc.match_substring_regex(texts, pattern))
    return str(found[0]) if len(found) else ""


def _says_amount(name: str) -> bool:
    return any(word.startswith(AMOUNT_WORDS) for word in snake_case(name).split("_"))


def _refuse(cell: str, number: str, name: str) -> None:
    key = snake_case(name)
    numbers = type_value(f"data.number_format.{key}", "1234.56")
    codes = type_value("data.categorical_columns", [key])
    raise RetainError(
        f"column {name!r}: {cell!r} may be {number} or a code, and nothing in the column says "
        f"which. Type {numbers} for numbers, or {codes} for codes."
    )
