"""Logs in databases and in Python objects: the same rows, read-only."""

from __future__ import annotations

import datetime as dt
import sqlite3
from decimal import Decimal

import pytest

from retain.customers.purchases.log import open_arrow_log, stream_query
from retain.errors import RetainError

duckdb = pytest.importorskip("duckdb")
pa = pytest.importorskip("pyarrow")
sa = pytest.importorskip("sqlalchemy")

MAPPED = {"customer": "Who", "time": "at", "amount": "money", "items": "pieces"}
ROWS = [
    (1, "2024-01-02 10:00:00", 10.25, 1),
    (2, "2024-01-03 11:30:00", -3.5, 1),
    (12, "2024-01-04 00:00:00", 0.1, 3),
]
BECOME = [
    (1, 1704189600, 1025, 1, 1),
    (2, 1704281400, -350, -1, 0),
    (12, 1704326400, 10, 3, 1),
]
READ = ("customer", "t", "cents", "items", "buys")


@pytest.fixture
def sqlite_log(tmp_path):
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.execute('CREATE TABLE "my ""log" ("Who" INTEGER, at TEXT, money REAL, pieces INT)')
    connection.executemany('INSERT INTO "my ""log" VALUES (?, ?, ?, ?)', ROWS)
    connection.execute("CREATE TABLE other (a INT)")
    connection.commit()
    connection.close()
    return path


@pytest.fixture
def duckdb_log(tmp_path):
    path = tmp_path / "store.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            'CREATE TABLE "my ""log" '
            '("Who" BIGINT, "at" TIMESTAMP, money DECIMAL(12, 2), pieces INT)'
        )
        connection.executemany('INSERT INTO "my ""log" VALUES (?, ?, ?, ?)', ROWS)
        connection.execute("CREATE VIEW seen AS SELECT content FROM read_text('/etc/hostname')")
        connection.execute("CREATE SCHEMA shop")
        connection.execute('CREATE TABLE shop.log AS FROM "my ""log"')
    return path


# --- SQLite --------------------------------------------------------------------------------------


def test_a_table_in_sqlite(opened, sqlite_log):
    by_url = opened(f"sqlite:///{sqlite_log}", table='my "log', **MAPPED)
    by_file = opened(sqlite_log, table='my "log', **MAPPED)
    assert by_url.rows(*READ) == by_file.rows(*READ) == BECOME


def test_sqlite_keeps_every_digit_of_a_float(opened, sqlite_log):
    with sqlite3.connect(sqlite_log) as connection:
        connection.execute('UPDATE "my ""log" SET money = 1.005, "Who" = 1234567890123456789')
    connection.close()
    rows = opened(sqlite_log, table='my "log', **MAPPED).rows("customer", "cents")
    assert rows == [(1234567890123456789, 100)] * 3


def test_sqlite_is_streamed_in_batches(opened, sqlite_log):
    more = [(n, "2024-01-02", 1.0, 1) for n in range(45_000)]
    with sqlite3.connect(sqlite_log) as connection:
        connection.execute("DELETE FROM other")
        connection.executemany('INSERT INTO "my ""log" VALUES (?, ?, ?, ?)', more)
    connection.close()
    log = opened(sqlite_log, table='my "log', **MAPPED)
    assert log.funnel["log read"].n_before == 45_003


@pytest.mark.parametrize("file", ["sqlite_log", "duckdb_log"])
def test_a_missing_table_is_reported_with_the_nearest_name(opened, file, request):
    path = request.getfixturevalue(file)
    with pytest.raises(
        RetainError, match=r"has no table 'my lgo'; it has .*Did you mean 'my \"log'"
    ):
        opened(path, table="my lgo", **MAPPED)
    with pytest.raises(RetainError, match=r"has the tables .* name the log with data\.table=TABLE"):
        opened(path, **MAPPED)
    with pytest.raises(RetainError, match=r"no column 'moneys'.* Did you mean 'money'"):
        opened(path, table='my "log', **MAPPED | {"amount": "moneys"})


