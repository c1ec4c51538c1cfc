"""The Spark engine: builds the feature table of a log that may lie on many machines.

Spark reads the files of the log itself, with DuckDB's definition, or else DuckDB's result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from retain.customers.purchases.cleaning.normalise import CATEGORIES, PURCHASES
from retain.customers.purchases.cleaning.row_filter import UNFILTERED
from retain.customers.purchases.engines.duckdb import EngineCounts, group_counts, sum_counts
from retain.customers.purchases.engines.spark_session import (
    is_local,
    silence_pandas_warning,
    start_session,
)
from retain.customers.purchases.engines.spark_sql import (
    parse_duckdb_sql,
    to_spark_sql,
    translate_to_spark,
)
from retain.customers.purchases.features.query import FeatureQuery
from retain.customers.purchases.features.sql_script import SqlScript, render_sql
from retain.customers.purchases.parsing.raw_columns import RAW_TABLE, fetch_role_types
from retain.customers.purchases.parsing.sql_names import quote_literal
from retain.errors import RetainError
from retain.storage.parquet import read_parquet_schema

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection as Connection
    from pyspark.sql import DataFrame, SparkSession
    from sqlglot import exp


def build_features(
    connection: Connection,
    query: FeatureQuery,
    *,
    write: Callable[[pa.Table], None],
    spark: SparkSession | None = None,
) -> EngineCounts:
    """Build the feature table of the relation ``purchases``, bit for bit as DuckDB does.

    Parameters
    ----------
    connection
        The connection of ``open_log``: DuckDB checks the log, Spark does the heavy work.
    write
        Called with the rows, chunk by chunk, in any order.
    spark
        A session of ``start_session``; None for a new one.

    Raises
    ------
    RetainError
        PySpark or Java is missing, or Spark cannot read the log.
    """
    spark = start_session() if spark is None else spark
    with silence_pandas_warning(), register_purchases(connection, spark):
        return sum_counts([_build_chunk(spark, part, write) for part in query.split()])


def _build_chunk(
    spark: SparkSession, query: FeatureQuery, write: Callable[[pa.Table], None]
) -> EngineCounts:
    import pyarrow as pa

    script = render_sql(query)
    days = {name: pa.array(values, pa.int64()) for name, values in query.day_table.items()}
    spark.createDataFrame(pa.table(days)).createOrReplaceTempView("days")
    if script.favourites is not None:
        _create_view(spark, "favourites", script.favourites)
    with _persist_view(spark, "wide", script.wide):
        _create_view(spark, "pairs", script.pairs)
        with _persist_view(spark, "eligibility", script.eligibility):
            return _run_script(spark, script, write, len(query.variants))


def _run_script(
    spark: SparkSession, script: SqlScript, write: Callable[[pa.Table], None], n_variants: int
) -> EngineCounts:
    write(spark.sql(translate_to_spark(script.rows)).toArrow())
    histories = () if script.histories is None else _fetch_rows(spark, script.histories)
    return group_counts(_fetch_rows(spark, script.counts), histories, n_variants)


@contextmanager
def _persist_view(spark: SparkSession, name: str, statement: str) -> Iterator[None]:
    """Compute a view once for several statements, in memory or on disk."""
    frame = _create_view(spark, name, statement).persist()
    try:
        yield
    finally:
        frame.unpersist()


def _create_view(spark: SparkSession, name: str, statement: str) -> DataFrame:
    frame = spark.sql(translate_to_spark(statement))
    frame.createOrReplaceTempView(name)
    return frame


def _fetch_rows(spark: SparkSession, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in spark.sql(translate_to_spark(statement)).collect()]


FILES_VIEW = "retain_files"
SAME_TEXT_TYPES = ("VARCHAR", "TINYINT", "SMALLINT", "INTEGER", "BIGINT")
"""Types that both engines convert to the same text."""
NANOSECONDS = re.compile(r"timestamp\[ns|time64\[ns|duration\[ns")


@dataclass(frozen=True, slots=True)
class ParquetView:
    """Files that Spark reads itself, and the SQL of the views of them, the last ``purchases``."""

    files: tuple[str, ...]
    sql: Mapping[str, str]


@contextmanager
def register_purchases(connection: Connection, spark: SparkSession) -> Iterator[None]:
    """Register the relation ``purchases`` of DuckDB as a view of Spark.

    Raises
    ------
    RetainError
        Spark runs on other machines and cannot read the log.
    """
    try:
        view = find_parquet_view(connection)
    except RetainError as reason:
        if not is_local(spark):
            raise _not_readable_error(spark, str(reason)) from None
        with TemporaryDirectory(prefix="retain-purchases-") as folder:
            _export_parquet(connection, spark, Path(folder) / PURCHASES)
            yield
        return
    spark.read.parquet(*view.files).createOrReplaceTempView(FILES_VIEW)
    if CATEGORIES in _list_relations(connection, "tables"):
        codes = connection.execute(f"SELECT * FROM {CATEGORIES}").to_arrow_table()  # noqa: S608
        spark.createDataFrame(codes).createOrReplaceTempView(CATEGORIES)
    for name, statement in view.sql.items():
        spark.sql(statement).createOrReplaceTempView(name)
    yield


def _not_readable_error(spark: SparkSession, reason: str) -> RetainError:
    found = f"Spark on {spark.sparkContext.master} cannot read this log as it is: {reason}"
    copy = "COPY (SELECT * REPLACE (time::TIMESTAMP AS time) FROM 'LOG') TO 'NEW' (FORMAT parquet)"
    return RetainError(
        f"{found} Write it as Parquet with columns of ids, times in microseconds and numbers, such "
        f"as by DuckDB's {copy}, or type data.engine=duckdb."
    )


def _export_parquet(connection: Connection, spark: SparkSession, folder: Path) -> None:
    target = quote_literal(str(folder))
    connection.execute(f"COPY {PURCHASES} TO {target} (FORMAT parquet, PER_THREAD_OUTPUT true)")
    spark.read.parquet(str(folder)).createOrReplaceTempView(PURCHASES)


def find_parquet_view(connection: Connection) -> ParquetView:
    """Return the files and statements with which Spark reads the log.

    Raises
    ------
    RetainError
        Spark cannot read the log; the message is the reason.
    """
    from sqlglot import exp

    views = _list_relations(connection, "views")
    if not {PURCHASES, RAW_TABLE} <= set(views):
        raise RetainError("its cells are text, or lie in no Parquet file.")
    names = [name for name in (UNFILTERED, RAW_TABLE, PURCHASES) if name in views]
    trees = {name: _parse_select(views[name]) for name in names}
    raw = trees[names[0]]
    files = _find_files(raw)
    _check_types(connection, files)
    source = raw.args["from_"].this
    source.replace(exp.to_table(FILES_VIEW))
    raw.set("expressions", [e for e in raw.expressions if e.alias_or_name != "rest_hash"])
    return ParquetView(files, {name: to_spark_sql(tree) for name, tree in trees.items()})


def _list_relations(connection: Connection, kind: str) -> dict[str, str]:
    """Return name and definition of the views or tables of a connection."""
    column = f"{kind[:-1]}_name"
    rows = connection.execute(f"SELECT {column}, sql FROM duckdb_{kind}() WHERE NOT internal")  # noqa: S608
    return {str(name): str(sql) for name, sql in rows.fetchall()}


def _parse_select(definition: str) -> Any:
    return parse_duckdb_sql(definition.split(" AS ", 1)[1].rstrip().removesuffix(";"))


def _find_files(raw: exp.Expr) -> tuple[str, ...]:
    """Return the Parquet files of DuckDB's view of a log, which have the same column types."""
    from sqlglot import exp

    reader = raw.args["from_"].this
    reader_sql = reader.sql(dialect="duckdb")
    if not reader_sql.upper().startswith("READ_PARQUET("):
        raise RetainError("it lies in no Parquet file.")
    if "union_by_name = CAST('t' AS BOOLEAN)" in reader_sql:
        raise RetainError("its files differ in the types of their columns.")
    texts = (node for node in reader.find_all(exp.Literal) if node.is_string)
    files = tuple(text.this for text in texts if not isinstance(text.parent, exp.Cast))
    if any(set(file) & set("*?[]{}\\,") for file in files):
        raise RetainError("the name of a file has a character that is a pattern to Spark.")
    return files


def _check_types(connection: Connection, files: tuple[str, ...]) -> None:
    """Raise if Spark cannot read a type, or converts it to other text."""
    for column in read_parquet_schema(Path(files[0])):
        if NANOSECONDS.match(str(column.type)):
            raise RetainError(f"column {column.name!r} holds nanoseconds.")
    types = fetch_role_types(connection)
    for role in ("customer", "category"):
        if types.get(role, "VARCHAR") not in SAME_TEXT_TYPES:
            raise RetainError(f"its column of {role} holds {types[role]}.")
