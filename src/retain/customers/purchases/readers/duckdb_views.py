"""A table in a DuckDB file as the view ``retain_raw``; the file is opened for reading alone."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retain.customers.purchases.cleaning.normalise import PURCHASES, SCRATCH
from retain.customers.purchases.parsing.raw_columns import (
    RAW,
    RawRelation,
    check_columns,
    check_same,
    column_types,
    drop,
    role_types,
    select_list,
)
from retain.customers.purchases.parsing.sql_names import identifier, literal
from retain.customers.purchases.parsing.time_zones import check_zone
from retain.customers.purchases.readers.location import LogLocation
from retain.customers.purchases.readers.sql import resolve_table
from retain.errors import RetainError
from retain.storage.parquet import read_parquet_schema

if TYPE_CHECKING:
    import duckdb


ATTACHED = "retain_log"
"""The name of the file among the databases of the connection."""


def create_table_view(
    connection: duckdb.DuckDBPyConnection,
    origin: LogLocation,
    table: str | None,
    roles: Mapping[str, str],
) -> RawRelation:
    """A view of the table. A view of the file is refused: its query may read any other file."""
    _attach(connection, origin)
    named = f"WHERE database_name = {literal(ATTACHED)} AND NOT internal"
    tables = f"SELECT schema_name, table_name FROM duckdb_tables() {named}"  # noqa: S608 - quoted
    there = [(str(s), str(t)) for s, t in connection.execute(tables).fetchall()]
    views = f"SELECT view_name FROM duckdb_views() {named}"  # noqa: S608 - quoted
    if (table,) in connection.execute(views).fetchall():
        found = f"{table!r} of {origin.told} is a view"
        raise RetainError(f"{found}; expected a table. Store it: CREATE TABLE … AS FROM {table}.")
    schema, name = resolve_table(origin.told, table, there, "main")
    source = f"{identifier(ATTACHED)}.{identifier(schema)}.{identifier(name)}"
    types = dict(sorted(column_types(connection, source).items()))
    message = f"table {name!r} of {origin.told}"
    check_columns(message, list(types), roles, "")
    connection.execute(f"CREATE VIEW {RAW} AS SELECT {select_list(roles, types)} FROM {source}")  # noqa: S608
    return RawRelation(message, "DuckDB", roles, role_types(connection), stored=False)


def detach(connection: duckdb.DuckDBPyConnection) -> None:
    """The connection without a log's file."""
    connection.execute(f"DETACH DATABASE IF EXISTS {ATTACHED}")


def _attach(connection: duckdb.DuckDBPyConnection, origin: LogLocation) -> None:
    import duckdb

    try:
        file = literal(str(origin.files[0]))
        connection.execute(f"ATTACH {file} AS {ATTACHED} (READ_ONLY, TYPE duckdb)")
    except duckdb.Error as error:
        why = str(error).splitlines()[0][:200]
        raise RetainError(f"{origin.told} cannot be opened as a DuckDB file: {why}.") from None


def create_parquet_view(
    connection: duckdb.DuckDBPyConnection, origin: LogLocation, roles: Mapping[str, str]
) -> RawRelation:
    """A view of all files; columns whose types differ from file to file take the widest.

    Nanoseconds are fine here, but Spark refuses such files: it needs ``purchases`` instead.
    """
    schemas = {path: read_parquet_schema(path).remove_metadata() for path in origin.files}
    first = schemas[origin.files[0]]
    for path, schema in schemas.items():
        message = f"file {str(path)!r}"
        check_columns(message, schema.names, roles, "")
        check_same(f"file {str(origin.files[0])!r}", first.names, message, schema.names)
    alike = all(schema.equals(first) for schema in schemas.values())
    files = ", ".join(literal(glob.escape(str(path))) for path in origin.files)
    how = f"union_by_name={str(not alike).lower()}, hive_partitioning=false, binary_as_string=true"
    reader = f"read_parquet([{files}], {how})"
    types = dict(sorted(column_types(connection, reader).items()))
    connection.execute(f"CREATE VIEW {RAW} AS SELECT {select_list(roles, types)} FROM {reader}")  # noqa: S608
    return RawRelation(origin.told, "Parquet", roles, role_types(connection), stored=False)


def prepare(connection: duckdb.DuckDBPyConnection, zone: str) -> None:
    """A connection without another log's relations, and without ways to fetch code.

    Raises
    ------
    RetainError
        The store's time zone is unknown.
    """
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute("SET TimeZone = 'UTC'")
    drop(connection, (PURCHASES, *SCRATCH))
    detach(connection)
    check_zone(connection, zone)


@contextmanager
def in_sentences(told: str) -> Iterator[None]:
    """What DuckDB cannot read is the file's fault, not a bug."""
    import duckdb

    try:
        yield
    except (duckdb.IOException, duckdb.DataError, duckdb.InvalidInputException) as error:
        raise _unreadable(told, error) from None
    except duckdb.Error as error:
        if type(error) is not duckdb.Error:  # a bug, or no memory
            raise
        raise _unreadable(told, error) from None  # Parquet's own codec has no class


def _unreadable(told: str, error: Exception) -> RetainError:
    why = str(error).splitlines()[0][:200].removesuffix(".")
    return RetainError(f"{told} cannot be read: {why}.")
