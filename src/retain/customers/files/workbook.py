"""Workbooks: the rows of a sheet, and its cells as columns of one type."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd

from retain.errors import RetainError, examples, type_value
from retain.storage.reading import MAX_UNPACKED_BYTES, ZIP_ERRORS

MAX_CELLS = 50_000_000
"""Largest rows × columns of a sheet; one cell far away makes a sheet of billions."""
_BLOCK, _OVERLAP = 1 << 22, 64  # bytes searched at a time, and those searched twice
_CELL = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_ROW = re.compile(rb'<row\b[^>]{0,48}\br="([0-9]{1,7})"')


Rows = list[list[object]]


@dataclass(frozen=True, slots=True)
class WorkbookSheet:
    """The rows of a sheet without empty ones around them, and the number of the first."""

    name: str
    rows: Rows
    first_line: int = 1

    def texts(self, n_rows: int) -> list[list[str]]:
        """Return the first rows as texts."""
        return [[cell_text(cell) or "" for cell in row] for row in self.rows[:n_rows]]


def read_workbook(
    path: Path, content: bytes, sheet: str | None, key: str = "data.sheet"
) -> WorkbookSheet:
    """Return a sheet of a workbook; ``key`` is that with which users name one.

    Raises
    ------
    RetainError
        ``python-calamine`` is not installed, the workbook cannot be read or is too large, or it has
        several sheets with cells and none is named.
    """
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ModuleNotFoundError:
        needs = f"file {str(path)!r} is a workbook, which needs python-calamine"
        raise RetainError(f"{needs}; type: pip install 'retain[excel]'") from None
    try:
        _check_size(path, content)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        found = [workbook.get_sheet_by_name(name) for name in workbook.sheet_names]
        sheets = {
            one.name: WorkbookSheet(one.name, one.to_python(), (one.start or (0, 0))[0] + 1)
            for one in found
        }
    except (CalamineError, OSError, *ZIP_ERRORS) as error:
        reason = (str(error).splitlines() or [""])[0][:200]
        raise RetainError(f"workbook {str(path)!r} cannot be read: {reason}.") from None
    return _choose_sheet(path, sheet, sheets, key)


def _check_size(path: Path, content: bytes) -> None:
    """Raise if a workbook unpacks to too much, or a cell lies too far from the first one."""
    n_bytes = 0
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.namelist():
            n_rows = n_columns = 1
            for block in _blocks(archive, member):
                n_bytes += len(block) - _OVERLAP
                if n_bytes > MAX_UNPACKED_BYTES:
                    found = (
                        f"workbook {str(path)!r} unpacks to more than {MAX_UNPACKED_BYTES:,} bytes"
                    )
                    raise RetainError(f"{found}; save the table as CSV.")
                cells = set(_CELL.findall(block))
                n_columns = max([n_columns, *(_column_number(letters) for letters, _ in cells)])
                rows = (*(row for _, row in cells), *_ROW.findall(block))
                n_rows = max([n_rows, *map(int, rows)])
            if n_rows * n_columns > MAX_CELLS:
                found = f"workbook {str(path)!r} has a cell in row {n_rows:,}, column {n_columns:,}"
                raise RetainError(f"{found}; remove what lies outside the table.")


def _blocks(archive: zipfile.ZipFile, member: str) -> Iterator[bytes]:
    """Yield a file of an archive in blocks that overlap, so that no reference is cut."""
    with archive.open(member) as stream:
        last = b" " * _OVERLAP
        while block := stream.read(_BLOCK):
            yield last + block
            last = (last + block)[-_OVERLAP:]


def _column_number(letters: bytes) -> int:
    """Return the number of a column, from 1.

    >>> _column_number(b"A"), _column_number(b"AB"), _column_number(b"XFD")
    (1, 28, 16384)
    """
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number


def _choose_sheet(
    path: Path, name: str | None, sheets: dict[str, WorkbookSheet], key: str
) -> WorkbookSheet:
    filled = [name for name, sheet in sheets.items() if sheet.rows]
    if name is not None and name not in sheets:
        raise RetainError.unknown(key, name, list(sheets))
    if not filled or (name is not None and name not in filled):
        which = "workbook" if name is None else f"sheet {name!r} of workbook"
        raise RetainError(f"{which} {str(path)!r} is empty; expected a header and rows.")
    if name is None and len(filled) > 1:
        found = f"workbook {str(path)!r} has several sheets: {examples(filled, limit=20)}"
        raise RetainError(f"{found}; name one with {type_value(key, filled[0])}.")
    return sheets[name or filled[0]]


_NUMBER_WITH_MARK = r"[^\w]*[0-9][0-9., ']*[.,][0-9]+[^\w]*$"
MAX_EXACT_FLOAT = 2**53
"""Largest whole number that a workbook, which has only floats, holds exactly."""


def type_cells(cells: Sequence[object]) -> pd.Series:
    """Return numbers, dates or texts, whichever all cells are; mixed cells are texts.

    >>> type_cells([1.0, 2.0]).tolist(), type_cells([1.5, ""]).tolist()
    ([1, 2], [1.5, nan])
    >>> type_cells([7.0, " many "]).tolist()
    ['7', 'many']
    >>> type_cells([dt.date(2024, 5, 1), ""]).isna().tolist()
    [False, True]
    >>> type_cells([7.25, "1.234"]).tolist()
    ['725e-2', '1.234']
    """
    filled = [cell for cell in cells if cell not in ("", None)]
    kinds = {type(cell) for cell in filled}
    if filled and kinds <= {int, float}:
        return _numbers(cells, is_complete=len(filled) == len(cells))
    if filled and kinds <= {dt.date, dt.datetime}:
        days = [np.datetime64("NaT" if cell in ("", None) else str(cell), "s") for cell in cells]
        return pd.Series(np.array(days, dtype="datetime64[s]"))
    has_marks = any(type(cell) is str and re.match(_NUMBER_WITH_MARK, cell) for cell in filled)
    write = _text_without_mark if has_marks else cell_text
    return pd.Series([write(cell) for cell in cells], dtype="str")


def _text_without_mark(cell: object) -> str | None:
    """Return a cell as text, a fraction with an exponent: its point says nothing about texts."""
    if not isinstance(cell, float) or cell.is_integer() or not np.isfinite(cell):
        return cell_text(cell)
    sign, digits, exponent = Decimal(repr(cell)).as_tuple()
    return f"{'-' * sign}{''.join(map(str, digits))}e{exponent}"


def _numbers(cells: Sequence[object], *, is_complete: bool) -> pd.Series:
    values = pd.Series([np.nan if cell in ("", None) else cell for cell in cells], dtype="float64")
    is_whole = is_complete and bool((values % 1 == 0).all())
    return values.astype("int64") if is_whole and values.abs().max() < MAX_EXACT_FLOAT else values


def cell_text(cell: object) -> str | None:
    """Return a cell as text, whole numbers without a point; None for a blank one."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < MAX_EXACT_FLOAT:
        cell = int(cell)
    return str(cell).strip() or None
