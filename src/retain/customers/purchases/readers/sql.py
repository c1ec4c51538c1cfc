"""Tables of SQLite and PostgreSQL, streamed read-only as batches of text."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from retain.customers.purchases.parsing.column_request import ColumnRequest
from retain.customers.purchases.parsing.raw_columns import RawRelation
from retain.customers.purchases.readers.arrow import load_batches
from retain.customers.purchases.readers.location import LogLocation
from retain.errors import RetainError, did_you_mean, examples

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy as sa
    from duckdb import DuckDBPyConnection as Connection


def resolve_table(
    source_name: str, table: str | None, tables: Sequence[tuple[str, str]], default_schema: str
) -> tuple[str, str]:
    """Return schema and name of the table ``NAME`` of the default schema, or ``SCHEMA.NAME``.

    Raises
    ------
    RetainError
        There is no such table, or none is named and there are several.

    Examples
    --------
    >>> resolve_table("file 'a.db'", None, [("main", "log")], "main")
    ('main', 'log')
    >>> resolve_table("file 'a.db'", "shop.log", [("shop", "log"), ("main", "log")], "main")
    ('shop', 'log')
    """
    names = {
        name if schema == default_schema else f"{schema}.{name}": (schema, name)
        for schema, name in tables
    }
    if table is None and len(names) == 1:
        return next(iter(names.values()))
    listed = examples(sorted(names), limit=20)
    if table is None:
        found = (
            f"{source_name} has the tables {listed}" if names else f"{source_name} has no tables"
        )
        raise RetainError(f"{found}; name the log with data.table=TABLE.")
    if table.removeprefix(f"{default_schema}.") in names:
        return names[table.removeprefix(f"{default_schema}.")]
    found = f"{source_name} has no table {table!r}; it has {listed or 'none'}"
    raise RetainError(f"{found}.{did_you_mean(table, names)}")


_BATCH_ROWS = 20_000
_CONNECT_TIMEOUT_SECONDS = 10
_TEXT_OPTIONS = "-c timezone=UTC -c datestyle=ISO,YMD -c extra_float_digits=1"
_READ_ONLY_OPTION = "-c default_transaction_read_only=on"


def load(
    connection: Connection, location: LogLocation, table: str | None, request: ColumnRequest
) -> RawRelation:
    """Load the rows of a table, all cells as text."""
    with _connect(location) as engine, _readable_database_errors(location):
        source = _find_table(engine, location, table)
        source_name = f"table {source.name!r} of {location.name}"
        schema, batches = stream_rows(engine, _select_as_text(engine, source))
        raw = load_batches(connection, schema, batches, request, source_name)
        return replace(raw, dialect=location.kind)


def hash_server_table(location: LogLocation, table: str | None) -> tuple[str, ...]:
    """Return name, columns, row count and sum of row hashes of a PostgreSQL table."""
    import sqlalchemy as sa

    with _connect(location) as engine, _readable_database_errors(location):
        source = _find_table(engine, location, table).alias("retain_row")
        row_text = sa.cast(sa.literal_column("retain_row"), sa.Text)
        hashed = sa.func.sum(sa.func.hashtextextended(row_text, 0))
        query = sa.select(sa.func.count(), sa.cast(hashed, sa.Text)).select_from(source)
        with engine.connect() as connection:
            row = connection.execute(query).one()
        columns = ",".join(source.c.keys())
    return (location.name, columns, str(row[0]), str(row[1]))


def stream_rows(engine: sa.Engine, query: Any) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Return schema and batches of a SQLAlchemy table or select, all cells as text."""
    import pyarrow as pa
    import sqlalchemy as sa

    select: Any = query
    if isinstance(query, sa.FromClause):
        select = sa.select(query)
    names = [str(column.name) for column in select.selected_columns]
    schema = pa.schema([(name, pa.string()) for name in names])
    return schema, _iter_batches(engine, select, schema)


