"""Hashes of a log's content and of the options it is read with."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from retain.customers.purchases.parsing.raw_columns import RAW_TABLE, fetch_column_types
from retain.customers.purchases.readers import sql
from retain.customers.purchases.readers.location import LogLocation, locate_log
from retain.storage.reading import open_regular

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection

    from retain.customers.purchases.log import LogOptions

_MAX_HASHED_BYTES = 64 << 20  # larger files are hashed by size, modification time and both ends
_END_BYTES = 1 << 20
_VERSION = 3  # to be raised when the same input is read differently


def hash_log(path: str, table: str | None, options: LogOptions) -> str:
    """Return the SHA-256 of a log's content and options, without reading its rows.

    A file counts by its content, not by its name; above 64 MB by its size, its modification time
    and its two ends. A table on a server is hashed by the server.
    """
    return hash_location(locate_log(path, table), table, options)


def hash_location(location: LogLocation, table: str | None, options: LogOptions) -> str:
    """Return the SHA-256 of a log's content and options."""
    if location.kind == "PostgreSQL":
        return hash_parts(sql.hash_server_table(location, table), table, options)
    return hash_parts(sorted(_hash_file(path) for path in _iter_files(location)), table, options)


def hash_parts(parts: object, table: str | None, options: LogOptions) -> str:
    """Return the SHA-256 of the parts of a log, which must be serialisable as JSON."""
    models = {"columns": options.columns, "format": options.format, "policy": options.policy}
    keys = {name: model.model_dump(mode="json") for name, model in models.items()}
    condition, exclude = options.rows.condition, options.rows.exclude
    rows = {"where": None if condition is None else str(condition), "exclude": exclude}
    parts = [_VERSION, parts, {"table": table, **keys, **rows}]
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _iter_files(location: LogLocation) -> Iterator[Path]:
    """Yield the files, and the journals of a database with what its file does not hold yet."""
    yield from location.files
    if location.is_database:
        journals = (Path(f"{path}{end}") for path in location.files for end in (".wal", "-wal"))
        yield from (path for path in journals if path.is_file())


def _hash_file(path: Path) -> str:
    with open_regular(path) as stream:
        status = os.fstat(stream.fileno())
        if status.st_size <= _MAX_HASHED_BYTES:
            return hashlib.file_digest(stream, "sha256").hexdigest()
        digest = hashlib.sha256(f"{status.st_size} {status.st_mtime_ns}".encode())
        digest.update(stream.read(_END_BYTES))
        stream.seek(-_END_BYTES, os.SEEK_END)
        digest.update(stream.read(_END_BYTES))
        return digest.hexdigest()


def hash_rows(connection: Connection) -> list[str]:
    """Return the column names, the number of rows and the sum of their hashes."""
    names = ", ".join(fetch_column_types(connection))
    row = connection.execute(f"SELECT count(*), sum(hash({names})) FROM {RAW_TABLE}").fetchone()  # noqa: S608
    return [names, *(str(value) for value in row or ())]
