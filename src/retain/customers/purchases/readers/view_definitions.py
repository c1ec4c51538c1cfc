"""Views of a DuckDB file, which are read only if they take nothing but tables of that file.

A file may come from anybody, and a view in it may name other files or functions that read them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from retain.customers.purchases.parsing.sql_names import quote_literal
from retain.errors import RetainError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection

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
