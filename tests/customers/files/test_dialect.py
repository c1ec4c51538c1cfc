from __future__ import annotations

import logging
import time

import numpy as np
import pandas as pd
import pytest

from retain.customers.cells.number_column import parse_column, require_numbers
from retain.customers.cells.number_format import FileMarks
from retain.customers.cells.numbers import decimal_mark
from retain.customers.files.dialect import Dialect, detect, read_cells
from retain.customers.files.encoding import decode
from retain.errors import RetainError

RUSSIAN = "id;Прибыль;Тип\n1;0,98;премиум\n2;4,16;стандарт\n"


@pytest.fixture
def written(tmp_path):
    def write(content: str | bytes, name: str = "file.csv", encoding: str = "utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


# --- dialect -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_an_encoding_is_told_by_the_bytes_and_the_text_is_the_same(written, encoding):
    path = written(RUSSIAN, encoding=encoding)
    sheet = read_cells(path)
    assert sheet.dialect == detect(path) == Dialect(encoding, ";", ",")
    assert list(sheet.cells.columns) == ["id", "Прибыль", "Тип"]
    assert sheet.cells["Тип"].tolist() == ["премиум", "стандарт"]


def test_letters_with_marks_inside_latin_words_are_western_and_not_russian(written):
    path = written("name,town\nMüller,Zürich\nGöring,Köln\n", encoding="latin-1")
    assert detect(path).encoding == "cp1252"
    assert read_cells(path).cells["town"].tolist() == ["Zürich", "Köln"]


def test_long_words_are_looked_through_once(written):
    started = time.process_time()
    _, text = decode(
        path := written("id;a\n1;né".encode("latin-1") + b"x" * 200_000), path.read_bytes()
    )
    assert text.endswith("x")
    assert time.process_time() - started < 2  # each letter as a start of its own took minutes


WORDS = {
    "cp1252": (
        "gebühr;tarif;gekündigt\n2641,75;20 €;nein",
        "ville;élevé\nOrléans;très",
        "a;b\n£5;£7",
    ),
    "cp1251": ("город;отток\nМосква;да", "місто;відтік\nКиїв;Львів", "Прибыль;Тип", "№;id\n5;7"),
    "koi8-r": ("город;отток\nМосква;да", "Прибыль;Тип\n1;премиум"),
    "cp866": ("город;отток\nМосква;да", "Прибыль;Тип\n1;премиум"),
    "cp1250": ("żółty;województwo\nŁódź;Gdańsk", "město;odchod\nPlzeň;Břeclav"),
    "cp1253": ("πόλη;αποχώρηση\nΑθήνα;Θεσσαλονίκη",),
    "cp1254": ("şehir;müşteri\nİstanbul;Eskişehir",),
    "cp850": ("gebühr;straße;größe;stück\nKöln;München;Düsseldorf;Nürnberg",),
}


@pytest.mark.parametrize(("encoding", "text"), [(e, t) for e, ts in WORDS.items() for t in ts])
def test_a_code_page_is_told_by_the_letters_of_words(written, encoding, text):
    path = written(text, encoding=encoding)
    assert decode(path, path.read_bytes()) == (encoding, text)


@pytest.mark.parametrize("encoding", ["gbk", "shift_jis", "big5", "euc-kr", "mac-roman"])
def test_letters_of_no_known_language_are_asked_about_and_read_as_named(written, encoding):
    text = {"gbk": "城市;北京;上海;广州", "shift_jis": "都市;東京;大阪", "big5": "城市;台北"}.get(
        encoding, "도시;서울" if encoding == "euc-kr" else "gebühr;Köln;Straße"
    )
    path = written(text + "\n", encoding=encoding)
    with pytest.raises(RetainError, match=r"its letters fit no other .* data\.encoding=NAME"):
        decode(path, path.read_bytes())
    assert decode(path, path.read_bytes(), encoding) == (encoding, text + "\n")


# Words beyond ASCII were looked for from each letter of this one, which took hours.
def test_a_word_of_a_million_letters_takes_no_longer_than_other_text(written):
    path = written(("id;город;note\n1;Москва;" + "a" * 1_000_000 + "\n").encode("cp1251"))
    code_page, text = decode(path, path.read_bytes())
    assert (code_page, text[:16]) == ("cp1251", "id;город;note\n1;")


@pytest.mark.parametrize("encoding", ["utf-9", "\0", "", "hex", "é"])
def test_a_name_that_no_encoding_has_is_refused_with_some_that_do(written, encoding):
    path = written("id;note\n")
    with pytest.raises(RetainError, match=r"data\.encoding: it is .*; expected"):
        decode(path, path.read_bytes(), encoding)


def test_two_code_pages_that_fit_are_shown_with_what_they_read(written):
    path = written("cidade;São Paulo;não\n", encoding="cp1252")
    with pytest.raises(RetainError, match=r"data\.encoding=cp1252 reads 'São', 'não'"):
        decode(path, path.read_bytes())


@pytest.mark.parametrize("encoding", ["utf-9", "hex", "rot13", "ascii"])
def test_an_encoding_that_does_not_fit_is_refused(written, encoding):
    path = written("город;Москва\n")
    with pytest.raises(RetainError, match=r"data\.encoding|other bytes"):
        decode(path, path.read_bytes(), encoding)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends_are_told_by_the_text(written, separator, end):
    rows = [["id", "a", "b"], ["1", "x y", "2"], ["2", "z", ""]]
    sheet = read_cells(written(end.join(separator.join(row) for row in rows)))
    assert sheet.dialect.separator == separator
    assert sheet.cells["a"].tolist() == ["x y", "z"]
    assert sheet.cells["b"].isna().tolist() == [False, True]


def test_a_file_longer_than_the_sample_is_read_whole(written):
    rows = "".join(f"{n};{n},25\n" for n in range(20_000))
    sheet = read_cells(written("id;sum\n" + rows))
    assert len(sheet.cells) == 20_000
    assert sheet.dialect == Dialect("utf-8", ";", ",")


def test_a_column_of_decimal_commas_is_one_column(written):
    sheet = read_cells(written("sum\n0,98\n4,16\n"))
    assert list(sheet.cells.columns) == ["sum"]
    assert sheet.cells["sum"].tolist() == ["0,98", "4,16"]
    assert sheet.dialect.decimal == ","


def test_columns_of_one_file_may_use_different_decimal_marks(written):
    sheet = read_cells(written("a;b;c\n0,5;0.5;1\n1,5;2.75;2\n2,5;3.5;3\n"))
    numbers = [parse_column(sheet.cells[name], sheet.marks, name) for name in "abc"]
    assert [one.cells().tolist() for one in numbers] == [
        [0.5, 1.5, 2.5],
        [0.5, 2.75, 3.5],
        [1, 2, 3],
    ]


def test_quoted_separators_and_line_ends_belong_to_the_cell(written):
    sheet = read_cells(written('id,text\n1,"a, b"\n2,"c\nd"\n3,"say ""so"""\n'))
    assert sheet.cells["text"].tolist() == ["a, b", "c\nd", 'say "so"']


def test_cells_lose_surrounding_blanks_and_blank_cells_are_missing(written):
    sheet = read_cells(written("id , a\n 1,\u00a0x\u00a0y \n2, \u00a0\n007,NA\n"))
    assert list(sheet.cells.columns) == ["id", "a"]
    assert sheet.cells["id"].tolist() == ["1", "2", "007"]
    assert sheet.cells["a"].fillna("missing").tolist() == ["x y", "missing", "NA"]


def test_a_column_without_a_name_is_called_by_its_number(written):
    assert list(read_cells(written(",a\n0,1\n")).cells.columns) == ["column 1", "a"]


def test_one_log_line_tells_what_was_read(written, caplog):
    with caplog.at_level(logging.INFO):
        read_cells(written(RUSSIAN))
    assert caplog.messages == [
        "file.csv: utf-8, separator ';', decimal mark ',', 2 rows, 3 columns"
    ]


# --- files that are refused ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "file.csv' is empty; expected a header and rows"),
        (b" \n\n", "file.csv' is empty"),
        (b"\xef\xbb\xbf", "file.csv' is empty"),
        (b"id,a\n", "holds a header and no rows"),
        (b"id,a\n1,2\n3\n", r"row 3: 1 cells between ','; expected 2, as in the header"),
        (b"id,a\n1,2,3\n4,5,6\n", r"row 2 \(and 1 more row\): 3 cells"),
        (b"id,a,id\n1,2,3\n", "several columns named 'id'"),
        (b"id,a\n1,\0\n", "is not text"),
        (b"PK\x03\x04\0\0\0\0\x08\0", "is not text .a workbook"),
        (b"id,a\n1,\x01\xff\n", "is not text .a workbook"),
        ("id,имя\n1,Анна\n2,Ольга".encode() + b"\xff", "is utf-8, but its line 3 is not"),
        (b"\xff\xfei\0d\0\n\0\0\xd8\n\0", "is utf-16, but its line"),
    ],
)
def test_a_broken_file_is_refused_by_name(written, content, text):
    with pytest.raises(RetainError, match=text):
        read_cells(written(content))


