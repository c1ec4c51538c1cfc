"""DuckDB and Parquet files as the view ``retain_raw``, opened read-only."""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from retain.customers.purchases.cleaning.normalise import PURCHASES, TEMP_RELATIONS
from retain.customers.purchases.parsing.column_request import ColumnRequest, check_same_columns
from retain.customers.purchases.parsing.raw_columns import (
    RAW_TABLE,
    RawRelation,
    drop_relations,
    fetch_column_types,
    fetch_role_types,
    select_list,
)
from retain.customers.purchases.parsing.sql_names import quote_identifier, quote_literal
from retain.customers.purchases.parsing.time_zones import check_zone
from retain.customers.purchases.readers.location import LogLocation
from retain.customers.purchases.readers.sql import resolve_table
from retain.errors import RetainError
from retain.storage.parquet import read_parquet_schema

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection


ATTACHED = "retain_log"
"""Name of the file among the databases of the connection."""


_NAME = r'(?:\w+|"\w+")'
_DEFINITION = re.compile(
    rf"CREATE VIEW (?:{_NAME}\.)*{_NAME}(?: ?\({_NAME}(?:, {_NAME})*\))? AS (.+)", re.DOTALL
)
_READABLE = ("BASE_TABLE", "JOIN", "SUBQUERY", "EMPTY", "EXPRESSION_LIST", "SELECT_NODE")
"""Types of what a query reads from."""
_UNREADABLE = ("TABLE_FUNCTION", "SHOW_REF", "PIVOT")
_MAX_VIEWS = 1_000


def check_view(
    connection: Connection, database: str, view: str, tables: frozenset[str], source_name: str
) -> None:
    """Raise if a view, or one that it takes, reads anything but tables of its file.

    Raises
    ------
    RetainError
        It does, or its definition cannot be told.
    """
    condition = f"WHERE database_name = {quote_literal(database)} AND NOT internal"
    found = connection.execute(f"SELECT view_name, sql FROM duckdb_views() {condition}")  # noqa: S608
    definitions = {str(name).lower(): str(sql) for name, sql in found.fetchall()}
    macros = f"SELECT count(*) FROM duckdb_functions() {condition}"  # noqa: S608 - quoted
    row = connection.execute(macros).fetchone()
    problem = "the file defines functions" if row is None or row[0] else None
    if problem is None:
        problem = _find_problem(connection, view.lower(), definitions, tables)
    if problem is not None:
        expected = "expected a table, or a view of tables of the same file"
        raise RetainError(
            f"{view!r} of {source_name} is a view; {expected}, but {problem}. "
            f"Store it: CREATE TABLE … AS FROM {view}."
        )


def _find_problem(
    connection: Connection, view: str, definitions: Mapping[str, str], tables: frozenset[str]
) -> str | None:
    """Return why a view is not read, None if it is."""
    to_check, checked = [view], set[str]()
    while to_check and len(checked) < _MAX_VIEWS:
        name = to_check.pop()
        checked.add(name)
        tree = _parse(connection, definitions[name])
        if tree is None:
            return f"the definition of {name!r} is no plain SELECT"
        nodes = list(_iter_nodes(tree))
        own = {str(node["key"]).lower() for node in nodes if "key" in node and "value" in node}
        for node in nodes:
            kind = node.get("type")
            if kind in _UNREADABLE or ("sample" in node and kind not in _READABLE):
                return (
                    f"{name!r} reads from {node.get('function', {}).get('function_name') or kind}"
                )
            if kind != "BASE_TABLE":
                continue
            table = str(node.get("table_name")).lower()
            if not re.fullmatch(r"[\w ]+", table) or node.get("catalog_name"):
                return f"{name!r} reads from {table!r}"
            if table in definitions and table not in own:
                to_check += [table] if table not in checked else []
            elif table not in own | tables:
                return f"{name!r} reads from {table!r}"
    return None if not to_check else "it takes too many views"


def _parse(connection: Connection, definition: str) -> Any:
    """Return the syntax tree of a view's query, None if there is none."""
    match = _DEFINITION.fullmatch(definition.strip().removesuffix(";"))
    if match is None:
        return None
    row = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [match[1]]).fetchone()
    tree: Any = json.loads(row[0]) if row else {"error": True}
    return None if tree.get("error") or len(tree["statements"]) != 1 else tree


def _iter_nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield the mappings of a tree, from outside to inside."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            yield node
            pending += node.values()
        elif isinstance(node, list):
            pending += node


