"""A table in a DuckDB file as the view ``retain_raw``; the file is opened for reading alone.

May import: errors and customers.purchases.origin, quoted, raw, tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from retain.customers.purchases.origin import Origin
from retain.customers.purchases.quoted import identifier, literal
from retain.customers.purchases.raw import RAW, Raw, check_columns, described, picked, role_types
from retain.customers.purchases.tables import chosen
from retain.errors import RetainError

if TYPE_CHECKING:
    import duckdb

ATTACHED = "retain_log"
"""The name of the file among the databases of the connection."""


def look_at(
    connection: duckdb.DuckDBPyConnection,
    origin: Origin,
    table: str | None,
    roles: Mapping[str, str],
) -> Raw:
    """A view of the table. A view of the file is refused: its query may read any other file."""
    _attach(connection, origin)
    named = f"WHERE database_name = {literal(ATTACHED)} AND NOT internal"
    tables = f"SELECT schema_name, table_name FROM duckdb_tables() {named}"  # noqa: S608 - quoted
    there = [(str(s), str(t)) for s, t in connection.execute(tables).fetchall()]
    views = f"SELECT view_name FROM duckdb_views() {named}"  # noqa: S608 - quoted
    if (table,) in connection.execute(views).fetchall():
        found = f"{table!r} of {origin.told} is a view"
        raise RetainError(f"{found}; expected a table. Store it: CREATE TABLE … AS FROM {table}.")
    schema, name = chosen(origin.told, table, there, "main")
    source = f"{identifier(ATTACHED)}.{identifier(schema)}.{identifier(name)}"
    types = dict(sorted(described(connection, source).items()))
    told = f"table {name!r} of {origin.told}"
    check_columns(told, list(types), roles, "")
    connection.execute(f"CREATE VIEW {RAW} AS SELECT {picked(roles, types)} FROM {source}")  # noqa: S608
    return Raw(told, "DuckDB", roles, role_types(connection), stored=False)


def detach(connection: duckdb.DuckDBPyConnection) -> None:
    """The connection without a log's file."""
    connection.execute(f"DETACH DATABASE IF EXISTS {ATTACHED}")


def _attach(connection: duckdb.DuckDBPyConnection, origin: Origin) -> None:
    import duckdb

    try:
        file = literal(str(origin.files[0]))
        connection.execute(f"ATTACH {file} AS {ATTACHED} (READ_ONLY, TYPE duckdb)")
    except duckdb.Error as error:
        why = str(error).splitlines()[0][:200]
        raise RetainError(f"{origin.told} cannot be opened as a DuckDB file: {why}.") from None
