"""Tables as CSV files that a spreadsheet may open: a cell can hold text, never a formula."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pandas as pd

from retain.storage.writing import atomic_write

if TYPE_CHECKING:
    import pyarrow as pa


MANY = 20_000
"""Rows above which a table is written as ``write_csv_arrow`` does."""
FORMULA = "'*(?:[ \t\r\n\u00a0\u3000]*[=+@|＝＋－＠-]|[\t\r\n])"
"""How a text begins that a spreadsheet may read as a formula, blanks before it or not.

With apostrophes before it too, so that one more can be taken off again: ``as_written`` of
``campaign.assignment``. Python's expressions and Arrow's (RE2) read it alike.
"""
CONTROL = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
"""What no spreadsheet can show; it becomes ``REPLACEMENT``."""
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_FORMULA, _CONTROL = re.compile(FORMULA), re.compile(CONTROL)


def escape_formula(cell: Any) -> Any:
    """Return a text that a spreadsheet would read as a formula with an apostrophe before it.

    >>> [escape_formula(cell) for cell in ("=HYPERLINK(0)", " @x", "plain", -1.5)]
    ["'=HYPERLINK(0)", "' @x", 'plain', -1.5]
    """
    if not isinstance(cell, str):
        return cell
    text = _CONTROL.sub(REPLACEMENT, cell)
    return f"'{text}" if _FORMULA.match(text) else text


def to_csv(table: pd.DataFrame, path: Path | IO[str], *, header: bool = True) -> None:
    """Write ``table`` as UTF-8 CSV, every text cell and header neutral."""
    texts = table.select_dtypes(["object", "str", "category"]).map(escape_formula)
    safe = table.assign(**{str(name): texts[name] for name in texts}).rename(columns=escape_formula)
    safe.to_csv(path, index=False, header=header, encoding="utf-8", lineterminator="\n")


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write ``table`` as ``to_csv`` does, whole or not at all; many rows by ``write_csv_arrow``."""
    if len(table) > MANY:
        write_csv_arrow(table, path)
    else:
        write_csv_chunks([table], path)


def write_csv_arrow(table: pd.DataFrame, path: Path) -> None:
    """Write a table whole or not at all, ten times as fast as ``to_csv``.

    The same cells, all text in quotes, and whole floats without a point.
    """
    import pyarrow as pa
    from pyarrow import csv

    columns = [_arrow(table[name]) for name in table]
    cells = pa.table(columns, names=[str(place) for place in range(len(columns))])
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        header = table.head(0).rename(columns=escape_formula)
        file.write(header.to_csv(index=False, lineterminator="\n").encode())
        csv.write_csv(cells, file, csv.WriteOptions(include_header=False))


def _arrow(values: pd.Series) -> pa.Array:
    """Return a column for Arrow, with formulas escaped and booleans as ``to_csv`` writes them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pa.array(values, from_pandas=True)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "True", "False")
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    if pc.any(pc.match_substring_regex(column, CONTROL)).as_py():
        column = pc.replace_substring_regex(column, CONTROL, REPLACEMENT)
    if pc.any(pc.match_substring_regex(column, f"^{FORMULA}")).as_py():
        column = pc.replace_substring_regex(column, f"^({FORMULA})", r"'\1")
    return column


def write_csv_chunks(parts: Iterable[pd.DataFrame], path: Path) -> None:
    """Write one table that comes in parts as ``to_csv`` does, whole or not at all."""
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        for number, part in enumerate(parts):
            to_csv(part, file, header=number == 0)
