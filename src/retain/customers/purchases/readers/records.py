"""Workbooks and JSON lines of a log, read whole and loaded into ``retain_raw``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from retain.customers.files.containers import detect_kind, unpack
from retain.customers.files.encoding import read_content
from retain.customers.files.json_lines import read_json_lines
from retain.customers.files.layout import MAX_TITLE_LINES
from retain.customers.files.workbook import cell_text, read_workbook, type_cells
from retain.customers.purchases.parsing.column_request import ColumnRequest, check_same_columns
from retain.customers.purchases.parsing.raw_columns import RawRelation
from retain.customers.purchases.readers.arrow import load_batches
from retain.customers.purchases.readers.location import LogLocation
from retain.errors import RetainError

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection as Connection


def load(
    connection: Connection, location: LogLocation, sheet: str | None, request: ColumnRequest
) -> RawRelation:
    """Load the rows of all files; ``sheet`` is that of workbooks with several.

    Raises
    ------
    RetainError
        A file is damaged, or the files differ in their columns.
    """
    import pyarrow as pa

    tables = [_read_table(path, sheet, request) for path in location.files]
    names = [f"file {str(path)!r}" for path in location.files]
    for name, table in zip(names, tables, strict=True):
        request.check_columns(name, table.column_names)
        check_same_columns(names[0], tables[0].column_names, name, table.column_names)
    try:
        table = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        found = f"{location.name} differ in the types of a column: {str(error).splitlines()[0]}"
        raise RetainError(f"{found[:300]}; expected one type in all files.") from None
    raw = load_batches(connection, table.schema, table.to_batches(), request, location.name)
    return RawRelation(raw.name, location.kind, raw.column_names, raw.types, is_stored=True)


def _read_table(path: Path, sheet: str | None, request: ColumnRequest) -> pa.Table:
    kind, content = detect_kind(path), read_content(path)
    if kind in ("gzip", "bzip2", "zip"):
        content = unpack(path, kind, content)[1]
    if kind != "workbook":
        return read_json_lines(path, content)
    return _sheet_table(path, content, sheet, request)


def _sheet_table(path: Path, content: bytes, sheet: str | None, request: ColumnRequest) -> pa.Table:
    """Return the rows below the header of a sheet, which may stand below titles."""
    import pyarrow as pa

    rows = read_workbook(path, content, sheet, "data.table").rows
    heads = [[cell_text(cell) or "" for cell in row] for row in rows[: MAX_TITLE_LINES + 1]]
    first = next((n for n, cells in enumerate(heads) if not request.list_missing(cells)), 0)
    names = [name or f"column {n}" for n, name in enumerate(heads[first], start=1)]
    columns = list(zip(*rows[first + 1 :], strict=True)) or [()] * len(names)
    arrays = [pa.Array.from_pandas(type_cells(cells)) for cells in columns]
    return pa.table(arrays, names=names)
