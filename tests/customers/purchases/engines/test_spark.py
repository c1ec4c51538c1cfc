"""The feature table by Spark, compared bit by bit with DuckDB."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import date
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from retain.customers.purchases.cleaning.row_filter import RowFilter
from retain.customers.purchases.engines import duckdb as engine
from retain.customers.purchases.engines import spark, spark_session
from retain.customers.purchases.engines.connection import connect
from retain.customers.purchases.engines.spark import find_parquet_view, register_purchases
from retain.customers.purchases.engines.spark_sql import translate_to_spark
from retain.customers.purchases.features.query import FeatureQuery
from retain.customers.purchases.features.snapshots import snapshots_from_log
from retain.customers.purchases.features.store_level import read_store_levels
from retain.customers.purchases.log import LogOptions, open_log
from retain.customers.purchases.parsing.conditions import ColumnTest, Junction, parse_condition
from retain.customers.purchases.parsing.sql_names import trim_sql
from retain.customers.purchases.source import read
from retain.errors import RetainError
from retain.schema.purchases import (
    LabelRule,
    LogColumns,
    LogFormat,
    LogPolicy,
    RegularityRule,
    SnapshotRule,
)

pytestmark = [
    pytest.mark.timeout(900),
    # Py4J does not close its sockets
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
RULE = LabelRule(
    measure="orders",
    horizon=60,
    lookback=90,
    decline_ratio=0.5,
    regularity=RegularityRule(periods=2, days=45),
    min_history=None,
)
COLUMNS = {
    "customer": "who",
    "time": "at",
    "amount": "paid",
    "items": "pieces",
    "category": "kind",
    "discount": "cheaper",
    "minutes": "spent",
    "contacts": "written",
    "profit": "won",
}
DAY = 86_400_000_000


@pytest.fixture(scope="module")
def local_spark(optional):
    """One Spark for all tests here; it ends with the process."""
    optional("pyspark")
    optional("sqlglot")
    return spark_session.start_session()


def make_log(rows, *, kinds=70, zoned=False, middle=0):
    """Purchases around a day, of 1970 or later: ties, gaps, NaN, parts of seconds, returns."""
    random = np.random.default_rng(0)
    at = random.integers((middle - 150) * DAY, (middle + 250) * DAY, rows)
    at[::7] = at[::7] // 1_000_000 * 1_000_000
    at[::40] = at[::40] // DAY * DAY
    at[1::40] = at[::40][: len(at[1::40])] - 1
    at[2::5] = at[::5][: len(at[2::5])]
    paid = np.where(random.random(rows) < 0.05, -1, 1) * random.gamma(2, 20, rows).round(3)
    paid[::97] = np.nan
    kind = [
        None if code == 0 else f" kind\u00a0{code} " for code in random.integers(0, kinds, rows)
    ]

    def gaps(values, share=0.002):
        return pa.array(values, mask=random.random(rows) < share)

    return pa.table(
        {
            "at": gaps(at).cast(pa.timestamp("us", "UTC" if zoned else None)),
            "who": gaps(random.integers(-5, rows // 40, rows)),
            "paid": gaps(paid),
            "pieces": gaps(random.integers(-1, 6, rows).astype("int16"), 0.01),
            "kind": kind,
            "cheaper": gaps(random.random(rows) < 0.3, 0.2),
            "spent": gaps(random.random(rows) * 9),
            "written": gaps(random.integers(0, 4, rows)),
            "won": gaps(random.normal(3, 4, rows)),
            "of no concern": random.random(rows),
        }
    )


@contextmanager
def opened(path, *, zone="UTC", session="UTC", snapshots=2, columns=None, rows=None):
    """A connection with the log at a path, and a query."""
    with connect("1GB", 2) as connection:
        options = LogOptions(
            LogColumns(**(columns or COLUMNS)),
            LogFormat(columns=None, time_format=None, timezone=zone),
            LogPolicy(returns="net", zero_amount="keep", duplicates="keep"),
            rows or RowFilter(exclude=()),
        )
        log = open_log(connection, str(path), None, options, today=date(2020, 1, 1))
        connection.execute(f"SET TimeZone = '{session}'")
        rule = SnapshotRule(step_days=30, n=snapshots, last=None)
        calendar = snapshots_from_log(log.first_day, log.last_day, rule, RULE)
        levels = read_store_levels(connection, calendar, log.columns)
        query = FeatureQuery(
            calendar,
            RULE,
            (30, 90),
            log.columns,
            len(log.categories),
            has_target=True,
            levels=levels,
        )
        yield connection, query


def both(connection, query, local_spark):
    """The table and the counts, by DuckDB and by Spark."""
    by_duckdb, by_spark = [], []
    duck = engine.build_features(engine.Chunks(connection), query, by_duckdb.append)
    other = spark.build_features(connection, query, write=by_spark.append, spark=local_spark)
    order = [("customer", "ascending"), ("snapshot", "ascending")]
    tables = [pa.concat_tables(parts).sort_by(order) for parts in (by_duckdb, by_spark)]
    assert dict(duck.counts) == dict(sorted(other.counts.items()))
    assert list(duck.sensitivity) == list(other.sensitivity)
    assert duck.histories == other.histories
    return tables


def assert_same_bits(by_duckdb, by_spark):
    assert by_duckdb.num_rows == by_spark.num_rows > 0
    assert by_duckdb.column_names == by_spark.column_names
    for name in by_duckdb.column_names:
        one, other = (table[name].combine_chunks() for table in (by_duckdb, by_spark))
        assert one.equals(other.cast(one.type)), f"{name} differs"
        if pa.types.is_floating(one.type):
            bits = [np.asarray(part.drop_null()).view("int64") for part in (one, other)]
            assert (bits[0] == bits[1]).all(), f"{name} differs in its last bit"


# What a machine's settings say about time zones must not reach the table.
@pytest.mark.parametrize("session", ["Asia/Kolkata", "America/New_York"])
def test_a_million_purchases_give_the_same_table_in_every_cell(local_spark, tmp_path, session):
    zoned = session == "Asia/Kolkata"
    parquet.write_table(make_log(1_000_000, zoned=zoned), tmp_path / "log.parquet")
    local_spark.conf.set("spark.sql.session.timeZone", session)
    try:
        own = spark_session.start_session()
    finally:
        local_spark.conf.set("spark.sql.session.timeZone", "UTC")
    with opened(tmp_path / "log.parquet", session=session) as (connection, query):
        assert find_parquet_view(connection).files == (str(tmp_path / "log.parquet"),)
        by_duckdb, by_spark = both(connection, query, own)
    assert by_duckdb.num_columns > 30
    assert_same_bits(by_duckdb, by_spark)


def test_several_files_and_a_store_of_another_zone_make_no_difference(local_spark, tmp_path):
    log = make_log(20_000, zoned=True, middle=10_000)  # Moscow turns its clocks in that time
    parts = [log.slice(0, 7_000), log.slice(7_000)]
    for number, part in enumerate(parts):
        parquet.write_table(part, tmp_path / f"part {number}.parquet", row_group_size=2_000)
    with opened(tmp_path, zone="Europe/Moscow") as (connection, query):
        assert len(find_parquet_view(connection).files) == 2, "DuckDB would have to export it"
        assert_same_bits(*both(connection, query, local_spark))


ODD = "it's \\ a \"kind\" \\n 'x'"


def test_computed_amounts_and_filters_give_the_same_table(local_spark, tmp_path):
    log = make_log(40_000)
    kinds = pa.array([ODD if n % 9 == 0 else f"kind {n % 4}" for n in range(len(log))])
    log = log.append_column("status", kinds).append_column("price", log["won"])
    parquet.write_table(log, tmp_path / "log.parquet")
    columns = {**COLUMNS, "amount": "paid * (price - 0.37) + 1.1 * spent"}
    condition = Junction(
        "or",
        (
            ColumnTest("status", "in", (ODD, "kind 1", "kind 2")),
            parse_condition("not (price < -0.25 or kind is missing) and at < 1970-04-01"),
        ),
    )
    rows = RowFilter(condition, ("3", "-4"))
    with opened(tmp_path / "log.parquet", columns=columns, rows=rows) as (connection, query):
        assert len(find_parquet_view(connection).sql) == 3, "DuckDB would have to export it"
        assert_same_bits(*both(connection, query, local_spark))


@pytest.mark.parametrize("kind", ["text ids", "csv", "nanoseconds", "orders"])
def test_duckdb_exports_logs_that_spark_cannot_read(local_spark, tmp_path, kind):
    log, columns = make_log(8_000), dict(COLUMNS)
    path = tmp_path / "log.parquet"
    if kind == "text ids":
        log = log.set_column(1, "who", log["who"].cast("string"))
    if kind == "nanoseconds":
        log = log.set_column(0, "at", log["at"].cast(pa.timestamp("ns")))
    if kind == "orders":
        log, columns = (
            log.append_column("bill", log["won"].cast("string")),
            {**columns, "order": "bill"},
        )
    if kind == "csv":
        path = tmp_path / "log.csv"
        log.to_pandas().to_csv(path, index=False)
    else:
        parquet.write_table(log, path)
    with opened(path, columns=columns) as (connection, query):
        assert_same_bits(*both(connection, query, local_spark))


def test_the_source_is_the_same_customers_by_either_engine(local_spark, tmp_path):
    parquet.write_table(make_log(8_000, kinds=5), tmp_path / "log.parquet")
    rule = {"horizon": 60, "lookback": 90, "regularity": {"periods": 2, "days": 45}}

    def customers(name):
        return read(
            path=str(tmp_path / "log.parquet"),
            table=None,
            columns=COLUMNS,
            where=None,
            exclude=None,
            profit_unit="euro a month",
            format={"columns": None, "time_format": None, "timezone": "UTC"},
            policy={"returns": "net", "zero_amount": "keep", "duplicates": "keep"},
            label={"measure": "orders", "decline_ratio": 0.5, "min_history": None, **rule},
            snapshots={"step_days": 30, "n": 1, "last": None},
            windows=[30, 90],
            has_target=True,
            snapshot=None,
            engine=name,
            memory_limit="1GB",
            cache=None,
        )

    assert customers("spark").fingerprint == customers("duckdb").fingerprint


def test_spark_refuses_nanoseconds_and_the_error_says_how_to_write_them(local_spark, tmp_path):
    log = make_log(2_000)
    path = tmp_path / "log.parquet"
    parquet.write_table(log.set_column(0, "at", log["at"].cast(pa.timestamp("ns"))), path)
    with pytest.raises(Exception, match=r"NANOS"):
        local_spark.read.parquet(str(path)).collect()
    far = SimpleNamespace(sparkContext=SimpleNamespace(master="spark://far:7077"))
    message = (
        r"Spark on spark://far:7077 cannot read.* nanoseconds.*microseconds.*data.engine=duckdb"
    )
    with opened(path) as (connection, _), pytest.raises(RetainError, match=message):
        register_purchases(connection, far).__enter__()


EXPRESSIONS = """
CAST(FLOOR(x) AS BIGINT) | CAST(FLOOR(x * 100 + 0.5) AS BIGINT) | CAST(FLOOR(n / 7) AS BIGINT)
n / 7 | n % 7 | n // 7 | -n | ABS(n) | COALESCE(n, 3)
NULLIF(n, 0) | n & 1023 | n >> 3 | CAST(1 AS BIGINT) << CAST(n & 62 AS INTEGER) | BIT_COUNT(n)
n IN (2, -1) | COALESCE(w IN ('кот''s', '\\n', 'a"b'), FALSE)
n BETWEEN -3 AND 9 | n IS NULL | NOT n > 3 | n <> 2 OR x > 0 | n = 2 AND x < 1
CASE WHEN ISNAN(x) THEN NULL WHEN x > 1 THEN n ELSE 0 END | CAST(n AS DOUBLE) / 100
CAST(n AS DECIMAL(38, 0)) * 1000003 < CAST(m AS DECIMAL(38, 0)) * 999983
TRANSLATE(w, '\u00a0\u2009', '  ') | CAST(n AS VARCHAR)
EPOCH_US(CAST(moment AS TIMESTAMP)) // 1000000 | CAST(b AS BIGINT) | CAST(f AS INTEGER)
"""
AGGREGATES = """
COUNT(*) | COUNT(n) | CAST(SUM(n) AS BIGINT) | MIN(n) | MAX(n) | BIT_OR(n) | BIT_COUNT(BIT_OR(n))
COUNT(CASE WHEN n > 0 THEN 1 END) | CAST(SUM(CASE WHEN n > 0 THEN m ELSE 0 END) AS BIGINT)
"""


def listed(text):
    return [part.strip() for line in text.splitlines() for part in line.split("|") if part.strip()]


# Everything allowed must give the same result in both engines, also for unusual values.
@pytest.mark.parametrize("expression", [*listed(EXPRESSIONS), *listed(AGGREGATES), trim_sql("w")])
def test_both_engines_give_the_same_result(local_spark, expression):
    import duckdb

    random = np.random.default_rng(1)
    whole = [None, 0, 1, -1, 2, 62, -(2**40), *random.integers(-(2**50), 2**50, 40).tolist()]
    parts = [None, 0.0, -0.0, 0.005, -0.005, 1.5, -1.5, *random.normal(0, 1e4, 40).tolist()]
    words = [None, "", " ", "\u00a0a\u2009b \t", "кот's", "\\n", *[f" {n} " for n in range(41)]]
    table = pa.table(
        {
            "n": pa.array(whole, pa.int64()),
            "m": pa.array(whole[::-1], pa.int64()),
            "x": pa.array(parts, pa.float64()),
            "w": words,
            "b": [None, *[n % 3 == 0 for n in range(46)]],
            "f": pa.array([None, *range(46)], pa.int64()),
            "moment": pa.array(whole, pa.timestamp("us")),
        }
    )
    statement = f"SELECT {expression} AS value FROM given"  # noqa: S608
    with spark_session.silence_pandas_warning():
        local_spark.createDataFrame(table).createOrReplaceTempView("given")
        by_spark = local_spark.sql(translate_to_spark(statement)).toArrow()["value"].to_pylist()
    with duckdb.connect() as connection:
        connection.register("given", table)
        by_duckdb = connection.execute(statement).to_arrow_table()["value"].to_pylist()
    assert repr(by_duckdb) == repr(by_spark)


def test_spark_listens_on_loopback_and_has_no_web_page(local_spark):
    settings = dict(local_spark.sparkContext.getConf().getAll())
    assert settings["spark.driver.host"] == settings["spark.driver.bindAddress"] == "127.0.0.1"
    assert settings["spark.ui.enabled"] == "false"
    assert local_spark.conf.get("spark.sql.session.timeZone") == "UTC"


def test_missing_pyspark_or_java_is_an_error(monkeypatch):
    message = r"data.engine=spark needs PySpark and Java 17; pip install 'retain\[spark\]'"
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(RetainError, match=message):
        spark_session.start_session()
    monkeypatch.undo()
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(RetainError, match=message):
        spark_session.check_java()
