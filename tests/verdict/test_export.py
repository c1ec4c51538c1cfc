import csv
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retain.campaign.assignment_table import unescape_formulas
from retain.verdict.export import (
    CONTROL,
    ExportDialect,
    escape_formula,
    parse_exported,
    read_exported,
    write_csv,
    write_csv_arrow,
)
from retain.verdict.headings import CODES, ENGLISH, RUSSIAN, column_dictionary
from retain.verdict.workbook import write_workbook

STARTS = tuple("=+-@|＝＋－＠\t\r\n")


UTF8 = st.characters(codec="utf-8")
CELLS = st.text(st.sampled_from("'=+-@|＝＋－＠\t\r\n \u3000\xa0\0\x1b\x7fa\"") | UTF8)


@given(st.text(UTF8) | CELLS)
def test_no_text_cell_can_be_a_formula(text):
    assert not escape_formula(text).lstrip(" \u3000\xa0").startswith(STARTS)
    assert not re.search(CONTROL, escape_formula(text))


# The read-out must find the ids of the customers, whatever they look like.
@given(st.lists(st.text(UTF8) | CELLS, min_size=1))
def test_the_apostrophe_of_a_cell_is_taken_off_again(texts):
    plain = [re.sub(CONTROL, "?", text) for text in texts]
    written = pd.Series([escape_formula(text) for text in plain], dtype="str")
    assert unescape_formulas(written).tolist() == plain


@pytest.mark.parametrize("value", [-1.5, 0, None, True])
def test_what_is_no_text_stays_as_it_is(value):
    assert escape_formula(value) is value


def test_a_table_is_written_with_neutral_cells_and_headers(tmp_path):
    path = tmp_path / "a.csv"
    write_csv(pd.DataFrame({"=1+1": ["@x", "plain"], "n": [-1, 2]}), path)
    assert path.read_text(encoding="utf-8") == "\ufeff'=1+1,n\n'@x,-1\nplain,2\n"


HOSTILE = [
    "=1+1",
    "@x",
    "＝1",
    " |x",
    "\n=",
    "'=",
    "\0x",
    "-",
    "\tx",
    "+1",
    'a"b',
    "a,b",
    "two\nlines",
    "плюс",
    "",
    None,
    "'",
]


# Whoever reads the file back, or opens it in a spreadsheet, must find the same cells.
def test_very_many_rows_are_written_with_the_same_cells(tmp_path):
    table = pd.DataFrame(
        {
            "=id": range(len(HOSTILE)),
            "text": pd.Series(HOSTILE, dtype="str"),
            "number": [np.nan, 1.0, -0.1, 1e-300, 1e300, *([1 / 3] * (len(HOSTILE) - 5))],
            "agreed": [place % 2 == 0 for place in range(len(HOSTILE))],
            "mixed, up": pd.Series(HOSTILE, dtype=object),
        }
    )
    write_csv(table, tmp_path / "few.csv")
    write_csv_arrow(table, tmp_path / "many.csv")
    few, many = (pd.read_csv(tmp_path / name) for name in ("few.csv", "many.csv"))
    pd.testing.assert_frame_equal(few, many, check_exact=True)
    assert not many["text"].dropna().str.startswith(STARTS).any()
    write_csv_arrow(table.head(0), tmp_path / "none.csv")
    assert (tmp_path / "none.csv").read_text(
        encoding="utf-8-sig"
    ) == '\'=id,text,number,agreed,"mixed, up"\n'


@given(st.lists(st.text(UTF8) | CELLS, min_size=1))
def test_no_cell_of_many_can_be_a_formula(texts):
    from retain.verdict.export import _arrow

    for dtype in ("str", "object", "category"):
        found = _arrow(pd.Series(texts, dtype=dtype), ExportDialect()).to_pylist()
        assert found == [escape_formula(text) for text in texts]


