"""Tables that differ only in the format of their numbers give the same customers."""

from __future__ import annotations

import pytest

from retain.customers.table import read


def read_column(path, column):
    """Return one column as numbers, under the file's name."""
    return read(path=str(path), keep_columns=[column]).features[column].tolist()


@pytest.mark.parametrize(
    ("name", "column", "plain", "plain_column"),
    [
        ("currency_us", "total", "plain", "total"),
        ("currency_us", "share", "plain", "share"),
        ("thousands_only", "total", "plain", "total"),
        ("thousands_de", "umsatz", "plain", "total"),
        ("german_cp1252_euro", "gebühr", "plain", "total"),
        ("thousands_int_us", "total", "thousands_int_plain", "total"),
        ("us_thou_semicolon", "spend", "num_rouble", "spend"),
        ("profit_us_thousands", "spend", "num_rouble", "spend"),
    ],
)
def test_formatted_numbers_are_those_of_the_plain_table(
    case_tables, name, column, plain, plain_column
):
    found = read_column(case_tables / f"{name}.csv", column)
    assert found == read_column(case_tables / f"{plain}.csv", plain_column)


def test_accounting_brackets_are_minus_signs(case_tables):
    lines = (case_tables / "num_accounting.csv").read_text("utf-8").splitlines()
    cells = [line.split(";")[2] for line in lines[1:]]
    expected = [-float(one.strip("()")) if "(" in one else float(one) for one in cells]
    assert read_column(case_tables / "num_accounting.csv", "spend") == expected


def test_grouped_profits_are_the_money_of_the_plain_table(case_tables):
    options = {"id": "id", "target": "churn", "profit": "spend", "profit_unit": "euros"}
    grouped = read(path=str(case_tables / "profit_us_thousands.csv"), **options).profit
    plain = read(path=str(case_tables / "num_rouble.csv"), **options).profit
    assert grouped.tolist() == plain.tolist()
