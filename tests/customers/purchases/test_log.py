"""Unusual and invalid logs: values, error messages and the counts of the funnel."""

# ruff: noqa: E501 - a case is a line

from __future__ import annotations

import os
import re

import pytest

from retain.customers.purchases.cleaning import duplicates
from retain.customers.purchases.content_hash import hash_log
from retain.customers.purchases.log import open_log
from retain.errors import RetainError

duckdb = pytest.importorskip("duckdb")

MONEY = {"amount": "amount"}
PIECES = {"items": "items"}
HEADER = "customer,time,amount\n"
GOOD = [f"{n},2024-01-{n:02d},{n}.50" for n in range(1, 31)]


def lines(*bad, header=HEADER, good=GOOD):
    return header + "\n".join([*good, *bad]) + "\n"


# --- values --------------------------------------------------------------------------------------


def test_a_row_becomes_whole_numbers(opened, csv_log):
    path = csv_log("customer,time,amount,items\n7,2024-01-02 00:00:01.9,12.345,3\n")
    log = opened(path, **MONEY, **PIECES)
    seconds = 19724 * 86400 + 1
    assert log.rows("customer", "t", "cents", "items", "buys") == [(7, seconds, 1235, 3, 1)]
    assert (log.log.first_day, log.log.last_day) == (19724, 19724)
    assert log.log.columns == {"amount", "items"}
    assert [step.unit for step in log.log.funnel] == ["purchases"]


def test_without_amount_and_items_each_row_is_one_item_for_no_money(opened, csv_log):
    log = opened(csv_log("customer,time\n7,2024-01-02\n7,2024-01-03\n"))
    assert log.rows("cents", "items", "buys") == [(0, 1, 1), (0, 1, 1)]
    assert log.log.columns == frozenset()


def test_all_columns_but_the_id_are_bigint(opened, csv_log):
    text = (
        "customer,time,amount,items,order,category,discount,minutes,contacts,profit\n"
        "a7,2024-01-02,10,1,o1,tea,yes,2.5,1,3.2\n"
    )
    every = ("amount", "items", "order", "category", "discount", "minutes", "contacts", "profit")
    log = opened(csv_log(text), **{name: name for name in every})
    described = log.connection.sql("DESCRIBE purchases").fetchall()
    types = {name: kind for name, kind, *_ in described}
    assert types.pop("customer") == "VARCHAR"
    assert set(types.values()) == {"BIGINT"}
    assert set(types) == {
        "t", "cents", "items", "buys", "opens", "category", "promo", "minutes", "contacts", "profit",
    }  # fmt: skip
    names = ("customer", "cents", "opens", "category", "promo", "minutes", "contacts", "profit")
    assert log.rows(*names) == [("a7", 1000, 1, 0, 1, 250, 1, 320)]
    assert log.log.columns == set(every) - {"discount"} | {"promo"}


@pytest.mark.parametrize(
    ("cells", "ids"),
    [
        (["7", "12"], [7, 12]),
        (["7.0", "12.0"], [7, 12]),
        (["007", "12"], ["007", "12"]),
        (["a7", "12"], ["12", "a7"]),
        ([" 7 ", "\u00a012"], [7, 12]),
        (["nan", "7.0", "NULL"], [7]),
        (["<NA>", "a7"], ["a7"]),
        (["1234567890123456789012", "3"], ["1234567890123456789012", "3"]),
    ],
)
def test_ids_are_integers_if_all_of_them_are(opened, csv_log, cells, ids):
    path = csv_log("customer;time\n" + "".join(f"{cell};2024-01-02\n" for cell in cells))
    assert [row[0] for row in opened(path).rows("customer")] == ids


def test_a_file_without_a_header_is_separated_by_spaces(opened, csv_log):
    path = csv_log(" 00001 20210101  1   11.77\n 00002 20210112  5   77.00\n", "log.txt")
    log = opened(
        path,
        customer="id",
        time="day",
        items="cds",
        amount="dollars",
        columns=("id", "day", "cds", "dollars"),
        time_format="%Y%m%d",
    )
    rows = log.rows("customer", "t // 86400", "cents", "items")
    assert rows == [("00001", 18628, 1177, 1), ("00002", 18639, 7700, 5)]