def test_a_broken_database_is_an_error(opened, tmp_path):
    broken = tmp_path / "shop.db"
    broken.write_bytes(b"SQLite format 3\0" + b"x" * 4000)
    with pytest.raises(RetainError, match=r"cannot be (reached or )?read: .*"):
        opened(broken, table="log")
    broken.write_bytes(b"\0" * 8 + b"DUCK" + b"x" * 20_000)
    with pytest.raises(RetainError, match="cannot be opened as a DuckDB file"):
        opened(broken, table="log")
    with pytest.raises(RetainError, match=r"file 'shp.db' is not in folder .* Did you mean 'shop"):
        opened(f"sqlite:///{tmp_path}/shp.db", table="log")


def test_the_content_of_a_database_is_that_of_its_file(sqlite_log, opened):
    log = opened(sqlite_log, table='my "log', **MAPPED).log
    again = opened(sqlite_log, table='my "log', **MAPPED).log
    with sqlite3.connect(sqlite_log) as connection:
        connection.execute("INSERT INTO other VALUES (1)")
    connection.close()
    assert (
        log.content_hash
        == again.content_hash
        != opened(sqlite_log, table='my "log', **MAPPED).log.content_hash
    )


# --- DuckDB --------------------------------------------------------------------------------------


def test_a_table_in_duckdb_stays_where_it_is(opened, duckdb_log):
    log = opened(duckdb_log, table='my "log', **MAPPED)
    assert log.rows(*READ) == BECOME
    assert log.is_view
    log.connection.close()


def test_a_table_in_another_schema(opened, duckdb_log):
    log = opened(duckdb_log, table="shop.log", **MAPPED)
    assert log.rows(*READ) == BECOME
    log.connection.close()


def test_a_view_is_not_executed(opened, duckdb_log):
    with pytest.raises(RetainError, match=r"'seen' of file .* is a view; expected a table"):
        opened(duckdb_log, table="seen", **MAPPED)


def test_a_file_is_opened_read_only(opened, duckdb_log):
    log = opened(duckdb_log, table='my "log', **MAPPED)
    with pytest.raises(duckdb.InvalidInputException, match="read-only mode"):
        log.connection.execute("CREATE TABLE retain_log.x (a INT)")
    log.connection.close()


# --- Python objects ------------------------------------------------------------------------------


def _batches():
    columns = list(zip(*ROWS, strict=True))
    whole = pa.table(
        {
            "Who": pa.array(columns[0]),
            "at": pa.array([dt.datetime.fromisoformat(one) for one in columns[1]]),
            "money": pa.array([Decimal(str(one)) for one in columns[2]], pa.decimal128(10, 2)),
            "pieces": pa.array(columns[3], pa.int8()),
            "kind": pa.array(["b", "a", "b"]).dictionary_encode(),
        }
    )
    return pa.RecordBatchReader.from_batches(whole.schema, whole.to_batches(max_chunksize=1))


def _table():
    return _batches().read_all()


class Expression:
    """The part of an ibis expression that is used."""

    def to_pyarrow_batches(self):
        return _batches()


@pytest.mark.parametrize("source", [_batches, Expression, _table, lambda: _table().to_pandas()])
def test_any_exporter_of_arrow_batches_is_a_log(opened_source, source):
    log = opened_source(source(), category="kind", **MAPPED)
    assert log.rows(*READ, "category") == [
        (*row, code) for row, code in zip(BECOME, (1, 0, 1), strict=True)
    ]


def test_a_duckdb_relation_is_a_log(opened_source):
    log = opened_source(duckdb.from_arrow(_batches()), **MAPPED)
    assert log.rows(*READ) == BECOME


def test_a_relation_of_the_same_connection_is_read_to_its_end(connections, log_options):
    connection = connections()
    whole = connection.sql("SELECT range AS customer, DATE '2024-01-02' AS time FROM range(300000)")
    log = open_arrow_log(connection, whole, log_options())
    assert log.funnel[0].n_before == 300_000
    assert connection.table("purchases").count("*").fetchone() == (300_000,)


