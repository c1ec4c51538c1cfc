"""The dialect of a text file: encoding, separator, decimal mark; and its cells."""

from __future__ import annotations

import csv
import itertools
import logging
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pandas as pd
import pyarrow as pa

from retain.customers.cells import arrow_cells
from retain.customers.cells.arrow_cells import DictionaryColumn, from_arrow, strip_whitespace, tidy
from retain.customers.cells.number_column import find_sure_marks
from retain.customers.cells.number_format import FileMarks
from retain.customers.cells.numbers import decimal_mark, normalise_spaces, truncate
from retain.customers.files.bad_rows import dropped_row
from retain.customers.files.encoding import (
    TextOptions,
    decode,
    head_as_utf8,
    read_content,
)
from retain.customers.files.layout import SEPARATORS, cut_to_table, find_layout, log_layout
from retain.customers.files.records import split_records, unescape_quotes
from retain.customers.reading import DroppedRow
from retain.errors import RetainError, examples
from retain.wording import describe_count

_SAMPLE = 1 << 16  # characters read to detect separator and decimal mark


@dataclass(frozen=True, slots=True)
class Dialect:
    """The dialect of a file. ``decimal`` is its usual decimal mark; a column may use another."""

    encoding: str
    separator: str
    decimal: str

    def __str__(self) -> str:
        """Return the dialect for a log line."""
        return f"{self.encoding}, separator {self.separator!r}, decimal mark {self.decimal!r}"


