"""Tables as CSV files that a spreadsheet may open: a cell can hold text, never a formula.

May import: errors, schema, record, customers, learning.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pandas as pd

from retain.storage.writing import replacing

if TYPE_CHECKING:
    import pyarrow as pa

MANY = 20_000
"""Rows above which a table is written as ``write_many`` does."""
STARTS = ("=", "+", "-", "@", "\t", "\r")


def neutral(cell: Any) -> Any:
    """A text that a spreadsheet would read as a formula, with an apostrophe before it.

    >>> neutral("=HYPERLINK(0)"), neutral("plain"), neutral(-1.5)
    ("'=HYPERLINK(0)", 'plain', -1.5)
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(STARTS) else cell


def to_csv(table: pd.DataFrame, path: Path | IO[str], *, header: bool = True) -> None:
    """Write ``table`` as UTF-8 CSV, every text cell and header neutral."""
    texts = table.select_dtypes(["object", "str"]).map(neutral)
    safe = table.assign(**{str(name): texts[name] for name in texts}).rename(columns=neutral)
    safe.to_csv(path, index=False, header=header, encoding="utf-8", lineterminator="\n")


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write ``table`` as ``to_csv`` does, whole or not at all; very many rows as ``write_many``."""
    if len(table) > MANY:
        write_many(table, path)
    else:
        write_parts([table], path)


def write_many(table: pd.DataFrame, path: Path) -> None:
    """Write a table whole or not at all, ten times as fast as ``to_csv``.

    The same cells, all text in quotes, and whole floats without a point.
    """
    import pyarrow as pa
    from pyarrow import csv

    columns = [_arrow(table[name]) for name in table]
    cells = pa.table(columns, names=[str(place) for place in range(len(columns))])
    with replacing(path) as temporary, temporary.open("wb") as file:
        header = table.head(0).rename(columns=neutral)
        file.write(header.to_csv(index=False, lineterminator="\n").encode())
        csv.write_csv(cells, file, csv.WriteOptions(include_header=False))


def _arrow(values: pd.Series) -> pa.Array:
    """A column for Arrow, its text neutral and its truth values in the words of ``to_csv``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pa.array(values, from_pandas=True)
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "True", "False")
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    if not any(pc.any(pc.starts_with(column, start)).as_py() for start in STARTS):
        return column
    starts = "".join(sorted(STARTS, key="-".__eq__))  # within brackets - means itself when last
    return pc.replace_substring_regex(column, f"^([{starts}])", r"'\1")


def write_parts(parts: Iterable[pd.DataFrame], path: Path) -> None:
    """Write one table that comes in parts as ``to_csv`` does, whole or not at all."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        for number, part in enumerate(parts):
            to_csv(part, file, header=number == 0)
