"""Arrow batches of any exporter, loaded into the table ``retain_raw``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from retain.customers.purchases.parsing.column_request import ColumnRequest
from retain.customers.purchases.parsing.raw_columns import (
    RAW_TABLE,
    RawRelation,
    fetch_column_types,
    fetch_role_types,
    select_list,
)
from retain.errors import RetainError

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection as Connection


_BATCH_VIEW = "retain_batch"


def to_record_batch_reader(source: Any) -> pa.RecordBatchReader:
    """Return the batches of an object that exports Arrow's C stream, or of an ibis expression.

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


def load_batches(
    connection: Connection,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    request: ColumnRequest,
    source_name: str,
) -> RawRelation:
    """Create ``retain_raw`` from batches, with one batch in memory at a time."""
    import pyarrow as pa

    request.check_columns(source_name, schema.names)
    roles = request.assign_roles(schema.names)
    _insert(connection, pa.Table.from_batches([], schema), roles, f"CREATE TABLE {RAW_TABLE} AS")
    for batch in batches:
        _insert(
            connection, pa.Table.from_batches([batch], schema), roles, f"INSERT INTO {RAW_TABLE}"
        )
    return RawRelation(source_name, "batches", roles, fetch_role_types(connection), is_stored=True)


def _insert(connection: Connection, table: pa.Table, roles: Mapping[str, str], into: str) -> None:
    connection.register(_BATCH_VIEW, table)
    try:
        types = dict(sorted(fetch_column_types(connection, _BATCH_VIEW).items()))
        connection.execute(f"{into} SELECT {select_list(roles, types)} FROM {_BATCH_VIEW}")  # noqa: S608
    finally:
        connection.unregister(_BATCH_VIEW)
