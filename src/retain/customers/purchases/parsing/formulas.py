"""Formulas of columns, such as ``quantity * unit_price``: sums and products, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from retain.customers.purchases.parsing.tokens import TokenReader, quote_name

_EXAMPLE = 'data.columns.amount="quantity * unit_price"'
_OPERAND = "a column, a number or '('"
_MAX_TOKENS = 200


@dataclass(frozen=True, slots=True)
class Operand:
    """A column or a number."""

    text: str
    is_column: bool

    def __str__(self) -> str:
        """Return the operand as it is typed."""
        return quote_name(self.text) if self.is_column else self.text


@dataclass(frozen=True, slots=True)
class Operation:
    """A sum, difference or product; without ``left`` the negative of ``right``."""

    sign: Literal["+", "-", "*"]
    left: Formula | None
    right: Formula

    def __str__(self) -> str:
        """Return the operation as it is typed, with the brackets that it needs."""
        is_bare = isinstance(self.right, Operand) or (
            self.left is not None and self.right.is_product > self.is_product
        )
        right = f"{self.right}" if is_bare else f"({self.right})"
        if self.left is None:
            return f"-{right}"
        is_loose = isinstance(self.left, Operation) and self.left.is_product < self.is_product
        left = f"({self.left})" if is_loose else f"{self.left}"
        return f"{left} {self.sign} {right}"

    @property
    def is_product(self) -> bool:
        """True for a product, whose operands are read before those of a sum."""
        return self.sign == "*"


Formula = Operand | Operation


def parse_formula(key: str, source: str) -> Formula:
    """Return the formula of a text.

    Raises
    ------
    RetainError
        The text is no formula.

    >>> print(parse_formula("data.columns.amount", 'n * "Unit Price" - rebate'))
    n * "Unit Price" - rebate
    """
    reader = TokenReader(key, source, _EXAMPLE)
    if len(reader.tokens) > _MAX_TOKENS:
        raise reader.mistake(f"it has {len(reader.tokens)} words and signs", f"{_MAX_TOKENS}")
    formula = _parse_sum(reader)
    if reader.next.kind != "end":
        raise reader.unexpected_token("'+', '-' or '*'")
    if not list_columns(formula):
        raise reader.mistake("it names no column", "one or more columns")
    return formula


def _parse_sum(reader: TokenReader) -> Formula:
    formula = _parse_product(reader)
    while token := reader.read_sign("+", "-"):
        formula = Operation("+" if token.text == "+" else "-", formula, _parse_product(reader))
    return formula


def _parse_product(reader: TokenReader) -> Formula:
    formula = _parse_operand(reader)
    while reader.read_sign("*"):
        formula = Operation("*", formula, _parse_operand(reader))
    return formula


def _parse_operand(reader: TokenReader) -> Formula:
    reader.enter()
    token = reader.next
    if token.kind in ("name", "column", "number"):
        reader.read()
        formula: Formula = Operand(token.text, token.kind != "number")
    elif reader.read_sign("-"):
        formula = Operation("-", None, _parse_operand(reader))
    elif reader.read_sign("("):
        formula = _parse_sum(reader)
        reader.expect_sign(")")
    elif token.kind == "text":
        expected = f"a name in double quotes: {quote_name(token.text or 'column')}"
        raise reader.mistake(f"{token.text!r} in single quotes is a text", expected)
    else:
        raise reader.unexpected_token(_OPERAND)
    reader.level -= 1
    return formula


def list_columns(formula: Formula) -> tuple[str, ...]:
    """Return the columns of a formula, each once, from left to right.

    >>> list_columns(parse_formula("data.columns.amount", "n * price + n"))
    ('n', 'price')
    """
    if isinstance(formula, Operand):
        return (formula.text,) if formula.is_column else ()
    left = () if formula.left is None else list_columns(formula.left)
    return tuple(dict.fromkeys((*left, *list_columns(formula.right))))


def formula_sql(formula: Formula, columns: Mapping[str, str]) -> str:
    """Return a formula as SQL; ``columns`` are expressions of type DOUBLE by name.

    >>> formula_sql(parse_formula("data.columns.amount", "n * 0.9"), {"n": "raw_n"})
    "((raw_n) * CAST('0.9' AS DOUBLE))"
    """
    if isinstance(formula, Operand):
        name = formula.text
        return f"({columns[name]})" if formula.is_column else f"CAST('{name}' AS DOUBLE)"
    right = formula_sql(formula.right, columns)
    if formula.left is None:
        return f"(-{right})"
    return f"({formula_sql(formula.left, columns)} {formula.sign} {right})"
