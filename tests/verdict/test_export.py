import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retain.campaign.assignment import unescape_formulas
from retain.verdict.export import CONTROL, escape_formula, write_csv, write_csv_arrow

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
    assert path.read_text(encoding="utf-8") == "'=1+1,n\n'@x,-1\nplain,2\n"


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
    assert (tmp_path / "none.csv").read_text() == '\'=id,text,number,agreed,"mixed, up"\n'


@given(st.lists(st.text(UTF8) | CELLS, min_size=1))
def test_no_cell_of_many_can_be_a_formula(texts):
    from retain.verdict.export import _arrow

    for dtype in ("str", "object", "category"):
        found = _arrow(pd.Series(texts, dtype=dtype)).to_pylist()
        assert found == [escape_formula(text) for text in texts]
