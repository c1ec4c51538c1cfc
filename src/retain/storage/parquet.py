"""Bounded reading of Parquet files, since a small file may unpack to more than the memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from retain.errors import RetainError
from retain.storage.reading import MAX_TABLE_BYTES, MIB, open_regular

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq


MAX_CELLS = 2_000_000_000
"""Largest number of cells of a table."""
MAX_COLUMNS = 20_000
"""Largest number of columns of a table."""
MAX_CHUNKS = 1_000_000
"""Largest number of columns times row groups, all of which are checked before unpacking."""
MAGIC, FOOTER_BYTES = b"PAR1", 8
"""First and last bytes of a file, and the size of the length and the magic at its end."""
MAX_UNCHECKED_TEXT_BYTES = 1024 * MIB
"""Bound on the text of a file above which its exact size is computed."""


def read_parquet(path: Path, *, max_cells: int = MAX_CELLS, within: Path | None = None) -> pa.Table:
    """Return the table in a Parquet file.

    Parameters
    ----------
    max_cells
        Largest number of cells.
    within
        A folder that must contain the file after all links are followed.

    Raises
    ------
    MissingFileError
        If there is no file.
    RetainError
        If it is no regular Parquet file, or exceeds a bound.
    """
    import pyarrow.parquet as pq

    with open_regular(path, within=within) as file, readable_parquet_errors(path):
        parquet_file = pq.ParquetFile(file, page_checksum_verification=True)
        check_bounds(path, parquet_file.metadata, max_cells)
        texts = _text_columns_to_bound(parquet_file.metadata)
        if texts:
            file.seek(0)
            table = _decode_dictionaries(path, pq.ParquetFile(file, read_dictionary=texts).read())
        else:
            table = parquet_file.read()
        table.validate(full=True)  # such as text that is no UTF-8
        return table


def read_frame(path: Path, *, within: Path | None = None) -> pd.DataFrame:
    """Return the table in a Parquet file as a frame; what else the file says of it is ignored.

    Raises
    ------
    RetainError
        As in ``read_parquet``, a column holds no numbers, text, dates or truth values, or two have
        the same name.
    """
    table = read_parquet(path, within=within).replace_schema_metadata(None)
    if len(set(table.column_names)) < table.num_columns:
        raise RetainError(f"file {str(path)!r} has a column twice; expected different names.")
    for name, column in zip(table.column_names, table.columns, strict=True):
        if not _is_plain(column.type):
            holds = f"file {str(path)!r}, column {name[:100]!r} holds {str(column.type)[:100]}"
            raise RetainError(f"{holds}; expected numbers, text, dates or truth values.")
    with readable_parquet_errors(path):
        frame: pd.DataFrame = table.to_pandas()
        return frame


def _is_plain(kind: pa.DataType) -> bool:
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    checks = (
        *(types.is_integer, types.is_float32, types.is_float64, types.is_boolean, types.is_null),
        *(types.is_string, types.is_large_string, types.is_date, types.is_timestamp),
    )
    return any(bool(check(kind)) for check in checks)


def read_parquet_schema(path: Path) -> pa.Schema:
    """Return the schema of a Parquet file, bounded like ``read_parquet``."""
    import pyarrow.parquet as pq

    with open_regular(path) as file, readable_parquet_errors(path):
        parquet_file = pq.ParquetFile(file)
        if parquet_file.metadata.num_columns > MAX_COLUMNS:
            raise _over_bound_error(
                path, f"{parquet_file.metadata.num_columns:,} columns", f"{MAX_COLUMNS:,}"
            )
        return parquet_file.schema_arrow


def check_parquet_ends(path: Path, *, within: Path | None = None) -> None:
    """Raise a ``RetainError`` if the ends of a file are not those of a whole Parquet file.

    It needs no library and microseconds, and finds files that are missing, cut or of another type.
    """
    with open_regular(path, within=within) as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(len(MAGIC))
        file.seek(max(size - FOOTER_BYTES, 0))
        foot = file.read(FOOTER_BYTES)
    length = int.from_bytes(foot[:4], "little")
    if head != MAGIC or foot[4:] != MAGIC or length + len(MAGIC) + FOOTER_BYTES > size:
        raise RetainError(f"file {str(path)!r} is not a complete Parquet file.")


@contextmanager
def readable_parquet_errors(path: Path) -> Iterator[None]:
    """Turn errors of Arrow into a ``RetainError`` of one sentence."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = (str(error).splitlines() or [""])[0][:200].removesuffix(".")
        raise RetainError(f"file {str(path)!r} cannot be read as Parquet: {reason}.") from None


