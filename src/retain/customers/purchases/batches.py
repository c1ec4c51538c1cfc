"""Arrow batches, from whatever exports them, into the table ``retain_raw``, one after another.

May import: errors and customers.purchases.raw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from retain.customers.purchases.raw import RAW, Raw, check_columns, described, picked, role_types
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
) -> Raw:
    """The table of all batches; only one of them is in memory at a time."""
    import pyarrow as pa

    check_columns(told, schema.names, roles, "")
    _insert(connection, pa.Table.from_batches([], schema), roles, f"CREATE TABLE {RAW} AS")
    for batch in batches:
        whole = pa.Table.from_batches([batch], schema)
        _insert(connection, whole, roles, f"INSERT INTO {RAW}")
    return Raw(told, "batches", roles, role_types(connection), stored=True)


def _insert(
    connection: duckdb.DuckDBPyConnection, table: pa.Table, roles: Mapping[str, str], into: str
) -> None:
    connection.register(_BATCH, table)
    try:
        types = dict(sorted(described(connection, _BATCH).items()))
        connection.execute(f"{into} SELECT {picked(roles, types)} FROM {_BATCH}")  # noqa: S608
    finally:
        connection.unregister(_BATCH)
