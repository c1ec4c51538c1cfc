"""A purchase log, whatever it lies in, as whole numbers: who, when, how much."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retain.customers.customers import Step
from retain.customers.purchases.cleaning.duplicates import once
from retain.customers.purchases.cleaning.normalise import categories_of, make
from retain.customers.purchases.cleaning.row_checks import OF, check_rows, count_rows, refuse_empty
from retain.customers.purchases.parsing.raw_columns import (
    RAW,
    RawRelation,
    column_types,
    drop,
    roles_of,
)
from retain.customers.purchases.parsing.rows import DAY, rows_of
from retain.customers.purchases.parsing.time_zones import today_in
from retain.customers.purchases.readers import csv, duckdb_views, sql
from retain.customers.purchases.readers.arrow import reader_of, store
from retain.customers.purchases.readers.duckdb_views import in_sentences, prepare
from retain.customers.purchases.readers.location import LogLocation, origin_of
from retain.schema.purchases import LogColumns, LogFormat, LogPolicy
from retain.storage.reading import open_regular

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    import sqlalchemy as sa


_WHOLE = 64 << 20  # bytes of a file that are read in full
_ENDS = 1 << 20  # bytes at both ends of a larger one, whose time of writing counts too
_VERSION = 1  # raised when the same input is read in another way


def of_files(origin: LogLocation, options: object) -> str:
    """The SHA-256 of the files, whatever they are called, and of the options.

    A file above 64 MB is told by its size, its time of writing and its two ends.
    """
    files = sorted(_digest(path) for path in _with_journals(origin))
    return of_parts(files, options)


def of_parts(parts: object, options: object) -> str:
    """The SHA-256 of anything JSON can write.

    >>> of_parts(["a"], {})[:8]
    '741c5ba4'
    """
    text = json.dumps([_VERSION, parts, options], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _with_journals(origin: LogLocation) -> Iterator[Path]:
    """The files, and what a database has not yet written into its own."""
    yield from origin.files
    if origin.is_database:
        beside = (Path(f"{path}{end}") for path in origin.files for end in (".wal", "-wal"))
        yield from (path for path in beside if path.is_file())


def _digest(path: Path) -> str:
    with open_regular(path) as opened:
        status = os.fstat(opened.fileno())
        if status.st_size <= _WHOLE:
            return hashlib.file_digest(opened, "sha256").hexdigest()
        found = hashlib.sha256(f"{status.st_size} {status.st_mtime_ns}".encode())
        found.update(opened.read(_ENDS))
        opened.seek(-_ENDS, os.SEEK_END)
        found.update(opened.read(_ENDS))
        return found.hexdigest()


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


@dataclass(frozen=True, slots=True)
class _Asked:
    """How a log is to be read."""

    table: str | None
    columns: LogColumns
    format: LogFormat
    policy: LogPolicy

    @property
    def options(self) -> dict[str, object]:
        """All of it, as JSON writes it."""
        asked = {"columns": self.columns, "format": self.format, "policy": self.policy}
        written = {name: one.model_dump(mode="json") for name, one in asked.items()}
        return {"table": self.table, **written}


def content_of(
    *,
    path: str,
    table: str | None,
    columns: LogColumns,
    format: LogFormat,  # noqa: A002 - the user's word
    policy: LogPolicy,
) -> str:
    """The SHA-256 of a log: of files without reading their rows, of a server's table by the server.

    Files count by what they hold, whatever they are called; one above 64 MB by its size, its time
    of writing and its two ends.
    """
    return _content(origin_of(path, table), _Asked(table, columns, format, policy))


def open_log(  # noqa: PLR0913 - the keys of the config
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
    connection
        Its relations ``purchases`` and ``retain_…`` are replaced, its time zone becomes UTC.
    path
        A CSV or Parquet file, a folder, a pattern, a DuckDB or SQLite file, ``sqlite:///FILE`` or
        ``postgresql://HOST/DB``. Parquet and DuckDB stay where they are when their columns need no
        parsing: ``purchases`` is a view then.
    table
        The table, in a database.
    today
        The store's day, after which all is future; None for the clock's.

    Raises
    ------
    RetainError
        The log is missing, empty, or cannot be read; the sentence says what to type.
    """
    asked = _Asked(table, columns, format, policy)
    origin = origin_of(path, table)
    roles = roles_of(columns)
    with in_sentences(origin.told):
        prepare(connection, format.timezone)
        raw = _raw(connection, origin, asked, roles)
        return _normalised(connection, raw, asked, today, _content(origin, asked))


