"""A purchase log from any location, normalised to integers in the relation ``purchases``."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from retain.customers.customers import CleaningStep
from retain.customers.purchases.cleaning.currency import check_currency
from retain.customers.purchases.cleaning.duplicates import apply_duplicates_policy
from retain.customers.purchases.cleaning.guests import check_guests
from retain.customers.purchases.cleaning.log_calendar import (
    apply_calendar_policy,
    check_file_dates,
)
from retain.customers.purchases.cleaning.normalise import create_purchases, encode_categories
from retain.customers.purchases.cleaning.placeholder_times import apply_placeholder_policy
from retain.customers.purchases.cleaning.row_checks import (
    ROW_UNIT,
    check_not_empty,
    check_rows,
    count_rows,
)
from retain.customers.purchases.cleaning.row_filter import UNFILTERED, RowFilter, filter_rows
from retain.customers.purchases.content_hash import hash_location, hash_parts, hash_rows
from retain.customers.purchases.parsing.column_request import FORMULA_ROLES, ColumnRequest
from retain.customers.purchases.parsing.raw_columns import (
    RAW_TABLE,
    RawRelation,
    drop_relations,
)
from retain.customers.purchases.parsing.rows import SECONDS_PER_DAY, parse_rows
from retain.customers.purchases.parsing.time_zones import local_today
from retain.customers.purchases.readers import csv, duckdb_views, records, sql
from retain.customers.purchases.readers.arrow import load_batches, to_record_batch_reader
from retain.customers.purchases.readers.duckdb_views import configure, readable_duckdb_errors
from retain.customers.purchases.readers.location import LogLocation, locate_log
from retain.schema.purchases import LogColumns, LogFormat, LogPolicy

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy as sa
    from duckdb import DuckDBPyConnection as Connection


COLUMN_OF_ROLE = {"discount": "promo"}
"""Column of ``purchases`` for the roles whose column has another name."""


@dataclass(frozen=True)
class Log:
    """Facts about the relation ``purchases``.

    Attributes
    ----------
    columns
        Optional columns of the log: ``amount, items, order, category, promo, minutes, contacts,
        profit``.
    categories
        The text of each category code.
    funnel
        Lines of the funnel that count rows.
    first_day, last_day
        Days of the first and the last row kept, since 1970-01-01.
    content_hash
        SHA-256 of the input and of the options it is read with.
    """

    columns: frozenset[str]
    categories: tuple[str, ...]
    funnel: tuple[CleaningStep, ...]
    first_day: int
    last_day: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Options with which a log is read."""

    columns: LogColumns
    format: LogFormat
    policy: LogPolicy
    rows: RowFilter = field(default_factory=RowFilter)

    @property
    def request(self) -> ColumnRequest:
        """The columns that are asked of the log."""
        return ColumnRequest.of(self.columns, self.rows.condition)


def open_log(
    connection: Connection,
    path: str,
    table: str | None,
    options: LogOptions,
    *,
    today: date | None = None,
) -> Log:
    """Create the relation ``purchases`` of a log.

    Rows without a customer are left out. So are rows with a time, number or discount that cannot
    be read, and rows later than ``today``: up to 5 % of all rows, more raise an error. A row is a
    return if its amount or items are below zero; both are then made negative. It is a visit if
    neither is above zero but minutes or contacts are. Items are rounded to integers and money to
    cents, both half up.

    Parameters
    ----------
    connection
        Its relations ``purchases`` and ``retain_…`` are replaced, its time zone becomes UTC.
    path
        A CSV or Parquet file, a folder, a pattern, a DuckDB or SQLite file, ``sqlite:///FILE`` or
        ``postgresql://HOST/DB``. If the columns of Parquet and DuckDB files need no parsing,
        ``purchases`` is a view of them.
    table
        Name of the table in a database.
    today
        Last day of the log in the store's time zone; None for the current day.

    Raises
    ------
    RetainError
        The log is missing, empty or unreadable.
    """
    location = locate_log(path, table)
    request = options.request
    check_file_dates((file.name for file in location.files), location.name, options.policy)
    with readable_duckdb_errors(location.name):
        configure(connection, options.format.timezone)
        raw = _load_raw(connection, location, table, options, request)
        content_hash = hash_location(location, table, options)
        return _create_log(connection, raw, options, today, content_hash)


