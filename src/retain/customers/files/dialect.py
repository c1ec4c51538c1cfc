"""The dialect of a text file: encoding, separator, decimal mark; and its cells."""

from __future__ import annotations

import csv
import itertools
import logging
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import pyarrow as pa

from retain.customers.files import arrow_cells
from retain.customers.files.arrow_cells import DictionaryColumn, from_arrow, strip_whitespace, tidy
from retain.customers.files.encoding import check_exists, decode, head_as_utf8, read_content
from retain.customers.files.number_column import find_sure_marks
from retain.customers.files.number_format import FileMarks
from retain.customers.files.numbers import decimal_mark, normalise_spaces, truncate
from retain.errors import RetainError, examples

_SEPARATORS = ",;\t|"
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

    ``table`` holds the rows below the header.
    """

    path: Path
    dialect: Dialect
    table: pa.Table

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
        """What the file says about the numbers of a column that allows two readings."""
        names = self.columns
        return FileMarks(
            self.dialect.decimal,
            trusts_points=self.dialect.separator == ",",
            find_marks=lambda: [find_sure_marks(self.column(name).distinct) for name in names],
        )


def detect(path: Path) -> Dialect:
    """Return the dialect of the file, detected from its content."""
    encoding, text = decode(path, read_content(path))
    return detect_dialect(encoding, text)


def read_cells(
    path: Path,
    distinct: Collection[str] = (),
    *,
    content: bytes | None = None,
    encoding: str | None = None,
    encoding_key: str = "",
) -> Sheet:
    """Return all cells of the file as text: surrounding blanks stripped, empty cells missing.

    Parameters
    ----------
    distinct
        Names of columns of mostly distinct texts, such as ids.
    content
        The content of a compressed file, None for a plain one.
    encoding
        The encoding that the user names, None to detect it.
    encoding_key
        The key under which the user may name it, empty without one.

    Raises
    ------
    RetainError
        The file is missing, empty, not text, has no rows, rows of different length, or repeated
        column names.
    """
    fast = None if encoding else _read_fast(path, distinct, content)
    dialect, table = fast or _read_carefully(path, distinct, content, (encoding, encoding_key))
    header = [name or f"column {n}" for n, name in enumerate(_header(table), start=1)]
    check_header(path, header, table.num_rows - 1)
    log_read(path, str(dialect), (table.num_rows - 1, table.num_columns))
    return Sheet(path, dialect, table.slice(1).rename_columns(header))


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


def _read_fast(
    path: Path, distinct: Collection[str], content: bytes | None
) -> tuple[Dialect, pa.Table] | None:
    """Return the dialect and table of a valid UTF-8 file; None for any other."""
    check_exists(path)
    head = head_as_utf8(path, _SAMPLE, content)
    if head is None:
        return None
    dialect = detect_dialect(*head)
    csv_format = arrow_cells.CsvFormat(
        dialect.separator, _column_indices(head[1], dialect.separator, distinct)
    )
    table = arrow_cells.read_fast(path, csv_format, content)
    return None if table is None else (dialect, table)


def _read_carefully(
    path: Path, distinct: Collection[str], content: bytes | None, named: tuple[str | None, str]
) -> tuple[Dialect, pa.Table]:
    data = read_content(path) if content is None else content
    encoding, text = decode(path, data, *named)
    dialect = detect_dialect(encoding, text)
    csv_format = arrow_cells.CsvFormat(
        dialect.separator, _column_indices(text[:_SAMPLE], dialect.separator, distinct)
    )
    return dialect, arrow_cells.read_checked(path, text, csv_format)


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


def detect_dialect(encoding: str, text: str) -> Dialect:
    """Return the dialect of a text, detected from its beginning."""
    sample = text[:_SAMPLE].replace("\r\n", "\n").replace("\r", "\n")
    lines = [line for line in sample.split("\n") if line]
    lines = lines[:-1] if len(text) > _SAMPLE and len(lines) > 1 else lines
    separator = max(_SEPARATORS, key=lambda mark: _agreement(lines, mark))
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
