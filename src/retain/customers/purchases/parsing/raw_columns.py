"""The columns of a log as they were found, under the names of their roles, in one relation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retain.customers.purchases.parsing.sql_names import identifier, literal, trim_sql
from retain.errors import RetainError, did_you_mean, examples
from retain.schema.purchases import LogColumns

if TYPE_CHECKING:
    import duckdb


RAW = "retain_raw"
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_WIDE = ("UBIGINT", "HUGEINT", "UHUGEINT")
_FLOATS = ("FLOAT", "DOUBLE")


@dataclass(frozen=True, slots=True)
class RawRelation:
    """A relation ``retain_raw`` with a column ``raw_<role>`` for each role and ``rest``.

    ``types`` are DuckDB's. Texts are trimmed; blanks and NaN are NULL. ``rest`` is a number that
    stands for all columns without a role. ``stored`` is False where it is a view of files.
    ``decimal`` is the usual decimal mark; ``header`` the lines before the first row of a file
    whose rows are stored in their order, None where no row can be pointed at.
    """

    told: str
    how: str
    names: Mapping[str, str]
    types: Mapping[str, str]
    stored: bool
    decimal: str = "."
    header: int | None = None

    def where(self, role: str) -> str:
        """The column of a role as messages name it."""
        return f"{self.told}, column {self.names[role]!r}"

    def is_text(self, role: str) -> bool:
        """Whether the cells of a role are texts, to be read."""
        return self.types[role] == "VARCHAR"

    def is_whole(self, role: str) -> bool:
        """Whether they are integers of at most 64 bits."""
        return self.types[role] in _WHOLE

    def is_number(self, role: str) -> bool:
        """Whether they are numbers of any type."""
        kind = self.types[role]
        return kind in (*_WHOLE, *_WIDE, *_FLOATS) or kind.startswith("DECIMAL")


def roles_of(columns: LogColumns) -> dict[str, str]:
    """The column of each role that is mapped.

    >>> roles_of(LogColumns(customer="id", time="day"))
    {'customer': 'id', 'time': 'day'}
    """
    roles = {role: str(name) for role, name in columns.model_dump().items() if name is not None}
    twice = [name for name, count in Counter(roles.values()).items() if count > 1]
    if twice:
        which = examples(role for role, name in roles.items() if name == twice[0])
        found = f"column {twice[0]!r} is named for {which}"
        raise RetainError.at("data.columns", found, "expected a column of its own for each")
    return roles


def check_columns(told: str, there: Sequence[str], roles: Mapping[str, str], hint: str) -> None:
    """Raise if a log has two columns of one name, one no SQL can name, or lacks one."""
    if any("\0" in name for name in there):
        raise RetainError(f"{told} has a column whose name holds NUL; expected names of text.")
    twice = [name for name, count in Counter(there).items() if count > 1]
    if twice:
        found = f"{told} has several columns named {examples(twice)}"
        raise RetainError(f"{found}; expected a different name for each column.")
    _check_case(told, there)
    for role, name in roles.items():
        if name not in there:
            found = f"{told} has no column {name!r}, which data.columns.{role} names"
            listed = examples(there, limit=20)
            raise RetainError(f"{found}; it has {listed}.{did_you_mean(name, there)}{hint}")


def check_same(first: str, wanted: Sequence[str], told: str, there: Sequence[str]) -> None:
    """Refuse a file of a log whose columns are not those of the first, in whatever order."""
    more = [name for name in there if name not in wanted]
    less = [name for name in wanted if name not in there]
    if more or less:
        which = f"has column {more[0]!r}" if more else f"has no column {less[0]!r}"
        found = f"{told} {which}, unlike {first}"
        raise RetainError(f"{found}; expected the same columns in all files of a log.")


def _check_case(told: str, there: Sequence[str]) -> None:
    """DuckDB takes names that differ in case alone for one."""
    folded = Counter(name.casefold() for name in there)
    alike = [name for name in there if folded[name.casefold()] > 1]
    if alike:
        found = f"{told} has columns {examples(alike)}, which differ in case alone"
        raise RetainError(f"{found}; expected other names.")


def select_list(roles: Mapping[str, str], types: Mapping[str, str]) -> str:
    """The SELECT list that makes columns of ``types`` the columns of roles.

    >>> select_list({"time": "at"}, {"at": "DATE"})
    '"at" AS raw_time, 0::UBIGINT AS rest'
    """
    rest = [identifier(name) for name in types if name not in roles.values()]
    hashed = f"hash({', '.join(rest)})" if rest else "0::UBIGINT"
    cells = (f"{_cell(types[name], name)} AS raw_{role}" for role, name in roles.items())
    return f"{', '.join(cells)}, {hashed} AS rest"


def column_types(connection: duckdb.DuckDBPyConnection, relation: str = RAW) -> dict[str, str]:
    """The type of each column of a relation, in their order."""
    found = connection.execute(f"DESCRIBE FROM {relation}").fetchall()
    return {str(name): str(kind) for name, kind, *_ in found}


def role_types(connection: duckdb.DuckDBPyConnection, raw: str = RAW) -> dict[str, str]:
    """The type of each role's column in the relation ``retain_raw``."""
    found = column_types(connection, raw)
    return {n.removeprefix("raw_"): kind for n, kind in found.items() if n != "rest"}


def drop(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """No table and no view of these names any more."""
    for name in names:
        for kind, catalogue in (("VIEW", "duckdb_views()"), ("TABLE", "duckdb_tables()")):
            column = f"{kind.lower()}_name"
            mine = "database_name = current_database() AND schema_name = current_schema()"
            sql = f"SELECT count(*) FROM {catalogue} WHERE {column} = {literal(name)} AND {mine}"  # noqa: S608
            row = connection.execute(sql).fetchone()
            if row is not None and row[0]:
                connection.execute(f"DROP {kind} {identifier(name)}")


def _cell(kind: str, name: str) -> str:
    quoted = identifier(name)
    if kind in _FLOATS:
        return f"CASE WHEN isnan({quoted}) THEN NULL ELSE {quoted} END"
    if kind == "VARCHAR":
        return trim_sql(quoted)
    if kind.startswith("ENUM") or kind == "UUID":
        return trim_sql(f"CAST({quoted} AS VARCHAR)")
    return quoted