def test_a_header_of_one_endless_cell_is_refused(opened, csv_log):
    path = csv_log('customer,"time\n' + "00001,2024-01-02\n" * 10_000)
    with pytest.raises(RetainError, match=r"line 1: .* of more than 131,072 characters; .*quote"):
        opened(path)


def test_names_may_stand_in_the_file_as_well(opened, csv_log):
    path = csv_log("customer,time\n7,2024-01-02\n")
    assert len(opened(path, columns=("customer", "time")).rows()) == 1


# --- dialects ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("customer;time;amount\n1;2024-01-02;1 234,5\n", [123450]),
        ("customer;time;amount\n1;2024-01-02;1\u00a0234,5\n", [123450]),
        ("customer\ttime\tamount\n1\t2024-01-02\t1,234.50\n2\t2024-01-02\t7\n", [700, 123450]),
        ("customer|time|amount\n1|2024-01-02|1.234,50\n2|2024-01-02|0,5\n", [50, 123450]),
        ('customer,time,amount\n1,2024-01-02,"1,234,567"\n', [123456700]),
        ("customer,time,amount\n1,2024-01-02,1.5e2\n", [15000]),
        ('"customer","time","amount"\r\n"1","2024-01-02","0.125"\r\n', [13]),
        ("customer,time,amount\n1,2024-01-02,2.5\r\n2,2024-01-02,3.5\n", [250, 350]),
        ("customer,time,amount\r1,2024-01-02,2.5\r", [250]),
    ],
)
def test_money_is_read_in_every_usual_dialect(opened, csv_log, text, cents):
    assert [row[0] for row in opened(csv_log(text), **MONEY).rows("cents")] == cents


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_text_is_read_in_every_usual_encoding(opened, csv_log, encoding):
    text = "клиент;время;раздел\nа1;2024-01-02;чай\nб2;2024-01-03;кофе\n"
    path = csv_log(text, encoding=encoding)
    log = opened(path, customer="клиент", time="время", category="раздел")
    assert log.rows("customer", "category") == [("а1", 1), ("б2", 0)]
    assert log.log.categories == ("кофе", "чай")


def test_a_large_file_in_utf_16_is_read(opened, csv_log):
    text = "customer,time\n" + "1,2024-01-02\n" * 60_000
    assert opened(csv_log(text, encoding="utf-16")).funnel["log read"].n_after == 60_000


def test_columns_may_be_separated_by_spaces_and_tabs(opened, csv_log):
    path = csv_log("\t1  2024-01-02   3.5\n\n 22 2024-01-03   4\n", "log.txt")
    log = opened(path, **MONEY, columns=("customer", "time", "amount"))
    assert log.rows("customer", "cents") == [(1, 350), (22, 400)]


def test_a_file_that_is_ascii_at_first_may_be_cp1251_further_on(opened, csv_log):
    head = "customer,time\n" + "1,2024-01-02\n" * 90_000
    log = opened(csv_log((head + "Клиент второй,2024-01-02\n").encode("cp1251")))
    assert log.rows("customer")[-1] == ("Клиент второй",)
    assert log.funnel["log read"].reason.startswith("cp1251, separator ','")


# --- the funnel ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "step", "reason"),
    [
        (",2024-01-05,3", "no customer", r"without a customer \(column 'customer': blank, first in row 32\)"),
        ("4,,3", "no time", "without a time that can be read .*blank, first in row 32"),
        ("4,soon,3", "no time", "'soon', first in row 32"),
        ("4,2024-02-30,3", "no time", "'2024-02-30'"),
        ("4,2024-07-01,3", "future", "later than 2024-06-30, in the future .*'2024-07-01', first in row 32"),
        ("4,2024-01-05,much", "no amount", "'much'"),
        ("4,2024-01-05,", "no amount", "blank"),
        ("4,2024-01-05,inf", "no amount", "'inf'"),
        ("4,2024-01-05,NaN", "no amount", "'NaN'"),
        ("4,2024-01-05,90000000000001", "no amount", "'90000000000001'"),
        ("4,2024-01-05,1e300", "no amount", "'1e300'"),
    ],
)  # fmt: skip
def test_an_invalid_row_is_left_out_and_counted(opened, csv_log, bad, step, reason):
    log = opened(csv_log(lines(bad)), **MONEY)
    found = log.funnel[step]
    assert (found.n_before, found.n_after, found.unit) == (31, 30, "purchases")
    assert re.search(reason, found.reason), found.reason
    assert len(log.rows()) == 30