def log_of(  # noqa: PLR0913 - the keys of the config
    connection: duckdb.DuckDBPyConnection,
    source: Any,
    *,
    columns: LogColumns,
    format: LogFormat,  # noqa: A002 - the user's word
    policy: LogPolicy,
    today: date | None = None,
) -> Log:
    """The log a Python object holds, as ``open_log`` makes it of files.

    Parameters
    ----------
    source
        Whatever exports Arrow batches: a ``RecordBatchReader``, a frame, a DuckDB relation, an
        ibis expression, or what ``selected`` makes of a SQLAlchemy table. It is read once, batch
        by batch.
    """
    asked = _Asked(None, columns, format, policy)
    reader = reader_of(source)
    # a relation of this very connection is cut off by the next query, so another one does the rest
    work = connection.cursor()
    with closing(work), in_sentences("the log"):
        prepare(work, format.timezone)
        raw = store(work, reader.schema, reader, roles_of(columns), "the log")
        known = of_parts(_rows_hashed(work), asked.options)
        return _normalised(work, raw, asked, today, known)


def selected(engine: sa.Engine, query: Any) -> pa.RecordBatchReader:
    """The batches of a SQLAlchemy table or select, for ``log_of``; every cell is text."""
    import pyarrow as pa

    schema, batches = sql.stream_rows(engine, query)
    return pa.RecordBatchReader.from_batches(schema, batches)


def _content(origin: LogLocation, asked: _Asked) -> str:
    if origin.kind != "PostgreSQL":
        return of_files(origin, asked.options)
    return of_parts(sql.server_content(origin, asked.table), asked.options)


def _rows_hashed(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The rows of ``retain_raw`` hashed and added up, whatever their order."""
    names = ", ".join(column_types(connection))
    row = connection.execute(f"SELECT count(*), sum(hash({names})) FROM {RAW}").fetchone()  # noqa: S608
    return [names, *(str(value) for value in row or ())]


def _raw(
    connection: duckdb.DuckDBPyConnection, origin: LogLocation, asked: _Asked, roles: dict[str, str]
) -> RawRelation:
    if origin.kind == "CSV":
        return csv.load(connection, origin, roles, asked.format.columns)
    if origin.kind == "Parquet":
        return duckdb_views.create_parquet_view(connection, origin, roles)
    if origin.kind == "DuckDB":
        return duckdb_views.create_table_view(connection, origin, asked.table, roles)
    return sql.load(connection, origin, asked.table, roles)


def _normalised(
    connection: duckdb.DuckDBPyConnection,
    raw: RawRelation,
    asked: _Asked,
    today: date | None,
    known: str,
) -> Log:
    count = refuse_empty(connection, raw.told)
    raw, repeated = once(connection, raw, count, asked.policy)
    day = today or today_in(connection, asked.format.timezone)
    rows = rows_of(connection, raw, asked.format, asked.policy, day)
    tally = count_rows(connection, rows)
    steps = check_rows(connection, rows, tally, asked.policy)
    kinds = categories_of(connection, rows, tally)
    if not make(connection, rows, tally):
        drop(connection, (RAW,))
    read = Step("log read", count, count, "; ".join((raw.how, *rows.values["t"].notes)), of=OF)
    there = frozenset(_COLUMNS.get(role, role) for role in raw.names) - {"customer", "time"}
    first, last = tally.first // DAY, tally.last // DAY
    return Log(there, kinds, (read, *repeated, *steps), first, last, known)
