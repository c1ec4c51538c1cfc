"""Columns that repeat their cells: what is made of the different ones reaches every row."""

import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retain.customers.cells import arrow_cells
from retain.customers.cells.arrow_cells import from_arrow, strip_whitespace, tidy, to_dictionary
from retain.customers.files.dialect import read_cells
from retain.errors import RetainError

CELLS = st.lists(st.sampled_from(["", " ", "a", " a", "a\u00a0", "b", "12", "0012"]), min_size=1)


# Two texts that differ in blanks are one cell, and one that no row holds would break rules alone.
@given(cells=CELLS)
@settings(max_examples=50, deadline=None)
def test_every_row_has_its_own_text_and_no_text_is_without_a_row(cells):
    column = from_arrow(pa.chunked_array([["header", *cells]]).dictionary_encode()[1:])
    wanted = [cell.replace("\u00a0", " ").strip() for cell in cells]
    assert column.cells().fillna("").tolist() == wanted
    assert sorted(column.distinct) == sorted({cell for cell in wanted if cell})
    assert column.missing().tolist() == [cell == "" for cell in wanted]
    assert column.counts().sum() == sum(cell != "" for cell in wanted)


def test_chunks_with_dictionaries_of_their_own_are_one_column():
    parts = [pa.array(["a", "b"]).dictionary_encode(), pa.array(["b", "c"]).dictionary_encode()]
    assert from_arrow(pa.chunked_array(parts)).cells().tolist() == ["a", "b", "b", "c"]


def test_a_cell_of_which_nothing_was_made_is_missing():
    column = to_dictionary(pd.Series(["x", "1", None], dtype="str"))
    made = column.with_distinct(pd.Series([np.nan, 1.0]))
    assert made.missing().tolist() == [True, False, True]


@given(cells=CELLS)
@settings(max_examples=30, deadline=None)
def test_texts_are_tidied_alike_row_by_row(cells):
    column = pa.chunked_array([cells])
    wanted = from_arrow(column.dictionary_encode()).cells().fillna("").tolist()
    assert [cell or "" for cell in tidy(column).to_pylist()] == wanted


# --- the file in one go, or with care ------------------------------------------------------------


@pytest.fixture
def both_ways(tmp_path, monkeypatch):
    """The cells of a file as the quick way reads it, and as the careful one does."""

    def read(content: bytes):
        path = tmp_path / "file.csv"
        path.write_bytes(content)
        quick = read_cells(path)
        with monkeypatch.context() as patch:
            patch.setattr(arrow_cells, "read_fast", lambda *_: None)
            careful = read_cells(path)
        return quick, careful

    return read


@pytest.mark.parametrize(
    "content",
    [
        "id,a\n1,x\n2, x \n",
        "\ufeffid;a\r\n1;0,5\r\n2;\r\n",
        'id,a\n1,"x\ny"\n2,"say ""so"""\n',
        "\n\nid,a\n\n1,x\n",
        "a\n1\n",
        'id,a\n1,"x\n',
        "id,a\n" + "".join(f"{n},{'ж' * (n % 7)}\n" for n in range(300_000)),
    ],
    ids=["plain", "mark", "quotes", "empty lines", "one column", "open quote", "many blocks"],
)
def test_a_file_reads_the_same_in_one_go_and_with_care(both_ways, content):
    quick, careful = both_ways(content.encode())
    assert quick.dialect == careful.dialect
    pd.testing.assert_frame_equal(quick.cells, careful.cells)


@pytest.mark.parametrize(
    "content",
    [b"id,a\n1\n", b"id,a\n1,\0\n", b"id,a\n1,\xff\n", b"id,a\n1,x\n2,y,z\n"],
)
def test_whatever_is_wrong_is_left_to_the_careful_reader(content):
    assert arrow_cells.read_fast(arrow_cells.CsvFormat(","), content) is None
    assert arrow_cells.read_fast(arrow_cells.CsvFormat(",", [0]), content) is None


# Whoever waits for a pipe nobody writes to waits for ever.
def test_a_pipe_is_refused_at_once(tmp_path):
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    with pytest.raises(RetainError, match="is a pipe; expected a regular file"):
        read_cells(path)


@pytest.mark.parametrize("distinct", [(), ("id",), ("nothing",)])
def test_how_ids_are_held_changes_no_cell(tmp_path, distinct):
    path = tmp_path / "file.csv"
    path.write_text(" id ,a\n 7,x\n007,\n", encoding="utf-8")
    cells = read_cells(path, distinct).cells
    assert cells["id"].tolist() == ["7", "007"]
    assert cells["a"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    "blank", ["\u200b", "\ufeff", "\u2060", "\u00ad", "\u200e", "\u00a0", "\u202f"]
)
@pytest.mark.parametrize("form", ["{0}c1", "c1{0}", "{0}c1{0}{0}"])
def test_characters_that_cannot_be_seen_are_left_out(form, blank):
    cells = pa.chunked_array([[form.format(blank), "c1", "d\u200b2"]])
    assert tidy(cells).to_pylist() == ["c1", "c1", "d2"]
    assert strip_whitespace(cells).to_pylist() == ["c1", "c1", "d2"]


def test_texts_that_a_spreadsheet_protects_are_read_without_their_signs():
    cells = pa.chunked_array([['="01016"', '=""', "=12.5", "=A1+B2", 'x="1"', "=SUM(3)"]])
    assert tidy(cells).to_pylist() == ["01016", None, "12.5", "=A1+B2", 'x="1"', "=SUM(3)"]