@pytest.mark.parametrize(
    ("header", "changes", "good", "bad", "step"),
    [
        ("customer,time,items", PIECES, "1,2024-01-05,2", "1,2024-01-05,few", "no items"),
        ("customer,time,items", PIECES, "1,2024-01-05,2", "1,2024-01-05,", "no items"),
        (
            "customer,time,d",
            {"discount": "d"},
            "1,2024-01-05,да",
            "1,2024-01-05,may",
            "no discount",
        ),
        (
            "customer,time,d",
            {"discount": "d"},
            "1,2024-01-05,0.1",
            "1,2024-01-05,-1",
            "no discount",
        ),
        ("customer,time,m", {"minutes": "m"}, "1,2024-01-05,2", "1,2024-01-05,-2", "no minutes"),
        ("customer,time,m", {"contacts": "m"}, "1,2024-01-05,2", "1,2024-01-05,x", "no contacts"),
        ("customer,time,p", {"profit": "p"}, "1,2024-01-05,-2", "1,2024-01-05,?", "no profit"),
    ],
)
def test_each_mapped_number_has_its_line(opened, csv_log, header, changes, good, bad, step):
    log = opened(csv_log(lines(bad, header=f"{header}\n", good=[good] * 30)), **changes)
    assert (log.funnel[step].n_before, log.funnel[step].n_after) == (31, 30)


def test_missing_customers_are_left_out_however_many(opened, csv_log):
    anonymous = [f",2024-01-{n:02d},{n}" for n in range(1, 31)]
    log = opened(csv_log(lines(*anonymous)), **MONEY)
    assert (log.funnel["no customer"].n_before, log.funnel["no customer"].n_after) == (60, 30)


def test_more_than_one_unreadable_row_in_twenty_is_an_error(opened, csv_log):
    path = csv_log(lines("4,soon,3", "4,2024-01-05,much"))
    with pytest.raises(
        RetainError, match=r"2 of 32 rows \(6\.2%\) cannot be read: 1 row is without a time"
    ):
        opened(path, **MONEY)


def test_a_row_counts_for_its_first_rule_alone(opened, csv_log):
    log = opened(csv_log(lines(",soon,much")), **MONEY)
    assert [step.name for step in log.log.funnel] == ["log read", "no customer"]


def test_a_log_of_invalid_rows_alone_is_an_error(opened, csv_log):
    with pytest.raises(RetainError, match="no purchase is left: 1 row is without a customer"):
        opened(csv_log("customer,time\n,2024-01-02\n"))


# --- returns, free rows, duplicates, visits ------------------------------------------------------


def test_returns_are_netted_and_are_not_purchases(opened, csv_log):
    text = "customer,time,amount,items\n1,2024-01-02,10,2\n1,2024-01-03,-5,1\n2,2024-01-03,4,-1\n"
    log = opened(csv_log(text), **MONEY, **PIECES)
    # a row is a return if either is negative, and both are taken off
    assert log.rows("cents", "items", "buys") == [(-500, -1, 0), (-400, -1, 0), (1000, 2, 1)]
    assert "2 rows are taken off" in log.funnel["returns"].reason


def test_a_return_without_items_is_one_item_less(opened, csv_log):
    log = opened(csv_log("customer,time,amount\n1,2024-01-02,10\n1,2024-01-03,-5\n"), **MONEY)
    assert log.rows("cents", "items", "buys") == [(-500, -1, 0), (1000, 1, 1)]


def test_returns_are_dropped_or_an_error(opened, csv_log):
    path = csv_log(lines("1,2024-01-03,-5"))
    dropped = opened(path, **MONEY, returns="drop")
    assert (dropped.funnel["returns"].n_before, dropped.funnel["returns"].n_after) == (31, 30)
    message = (
        r"column 'amount': 1 row is below zero: '-5', first in row 32; data\.policy\.returns=error"
    )
    with pytest.raises(RetainError, match=message):
        opened(path, **MONEY, returns="error")


