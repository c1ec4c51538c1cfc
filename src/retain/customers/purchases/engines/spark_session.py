"""Spark sessions: the running Spark, or one started by its own settings, else on this machine."""

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


MISSING_SPARK = "data.engine=spark needs PySpark and Java 17; pip install 'retain[spark]'"
SUBMIT_ARGS_VARIABLE = "PYSPARK_SUBMIT_ARGS"
LOG_SETTINGS_FILE = Path(__file__).with_name("log4j2.properties")
LOOPBACK_SETTINGS = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
LOCAL_SETTINGS = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.hugeMethodLimit": "8000",
}
"""For one machine: adaptive plans do not help, and the JVM does not compile longer methods."""
QUIET_SETTINGS = (
    "spark.ui.enabled=false",
    "spark.ui.showConsoleProgress=false",
    "spark.log.level=ERROR",
)
SESSION_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.parquet.binaryAsString": "true",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
}
"""Settings that a table depends on, the same in every session."""


def start_session() -> SparkSession:
    """Return a new session of the running Spark, or of one started here, which keeps running.

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
        raise RetainError(MISSING_SPARK) from None
    running = SparkSession.getActiveSession()
    if running is None:
        try:
            with silence_pandas_warning():
                running = _start()
        except (PySparkException, OSError) as error:
            reason = (str(error).splitlines() or [""])[0]
            raise RetainError(f"{MISSING_SPARK} (Spark does not start: {reason})") from None
    session = running.newSession()
    cores = str(session.sparkContext.defaultParallelism)
    local = {**LOCAL_SETTINGS, "spark.sql.shuffle.partitions": cores} if is_local(session) else {}
    for key, value in {**SESSION_SETTINGS, **local}.items():
        session.conf.set(key, value)
    return session


@contextmanager
def silence_pandas_warning() -> Iterator[None]:
    """Silence PySpark's warning about pandas 3, which is not used with Spark."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
        yield


def is_local(spark: SparkSession) -> bool:
    """Return True if Spark runs in one process on this machine."""
    return str(spark.sparkContext.master).startswith("local")


def _start() -> SparkSession:
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    check_java()
    with _quiet_start():
        SparkContext._ensure_initialized()  # noqa: SLF001 - loads Spark's settings
    conf = SparkConf().setIfMissing("spark.master", "local[*]").setAppName("retain")
    if str(conf.get("spark.master")).startswith("local"):
        conf.setAll(list(LOOPBACK_SETTINGS.items()))
    started: SparkSession = SparkSession.builder.config(conf=conf).getOrCreate()
    return started


def check_java() -> None:
    """Raise if Java is missing, before Spark fails with its own message."""
    home = os.environ.get("JAVA_HOME")
    if not (home and (Path(home) / "bin" / "java").is_file()) and shutil.which("java") is None:
        raise RetainError(MISSING_SPARK)


@contextmanager
def _quiet_start() -> Iterator[None]:
    """Limit Spark's log to errors, unless the environment says how Spark is started."""
    if SUBMIT_ARGS_VARIABLE in os.environ or "PYSPARK_GATEWAY_PORT" in os.environ:
        yield
        return
    settings = " ".join(f"--conf {setting}" for setting in QUIET_SETTINGS)
    options = f"--driver-java-options -Dlog4j2.configurationFile={LOG_SETTINGS_FILE.as_uri()}"
    os.environ[SUBMIT_ARGS_VARIABLE] = f"{settings} {options} pyspark-shell"
    try:
        yield
    finally:
        del os.environ[SUBMIT_ARGS_VARIABLE]
