"""The unparsed columns of a log, named by their roles, in the relation ``retain_raw``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retain.customers.purchases.parsing.sql_names import quote_identifier, quote_literal, trim_sql
from retain.errors import RetainError, did_you_mean, examples
from retain.schema.purchases import LogColumns

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
    None.
    """

    name: str
    dialect: str
    column_names: Mapping[str, str]
    types: Mapping[str, str]
    is_stored: bool
    decimal_mark: str = "."
    n_header_lines: int | None = None

    def describe_column(self, role: str) -> str:
        """Return the column of a role as messages name it."""
        return f"{self.name}, column {self.column_names[role]!r}"

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


def map_roles(columns: LogColumns) -> dict[str, str]:
    """Return the column of each role that is mapped.

    >>> map_roles(LogColumns(customer="id", time="day"))
    {'customer': 'id', 'time': 'day'}
    """
    roles = {role: str(name) for role, name in columns.model_dump().items() if name is not None}
    twice = [name for name, count in Counter(roles.values()).items() if count > 1]
    if twice:
        clashing = examples(role for role, name in roles.items() if name == twice[0])
        found = f"column {twice[0]!r} is named for {clashing}"
        raise RetainError.at("data.columns", found, "expected a column of its own for each")
    return roles


def check_columns(
    source_name: str, columns: Sequence[str], roles: Mapping[str, str], hint: str
) -> None:
    """Raise if column names repeat, hold NUL, differ only in case, or lack a mapped column."""
    if any("\0" in name for name in columns):
        raise RetainError(
            f"{source_name} has a column whose name holds NUL; expected names of text."
        )
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        found = f"{source_name} has several columns named {examples(twice)}"
        raise RetainError(f"{found}; expected a different name for each column.")
    _check_case(source_name, columns)
    for role, name in roles.items():
        if name not in columns:
            found = f"{source_name} has no column {name!r}, which data.columns.{role} names"
            listed = examples(columns, limit=20)
            raise RetainError(f"{found}; it has {listed}.{did_you_mean(name, columns)}{hint}")


def check_same_columns(
    first_name: str, first_columns: Sequence[str], source_name: str, other_columns: Sequence[str]
) -> None:
    """Raise if a file has other columns than the first file, in any order."""
    more = [name for name in other_columns if name not in first_columns]
    less = [name for name in first_columns if name not in other_columns]
    if more or less:
        difference = f"has column {more[0]!r}" if more else f"has no column {less[0]!r}"
        found = f"{source_name} {difference}, unlike {first_name}"
        raise RetainError(f"{found}; expected the same columns in all files of a log.")


def _check_case(source_name: str, columns: Sequence[str]) -> None:
    """Raise if names differ only in case, which DuckDB ignores."""
    folded = Counter(name.casefold() for name in columns)
    clashing = [name for name in columns if folded[name.casefold()] > 1]
    if clashing:
        found = f"{source_name} has columns {examples(clashing)}, which differ in case alone"
        raise RetainError(f"{found}; expected other names.")


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
    for name in names:
        for kind, catalogue in (("VIEW", "duckdb_views()"), ("TABLE", "duckdb_tables()")):
            is_current = "database_name = current_database() AND schema_name = current_schema()"
            condition = f"{kind.lower()}_name = {quote_literal(name)} AND {is_current}"
            sql = f"SELECT count(*) FROM {catalogue} WHERE {condition}"  # noqa: S608
            row = connection.execute(sql).fetchone()
            if row is not None and row[0]:
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
