"""How a log that DuckDB has judged reaches Spark: by the same definition, or as whole numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from retain.customers.purchases.cleaning.normalise import CATEGORIES, PURCHASES
from retain.customers.purchases.engines.spark_session import is_local
from retain.customers.purchases.engines.spark_sql import parse_duckdb_sql, to_spark_sql
from retain.customers.purchases.parsing.raw_columns import RAW, role_types
from retain.customers.purchases.parsing.sql_names import literal
from retain.errors import RetainError
from retain.storage.parquet import read_parquet_schema

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import SparkSession
    from sqlglot import exp


FILES = "retain_files"
TEXTS = ("VARCHAR", "TINYINT", "SMALLINT", "INTEGER", "BIGINT")
"""What both engines write alike where an id or a category is made text."""
NANOSECONDS = re.compile(r"timestamp\[ns|time64\[ns|duration\[ns")


@dataclass(frozen=True, slots=True)
class Native:
    """Files that Spark reads itself, and the statements that make purchases of them."""

    files: tuple[str, ...]
    raw: str
    purchases: str


@contextmanager
def register_purchases(
    connection: duckdb.DuckDBPyConnection, spark: SparkSession
) -> Iterator[None]:
    """The relation ``purchases`` of DuckDB as a view of Spark, as long as this lasts.

    Raises
    ------
    RetainError
        Spark runs on other machines and cannot read the log as it is.
    """
    try:
        native = native_of(connection)
    except RetainError as reason:
        if not is_local(spark):
            raise _unread(spark, str(reason)) from None
        with TemporaryDirectory(prefix="retain-purchases-") as folder:
            _written_out(connection, spark, Path(folder) / PURCHASES)
            yield
        return
    spark.read.parquet(*native.files).createOrReplaceTempView(FILES)
    spark.sql(native.raw).createOrReplaceTempView(RAW)
    if CATEGORIES in _relations(connection, "tables"):
        codes = connection.execute(f"SELECT * FROM {CATEGORIES}").to_arrow_table()  # noqa: S608
        spark.createDataFrame(codes).createOrReplaceTempView(CATEGORIES)
    spark.sql(native.purchases).createOrReplaceTempView(PURCHASES)
    yield


def _unread(spark: SparkSession, why: str) -> RetainError:
    found = f"Spark on {spark.sparkContext.master} cannot read this log as it is: {why}"
    copy = "COPY (SELECT * REPLACE (time::TIMESTAMP AS time) FROM 'LOG') TO 'NEW' (FORMAT parquet)"
    return RetainError(
        f"{found} Write it as Parquet with columns of ids, times in microseconds and numbers, such "
        f"as by DuckDB's {copy}, or type data.engine=duckdb."
    )


def _written_out(connection: duckdb.DuckDBPyConnection, spark: SparkSession, folder: Path) -> None:
    target = literal(str(folder))
    connection.execute(f"COPY {PURCHASES} TO {target} (FORMAT parquet, PER_THREAD_OUTPUT true)")
    spark.read.parquet(str(folder)).createOrReplaceTempView(PURCHASES)


def native_of(connection: duckdb.DuckDBPyConnection) -> Native:
    """How Spark reads the log.

    Raises
    ------
    RetainError
        It cannot, and why.
    """
    from sqlglot import exp

    views = _relations(connection, "views")
    if not {PURCHASES, RAW} <= set(views):
        raise RetainError("its cells are text, or lie in no Parquet file.")
    raw = _select(views[RAW])
    files = _files_of(raw)
    _refuse_types(connection, files)
    source = raw.args["from_"].this
    source.replace(exp.to_table(FILES))
    raw.set("expressions", [one for one in raw.expressions if one.alias_or_name != "rest"])
    return Native(files, to_spark_sql(raw), to_spark_sql(_select(views[PURCHASES])))


def _relations(connection: duckdb.DuckDBPyConnection, kind: str) -> dict[str, str]:
    """Name and definition of the views, or of the tables, of a connection."""
    name = f"{kind[:-1]}_name"
    rows = connection.execute(f"SELECT {name}, sql FROM duckdb_{kind}() WHERE NOT internal")  # noqa: S608
    return {str(one): str(sql) for one, sql in rows.fetchall()}


def _select(definition: str) -> Any:
    return parse_duckdb_sql(definition.split(" AS ", 1)[1].rstrip().removesuffix(";"))


def _files_of(raw: exp.Expr) -> tuple[str, ...]:
    """The Parquet files that DuckDB's view of a log reads, alike in their columns."""
    from sqlglot import exp

    reader = raw.args["from_"].this
    told = reader.sql(dialect="duckdb")
    if not told.upper().startswith("READ_PARQUET("):
        raise RetainError("it lies in no Parquet file.")
    if "union_by_name = CAST('t' AS BOOLEAN)" in told:
        raise RetainError("its files differ in the types of their columns.")
    texts = (one for one in reader.find_all(exp.Literal) if one.is_string)
    files = tuple(one.this for one in texts if not isinstance(one.parent, exp.Cast))
    if any(set(file) & set("*?[]{}\\,") for file in files):
        raise RetainError("the name of a file has a character that is a pattern to Spark.")
    return files


def _refuse_types(connection: duckdb.DuckDBPyConnection, files: tuple[str, ...]) -> None:
    """Refuse what Spark cannot read, or writes as text in its own way."""
    for column in read_parquet_schema(Path(files[0])):
        if NANOSECONDS.match(str(column.type)):
            raise RetainError(f"column {column.name!r} holds nanoseconds.")
    types = role_types(connection)
    for role in ("customer", "category"):
        if types.get(role, "VARCHAR") not in TEXTS:
            raise RetainError(f"its column of {role} holds {types[role]}.")
