"""Logs of order lines: computed amounts, filters, guests, currencies, cancellations, calendars."""

from __future__ import annotations

import datetime as dt
import gzip
import sqlite3

import pytest

from retain.customers.purchases.cleaning.log_calendar import find_missing_files
from retain.errors import RetainError

duckdb = pytest.importorskip("duckdb")
pa = pytest.importorskip("pyarrow")

LINES = """customer,time,order,quantity,unit_price,status,country
1,2024-01-02,11,2,1.25,paid,DE
1,2024-01-02,11,1,0.50,paid,DE
2,2024-01-03,12,3,2.00,shipped,FR
2,2024-01-04,13,1,9.99,cancelled,DE
3,2024-01-05,14,-1,2.00,paid,
"""
AMOUNT = "quantity * unit_price"


# --- computed amounts ----------------------------------------------------------------------------


def test_an_amount_is_computed_from_columns(opened, csv_log):
    log = opened(csv_log(LINES), amount=AMOUNT)
    assert log.rows("customer", "cents", "items") == [
        (1, 50, 1),
        (1, 250, 1),
        (2, 600, 1),
        (2, 999, 1),
        (3, -200, -1),
    ]
    assert "amount" in log.log.columns


def test_a_column_may_be_a_role_and_part_of_a_formula(opened, csv_log):
    log = opened(csv_log(LINES), amount="quantity * unit_price * 0.5 + 1", items="quantity")
    assert log.rows("customer", "cents", "items")[:2] == [(1, 125, 1), (1, 225, 2)]


def test_a_column_of_the_name_of_a_formula_is_that_column(opened, csv_log):
    log = csv_log("customer,time,net - tax,net,tax\n1,2024-01-02,7,5,1\n")
    assert opened(log, amount="net - tax").rows("cents") == [(700,)]
    assert opened(log, amount="net-tax").rows("cents") == [(400,)]


def test_numbers_of_a_formula_are_read_in_the_format_of_the_file(opened, csv_log):
    rows = "".join(f"{n};2024-01-{n:02d};{n};1.{n:03d},5\n" for n in range(1, 20))
    log = opened(csv_log(f"customer;time;n;price\n{rows}"), amount="n * price")
    assert log.rows("customer", "cents")[:2] == [(1, 100_150), (2, 200_500)]


def test_a_row_without_an_operand_has_no_amount(opened, csv_log):
    rows = "".join(f"{n},2024-01-02,1,2\n" for n in range(30))
    log = opened(csv_log(f"customer,time,n,price\n{rows}7,2024-01-02,1,free\n"), amount="n * price")
    step = log.funnel["no amount"]
    assert (step.n_before, step.n_after) == (31, 30)
    assert "(column 'n * price': '1 and free', first in row 32)" in step.reason


def test_the_columns_of_a_formula_must_be_there(opened, csv_log):
    message = r"no column 'unit_prize', which data.columns.amount names; .* Did you mean 'unit_pr"
    with pytest.raises(RetainError, match=message):
        opened(csv_log(LINES), amount="quantity * unit_prize")


def test_a_formula_is_computed_alike_in_every_format(opened, csv_log, tmp_path):
    csv = opened(csv_log(LINES), amount=AMOUNT, where="not status = cancelled")
    duckdb.read_csv(str(tmp_path / "log.csv")).to_parquet(str(tmp_path / "log.parquet"))
    parquet = opened(tmp_path / "log.parquet", amount=AMOUNT, where="not status = cancelled")
    assert parquet.rows() == csv.rows()
    assert parquet.is_view


# --- filters -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("status in (paid, shipped) and country = 'DE'", [1, 1]),
        ("status != cancelled", [1, 1, 2, 3]),
        ("not (status = cancelled)", [1, 1, 2, 3]),
        ("country != DE", [2, 3]),
        ("country is missing", [3]),
        ("country is not missing and quantity >= 2", [1, 2]),
        ("unit_price > 1.5 or order = 11", [1, 1, 2, 2, 3]),
        ("time >= 2024-01-04", [2, 3]),
        ("time < 2024-01-03 or time = 2024-01-05", [1, 1, 3]),
        ("quantity in (1, 3)", [1, 2, 2]),
        ("quantity not in (1, 3)", [1, 3]),
        ('"status" = \'paid\' and "quantity" > 0', [1, 1]),
    ],
)
def test_rows_are_those_of_the_filter(opened, csv_log, where, kept):
    log = opened(csv_log(LINES), where=where)
    assert [one for (one,) in log.rows("customer")] == kept
    assert log.funnel["where"].n_after == len(kept)


