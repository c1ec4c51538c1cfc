"""Columns of numbers as SQL expressions, and the patterns of digits in text columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from retain.customers.cells.arrow_cells import DictionaryColumn
from retain.customers.cells.cell_patterns import AROUND, CORE, INVISIBLE, WIDE_SPACES
from retain.customers.cells.number_cells import NumberCells
from retain.customers.cells.number_format import FileMarks, Marks, NumberFormat, parse_format
from retain.customers.cells.number_marks import number_pattern
from retain.customers.purchases.parsing.raw_columns import RAW_TABLE, RawRelation
from retain.customers.purchases.parsing.sql_names import quote_literal
from retain.errors import RetainError
from retain.schema.purchases import LogFormat

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection


MAX_PATTERNS = 1000  # of a column that are looked at; dates or money have a dozen
MAX_SAMPLED_ROWS = 1_000_000
MAX_SAMPLED_CELLS = 2_000  # different cells that show whether a mark groups


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
class DigitPattern:
    """Cells that differ only in their digits, written ``#``; the first and last of them."""

    pattern: str
    n_cells: int
    first_cell: str
    last_cell: str


def count_patterns(connection: Connection, role: str) -> list[DigitPattern]:
    """Return the most frequent patterns of a text column, at most ``MAX_PATTERNS`` + 1."""
    cell = f"raw_{role}"
    rows = connection.execute(
        f"SELECT translate({cell}, '0123456789', '##########') AS pattern, count(*), "  # noqa: S608
        f"min({cell}), max({cell}) FROM {RAW_TABLE} WHERE {cell} IS NOT NULL "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MAX_PATTERNS + 1}"
    ).fetchall()
    return [DigitPattern(str(text), int(count), str(a), str(b)) for text, count, a, b in rows]


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


def parse_number_column(
    connection: Connection, raw: RawRelation, role: str, marks: FileMarks
) -> SqlExpression:
    """Return the cells of a role as DOUBLE, read in the one format that they allow.

    Raises
    ------
    RetainError
        The column holds neither numbers nor text, or two readings fit.
    """
    cell = f"raw_{role}"
    if raw.is_number(role):
        return SqlExpression(f"CAST({cell} AS DOUBLE)", is_cheap=True)
    if not raw.is_text(role):
        found = f"it holds {raw.types[role]}"
        raise RetainError.at(raw.describe_column(role), found, "expected numbers")
    if role not in marks.formats and _are_plain_numbers(connection, cell):
        return SqlExpression(f"TRY_CAST({cell} AS DOUBLE)", is_cheap=False)
    cells = _sample_cells(connection, raw, role)
    found_format = cells.find_format(marks, role) if cells else None
    if cells is None or found_format is None or not cells.is_like.any():
        return SqlExpression("NULL::DOUBLE", is_cheap=False, decimal_mark=raw.decimal_mark)
    return _parse_text_numbers(cell, cells, found_format, raw.column_names[role])


def find_file_marks(
    connection: Connection, raw: RawRelation, roles: Iterable[str], log_format: LogFormat
) -> FileMarks:
    """Return what a log and its user say about numbers that allow two readings."""
    texts = [role for role in roles if role in raw.column_names and raw.is_text(role)]
    key = "data.format.number_format"
    example = log_format.number_format
    formats = {} if example is None else dict.fromkeys(texts, parse_format(example, key))

    def find_marks() -> list[Marks]:
        found = (_sample_cells(connection, raw, role) for role in texts)
        return [cells.sure_marks for cells in found if cells is not None]

    return FileMarks(
        raw.decimal_mark,
        trusts_points=raw.decimal_mark == ".",
        formats=formats,
        key=key,
        is_one_key=True,
        find_marks=find_marks,
    )


def _are_plain_numbers(connection: Connection, cell: str) -> bool:
    """Return True if all cells are digits and points and no point can separate thousands."""
    all_numbers = f"bool_and({full_match_sql('[-+]?#+(?:[.]#+)?', cell)})"
    decimal = quote_literal("[.]([0-9]{1,2}|[0-9]{4,})$|^[-+]?0[0-9]*[.]")
    points = f"bool_or(contains({cell}, '.')), bool_or(regexp_matches({cell}, {decimal}))"
    row = connection.execute(f"SELECT {all_numbers}, {points} FROM {RAW_TABLE}").fetchone()  # noqa: S608
    return row is not None and bool(row[0]) and bool(row[1]) <= bool(row[2])