def test_a_sqlalchemy_table_or_select_is_a_log(opened_source, sqlite_log):
    engine = sa.create_engine(f"sqlite:///{sqlite_log}")
    table = sa.Table('my "log', sa.MetaData(), autoload_with=engine)
    every = opened_source(stream_query(engine, table), **MAPPED)
    bought = opened_source(
        stream_query(engine, sa.select(table).where(table.c.money > 0)), **MAPPED
    )
    engine.dispose()
    assert every.rows(*READ) == BECOME
    assert bought.rows(*READ) == [row for row in BECOME if row[2] > 0]


def test_the_content_of_batches_is_that_of_their_rows(opened_source):
    whole = _batches().read_all()
    logs = [opened_source(one, **MAPPED).log for one in (whole, whole.take([2, 0, 1]), whole[:2])]
    assert logs[0].content_hash == logs[1].content_hash != logs[2].content_hash


def test_batches_without_rows_and_objects_without_batches_are_errors(opened_source):
    with pytest.raises(RetainError, match="the log has columns and no rows"):
        opened_source(_batches().schema.empty_table(), **MAPPED)
    with pytest.raises(RetainError, match="a log of type 'list' exports no Arrow batches"):
        opened_source([1], **MAPPED)
    with pytest.raises(RetainError, match="no column 'Who'"):
        opened_source(pa.table({"who": [1], "at": [2], "money": [3], "pieces": [1]}), **MAPPED)


# --- URLs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://ann:secret@db.local/shop", "holds a password.*set PGPASSWORD, or .*pgpass"),
        ("postgresql://ann@db.local/shop?password=secret", "holds a password"),
        ("postgresql://db.local/shop?options=-cx", "has the option 'options'; expected only sslm"),
        ("postgresql://db.local", "names no host or no database"),
        ("postgresql:///shop", "names no host or no database"),
        ("postgresql://db.local:x/shop", "it is not a URL"),
        ("postgresql+asyncpg://db.local/shop", r"its scheme is 'postgresql\+asyncpg'"),
        ("mysql://db.local/shop", "its scheme is 'mysql'"),
        ("sqlite:///shop.db?mode=rw", "it has options after"),
    ],
)
def test_a_url_holds_no_password_and_no_option(opened, url, message):
    with pytest.raises(RetainError, match=message) as refused:
        opened(url, table="log")
    assert "secret" not in str(refused.value)


def test_an_unreachable_server_is_an_error(opened):
    with pytest.raises(RetainError, match=r"database 'shop' at '127\.0\.0\.1' cannot be reached"):
        opened("postgresql://ann@127.0.0.1:1/shop", table="log")


# --- PostgreSQL ----------------------------------------------------------------------------------


def test_a_table_in_postgresql(opened, postgresql):
    engine = sa.create_engine(postgresql.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                'CREATE TABLE "my ""log" ("Who" bigint, at timestamptz, money numeric, pieces int)'
            )
        )
        for row in ROWS:
            values = dict(zip("abcd", row, strict=True))
            insert = 'INSERT INTO "my ""log" VALUES (:a, :b || \'+00\', :c, :d)'
            typed = insert.replace(":b || '+00'", "CAST(:b || '+00' AS timestamptz)")
            connection.execute(sa.text(typed), values)
    keys = {"table": 'my "log', **MAPPED}
    log = opened(postgresql, **keys)
    assert log.rows(*READ) == BECOME
    hours = opened(f"{postgresql}?sslmode=disable", timezone="Europe/Moscow", **keys).rows("t")
    assert hours == [(row[1] + 3 * 3600,) for row in BECOME]
    assert opened(postgresql, **keys).log.content_hash == log.log.content_hash
    with engine.begin() as connection:
        connection.execute(sa.text('UPDATE "my ""log" SET pieces = 2 WHERE "Who" = 1'))
    assert opened(postgresql, **keys).log.content_hash != log.log.content_hash
    with pytest.raises(RetainError, match=r"has no table 'lgo'; it has 'my \"log'"):
        opened(postgresql, **keys | {"table": "lgo"})
    with pytest.raises(RetainError, match='database "shop" does not exist'):
        opened(postgresql.rpartition("/")[0] + "/shop", **keys)
    engine.dispose()