@pytest.mark.parametrize("where", ["status = paid", "country in (DE, FR)", "quantity < 2"])
def test_a_row_fulfils_a_condition_or_its_negation(opened, csv_log, where):
    log = csv_log(LINES)
    both = [opened(log, where=text).rows("customer") for text in (where, f"not ({where})")]
    assert sorted(both[0] + both[1]) == opened(log).rows("customer")


def test_rows_that_are_filtered_out_need_not_be_readable(opened, csv_log):
    bad = "".join(f"{n},soon,,many,free,draft,DE\n" for n in range(9))
    log = opened(csv_log(LINES + bad), amount=AMOUNT, where="status in (paid, shipped)")
    assert len(log.rows("customer")) == 4
    assert list(log.funnel) == ["log read", "where", "returns"]


def test_the_row_of_a_bad_cell_is_that_of_the_file_behind_a_filter(opened, csv_log):
    rows = "".join(f"{n},2024-01-02,{'a' if n % 2 else 'b'}\n" for n in range(60))
    log = opened(csv_log(f"customer,time,kind\n{rows}61,never,a\n"), where="kind = a")
    assert "first in row 62" in log.funnel["no time"].reason


def test_a_filter_of_days_drops_no_times_that_cannot_be_read(opened, csv_log):
    bad = "".join(f"{n},soon,1,1,1,paid,DE\n" for n in range(3))
    with pytest.raises(RetainError, match=r"data.where: 3 of 8 times cannot be read, and time >= "):
        opened(csv_log(LINES + bad), where="time >= 2024-01-04")


def test_a_value_that_no_row_has_is_told(opened, csv_log):
    log = opened(csv_log(LINES), where="status in (payed, shipped)")
    assert "no row has status 'payed', but 'paid'" in log.funnel["where"].reason
    with pytest.raises(RetainError, match=r"no row is left: 5 left out by data.where: .*'paid'"):
        opened(csv_log(LINES), where="status = payed")


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("stats = paid", "no column 'stats', which data.where names; .* Did you mean 'status'"),
        ("status > paid", "compares texts, which have no order; expected =, in, a number or a day"),
        ("status = 3", r"holds no numbers but cells such as 'cancelled', .* such as status = '3'"),
        (
            "status = 2024-01-02",
            "asks column 'status' for a day; expected the column of times, tim",
        ),
    ],
)
def test_a_filter_that_does_not_fit_its_column_is_an_error(opened, csv_log, where, message):
    with pytest.raises(RetainError, match=message):
        opened(csv_log(LINES), where=where)


def test_a_text_for_a_column_of_numbers_is_an_error(opened, tmp_path):
    duckdb.execute(f"COPY (SELECT 1 AS customer, DATE '2024-01-02' AS time, 3 AS n) "
                   f"TO '{tmp_path}/log.parquet'")  # fmt: skip
    with pytest.raises(
        RetainError, match=r"'n' holds INTEGER, and n = 'x' asks for a text; .*n = 1"
    ):
        opened(tmp_path / "log.parquet", where="n = x")
    assert opened(tmp_path / "log.parquet", where="n = 3 and time = 2024-01-02").rows("items")


def test_duplicates_are_those_of_the_filtered_rows(opened, csv_log):
    rows = "customer,time,kind\n" + "1,2024-01-02,a\n1,2024-01-02,b\n" * 2
    log = opened(csv_log(rows), where="kind = a", duplicates="drop")
    assert len(log.rows("customer")) == 1


# --- guests --------------------------------------------------------------------------------------


