"""The format of numbers in a column: decimal mark, grouping mark, and the unit beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from retain.customers.reading import Order, SourceColumn, UnitKind
from retain.errors import RetainError

FORMAT_EXAMPLES = ("1234.56", "1234,56", "1,234.56", "1.234,56", "1 234,56", "1'234.56")
"""Values of ``data.number_format``, each the number 1234.56."""
_EXAMPLE = re.compile(r"1([., '’]?)234([.,])56")


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """The format of the numbers of a column; ``unit`` is as the file writes it.

    >>> str(NumberFormat(",", ".", "€", "currency"))
    'amounts in €, 1.234,56'
    """

    decimal: str = "."
    grouping: str = ""
    unit: str = ""
    unit_kind: UnitKind = ""

    @property
    def example(self) -> str:
        """The number 1234.56 in this format, as ``data.number_format`` takes it."""
        return f"1{self.grouping}234{self.decimal}56"

    @property
    def is_plain(self) -> bool:
        """True if numbers have no grouping and no unit."""
        return not self.grouping and not self.unit

    def __str__(self) -> str:
        """Return the format for a log line."""
        noun = {
            "": "numbers",
            "currency": f"amounts in {self.unit}",
            "percent": "percentages",
            "other": f"numbers in {self.unit}",
        }[self.unit_kind]
        return f"{noun}, {self.example}"


def parse_format(text: object, where: str) -> NumberFormat:
    """Return the format whose 1234.56 is ``text``.

    >>> parse_format("1.234,56", "data.number_format.total")
    NumberFormat(decimal=',', grouping='.', unit='', unit_kind='')

    Raises
    ------
    RetainError
        The text is not 1234.56 in any format.
    """
    found = _EXAMPLE.fullmatch(str(text).replace("\u00a0", " ").replace("\u202f", " ").strip())
    if found is None or found[1] == found[2]:
        expected = (
            f"expected the number 1234.56 as the column writes it: {', '.join(FORMAT_EXAMPLES)}"
        )
        raise RetainError.at(where, f"it is {text!r}", expected)
    return NumberFormat(decimal=found[2], grouping=found[1].replace("’", "'"))


def check_marks(decimal: str | None, thousands: str | None) -> None:
    """Raise if ``data.decimal`` or ``data.thousands`` is no mark, or both are the same.

    >>> check_marks(".", ".")
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: data.thousands: it is '.', as data.decimal is; expected another mark.
    """
    for key, mark, known in (
        ("data.decimal", decimal, (".", ",")),
        ("data.thousands", thousands, (".", ",", " ", "'")),
    ):
        if mark is not None and mark not in known:
            expected = f"expected one of {', '.join(map(repr, known))}"
            raise RetainError.at(key, f"it is {mark!r}", expected)
    if decimal is not None and decimal == thousands:
        found = f"it is {thousands!r}, as data.decimal is"
        raise RetainError.at("data.thousands", found, "expected another mark")


# --- the file around a column --------------------------------------------------------------------

Marks = tuple[frozenset[str], frozenset[str]]
"""Marks that are surely decimal marks, and marks that surely group thousands."""
MarkRole = Literal["decimal", "grouping"]


@dataclass(frozen=True)
class FileMarks:
    """The marks that a file and its user give a column that allows two readings.

    Attributes
    ----------
    default
        The decimal mark that goes with the separator of the file.
    trusts_points
        Whether a point is a decimal mark if nothing speaks against it, as in a file separated by
        commas.
    decimal, thousands
        ``data.decimal`` and ``data.thousands``, None if the user says nothing.
    formats
        ``data.number_format`` by column.
    key
        Key under which the user may say how a column is written; empty without one.
    is_one_key
        Whether the key holds for all columns.
    date_formats
        ``data.date_format`` by column.
    trained
        For customers to be scored: the columns of the training file, by column of this file.
    find_marks, find_orders
        Return the sure marks, or orders of day and month, of each column of the file; called once,
        and only if needed.
    """

    default: str = "."
    trusts_points: bool = True
    decimal: str | None = None
    thousands: str | None = None
    formats: Mapping[str, NumberFormat] = field(default_factory=dict)
    key: str = ""
    is_one_key: bool = False
    date_formats: Mapping[str, str] = field(default_factory=dict)
    trained: Mapping[str, SourceColumn] = field(default_factory=dict)
    find_marks: Callable[[], Iterable[Marks]] = tuple
    find_orders: Callable[[], Iterable[set[Order]]] = tuple

    @cached_property
    def sure(self) -> Marks:
        """Marks that some columns surely use."""
        found = list(self.find_marks())
        decimals = frozenset(mark for one, _ in found for mark in one)
        return decimals, frozenset(mark for _, one in found for mark in one)

    @cached_property
    def orders(self) -> frozenset[Order]:
        """Orders of day and month that some columns surely use."""
        return frozenset(order for one in self.find_orders() for order in one)

    def resolve(self, mark: str, name: str, *, is_grouped: bool) -> MarkRole | None:
        """Return what a mark is that always has three digits behind it; None if both fit.

        ``name`` is the column. ``is_grouped`` means that it looks grouped: its numbers below a
        thousand have no mark, and none above has none.

        >>> FileMarks().resolve(",", "x", is_grouped=True)
        'grouping'
        >>> FileMarks().resolve(",", "x", is_grouped=False) is None
        True
        """
        other = "," if mark == "." else "."
        if mark in (self.decimal, self.thousands):
            return "decimal" if mark == self.decimal else "grouping"
        if self.decimal == other:
            return "grouping"
        decimals, groupings = self.sure
        shown: set[MarkRole] = set()
        if mark not in decimals and (other in decimals or mark in groupings):
            shown.add("grouping")
        if mark in decimals and mark not in groupings:
            shown.add("decimal")
        if is_grouped:
            shown.add("grouping")
        points_decide = mark == "." and self.trusts_points
        if trained := self._trained_role(mark, name):
            shown |= {"decimal"} if points_decide and not shown else set()
            return trained if shown <= {trained} else None
        if mark in decimals:
            return "decimal" if mark == "." and shown == {"decimal"} else None
        if shown:
            return "grouping"
        return "decimal" if points_decide else None

    def _trained_role(self, mark: str, name: str) -> MarkRole | None:
        """Return what the mark is in the training data; None if they do not show it."""
        trained = self.trained.get(name)
        if trained is None or not trained.decimal:
            return None
        return "decimal" if trained.decimal == mark else "grouping"
