"""Parquet files, whose few bytes may unpack to more than a machine holds: bounds come first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from retain.errors import RetainError
from retain.storage.reading import DATA_BYTES, MIB, open_regular

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

CELLS = 2_000_000_000
"""Cells of a table at most, nested ones included."""
COLUMNS = 20_000
"""Columns of a table at most."""
CHUNKS = 1_000_000
"""Columns times row groups at most, all of which are looked at before anything is unpacked."""
MAGIC, FOOTER = b"PAR1", 8
"""How a file begins and ends, and bytes of the length and the magic at its end."""
TEXTS_BYTES = 1024 * MIB
"""Bytes that texts may unpack to before their exact size is computed."""


def read_parquet(path: Path, *, cells: int = CELLS, within: Path | None = None) -> pa.Table:
    """Return the table in a Parquet file.

    Parameters
    ----------
    cells
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

    with open_regular(path, within=within) as file, reading_parquet(path):
        whole = pq.ParquetFile(file, page_checksum_verification=True)
        check_bounds(path, whole.metadata, cells)
        texts = _texts_that_may_swell(whole.metadata)
        if texts:
            file.seek(0)
            table = _decoded(path, pq.ParquetFile(file, read_dictionary=texts).read())
        else:
            table = whole.read()
        table.validate(full=True)  # texts that are no UTF-8, say
        return table


def read_parquet_schema(path: Path) -> pa.Schema:
    """Return the columns of a Parquet file, bounded as by ``read_parquet``."""
    import pyarrow.parquet as pq

    with open_regular(path) as file, reading_parquet(path):
        whole = pq.ParquetFile(file)
        if whole.metadata.num_columns > COLUMNS:
            raise _beyond(path, f"{whole.metadata.num_columns:,} columns", f"{COLUMNS:,}")
        return whole.schema_arrow


def check_parquet_ends(path: Path, *, within: Path | None = None) -> None:
    """Raise a ``RetainError`` if a file cannot be a whole Parquet file, told by its two ends.

    It takes no library and a few microseconds, and finds what is lost, cut or of another kind.
    """
    with open_regular(path, within=within) as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(len(MAGIC))
        file.seek(max(size - FOOTER, 0))
        foot = file.read(FOOTER)
    length = int.from_bytes(foot[:4], "little")
    if head != MAGIC or foot[4:] != MAGIC or length + len(MAGIC) + FOOTER > size:
        raise RetainError(f"file {str(path)!r} is not a complete Parquet file.")


@contextmanager
def reading_parquet(path: Path) -> Iterator[None]:
    """Say what Arrow cannot read in one sentence."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        why = (str(error).splitlines() or [""])[0][:200].removesuffix(".")
        raise RetainError(f"file {str(path)!r} cannot be read as Parquet: {why}.") from None


def check_bounds(path: Path, found: pq.FileMetaData, cells: int) -> None:
    """Raise a ``RetainError`` if a file says that it unpacks to more than the bounds.

    What it says of single chunks is not looked at: there Arrow ends the process where a damaged
    file contradicts itself.
    """
    if found.num_columns > COLUMNS:
        raise _beyond(path, f"{found.num_columns:,} columns", f"{COLUMNS:,}")
    if found.num_row_groups * found.num_columns > CHUNKS:
        raise _beyond(path, f"{found.num_row_groups:,} row groups", f"{CHUNKS:,} chunks")
    if found.num_rows * found.num_columns > cells:
        raise _beyond(path, f"{found.num_rows * found.num_columns:,} cells", f"{cells:,}")
    size = sum(found.row_group(n).total_byte_size for n in range(found.num_row_groups))
    if size > DATA_BYTES:
        raise _beyond(path, f"{size / MIB:,.0f} MiB unpacked", f"{DATA_BYTES / MIB:,.0f}")
    nested = [one.path for one in _leaves(found) if one.max_repetition_level > 0]
    if nested:  # of which a row may hold any number
        raise RetainError(
            f"file {str(path)!r}, column {nested[0]!r} holds lists; expected numbers, text, dates "
            "or truth values."
        )


def _leaves(found: pq.FileMetaData) -> Iterator[pq.ColumnSchema]:
    return (found.schema.column(place) for place in range(found.num_columns))


def _texts_that_may_swell(found: pq.FileMetaData) -> list[str]:
    """Return columns of texts if all their cells could be as long as all that is packed of them."""
    groups = (found.row_group(number) for number in range(found.num_row_groups))
    if sum(one.num_rows * one.total_byte_size for one in groups) <= TEXTS_BYTES:
        return []
    return sorted(one.path for one in _leaves(found) if one.physical_type == "BYTE_ARRAY")


def _decoded(path: Path, table: pa.Table) -> pa.Table:
    """Return the table with texts in place of the codes they were read as."""
    import pyarrow as pa
    import pyarrow.compute as pc

    size = 0
    for column in table.columns:
        for chunk in column.chunks if pa.types.is_dictionary(column.type) else ():
            lengths = pc.binary_length(chunk.dictionary)
            size += pc.sum(lengths.take(chunk.indices.drop_null())).as_py() or 0
    if size > DATA_BYTES:
        raise _beyond(path, f"{size / MIB:,.0f} MiB of text", f"{DATA_BYTES / MIB:,.0f}")
    plain = [
        column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    return pa.table(plain, names=table.column_names).replace_schema_metadata(table.schema.metadata)


def _beyond(path: Path, found: str, most: str) -> RetainError:
    return RetainError(f"file {str(path)!r} has {found}; expected at most {most}.")
