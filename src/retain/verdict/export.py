"""Tables as CSV files that a spreadsheet may open: a cell can hold text, never a formula.

May import: errors, schema, record, customers, learning.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import pandas as pd

from retain.record import replacing

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
    """Write ``table`` as ``to_csv`` does, whole or not at all."""
    write_parts([table], path)


def write_parts(parts: Iterable[pd.DataFrame], path: Path) -> None:
    """Write one table that comes in parts as ``to_csv`` does, whole or not at all."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        for number, part in enumerate(parts):
            to_csv(part, file, header=number == 0)
