"""The Spark engine: builds the feature table of a log that may lie on many machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from retain.customers.purchases.engines.duckdb import EngineCounts, sum_counts
from retain.customers.purchases.engines.spark_input import register_purchases
from retain.customers.purchases.engines.spark_session import silence_pandas_warning, start_session
from retain.customers.purchases.engines.spark_sql import translate_to_spark
from retain.customers.purchases.features.query import FeatureQuery
from retain.customers.purchases.features.sql_script import SqlScript, render_sql

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection as Connection
    from pyspark.sql import DataFrame, SparkSession


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
            return _run_script(spark, script, write)


def _run_script(
    spark: SparkSession, script: SqlScript, write: Callable[[pa.Table], None]
) -> EngineCounts:
    write(spark.sql(translate_to_spark(script.rows)).toArrow())
    counts = {(row[0], row[1]): (row[2], row[3]) for row in _fetch_rows(spark, script.counts)}
    variants = () if script.sensitivity is None else _fetch_rows(spark, script.sensitivity)[0]
    return EngineCounts(counts, [n or 0 for n in variants])


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