def _iter_batches(engine: sa.Engine, select: Any, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    with engine.connect() as connection:
        streaming = connection.execution_options(stream_results=True, yield_per=_BATCH_ROWS)
        for rows in streaming.execute(select).partitions(_BATCH_ROWS):
            cells = ([_to_text(cell) for cell in column] for column in zip(*rows, strict=True))
            arrays = [pa.array(column, pa.string()) for column in cells]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _to_text(cell: object) -> str | None:
    """Return a cell as CSV would write it, with all digits."""
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, dt.datetime | dt.date):
        return cell.isoformat()
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    return format(cell, "f") if isinstance(cell, Decimal) else str(cell)


# --- tables --------------------------------------------------------------------------------------


def _find_table(engine: sa.Engine, location: LogLocation, table: str | None) -> sa.TableClause:
    """Return the table with all columns untyped, so that the driver's own values are kept."""
    import sqlalchemy as sa

    inspector = sa.inspect(engine)
    default_schema = inspector.default_schema_name or "main"
    tables = []
    for schema in inspector.get_schema_names():
        if schema == "information_schema" or schema.startswith("pg_"):
            continue
        names = (*inspector.get_table_names(schema), *inspector.get_view_names(schema))
        tables += [(schema, name) for name in names]
    schema, name = resolve_table(location.name, table, tables, default_schema)
    source = sa.table(_quote(name), schema=_quote(schema))
    with engine.connect() as connection:
        empty = connection.execute(sa.select(sa.text("*")).select_from(source).limit(0))
        columns: list[sa.ColumnClause[Any]] = [sa.column(_quote(key)) for key in empty.keys()]  # noqa: SIM118 - no mapping
    return sa.table(_quote(name), *columns, schema=_quote(schema))


def _quote(name: str) -> str:
    from sqlalchemy.sql import quoted_name

    return quoted_name(name, quote=True)


def _select_as_text(engine: sa.Engine, source: sa.TableClause) -> Any:
    """Return a select of all columns; PostgreSQL converts them, as Python has fewer types."""
    import sqlalchemy as sa

    if engine.dialect.name == "sqlite":
        return sa.select(source)
    return sa.select(*(sa.cast(column, sa.Text).label(column.name) for column in source.c))


# --- connections ---------------------------------------------------------------------------------


@contextmanager
def _connect(location: LogLocation) -> Iterator[sa.Engine]:
    if find_spec("sqlalchemy") is None or find_spec("psycopg") is None:
        needs = "a log in SQLite or PostgreSQL needs SQLAlchemy, which is not installed"
        raise RetainError(f"{needs}; type: pip install 'retain[databases]'")
    engine = _sqlite(location) if location.kind == "SQLite" else _postgresql(location)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _readable_database_errors(location: LogLocation) -> Iterator[None]:
    """Raise errors of the database as messages for the user."""
    import sqlalchemy as sa

    try:
        yield
    except sa.exc.OperationalError as error:
        reason = _last_line(error)
        raise RetainError(f"{location.name} cannot be reached or read: {reason}.") from None
    except sa.exc.DBAPIError as error:
        raise RetainError(f"{location.name} cannot be read: {_last_line(error)}.") from None


def _last_line(error: Exception) -> str:
    lines = str(getattr(error, "orig", error)).strip().splitlines()
    return (lines[-1] if lines else "no reason given").strip()[:200].removesuffix(".")


def _sqlite(location: LogLocation) -> sa.Engine:
    import sqlalchemy as sa

    uri = f"{location.files[0].resolve().as_uri()}?mode=ro"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True)

    return sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.NullPool)


def _postgresql(location: LogLocation) -> sa.Engine:
    import sqlalchemy as sa

    url = sa.make_url(location.url).set(drivername="postgresql+psycopg")
    options = {
        "connect_timeout": _CONNECT_TIMEOUT_SECONDS,
        "options": f"{_TEXT_OPTIONS} {_READ_ONLY_OPTION}",
    }
    return sa.create_engine(url, connect_args=options, poolclass=sa.pool.NullPool)