def create_table_view(
    connection: Connection, location: LogLocation, table: str | None, request: ColumnRequest
) -> RawRelation:
    """Create a view of a table, or of a view in the file that reads nothing but its tables."""
    _attach(connection, location)
    names = {kind: _list_names(connection, kind) for kind in ("table", "view")}
    is_clear = table is None and len(names["table"]) == 1
    listed = names["table"] if is_clear else names["table"] + names["view"]
    schema, name = resolve_table(location.name, table, listed, "main")
    if (schema, name) in names["view"]:
        tables = frozenset(one.lower() for _, one in names["table"])
        check_view(connection, ATTACHED, name, tables, location.name)
    source = f"{quote_identifier(ATTACHED)}.{quote_identifier(schema)}.{quote_identifier(name)}"
    types = dict(sorted(fetch_column_types(connection, source).items()))
    source_name = f"table {name!r} of {location.name}"
    request.check_columns(source_name, list(types))
    roles = request.assign_roles(list(types))
    select = f"SELECT {select_list(roles, types)} FROM {source}"  # noqa: S608 - quoted
    connection.execute(f"CREATE VIEW {RAW_TABLE} AS {select}")
    return RawRelation(source_name, "DuckDB", roles, fetch_role_types(connection), is_stored=False)


def _list_names(connection: Connection, kind: str) -> list[tuple[str, str]]:
    """Return schema and name of the tables or views of the attached file."""
    condition = f"WHERE database_name = {quote_literal(ATTACHED)} AND NOT internal"
    select = f"SELECT schema_name, {kind}_name FROM duckdb_{kind}s() {condition}"  # noqa: S608
    return [(str(schema), str(name)) for schema, name in connection.execute(select).fetchall()]


def detach(connection: Connection) -> None:
    """Detach the file of a log, if one is attached."""
    connection.execute(f"DETACH DATABASE IF EXISTS {ATTACHED}")


def _attach(connection: Connection, location: LogLocation) -> None:
    import duckdb

    try:
        file = quote_literal(str(location.files[0]))
        connection.execute(f"ATTACH {file} AS {ATTACHED} (READ_ONLY, TYPE duckdb)")
    except duckdb.Error as error:
        reason = str(error).splitlines()[0][:200]
        raise RetainError(f"{location.name} cannot be opened as a DuckDB file: {reason}.") from None


def create_parquet_view(
    connection: Connection, location: LogLocation, request: ColumnRequest
) -> RawRelation:
    """Create a view of all files; columns of several types take the widest."""
    schemas = {path: read_parquet_schema(path).remove_metadata() for path in location.files}
    first = schemas[location.files[0]]
    for path, schema in schemas.items():
        file_name = f"file {str(path)!r}"
        request.check_columns(file_name, schema.names)
        check_same_columns(f"file {str(location.files[0])!r}", first.names, file_name, schema.names)
    roles = request.assign_roles(first.names)
    same_types = all(schema.equals(first) for schema in schemas.values())
    files = ", ".join(quote_literal(glob.escape(str(path))) for path in location.files)
    by_name = str(not same_types).lower()
    options = f"union_by_name={by_name}, hive_partitioning=false, binary_as_string=true"
    reader = f"read_parquet([{files}], {options})"
    types = dict(sorted(fetch_column_types(connection, reader).items()))
    select = f"SELECT {select_list(roles, types)} FROM {reader}"  # noqa: S608 - quoted
    connection.execute(f"CREATE VIEW {RAW_TABLE} AS {select}")
    return RawRelation(
        location.name, "Parquet", roles, fetch_role_types(connection), is_stored=False
    )


def configure(connection: Connection, zone: str) -> None:
    """Drop the relations of another log and forbid the download of extensions.

    Raises
    ------
    RetainError
        The store's time zone is unknown.
    """
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute("SET TimeZone = 'UTC'")
    drop_relations(connection, (PURCHASES, *TEMP_RELATIONS))
    detach(connection)
    check_zone(connection, zone)


@contextmanager
def readable_duckdb_errors(source_name: str) -> Iterator[None]:
    """Raise DuckDB's errors about unreadable data as messages for the user."""
    import duckdb

    try:
        yield
    except (duckdb.IOException, duckdb.DataError, duckdb.InvalidInputException) as error:
        raise _unreadable_error(source_name, error) from None
    except duckdb.Error as error:
        if type(error) is not duckdb.Error:  # a bug, or out of memory
            raise
        raise _unreadable_error(
            source_name, error
        ) from None  # the Parquet codec has no error class


def _unreadable_error(source_name: str, error: Exception) -> RetainError:
    reason = str(error).splitlines()[0][:200].removesuffix(".")
    return RetainError(f"{source_name} cannot be read: {reason}.")
