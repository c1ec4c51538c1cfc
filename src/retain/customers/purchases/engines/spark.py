"""Spark: the statements of a script run over a log that may lie on many machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from retain.customers.purchases.engines.duckdb import Built, added
from retain.customers.purchases.engines.spark_input import register_purchases
from retain.customers.purchases.engines.spark_session import session, silence_pandas_warning
from retain.customers.purchases.engines.spark_sql import spark_sql
from retain.customers.purchases.features.query import Plan
from retain.customers.purchases.features.sql_script import Script, script_of

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession


def build(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    *,
    keep: Callable[[pa.Table], None],
    spark: SparkSession | None = None,
) -> Built:
    """What a plan makes of the relation ``purchases``, the same bits as DuckDB's.

    Parameters
    ----------
    connection
        Of ``open_log``: DuckDB judged the log, and Spark does what is heavy.
    keep
        Is given the rows, as by ``engine.build``.
    spark
        A session of ``spark_session.session``; None for a new one.

    Raises
    ------
    RetainError
        PySpark or Java is missing, or Spark cannot read the log.
    """
    spark = session() if spark is None else spark
    with silence_pandas_warning(), register_purchases(connection, spark):
        return added([_part(spark, one, keep) for one in plan.batches()])


def _part(spark: SparkSession, plan: Plan, keep: Callable[[pa.Table], None]) -> Built:
    import pyarrow as pa

    script = script_of(plan)
    days = {name: pa.array(values, pa.int64()) for name, values in plan.days.items()}
    spark.createDataFrame(pa.table(days)).createOrReplaceTempView("days")
    if script.favourites is not None:
        _named(spark, "favourites", script.favourites)
    with _kept(spark, "wide", script.wide):
        _named(spark, "pairs", script.pairs)
        with _kept(spark, "judged", script.judged):
            return _counted(spark, script, keep)


def _counted(spark: SparkSession, script: Script, keep: Callable[[pa.Table], None]) -> Built:
    keep(spark.sql(spark_sql(script.rows)).toArrow())
    counts = {(row[0], row[1]): (row[2], row[3]) for row in _all(spark, script.counts)}
    tried = () if script.sensitivity is None else _all(spark, script.sensitivity)[0]
    return Built(counts, [n or 0 for n in tried])


@contextmanager
def _kept(spark: SparkSession, name: str, statement: str) -> Iterator[None]:
    """A relation that several statements read, computed once, in memory or on disk."""
    frame = _named(spark, name, statement).persist()
    try:
        yield
    finally:
        frame.unpersist()


def _named(spark: SparkSession, name: str, statement: str) -> DataFrame:
    frame = spark.sql(spark_sql(statement))
    frame.createOrReplaceTempView(name)
    return frame


def _all(spark: SparkSession, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in spark.sql(spark_sql(statement)).collect()]
