"""Arrow batches, from whatever exports them, into the table ``retain_raw``, one after another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from retain.customers.purchases.parsing.raw_columns import (
    RAW,
    RawRelation,
    check_columns,
    column_types,
    role_types,
    select_list,
)
from retain.errors import RetainError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_BATCH = "retain_batch"


def reader_of(source: Any) -> pa.RecordBatchReader:
    """The batches of an object that exports Arrow's C stream, or of an ibis expression.

    Raises
    ------
    RetainError
        The object exports no Arrow batches.
    """
    import pyarrow as pa

    if hasattr(source, "to_pyarrow_batches"):
        source = source.to_pyarrow_batches()
    if not hasattr(source, "__arrow_c_stream__"):
        found = f"a log of type {type(source).__name__!r} exports no Arrow batches"
        raise RetainError(f"{found}; expected __arrow_c_stream__, as a pyarrow.Table has.")
    return pa.RecordBatchReader.from_stream(source)


def store(
    connection: duckdb.DuckDBPyConnection,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    roles: Mapping[str, str],
    told: str,
) -> RawRelation:
    """The table of all batches; only one of them is in memory at a time."""
    import pyarrow as pa

    check_columns(told, schema.names, roles, "")
    _insert(connection, pa.Table.from_batches([], schema), roles, f"CREATE TABLE {RAW} AS")
    for batch in batches:
        whole = pa.Table.from_batches([batch], schema)
        _insert(connection, whole, roles, f"INSERT INTO {RAW}")
    return RawRelation(told, "batches", roles, role_types(connection), stored=True)


def _insert(
    connection: duckdb.DuckDBPyConnection, table: pa.Table, roles: Mapping[str, str], into: str
) -> None:
    connection.register(_BATCH, table)
    try:
        types = dict(sorted(column_types(connection, _BATCH).items()))
        connection.execute(f"{into} SELECT {select_list(roles, types)} FROM {_BATCH}")  # noqa: S608
    finally:
        connection.unregister(_BATCH)
