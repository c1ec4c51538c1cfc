"""How a text file writes a table: its encoding, separator and decimal mark; and its cells.

May import: errors and customers.encoding, numerals, source_file. Nothing here knows what a column
means.
"""

from __future__ import annotations

import csv
import itertools
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from retain.customers.encoding import decoded
from retain.customers.numerals import cut, decimal_mark
from retain.customers.source_file import content
from retain.errors import RetainError, examples

if TYPE_CHECKING:
    import pyarrow as pa

_SEPARATORS = ",;\t|"
_SAMPLE = 1 << 16  # characters looked at to find separator and decimal mark
_WIDE_SPACE = "[\u00a0\u2007\u2009\u202f]"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written. ``decimal`` is its usual mark; a column may use another."""

    encoding: str
    separator: str
    decimal: str

    def __str__(self) -> str:
        """The dialect as a log line tells it."""
        return f"{self.encoding}, separator {self.separator!r}, decimal mark {self.decimal!r}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The cells of a file as text, blanks missing, and the dialect they were written in."""

    path: Path
    dialect: Dialect
    cells: pd.DataFrame

    def decimal(self, column: str) -> str:
        """The decimal mark of one column."""
        return decimal_mark(self.cells[column], self.dialect.decimal)


def detect(path: Path) -> Dialect:
    """The dialect of the file, told by its content alone."""
    encoding, text = decoded(path, content(path))
    return dialect_of(encoding, text)


def read_cells(path: Path) -> Sheet:
    """All cells of the file as text: surrounding blanks stripped, empty cells missing.

    Raises
    ------
    RetainError
        The file is missing, empty, no text, has no rows, rows of different length, or two
        columns of one name.
    """
    encoding, text = decoded(path, content(path))
    dialect = dialect_of(encoding, text)
    table = _table(path, text, dialect.separator)
    header = [cell.as_py() or f"column {n}" for n, cell in enumerate(_first(table), start=1)]
    check_header(path, header, table.num_rows - 1)
    cells = table.slice(1).rename_columns(header).to_pandas()
    say_read(path, str(dialect), cells)
    return Sheet(path, dialect, cells)


def check_header(path: Path, header: Sequence[str], rows: int) -> None:
    """Refuse a table whose columns cannot be told apart, or that has no rows."""
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        found = f"file {str(path)!r} has several columns named {examples(map(cut, twice))}"
        raise RetainError(f"{found}; expected a different name for each column.")
    if rows == 0:
        raise RetainError(f"file {str(path)!r} holds a header and no rows; expected customers.")


def say_read(path: Path, how: str, frame: pd.DataFrame) -> None:
    """One log line about a table that was read."""
    rows, columns = frame.shape
    log = logging.getLogger(__name__)
    log.info("%s: %s, %d rows, %d columns", path.name, how, rows, columns)


def tidy(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts without surrounding blanks, every space an ordinary one, missing where empty."""
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = cells.dictionary_encode().combine_chunks()  # each different text is mended once
    text = pc.replace_substring_regex(encoded.dictionary, _WIDE_SPACE, " ")
    text = pc.utf8_trim_whitespace(text)
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    return pa.chunked_array([text.take(encoded.indices)])


# --- separator and decimal mark ------------------------------------------------------------------


def dialect_of(encoding: str, text: str) -> Dialect:
    """The dialect of a text, told by its beginning."""
    sample = text[:_SAMPLE].replace("\r\n", "\n").replace("\r", "\n")
    lines = [line for line in sample.split("\n") if line]
    lines = lines[:-1] if len(text) > _SAMPLE and len(lines) > 1 else lines
    separator = max(_SEPARATORS, key=lambda mark: _agreement(lines, mark))
    cells = itertools.chain.from_iterable(csv.reader(lines[1:], delimiter=separator))
    column = pd.Series([cell.strip() for cell in cells], dtype="str")
    return Dialect(encoding, separator, decimal_mark(column, "," if separator == ";" else "."))


def _agreement(lines: list[str], separator: str) -> tuple[float, int]:
    """The share of rows as long as the header when cut at ``separator``, and the header's length.

    A header of one field never wins against one that is cut.
    """
    header, *rows = [len(fields) for fields in csv.reader(lines, delimiter=separator)]
    share = (sum(row == header for row in rows) + 1) / (len(rows) + 1)
    return (share if header > 1 else share - 1), header


# --- cells ---------------------------------------------------------------------------------------


def _table(path: Path, text: str, separator: str) -> pa.Table:
    """All records, the header among them. pandas would fill short rows up in silence."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    ragged: list[tuple[int, int, int]] = []

    def note(row: arrow.InvalidRow) -> str:
        ragged.append((row.number or 0, row.actual_columns, row.expected_columns))
        return "skip"

    data = pa.py_buffer(text.encode("utf-8"))
    how = arrow.ReadOptions(autogenerate_column_names=True, use_threads=False)
    cut_at = arrow.ParseOptions(
        delimiter=separator, newlines_in_values=True, invalid_row_handler=note
    )
    try:
        with arrow.open_csv(pa.BufferReader(data), how, cut_at) as start:
            texts = {name: pa.string() for name in start.schema.names}
        ragged.clear()
        as_text = arrow.ConvertOptions(column_types=texts, strings_can_be_null=False)
        table = arrow.read_csv(pa.BufferReader(data), how, cut_at, as_text)
    except pa.ArrowException as error:
        found = f"file {str(path)!r} cannot be cut into cells: {str(error).splitlines()[0][:200]}"
        raise RetainError(f"{found}; look for a quote that is not closed.") from None
    _refuse_ragged(path, separator, ragged)
    return pa.table([tidy(column) for column in table.columns], names=table.column_names)


def _first(table: pa.Table) -> list[pa.Scalar]:
    return [column[0] for column in table.columns]


def _refuse_ragged(path: Path, separator: str, ragged: list[tuple[int, int, int]]) -> None:
    if not ragged:
        return
    row, actual, expected = ragged[0]
    more = f" (and {len(ragged) - 1} more rows)" if len(ragged) > 1 else ""
    found = f"file {str(path)!r}, row {row}{more}: {actual} cells between {separator!r}"
    raise RetainError(f"{found}; expected {expected}, as in the header.")
