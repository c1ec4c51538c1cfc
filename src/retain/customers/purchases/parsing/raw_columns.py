"""The unparsed columns of a log, named by their roles, in the relation ``retain_raw``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retain.customers.purchases.parsing.formulas import Formula, list_columns
from retain.customers.purchases.parsing.sql_names import quote_identifier, trim_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection


RAW_TABLE = "retain_raw"
_WHOLE_TYPES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_WIDE_TYPES = ("UBIGINT", "HUGEINT", "UHUGEINT")
_FLOAT_TYPES = ("FLOAT", "DOUBLE")


@dataclass(frozen=True, slots=True)
class RawRelation:
    """Relation ``retain_raw`` with a column ``raw_<role>`` per role and ``rest_hash``.

    ``types`` are DuckDB's. Text is trimmed; blanks and NaN are NULL. ``rest_hash`` hashes all
    columns without a role. ``is_stored`` is False for a view of files. ``decimal_mark`` is the
    default for text; ``n_header_lines`` the lines before the first row of a single text file, else
    None, and ``row_number`` is the SQL of a row's number from 0. Roles of ``formulas`` have no
    column of their own.
    """

    name: str
    dialect: str
    column_names: Mapping[str, str]
    types: Mapping[str, str]
    is_stored: bool
    decimal_mark: str = "."
    n_header_lines: int | None = None
    row_number: str = "rowid"
    formulas: Mapping[str, Formula] = field(default_factory=dict)

    def has(self, role: str) -> bool:
        """Return True if a role has a column or a formula."""
        return role in self.column_names or role in self.formulas

    def name_column(self, role: str) -> str:
        """Return the name of a role's column, or its formula."""
        return self.column_names[role] if role in self.column_names else str(self.formulas[role])

    def describe_column(self, role: str) -> str:
        """Return the column of a role as messages name it."""
        return f"{self.name}, column {self.name_column(role)!r}"

    def find_role(self, column: str) -> str:
        """Return the role of a column."""
        return next(role for role, name in self.column_names.items() if name == column)

    def list_cells(self, role: str) -> list[str]:
        """Return the raw columns that give the value of a role."""
        formula = self.formulas.get(role)
        if formula is None:
            return [f"raw_{role}"]
        return [f"raw_{self.find_role(name)}" for name in list_columns(formula)]

    def is_given_sql(self, role: str) -> str:
        """Return the condition of rows in which any cell of a role is filled."""
        return f"({' OR '.join(f'{cell} IS NOT NULL' for cell in self.list_cells(role))})"

    def cell_sql(self, role: str) -> str:
        """Return the cell of a role as text; of a formula, the cells that it takes."""
        texts = [f"CAST({cell} AS VARCHAR)" for cell in self.list_cells(role)]
        return (
            texts[0] if len(texts) == 1 else f"nullif(concat_ws(' and ', {', '.join(texts)}), '')"
        )

    def is_text(self, role: str) -> bool:
        """Return True if the cells of a role are text."""
        return self.types[role] == "VARCHAR"

    def is_whole(self, role: str) -> bool:
        """Return True if the cells of a role are integers of at most 64 bits."""
        return self.types[role] in _WHOLE_TYPES

    def is_number(self, role: str) -> bool:
        """Return True if the cells of a role are numbers of any type."""
        kind = self.types[role]
        return kind in (*_WHOLE_TYPES, *_WIDE_TYPES, *_FLOAT_TYPES) or kind.startswith("DECIMAL")


def select_list(roles: Mapping[str, str], types: Mapping[str, str]) -> str:
    """Return the SELECT list that turns columns of ``types`` into columns of roles.

    >>> select_list({"time": "at"}, {"at": "DATE"})
    '"at" AS raw_time, 0::UBIGINT AS rest_hash'
    """
    rest = [quote_identifier(name) for name in types if name not in roles.values()]
    hashed = f"hash({', '.join(rest)})" if rest else "0::UBIGINT"
    cells = (f"{_cell_sql(types[name], name)} AS raw_{role}" for role, name in roles.items())
    return f"{', '.join(cells)}, {hashed} AS rest_hash"


def fetch_column_types(connection: Connection, relation: str = RAW_TABLE) -> dict[str, str]:
    """Return the type of each column of a relation, in order."""
    rows = connection.execute(f"DESCRIBE FROM {relation}").fetchall()
    return {str(name): str(kind) for name, kind, *_ in rows}


def fetch_role_types(connection: Connection, raw: str = RAW_TABLE) -> dict[str, str]:
    """Return the type of each role's column in the relation ``retain_raw``."""
    types = fetch_column_types(connection, raw)
    return {n.removeprefix("raw_"): kind for n, kind in types.items() if n != "rest_hash"}


def drop_relations(connection: Connection, names: Iterable[str]) -> None:
    """Drop the tables and views of these names, if they exist."""
    is_current = "database_name = current_database() AND schema_name = current_schema()"
    listed = " UNION ALL ".join(
        f"SELECT '{kind}', {kind}_name FROM duckdb_{kind}s() WHERE {is_current}"  # noqa: S608
        for kind in ("view", "table")
    )
    wanted = set(names)
    for kind, name in connection.execute(listed).fetchall():
        if name in wanted:
            connection.execute(f"DROP {kind} {quote_identifier(name)}")


def _cell_sql(kind: str, name: str) -> str:
    quoted = quote_identifier(name)
    if kind in _FLOAT_TYPES:
        return f"CASE WHEN isnan({quoted}) THEN NULL ELSE {quoted} END"
    if kind == "VARCHAR":
        return trim_sql(quoted)
    if kind.startswith("ENUM") or kind == "UUID":
        return trim_sql(f"CAST({quoted} AS VARCHAR)")
    return quoted
