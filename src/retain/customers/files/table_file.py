"""A table without a contract, from a file of any kind: text, numbers and dates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retain.customers.cells.arrow_cells import tidy
from retain.customers.cells.dates import find_sure_order
from retain.customers.cells.number_column import find_sure_marks
from retain.customers.cells.number_format import FileMarks, check_marks, parse_format
from retain.customers.columns import find_column
from retain.customers.customers import CleaningStep
from retain.customers.files.bad_rows import dropped_row
from retain.customers.files.containers import FileKind, detect_kind, unpack
from retain.customers.files.dialect import Sheet, check_header, log_read, read_cells
from retain.customers.files.encoding import TextOptions, check_exists, read_content
from retain.customers.files.json_lines import JSON_LINES_SUFFIXES, read_json_lines
from retain.customers.files.layout import find_header
from retain.customers.files.workbook import (
    WorkbookSheet,
    cell_text,
    read_workbook,
    type_cells,
)
from retain.customers.reading import DroppedRow
from retain.errors import RetainError
from retain.schema.parsing import check_mapping
from retain.storage.parquet import read_parquet

if TYPE_CHECKING:
    import pyarrow as pa

N_HEAD_ROWS = 200
"""Rows of a sheet in which its header is looked for."""
_PARQUET = (".parquet", ".parq", ".pq")


@dataclass(frozen=True)
class FileTable:
    """A table under the column names of its file.

    Cells are texts (missing where blank) or, from Parquet, whole numbers, floats or dates; a
    boolean is the text ``True`` or ``False``. ``marks`` are what the file says about its numbers.
    ``positions`` of its rows are those in ``sheet``, None for all rows of a file without text;
    there ``first_line`` is that of the first row.
    ``steps`` and ``dropped`` are about rows that are left out.
    """

    path: Path
    cells: pd.DataFrame
    marks: FileMarks
    sheet: Sheet | None = None
    positions: NDArray[np.int64] | None = None
    steps: tuple[CleaningStep, ...] = ()
    dropped: tuple[DroppedRow, ...] = ()
    first_line: int = 2

    def line(self, row: int) -> int:
        """Return the line of the file on which a row begins; its number where there are no lines.

        The header is the first one.
        """
        position = int(row if self.positions is None else self.positions[row])
        return position + self.first_line if self.sheet is None else self.sheet.row_lines[position]

    def without(
        self, mask: NDArray[np.bool_], step: str, reasons: Mapping[int, str], hint: str = ""
    ) -> FileTable:
        """Return the table without the masked rows, which are listed if they have a reason.

        ``hint`` says how to keep them.
        """
        if not mask.any():
            return self
        gone = [self._dropped_row(row, reason) for row, reason in reasons.items()]
        positions = np.arange(len(mask)) if self.positions is None else self.positions
        n_left = int((~mask).sum())
        why = f"line {gone[0].line}: {gone[0].reason}" if gone else "no cell"
        more = f" (and {len(gone) - 1} more, see dropped_rows.csv)" if len(gone) > 1 else ""
        funnel_step = CleaningStep(step, len(mask), n_left, why + more + hint, unit="rows")
        return replace(
            self,
            cells=self.cells[~mask].reset_index(drop=True),
            positions=positions[~mask],
            steps=(*self.steps, funnel_step),
            dropped=(*self.dropped, *gone),
        )

    def _dropped_row(self, row: int, reason: str) -> DroppedRow:
        separator = "," if self.sheet is None else self.sheet.dialect.separator
        texts = ("" if pd.isna(cell) else str(cell) for cell in self.cells.iloc[row])
        return dropped_row(self.path.name, self.line(row), separator.join(texts), reason)


def open_table(
    path: Path, source: TextOptions | None = None, *, sheet: str | None = None
) -> FileTable:
    """Return the table in the file, whose kind its first bytes say.

    Parameters
    ----------
    source
        How a text file is read.
    sheet
        The sheet of a workbook, None if only one has cells.

    Raises
    ------
    RetainError
        The file is missing, damaged, of another kind, or holds no table.
    """
    check_exists(path)
    source = source or TextOptions()
    is_named_parquet = path.suffix.lower() in _PARQUET
    content = b"" if is_named_parquet else read_content(path)
    kind: FileKind = "Parquet" if is_named_parquet else detect_kind(path, content)
    _check_keys(path, kind, source, sheet)
    is_packed = kind in ("gzip", "bzip2", "zip")
    if is_packed:
        name, content = unpack(path, kind, content)
        kind = "JSON lines" if Path(name).suffix.lower() in JSON_LINES_SUFFIXES else "text"
    if kind == "workbook":
        return _sheet_table(path, read_workbook(path, content, sheet), source.header_line)
    if kind == "JSON lines":
        return _arrow_table(path, "JSON lines", read_json_lines(path, content))
    if kind == "Parquet":
        return _arrow_table(path, "Parquet", read_parquet(path))
    options = replace(source, content=content, encoding_key="data.encoding")
    text = read_cells(path, source=options)
    if not is_packed:  # it can be read again where lines are asked for
        text = replace(text, source=replace(options, content=None))
    trusts_points = text.dialect.separator == ","
    marks = _marks(text.cells, text.dialect.decimal, trusts_points=trusts_points)
    table = FileTable(path, text.cells, marks, text, dropped=text.dropped)
    return replace(table, steps=tuple(_describe_bad_rows(table)))


def _check_keys(path: Path, kind: FileKind, source: TextOptions, sheet: str | None) -> None:
    """Raise if a key does not go with the kind of a file."""
    if sheet is not None and kind != "workbook":
        expected = "expected data.sheet=null"
        raise RetainError.at("data.sheet", f"{path.name!r} is no workbook", expected)
    keys = {"encoding": "its encoding is known", "header_line": "its names are in its first row"}
    for key, reason in keys.items() if kind in ("workbook", "Parquet", "JSON lines") else ():
        if getattr(source, key) is not None and (key, kind) != ("header_line", "workbook"):
            expected = f"expected data.{key}=null, as {reason}"
            raise RetainError.at(f"data.{key}", f"{path.name!r} is {kind}", expected)


def _arrow_table(path: Path, how: str, table: pa.Table) -> FileTable:
    check_header(path, table.column_names, table.num_rows)
    named = zip(table.column_names, table.columns, strict=True)
    cells = pd.DataFrame({name: _typed(path, name, column) for name, column in named})
    log_read(path, how, cells.shape)
    return FileTable(path, cells, _marks(cells, ".", trusts_points=False))


def _sheet_table(path: Path, sheet: WorkbookSheet, header_line: int | None) -> FileTable:
    """Return the cells of a sheet below its header."""
    head = sheet.texts(N_HEAD_ROWS)
    if header_line is None:
        index = find_header(path, head, sheet.first_line, len(head[0]))
    else:
        index = header_line - sheet.first_line if type(header_line) is int else -1
        if not 0 <= index < len(sheet.rows):
            last = sheet.first_line + len(sheet.rows) - 1
            expected = f"expected the row of the column names, {sheet.first_line} to {last}"
            raise RetainError.at("data.header_line", f"it is {header_line}", expected)
    rows = sheet.rows[index:]
    columns: dict[str, list[pd.Series]] = {}
    names = [cell_text(name) for name in rows[0]]
    for n, (name, column) in enumerate(zip(names, zip(*rows[1:], strict=True), strict=False), 1):
        if name or any(cell not in ("", None) for cell in column):
            columns.setdefault(name or f"column {n}", []).append(type_cells(column))
    header = [name for name, found in columns.items() for _ in found]
    check_header(path, header, len(rows) - 1)
    cells = pd.DataFrame({name: found[0] for name, found in columns.items()})
    first_line = sheet.first_line + index
    how = f"sheet {sheet.name!r}" + (f", header in row {first_line}" if first_line > 1 else "")
    log_read(path, how, cells.shape)
    marks = _marks(cells, ".", trusts_points=False)
    return FileTable(path, cells, marks, first_line=first_line + 1)


def _marks(cells: pd.DataFrame, default: str, *, trusts_points: bool) -> FileMarks:
    texts = [name for name in cells.columns if cells[name].dtype == "str"]
    return FileMarks(
        default,
        trusts_points=trusts_points,
        find_marks=lambda: [find_sure_marks(cells[name]) for name in texts],
        find_orders=lambda: [find_sure_order(cells[name]) for name in texts],
    )


def _describe_bad_rows(table: FileTable) -> Iterator[CleaningStep]:
    """Yield the step of the rows that could not be read."""
    if table.dropped:
        first, n_left = table.dropped[0], len(table.cells)
        more = len(table.dropped) - 1
        reason = f"line {first.line}: {first.reason}"
        reason += f" (and {more} more, see dropped_rows.csv)" if more else ""
        yield CleaningStep("bad rows", n_left + len(table.dropped), n_left, reason, unit="rows")


def _typed(path: Path, name: str, column: pa.ChunkedArray) -> pd.Series:
    """Return a Parquet column as text, numbers or dates."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind, types = column.type, pa.types
    if types.is_boolean(kind):
        return pd.Series(column.to_pandas()).map({True: "True", False: "False"}).astype("str")
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        values = _numbers(column)
        if types.is_string(values.type):
            return pd.Series(values.to_pandas()).astype("str")
    elif types.is_date(kind) or types.is_timestamp(kind):
        values = column.cast(pa.timestamp("s"), safe=False)
    elif types.is_null(kind) or types.is_string(kind) or types.is_large_string(kind):
        return pd.Series(tidy(column.cast(pa.string())).to_pandas()).astype("str")
    else:
        holds = f"file {str(path)!r}, column {name!r} holds {kind}"
        raise RetainError(f"{holds}; expected numbers, text, dates or truth values.")
    return pd.Series(values.to_pandas())


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return integers as int64 if none is missing, or as text, so an id keeps every digit.

    Other numbers, and integers that floats hold exactly, become floats.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_integer(column.type):
        return column.cast(pa.float64(), safe=False)
    ends = pc.min_max(column).as_py()
    low, high = ends["min"] or 0, ends["max"] or 0
    if column.null_count == 0 and high < 2**63:
        return column.cast(pa.int64())
    is_exact = low >= -(2**53) and high <= 2**53
    return column.cast(pa.float64() if is_exact else pa.string(), safe=False)


def configure_marks(
    marks: FileMarks,
    names: dict[str, str],
    decimal: str | None,
    thousands: str | None,
    formats: Mapping[str, Mapping[str, str]],
) -> FileMarks:
    """Return the marks of a file with what the user says about them.

    ``names`` are the canonical names of the columns, ``formats`` the keys ``number_format`` and
    ``date_format``.
    """
    check_marks(decimal, thousands)
    numbers, dates = (
        {
            find_column(name, names, f"data.{key}"): (f"data.{key}.{name}", text)
            for name, text in one
        }
        for key in ("number_format", "date_format")
        for one in [check_mapping(f"data.{key}", formats[key]).items()]
    )
    return replace(
        marks,
        decimal=decimal,
        thousands=thousands,
        formats={name: parse_format(text, where) for name, (where, text) in numbers.items()},
        date_formats={name: str(text) for name, (_, text) in dates.items()},
        key="data.number_format",
    )
