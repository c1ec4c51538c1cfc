"""One log in sixty dialects is read as the same log, or refused with a way on."""

from __future__ import annotations

import bz2
import csv
import datetime as dt
import gzip
import io
import re
import shlex
import zipfile

import numpy as np
import pytest

from retain.errors import RetainError

N_DIALECTS, MIN_READ, N_ROWS = 60, 54, 80
LOCALES = (
    ("", "."),
    ("", ","),
    (",", "."),
    (".", ","),
    ("\u202f", ","),
    ("\u00a0", ","),
    ("'", "."),
)
UNITS = ("{}", "${}", "{} €", "R$ {}", "{} руб.", "CHF {}", "{} USD", "({})")
DATES = (
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%y",
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d",
)
ENCODINGS = {
    "utf-8": "ru",
    "utf-16": "ru",
    "cp1251": "ru",
    "cp1252": "de",
    "koi8-r": "ru",
    "cp866": "ru",
}
CATEGORIES = {
    "ru": ("чай", "кофе", "Сладости", "молоко", "хлеб и выпечка"),
    "de": ("Gemüse", "Käse", "Süßigkeiten", "Brötchen", "Getränke"),
}
PACK = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".zip": None}


def make_truth():
    """Return customers, days, amounts and categories."""
    random = np.random.default_rng(3)
    days = [dt.date(2023, 1, 1) + dt.timedelta(int(n)) for n in random.integers(0, 500, N_ROWS)]
    amounts = random.uniform(1, 4000, N_ROWS).round(2)
    return list(
        zip(range(1, N_ROWS + 1), days, amounts, random.integers(0, 5, N_ROWS), strict=True)
    )


def make_dialects():
    """Yield separators, marks, units, dates, encodings and suffixes."""
    random = np.random.default_rng(5)
    while True:
        options = (",;\t|", LOCALES, UNITS, DATES, list(ENCODINGS), list(PACK))
        separator, marks, unit, date, encoding, suffix = (
            one[random.integers(len(one))] for one in options
        )
        try:
            write_log(separator, marks, unit, date, ENCODINGS[encoding]).encode(encoding)
        except UnicodeEncodeError:
            continue
        yield separator, marks, unit, date, encoding, suffix


def write_log(separator, marks, unit, date, language):
    grouping, decimal = marks
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=separator)
    writer.writerow(["customer", "time", "amount", "category"])
    for customer, day, amount, category in make_truth():
        text = f"{amount:,.2f}".replace(",", "\0").replace(".", decimal).replace("\0", grouping)
        cells = [customer, day.strftime(date), unit.format(text), CATEGORIES[language][category]]
        writer.writerow(cells)
    return stream.getvalue()


def pack(data, suffix):
    if suffix != ".zip":
        return PACK[suffix](data)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("log.csv", data)
    return stream.getvalue()


