"""Rows whose numbers are sums or statistics of the other rows, whatever their words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retain.customers.files.subtotals import Column, find_subtotals

REL_TOLERANCE = 1e-3
"""Largest distance of rounded totals from the sum of the others, as a share of it."""
EXACT_TOLERANCE = 1e-6
"""The same for a sum that is no chance, besides the rounding of the cell."""
MIN_ROWS = 10
"""Rows whose sums are evidence."""
MIN_COLUMNS = 2
"""Columns whose sums are evidence."""
N_LAST = 6
"""Rows at the end that are compared with all statistics of the rows above."""
MAX_CANDIDATES = 20
"""Rows near a sum that are looked at."""
MAX_DECIMALS = 6
IS_SUM = "it sums up the other rows"
IS_SUBTOTAL = "it sums up a group of the other rows"
IS_STATISTIC = "it is a statistic of the other rows"


@dataclass(frozen=True, slots=True)
class Aggregates:
    """Counts of the numbers of a row by what they are of the other rows.

    ``n_sums`` and ``n_statistics`` count values that no other row has, ``n_largest_sums`` those
    above all others. ``n_matches`` counts values
    that are some statistic, though others may have them.
    """

    n_rows: int = 0
    n_numbers: int = 0
    n_sums: int = 0
    n_largest_sums: int = 0
    n_near_sums: int = 0
    n_statistics: int = 0
    n_matches: int = 0
    is_one_statistic: bool = False
    is_zero: bool = False

    @property
    def reason(self) -> str:
        """The reason for leaving the row out, empty where it is not certain."""
        if self.n_rows < MIN_ROWS:
            return ""
        if self.n_sums >= MIN_COLUMNS and 2 * self.n_matches >= self.n_numbers:
            return IS_SUM
        is_statistic = self.n_statistics >= MIN_COLUMNS and self.n_matches == self.n_numbers
        return IS_STATISTIC if is_statistic else ""

    @property
    def may_be_statistics(self) -> bool:
        """True if all numbers are one statistic, such as the largest, unless all are zero."""
        is_enough = self.n_rows >= MIN_ROWS and self.n_numbers >= MIN_COLUMNS
        return self.is_one_statistic and is_enough and not self.is_zero

    @property
    def is_doubtful(self) -> bool:
        """True if the row may be of totals or a customer; sums over few rows are no evidence."""
        enough = 1 if self.n_rows >= MIN_ROWS else 2 if self.n_rows > 2 else 3
        if self.n_largest_sums >= enough and self.n_matches == self.n_numbers:
            return True
        is_near = MIN_COLUMNS <= self.n_near_sums == self.n_numbers
        return is_near and self.n_rows >= MIN_ROWS


def _is_median(value: float, values: Column) -> bool:
    margin, half = _rounding(value), len(values) / 2
    is_below, is_above = values < value - margin, values > value + margin
    return bool(is_below.sum() <= half and is_above.sum() <= half)


_CHECKS: dict[str, Callable[[float, Column], bool]] = {
    "sum": lambda value, values: _is_exact(value, values.sum()),
    "mean": lambda value, values: _is_exact(value, values.mean()),
    "count": lambda value, values: value == len(values),
    "min": lambda value, values: _is_exact(value, values.min()),
    "max": lambda value, values: _is_exact(value, values.max()),
    "median": _is_median,
}
_DEVIATIONS: dict[str, Callable[[float, Column], bool]] = {
    "deviation": lambda value, values: _is_exact(value, values.std()),
    "sample deviation": lambda value, values: (
        len(values) > 1 and _is_exact(value, values.std(ddof=1))
    ),
}
USUAL = tuple(_CHECKS)
"""The aggregates that rows without a word are compared with."""
STATISTICS = (*_CHECKS, *_DEVIATIONS)
"""The aggregates that are known."""


@dataclass(frozen=True, slots=True)
class AggregateComparison:
    """The aggregates that numbers are compared with, and the tolerance of sums, as a share.

    With ``all_or_none``, nothing is counted if some number is none of them, which is fast.
    """

    kinds: Sequence[str] = USUAL
    tolerance: float = REL_TOLERANCE
    all_or_none: bool = False


def match_aggregates(
    columns: Sequence[Column],
    row: int,
    body: NDArray[np.int64] | slice,
    compared: AggregateComparison | None = None,
) -> Aggregates:
    """Return what the numbers of a row are of the rows of ``body``.

    >>> columns = [np.array([1.0, 2.5, 3.5]), np.array([4.0, 6.0, 10.0])]
    >>> match_aggregates(columns, 2, np.array([0, 1])).n_sums
    2
    """
    compared = compared or AggregateComparison()
    checks = {**_CHECKS, **_DEVIATIONS}
    matched: list[set[str]] = []
    n_near, n_largest, n_single = 0, 0, {"sum": 0, "other": 0}
    for column in columns:
        value, values = float(column[row]), column[body]
        values = values[~np.isnan(values)]
        if np.isnan(value) or len(values) == 0:
            continue
        found = {kind for kind in compared.kinds if checks[kind](value, values)}
        if compared.all_or_none and not found:
            return Aggregates()
        matched.append(found)
        total = float(values.sum())
        n_near += total != 0 and abs(value - total) <= compared.tolerance * abs(total)
        if found and not (np.abs(values - value) <= _rounding(value)).any():
            n_single["sum" if "sum" in found else "other"] += 1
            n_largest += "sum" in found and abs(value) > np.abs(values).max()
    return Aggregates(
        n_rows=row if isinstance(body, slice) else len(body),
        n_numbers=len(matched),
        n_sums=n_single["sum"],
        n_largest_sums=n_largest,
        n_near_sums=n_near,
        n_statistics=sum(n_single.values()),
        n_matches=sum(map(bool, matched)),
        is_one_statistic=bool(matched and set.intersection(*matched)),
        is_zero=not any(column[row] for column in columns if not np.isnan(column[row])),
    )


def _is_exact(value: float, expected: float) -> bool:
    """Return whether a value is the expected one as it would be written."""
    distance = abs(value - float(expected))
    return distance <= max(EXACT_TOLERANCE * abs(expected), _rounding(value)) and (
        distance <= 0.02 * abs(expected)
    )


def _rounding(value: float) -> float:
    """Return half of the last decimal of a number.

    >>> _rounding(12.0), _rounding(0.25)
    (0.5, 0.005)
    """
    decimals = next((n for n in range(MAX_DECIMALS) if round(value, n) == value), MAX_DECIMALS)
    return 0.5 * 10.0**-decimals


def find_aggregates(
    columns: Sequence[Column], is_blank: NDArray[np.bool_]
) -> tuple[dict[int, str], list[int]]:
    """Return the rows that are aggregates, with the reason, and those that may be or not.

    Parameters
    ----------
    columns
        The columns of numbers.
    is_blank
        A mask of the rows that lack a cell of the other columns, as those of means do.
    """
    columns = list(columns)
    certain, doubtful = dict[int, str](), set[int]()
    n_rows, is_odd = len(is_blank), is_blank & (not is_blank.all())
    for row in find_subtotals(columns, is_odd):
        certain[row] = IS_SUBTOTAL
    _take_out(list(certain), columns)
    for row in range(max(MIN_ROWS, n_rows - N_LAST), n_rows):
        if is_blank[row]:
            above = match_aggregates(
                columns, row, slice(row), AggregateComparison(all_or_none=True)
            )
            if _note(row, [above], certain, columns) or (is_odd[row] and above.may_be_statistics):
                doubtful.add(row)
    for row in _near_sums(columns):
        others = np.delete(np.arange(n_rows), row)
        found = [match_aggregates(columns, row, slice(row)), match_aggregates(columns, row, others)]
        if _note(row, found, certain, columns):
            doubtful.add(row)
    return dict(sorted(certain.items())), sorted(doubtful - set(certain))


def _note(
    row: int, found: Sequence[Aggregates], certain: dict[int, str], columns: list[Column]
) -> bool:
    """Put a row among the certain ones and out of the columns; return whether it is doubtful."""
    if reason := next((one.reason for one in found if one.reason), ""):
        certain[row] = reason
        _take_out([row], columns)
        return False
    return any(one.is_doubtful for one in found)


def _take_out(rows: list[int], columns: list[Column]) -> None:
    """Make the numbers of rows missing."""
    for n, column in enumerate(columns if rows else ()):
        columns[n] = column.copy()
        columns[n][rows] = np.nan


def _near_sums(columns: Sequence[Column]) -> list[int]:
    """Return rows most of whose numbers are near the sums of all others, or of those above."""
    n_near = np.zeros(len(columns[0]) if columns else 0, dtype=np.int64)
    n_numbers = n_near.copy()
    for column in columns:
        is_number = ~np.isnan(column)
        filled = np.where(is_number, column, 0)
        sums, double = np.cumsum(filled), 2 * filled
        is_near = np.abs(double - sums[-1]) <= REL_TOLERANCE * abs(sums[-1])
        double -= sums
        is_near[MIN_ROWS:] |= (np.abs(double) <= REL_TOLERANCE * np.abs(sums))[MIN_ROWS:]
        n_near += is_near & (filled != 0)
        n_numbers += is_number
    rows = np.flatnonzero((n_near > 0) & (n_near >= np.minimum(MIN_COLUMNS, n_numbers)))
    best = np.argsort(-n_near[rows], kind="stable")[:MAX_CANDIDATES]
    return sorted(int(row) for row in rows[best])
