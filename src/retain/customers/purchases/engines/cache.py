"""Tables built before, as Parquet files named by all that can change what is in them."""

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


_FACTS = b"retain"
log = logging.getLogger(__name__)

Keep = Callable[["pa.Table"], None]
Build = Callable[[Keep], TableFacts]
"""Builds a table: hands over its rows part by part, and answers with the facts."""


def hash_key(*parts: object) -> str:
    """A SHA-256 of parts that JSON can write (64 hex digits)."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def build_or_load(
    folder: Path | None, key: str, build: Build, fits: Callable[[TableFacts], bool]
) -> FeatureTable:
    """The table of a key: read where it was built before, whole and ``fits``, else built.

    Without a folder it is built and kept nowhere.

    Raises
    ------
    RetainError
        The folder cannot be written.
    """
    if folder is None:
        parts: list[pa.Table] = []
        return _joined(parts, build(parts.append))
    path = folder / f"{key}.parquet"
    found = read(path)
    if found is not None and fits(found.facts):
        log.info("the table of these purchases was built before: %s", path)
        return found
    try:
        write(path, build)
    except OSError as error:
        raise RetainError.unwritable(folder, error, "data.cache=FOLDER, or null") from None
    built = read(path)
    if built is None:
        raise RetainError(f"{path} was written and cannot be read; data.cache=null keeps no table.")
    return built


def read(path: Path) -> FeatureTable | None:
    """The table in a file, None where there is none or it is not whole."""
    try:
        rows = read_parquet(path, within=path.parent)
        facts = TableFacts.from_json((rows.schema.metadata or {})[_FACTS].decode())
    except MissingFileError:
        return None
    except (RetainError, KeyError, TypeError, ValueError):
        log.info("%s is broken, so the table is built again", path)
        return None
    return FeatureTable(rows.replace_schema_metadata(None), facts)


def write(path: Path, build: Build) -> None:
    """Build a table into a file, part by part; nobody ever meets half of it."""
    writers: list[pq.ParquetWriter] = []
    with atomic_write(path, durable=False) as temporary:

        def keep(part: pa.Table) -> None:
            if not writers:
                writers.append(_writer(temporary, part.schema))
            writers[0].write_table(part)

        try:
            facts = build(keep)
            writers[0].add_key_value_metadata({_FACTS: facts.to_json()})
        finally:
            for writer in writers:
                writer.close()


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer that spends little: quotients hardly repeat, and nobody searches."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = [field.name for field in schema if pa.types.is_integer(field.type)]
    return pq.ParquetWriter(
        path,
        schema,
        compression="snappy",
        use_dictionary=whole,
        write_statistics=False,
        write_page_checksum=True,
    )


def _joined(parts: list[pa.Table], facts: TableFacts) -> FeatureTable:
    import pyarrow as pa

    return FeatureTable(pa.concat_tables(parts), facts)
