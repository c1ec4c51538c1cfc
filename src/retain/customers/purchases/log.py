"""A purchase log, whatever it lies in, as whole numbers: who, when, how much.

May import: errors, schema and customers.customers, purchases.*.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from retain.customers.customers import Step
from retain.customers.purchases import content, parquet_files, text_files
from retain.customers.purchases.judged import OF, judge, refuse_empty, tallied
from retain.customers.purchases.normal import CATEGORIES, PURCHASES, categories_of, make
from retain.customers.purchases.origin import Origin, origin_of
from retain.customers.purchases.raw import RAW, Raw, drop, roles_of
from retain.customers.purchases.rows import DAY, rows_of
from retain.errors import RetainError
from retain.schema.purchases import LogColumns, LogFormat, LogPolicy

if TYPE_CHECKING:
    import duckdb

_COLUMNS = {"discount": "promo"}


@dataclass(frozen=True)
class Log:
    """What is known of the relation ``purchases``.

    Attributes
    ----------
    columns
        Which of ``amount, items, order, category, promo, minutes, contacts, profit`` the log has.
    categories
        The text of each category code.
    steps
        Lines of the funnel that count rows.
    first, last
        Days since 1970-01-01 of the first and the last row kept.
    content
        SHA-256 that changes whenever the input or the way it is read does.
    """

    columns: frozenset[str]
    categories: tuple[str, ...]
    steps: tuple[Step, ...]
    first: int
    last: int
    content: str


def content_of(
    path: str,
    table: str | None,
    columns: LogColumns,
    format: LogFormat,  # noqa: A002 - the user's word
    policy: LogPolicy,
) -> str:
    """The SHA-256 of a log, told without reading its rows."""
    return content.of_files(origin_of(path, table), _options(table, columns, format, policy))


def open_log(
    connection: duckdb.DuckDBPyConnection,
    *,
    path: str,
    table: str | None,
    columns: LogColumns,
    format: LogFormat,  # noqa: A002 - the user's word
    policy: LogPolicy,
    today: date | None = None,
) -> Log:
    """The log as the relation ``purchases`` of the connection.

    Rows without a customer are left out. So are rows whose time, numbers or discount cannot be
    read, and those later than ``today``, as long as they are at most 5 % of all: more of them
    refuse the log. A row is a return when its amount or its items are below zero, and then both
    are; a visit when neither is above zero but minutes or contacts are. Parts of a piece are
    rounded to whole ones, money to whole cents, both half up.

    Parameters
    ----------
    path
        A CSV or Parquet file, a folder, a pattern, a DuckDB or SQLite file, ``sqlite:///FILE`` or
        ``postgresql://HOST/DB``.
    table
        The table, in a database.
    today
        The store's day; later ones are in the future. None for the clock's.

    Raises
    ------
    RetainError
        The log is missing, empty, or cannot be read; the sentence says what to type.
    """
    roles = roles_of(columns)
    origin = origin_of(path, table)
    known = content.of_files(origin, _options(table, columns, format, policy))
    prepare(connection)
    raw = _raw(connection, origin, roles, format)
    return _normalised(connection, raw, format, policy, today, known)


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """The connection without the relations of another log, and without ways to fetch code."""
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute("SET TimeZone = 'UTC'")
    drop(connection, (PURCHASES, CATEGORIES, RAW))


def _raw(
    connection: duckdb.DuckDBPyConnection,
    origin: Origin,
    roles: dict[str, str],
    format: LogFormat,  # noqa: A002 - the user's word
) -> Raw:
    if origin.kind == "CSV":
        return text_files.load(connection, origin, roles, format.names)
    if origin.kind == "Parquet":
        return parquet_files.look_at(connection, origin, roles)
    raise RetainError(f"{origin.told} is {origin.kind}; expected CSV or Parquet.")


def _normalised(
    connection: duckdb.DuckDBPyConnection,
    raw: Raw,
    format: LogFormat,  # noqa: A002 - the user's word
    policy: LogPolicy,
    today: date | None,
    known: str,
) -> Log:
    count = refuse_empty(connection, raw.told)
    day = today or datetime.now(UTC).date()
    rows = rows_of(connection, raw, format, policy, day)
    tally = tallied(connection, rows)
    steps = judge(connection, rows, tally, policy)
    kinds = categories_of(connection, rows)
    if not make(connection, rows, tally):
        drop(connection, (RAW,))
    read = Step("log read", count, count, "; ".join((raw.how, *rows.values["t"].notes)), of=OF)
    there = frozenset(_COLUMNS.get(role, role) for role in raw.names) - {"customer", "time"}
    return Log(there, kinds, (read, *steps), tally.first // DAY, tally.last // DAY, known)


def _options(
    table: str | None,
    columns: LogColumns,
    format: LogFormat,  # noqa: A002 - the user's word
    policy: LogPolicy,
) -> dict[str, object]:
    asked = {"columns": columns, "format": format, "policy": policy}
    return {"table": table, **{name: one.model_dump(mode="json") for name, one in asked.items()}}