def _visits(guest, n_guest):
    rows = [f"{n},2024-01-{1 + n % 28:02d}" for n in range(100, 700)]
    return "customer,time\n" + "\n".join(rows + [f"{guest},2024-01-05"] * n_guest) + "\n"


@pytest.mark.parametrize(("guest", "count"), [("77", 60), ("0", 40), ("Guest", 1), ("unknown", 2)])
def test_an_id_that_may_be_that_of_guests_is_asked_about(opened, csv_log, guest, count):
    log = csv_log(_visits(guest, count))
    with pytest.raises(
        RetainError, match=rf"'{guest}' with {count} of .* may stand for guests"
    ) as e:
        opened(log)
    assert f"data.exclude=[{guest}]" in str(e.value) or f"data.exclude=['{guest}']" in str(e.value)
    assert len(opened(log, exclude=[guest]).rows("customer")) == 600
    assert opened(log, exclude=[guest]).funnel["exclude"].n_before == 600 + count
    assert len(opened(log, exclude=[]).rows("customer")) == 600 + count


@pytest.mark.parametrize(("customer", "count"), [("0", 2), ("77", 15)])
def test_a_customer_with_usual_purchases_is_not_asked_about(opened, csv_log, customer, count):
    assert len(opened(csv_log(_visits(customer, count))).rows("customer")) == 600 + count


# --- currencies ----------------------------------------------------------------------------------


def test_amounts_in_several_currencies_are_an_error_with_the_filter_to_type(opened, csv_log):
    log = csv_log("customer,time,sum,Currency\n1,2024-01-02,5,EUR\n1,2024-01-03,5,EUR\n"
                  "2,2024-01-02,500,RUB\n")  # fmt: skip
    with pytest.raises(RetainError, match=r"column 'Currency': 'EUR' in 2 rows, 'RUB' in 1") as e:
        opened(log, amount="sum")
    assert "data.where=\"Currency = 'EUR'\"" in str(e.value)
    assert opened(log, amount="sum", where="Currency = 'EUR'").rows("cents") == [(500,), (500,)]
    assert len(opened(log, amount="sum", currencies="keep").rows("cents")) == 3
    assert len(opened(log).rows("customer")) == 3  # no money is added up
    with pytest.raises(RetainError, match="expected amounts in one currency"):
        opened(log, amount="sum", currency="Currency")


# --- cancelled orders ----------------------------------------------------------------------------

ORDERS = {"order": "order", "items": "n", "amount": "sum"}


def _orders(*lines):
    return "customer,time,order,n,sum\n" + "".join(f"a,{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("lines", "n_orders", "cents"),
    [
        (["2024-01-02 10:00,1,2,20", "2024-01-02 12:00,1,-2,-20"], 0, 0),
        (["2024-01-02 10:00,1,2,20", "2024-01-02 12:00,1,-1,-10"], 1, 1000),
        (["2024-01-02 10:00,1,2,20", "2024-01-03 12:00,1,-2,-20"], 1, 0),  # was an order till then
        (["2024-01-02 10:00,1,2,20", "2024-01-02 12:00,C1,-2,-20"], 0, 0),
        (["2024-01-02 10:00,1,2,20", "2024-01-02 12:00,C1,2,20"], 0, 0),
        (["2024-01-02 10:00,1,2,20", "2024-01-02 12:00,C7,-2,-20"], 0, 0),
        (["2024-01-02 10:00,1,2,20", "2024-01-02 12:00,C7,-3,-30"], 1, -1000),
        (["2024-01-02 10:00,1,2,20", "2024-01-02 12:00,C7,2,20"], 2, 4000),  # cancels nothing
        (["2024-01-02 10:00,1,2,20", "2024-01-02 10:00,1,0,-20"], 1, 0),  # bought for a coupon
    ],
)
def test_an_order_that_is_taken_back_on_its_day_is_none(opened, csv_log, lines, n_orders, cents):
    log = opened(csv_log(_orders(*lines)), **ORDERS)
    assert log.connection.sql("SELECT sum(opens), sum(cents) FROM purchases").fetchone() == (
        n_orders,
        cents,
    )


