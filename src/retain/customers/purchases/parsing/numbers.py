"""Columns of numbers as SQL expressions, and the patterns of digits in text columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from retain.customers.files.numbers import decimal_mark
from retain.customers.purchases.parsing.raw_columns import RAW_TABLE, RawRelation
from retain.customers.purchases.parsing.sql_names import quote_literal
from retain.errors import RetainError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection


MAX_PATTERNS = 1000  # of a column that are looked at; dates or money have a dozen
_SPACE = "[ \u00a0\u2007\u2009\u202f]"
_THOUSANDS_SPACES = " \u00a0\u2007\u2009\u202f"
_SIGN = "[-+\u2212]?"
_OTHER_MARK = {".": ",", ",": "."}


@dataclass(frozen=True, slots=True)
class SqlExpression:
    """An expression over the columns of ``retain_raw``, NULL if a cell cannot be parsed.

    ``is_cheap`` is True if it costs no more than a cast, so that every query may repeat it;
    ``decimal_mark`` is that of numbers written as text.
    """

    sql: str
    is_cheap: bool
    messages: tuple[str, ...] = ()
    decimal_mark: str = ""


@dataclass(frozen=True, slots=True)
class CellPattern:
    """Cells that differ only in their digits, written ``#``; the first and last of them."""

    pattern: str
    n_cells: int
    first_cell: str
    last_cell: str


def count_patterns(connection: Connection, role: str) -> list[CellPattern]:
    """Return the most frequent patterns of a text column, at most ``MAX_PATTERNS`` + 1."""
    cell = f"raw_{role}"
    rows = connection.execute(
        f"SELECT translate({cell}, '0123456789', '##########') AS pattern, count(*), "  # noqa: S608
        f"min({cell}), max({cell}) FROM {RAW_TABLE} WHERE {cell} IS NOT NULL "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MAX_PATTERNS + 1}"
    ).fetchall()
    return [CellPattern(str(text), int(count), str(a), str(b)) for text, count, a, b in rows]


def matches_pattern(pattern: str, cell_pattern: str) -> bool:
    """Return True if a regular expression, ``#`` for a digit, matches a whole cell pattern.

    >>> matches_pattern("#{1,2}[.]#+", "##.###")
    True
    """
    return re.fullmatch(pattern, cell_pattern) is not None


def full_match_sql(pattern: str, cell: str) -> str:
    """Return the same regular expression as a condition on cells."""
    return f"regexp_full_match({cell}, {quote_literal(pattern.replace('#', '[0-9]'))})"


def all_cells_match(connection: Connection, pattern: str, cell: str) -> bool:
    """Return True if every cell matches; ten times as fast as counting all patterns."""
    query = f"SELECT bool_and({full_match_sql(pattern, cell)}) FROM {RAW_TABLE}"  # noqa: S608
    row = connection.execute(query).fetchone()
    return bool(row and row[0])


def parse_number_column(connection: Connection, raw: RawRelation, role: str) -> SqlExpression:
    """Return the cells of a role as DOUBLE.

    Spaces may separate thousands. So may the mark that is not the decimal mark, if some cells of
    the column have both.

    Raises
    ------
    RetainError
        The column holds neither numbers nor text.
    """
    cell = f"raw_{role}"
    if raw.is_number(role):
        return SqlExpression(f"CAST({cell} AS DOUBLE)", is_cheap=True)
    if not raw.is_text(role):
        found = f"it holds {raw.types[role]}"
        raise RetainError.at(raw.describe_column(role), found, "expected numbers")
    if _are_plain_numbers(connection, cell):
        return SqlExpression(f"TRY_CAST({cell} AS DOUBLE)", is_cheap=False)
    return _parse_text_numbers(cell, count_patterns(connection, role), raw.decimal_mark)


def _are_plain_numbers(connection: Connection, cell: str) -> bool:
    """Return True if all cells are digits and points and no point can separate thousands."""
    all_numbers = f"bool_and({full_match_sql('[-+]?#+(?:[.]#+)?', cell)})"
    decimal = quote_literal("[.]([0-9]{1,2}|[0-9]{4,})$")
    points = f"bool_or(contains({cell}, '.')), bool_or(regexp_matches({cell}, {decimal}))"
    row = connection.execute(f"SELECT {all_numbers}, {points} FROM {RAW_TABLE}").fetchone()  # noqa: S608
    return row is not None and bool(row[0]) and bool(row[1]) == bool(row[2])


def _parse_text_numbers(cell: str, patterns: Sequence[CellPattern], default: str) -> SqlExpression:
    mark, groups = _infer_marks(patterns, default)
    number = _number_pattern(mark, _SPACE if not groups else f"(?:{_SPACE}|[{groups}])")
    plain = cell
    if any(set(p.pattern) - set("#.-+eE") for p in patterns) or mark == "," or groups:
        characters = "\u2212" + mark + _THOUSANDS_SPACES + groups
        plain = f"translate({cell}, {quote_literal(characters)}, '-.')"
    value = f"TRY_CAST({plain} AS DOUBLE)"
    is_complete = len(patterns) <= MAX_PATTERNS
    if not is_complete or not all(matches_pattern(number, p.pattern) for p in patterns):
        value = f"CASE WHEN {full_match_sql(number, cell)} THEN {value} END"
    return SqlExpression(value, is_cheap=False, decimal_mark=mark)


def _infer_marks(patterns: Sequence[CellPattern], default: str) -> tuple[str, str]:
    """Return the decimal mark and the thousands mark, empty without one."""
    n_grouped = {mark: _count_grouped(patterns, mark) for mark in ".,"}
    if n_grouped["."] != n_grouped[","]:
        mark = "." if n_grouped["."] > n_grouped[","] else ","
        return mark, _OTHER_MARK[mark]
    cells = [cell for p in patterns for cell in (p.first_cell, p.last_cell)]
    return decimal_mark(pd.Series(cells, dtype="str"), default), ""


def _count_grouped(patterns: Iterable[CellPattern], mark: str) -> int:
    """Return the number of cells whose thousands are surely separated by the other mark."""
    other = f"[{_OTHER_MARK[mark]}]"
    whole = f"{_SIGN}#{{1,3}}(?:{other}###)"
    grouped = f"{whole}+[{mark}]#*|{whole}{{2,}}"
    return sum(p.n_cells for p in patterns if matches_pattern(grouped, p.pattern))


def _number_pattern(mark: str, group: str) -> str:
    whole = f"(?:#{{1,3}}(?:{group}###)+|#+)"
    return f"{_SIGN}(?:{whole}(?:[{mark}]#*)?|[{mark}]#+)(?:[eE][-+]?#+)?"
