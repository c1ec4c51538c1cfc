"""Conditions on rows, such as ``status in (paid, shipped) and country = 'DE'``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from retain.customers.purchases.parsing.tokens import Token, TokenReader, quote_name
from retain.errors import RetainError

KEY = "data.where"
EXAMPLE = f"{KEY}=\"status in (paid, shipped) and country = 'DE'\""

Operator = Literal["=", "<", "<=", ">", ">=", "in", "missing"]
Value = str | Decimal | date

_OPERATORS: dict[str, tuple[Operator, bool]] = {
    "=": ("=", False),
    "==": ("=", False),
    "!=": ("=", True),
    "<>": ("=", True),
    "<": ("<", False),
    "<=": ("<=", False),
    ">": (">", False),
    ">=": (">=", False),
}
"""The sign that is typed: its operator, and True if the test is negated."""
_EXPECTED_OPERATOR = "=, !=, <, <=, >, >=, in, not in or is missing"


@dataclass(frozen=True, slots=True)
class ColumnTest:
    """A comparison of a column with values; ``missing`` has none, ``in`` may have several."""

    column: str
    operator: Operator
    values: tuple[Value, ...] = ()

    def __str__(self) -> str:
        """Return the test as it is typed."""
        name = quote_name(self.column)
        if self.operator == "missing":
            return f"{name} is missing"
        listed = ", ".join(map(type_literal, self.values))
        return (
            f"{name} in ({listed})" if self.operator == "in" else f"{name} {self.operator} {listed}"
        )


@dataclass(frozen=True, slots=True)
class Negation:
    """The opposite of a condition."""

    inner: Condition

    def __str__(self) -> str:
        """Return the negation as it is typed."""
        return f"not ({self.inner})"


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions of which all hold (``and``) or at least one (``or``)."""

    word: Literal["and", "or"]
    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        """Return the parts as they are typed, each in brackets."""
        return f" {self.word} ".join(f"({part})" for part in self.parts)


Condition = ColumnTest | Negation | Junction


def type_literal(value: Value) -> str:
    """Return a value as it is typed in a condition.

    >>> print(type_literal("it's"), type_literal(Decimal("2.5")), type_literal(date(2024, 1, 2)))
    'it''s' 2.5 2024-01-02
    """
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def parse_condition(source: str) -> Condition:
    """Return the condition of a text.

    Raises
    ------
    RetainError
        The text is no condition.

    >>> print(parse_condition("status in (paid, shipped) AND NOT n <= 2.5"))
    (status in ('paid', 'shipped')) and (not (n <= 2.5))
    """
    reader = TokenReader(KEY, source, EXAMPLE)
    condition = _parse_any(reader)
    if reader.next.kind != "end":
        raise reader.unexpected_token("and, or, or the end")
    return condition


def _parse_any(reader: TokenReader) -> Condition:
    parts = [_parse_all(reader)]
    while reader.read_word("or"):
        parts.append(_parse_all(reader))
    return parts[0] if len(parts) == 1 else Junction("or", tuple(parts))


def _parse_all(reader: TokenReader) -> Condition:
    parts = [_parse_one(reader)]
    while reader.read_word("and"):
        parts.append(_parse_one(reader))
    return parts[0] if len(parts) == 1 else Junction("and", tuple(parts))


def _parse_one(reader: TokenReader) -> Condition:
    reader.enter()
    if reader.read_word("not"):
        condition: Condition = Negation(_parse_one(reader))
    elif reader.read_sign("("):
        condition = _parse_any(reader)
        reader.expect_sign(")")
    else:
        condition = _parse_test(reader)
    reader.level -= 1
    return condition


def _parse_test(reader: TokenReader) -> Condition:
    column = _read_column(reader)
    if sign := reader.read_sign(*_OPERATORS):
        operator, is_negated = _OPERATORS[sign.text]
        test = ColumnTest(column, operator, (_read_value(reader, column),))
    elif reader.read_word("is"):
        is_negated = reader.read_word("not")
        if not reader.read_word("missing"):
            raise reader.unexpected_token("the word missing")
        test = ColumnTest(column, "missing")
    else:
        is_negated = reader.read_word("not")
        if not reader.read_word("in"):
            raise reader.unexpected_token("in" if is_negated else _EXPECTED_OPERATOR)
        test = ColumnTest(column, "in", _read_values(reader, column))
    return Negation(test) if is_negated else test


def _read_column(reader: TokenReader) -> str:
    token = reader.next
    if token.kind == "text":
        expected = f"the name of a column in double quotes: {quote_name(token.text or 'column')}"
        raise reader.mistake(f"{token.text!r} in single quotes is a text", expected)
    if token.kind not in ("name", "column") or any(map(token.is_word, ("and", "or", "in", "is"))):
        raise reader.unexpected_token("the name of a column")
    return reader.read().text


def _read_values(reader: TokenReader, column: str) -> tuple[Value, ...]:
    reader.expect_sign("(")
    values = [_read_value(reader, column)]
    while reader.read_sign(","):
        values.append(_read_value(reader, column))
    reader.expect_sign(")")
    return tuple(values)


def _read_value(reader: TokenReader, column: str) -> Value:
    sign = "-" if reader.read_sign("-") else ""
    token = reader.next
    if token.kind == "number":
        reader.read()
        return Decimal(sign + token.text)
    if sign or not _is_value(token):
        raise reader.unexpected_token(
            f"a word, a number or a text in quotes for {quote_name(column)}"
        )
    reader.read()
    if token.kind != "date":
        return token.text
    try:
        return date.fromisoformat(token.text)
    except ValueError:
        raise reader.mistake(f"{token.text} is no day", "a day as YYYY-MM-DD") from None


def _is_value(token: Token) -> bool:
    """Return True for a text, a day, or a word that is no keyword."""
    keywords = ("and", "or", "not", "in", "is")
    is_name = token.kind == "name" and not any(map(token.is_word, keywords))
    return is_name or token.kind in ("text", "date")


def list_tests(condition: Condition) -> tuple[ColumnTest, ...]:
    """Return the tests of a condition from left to right."""
    if isinstance(condition, ColumnTest):
        return (condition,)
    parts = (condition.inner,) if isinstance(condition, Negation) else condition.parts
    return tuple(test for part in parts for test in list_tests(part))


def type_filter(column: str, value: str) -> str:
    """Return the override that keeps the rows with one value, as typed in a shell.

    >>> print(type_filter("currency", "EUR"))
    data.where="currency = 'EUR'"
    >>> print(type_filter("Order currency", "EUR"))
    data.where='"Order currency" = EUR'
    """
    name = quote_name(column)
    if '"' not in name and not re.search(r'["$`\\!]', name + value):
        return f'{KEY}="{name} = {type_literal(value)}"'
    is_word = re.fullmatch(r"[^\W\d]\w*", value)
    text = f"{name} = {value if is_word else type_literal(value)}"
    quoted = text.replace("'", "'\"'\"'")
    return f"{KEY}='{quoted}'"


def check_condition(source: object) -> Condition | None:
    """Return the condition of the config's value, None for null.

    Raises
    ------
    RetainError
        The value is no text, or no condition.
    """
    if source is None:
        return None
    if not isinstance(source, str):
        raise RetainError.at(KEY, f"it is {source!r}"[:200], f"expected a text, as in {EXAMPLE}")
    return parse_condition(source)
