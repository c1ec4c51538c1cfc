"""Round trips: every format gives the same rows, whatever their order and files."""

# ruff: noqa: DTZ001 - the clock of a store has no zone

from __future__ import annotations

import contextlib
import re
import sqlite3
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retain.errors import RetainError

pytestmark = pytest.mark.slow

duckdb = pytest.importorskip("duckdb")
pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

EPOCH = datetime(1970, 1, 1)
MAPPED = {"amount": "amount", "items": "items", "category": "category"}
MAPPED |= {"placeholder_times": "keep", "incomplete_day": "keep"}  # any day is a whole day
READ = ("customer", "t", "cents", "items", "category", "buys")
FEW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))

purchase = st.tuples(
    st.integers(0, 50),
    st.datetimes(datetime(1950, 1, 1), datetime(2024, 6, 30)),
    st.integers(-99_999, 9_999_999),  # cents
    st.integers(1, 40),
    st.sampled_from(["чай", "tea; green", 'a "b"', "кофе, молотый", "x'y"]),
)
logs = st.lists(purchase, min_size=1, max_size=30)


def expected(rows):
    """Return the expected rows of the relation, computed in Python.

    What is below zero at a moment at which the customer also buys is a discount, not a return.
    """
    kinds = sorted({row[4] for row in rows})
    seconds = [(at - EPOCH) // timedelta(seconds=1) for _, at, *_ in rows]
    bought = {(row[0], t) for row, t in zip(rows, seconds, strict=True) if row[2] >= 0}
    found = []
    for (customer, _, cents, items, kind), t in zip(rows, seconds, strict=True):
        pieces, buys = (-items, 0) if cents < 0 else (items, 1)
        if cents < 0 and (customer, t) in bought:
            pieces = 0
        found.append((customer, t, cents, pieces, kinds.index(kind), buys))
    return sorted(found)


def money(cents, mark=".", group=""):
    sign, size = "-" if cents < 0 else "", abs(cents)
    return f"{sign}{size // 100:,}".replace(",", group) + f"{mark}{size % 100:02d}"


def quoted(cell):
    return '"' + str(cell).replace('"', '""') + '"'


def written(path, rows, separator, mark, group, clock, encoding="utf-8", ending="\n"):
    header = separator.join(["customer", "time", "amount", "items", "category"])
    lines = [
        separator.join(
            quoted(one) for one in (customer, clock(at), money(cents, mark, group), items, kind)
        )
        for customer, at, cents, items, kind in rows
    ]
    path.write_bytes(ending.join([header, *lines, ""]).encode(encoding))


DIALECTS = {
    "usual": (",", ".", "", lambda at: at.isoformat(sep=" ")),
    "ISO with zone": (",", ".", "", lambda at: f"{at.isoformat()}Z"),
    "continental": (";", ",", "", lambda at: f"{at:%d.%m.%Y %H:%M:%S}"),
    "Cyrillic": (";", ",", " ", lambda at: f"{at:%d.%m.%Y %H:%M:%S}", "cp1251", "\r\n"),
    "wide blanks": ("\t", ",", "\u00a0", lambda at: f"{at:%Y%m%d%H%M%S}", "utf-16"),
    "bars": ("|", ".", "", lambda at: at.isoformat(), "utf-8-sig", "\r\n"),
}


def _find_encoding(opened, path):
    """The encoding to type where a word or two fit several code pages; None where it is clear."""
    try:
        opened(path, **MAPPED)
    except RetainError as error:
        return re.search(r"several .* fit: data[.]format[.]encoding=(cp1251) reads", str(error))[1]
    return None


@pytest.mark.parametrize("name", DIALECTS)
@FEW
@given(rows=logs)
def test_csv_in_any_dialect_gives_the_same_rows(opened, name, rows):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        written(path, rows, *DIALECTS[name])
        encoding = _find_encoding(opened, path) if name == "Cyrillic" else None
        log = opened(path, **MAPPED, encoding=encoding)
        assert log.rows(*READ) == expected(rows)


MONEY = {
    "decimal": (pa.decimal128(18, 2), lambda cents: Decimal(cents) / 100),
    "double": (pa.float64(), lambda cents: cents / 100),
    "text": (pa.string(), money),
}
CLOCK = {
    "us": (pa.timestamp("us"), lambda at: at),
    "ns": (pa.timestamp("ns"), lambda at: at),
    "zoned": (pa.timestamp("us", "UTC"), lambda at: at),
    "text": (pa.string(), str),
}


def arrow(rows, amount="decimal", clock="us", customer=None):
    columns = [list(column) for column in zip(*rows, strict=True)]
    ids = pa.array(columns[0], customer or pa.int64())
    kind, change = CLOCK[clock]
    price, cost = MONEY[amount]
    return pa.table(
        {
            "customer": ids,
            "time": pa.array([change(at) for at in columns[1]], kind),
            "amount": pa.array([cost(cents) for cents in columns[2]], price),
            "items": pa.array(columns[3], pa.int16()),
            "category": pa.array(columns[4]).dictionary_encode(),
        }
    )


@FEW
@given(
    rows=logs,
    amount=st.sampled_from(sorted(MONEY)),
    clock=st.sampled_from(sorted(CLOCK)),
    customer=st.sampled_from([pa.int64(), pa.int8(), pa.float64(), pa.string()]),
)
def test_parquet_of_any_types_gives_the_same_rows(opened, rows, amount, clock, customer):
    if customer == pa.string():
        rows = [(str(row[0]), *row[1:]) for row in rows]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "log.parquet"
        parquet.write_table(arrow(rows, amount, clock, customer), path)
        whole = [(int(row[0]), *row[1:]) for row in rows]
        assert opened(path, **MAPPED).rows(*READ) == expected(whole)


@FEW
@given(rows=logs)
def test_databases_and_arrow_give_the_same_rows(opened, opened_source, rows):
    table = arrow(rows)
    wanted_rows = expected(rows)
    with TemporaryDirectory() as folder:
        with duckdb.connect(f"{folder}/log.duckdb") as connection:
            connection.register("arrow", table)
            connection.execute("CREATE TABLE log AS FROM arrow")
        connection = sqlite3.connect(f"{folder}/log.sqlite")
        connection.execute("CREATE TABLE log (customer, time, amount, items, category)")
        cells = [(a, str(at), cents / 100, n, kind) for a, at, cents, n, kind in rows]
        connection.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?)", cells)
        connection.commit()
        connection.close()
        for name in ("log.duckdb", "log.sqlite"):
            log = opened(f"{folder}/{name}", **MAPPED)
            assert log.rows(*READ) == wanted_rows
            log.connection.close()
    assert opened_source(table, **MAPPED).rows(*READ) == wanted_rows


