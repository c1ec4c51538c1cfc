"""Amounts of every currency are numbers; codes that look like them are not."""

from __future__ import annotations

import pandas as pd
import pytest

from retain.customers.cells.number_column import parse_column
from retain.customers.cells.number_format import FileMarks
from retain.customers.cells.number_shapes import ABBREVIATIONS, CODES

SIGNS = "$€£¥₽₹₩₪₺₴₸₫₦₱฿₡₲₵₭₮₼₾₿¢"
VALUES = [1234.5, 7.25, 999999.0, 0.5]


def read_amounts(cells):
    return parse_column(pd.Series(cells), FileMarks(), "total").cells().tolist()


@pytest.mark.parametrize("form", ["{unit}{n}", "{unit} {n}", "{n} {unit}", "{n}\u00a0{unit}"])
@pytest.mark.parametrize("units", [SIGNS, sorted(CODES), sorted(ABBREVIATIONS)])
def test_amounts_of_every_currency_are_read(units, form):
    wrong = {
        unit: cells
        for unit in units
        for cells in [[form.format(unit=unit, n=f"{value:,.2f}") for value in VALUES]]
        if read_amounts(cells) != VALUES and not (unit in "KMB" and form.startswith("{n}"))
    }
    assert wrong == {}


@pytest.mark.slow
def test_every_symbol_of_cldr_is_a_currency():
    numbers = pytest.importorskip("babel.numbers")
    from babel import Locale, localedata

    names = [name for name in localedata.locale_identifiers() if "_" not in name]
    signs = {
        numbers.get_currency_symbol(code, locale=locale).strip("\u200e\u200f\u061c\u200b")
        for locale in map(Locale.parse, names)
        for code in locale.currency_symbols
    }
    read = {sign: read_amounts([f"{sign} 1,234.50"]) for sign in signs - {"", *"KMB"}}
    assert len(read) > 300
    assert {sign for sign, amounts in read.items() if amounts != [1234.5]} == set()


@pytest.mark.parametrize(
    "cells", [["Q1", "Q2", "Q3"], ["TOP10", "TOP20"], ["k0", "k1"], ["S", "M", "L"], ["A4", "A5"]]
)
def test_codes_are_no_amounts(cells):
    assert pd.isna(read_amounts(cells)).all()


def test_two_currencies_in_one_column_are_refused():
    with pytest.raises(Exception, match=r"cells have the units '\$', '€'.*expected one unit"):
        read_amounts(["$5.00", "7.00 €"])
