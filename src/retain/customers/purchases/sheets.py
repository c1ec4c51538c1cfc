"""One CSV file of a log: how it is cut, and a copy of it that DuckDB can read.

May import: errors, storage and customers.dialect, encoding, source_file, purchases.quoted.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path

from retain.customers.dialect import Dialect, dialect_of
from retain.customers.encoding import decoded
from retain.customers.purchases.quoted import BLANK
from retain.customers.source_file import content
from retain.errors import RetainError
from retain.storage.reading import open_regular

SPACES = " "
"""The separator of a file whose columns are set apart by blanks."""

_HEAD = 1 << 20  # bytes looked at for encoding, separator and heading
_UTF8 = ("utf-8", "utf-8-sig")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file and how it is cut: ``names`` of its columns, and whether a heading tells them."""

    path: Path
    dialect: Dialect
    names: tuple[str, ...]
    heading: bool
    readable: Path

    @property
    def told(self) -> str:
        """The file as messages name it."""
        return f"file {str(self.path)!r}"


def sheet_of(path: Path, names: tuple[str, ...] | None) -> Sheet:
    """How a file is cut; ``names`` are its columns where it has no heading.

    Raises
    ------
    RetainError
        The file is missing, empty or no text, or has not as many columns as names.
    """
    encoding, text = _head(path)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    dialect = dialect_of(encoding, text)
    first = next(csv.reader(io.StringIO(text), delimiter=dialect.separator), [])
    spaced = text.lstrip("\n").split("\n", 1)[0].split()
    if names is not None and len(names) > 1 and len(first) != len(names) == len(spaced):
        dialect = replace(dialect, separator=SPACES, decimal=".")
        first = spaced
    cells = tuple(cell.strip(BLANK) for cell in first)
    if names is None:
        there = tuple(cell or f"column {n}" for n, cell in enumerate(cells, start=1))
        return Sheet(path, dialect, there, heading=True, readable=path)
    if len(cells) != len(names):
        found = f"file {str(path)!r} has {len(cells)} columns, and data.log.names {len(names)}"
        raise RetainError(f"{found}; expected a name for each column.")
    return Sheet(path, dialect, names, heading=cells == names, readable=path)


def _head(path: Path) -> tuple[str, str]:
    """Encoding and text of the first whole lines."""
    with open_regular(path) as opened:
        data = opened.read(_HEAD)
    if len(data) < _HEAD:
        return decoded(path, data)
    wide = b"\0" in data[:64]  # UTF-16, which a cut after one byte would split
    return decoded(path, data if wide else data[: data.rfind(b"\n") + 1] or data)


# --- encodings ---------------------------------------------------------------------------------


def readable(sheet: Sheet, copy: Path) -> Sheet:
    """The sheet in UTF-8, as DuckDB reads it: the file itself where it is that already."""
    return sheet if sheet.dialect.encoding in _UTF8 else rewritten(sheet, copy)


def rewritten(sheet: Sheet, copy: Path) -> Sheet:
    """A copy in UTF-8 whose lines all end alike."""
    try:
        _copied(sheet.path, sheet.dialect.encoding, copy)
    except UnicodeError:
        encoding, _ = decoded(sheet.path, content(sheet.path))
        _copied(sheet.path, encoding, copy)
    return replace(sheet, readable=copy)


def _copied(path: Path, encoding: str, copy: Path) -> None:
    with open_regular(path) as raw, copy.open("w", encoding="utf-8", newline="") as to:
        source = io.TextIOWrapper(raw, encoding=encoding)
        while text := source.read(_HEAD):
            to.write(text)
