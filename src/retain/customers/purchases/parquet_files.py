"""Parquet files of a log as the view ``retain_raw``: streamed whenever it is asked, never stored.

May import: storage and customers.purchases.origin, quoted, raw.
"""

from __future__ import annotations

import glob
from collections.abc import Mapping
from typing import TYPE_CHECKING

from retain.customers.purchases.origin import Origin
from retain.customers.purchases.quoted import literal
from retain.customers.purchases.raw import (
    RAW,
    Raw,
    check_columns,
    check_same,
    described,
    picked,
    role_types,
)
from retain.storage.parquet import read_parquet_schema

if TYPE_CHECKING:
    import duckdb


def look_at(connection: duckdb.DuckDBPyConnection, origin: Origin, roles: Mapping[str, str]) -> Raw:
    """A view of all files; columns whose types differ from file to file take the widest.

    Nanoseconds are fine here, but Spark refuses such files: it needs ``purchases`` instead.
    """
    schemas = {path: read_parquet_schema(path).remove_metadata() for path in origin.files}
    first = schemas[origin.files[0]]
    for path, schema in schemas.items():
        told = f"file {str(path)!r}"
        check_columns(told, schema.names, roles, "")
        check_same(f"file {str(origin.files[0])!r}", first.names, told, schema.names)
    alike = all(schema.equals(first) for schema in schemas.values())
    files = ", ".join(literal(glob.escape(str(path))) for path in origin.files)
    how = f"union_by_name={str(not alike).lower()}, hive_partitioning=false, binary_as_string=true"
    reader = f"read_parquet([{files}], {how})"
    types = dict(sorted(described(connection, reader).items()))
    connection.execute(f"CREATE VIEW {RAW} AS SELECT {picked(roles, types)} FROM {reader}")  # noqa: S608
    return Raw(origin.told, "Parquet", roles, role_types(connection), stored=False)