def test_free_rows_are_kept_dropped_or_an_error(opened, csv_log):
    path = csv_log(lines("1,2024-01-03,0"))
    kept = opened(path, **MONEY)
    assert (0, 1) in kept.rows("cents", "buys")
    assert "1 row is of nothing, kept" in kept.funnel["zero_amount"].reason
    assert len(opened(path, **MONEY, zero_amount="drop").rows()) == 30
    with pytest.raises(
        RetainError,
        match=r"data\.policy\.zero_amount=error. Type data\.policy\.zero_amount=keep or",
    ):
        opened(path, **MONEY, zero_amount="error")


def test_duplicates_are_counted_dropped_or_an_error(opened, csv_log):
    path = csv_log(lines(GOOD[0], GOOD[0], GOOD[1]))
    kept = opened(path, **MONEY)
    assert len(kept.rows()) == 33
    assert kept.funnel["duplicates"].reason.startswith("3 repeat another row in every column, kept")
    dropped = opened(path, **MONEY, duplicates="drop")
    assert (dropped.funnel["duplicates"].n_before, dropped.funnel["duplicates"].n_after) == (33, 30)
    assert len(dropped.rows()) == 30
    with pytest.raises(RetainError, match=r"3 rows repeat another .* such as '1' at '2024-01-01'"):
        opened(path, **MONEY, duplicates="error")


def test_rows_that_differ_in_an_unmapped_column_are_not_duplicates(opened, csv_log):
    path = csv_log("customer,time,line\n1,2024-01-02,1\n1,2024-01-02,2\n")
    log = opened(path, duplicates="drop")
    assert len(log.rows()) == 2
    assert "duplicates" not in log.funnel


def test_a_row_of_minutes_alone_is_a_visit(opened, csv_log):
    text = "customer,time,amount,minutes\n1,2024-01-02,10,3\n1,2024-01-03,,5.25\n1,2024-01-04,0,1\n"
    log = opened(csv_log(text), **MONEY, minutes="minutes")
    assert log.rows("t // 86400 - 19723", "cents", "items", "buys", "minutes") == [
        (1, 1000, 1, 1, 300),
        (2, 0, 0, 0, 525),
        (3, 0, 0, 0, 100),
    ]
    assert log.funnel["visits"].reason.startswith("2 rows are without amount")


def test_duplicates_of_a_long_log_are_estimated_from_some_customers(opened, csv_log, monkeypatch):
    monkeypatch.setattr(duplicates, "_MAX_EXACT_ROWS", 100)
    rows = [f"{n % 640},2024-01-02,{n % 640}" for n in range(1280)]
    message = opened(csv_log(lines(*rows)), **MONEY).funnel["duplicates"].reason
    about = int(re.match(r"about (\d+) repeat", message).group(1))
    assert 320 <= about <= 1280


# --- categories, discounts, orders ---------------------------------------------------------------


def test_categories_are_numbered_in_the_order_of_their_texts(opened, csv_log):
    text = (
        "customer,time,c\n1,2024-01-02,tea\n1,2024-01-03, milk\n1,2024-01-04,\n1,2024-01-05,tea \n"
    )
    log = opened(csv_log(text), category="c")
    assert log.log.categories == ("milk", "tea")
    assert log.rows("t // 86400 - 19723", "category") == [(1, 1), (2, 0), (3, None), (4, 1)]


def test_categories_of_rows_left_out_have_no_number(opened, csv_log):
    good = [f"1,2024-01-{n:02d},b" for n in range(1, 31)]
    log = opened(csv_log(lines("1,soon,a", header="customer,time,c\n", good=good)), category="c")
    assert log.log.categories == ("b",)


def test_too_many_categories_are_an_error(opened, csv_log):
    text = "customer,time,c\n" + "".join(f"1,2024-01-02,{n}\n" for n in range(10_001))
    with pytest.raises(RetainError, match="column 'c': it has more than 10000 values; expected at"):
        opened(csv_log(text), category="c")


