"""Tables of SQLite and PostgreSQL, streamed as batches of text; nothing is written to them."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from retain.customers.purchases.parsing.raw_columns import RawRelation
from retain.customers.purchases.readers.arrow import store
from retain.customers.purchases.readers.location import LogLocation
from retain.errors import RetainError, did_you_mean, examples

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    import sqlalchemy as sa


def resolve_table(
    told: str, table: str | None, there: Sequence[tuple[str, str]], usual: str
) -> tuple[str, str]:
    """Schema and name of the table: ``NAME`` of the ``usual`` schema, or ``SCHEMA.NAME``.

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
        name if schema == usual else f"{schema}.{name}": (schema, name) for schema, name in there
    }
    if table is None and len(names) == 1:
        return next(iter(names.values()))
    listed = examples(sorted(names), limit=20)
    if table is None:
        found = f"{told} has the tables {listed}" if names else f"{told} has no tables"
        raise RetainError(f"{found}; name the log with data.table=TABLE.")
    if table.removeprefix(f"{usual}.") in names:
        return names[table.removeprefix(f"{usual}.")]
    found = f"{told} has no table {table!r}; it has {listed or 'none'}"
    raise RetainError(f"{found}.{did_you_mean(table, names)}")


_ROWS = 20_000  # of a batch
_PATIENCE = 10  # seconds a server may take to answer
_TEXT_FORM = "-c timezone=UTC -c datestyle=ISO,YMD -c extra_float_digits=1"
_READING = "-c default_transaction_read_only=on"


def load(
    connection: duckdb.DuckDBPyConnection,
    origin: LogLocation,
    table: str | None,
    roles: Mapping[str, str],
) -> RawRelation:
    """The rows of a table, all cells as text."""
    with _connected(origin) as engine, _told(origin):
        source = _table(engine, origin, table)
        message = f"table {source.name!r} of {origin.told}"
        schema, batches = stream_rows(engine, _as_text(engine, source))
        raw = store(connection, schema, batches, roles, message)
        return replace(raw, how=origin.kind)


def server_content(origin: LogLocation, table: str | None) -> tuple[str, ...]:
    """What tells the content of a PostgreSQL table: its rows, hashed and added up by the server."""
    import sqlalchemy as sa

    with _connected(origin) as engine, _told(origin):
        source = _table(engine, origin, table).alias("retain_row")
        whole = sa.cast(sa.literal_column("retain_row"), sa.Text)
        hashed = sa.func.sum(sa.func.hashtextextended(whole, 0))
        query = sa.select(sa.func.count(), sa.cast(hashed, sa.Text)).select_from(source)
        with engine.connect() as connected:
            row = connected.execute(query).one()
        columns = ",".join(source.c.keys())
    return (origin.told, columns, str(row[0]), str(row[1]))


def stream_rows(engine: sa.Engine, query: Any) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The schema and the batches of a SQLAlchemy table or select, every cell as text."""
    import pyarrow as pa
    import sqlalchemy as sa

    select: Any = query
    if isinstance(query, sa.FromClause):
        select = sa.select(query)
    names = [str(column.name) for column in select.selected_columns]
    schema = pa.schema([(name, pa.string()) for name in names])
    return schema, _batches(engine, select, schema)


def _batches(engine: sa.Engine, select: Any, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    with engine.connect() as connected:
        streaming = connected.execution_options(stream_results=True, yield_per=_ROWS)
        for rows in streaming.execute(select).partitions(_ROWS):
            cells = ([_text(cell) for cell in column] for column in zip(*rows, strict=True))
            arrays = [pa.array(column, pa.string()) for column in cells]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _text(cell: object) -> str | None:
    """A cell as CSV would write it, every digit kept."""
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


def _table(engine: sa.Engine, origin: LogLocation, table: str | None) -> sa.TableClause:
    """The table with all its columns, none of them typed: a driver's own values are kept."""
    import sqlalchemy as sa

    inspector = sa.inspect(engine)
    usual = inspector.default_schema_name or "main"
    there = []
    for schema in inspector.get_schema_names():
        if schema == "information_schema" or schema.startswith("pg_"):
            continue
        names = (*inspector.get_table_names(schema), *inspector.get_view_names(schema))
        there += [(schema, name) for name in names]
    schema, name = resolve_table(origin.told, table, there, usual)
    found = sa.table(_quoted(name), schema=_quoted(schema))
    with engine.connect() as connected:
        empty = connected.execute(sa.select(sa.text("*")).select_from(found).limit(0))
        columns: list[sa.ColumnClause[Any]] = [sa.column(_quoted(key)) for key in empty.keys()]  # noqa: SIM118 - no mapping
    return sa.table(_quoted(name), *columns, schema=_quoted(schema))


def _quoted(name: str) -> str:
    from sqlalchemy.sql import quoted_name

    return quoted_name(name, quote=True)


def _as_text(engine: sa.Engine, source: sa.TableClause) -> Any:
    """A select of all columns; PostgreSQL writes them itself, as it holds more than Python does."""
    import sqlalchemy as sa

    if engine.dialect.name == "sqlite":
        return sa.select(source)
    return sa.select(*(sa.cast(column, sa.Text).label(column.name) for column in source.c))


# --- connections ---------------------------------------------------------------------------------


@contextmanager
def _connected(origin: LogLocation) -> Iterator[sa.Engine]:
    if find_spec("sqlalchemy") is None or find_spec("psycopg") is None:
        needs = "a log in SQLite or PostgreSQL needs SQLAlchemy, which is not installed"
        raise RetainError(f"{needs}; type: pip install 'retain[databases]'")
    engine = _sqlite(origin) if origin.kind == "SQLite" else _postgresql(origin)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _told(origin: LogLocation) -> Iterator[None]:
    """What a database answers, in one sentence."""
    import sqlalchemy as sa

    try:
        yield
    except sa.exc.OperationalError as error:
        why = _first_line(error)
        raise RetainError(f"{origin.told} cannot be reached or read: {why}.") from None
    except sa.exc.DBAPIError as error:
        raise RetainError(f"{origin.told} cannot be read: {_first_line(error)}.") from None


def _first_line(error: Exception) -> str:
    lines = str(getattr(error, "orig", error)).strip().splitlines()
    return (lines[-1] if lines else "no reason given").strip()[:200].removesuffix(".")


def _sqlite(origin: LogLocation) -> sa.Engine:
    import sqlalchemy as sa

    uri = f"{origin.files[0].resolve().as_uri()}?mode=ro"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True)

    return sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.NullPool)


def _postgresql(origin: LogLocation) -> sa.Engine:
    import sqlalchemy as sa

    url = sa.make_url(origin.url).set(drivername="postgresql+psycopg")
    options = {"connect_timeout": _PATIENCE, "options": f"{_TEXT_FORM} {_READING}"}
    return sa.create_engine(url, connect_args=options, poolclass=sa.pool.NullPool)