@pytest.mark.slow
def test_logs_in_sixty_dialects_are_read_as_one_log_and_none_is_misread(opened, csv_log):
    refused, misread = {}, {}
    dialects = make_dialects()
    for dialect in (next(dialects) for _ in range(N_DIALECTS)):
        separator, marks, unit, date, encoding, suffix = dialect
        text = write_log(separator, marks, unit, date, ENCODINGS[encoding])
        path = csv_log(pack(text.encode(encoding), suffix), name=f"log.csv{suffix}")
        try:
            log = opened(path, amount="amount", category="category")
        except RetainError as error:
            refused[dialect] = str(error)
            continue
        sign = -1 if unit == "({})" else 1
        expected = sorted(
            (customer, (day - dt.date(1970, 1, 1)).days, round(sign * amount * 100))
            for customer, day, amount, _ in make_truth()
        )
        rows = [(c, t // 86_400, cents) for c, t, cents in log.rows("customer", "t", "cents")]
        named = sorted(CATEGORIES[ENCODINGS[encoding]])
        if rows != expected or sorted(log.log.categories) != named:
            misread[dialect] = (rows[:3], expected[:3], log.log.categories)
    assert misread == {}
    assert len(refused) <= N_DIALECTS - MIN_READ, refused


def test_amounts_that_allow_two_readings_are_read_as_the_user_says(opened, csv_log):
    path = csv_log("customer;time;amount\n1;2024-01-02;3,380\n2;2024-01-02;4,125\n")
    with pytest.raises(
        RetainError, match=r"'3,380' may be 3380 or 3\.38.*number_format='1,234\.56'"
    ):
        opened(path, amount="amount")
    for number_format, cents in (("1,234.56", 338000), ("1234,56", 338)):
        log = opened(path, amount="amount", number_format=number_format)
        assert log.rows("cents")[0] == (cents,)


@pytest.mark.parametrize("mark", [",", "."])
def test_grouped_amounts_beside_small_ones_are_read_as_thousands(opened, csv_log, mark):
    amounts = [f"{n * 37 + 400:,}".replace(",", mark) for n in range(1, 200)]
    rows = [f"{n};2024-01-02;{amount}" for n, amount in enumerate(amounts, start=1)]
    text = "\n".join(["customer;time;amount", *rows, "200;2024-01-02;0"]) + "\n"
    log = opened(csv_log(text), amount="amount")
    assert [cents for _, cents in log.rows("customer", "cents")] == [
        *(100 * (n * 37 + 400) for n in range(1, 200)),
        0,
    ]


@pytest.mark.parametrize("name", ["log.jsonl", "log.csv"])
def test_a_log_as_json_lines_is_read_whatever_its_name(opened, csv_log, name):
    lines = '{"customer": 1, "time": "2024-01-02"}\n{"customer": 2, "time": "2024-01-03"}\n'
    log = opened(csv_log(lines, name=name))
    assert log.rows("customer", "t") == [(1, 1704153600), (2, 1704240000)]


ABOVE = {
    "title": "Purchases of May\n",
    "titles": "Purchases of May\n\nExported{0}2024-05-31\n",
    "separator": "sep={0}\n",
    "padded": "Purchases{0}{0}\n",
    "separator and title": "sep={0}\nPurchases of May\n",
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("above", ABOVE)
def test_lines_above_the_header_of_a_log_are_skipped_and_told(
    opened, csv_log, above, separator, end
):
    rows = [f"{n}{separator}2024-01-0{n}{separator}{n}.50" for n in range(1, 9)]
    text = "\n".join([separator.join(("customer", "time", "amount")), *rows, ""])
    head = ABOVE[above].format(separator)
    log = opened(csv_log((head + text).replace("\n", end).encode()), amount="amount")
    assert log.rows("customer", "cents") == [(n, 100 * n + 50) for n in range(1, 9)]
    assert "above the table skipped" in log.log.funnel[0].reason


def test_the_row_of_a_log_below_titles_is_that_of_the_file(opened, csv_log):
    rows = [f"{n},2024-01-02,{n}" for n in range(1, 40)]
    text = "\n".join(["Purchases", "", "customer,time,amount", *rows, "40,never,40", ""])
    log = opened(csv_log(text), amount="amount")
    assert "first in row 43" in str([step.reason for step in log.log.funnel])


def test_a_log_without_a_header_may_name_its_separator(opened, csv_log):
    log = opened(
        csv_log("sep=;\n1;2024-01-02;3,5\n2;2024-01-02;4,5\n"),
        amount="amount",
        columns=("customer", "time", "amount"),
    )
    assert log.rows("customer", "cents") == [(1, 350), (2, 450)]


DATE_TEXTS = ("%d/%m/%Y", "%d/%m/%y", "%m-%d-%Y", "%d/%m/%Y %H:%M", "%d/%m/%y %H:%M:%S")


@pytest.mark.parametrize("text", DATE_TEXTS)
def test_days_that_may_be_months_are_read_by_one_of_the_lines_that_are_printed(
    opened, csv_log, text
):
    times = [dt.datetime(2023, n % 12 + 1, n % 11 + 1, 10, 30, tzinfo=dt.UTC) for n in range(40)]
    rows = [f"{n},{time.strftime(text)},1" for n, time in enumerate(times)]
    path = csv_log("\n".join(["customer,time,amount", *rows, ""]))
    with pytest.raises(RetainError, match="may be day and month or month and day") as refused:
        opened(path, amount="amount")
    hints = re.findall(r"\"data\.format\.\S+ \S+\"|data\.format\.\S+'", str(refused.value))
    formats = [shlex.split(hint)[0].partition("=")[2].strip("'") for hint in hints]
    assert text in formats
    assert len(formats) == 2
    log = opened(path, amount="amount", time_format=text)
    days = [(time.date() - dt.date(1970, 1, 1)).days for time in times]
    assert [day // 86_400 for _, day in log.rows("customer", "t")] == days


def test_a_year_of_two_digits_is_never_one_of_the_first_century(opened, csv_log):
    path = csv_log("customer,time\n1,01/02/23\n")
    with pytest.raises(RetainError, match=r"1 of 1 rows .* cannot be read"):
        opened(path, time_format="%d/%m/%Y")