# otherwise two copies of one log would give two models
@FEW
@given(rows=logs, data=st.data())
def test_neither_the_order_of_rows_nor_the_files_matter(opened, rows, data):
    shuffled = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    every = {**MAPPED, "order": "items", "items": None}  # an order of several lines
    with TemporaryDirectory() as folder:
        whole, parts = Path(folder) / "whole.parquet", Path(folder) / "parts"
        parts.mkdir()
        parquet.write_table(arrow(rows), whole)
        parquet.write_table(arrow(shuffled).slice(0, cut), parts / "b.parquet")
        parquet.write_table(arrow(shuffled).slice(cut), parts / "a.parquet")
        one, other, third = (opened(p, **every) for p in (whole, parts, f"{parts}/*.parquet"))
        assert one.rows() == other.rows() == third.rows()
        assert one.log.funnel == other.log.funnel
        assert other.log.content_hash == third.log.content_hash


@FEW
@given(rows=logs, data=st.data())
def test_csv_in_several_files_is_one_log(opened, rows, data):
    cut = data.draw(st.integers(0, len(rows)))
    with TemporaryDirectory() as folder:
        for name, part in (("a", rows[cut:]), ("b", rows[:cut])):
            written(Path(folder) / f"{name}.csv", part, *DIALECTS["usual"])
        assert opened(folder, **MAPPED).rows(*READ) == expected(rows)


def test_files_of_other_types_and_another_order_of_columns_are_one_log(opened, tmp_path):
    rows = [(1, datetime(2024, 1, 2), 150, 1, "a"), (2, datetime(2024, 1, 3), 275, 1, "b")]
    first = arrow(rows[:1]).set_column(2, "amount", pa.array([1]))
    parquet.write_table(first, tmp_path / "a.parquet")
    other = arrow(rows[1:], "double")
    parquet.write_table(other.select(other.column_names[::-1]), tmp_path / "b.parquet")
    found = opened(tmp_path, **MAPPED).rows(*READ)
    assert found == expected([(1, rows[0][1], 100, 1, "a"), rows[1]])


ODD = (
    *(
        "",
        "inf",
        "nan",
        "1e5",
        "1 234,50",
        "0,5",
        "'",
        '"',
        "yes",
        "нет",
        "31.12.2023",
        "01/02/2024",
    ),
    *("20240102", "1711886405", "2024-01-02 10:00:00+25", "0000-00-00", "99.99.9999 99:99:99"),
)
GOOD = {
    "customer": "1", "time": "2024-01-02", "amount": "1.5", "items": "1", "order": "x",
    "category": "y", "discount": "yes", "minutes": "1", "contacts": "1", "profit": "2",
}  # fmt: skip


# any cell is read, left out or a RetainError, never another exception
@FEW
@given(
    column=st.sampled_from(sorted(GOOD)),
    cells=st.lists(st.sampled_from(ODD) | st.text(max_size=9), min_size=1, max_size=3),
)
def test_any_cell_is_handled(opened, column, cells):
    rows = [GOOD] * 60 + [GOOD | {column: cell} for cell in cells]
    text = "\n".join([",".join(GOOD), *(",".join(map(quoted, row.values())) for row in rows)])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        path.write_text(text, encoding="utf-8", errors="replace", newline="")
        with contextlib.suppress(RetainError):
            log = opened(path, timezone="Europe/Berlin", **{name: name for name in GOOD})
            assert 60 <= len(log.rows()) <= len(rows)