RU = ExportDialect("ru")
TABLE = pd.DataFrame(
    {
        "customer_id": ["7", "=8", "9;0"],
        "text": ["Скидка 10,5 %; код", 'a "b"', ""],
        "risk": [0.25, 1e-7, 1234.5],
        "n_customers": [1, 2, 3],
        "known_class": ["win-back", "retention", ""],
        "channel": ["email", "fax", "site"],
        "arm": pd.Categorical(["treatment", "control", "control"]),
        "contactable": [True, False, True],
        "main": pd.Series([True, False, None], dtype=object),
    }
)
CODED = ("known_class", "channel", "arm", "contactable", "main")
SAID = ["вернуть", "письмо", "получает", "да", "да"]
"""The codes of the first row in Russian."""


# A Russian Excel opened the tables as one garbled column.
@pytest.mark.parametrize("write", [write_csv, write_csv_arrow])
def test_both_dialects_are_read_back_to_the_same_table(tmp_path, write):
    for language, mark in (("en", ","), ("ru", ";")):
        path = tmp_path / f"{language}.csv"
        write(TABLE, path, ExportDialect(language))
        raw = path.read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf")
        heading = "Клиент" if language == "ru" else "customer_id"
        assert raw.decode("utf-8-sig").startswith(f"{heading}{mark}")
        cells = read_exported(raw)
        assert unescape_formulas(cells["customer_id"]).tolist() == TABLE["customer_id"].tolist()
        assert cells["text"].tolist() == TABLE["text"].tolist()
        assert parse_exported(cells["risk"]).tolist() == TABLE["risk"].tolist()
        assert parse_exported(cells["n_customers"]).tolist() == [1, 2, 3]
        for name in CODED:
            codes = TABLE[name].astype(object)
            assert cells[name].tolist() == codes.where(codes.notna(), "").astype(str).tolist()
    assert b"0,25" in raw
    rows = csv.reader(raw.decode("utf-8-sig").splitlines(), delimiter=";")
    head, first, *_ = rows
    assert [first[head.index(RUSSIAN[name])] for name in CODED] == SAID
    assert not re.search("True|False|treatment|win-back|email", raw.decode("utf-8"))


def test_a_column_of_another_table_keeps_its_words(tmp_path):
    write_csv(pd.DataFrame({"mine": ["treatment", "True"]}), tmp_path / "a.csv", RU)
    assert read_exported((tmp_path / "a.csv").read_bytes())["mine"].tolist() == [
        "treatment",
        "True",
    ]


def test_no_two_columns_have_one_russian_heading():
    assert len(ENGLISH) == len(RUSSIAN)
    table = column_dictionary("ru")
    assert table["column"].tolist() == list(RUSSIAN)
    assert table.ne("").all().all()


def test_no_two_codes_of_a_column_have_one_russian_name():
    for name, codes in CODES.items():
        assert len({text.ru for text in codes.values()}) == len(codes), name


def test_a_workbook_holds_the_same_cells_and_no_formula(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    paths = tmp_path / "one.xlsx", tmp_path / "two.xlsx"
    for path in paths:
        sheets = [("Сегменты: риск", TABLE), ("b", TABLE), ("b", TABLE), ("email", TABLE)]
        assert write_workbook(sheets, path, ExportDialect("ru"))
    assert paths[0].read_bytes() == paths[1].read_bytes()
    book = openpyxl.load_workbook(paths[0])
    assert book.sheetnames == ["Сегменты  риск", "b", "b1", "письмо"]
    header, *rows = book["b"].iter_rows()
    assert [cell.value for cell in header[:4]] == ["Клиент", "Текст", "Риск", "Клиентов"]
    cells = [[cell.value for cell in row] for row in rows]
    assert cells[1][:4] == ["=8", 'a "b"', 1e-7, 2]
    assert cells[0][4:] == SAID
    assert {row[0].data_type for row in rows} == {"s"}


def test_without_the_extra_there_is_no_workbook(tmp_path, monkeypatch):
    monkeypatch.setattr("retain.verdict.workbook.find_spec", lambda _: None)
    assert not write_workbook([("a", TABLE)], tmp_path / "a.xlsx", ExportDialect())
    assert not list(tmp_path.iterdir())
