"""Cells of a workbook as a column of one type."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

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
    """
    filled = [cell for cell in cells if cell not in ("", None)]
    kinds = {type(cell) for cell in filled}
    if filled and kinds <= {int, float}:
        return _numbers(cells, is_complete=len(filled) == len(cells))
    if filled and kinds <= {dt.date, dt.datetime}:
        days = [np.datetime64("NaT" if cell in ("", None) else str(cell), "s") for cell in cells]
        return pd.Series(np.array(days, dtype="datetime64[s]"))
    return pd.Series([_text(cell) for cell in cells], dtype="str")


def _numbers(cells: Sequence[object], *, is_complete: bool) -> pd.Series:
    values = pd.Series([np.nan if cell in ("", None) else cell for cell in cells], dtype="float64")
    is_whole = is_complete and bool((values % 1 == 0).all())
    return values.astype("int64") if is_whole and values.abs().max() < MAX_EXACT_FLOAT else values


def _text(cell: object) -> str | None:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < MAX_EXACT_FLOAT:
        cell = int(cell)
    return str(cell).strip() or None