@pytest.mark.parametrize(
    ("cells", "promo"),
    [
        (["yes", "NO", ""], [(0,), (1,), (None,)]),
        (["да", "Нет", "ДА"], [(0,), (1,), (1,)]),
        (["true", "False", "1"], [(0,), (1,), (1,)]),
        (["0,15", "0", "12,5"], [(0,), (1,), (1,)]),
    ],
)
def test_a_discount_is_an_answer_or_a_number(opened, csv_log, cells, promo):
    path = csv_log("customer;time;d\n" + "".join(f"1;2024-01-02;{cell}\n" for cell in cells))
    assert opened(path, discount="d").rows("promo") == promo


ORDERS = [
    "1,2024-01-02 10:05:00,5,o1",
    "1,2024-01-02 10:00:00,7,o1",
    "1,2024-01-02 10:00:00,6,o1",
    "2,2024-01-02 11:00:00,6,o1",
    "1,2024-01-05 09:00:00,1,o1",
    "1,2024-01-06 09:00:00,-6,o1",
    "1,2024-01-07 09:00:00,3,",
]


def test_an_order_opens_once_at_its_first_line(opened, csv_log):
    path = csv_log("customer,time,amount,bill\n" + "\n".join(ORDERS))
    clock = "strftime(make_timestamp(t * 1000000), '%d %H:%M')"
    rows = opened(path, **MONEY, order="bill").rows("customer", clock, "cents", "opens")
    assert rows == [
        (1, "02 10:00", 500, 0),
        (1, "02 10:00", 600, 1),
        (1, "02 10:00", 700, 0),
        (1, "05 09:00", 100, 0),  # days later: not moved, as the future must not leak back
        (1, "06 09:00", -600, 0),  # nor is a return
        (1, "07 09:00", 300, 1),  # a row without an order is one
        (2, "02 11:00", 600, 1),
    ]


def test_the_line_that_opens_an_order_does_not_depend_on_the_order_of_rows(opened, csv_log):
    seen = []
    for turn in range(len(ORDERS)):
        turned = [*ORDERS[turn:], *ORDERS[:turn]]
        path = csv_log("customer,time,amount,bill\n" + "\n".join(turned))
        seen.append(opened(path, **MONEY, order="bill").rows())
    assert all(rows == seen[0] for rows in seen)


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "changes", "message"),
    [
        (HEADER, MONEY, "has columns and no rows; expected purchases"),
        ("", {}, "is empty; expected a header and rows"),
        ("\n\n", {}, "is empty; expected a header and rows"),
        (b"\x00\x01PK\x00\x00", {}, "is not text"),
        (lines(), {"amount": "amuont"}, "no column 'amuont', which data.columns.amount names; it has 'customer', 'time', 'amount'. Did you mean 'amount'"),
        ("1,2024-01-02\n2,2024-01-02\n", {}, "no column 'customer'.*data.format.columns"),
        ("customer,time,time\n1,2,3\n", {}, "has several columns named 'time'"),
        ("customer,time,Time\n1,2,3\n", {}, "has columns 'time', 'Time', which differ in case alone"),
        ("customer;time;amount\n1;2024-01-02;1.234\n", MONEY, "'1.234' may be 1234 or 1.234.*data.format.number_format='1.234,56'"),
        (lines(), {"amount": "time"}, "data.columns: column 'time' is named for 'time', 'amount'"),
        ("customer,time\n1,2024-01-02\n2\n", {}, "line 3: 1 cells; expected 2"),
        ('customer,time\n1,2024-01-02\n2,"2024\n', {}, "look for a quote that is not closed"),
        ("customer,time\n1,01/02/2024\n", {}, "'01/02/2024' may be day and month or month and day.*data.format.time_format='%d/%m/%Y'"),
        ("customer,time\n1,13/02/2024\n1,02/13/2024\n", {}, "in 1 cells the day stands first, in 1 the month"),
        ("customer,time\n1,soon\n1,later\n", {}, "no cell is a time: 'later', 'soon'; expected dates such as '2024-03-31'; or say how they are written with data.format.time_format"),
        ("customer,time\n1,2024-01-02\n", {"time_format": "%d.%m.%Y"}, "1 of 1 rows .* cannot be read.*'2024-01-02'.*data.format.time_format"),
        ("customer,time\n1,2024-01-02\n", {"time_format": "%Q"}, "data.format.time_format: it is '%Q'.*expected what strptime takes"),
        (lines(), {"timezone": "Europe/Moskow"}, "data.format.timezone is 'Europe/Moskow'.*Did you mean 'Europe/Moscow'"),
        (lines(), {"columns": ("customer", "time")}, "has 3 columns, and data.format.columns 2"),
    ],
)  # fmt: skip
def test_an_unreadable_log_raises_a_readable_error(opened, csv_log, text, changes, message):
    with pytest.raises(RetainError, match=message):
        opened(csv_log(text), **changes)