def check_bounds(path: Path, metadata: pq.FileMetaData, max_cells: int) -> None:
    """Raise a ``RetainError`` if the metadata of a file exceed a bound.

    Metadata of single chunks are not read: Arrow aborts the process on contradictions in them.
    """
    if metadata.num_columns > MAX_COLUMNS:
        raise _over_bound_error(path, f"{metadata.num_columns:,} columns", f"{MAX_COLUMNS:,}")
    if metadata.num_row_groups * metadata.num_columns > MAX_CHUNKS:
        raise _over_bound_error(
            path, f"{metadata.num_row_groups:,} row groups", f"{MAX_CHUNKS:,} chunks"
        )
    if metadata.num_rows * metadata.num_columns > max_cells:
        raise _over_bound_error(
            path, f"{metadata.num_rows * metadata.num_columns:,} cells", f"{max_cells:,}"
        )
    size = sum(metadata.row_group(n).total_byte_size for n in range(metadata.num_row_groups))
    if size > MAX_TABLE_BYTES:
        raise _over_bound_error(
            path, f"{size / MIB:,.0f} MiB unpacked", f"{MAX_TABLE_BYTES / MIB:,.0f}"
        )
    nested = [leaf.path for leaf in _leaves(metadata) if leaf.max_repetition_level > 0]
    if nested:  # of which a row may hold any number
        raise RetainError(
            f"file {str(path)!r}, column {nested[0]!r} holds lists; expected numbers, text, dates "
            "or truth values."
        )


def _leaves(metadata: pq.FileMetaData) -> Iterator[pq.ColumnSchema]:
    return (metadata.schema.column(index) for index in range(metadata.num_columns))


def _text_columns_to_bound(metadata: pq.FileMetaData) -> list[str]:
    """Return the text columns if all their cells together could exceed the bound on text."""
    groups = (metadata.row_group(index) for index in range(metadata.num_row_groups))
    if sum(group.num_rows * group.total_byte_size for group in groups) <= MAX_UNCHECKED_TEXT_BYTES:
        return []
    return sorted(leaf.path for leaf in _leaves(metadata) if leaf.physical_type == "BYTE_ARRAY")


def _decode_dictionaries(path: Path, table: pa.Table) -> pa.Table:
    """Return the table with texts in place of dictionary codes, if they are within the bound."""
    import pyarrow as pa
    import pyarrow.compute as pc

    size = 0
    for column in table.columns:
        for chunk in column.chunks if pa.types.is_dictionary(column.type) else ():
            lengths = pc.binary_length(chunk.dictionary)
            size += pc.sum(lengths.take(chunk.indices.drop_null())).as_py() or 0
    if size > MAX_TABLE_BYTES:
        raise _over_bound_error(
            path, f"{size / MIB:,.0f} MiB of text", f"{MAX_TABLE_BYTES / MIB:,.0f}"
        )
    plain = [
        column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    return pa.table(plain, names=table.column_names).replace_schema_metadata(table.schema.metadata)


def _over_bound_error(path: Path, found: str, bound: str) -> RetainError:
    return RetainError(f"file {str(path)!r} has {found}; expected at most {bound}.")
