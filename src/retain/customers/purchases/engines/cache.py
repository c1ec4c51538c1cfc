"""A cache of feature tables: Parquet files named by a hash of their inputs."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from retain.customers.purchases.features.result import FeatureTable, TableFacts
from retain.errors import RetainError
from retain.storage.parquet import read_parquet
from retain.storage.reading import MissingFileError
from retain.storage.writing import atomic_write

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


_FACTS_KEY = b"retain"
log = logging.getLogger(__name__)

WriteChunk = Callable[["pa.Table"], None]
BuildTable = Callable[[WriteChunk], TableFacts]
"""Function that passes a table's rows to ``WriteChunk`` and returns the facts about them."""


def hash_key(*parts: object) -> str:
    """Return the SHA-256 of parts serialisable as JSON (64 hex digits)."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def build_or_load(
    folder: Path | None, key: str, build: BuildTable, is_current: Callable[[TableFacts], bool]
) -> FeatureTable:
    """Return the table of a key from the folder if it is intact and current, else build it.

    Without a folder the table is built and not stored.

    Raises
    ------
    RetainError
        The folder cannot be written.
    """
    if folder is None:
        chunks: list[pa.Table] = []
        import pyarrow as pa

        facts = build(chunks.append)
        return FeatureTable(pa.concat_tables(chunks), facts)
    path = folder / f"{key}.parquet"
    cached = read(path)
    if cached is not None and is_current(cached.facts):
        log.info("the table of these purchases was built before: %s", path)
        return cached
    try:
        write(path, build)
    except OSError as error:
        raise RetainError.unwritable(folder, error, "data.cache=FOLDER, or null") from None
    built = read(path)
    if built is None:
        raise RetainError(f"{path} was written and cannot be read; data.cache=null keeps no table.")
    return built


def read(path: Path) -> FeatureTable | None:
    """Return the table in a file, None if it is missing or broken."""
    try:
        rows = read_parquet(path, within=path.parent)
        facts = TableFacts.from_json((rows.schema.metadata or {})[_FACTS_KEY].decode())
    except MissingFileError:
        return None
    except (RetainError, KeyError, TypeError, ValueError):
        log.info("%s is broken, so the table is built again", path)
        return None
    return FeatureTable(rows.replace_schema_metadata(None), facts)


def write(path: Path, build: BuildTable) -> None:
    """Build a table into a file chunk by chunk, and put it in place when it is complete."""
    writers: list[pq.ParquetWriter] = []
    with atomic_write(path, durable=False) as temporary:

        def write_chunk(chunk: pa.Table) -> None:
            if not writers:
                writers.append(_open_writer(temporary, chunk.schema))
            writers[0].write_table(chunk)

        try:
            facts = build(write_chunk)
            writers[0].add_key_value_metadata({_FACTS_KEY: facts.to_json()})
        finally:
            for writer in writers:
                writer.close()


def _open_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Return a fast writer: ratios hardly repeat, so they need no dictionary or statistics."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    integers = [field.name for field in schema if pa.types.is_integer(field.type)]
    return pq.ParquetWriter(
        path,
        schema,
        compression="snappy",
        use_dictionary=integers,
        write_statistics=False,
        write_page_checksum=True,
    )
