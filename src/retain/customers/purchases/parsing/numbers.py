"""How the cells of one column become numbers: an SQL expression, and what to tell about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from retain.customers.files.numbers import decimal_mark
from retain.customers.purchases.parsing.raw_columns import RAW, RawRelation
from retain.customers.purchases.parsing.sql_names import literal
from retain.errors import RetainError

if TYPE_CHECKING:
    import duckdb

SHAPES = 1000  # different shapes looked at; a column of dates or money has a dozen
_SPACE = "[ \u00a0\u2007\u2009\u202f]"
_DROPPED = " \u00a0\u2007\u2009\u202f"
_SIGN = "[-+\u2212]?"
_OTHER = {".": ",", ",": "."}


@dataclass(frozen=True, slots=True)
class Reading:
    """An expression over the columns of ``retain_raw``; NULL where a cell cannot be read.

    ``plain`` says that it costs no more than a cast, so that a view of it may be scanned often;
    ``mark`` is the decimal mark of numbers written as text.
    """

    sql: str
    plain: bool
    notes: tuple[str, ...] = ()
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """Cells that differ in their digits alone, ``#`` for each: how many, the first and the last."""

    text: str
    count: int
    first: str
    last: str


def shapes(connection: duckdb.DuckDBPyConnection, role: str) -> list[Shape]:
    """The most frequent shapes of a text column, at most ``SHAPES`` + 1 of them."""
    cell = f"raw_{role}"
    rows = connection.execute(
        f"SELECT translate({cell}, '0123456789', '##########') AS shape, count(*), "  # noqa: S608
        f"min({cell}), max({cell}) FROM {RAW} WHERE {cell} IS NOT NULL "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {SHAPES + 1}"
    ).fetchall()
    return [Shape(str(text), int(count), str(a), str(b)) for text, count, a, b in rows]


def matches(pattern: str, shape: str) -> bool:
    """Whether a pattern, ``#`` for a digit, fits a whole shape.

    >>> matches("#{1,2}[.]#+", "##.###")
    True
    """
    return re.fullmatch(pattern, shape) is not None


def guard(pattern: str, cell: str) -> str:
    """The same pattern as a condition on cells."""
    return f"regexp_full_match({cell}, {literal(pattern.replace('#', '[0-9]'))})"


def all_match(connection: duckdb.DuckDBPyConnection, pattern: str, cell: str) -> bool:
    """Whether the pattern fits every cell: to ask takes a tenth of the time of all shapes."""
    query = f"SELECT bool_and({guard(pattern, cell)}) FROM {RAW}"  # noqa: S608
    row = connection.execute(query).fetchone()
    return bool(row and row[0])


def number(connection: duckdb.DuckDBPyConnection, raw: RawRelation, role: str) -> Reading:
    """The cells of a role as DOUBLE.

    Spaces may part thousands; so may the mark that is not the decimal one, where the column has
    cells with both.

    Raises
    ------
    RetainError
        The column holds neither numbers nor text.
    """
    cell = f"raw_{role}"
    if raw.is_number(role):
        return Reading(f"CAST({cell} AS DOUBLE)", plain=True)
    if not raw.is_text(role):
        found = f"it holds {raw.types[role]}"
        raise RetainError.at(raw.where(role), found, "expected numbers")
    if _surely_plain(connection, cell):
        return Reading(f"TRY_CAST({cell} AS DOUBLE)", plain=False)
    return _from_text(cell, shapes(connection, role), raw.decimal)


def _surely_plain(connection: duckdb.DuckDBPyConnection, cell: str) -> bool:
    """Whether all cells are digits and points, and no point may part thousands."""
    every = f"bool_and({guard('[-+]?#+(?:[.]#+)?', cell)})"
    decimal = literal("[.]([0-9]{1,2}|[0-9]{4,})$")
    some, sure = f"bool_or(contains({cell}, '.'))", f"bool_or(regexp_matches({cell}, {decimal}))"
    row = connection.execute(f"SELECT {every}, {some}, {sure} FROM {RAW}").fetchone()  # noqa: S608
    return row is not None and bool(row[0]) and bool(row[1]) == bool(row[2])


def _from_text(cell: str, found: Sequence[Shape], default: str) -> Reading:
    mark, groups = _marks(found, default)
    grammar = _grammar(mark, _SPACE if not groups else f"(?:{_SPACE}|[{groups}])")
    plain = cell
    if any(set(shape.text) - set("#.-+eE") for shape in found) or mark == "," or groups:
        signs, marks = "\u2212" + mark, "-."
        plain = f"translate({cell}, {literal(signs + _DROPPED + groups)}, {literal(marks)})"
    value = f"TRY_CAST({plain} AS DOUBLE)"
    if len(found) <= SHAPES and all(matches(grammar, shape.text) for shape in found):
        return Reading(value, plain=False, mark=mark)
    return Reading(f"CASE WHEN {guard(grammar, cell)} THEN {value} END", plain=False, mark=mark)


def _marks(found: Sequence[Shape], default: str) -> tuple[str, str]:
    """The decimal mark, and the mark that parts thousands, if any."""
    both = {mark: _grouped(found, mark) for mark in ".,"}
    if both["."] != both[","]:
        mark = "." if both["."] > both[","] else ","
        return mark, _OTHER[mark]
    cells = pd.Series([text for shape in found for text in (shape.first, shape.last)], dtype="str")
    return decimal_mark(cells, default), ""


def _grouped(found: Iterable[Shape], mark: str) -> int:
    """How many cells have thousands parted by the other mark, or parted twice by it."""
    other = f"[{_OTHER[mark]}]"
    whole = f"{_SIGN}#{{1,3}}(?:{other}###)"
    surely = f"{whole}+[{mark}]#*|{whole}{{2,}}"
    return sum(shape.count for shape in found if matches(surely, shape.text))


def _grammar(mark: str, group: str) -> str:
    whole = f"(?:#{{1,3}}(?:{group}###)+|#+)"
    return f"{_SIGN}(?:{whole}(?:[{mark}]#*)?|[{mark}]#+)(?:[eE][-+]?#+)?"
