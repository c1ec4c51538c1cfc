"""Spark, started where there is none: on this machine, or where its own settings lead."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from retain.errors import RetainError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


LACKING = "data.engine=spark needs PySpark and Java 17; pip install 'retain[spark]'"
ARGUMENTS = "PYSPARK_SUBMIT_ARGS"
QUIET = Path(__file__).with_name("log4j2.properties")
ON_LOOPBACK = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
ON_ONE = {"spark.sql.adaptive.enabled": "false", "spark.sql.codegen.hugeMethodLimit": "8000"}
"""On one machine there is nothing to adapt to, and the JVM compiles no longer methods."""
QUIETLY = "spark.ui.enabled=false", "spark.ui.showConsoleProgress=false", "spark.log.level=ERROR"
OURS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.parquet.binaryAsString": "true",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
}
"""What a table depends on: the same in every session, whatever the machine's settings say."""


def session() -> SparkSession:
    """A session of its own of the Spark there is, else of one started here, which then stays.

    Raises
    ------
    RetainError
        PySpark or Java is missing, or Spark does not start.
    """
    try:
        with silence_pandas_warning():
            from pyspark.errors import PySparkException
            from pyspark.sql import SparkSession
    except ImportError:
        raise RetainError(LACKING) from None
    running = SparkSession.getActiveSession()
    if running is None:
        try:
            with silence_pandas_warning():
                running = _started()
        except (PySparkException, OSError) as error:
            why = (str(error).splitlines() or [""])[0]
            raise RetainError(f"{LACKING} (Spark does not start: {why})") from None
    own = running.newSession()
    cores = str(own.sparkContext.defaultParallelism)
    here = {**ON_ONE, "spark.sql.shuffle.partitions": cores} if is_local(own) else {}
    for key, value in {**OURS, **here}.items():
        own.conf.set(key, value)
    return own


@contextmanager
def silence_pandas_warning() -> Iterator[None]:
    """Without PySpark's warning of pandas 3, of which nothing here makes use."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
        yield


def is_local(spark: SparkSession) -> bool:
    """Whether all of Spark runs in one process of this machine."""
    return str(spark.sparkContext.master).startswith("local")


def _started() -> SparkSession:
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    refuse_without_java()
    with _quietly():
        SparkContext._ensure_initialized()  # noqa: SLF001 - Spark's settings are known only then
    conf = SparkConf().setIfMissing("spark.master", "local[*]").setAppName("retain")
    if str(conf.get("spark.master")).startswith("local"):
        conf.setAll(list(ON_LOOPBACK.items()))
    started: SparkSession = SparkSession.builder.config(conf=conf).getOrCreate()
    return started


def refuse_without_java() -> None:
    """Refuse to start what would fail to start, with words of its own."""
    home = os.environ.get("JAVA_HOME")
    if not (home and (Path(home) / "bin" / "java").is_file()) and shutil.which("java") is None:
        raise RetainError(LACKING)


@contextmanager
def _quietly() -> Iterator[None]:
    """Spark's log at errors alone, unless somebody arranged how Spark is started."""
    if ARGUMENTS in os.environ or "PYSPARK_GATEWAY_PORT" in os.environ:
        yield
        return
    settings = " ".join(f"--conf {setting}" for setting in QUIETLY)
    options = f"--driver-java-options -Dlog4j2.configurationFile={QUIET.as_uri()}"
    os.environ[ARGUMENTS] = f"{settings} {options} pyspark-shell"
    try:
        yield
    finally:
        del os.environ[ARGUMENTS]