def test_cancellations_of_others_cancel_nothing(opened, csv_log):
    lines = "customer,time,order,n,sum\na,2024-01-02,1,2,20\nb,2024-01-02,C1,-2,-20\n"
    assert opened(csv_log(lines), **ORDERS).rows("customer", "opens") == [("a", 1), ("b", 0)]


# --- files and calendars -------------------------------------------------------------------------


def _daily(begin, n_days, step=1):
    days = (dt.date.fromisoformat(begin) + dt.timedelta(n) for n in range(0, n_days, step))
    return "customer,time\n" + "".join(f"{n},{day}\n" for n, day in enumerate(days))


def test_a_missing_month_among_files_is_named(opened, csv_log, tmp_path):
    for month in ("2023-01", "2023-02", "2023-04"):
        csv_log(_daily(f"{month}-01", 28), name=f"logs/orders_{month}.csv")
    with pytest.raises(RetainError, match=r"the 3 files of .* lack 2023-03; expected a file of"):
        opened(tmp_path / "logs")
    assert len(opened(f"{tmp_path}/logs/*.csv", gaps="keep").rows("t")) == 84
    csv_log(_daily("2023-03-01", 31), name="logs/orders_2023-03.csv")
    assert len(opened(tmp_path / "logs").rows("t")) == 115


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (["2023_01.csv", "2023_12.csv", "2024_02.csv"], 11 * ["?"]),
        (["log_20230102.csv", "log_20230109.csv", "log_20230123.csv"], ["2023-01-16"]),
        (["2023-01-02.csv", "2023-01-03.csv", "2023-01-06.csv"], []),  # closed at the weekend
        (["2023-01.csv", "2023-02.csv", "other.csv"], []),
        (["part-0001.csv", "part-0002.csv", "part-0004.csv"], []),
        (["2023-01.csv", "2023-01b.csv", "2023-02.csv"], []),
    ],
)
def test_only_names_of_months_and_weeks_show_what_is_missing(names, missing):
    found = find_missing_files(names)
    assert found == missing or len(found) == len(missing) == 11


def test_weeks_without_a_purchase_are_named(opened, csv_log):
    text = _daily("2023-01-01", 90) + _daily("2023-05-01", 90).partition("\n")[2]
    with pytest.raises(
        RetainError, match=r"from 2023-04-01 to 2023-04-30 \(30 days\); .*gaps=keep"
    ):
        opened(csv_log(text))
    assert len(opened(csv_log(text), gaps="keep").rows("t")) == 180
    assert len(opened(csv_log(_daily("2023-01-01", 400, step=30))).rows("t")) == 14


def _clocked(last):
    days = [dt.date(2024, 1, 1) + dt.timedelta(n) for n in range(40)]
    clocks = [f"{day} {hour:02d}:30" for day in days for hour in (9, 13, 17)]
    rows = "".join(f"{n},{at}\n" for n, at in enumerate([*clocks, f"2024-02-10 {last}"]))
    return f"customer,time\n{rows}"


def test_a_last_day_that_was_not_over_is_left_out(opened, csv_log):
    log = opened(csv_log(_clocked("12:50")))
    step = log.funnel["incomplete day"]
    assert (step.n_before, step.n_after) == (121, 120)
    assert "of 2024-02-10, which ends at 12:50" in step.reason
    assert log.log.last_day == (dt.date(2024, 2, 9) - dt.date(1970, 1, 1)).days
    assert len(opened(csv_log(_clocked("12:50")), incomplete_day="keep").rows("t")) == 121
    assert len(opened(csv_log(_clocked("17:00"))).rows("t")) == 121


def test_the_day_of_today_is_never_over(opened, csv_log):
    log = csv_log("customer,time\n1,2024-06-29\n2,2024-06-30\n")
    assert [one for (one,) in opened(log).rows("customer")] == [1]