def test_a_quote_that_is_never_closed_is_refused(written):
    long = 'id,a\n1,2\n3,"4\n' + "5,6\n" * 600_000
    with pytest.raises(RetainError, match=r"file\.csv'.*quote that is not closed|expected 2"):
        read_cells(written(long))


def test_a_missing_file_is_answered_with_the_nearest_one(written):
    folder = written("id\n1\n", name="money.csv").parent
    with pytest.raises(
        RetainError, match=r"'mony\.csv' is not in folder .*Did you mean 'money\.csv'"
    ):
        read_cells(folder / "mony.csv")
    with pytest.raises(
        RetainError, match=r"'zzz' is not in folder .*The folder holds 'money\.csv'"
    ):
        read_cells(folder / "zzz")


def test_a_missing_folder_is_answered_with_the_nearest_one(tmp_path):
    (tmp_path / "one_click").mkdir()
    with pytest.raises(RetainError, match=r"one_clik' does not exist. Did you mean 'one_click'"):
        read_cells(tmp_path / "one_clik" / "raw" / "money.csv")


def test_a_folder_in_place_of_a_file_is_told_with_what_it_holds(tmp_path):
    with pytest.raises(
        RetainError, match=r"is a folder; expected a file in it\. The folder holds no"
    ):
        read_cells(tmp_path)


