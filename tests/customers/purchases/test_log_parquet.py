"""Parquet logs: types of columns, and files that are not Parquet."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from retain.errors import RetainError

duckdb = pytest.importorskip("duckdb")
pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

NOON = datetime(2024, 1, 2, 12)  # noqa: DTZ001 - the clock of a store has no zone
MONEY = {"amount": "amount"}


@pytest.fixture
def parquet_log(tmp_path):
    """``parquet_log(amount=…)``: the path of a file of 40 good rows, columns changed."""

    def write(name="log.parquet", **columns):
        good = {"customer": list(range(40)), "time": [NOON] * 40, "amount": [1.5] * 40}
        parquet.write_table(pa.table(good | columns), tmp_path / name)
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (float("inf"), "'inf'"),
        (float("-inf"), "'-inf'"),
        (9.1e13, "'91000000000000.0'"),
        (None, "blank"),
    ],
)
def test_an_invalid_amount_is_left_out(opened, parquet_log, value, shown):
    step = opened(parquet_log(amount=[1.5] * 39 + [value]), **MONEY).funnel["no amount"]
    assert (step.n_before, step.n_after) == (40, 39)
    assert shown in step.reason


def test_a_log_with_rows_left_out_may_stay_a_view(opened, parquet_log):
    log = opened(parquet_log(amount=[1.5] * 39 + [float("nan")]), **MONEY)
    assert log.is_view
    assert log.rows("sum(cents)") == [(39 * 150,)]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (pa.array([None, 2.0] * 20), 2),
        (pa.array([b"a7"] * 40), "a7"),
        (pa.array([" a7 "] * 40).dictionary_encode(), "a7"),
        (pa.array([Decimal(7)] * 40), 7),
        (pa.array([2**64 - 1] * 40, pa.uint64()), "18446744073709551615"),
    ],
)
def test_ids_of_any_type_are_read(opened, parquet_log, ids, expected):
    assert set(opened(parquet_log(customer=ids)).rows("customer")) == {(expected,)}


def test_a_discount_may_be_boolean(opened, parquet_log):
    log = opened(parquet_log(d=[True, False, None, True] * 10), discount="d")
    assert log.rows("sum(promo)", "count(promo)") == [(20, 30)]
    assert log.is_view


def test_a_category_may_be_a_number(opened, parquet_log):
    log = opened(parquet_log(c=[10, 9] * 20), category="c")
    assert log.log.categories == ("10", "9")
    assert log.is_view


def test_a_view_is_seen_by_other_cursors(opened, parquet_log):
    log = opened(parquet_log(c=["x"] * 40), category="c", **MONEY)
    assert log.connection.cursor().sql("SELECT sum(cents) FROM purchases").fetchone() == (6000,)


@pytest.mark.parametrize(
    ("columns", "changes", "message"),
    [
        (
            {"amount": [[1.5]] * 40},
            MONEY,
            r"column 'amount': it holds DOUBLE\[\]; expected numbers",
        ),
        ({"amount": [True] * 40}, MONEY, "column 'amount': it holds BOOLEAN; expected numbers"),
        ({"customer": [True] * 40}, {}, "column 'customer': it holds BOOLEAN; expected ids"),
        ({"amount": ["much"] * 40}, MONEY, r"40 of 40 rows \(100\.0%\) cannot be read"),
        ({}, {"amount": "amount2"}, "Did you mean 'amount'"),
    ],
)
def test_columns_of_another_type_are_errors(opened, parquet_log, columns, changes, message):
    with pytest.raises(RetainError, match=message):
        opened(parquet_log(**columns), **changes)


def test_a_broken_parquet_file_is_an_error(opened, parquet_log, csv_log):
    text = csv_log("customer,time\n1,2024-01-02\n", "text.parquet")
    with pytest.raises(RetainError, match="is no Parquet, whatever its name says"):
        opened(text)
    whole = parquet_log().read_bytes()
    with pytest.raises(RetainError, match=r"cut\.parquet' cannot be read as Parquet"):
        opened(csv_log(whole[: len(whole) // 2], "cut.parquet"))
    garbled = whole[:4] + bytes(len(whole) // 3) + whole[4 + len(whole) // 3 :]
    with pytest.raises(RetainError, match=r"garbled\.parquet' cannot be read"):
        opened(csv_log(garbled, "garbled.parquet"), **MONEY)


def test_a_file_without_rows_or_with_repeated_names_is_an_error(opened, tmp_path):
    path = tmp_path / "log.parquet"
    parquet.write_table(pa.table({"customer": pa.array([], "int64"), "time": []}), path)
    with pytest.raises(RetainError, match="has columns and no rows; expected purchases"):
        opened(path)
    parquet.write_table(pa.table([[1], [2], [3]], names=["customer", "time", "time"]), path)
    with pytest.raises(RetainError, match="has several columns named 'time'"):
        opened(path)


def test_marker_files_of_engines_are_not_read(opened, parquet_log, tmp_path):
    parquet_log("part-0.parquet")
    (tmp_path / "_SUCCESS").write_bytes(b"")
    (tmp_path / ".part-0.parquet.crc").write_bytes(b"crc")
    assert len(opened(tmp_path).rows()) == 40


# outputs may lie in the folder of the log
def test_results_of_a_launch_are_not_read(opened, parquet_log, tmp_path):
    parquet_log("part-0.parquet")
    run = tmp_path / "outputs" / "purchases" / "dummy-0a1b2c3d"
    started, tables = run.with_name("logreg-1b2c3d4e"), tmp_path / "outputs" / "tables"
    for folder in (run, started / ".hydra", tables):
        folder.mkdir(parents=True)
    (run / "record.json").write_text("{}", encoding="utf-8")
    other = pa.table({"customer_id": [1], "probability": [0.5]})
    for folder in (run, started):
        parquet.write_table(other, folder / "scores.parquet")
    parquet.write_table(other, tables / f"{'0f' * 32}.parquet")
    assert len(opened(tmp_path).rows()) == 40


def test_nul_is_kept_in_a_category_and_an_error_in_a_name(opened, parquet_log):
    log = opened(parquet_log(kind=["a\0b", "tea"] * 20), category="kind")
    assert log.log.categories == ("a\0b", "tea")
    with pytest.raises(RetainError, match="column whose name holds NUL"):
        opened(parquet_log(**{"a\0": [1] * 40}))


def test_a_column_of_missing_integers_holds_no_times(opened, parquet_log):
    with pytest.raises(RetainError, match="column 'time'"):
        opened(parquet_log(time=pa.nulls(40, "int64")))
