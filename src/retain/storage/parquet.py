"""Parquet files, whose few bytes may unpack to more than a machine holds: bounds come first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from retain.errors import RetainError
from retain.storage.reading import MAX_TABLE_BYTES, MIB, open_regular

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


MAX_CELLS = 2_000_000_000
"""Cells of a table at most, nested ones included."""
MAX_COLUMNS = 20_000
"""Columns of a table at most."""
MAX_CHUNKS = 1_000_000
"""Columns times row groups at most, all of which are looked at before anything is unpacked."""
MAGIC, FOOTER_BYTES = b"PAR1", 8
"""How a file begins and ends, and bytes of the length and the magic at its end."""
MAX_UNCHECKED_TEXT_BYTES = 1024 * MIB
"""Bytes that texts may unpack to before their exact size is computed."""


def read_parquet(path: Path, *, max_cells: int = MAX_CELLS, within: Path | None = None) -> pa.Table:
    """Return the table in a Parquet file.

    Parameters
    ----------
    max_cells
        How many cells the table may have at most.
    within
        A folder that the file must lie in when all links are followed.

    Raises
    ------
    MissingFileError
        If it is not there.
    RetainError
        If it is no regular file or no Parquet, or unpacks to more than the bounds.
    """
    import pyarrow.parquet as pq

    with open_regular(path, within=within) as file, readable_parquet_errors(path):
        whole = pq.ParquetFile(file, page_checksum_verification=True)
        check_bounds(path, whole.metadata, max_cells)
        texts = _text_columns_to_bound(whole.metadata)
        if texts:
            file.seek(0)
            table = _decode_dictionaries(path, pq.ParquetFile(file, read_dictionary=texts).read())
        else:
            table = whole.read()
        table.validate(full=True)  # texts that are no UTF-8, say
        return table


def read_parquet_schema(path: Path) -> pa.Schema:
    """Return the columns of a Parquet file, bounded as by ``read_parquet``."""
    import pyarrow.parquet as pq

    with open_regular(path) as file, readable_parquet_errors(path):
        whole = pq.ParquetFile(file)
        if whole.metadata.num_columns > MAX_COLUMNS:
            raise _over_bound_error(
                path, f"{whole.metadata.num_columns:,} columns", f"{MAX_COLUMNS:,}"
            )
        return whole.schema_arrow


def check_parquet_ends(path: Path, *, within: Path | None = None) -> None:
    """Raise a ``RetainError`` if a file cannot be a whole Parquet file, told by its two ends.

    It takes no library and a few microseconds, and finds what is lost, cut or of another kind.
    """
    with open_regular(path, within=within) as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(len(MAGIC))
        file.seek(max(size - FOOTER_BYTES, 0))
        foot = file.read(FOOTER_BYTES)
    length = int.from_bytes(foot[:4], "little")
    if head != MAGIC or foot[4:] != MAGIC or length + len(MAGIC) + FOOTER_BYTES > size:
        raise RetainError(f"file {str(path)!r} is no whole Parquet file.")


@contextmanager
def readable_parquet_errors(path: Path) -> Iterator[None]:
    """Say what Arrow cannot read in one sentence."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        why = (str(error).splitlines() or [""])[0][:200].removesuffix(".")
        raise RetainError(f"file {str(path)!r} cannot be read as Parquet: {why}.") from None


def check_bounds(path: Path, metadata: pq.FileMetaData, max_cells: int) -> None:
    """Raise a ``RetainError`` if a file says that it unpacks to more than the bounds.

    What it says of single chunks is not looked at: there Arrow ends the process where a damaged
    file contradicts itself.
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
    nested = [one.path for one in _leaves(metadata) if one.max_repetition_level > 0]
    if nested:  # of which a row may hold any number
        raise RetainError(
            f"file {str(path)!r}, column {nested[0]!r} holds lists; expected numbers, text, dates "
            "or truth values."
        )


def _leaves(found: pq.FileMetaData) -> Iterator[pq.ColumnSchema]:
    return (found.schema.column(place) for place in range(found.num_columns))


def _text_columns_to_bound(found: pq.FileMetaData) -> list[str]:
    """Return columns of texts if all their cells could be as long as all that is packed of them."""
    groups = (found.row_group(number) for number in range(found.num_row_groups))
    if sum(one.num_rows * one.total_byte_size for one in groups) <= MAX_UNCHECKED_TEXT_BYTES:
        return []
    return sorted(one.path for one in _leaves(found) if one.physical_type == "BYTE_ARRAY")


def _decode_dictionaries(path: Path, table: pa.Table) -> pa.Table:
    """Return the table with texts in place of the codes they were read as."""
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


def _over_bound_error(path: Path, found: str, most: str) -> RetainError:
    return RetainError(f"file {str(path)!r} has {found}; expected at most {most}.")