@dataclass(frozen=True)
class Sheet:
    """The cells of a file as text, blanks missing, and its dialect.

    ``table`` holds the rows below the header; ``lines`` their lines in the file, None if they were
    not counted. ``dropped`` are the rows that could not be read.
    """

    path: Path
    dialect: Dialect
    table: pa.Table
    source: TextOptions
    lines: Sequence[int] | None = None
    dropped: tuple[DroppedRow, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Column names in the order of the file."""
        return list(self.table.column_names)

    @cached_property
    def cells(self) -> pd.DataFrame:
        """All cells, row by row."""
        texts = [tidy(column.cast(pa.string())) for column in self.table.columns]
        cells: pd.DataFrame = pa.table(texts, names=self.columns).to_pandas()
        return cells

    def column(self, name: str) -> DictionaryColumn:
        """Return one column, dictionary-encoded."""
        return from_arrow(self.table.column(name))

    @cached_property
    def marks(self) -> FileMarks:
        """The marks of the file's numbers, for a column that allows two readings."""
        names = self.columns
        return FileMarks(
            self.dialect.decimal,
            trusts_points=self.dialect.separator == ",",
            find_marks=lambda: [find_sure_marks(self.column(name).distinct) for name in names],
        )

    @cached_property
    def row_lines(self) -> Sequence[int]:
        """The line of the file on which each row begins."""
        if self.lines is not None:
            return self.lines
        text = self.source.decode(self.path)[1]
        layout = find_layout(self.path, text, self.source.header_line)
        text = cut_to_table(text, layout, self.dialect.separator)
        return split_records(text, self.dialect.separator, layout.header_line).lines[1:]


def detect(path: Path) -> Dialect:
    """Return the dialect of the file, detected from its content."""
    encoding, text = decode(path, read_content(path))
    return detect_dialect(encoding, text)


def read_cells(
    path: Path,
    distinct: Collection[str] = (),
    *,
    source: TextOptions | None = None,
) -> Sheet:
    """Return all cells of the file as text: surrounding blanks stripped, empty cells missing.

    Titles above the header and columns without name and cells are left out and listed.

    Parameters
    ----------
    distinct
        Names of columns of mostly distinct texts, such as ids.

    Raises
    ------
    RetainError
        The file is missing, empty, not text, has no rows, rows of different length, or repeated
        column names.
    """
    source = source or TextOptions()
    plain = source.encoding is None and source.header_line is None
    sheet = _read_fast(path, distinct, source) if plain else None
    if sheet is None:
        sheet = _read_carefully(path, distinct, source)
    header = _header(sheet.table)
    sheet = replace(sheet, table=_drop_unnamed(path, sheet.table, header))
    header = [name or f"column {n}" for n, name in enumerate(_header(sheet.table), start=1)]
    check_header(path, header, sheet.table.num_rows - 1)
    log_read(path, str(sheet.dialect), (sheet.table.num_rows - 1, sheet.table.num_columns))
    return replace(sheet, table=sheet.table.slice(1).rename_columns(header))


def _drop_unnamed(path: Path, table: pa.Table, header: Sequence[str | None]) -> pa.Table:
    """Return the table without columns that have neither a name nor a cell."""
    useless = [
        n
        for n, name in enumerate(header)
        if not name and tidy(_texts(table, n)).null_count == len(table)
    ]
    if not useless or len(useless) == len(header):
        return table
    log = logging.getLogger(__name__)
    log.info(
        "%s: %s without name and cells left out", path.name, describe_count(len(useless), "column")
    )
    return table.select([n for n in range(len(header)) if n not in useless])


def _texts(table: pa.Table, n: int) -> pa.ChunkedArray:
    return table.column(n).cast(pa.string())


def check_header(path: Path, header: Sequence[str], rows: int) -> None:
    """Raise if a table has repeated column names or no rows."""
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        problem = f"file {str(path)!r} has several columns named {examples(map(truncate, twice))}"
        raise RetainError(f"{problem}; expected a different name for each column.")
    if rows == 0:
        raise RetainError(f"file {str(path)!r} holds a header and no rows; expected customers.")


def log_read(path: Path, how: str, shape: tuple[int, int]) -> None:
    """Log that a table was read."""
    log = logging.getLogger(__name__)
    log.info("%s: %s, %d rows, %d columns", path.name, how, *shape)


# --- fast and careful reading --------------------------------------------------------------------


def _read_fast(path: Path, distinct: Collection[str], source: TextOptions) -> Sheet | None:
    """Return the sheet of a valid UTF-8 file, its first row the header; None for any other."""
    content = read_content(path) if source.content is None else source.content
    head = head_as_utf8(content, _SAMPLE)
    if head is None or not find_layout(path, head[1]).is_plain:
        return None
    dialect = detect_dialect(*head)
    csv_format = arrow_cells.CsvFormat(
        dialect.separator, _column_indices(head[1], dialect.separator, distinct)
    )
    table = arrow_cells.read_fast(csv_format, content)
    if table is None:
        return None
    if (policy := source.policy) is not None:
        suspicious = arrow_cells.QUOTES if policy.drop else arrow_cells.ESCAPES
        if b'"' in content and arrow_cells.any_cell(table, suspicious):
            return None
    return Sheet(path, dialect, table, source)


def _read_carefully(path: Path, distinct: Collection[str], source: TextOptions) -> Sheet:
    """Return the sheet of any text, its first row the header."""
    policy = source.policy
    drop = policy if policy is not None and policy.drop else None
    encoding, text = source.decode(path, damaged=drop is not None)
    layout = find_layout(path, text, source.header_line)
    whole, text = text, cut_to_table(text, layout, layout.separator or "")
    dialect = detect_dialect(encoding, text, layout.separator)
    text = unescape_quotes(cut_to_table(whole, layout, dialect.separator), dialect.separator)
    log_layout(path, layout, whole)
    lines: list[int] | None = None
    dropped: tuple[DroppedRow, ...] = ()
    if drop:
        records = split_records(text, dialect.separator, layout.header_line)
        bad = (dropped_row(path.name, bad.line, bad.text, bad.reason) for bad in records.bad)
        text, lines, dropped = "\n".join(records.texts), records.lines[1:], tuple(bad)
        drop.check(dropped, len(dropped) + len(records.texts) - 1)
    csv_format = arrow_cells.CsvFormat(
        dialect.separator, _column_indices(text[:_SAMPLE], dialect.separator, distinct)
    )
    hint = "" if policy is None else policy.hint
    table = arrow_cells.read_checked(path, text, csv_format, layout.header_line, hint)
    if policy is not None and not drop and arrow_cells.any_cell(table, "\n"):
        _check_swallowed(path, text, dialect.separator, layout.header_line, hint)
    return Sheet(path, dialect, table, source, lines, dropped)


def _check_swallowed(path: Path, text: str, separator: str, line: int, hint: str) -> None:
    """Raise if a cell holds what looks like rows, which a quote that is not closed swallows."""
    bad = [one for one in split_records(text, separator, line).bad if "not closed" in one.reason]
    if bad:
        problem = f"file {str(path)!r}, line {bad[0].line}: {bad[0].reason}"
        raise RetainError(f"{problem}, and rows would become one cell; close it.{hint}")


def _column_indices(text: str, separator: str, names: Collection[str]) -> list[int]:
    """Return the header's indices of these names; a missed name costs only time."""
    try:
        header = next(csv.reader(text.lstrip().splitlines()[:1], delimiter=separator), [])
    except csv.Error:  # a field above the size limit
        return []
    return [index for index, name in enumerate(header) if normalise_spaces(name) in names]


def _header(table: pa.Table) -> list[str]:
    firsts = table.slice(0, 1)
    return [strip_whitespace(column).to_pylist()[0] for column in firsts.columns]


# --- separator and decimal mark ------------------------------------------------------------------


def detect_dialect(encoding: str, text: str, separator: str | None = None) -> Dialect:
    """Return the dialect of a text, detected from its beginning; ``separator`` if it is known."""
    sample = text[:_SAMPLE].replace("\r\n", "\n").replace("\r", "\n")
    lines = [line for line in sample.split("\n") if line]
    lines = lines[:-1] if len(text) > _SAMPLE and len(lines) > 1 else lines
    separator = separator or max(SEPARATORS, key=lambda mark: _agreement(lines, mark))
    cells = itertools.chain.from_iterable(csv.reader(lines[1:], delimiter=separator))
    column = pd.Series([cell.strip() for cell in cells], dtype="str")
    return Dialect(encoding, separator, decimal_mark(column, "," if separator == ";" else "."))


def _agreement(lines: list[str], separator: str) -> tuple[float, int]:
    """Return the share of rows as long as the header, and the header's length.

    A header of one field never wins against a longer one.
    """
    header, *rows = [len(fields) for fields in csv.reader(lines, delimiter=separator)]
    share = (sum(row == header for row in rows) + 1) / (len(rows) + 1)
    return (share if header > 1 else share - 1), header