def test_names_may_not_repeat(opened, csv_log):
    with pytest.raises(RetainError, match="several columns named 'time'"):
        opened(csv_log("1,2024-01-02,3\n"), columns=("customer", "time", "time"))


def test_a_line_of_another_length_in_a_file_separated_by_spaces_is_shown(opened, csv_log):
    path = csv_log("1 2024-01-02 5\n2 2024-01-03 6 7\n")
    with pytest.raises(
        RetainError, match="line '2 2024-01-03 6 7': 4 cells; expected 3, as in the n"
    ):
        opened(path, columns=("customer", "time", "amount"))


def test_a_missing_path_is_reported_with_the_nearest_name(opened, csv_log, tmp_path):
    csv_log(lines())
    with pytest.raises(RetainError, match=r"'lgo.csv' is not in folder .* Did you mean 'log.csv'"):
        opened(tmp_path / "lgo.csv")
    with pytest.raises(RetainError, match=r"pattern '.*\*\.parquet' matches no file"):
        opened(tmp_path / "*.parquet")
    with pytest.raises(RetainError, match="its scheme is 'https'; expected a path on this machine"):
        opened("https://shop.example/log.parquet")
    with pytest.raises(RetainError, match="its scheme is 's3'"):
        opened("s3://shop/log.parquet")


def test_a_folder_without_logs_is_an_error(opened, tmp_path):
    with pytest.raises(RetainError, match=r"it is empty; expected files \.csv, \.tsv"):
        opened(tmp_path)
    (tmp_path / "log.docx").write_bytes(b"PK")
    with pytest.raises(RetainError, match=r"it holds 'log\.docx'; expected files"):
        opened(tmp_path)


def test_files_of_different_columns_are_named(opened, csv_log, tmp_path):
    csv_log(lines(), "logs/a.csv")
    csv_log(lines(header="customer,time,money\n"), "logs/b.csv")
    message = r"file '.*b\.csv' has column 'money', unlike file '.*a\.csv'"
    with pytest.raises(RetainError, match=message):
        opened(tmp_path / "logs")


def test_files_of_different_kinds_are_named(opened, csv_log, tmp_path):
    path = csv_log(lines(), "logs/a.csv")
    duckdb.read_csv(str(path)).write_parquet(str(path.with_suffix(".parquet")))
    message = r"of several kinds: 'a\.csv' is CSV, 'a\.parquet' is Parquet"
    with pytest.raises(RetainError, match=message):
        opened(tmp_path / "logs")


def test_a_table_is_of_a_database_alone(opened, csv_log):
    with pytest.raises(RetainError, match=r"data\.table is 'log', but .* holds no tables"):
        opened(csv_log(lines()), table="log")


# --- nothing in a log is executed ----------------------------------------------------------------


def test_names_of_files_and_columns_are_not_executed_as_sql(opened, csv_log):
    column = "ti'me\"); DROP TABLE x; --"
    quoted = column.replace('"', '""')
    path = csv_log(f'customer,"{quoted}",c\n1,2024-01-02,x\'); --\n', "lo'g [1] *; --.csv")
    log = opened(path, time=column, category="c")
    assert log.log.categories == ("x'); --",)
    copy = path.with_suffix(".parquet")
    duckdb.connect().read_csv(str(path.parent / "lo'g*")).write_parquet(str(copy))
    assert len(opened(copy, time=column).rows()) == 1


def test_a_name_with_a_star_is_one_file(opened, csv_log):
    path = csv_log(lines(), "a*.csv")
    csv_log(lines(), "ab.csv")
    assert len(opened(path).rows()) == 30