def _sample_cells(connection: Connection, raw: RawRelation, role: str) -> NumberCells | None:
    """Return cells of each pattern, as often as the pattern, and more different cells.

    None if the column is empty.
    """
    cell = f"raw_{role}"
    weights: dict[str, int] = {}
    for pattern in count_patterns(connection, role):
        for text in (pattern.first_cell, pattern.last_cell):
            weights[text] = max(weights.get(text, 0), pattern.n_cells)
    query = (
        f"SELECT DISTINCT {cell} FROM (SELECT {cell} FROM {RAW_TABLE} WHERE {cell} IS NOT NULL "  # noqa: S608
        f"LIMIT {MAX_SAMPLED_ROWS}) ORDER BY 1 LIMIT {MAX_SAMPLED_CELLS}"
    )
    for (text,) in connection.execute(query).fetchall():
        weights.setdefault(text, 1)
    if not weights:
        return None
    largest = max(weights.values())
    counts = [max(1, count * MAX_SAMPLED_CELLS // largest) for count in weights.values()]
    codes = np.repeat(np.arange(len(weights), dtype=np.int32), counts)
    column = DictionaryColumn(pd.Series(list(weights), dtype="str"), codes)
    texts = pa.array(list(weights), type=pa.string())
    return NumberCells(column, texts, raw.describe_column(role))


def _parse_text_numbers(
    cell: str, cells: NumberCells, number_format: NumberFormat, name: str
) -> SqlExpression:
    """Return the value of a cell whose digits and whose surroundings are those of a number."""
    clean = f"trim(regexp_replace({cell}, {quote_literal(INVISIBLE)}, '', 'g'))"
    plain = " " * len(WIDE_SPACES) + "'"
    clean = f"translate({clean}, {quote_literal(WIDE_SPACES + '’')}, {quote_literal(plain)})"
    shape = f"regexp_replace({clean}, {quote_literal(CORE)}, '#', 'g')"
    core = f"regexp_replace({clean}, {quote_literal(AROUND)}, '', 'g')"
    known = cells.shapes
    core = _with_lead_sql(shape, {text: one.lead for text, one in known.items() if one.lead}, core)
    science = [text for text, one in known.items() if one.has_exponent]
    if science:
        core = f"CASE WHEN {shape} IN ({_literals(science)}) THEN {clean} ELSE {core} END"
    removed = "".join({number_format.grouping, " "} - {"", number_format.decimal})
    digits = f"translate({core}, {quote_literal(number_format.decimal + removed)}, '.')"
    scales = {text: one.scale for text, one in known.items() if one.scale != 1}
    whens = " ".join(f"WHEN {quote_literal(text)} THEN {scale!r}" for text, scale in scales.items())
    scale = f" * CASE {shape} {whens} ELSE 1 END" if scales else ""
    fits = f"regexp_full_match({core}, {quote_literal(number_pattern(number_format))})"
    sql = (
        f"CASE WHEN {shape} IN ({_literals(known)}) AND {fits} "
        f"THEN TRY_CAST({digits} AS DOUBLE){scale} END"
    )
    is_formatted = not number_format.is_plain or cells.has_odd_signs
    messages = (f"column {name!r}: {number_format}",) if is_formatted else ()
    return SqlExpression(sql, is_cheap=False, messages=messages, decimal_mark=number_format.decimal)


def _with_lead_sql(shape: str, leads: dict[str, str], core: str) -> str:
    """Return the digits with the mark that stands before the first of them."""
    if not leads:
        return core
    whens = " ".join(
        f"WHEN {quote_literal(text)} THEN {quote_literal(lead)}" for text, lead in leads.items()
    )
    return f"(CASE {shape} {whens} ELSE '' END || {core})"


def _literals(texts: Iterable[str]) -> str:
    return ", ".join(map(quote_literal, texts))
