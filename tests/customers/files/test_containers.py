"""Files are told apart by their first bytes; what cannot be read is named."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import zipfile

import pytest

from retain.customers.files import containers, workbook
from retain.customers.table import read
from retain.errors import RetainError

CSV = "id;total;city\n" + "".join(f"{n};{n}.5;{'Köln' if n % 2 else 'Bonn'}\n" for n in range(40))
GZIPPED = gzip.compress(CSV.encode(), mtime=0)


def zipped(**files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_", "."), text)
    return stream.getvalue()


@pytest.fixture
def read_bytes(tmp_path):
    def read_them(data, name="table.csv", **keys):
        path = tmp_path / name
        path.write_bytes(data)
        return read(**{"path": str(path), "id": "id", **keys})

    return read_them


# A suffix may be wrong, so the bytes decide.
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lambda data: zipped(table_csv=data)])
@pytest.mark.parametrize("name", ["table.csv", "table.gz", "table.dat"])
def test_a_packed_file_is_the_file_in_it(read_bytes, pack, encoding, name):
    packed = read_bytes(pack(CSV.encode(encoding)), name)
    assert packed.fingerprint == read_bytes(CSV.encode()).fingerprint


def test_json_lines_are_a_table(read_bytes):
    rows = [{"id": n, "total": n + 0.5, "city": "Köln" if n % 2 else "Bonn"} for n in range(40)]
    data = "\n".join(json.dumps(row) for row in rows).encode()
    expected = read_bytes(CSV.encode()).fingerprint
    assert read_bytes(data, "table.jsonl").fingerprint == expected
    assert read_bytes(gzip.compress(data), "table.jsonl.gz").fingerprint == expected


@pytest.mark.parametrize("value", ["[" * 10_000 + "]" * 10_000, '{"a":' * 99 + "1" + "}" * 99])
def test_json_lines_with_values_deep_within_values_are_refused(read_bytes, value):
    data = f'{{"id": 1, "total": {value}}}\n'.encode()
    with pytest.raises(RetainError, match="values within values; expected one object per line"):
        read_bytes(data, "table.jsonl")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"%PDF-1.7", "is a PDF document; expected CSV"),
        (b"<!DOCTYPE html><table>", "is an HTML page"),
        (b"<?xml version='1.0'?>", "is an XML document"),
        (b"SQLite format 3\0", "is a SQLite database"),
        (b"\x89PNG\r\n", "is an image"),
        (b"7z\xbc\xaf\x27\x1c", "is a 7z archive.* unpack it"),
        (b"\x80\x04\x95", "is a Python pickle.* can run code"),
        (
            b'{"a": 1}\n{"a": "x"}\n',
            "cannot be read as JSON lines: .* changed from number to string",
        ),
        (b'{"a": [1]}\n', "column 'a' holds list"),
        (b'{"a": 1}\n{"\xc3": 1}\n', "is not UTF-8 text: line 2"),
        (b"\x1f\x8b\x08junk", "cannot be unpacked"),
        (b"BZh91AY&SY", "cannot be unpacked"),
        (b"PK\x03\x04junk", "cannot be unpacked: File is not a zip file"),
        (zipped(a_csv=CSV, b_csv=CSV), r"holds 'a\.csv', 'b\.csv'; expected one file"),
        (zipped(), "holds nothing; expected one file"),
        (gzip.compress(GZIPPED, mtime=0), "which is no text; unpack it"),
        (gzip.compress(b"%PDF-1.7", mtime=0), "is a PDF document"),
    ],
)
def test_a_file_of_another_kind_is_named(read_bytes, data, message):
    with pytest.raises(RetainError, match=message):
        read_bytes(data)


def test_a_file_that_unpacks_to_too_much_is_refused(read_bytes, monkeypatch):
    monkeypatch.setattr(containers, "MAX_UNPACKED_BYTES", 1000)
    for pack in (gzip.compress, bz2.compress, lambda data: zipped(table_csv=data)):
        with pytest.raises(RetainError, match=r"unpacks to more than 1,000 bytes"):
            read_bytes(pack(CSV.encode() * 100))


def test_a_key_that_does_not_go_with_the_kind_is_refused(read_bytes):
    with pytest.raises(RetainError, match=r"data\.sheet: 'table\.csv' is no workbook"):
        read_bytes(CSV.encode(), sheet="one")
    with pytest.raises(RetainError, match=r"data\.encoding: 'a\.jsonl' is JSON lines"):
        read_bytes(b'{"id": 1}\n', "a.jsonl", encoding="cp1252")


def test_a_workbook_without_calamine_says_what_to_install(read_bytes, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "python_calamine", None)
    with pytest.raises(RetainError, match=r"is a workbook.*pip install 'retain\[excel\]'"):
        read_bytes(zipped(**{"xl/workbook_xml": "<x/>"}))


def test_a_workbook_is_read_sheet_by_sheet(make_workbook, read_bytes):
    pytest.importorskip("python_calamine")
    expected = read_bytes(CSV.encode()).fingerprint
    one = make_workbook({"Sheet": csv_rows()})
    assert read_bytes(one, "table.xlsx").fingerprint == expected
    two = make_workbook({"Sheet": csv_rows(), "other": [["id"]]})
    with pytest.raises(
        RetainError, match=r"several sheets: 'Sheet', 'other'; .* data\.sheet=Sheet"
    ):
        read_bytes(two, "table.xlsx")
    assert read_bytes(two, "table.xlsx", sheet="Sheet").fingerprint == expected


TITLES = [["Customers of May", "", ""], ["", "", ""], ["Exported on", "2024-05-31", ""]]


@pytest.mark.parametrize("n_titles", [1, 3])
def test_titles_above_a_sheet_are_skipped_and_its_header_line_is_heeded(
    make_workbook, read_bytes, n_titles
):
    pytest.importorskip("python_calamine")
    expected = read_bytes(CSV.encode()).fingerprint
    book = make_workbook({"Sheet": [*TITLES[:n_titles], *csv_rows()]})
    assert read_bytes(book, "table.xlsx").fingerprint == expected
    assert read_bytes(book, "table.xlsx", header_line=n_titles + 1).fingerprint == expected
    with pytest.raises(
        RetainError, match="column 'id' is missing; the file has 'Customers of May'"
    ):
        read_bytes(book, "table.xlsx", header_line=1)
    with pytest.raises(RetainError, match=r"header_line: it is 99; expected the row .*, 1 to "):
        read_bytes(book, "table.xlsx", header_line=99)


def test_the_line_of_a_sheet_counts_titles_and_blank_rows(make_workbook, read_bytes):
    pytest.importorskip("python_calamine")
    rows = [["Customers", "", ""], ["", "", ""], *csv_rows(), ["Total", 999.0, ""]]
    with pytest.raises(RetainError, match="line 44: 'Total'"):
        read_bytes(make_workbook({"Sheet": rows}), "table.xlsx")


SECOND_ROWS = (["", "visits", "euro"], ["id", "number", "sum"], ["Kunde", "Anzahl", "Summe"])


@pytest.mark.parametrize("second", SECOND_ROWS)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_two_rows_of_names_are_refused_with_the_lines_to_type(
    make_workbook, read_bytes, second, kind
):
    if kind == "xlsx":
        pytest.importorskip("python_calamine")
    body = [[n, n % 7 + 1, n * 1.5] for n in range(1, 41)]
    rows = [["id", "site", "shop"], second, *body]
    text = "\n".join(",".join(map(str, row)) for row in rows).encode()
    data = text if kind == "csv" else make_workbook({"Sheet": rows})
    with pytest.raises(RetainError, match=r"data\.header_line=2, or data\.header_line=1 if"):
        read_bytes(data, f"table.{kind}")
    name = second[0] or "column 1"
    assert len(read_again(read_bytes, data, kind, id=name, header_line=2)) == 40
    if second[0]:  # without an id it is left out
        with pytest.raises(RetainError, match=r"not a number as the others.*data\.bad_rows=drop"):
            read_again(read_bytes, data, kind, header_line=1)
    dropped = read_again(read_bytes, data, kind, header_line=1, bad_rows="drop")
    assert len(dropped) == 40


def read_again(read_bytes, data, kind, **keys):
    return read_bytes(data, f"table.{kind}", **keys)


@pytest.mark.parametrize(
    "row", ['<row><c r="XFD1048576"/></row>', '<row r="9999999"><c r="ZZ1"><v>1</v></c></row>']
)
def test_a_workbook_with_a_cell_far_away_is_refused(make_workbook, read_bytes, row):
    pytest.importorskip("python_calamine")
    with pytest.raises(RetainError, match=r"has a cell in row .*; remove what lies outside"):
        read_bytes(make_workbook({"Sheet": csv_rows()}, more=row), "table.xlsx")


def test_a_workbook_that_unpacks_to_too_much_is_refused(make_workbook, read_bytes, monkeypatch):
    pytest.importorskip("python_calamine")
    monkeypatch.setattr(workbook, "MAX_UNPACKED_BYTES", 1_000)
    with pytest.raises(RetainError, match="unpacks to more than 1,000 bytes; save"):
        read_bytes(make_workbook({"Sheet": csv_rows()}), "table.xlsx")


@pytest.mark.parametrize("name", ["xl/workbook_bin", "content_xml"])
def test_a_workbook_of_another_format_is_named(read_bytes, name):
    files = {name: "x", **({"mimetype": "x"} if name == "content_xml" else {})}
    with pytest.raises(RetainError, match=r"is (a binary workbook|an OpenDocument file);.*\.xlsx"):
        read_bytes(zipped(**files))


def csv_rows():
    """The rows of the table as Python values."""
    head, *rows = [line.split(";") for line in CSV.splitlines()]
    return [head, *([int(one), float(two), city] for one, two, city in rows)]


def mixed_rows(*texts):
    """Rows whose sums are numbers, and texts in some of them."""
    sums = [7.25, 12.5, 830, *texts, 0.5, 64.125]
    return [["id", "sum", "city"], *([n, one, "AB"[n % 2]] for n, one in enumerate(sums))]


def test_texts_among_the_numbers_of_a_workbook_are_read_by_their_own_marks(
    make_workbook, read_bytes
):
    pytest.importorskip("python_calamine")
    book = make_workbook({"Sheet": mixed_rows("1.234,50", "12,5")})
    sums = read_bytes(book, "table.xlsx").features["sum"].tolist()
    assert sums == [7.25, 12.5, 830, 1234.5, 12.5, 0.5, 64.125]
    doubtful = make_workbook({"Sheet": mixed_rows("1.234", "2.345")})
    with pytest.raises(RetainError, match=r"'1\.234' may be 1234 or 1\.234"):
        read_bytes(doubtful, "table.xlsx")
    for form, values in (("1.234,56", [1234, 2345]), ("1234.56", [1.234, 2.345])):
        customers = read_bytes(doubtful, "table.xlsx", number_format={"sum": form})
        assert customers.features["sum"].tolist() == [7.25, 12.5, 830, *values, 0.5, 64.125]