def test_no_extension_is_downloaded(opened, csv_log):
    connection = opened(csv_log(lines())).connection
    for name in ("autoinstall_known_extensions", "autoload_known_extensions"):
        assert connection.sql(f"SELECT current_setting('{name}')").fetchone() == (False,)


# --- content -------------------------------------------------------------------------------------


def test_content_changes_with_the_input_and_the_way_it_is_read(opened, csv_log):
    first = opened(csv_log(lines()), **MONEY).log.content_hash
    again = opened(csv_log(lines(), "other.csv"), **MONEY).log.content_hash
    more = opened(csv_log(lines("1,2024-01-03,5")), **MONEY).log.content_hash
    other = opened(csv_log(lines(), "other.csv"), **MONEY, returns="drop").log.content_hash
    assert first == again
    assert len({first, more, other}) == 3


def test_the_hash_is_known_before_the_log_is_opened(opened, log_options, csv_log):
    path = csv_log(lines())
    content_hash = hash_log(str(path), None, log_options(**MONEY))
    assert opened(path, **MONEY).log.content_hash == content_hash


def test_a_large_file_is_hashed_by_its_ends_and_its_time(log_options, csv_log, monkeypatch):
    monkeypatch.setattr("retain.customers.purchases.content_hash._MAX_HASHED_BYTES", 10)
    monkeypatch.setattr("retain.customers.purchases.content_hash._END_BYTES", 4)
    path = csv_log(lines())
    content_hash = hash_log(str(path), None, log_options())
    assert hash_log(str(path), None, log_options()) == content_hash
    os.utime(path, ns=(1, 1))
    assert hash_log(str(path), None, log_options()) != content_hash


def test_a_second_log_replaces_the_first(opened, log_options, csv_log):
    log = opened(csv_log(lines()), **MONEY)
    path = csv_log(lines())
    parquet = path.with_suffix(".parquet")
    duckdb.read_csv(str(path)).write_parquet(str(parquet))
    for one in (parquet, path, parquet):
        open_log(log.connection, str(one), None, log_options())
        assert len(log.rows()) == 30


# Threads read parts of a file side by side, and rows are counted in the order of the file.
@pytest.mark.slow
def test_the_row_of_a_bad_cell_is_that_of_the_file_however_many_threads_read_it(csv_log, opened):
    n, bad = 900_000, 800_000
    lines = [f"c{number % 1000},2024-01-01" for number in range(n)]
    lines[bad] = "c1,unknown"
    path = csv_log("customer,time\n" + "\n".join(lines) + "\n")
    log = opened(path, threads=8)
    assert f"first in row {bad + 2}" in log.funnel["no time"].reason


@pytest.mark.parametrize("order", [{}, {"order": "order"}])
def test_a_discount_line_of_an_order_takes_money_and_no_pieces(csv_log, opened, order):
    path = csv_log(
        "customer,time,order,amount,items\n"
        "a,2024-01-05,1,100,10\na,2024-01-05,1,-5,1\n"  # a coupon beside what was bought
        "a,2024-02-05,2,-20,2\n"  # a return, with a positive number of pieces
        "b,2024-02-05,3,-20,-2\nb,2024-02-05,3,50,4\n"
    )
    log = opened(path, amount="amount", items="items", **order)
    assert log.rows("customer", "cents", "items", "buys") == [
        ("a", -2000, -2, 0),
        ("a", -500, 0, 0),
        ("a", 10000, 10, 1),
        ("b", -2000, -2, 0),
        ("b", 5000, 4, 1),
    ]


@pytest.mark.parametrize("cell", ["(12.50)", "12.50-", "-12.50", "- 12.50", "\u221212.50"])
def test_an_amount_below_zero_is_taken_off_however_it_is_written(opened, csv_log, cell):
    rows = "".join(f"{n},2024-01-{1 + n % 28:02d},{n}.{n:02d}\n" for n in range(40))
    log = opened(csv_log(f"customer,time,amount\n{rows}3,2024-02-01,{cell}\n"), amount="amount")
    assert (3, -1250, 0) in log.rows("customer", "cents", "buys")
    assert list(log.funnel) == ["log read", "returns", "zero_amount"]