def test_a_log_may_be_a_sheet_of_a_workbook_below_titles(opened, tmp_path, make_workbook):
    pytest.importorskip("python_calamine")
    head = [["Orders"], ["customer", "time", "n", "price"]]
    sheets = {
        year: [*head, ["a", f"{year}-01-02 08:26", 3, 1.5], ["b", f"{year}-01-03 09:00", 4, 2]]
        for year in ("2023", "2024")
    }
    (tmp_path / "log.xlsx").write_bytes(make_workbook(sheets))
    with pytest.raises(RetainError, match=r"several sheets: '2023', '2024'; .*data\.table=2023"):
        opened(tmp_path / "log.xlsx")
    log = opened(tmp_path / "log.xlsx", table="2023", amount="n * price")
    assert log.rows("customer", "t", "cents") == [("a", 1672647960, 450), ("b", 1672736400, 800)]


def test_json_lines_may_be_packed_and_in_several_files(opened, tmp_path):
    for month, price in (("01", "1"), ("02", "2.5")):
        line = f'{{"customer": "a", "time": "2024-{month}-02", "n": 2, "price": {price}}}\n'
        (tmp_path / f"2024-{month}.jsonl.gz").write_bytes(gzip.compress(line.encode()))
    log = opened(tmp_path, amount="n * price")
    assert log.rows("customer", "cents") == [("a", 200), ("a", 500)]


# --- views ---------------------------------------------------------------------------------------

HEADS = "CREATE TABLE heads (no INT, customer TEXT, time DATE)"
VIEW = "CREATE VIEW log AS SELECT heads.*, n, price FROM heads JOIN lines ON heads.no = lines.no"


def _fill(execute):
    execute(HEADS)
    execute("CREATE TABLE lines (no INT, n INT, price DOUBLE)")
    execute("INSERT INTO heads VALUES (1, 'a', '2024-01-02'), (2, 'b', '2024-01-03')")
    execute("INSERT INTO lines VALUES (1, 2, 1.5), (1, 1, 4), (2, 1, 3)")
    execute(VIEW)


def test_a_view_may_join_heads_and_lines_of_orders(opened, tmp_path):
    pytest.importorskip("sqlalchemy")
    with duckdb.connect(str(tmp_path / "log.duckdb")) as connection:
        _fill(connection.execute)
        connection.execute("CREATE VIEW whole AS WITH x AS (SELECT * FROM log) SELECT * FROM x")
    with sqlite3.connect(tmp_path / "log.db") as connection:
        _fill(connection.execute)
    connection.close()
    for path, table in (("log.duckdb", "log"), ("log.db", "log"), ("log.duckdb", "whole")):
        log = opened(tmp_path / path, table=table, amount="n * price", order="no")
        assert log.rows("customer", "cents") == [("a", 300), ("a", 400), ("b", 300)]
        assert log.connection.sql("SELECT sum(opens) FROM purchases").fetchone() == (2,)


@pytest.mark.parametrize(
    "definition",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd.csv'",
        "SELECT heads.* FROM heads, read_text('/etc/hostname')",
        "SELECT * FROM heads WHERE customer IN (SELECT content FROM read_text('/etc/hostname'))",
        "SELECT *, (SELECT content FROM read_text('/etc/hostname')) FROM heads",
        "SELECT * FROM (DESCRIBE heads)",
        "SELECT * FROM other",
        "SELECT * FROM duckdb_settings()",
    ],
)
def test_a_view_of_anything_but_tables_of_its_file_is_not_read(opened, tmp_path, definition):
    with duckdb.connect(str(tmp_path / "log.duckdb")) as connection:
        connection.execute(HEADS)
        connection.execute("CREATE VIEW other AS SELECT * FROM read_text('/etc/hostname')")
        try:
            connection.execute(f"CREATE VIEW log AS {definition}")
        except duckdb.Error:
            pytest.skip("no such view can be made")
    with pytest.raises(RetainError, match=r"'log' of file .* is a view; expected a table, or"):
        opened(tmp_path / "log.duckdb", table="log")


def test_a_view_of_a_file_that_defines_functions_is_not_read(opened, tmp_path):
    with duckdb.connect(str(tmp_path / "log.duckdb")) as connection:
        _fill(connection.execute)
        connection.execute("CREATE MACRO f() AS (SELECT content FROM read_text('/etc/hostname'))")
    with pytest.raises(RetainError, match="the file defines functions"):
        opened(tmp_path / "log.duckdb", table="log")
