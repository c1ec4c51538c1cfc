import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retain.verdict.export import STARTS, neutral, write_csv


@given(st.text())
def test_no_text_cell_can_be_a_formula(text):
    assert not neutral(text).startswith(STARTS)


@pytest.mark.parametrize("value", [-1.5, 0, None, True])
def test_what_is_no_text_stays_as_it_is(value):
    assert neutral(value) is value


def test_a_table_is_written_with_neutral_cells_and_headers(tmp_path):
    path = tmp_path / "a.csv"
    write_csv(pd.DataFrame({"=1+1": ["@x", "plain"], "n": [-1, 2]}), path)
    assert path.read_text(encoding="utf-8") == "'=1+1,n\n'@x,-1\nplain,2\n"