def open_arrow_log(
    connection: Connection, source: Any, options: LogOptions, *, today: date | None = None
) -> Log:
    """Create the relation ``purchases`` of a Python object, as ``open_log`` does for files.

    Parameters
    ----------
    source
        Any object that exports Arrow batches: a ``RecordBatchReader``, a frame, a DuckDB relation,
        an ibis expression, or the result of ``stream_query``. It is read once, batch by batch.
    """
    reader = to_record_batch_reader(source)
    # the next query closes a relation of the same connection, so the work needs another cursor
    cursor = connection.cursor()
    with closing(cursor), readable_duckdb_errors("the log"):
        configure(cursor, options.format.timezone)
        raw = load_batches(cursor, reader.schema, reader, options.request, "the log")
        content_hash = hash_parts(hash_rows(cursor), None, options)
        return _create_log(cursor, raw, options, today, content_hash)


def stream_query(engine: sa.Engine, query: Any) -> pa.RecordBatchReader:
    """Return the batches of a SQLAlchemy table or select for ``open_arrow_log``, all cells text."""
    import pyarrow as pa

    schema, batches = sql.stream_rows(engine, query)
    return pa.RecordBatchReader.from_batches(schema, batches)


def _load_raw(
    connection: Connection,
    location: LogLocation,
    table: str | None,
    options: LogOptions,
    request: ColumnRequest,
) -> RawRelation:
    if location.kind == "CSV":
        return csv.load(
            connection, location, request, options.format.columns, options.format.encoding
        )
    if location.kind == "Parquet":
        return duckdb_views.create_parquet_view(connection, location, request)
    if location.kind == "DuckDB":
        return duckdb_views.create_table_view(connection, location, table, request)
    if location.kind in ("workbook", "JSON lines"):
        return records.load(connection, location, table, request)
    return sql.load(connection, location, table, request)


def _create_log(
    connection: Connection,
    raw: RawRelation,
    options: LogOptions,
    today: date | None,
    content_hash: str,
) -> Log:
    raw = _add_formulas(raw, options.request)
    n_read = check_not_empty(connection, raw.name)
    raw, n_rows, filters = filter_rows(connection, raw, n_read, options.rows, options.format)
    check_currency(connection, raw, options.policy)
    if options.rows.exclude is None:
        check_guests(connection, raw, n_rows)
    raw, duplicates = apply_duplicates_policy(connection, raw, n_rows, options.policy)
    day = today or local_today(connection, options.format.timezone)
    rows = parse_rows(connection, raw, options.format, options.policy, day)
    counts = count_rows(connection, rows)
    rows, counts = apply_placeholder_policy(connection, rows, counts, options.policy)
    rows, counts = apply_calendar_policy(connection, rows, counts, options.policy, day)
    checks = check_rows(connection, rows, counts, options.policy)
    categories = encode_categories(connection, rows, counts)
    if not create_purchases(connection, rows, counts):
        drop_relations(connection, (RAW_TABLE, UNFILTERED))
    messages = (text for one in rows.expressions.values() for text in one.messages)
    message = "; ".join((raw.dialect, *messages))
    read = CleaningStep("log read", n_read, n_read, message, unit=ROW_UNIT)
    return Log(
        columns=list_optional_columns(options.columns),
        categories=categories,
        funnel=(read, *filters, *duplicates, *checks),
        first_day=counts.first_second // SECONDS_PER_DAY,
        last_day=counts.last_second // SECONDS_PER_DAY,
        content_hash=content_hash,
    )


def _add_formulas(raw: RawRelation, request: ColumnRequest) -> RawRelation:
    """Return the relation with the formulas of roles that name no column."""
    roles = (role for role in FORMULA_ROLES if role not in raw.column_names)
    found = {role: formula for role in roles if (formula := request.find_formula(role))}
    return replace(raw, formulas=found)


def list_optional_columns(columns: LogColumns) -> frozenset[str]:
    """Return the optional columns of ``purchases`` that a log gives.

    >>> columns = LogColumns(customer="id", time="day", amount="n * price", discount="promo")
    >>> sorted(list_optional_columns(columns))
    ['amount', 'promo']
    """
    roles = set(columns.model_dump(exclude_none=True)) - {"customer", "time", "currency"}
    return frozenset(COLUMN_OF_ROLE.get(role, role) for role in roles)
