"""Workbooks for spreadsheets, a sheet a table; needs the extra ``excel``."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from retain.storage.writing import atomic_write
from retain.verdict.export import CONTROL, REPLACEMENT, ExportDialect
from retain.verdict.headings import CODES

if TYPE_CHECKING:
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

MAX_ROWS = 100_000
"""Rows of a sheet from which on no workbook is written: it would take minutes to open."""
MAX_SHEET_NAME_CHARACTERS = 31
WIDTHS = {"text": 80, "drivers": 60, "customer_id": 14}
"""Widths of columns in characters; 18 of the others."""
SHEETS = {
    "approval": "план",
    "do not contact": "не связываться",
    "outcomes": "исходы",
    "segments": "сегменты",
    "customers": "клиенты",
    **{channel: name.ru for channel, name in CODES["channel"].items()},
}
"""Russian names of sheets; others are named as they are."""
_TIME = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")


def write_workbook(
    sheets: Sequence[tuple[str, pd.DataFrame]], path: Path, dialect: ExportDialect
) -> bool:
    """Write named tables as the sheets of a workbook, the same bytes for the same tables.

    A name that is taken already gets a number.

    Every text is a text, formulas too. Returns False, and writes nothing, without the package
    ``openpyxl`` or with a table of more than ``MAX_ROWS`` rows.
    """
    too_long = any(len(table) > MAX_ROWS for _, table in sheets)
    if too_long or find_spec("openpyxl") is None:
        return False
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for name, table in sheets:
        called = SHEETS.get(name, name) if dialect.language == "ru" else name
        title = re.sub(r"[\[\]:*?/\\]", " ", called)[:MAX_SHEET_NAME_CHARACTERS]
        _fill(book.create_sheet(title), table, dialect)
    raw = io.BytesIO()
    book.save(raw)
    with atomic_write(path) as temporary:
        temporary.write_bytes(_without_times(raw.getvalue()))
    return True


def _fill(sheet: WriteOnlyWorksheet, table: pd.DataFrame, dialect: ExportDialect) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    sheet.freeze_panes = "A2"
    for number, name in enumerate(table, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = WIDTHS.get(str(name), 18)
    header = [WriteOnlyCell(sheet, value=name) for name in dialect.headings(table)]
    for cell in header:
        cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True)
    sheet.append(header)
    for row in dialect.codes(table).astype(object).itertuples(index=False):
        cells = [WriteOnlyCell(sheet, value=_plain(value)) for value in row]
        for cell in cells:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # a leading = is no formula
        sheet.append(cells)


def _plain(value: Any) -> Any:
    """Return a value that a cell can hold; None if it is missing."""
    if isinstance(value, str):
        return re.sub(CONTROL, REPLACEMENT, value)
    if value is None or pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def _without_times(raw: bytes) -> bytes:
    """Return the bytes of a workbook without the time at which it was written."""
    clean = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(raw)) as book,
        zipfile.ZipFile(clean, "w", zipfile.ZIP_DEFLATED) as copy,
    ):
        for one in sorted(book.namelist()):
            content = _TIME.sub(rb"\g<1>1980-01-01T00:00:00Z", book.read(one))
            copy.writestr(zipfile.ZipInfo(one, (1980, 1, 1, 0, 0, 0)), content)
    return clean.getvalue()
