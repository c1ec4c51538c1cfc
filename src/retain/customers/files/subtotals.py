"""Rows that sum up a group of customers each, above or below it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]

MIN_GROUPS, MIN_ROWS, MIN_GROUP_ROWS = 2, 10, 2
"""Groups, rows, and mean rows of a group, whose sums are evidence: they cover the whole table."""
MIN_COLUMNS = 2
"""Columns whose sums are evidence in rows that lack no other cell."""
MAX_COLUMNS = 50
"""Columns that are looked at, evenly spaced."""
TOLERANCE = 1e-9
"""Largest distance of a sum, as a share of it."""
MAX_GROUP_ROWS = 100_000
_FIRST_WINDOW, _GROWTH = 64, 8


def find_subtotals(columns: Sequence[Column], is_odd: NDArray[np.bool_]) -> list[int]:
    """Return the rows that sum up the rows since the one before, or up to the next one.

    They are certain only if they cut the whole table into groups. ``is_odd`` masks rows that lack
    a cell of another column; if there are some, only they are looked at.

    >>> visits = np.array([1.0, 4, 3, 8, 2, 6, 5, 7, 20, 28])
    >>> find_subtotals([visits], np.isin(visits, [8, 20, 28]))
    [3, 8]
    """
    n_rows = len(is_odd)
    if not columns or n_rows < MIN_ROWS:
        return []
    columns = columns[:: len(columns) // MAX_COLUMNS + 1]
    if below := _find_below(columns, is_odd):
        return below
    above = _find_below([column[::-1] for column in columns], is_odd[::-1])
    return sorted(n_rows - 1 - row for row in above)


def _find_below(columns: Sequence[Column], is_odd: NDArray[np.bool_]) -> list[int]:
    """Return the rows that sum up those above them; empty if some rows are of no group."""
    found: list[int] = []
    start, n_rows = 0, len(is_odd)
    while start < n_rows - 1:
        row = _first_sum(start, columns, is_odd if is_odd.any() else None)
        if row is None:
            return []
        found.append(row)
        start = row + 1
    is_enough = n_rows >= (MIN_GROUP_ROWS + 1) * len(found)
    return found if len(found) >= MIN_GROUPS and is_enough else []


def _first_sum(
    start: int, columns: Sequence[Column], may_be: NDArray[np.bool_] | None
) -> int | None:
    """Return the first row that sums up the rows from ``start`` on, None without one."""
    least, low = (MIN_COLUMNS, 2) if may_be is None else (1, 1)
    last, width = min(len(columns[0]) - start, MAX_GROUP_ROWS), _FIRST_WINDOW
    while low < last:
        n_sums = n_numbers = np.zeros(min(low + width, last) - low, dtype=np.int64)
        for column in columns:
            values = column[start : start + low + width][:last]
            sums, filled = np.nancumsum(values)[low - 1 : -1], np.nan_to_num(values[low:])
            n_sums = n_sums + ((np.abs(sums - filled) <= TOLERANCE * np.abs(sums)) & (filled != 0))
            n_numbers = n_numbers + ~np.isnan(values[low:])
        is_sum = (n_sums >= least) & (2 * n_sums >= n_numbers)
        if may_be is not None:
            is_sum &= may_be[start + low : start + low + len(is_sum)]
        if is_sum.any():
            return start + low + int(np.flatnonzero(is_sum)[0])
        low, width = low + width, width * _GROWTH
    return None
