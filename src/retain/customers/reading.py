"""What was read of a file: its columns, and its rows that are no customers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DroppedRow:
    """A row of a file that is left out, the line it begins on, and the reason."""

    file: str
    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class ColumnReading:
    """What a column was read as.

    Attributes
    ----------
    type
        ``number``, ``date``, ``category``, a role such as ``id``, or ``left out``.
    detail
        Number of levels of a category, or the reason to leave a column out.
    missing
        Share of the customers without a value, 0 to 1.
    examples
        Up to two cells as in the file.
    """

    name: str
    type: str
    detail: str
    missing: float
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """The columns of a file in its order, and its rows that are no customers."""

    columns: tuple[ColumnReading, ...] = ()
    dropped_rows: tuple[DroppedRow, ...] = ()
