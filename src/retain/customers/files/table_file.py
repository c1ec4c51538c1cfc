"""One table of unknown meaning, from a CSV or a Parquet file: text, numbers and dates as found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from retain.customers.files.arrow_cells import tidy
from retain.customers.files.dialect import check_header, log_read, read_cells
from retain.customers.files.encoding import check_exists
from retain.errors import RetainError
from retain.storage.parquet import read_parquet

if TYPE_CHECKING:
    import pyarrow as pa

_PARQUET = (".parquet", ".parq", ".pq")


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the file holds it, under the file's column names.

    Cells are texts (missing where blank) or, as Parquet has types, whole numbers, floats or dates;
    a truth value is the text ``True`` or ``False``. ``decimal`` is the usual mark of the texts.
    """

    path: Path
    cells: pd.DataFrame
    decimal: str


def open_table(path: Path) -> Table:
    """Return the table in the file; Parquet is told by its suffix, anything else is text."""
    if path.suffix.lower() not in _PARQUET:
        sheet = read_cells(path)
        return Table(path, sheet.cells, sheet.dialect.decimal)
    check_exists(path)
    table = read_parquet(path)
    check_header(path, table.column_names, table.num_rows)
    named = zip(table.column_names, table.columns, strict=True)
    cells = pd.DataFrame({name: _typed(path, name, column) for name, column in named})
    log_read(path, "Parquet", cells.shape)
    return Table(path, cells, ".")


def _typed(path: Path, name: str, column: pa.ChunkedArray) -> pd.Series:
    """Return a Parquet column as text, numbers or dates."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind, types = column.type, pa.types
    if types.is_boolean(kind):
        return pd.Series(column.to_pandas()).map({True: "True", False: "False"}).astype("str")
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        found = _numbers(column)
    elif types.is_date(kind) or types.is_timestamp(kind):
        found = column.cast(pa.timestamp("s"), safe=False)
    elif types.is_null(kind) or types.is_string(kind) or types.is_large_string(kind):
        return pd.Series(tidy(column.cast(pa.string())).to_pandas()).astype("str")
    else:
        holds = f"file {str(path)!r}, column {name!r} holds {kind}"
        raise RetainError(f"{holds}; expected numbers, text, dates or truth values.")
    return pd.Series(found.to_pandas())


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers stay whole where none is missing: an id must keep every digit."""
    import pyarrow as pa

    whole = pa.types.is_signed_integer(column.type) and column.null_count == 0
    return column.cast(pa.int64() if whole else pa.float64(), safe=False)
