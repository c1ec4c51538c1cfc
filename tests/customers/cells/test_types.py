"""The type of a column: what its cells allow is read, and what they leave open is refused."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from retain.customers.cells.date_digits import civil_days, find_first_short_year
from retain.customers.cells.month_names import MONTHS
from retain.customers.cells.number_format import FileMarks, parse_format
from retain.customers.cells.trained_columns import coerce_type
from retain.customers.cells.types import infer_type
from retain.errors import RetainError, type_value

DAYS = [dt.date(2019, 1, 1) + dt.timedelta(11 * n) for n in range(120)]
MONTHS_ALONE = [dt.date(2018 + n // 12, n % 12 + 1, 1) for n in range(48)]


def infer(cells: Sequence[str], name: str = "x", **marks):
    return infer_type(pd.Series(cells, dtype="str"), FileMarks(**marks), name)


def to_days(dates: Sequence[dt.date]) -> list[float]:
    return [float((one - dt.date(1970, 1, 1)).days) for one in dates]


# --- dates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["-", "/", "."])
@pytest.mark.parametrize("order", ["%d{0}%m{0}%y", "%m{0}%d{0}%y", "%y{0}%m{0}%d"])
def test_dates_of_two_digit_years_are_read_where_the_days_show_themselves(order, mark):
    form = order.format(mark)
    found = infer([day.strftime(form) for day in DAYS])
    assert found.is_date
    assert found.cells.tolist() == to_days(DAYS)


@pytest.mark.parametrize("mark", ["-", "/", "."])
@pytest.mark.parametrize(
    "cells",
    [
        ["20{0}10{0}22", "21{0}11{0}22", "22{0}12{0}22"],
        ["22{0}10{0}20"],
        ["01{0}03{0}19", "01{0}04{0}19", "01{0}01{0}20", "01{0}07{0}18"],  # the first of months
        ["15{0}10{0}19", "16{0}10{0}19", "17{0}10{0}19", "18{0}10{0}19", "19{0}10{0}19"],
        [f"{y}{{0}}{m:02}{{0}}{d:02}" for y in (20, 21, 22) for m in (1, 2) for d in range(1, 13)],
        [f"22{{0}}{m:02}{{0}}{d:02}" for m in range(1, 13) for d in range(1, 29)],  # the 22nd?
        [
            f"{d}{{0}}{m:02}{{0}}{y:02}"
            for m, d in ((1, 31), (2, 28), (4, 30))
            for y in range(1, 29)
        ],
    ],
)
def test_dates_with_the_year_first_or_last_are_refused_with_a_line_for_each(cells, mark):
    with pytest.raises(RetainError, match=r"day first .*year first.* Type data\.date_format\.x=%d"):
        infer([cell.format(mark) for cell in cells])


def test_one_mistyped_day_does_not_make_the_first_number_a_year():
    cells = [day.strftime("%d.%m.%y") for day in DAYS]
    with pytest.raises(RetainError, match=r"1 cell is not a date as the others: '45\.10\.22'"):
        infer([*cells, "45.10.22"])


@pytest.mark.parametrize("language", range(8))
@pytest.mark.parametrize("form", ["{d} {m} {y}", "{m} {y}", "{d}. {m}. {y} г.", "{y}-{m}-{d:02}"])
def test_months_are_read_by_name_in_any_language(form, language):
    words = [names[min(language, len(names) - 1)] for names in MONTHS]
    has_day = "{d" in form
    days = DAYS if has_day else MONTHS_ALONE
    cells = [form.format(d=one.day, m=words[one.month - 1], y=one.year) for one in days]
    assert infer(cells).cells.tolist() == to_days(days)


@pytest.mark.parametrize(
    "form", ["%b %d, %Y", "%d-%b-%y", "%A, %d %B %Y", "%d %b %Y 10:15", "%b %d %Y 9:05 PM"]
)
def test_english_months_are_read_in_any_usual_order(form):
    assert infer([one.strftime(form) for one in DAYS]).cells.tolist() == to_days(DAYS)


def test_a_month_between_two_digits_is_of_a_year_that_comes_last_unless_the_column_denies_it():
    cells = [one.strftime("%y-%b-%d") for one in DAYS]
    with pytest.raises(RetainError, match=r"x=%d-%b-%y or data\.date_format\.x=%y-%b-%d"):
        infer(cells)
    assert infer(cells, date_formats={"x": "%y-%b-%d"}).cells.tolist() == to_days(DAYS)


def test_chinese_dates_and_dates_in_other_digits_are_read():
    cells = [f"{one.year}年{one.month}月{one.day}日" for one in DAYS]
    assert infer(cells).cells.tolist() == to_days(DAYS)
    wide = {ord("0") + n: chr(ord("０") + n) for n in range(10)}
    cells = [one.isoformat().translate(wide) for one in DAYS]
    assert infer(cells).cells.tolist() == to_days(DAYS)


@pytest.mark.parametrize("form", ["%b-%y", "%d-%b", "%b %d"])
def test_a_month_and_two_digits_are_a_year_or_a_day_and_refused(form):
    cells = [one.strftime(form) for one in DAYS]
    with pytest.raises(RetainError, match=r"data\.date_format\.x=.*data\.categorical_columns=\[x]"):
        infer(cells)


def test_a_month_and_a_year_are_read_in_the_format_that_the_user_names():
    russian = ["янв", "фев", "мар", "апр", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"]
    cells = [f"{russian[one.month - 1]}-{one:%y}" for one in MONTHS_ALONE]
    found = infer(cells, date_formats={"x": "%b-%y"})
    assert found.cells.tolist() == to_days(MONTHS_ALONE)


@pytest.mark.parametrize(
    "cells",
    [
        ["Set 10", "Set 11", "Set 12"],
        ["Mars bar 50", "Twix 40"],
        ["12 Main Street", "4 May Road 7 B"],
        ["March", "May"],
        ["janitor 2020", "driver 2021"],
    ],
)
def test_words_that_begin_like_months_stay_a_category(cells):
    assert infer(cells * 20).kind == "category"


@pytest.mark.parametrize("form", ["%m.%Y", "%Y.%m", "%m/%Y", "%Y/%m", "%m-%Y", "%Y-%m"])
def test_months_in_digits_are_dates(form):
    found = infer([one.strftime(form) for one in MONTHS_ALONE])
    assert found.is_date
    assert found.cells.tolist() == to_days(MONTHS_ALONE)


@pytest.mark.parametrize(
    "cells", [["10.2020", "11.2021"], ["2020.10"], ["12.202", *[f"{n}.2021" for n in range(1, 13)]]]
)
def test_a_few_numbers_that_may_be_months_are_refused_with_a_line_for_each(cells):
    with pytest.raises(RetainError, match=r"date_format\.x=%.*data\.number_format\.x=1234\.56"):
        infer(cells)
    assert not infer(cells, formats={"x": parse_format("1234.56", "x")}).is_date


@pytest.mark.parametrize("form", ["%m.%y", "%d.%m", "%m/%y", "%m-%y"])
def test_two_numbers_of_two_digits_that_may_be_a_date_are_refused(form):
    with pytest.raises(RetainError, match=r"may be a date or a .*Type data\.date_format\.x=%"):
        infer([one.strftime(form) for one in DAYS])


@pytest.mark.parametrize("form", ["%Y%m%d", "%d%m%Y"])
@pytest.mark.parametrize("name", ["signup_date", "дата", "Since"])
def test_eight_digits_are_dates_if_the_name_says_so(name, form):
    cells = [one.strftime(form) for one in DAYS]
    assert infer(cells, name).cells.tolist() == to_days(DAYS)
    assert infer([cell.lstrip("0") for cell in cells], name).cells.tolist() == to_days(DAYS)


@pytest.mark.parametrize("form", ["%Y%m%d", "%d%m%Y", "%Y%m", "%y%m%d"])
def test_digits_that_may_be_dates_are_said_to_be_and_read_as_the_user_says(form):
    dates = DAYS if "%d" in form else MONTHS_ALONE
    cells = [one.strftime(form) for one in dates]
    found = infer(cells)
    assert not found.is_date
    assert f"may be dates: data.date_format.x={form}" in found.reading
    assert infer(cells, date_formats={"x": form}).cells.tolist() == to_days(dates)


def test_six_digits_in_a_column_of_dates_are_refused_with_the_lines_to_type():
    with pytest.raises(RetainError, match=r"date_format\.birth_date=%y%m%d"):
        infer([one.strftime("%y%m%d") for one in DAYS], "birth date")


def test_cells_that_are_not_of_the_format_that_the_user_names_are_refused():
    with pytest.raises(RetainError, match=r"2 cells are not of data\.date_format: '7', '2019'"):
        infer(["7", "2019"], date_formats={"x": "%d.%m.%Y"})


def test_customers_to_be_scored_have_the_dates_of_the_training_data():
    cells = pd.Series([one.strftime("%m.%Y") for one in MONTHS_ALONE], dtype="str")
    column, odd = coerce_type(cells, FileMarks(), "x", "number", pd.Index(range(len(cells))))
    assert (column.cells.tolist(), odd) == (to_days(MONTHS_ALONE), [])
    one = pd.Series(["20201022"], dtype="str")
    marks = FileMarks(date_formats={"x": "%Y%m%d"})
    column, odd = coerce_type(one, marks, "x", "number", pd.Index([1]))
    assert (column.cells.tolist(), odd) == (to_days([dt.date(2020, 10, 22)]), [])


def test_a_few_digits_in_a_column_of_dates_are_refused_as_their_training_data_may_be_either():
    cells = pd.Series(["20201022"], dtype="str")
    with pytest.raises(RetainError, match=r"date_format\.since=%Y%m%d.*number_format\.since"):
        coerce_type(cells, FileMarks(), "since", "number", pd.Index([1]))


def test_months_among_many_zeros_are_refused_as_those_alone():
    with pytest.raises(RetainError, match=r"'05\.2020' may be a date or a number"):
        infer([*["0.0"] * 300, "05.2020", "09.2018", "12.2019", "01.2021", "02.2021", "07.2021"])


def test_points_far_down_a_column_are_judged_as_those_at_its_beginning():
    cells = [*["", "7"] * 150, "1.234", "2.345"]
    with pytest.raises(RetainError, match=r"'1\.234' may be 1234 or 1\.234"):
        infer_type(pd.Series(cells, dtype="str").replace("", None), FileMarks(",", False), "x")


def test_days_that_do_not_exist_are_no_dates():
    years, months, days = np.array([2023, 2024, 2023]), np.array([2, 2, 13]), np.array([29, 29, 1])
    assert np.isnan(civil_days(years, months, days)).tolist() == [True, False, True]


# --- codes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("cells", [["01016", "75001", "00042"], ["01", "02", "75"], ["00", "23"]])
def test_digits_of_one_width_with_leading_zeros_are_codes_and_said_to_be(cells):
    found = infer(cells * 9)
    assert (found.kind, found.cells.tolist()) == ("category", cells * 9)
    assert found.reading == f"codes of {len(cells[0])} digits, some with leading zeros"
    assert not found.is_quantity
    numbers = infer(cells * 9, formats={"x": parse_format("1234.56", "x")})
    assert numbers.cells.tolist() == [float(cell) for cell in cells * 9]


def test_leading_zeros_among_numbers_of_several_widths_are_refused_with_both_readings():
    with pytest.raises(RetainError, match=r"'01016' may be the number 1016 or a code.*Type data"):
        infer(["75001", "01016", "9001"])


@pytest.mark.parametrize("cells", [["0", "10", "200"], ["00", "7", "12"], ["07.50", "12.25"]])
def test_zeros_and_decimals_are_numbers(cells):
    assert infer(cells).cells.tolist() == [float(cell) for cell in cells]


BARE_CODES = {
    "exponent": ["12E4", "13E2", "1E05"],
    "exponent_among_numbers": ["1e3", "1000", "12"],
    "rand": [f"R{n}" for n in range(1, 40)],
    "leu": [f"L{n}" for n in range(1, 40)],
    "code_of_a_currency": [f"TOP{n}" for n in range(1, 40)],
    "seats": [f"{n}B" for n in range(1, 40)],
    "thousands": ["1k", "2k", "30k"],
    "litres": [f"{n}L" for n in range(1, 40)],
}


@pytest.mark.parametrize("cells", BARE_CODES.values(), ids=BARE_CODES)
def test_codes_that_look_like_numbers_are_refused_with_both_readings(cells):
    both = r"or a code.*data\.number_format\.x=1234\.56.*data\.categorical_columns=\[x]"
    with pytest.raises(RetainError, match=both):
        infer(cells)
    numbers = infer(cells, formats={"x": parse_format("1234.56", "x")})
    assert (numbers.kind, numbers.cells.isna().sum()) == ("number", 0)


@pytest.mark.parametrize(
    ("cells", "name", "value"),
    [
        (["R12.50", "R7.25"], "x", 12.5),
        (["R12", "R700", *[f"R{n}" for n in range(40)]], "total_amount", 12),
        (["R12", "R700", *[f"R{n}" for n in range(40)]], "Сумма", 12),
        (["1.2e3", "1e3"], "x", 1200),
        (["1e+03", "1e+04"], "x", 1000),
        (["3.4k", "12k", "900"], "x", 3400),
        (["3k", "12k"], "revenue", 3000),
        (["$12", "$7"], "x", 12),
        (["12 kg", *[f"{n} kg" for n in range(40)]], "x", 12),
    ],
)
def test_numbers_with_a_unit_or_an_exponent_are_read_where_the_column_says_so(cells, name, value):
    found = infer(cells, name)
    assert (found.kind, found.cells.iloc[0]) == ("number", value)


def test_a_few_codes_with_a_letter_stay_a_category():
    assert infer(["R12", "R15", "R20"] * 9).kind == "category"


# --- missing words, and digits of other scripts ---------------------------------------------------

NUMBERS = [str(7 * n) for n in range(40)]


@pytest.mark.parametrize(
    "word",
    [
        *("n.a.", "N.A.", "#N/A", "--", "---", "—", "–", "-", "?", "k.A.", "н/д", "N/D", "<NA>"),
        *("(null)", "\\N", "NULL", "NaN"),
    ],
)
@pytest.mark.parametrize("n_missing", [1, 30, 90])
def test_words_without_another_meaning_are_missing(word, n_missing):
    assert infer([*NUMBERS, *[word] * n_missing]).cells.isna().sum() == n_missing


@pytest.mark.parametrize("word", ["нет данных", "s/d", "unknown", "#REF!", ".", "*", "не указано"])
@pytest.mark.parametrize("n_missing", [1, 30, 90])
def test_other_words_among_numbers_are_named_in_a_line_to_type(word, n_missing):
    with pytest.raises(RetainError, match=r"data\.missing_values=\[") as refused:
        infer([*NUMBERS, *[word] * n_missing])
    assert word in str(refused.value)


def test_a_column_of_mostly_words_stays_a_category():
    cells = [f"{one}{n}" for one, n in itertools.product("DEFLR", range(9))]  # each a currency
    assert infer([*cells, "12", "13"]).kind == "category"


@pytest.mark.parametrize("zero", ["٠", "۰", "०", "০", "０", "๐"])
def test_digits_of_any_script_are_numbers(zero):
    digits = {ord("0") + n: chr(ord(zero) + n) for n in range(10)}
    assert infer([cell.translate(digits) for cell in NUMBERS]).cells.tolist() == [
        float(cell) for cell in NUMBERS
    ]
    codes = infer([cell.translate(digits) for cell in ("01016", "75001")])
    assert (codes.kind, "leading zeros" in codes.reading) == ("category", True)


def dates_of(year):
    return [dt.date(year, 1, 1) + dt.timedelta(5 * n) for n in range(70)]


@pytest.mark.parametrize("mark", ["-", "/", "."])
@pytest.mark.parametrize("order", ["%d{0}%m{0}%y", "%m{0}%d{0}%y", "%y{0}%m{0}%d"])
def test_days_of_one_year_are_read_where_as_years_they_would_lie_ahead(order, mark):
    form = order.format(mark)
    assert infer([day.strftime(form) for day in dates_of(2024)]).cells.tolist() == to_days(
        dates_of(2024)
    )


@pytest.mark.parametrize("form", ["%d.%m.%y", "%m/%d/%y", "%y-%m-%d", "%d %b %y"])
@pytest.mark.parametrize("typed", [False, True])
def test_years_of_two_digits_are_of_one_life(form, typed):
    dates = [dt.date(1931, 1, 2) + dt.timedelta(97 * n) for n in range(270)]
    cells = [day.strftime(form) for day in dates]
    found = infer(cells, date_formats={"x": form} if typed else {})
    assert found.cells.tolist() == to_days(dates)


@pytest.mark.parametrize(
    ("years", "first"),
    [
        ([15, 24], 1940),
        ([95, 99, 0, 24, 35], 1940),  # ends of contracts
        ([31, 38, 45, 71, 99, 4], 1931),
        ([26, 30, 39, 41, 45], 2026),  # ends of loans
        ([*range(100)], 1940),
    ],
)
def test_the_first_year_of_two_digits_stands_behind_a_gap(years, first):
    assert find_first_short_year(np.array(years)) == first


@pytest.mark.parametrize(
    "form",
    [
        *("%d. %m. %Y", "%d.%m.%Y г.", "%d %m %Y", "%Y %m %d", "%d_%m_%Y", "%G-W%V-%u"),
        *("%a %b %d 12:30:00 %Y", "%a %b %d 12:30:00 UTC %Y"),
    ],
)
def test_dates_in_rarer_forms_are_read(form):
    assert infer([day.strftime(form) for day in DAYS]).cells.tolist() == to_days(DAYS)


def test_eight_digits_and_a_time_are_dates_if_the_name_says_so_and_else_may_be():
    cells = [day.strftime("%Y%m%d104500") for day in DAYS]
    assert infer(cells, "order date").cells.tolist() == to_days(DAYS)
    assert "may be dates: data.date_format.x=%Y%m%d" in infer(cells).reading
    assert infer(cells, date_formats={"x": "%Y%m%d"}).cells.tolist() == to_days(DAYS)


def test_weeks_and_quarters_are_their_first_days():
    mondays = [dt.date(2024, 1, 1) + dt.timedelta(7 * n) for n in range(52)]
    for form in ("%G-W%V", "%GW%V"):
        assert infer([day.strftime(form) for day in mondays]).cells.tolist() == to_days(mondays)
    quarters = [dt.date(2020 + n // 4, n % 4 * 3 + 1, 1) for n in range(24)]
    for form in ("{0.year}-Q{1}", "Q{1} {0.year}"):
        cells = [form.format(day, day.month // 3 + 1) for day in quarters]
        assert infer(cells).cells.tolist() == to_days(quarters)


@pytest.mark.parametrize(
    ("cells", "name"),
    [(["01.24", "02.24", "12.24"], "x"), (["10.23", "11.23", "10.24", "12.24"], "month")],
)
def test_however_few_months_with_years_of_two_digits_are_refused(cells, name):
    with pytest.raises(RetainError, match=r"may be a date or a number.*=%m\.%y.*=1234\.56"):
        infer(cells * 20, name)
    assert infer(["10.23", "11.23", "12.24"], "price").cells.tolist() == [10.23, 11.23, 12.24]


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        ("05 06 2024", "%d %m %Y"),
        ("05/06/2024 1:45 PM", "%d/%m/%Y"),
        ("05/06/2024T13:45:00.123Z", "%d/%m/%Y"),
        ("05.06.24 г.", "%d.%m.%y г."),
    ],
)
def test_what_to_type_for_a_date_reads_it_with_its_time_and_words(cell, form):
    with pytest.raises(RetainError) as refusal:
        infer([cell])
    assert type_value("data.date_format.x", form) in str(refusal.value)
    found = infer([cell], date_formats={"x": form})
    assert found.cells.tolist() == to_days([dt.date(2024, 6, 5)])


# --- times ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1:30", "0:05", "26:00"], [90, 5, 1560]),
        (["-0:05", "10:00"], [-5, 600]),
        (["1:30 PM", "12:10 am"], [810, 10]),
        (["01:02:03", "00:00:01.5"], [3723, 1.5]),
        (["2 days 01:00:00", "0 days 00:00:01"], [176_400, 1]),
        (["1 day, 2:00:00", "2:00:00"], [93_600, 7200]),
        (["PT1H30M", "PT5M", "P1DT2H"], [5400, 300, 93_600]),
        (["1h 30m", "45s", "2h"], [5400, 45, 7200]),
        (["2 ч 30 мин", "45 мин", "1 час"], [9000, 2700, 3600]),
        (["5 min"] * 30 + ["2 h"], [300] * 30 + [7200]),
    ],
)
def test_times_and_durations_are_numbers(cells, values):
    found = infer(cells)
    assert (found.cells.tolist(), found.is_quantity) == (values, True)


def test_two_parts_among_times_with_seconds_are_refused():
    with pytest.raises(RetainError, match=r"'1:30' may be hours and minutes or minutes and sec"):
        infer(["1:30", "1:02:03"])


@pytest.mark.parametrize("cells", [["16:9", "4:3"], ["10M", "12S"], ["5d", "7h"], ["x", "1:30"]])
def test_sizes_and_ratios_are_no_times(cells):
    assert infer(cells).kind == "category"


@pytest.mark.parametrize(
    "cells",
    [
        [f"{n} {unit}" for n in range(30) for unit in ("kg", "g")],
        [f"<{n}.5>" for n in range(30)],
    ],
)
def test_many_numbers_of_several_units_or_in_odd_signs_are_no_category(cells):
    with pytest.raises(RetainError, match=r"data\.categorical_columns=\[x\]"):
        infer(cells)
    assert infer(cells[:20]).kind == "category"


def test_a_sign_outside_of_brackets_is_that_of_an_amount():
    assert infer(["$(8,616.02)", "$12.50"]).cells.tolist() == [-8616.02, 12.5]
    assert infer(["1,200,500円", "980円"]).cells.tolist() == [1_200_500, 980]
