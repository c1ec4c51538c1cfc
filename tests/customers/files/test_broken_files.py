"""Whatever a file holds, a reader answers with valid customers or with one error of ours."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retain.customers import table
from retain.customers.contract import reader
from retain.errors import RetainError

pytestmark = pytest.mark.slow

MODEST = settings(
    deadline=None,
    derandomize=True,
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
JUNK = st.sampled_from(
    [
        *("", " ", "?", "NA", "inf", "-inf", "nan", "1e999", "-1", "0", "1,5", "1.5", "1 000"),
        *("99999999999999999999", "да", "Снизилась", "текущий_месяц", "\u00a0", '"', "x" * 300),
        *("2024-02-30", "31/12/2024", "True", "\ufeff", "\0", "\r", "٣", "𝟙"),
    ]
)


# --- ways to break a file ------------------------------------------------------------------------


@st.composite
def flipped(draw, data: bytes) -> bytes:
    """Some bytes replaced by others."""
    places = draw(st.lists(st.integers(0, len(data) - 1), min_size=1, max_size=4))
    broken = bytearray(data)
    for place in places:
        broken[place] = draw(st.integers(0, 255))
    return bytes(broken)


@st.composite
def cut_off(draw, data: bytes) -> bytes:
    return data[: draw(st.integers(0, len(data)))]


@st.composite
def relined(draw, data: bytes) -> bytes:
    """A line deleted or standing twice; the header may be the one."""
    lines = data.splitlines(keepends=True)
    at = draw(st.integers(0, len(lines) - 1))
    lines[at] *= draw(st.sampled_from([0, 2]))
    return b"".join(lines)


@st.composite
def reseparated(draw, data: bytes) -> bytes:
    old = draw(st.sampled_from([b",", b";", b"\r\n", b"."]))
    return data.replace(old, draw(st.sampled_from([b",", b";", b"\t", b"|", b"\n", b'"', b" "])))


@st.composite
def recelled(draw, data: bytes) -> bytes:
    """A cell, of the header perhaps, replaced by junk."""
    lines = data.decode().splitlines()
    at = draw(st.integers(0, len(lines) - 1))
    mark = ";" if ";" in lines[0] else ","
    cells = lines[at].split(mark)
    cells[draw(st.integers(0, len(cells) - 1))] = draw(JUNK)
    lines[at] = mark.join(cells)
    return "\n".join(lines).encode()


@st.composite
def recoded(draw, data: bytes) -> bytes:
    encoding = draw(st.sampled_from(["cp1251", "utf-16", "utf-16-be", "utf-8-sig", "koi8-r"]))
    return data.decode().encode(encoding)


@st.composite
def replaced(draw, data: bytes) -> bytes:
    """Nothing of the file is left."""
    return draw(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(_encoded)))


BREAKS = (flipped, cut_off, relined, reseparated, recelled, recoded, replaced)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", errors="replace")


# --- what is left is valid or refused ------------------------------------------------------------


def assert_valid(customers) -> None:
    features = customers.features
    assert len(features) > 0
    assert features.index.is_unique
    assert not features.index.isna().any()
    for name, column in customers.columns.items():
        if column.kind == "number":
            assert features[name].dtype == np.float64
            assert not np.isinf(features[name]).any()
        else:
            assert features[name].dtype == "str"
    for values in (customers.target, customers.profit, customers.contactable):
        assert values is None or values.index.equals(features.index)
    assert customers.target is None or set(customers.target) <= {0, 1}
    assert customers.profit is None or not np.isinf(customers.profit).any()


def read_or_refused(read, **options) -> None:
    try:
        customers = read(**options)
    except RetainError as error:
        assert str(error)  # noqa: PT017 - that there may be no error is the point
    else:
        assert_valid(customers)


@pytest.mark.parametrize("broken", BREAKS)
@pytest.mark.parametrize("name", ["market_file.csv", "market_money.csv", "money.csv"])
@settings(MODEST, max_examples=4)
@given(data=st.data())
def test_a_broken_file_is_refused_or_read_as_valid_customers(
    data, broken, name, small_files, one_click_contract
):
    with tempfile.TemporaryDirectory() as folder:
        for file, text in small_files.items():
            Path(folder, file).write_bytes(text.encode())
        content = data.draw(broken(small_files[name].encode()))
        Path(folder, name).write_bytes(content)
        read_or_refused(reader.read, dir=folder, **one_click_contract)


cells = st.one_of(JUNK, st.text(max_size=8), st.integers().map(str), st.floats().map(str))


@st.composite
def tables(draw) -> bytes:
    """Random cells in rows of one length, of any separator."""
    width = draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=12))
    mark = draw(st.sampled_from([",", ";", "\t", "|"]))
    return _encoded("\n".join(mark.join(row) for row in rows))


@st.composite
def labelled_tables(draw) -> bytes:
    """Columns that are nearly right: numbers, dates and answers with junk between them."""
    size = draw(st.integers(1, 12))
    columns = [
        st.integers(0, 20).map(str),
        st.sampled_from(["yes", "no"]),
        st.dates().map(str) | JUNK,
        st.floats(allow_nan=False).map(str) | JUNK,
        st.sampled_from(["да", "нет", ""]),
    ]
    rows = [";".join(draw(column) for column in columns) for _ in range(size)]
    return _encoded("\n".join(["id;answer;since;sum;agreed", *rows]))


@MODEST
@given(content=st.one_of(tables(), st.binary(max_size=300), st.text(max_size=300).map(_encoded)))
def test_any_text_is_refused_or_read_as_valid_customers(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "any.csv")
        path.write_bytes(content)
        read_or_refused(table.read, path=str(path))


@MODEST
@given(content=labelled_tables(), by_row=st.booleans())
def test_a_table_with_roles_is_refused_or_read_as_valid_customers(content, by_row):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "any.csv")
        path.write_bytes(content)
        options = {"id": None if by_row else "id", "target": "answer", "consent": "agreed"}
        read_or_refused(table.read, path=str(path), **options)


@MODEST
@given(content=st.binary(max_size=200), start=st.sampled_from([b"", b"PAR1"]))
def test_bytes_that_are_called_parquet_are_refused(content, start):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "any.parquet")
        path.write_bytes(start + content + start)
        with pytest.raises(RetainError, match="cannot be read as Parquet"):
            table.read(path=str(path))