def test_a_name_no_file_can_have_is_refused(tmp_path):
    with pytest.raises(RetainError, match="is not a file name: File name too long"):
        read_cells(tmp_path / ("x" * 5000))


def test_a_file_that_may_not_be_read_is_refused(written, monkeypatch):
    path = written("id\n1\n")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("retain.storage.reading.os.open", refuse)
    with pytest.raises(RetainError, match="cannot be read: Permission denied"):
        read_cells(path)


def test_a_folder_that_may_not_be_listed_is_still_answered(tmp_path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "iterdir", refuse)
    with pytest.raises(RetainError, match="The folder holds no files"):
        read_cells(tmp_path / "money.csv")


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("-1.5", -1.5),
        ("+1,5", 1.5),
        ("\u22121.5", -1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1 234 567,8", 1234567.8),
        ("1\u00a0234", 1234.0),
        ("1\u202f234.5", 1234.5),
        ("1,234,567.8", 1234567.8),
        ("1.234.567", 1234567.0),
        ("1'234.50", 1234.5),
        ("12,34,567.8", 1234567.8),
        ("'3380", 3380.0),
        ("(1,620.50)", -1620.5),
        ("1620-", -1620.0),
        ("-$5.50", -5.5),
        ("$ -5.50", -5.5),
        ("US$1,234.50", 1234.5),
        ("1 234,56 руб.", 1234.56),
        ("R$ 1.234,56", 1234.56),
        ("5,-", 5.0),
        ("3.4k", 3400.0),
        ("1,2 млн ₽", 1.2e6),
        ("12.3%", 12.3),
        ("%12,5", 12.5),
        ("12.5 kg", 12.5),
        ("１２．５", 12.5),
        ("١٢٫٥", 12.5),
        ("-३", -3),
    ],
)
def test_a_number_is_read_in_any_usual_writing(text, value):
    assert parse_column(pd.Series([text]), FileMarks(), "x").cells().tolist() == [value]


@pytest.mark.parametrize(
    "text",
    [
        *("", "inf", "-Infinity", "nan", "NA", "1e999", "1 2", "12 34", "0x10", "3²", "."),
        *("k0", "Q1", "A-12", "1-2", "3+", "<5", "2024-01-31", "31.01.2024", "192.168.1.1"),
        *("10:30", "(5", "--5", "$5€", "1,23,4", "5 €/kg", "#5"),
    ],
)
def test_what_is_no_number_is_missing(text):
    assert parse_column(pd.Series([text, None]), FileMarks(), "x").cells().isna().all()


def test_cells_that_are_no_numbers_are_shown_up_to_five_and_cut():
    cells = pd.Series(["1", *"abcdef", "x" * 100])
    with pytest.raises(
        RetainError, match=r"column 'pages': 7 cells are not a number: 'a', .*'e' and 2 more"
    ):
        require_numbers(cells, FileMarks(), "pages")
    with pytest.raises(RetainError, match=r"'x{60}…'"):
        require_numbers(cells.tail(1), FileMarks(), "pages")


@pytest.mark.parametrize(
    ("cells", "default", "mark"),
    [
        (["0,98", "1"], ".", ","),
        (["0.98", "1"], ",", "."),
        (["1", "2"], ",", ","),
        (["1,234", "950"], ".", "."),  # a thousand, or a little over one: the file decides
        (["1,234", "0,5"], ".", ","),
        (["0.5", "0.25", "1,5"], ",", "."),
        (["a.b", None], ",", ","),
    ],
)
def test_the_decimal_mark_of_a_column_is_what_its_cells_agree_on(cells, default, mark):
    assert decimal_mark(pd.Series(cells, dtype="str"), default) == mark


def test_numbers_are_finite_or_missing():
    found = parse_column(pd.Series(["1", None, "z"], index=[5, 6, 7]), FileMarks(), "x").cells()
    assert found.dtype == np.float64
